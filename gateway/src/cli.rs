//! The command line.

mod args;
mod check;
mod ctl;
mod env;
mod greeting;
mod signals;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{ArgMatches, Args as _, CommandFactory as _, FromArgMatches as _};
use conclave_core::ports::Clock as _;

use crate::backup::{self, BackupError};
use crate::clients::{Format, Pairs};
use crate::clock::SystemClock;
use crate::config::{self, Config, ConfigError, RealmConfig};
use crate::registry::Tool;
use crate::serve::{Gateway, StartError};
use crate::traces::Exporter;
use crate::vendors::Vendors;
use crate::{clients, descriptors, logging, routes, service};
use args::{Cli, Command, ToolArgs};
use check::check;
use greeting::greeting;
use signals::{Signal, Signals};

/// The name of the program.
const NAME: &str = "conclave";

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Backup(#[from] BackupError),
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl Failure {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Backup(BackupError::Damaged(_)) => ExitCode::from(3),
            Self::Backup(BackupError::Busy(_)) => ExitCode::from(4),
            _ => ExitCode::FAILURE,
        }
    }
}

/// The tools of all vendors, with the vendor's name.
fn tools(vendors: &Vendors) -> Vec<(&'static str, Tool)> {
    vendors.iter().flat_map(|vendor| vendor.tools().into_iter().map(|tool| (vendor.name(), tool))).collect()
}

/// The command line, including the tools of these vendors.
fn command(vendors: &Vendors) -> clap::Command {
    let tool = |(_, tool): (_, Tool)| ToolArgs::augment_args(clap::Command::new(tool.name).about(tool.about));
    Cli::command().subcommand(ctl::command()).subcommands(tools(vendors).into_iter().map(tool))
}

/// Runs the command line, with the binary's vendors.
pub fn main() -> ExitCode {
    let vendors = Vendors::standard();
    let matches = command(&vendors).get_matches();
    match run(&vendors, &matches) {
        Ok(()) => ExitCode::SUCCESS,
        // the reader of our output has closed the pipe
        Err(Failure::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(io::stderr(), "conclave: {failure}");
            failure.exit_code()
        }
    }
}

fn run(vendors: &Vendors, matches: &ArgMatches) -> Result<(), Failure> {
    if let Some((name, matches)) = matches.subcommand()
        && let Some((vendor, tool)) = tools(vendors).into_iter().find(|(_, tool)| tool.name == name)
    {
        let args = ToolArgs::from_arg_matches(matches).map_err(|error| ConfigError(error.to_string()))?;
        return print(&issue(vendors, vendor, &tool, args)?);
    }
    if let Some((ctl::NAME, matches)) = matches.subcommand() {
        return print(&ctl::run(matches)?);
    }
    let cli = Cli::from_arg_matches(matches).map_err(|error| ConfigError(error.to_string()))?;
    match cli.command.unwrap_or(Command::Serve(cli.serve)) {
        Command::Serve(args) => {
            let until_stdin_closes = args.until_stdin_closes;
            serve(args.load(vendors)?, until_stdin_closes)
        }
        Command::Check(args) => {
            let config = args.load(vendors)?;
            print(&check(&config)?)
        }
        Command::Backup { to, folder } => {
            private_files();
            let report = backup::take(&folder.find(vendors)?, &to)?;
            print(&format!("the backup {} is complete\n{report}", to.display()))
        }
        Command::Restore { from, folder } => {
            private_files();
            let folder = folder.find(vendors)?;
            let report = backup::restore::restore(&from, &folder)?;
            print(&format!("the data folder {} is restored\n{report}", folder.display()))
        }
        Command::Verify { path, folder } => {
            private_files();
            let path = path.map_or_else(|| folder.find(vendors), Ok)?;
            let report = backup::verify::verify(&path)?;
            print(&format!("the {} {} is whole\n{report}", report.what, path.display()))
        }
        Command::Env { vendor, format, realm, serve } => {
            print(&env::run(vendors, vendor.as_deref(), realm.as_deref(), format, serve)?)
        }
        Command::Routes { markdown } => {
            let routes = Gateway::routes(&Config::development_with(vendors.clone())?)?;
            print(&if markdown { routes::markdown(&routes) } else { routes::lines(&routes) })
        }
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut command(vendors), NAME, &mut text);
            Ok(io::stdout().write_all(&text)?)
        }
        Command::Man { command } => Ok(io::stdout().write_all(&manual(vendors, command.as_deref())?)?),
        Command::ConfigReference => print(&config::reference::markdown(vendors)),
    }
}

/// The manual page of the program, or of one command.
fn manual(vendors: &Vendors, wanted: Option<&str>) -> Result<Vec<u8>, Failure> {
    let mut command = command(vendors);
    // with the options that commands have in common
    command.build();
    let command = match wanted {
        None => command,
        Some(wanted) => {
            let found = command.get_subcommands().find(|one| one.get_name() == wanted).cloned();
            let found =
                found.ok_or_else(|| ConfigError(format!("there is no command {wanted}: see conclave --help")))?;
            found.name(format!("{NAME}-{wanted}"))
        }
    };
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page)?;
    Ok(page)
}

fn print(text: &str) -> Result<(), Failure> {
    Ok(io::stdout().write_all(text.as_bytes())?)
}

/// The selected realm.
fn pick<'c>(config: &'c Config, realm: Option<&str>) -> Result<&'c RealmConfig, ConfigError> {
    let names = || config.realms.iter().map(|realm| realm.name.as_str()).collect::<Vec<_>>().join(", ");
    match (realm, &config.realms[..]) {
        (Some(name), realms) => realms
            .iter()
            .find(|realm| realm.name == name)
            .ok_or_else(|| ConfigError(format!("there is no realm {name}: there are {}", names()))),
        (None, [only]) => Ok(only),
        (None, _) => Err(ConfigError(format!("choose a realm with --realm: there are {}", names()))),
    }
}

/// The output of a vendor's tool.
fn issue(vendors: &Vendors, vendor: &str, tool: &Tool, args: ToolArgs) -> Result<String, ConfigError> {
    let ToolArgs { user, expire, realm, serve } = args;
    let config = serve.load(vendors)?;
    let realm = pick(&config, realm.as_deref())?;
    let Some(section) = realm.sections.get(vendor) else { return not_at(realm, vendor) };
    let now = SystemClock::default().now();
    let issued = (tool.issue)(&**section, user.as_deref(), now, expire.unwrap_or(tool.lifetime));
    Ok(issued.map_err(ConfigError)? + "\n")
}

fn not_at<T>(realm: &RealmConfig, vendor: &str) -> Result<T, ConfigError> {
    Err(ConfigError(format!("realm {} is not at {vendor}: add [realm.{}.{vendor}]", realm.name, realm.name)))
}

/// The settings for vendors' clients, as `conclave env` prints them.
///
/// # Errors
/// No such realm or vendor, or the realm is not at the vendor.
pub fn environment(config: &Config, realm: Option<&str>, vendor: Option<&str>) -> Result<String, ConfigError> {
    client_settings(config, realm, vendor).map(|pairs| Format::Dotenv.write(&pairs))
}

fn client_settings(config: &Config, realm: Option<&str>, vendor: Option<&str>) -> Result<Pairs, ConfigError> {
    let realm = pick(config, realm)?;
    let names = config.served.names();
    let wanted = match vendor {
        Some(vendor) if !names.contains(&vendor) => {
            return Err(ConfigError(format!("there is no vendor {vendor}: it is one of {}", names.join(", "))));
        }
        Some(vendor) if !realm.is_at(vendor) => return not_at(realm, vendor),
        Some(vendor) => vec![vendor],
        None => names,
    };
    let endpoints = Gateway::endpoints(config).map_err(|error| ConfigError(error.to_string()))?;
    let of = |vendor| {
        let pairs = clients::pairs(config, None, realm, vendor)?;
        let endpoints = endpoints.get(vendor).map_or(&[][..], Vec::as_slice);
        Some(clients::answered(pairs, &clients::base_url(config, None, vendor), endpoints))
    };
    Ok(wanted.into_iter().filter_map(of).flatten().collect())
}

/// Files of this process are readable by its user only.
fn private_files() {
    #[cfg(unix)]
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
}

fn serve(config: Config, until_stdin_closes: bool) -> Result<(), Failure> {
    let traces = Exporter::new(&config.traces)?;
    let guard = logging::start(&config.log, traces.as_ref())?;
    let inherited = service::listeners()?;
    private_files();
    descriptors::raise();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if let Some(traces) = &traces {
        traces.begin(runtime.handle())?;
    }
    let result = runtime.block_on(async {
        // before anything is printed, so that a caller who waits for the output may stop the process at once
        let mut signals = Signals::new(until_stdin_closes)?;
        let running = Gateway::builder(config).listeners(inherited).start().await?;
        for remark in &running.remarks {
            tracing::warn!("{remark}");
        }
        print(&greeting(&running))?;
        service::ready(&running);
        while signals.next().await == Signal::Reload {
            running.reload("SIGHUP");
        }
        service::stopping();
        tracing::info!("stopping: requests in flight are finished first");
        if !running.shutdown().await {
            tracing::warn!("some requests were aborted after limits.drain_ms");
        }
        Ok(())
    });
    if let Some(traces) = traces {
        traces.end();
    }
    // requests that were cut off are still running
    runtime.shutdown_background();
    drop(guard);
    result
}
