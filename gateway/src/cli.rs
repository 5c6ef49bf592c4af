//! The command line.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgMatches, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use conclave_core::ports::Clock as _;

use crate::backup::{self, BackupError};
use crate::clients::{Format, Pairs};
use crate::clock::SystemClock;
use crate::config::{self, Address, Config, ConfigError, Flags, RealmConfig, Sources, is_development};
use crate::registry::Tool;
use crate::serve::{Gateway, Running, StartError};
use crate::vendors::Vendors;
use crate::{clients, descriptors, logging, routes, service, store, tls};

/// Chat groups that exist once and are reached through several chat vendors' own APIs.
#[derive(Debug, Parser)]
#[command(name = "conclave", version, about, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve (the default).
    Serve(ServeArgs),
    /// Check the configuration, its certificate files and its data folder, without starting anything.
    Check(ServeArgs),
    /// Back up the data folder, also while a gateway runs over it.
    ///
    /// A running gateway is asked over its control socket, so run this as the gateway's user or as root. The backup is one
    /// moment: everything that was answered before is in it. Writes go on meanwhile.
    #[command(after_help = EXIT_CODES)]
    Backup {
        /// The folder to write the backup into; new or empty.
        #[arg(value_name = "BACKUP")]
        to: PathBuf,
        #[command(flatten)]
        folder: FolderArgs,
    },
    /// Make a data folder from a backup. The folder must be new or empty, and no gateway may run over it.
    #[command(after_help = EXIT_CODES)]
    Restore {
        /// The backup.
        #[arg(value_name = "BACKUP")]
        from: PathBuf,
        #[command(flatten)]
        folder: FolderArgs,
    },
    /// Check a backup, or a data folder that no gateway runs over: every checksum, every row and every shared file.
    #[command(after_help = EXIT_CODES)]
    Verify {
        /// The backup or the data folder [default: the configured data folder].
        #[arg(value_name = "FOLDER", conflicts_with = "data")]
        path: Option<PathBuf>,
        #[command(flatten)]
        folder: FolderArgs,
    },
    /// Print the settings for a vendor's clients. URLs are printed only if they are served.
    Env {
        /// Only this vendor's settings.
        vendor: Option<String>,
        /// For a file such as .env, for `eval "$(conclave env --format shell)"`, or as JSON.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
        /// The realm; required when there are several.
        #[arg(long)]
        realm: Option<String>,
        #[command(flatten)]
        serve: ServeArgs,
    },
    /// Print every route: method, path, vendor, and the vendor's name of the operation.
    Routes {
        /// Print it as docs/routes.md.
        #[arg(long)]
        markdown: bool,
    },
    /// Print the reference of the configuration: docs/configuration.md.
    ConfigReference,
}

#[derive(Debug, Args)]
struct ServeArgs {
    /// The configuration file (TOML).
    #[arg(long, value_name = "FILE", env = "CONCLAVE_CONFIG")]
    config: Option<PathBuf>,
    /// The address that all vendors share, e.g. localhost:8080 [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDR")]
    listen: Option<Address>,
    /// The data folder [default: conclave-data].
    #[arg(long, value_name = "DIR", conflicts_with = "memory")]
    data: Option<PathBuf>,
    /// Keep data in memory only: it is lost when the process ends.
    #[arg(long)]
    memory: bool,
    /// Encrypt with a certificate of a local authority, which is created if necessary.
    #[arg(long)]
    dev_tls: bool,
    /// The address of metrics and health, or off [default: 127.0.0.1:9090 if it is free].
    #[arg(long, value_name = "ADDR|off")]
    admin: Option<String>,
    /// Serve the development realm to other machines, with random credentials [listens on 0.0.0.0:8080 by default].
    #[arg(long)]
    dev_public: bool,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  not done: the reason is printed
  2  the command line is wrong
  3  what was read is damaged or not complete
  4  the data folder is in use, or another backup is in progress";

/// Which data folder is meant.
#[derive(Debug, Args)]
struct FolderArgs {
    /// The configuration file (TOML) that names the data folder. Not read when --data is given.
    #[arg(long, value_name = "FILE", env = "CONCLAVE_CONFIG")]
    config: Option<PathBuf>,
    /// The data folder [default: the configured one, or conclave-data].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl FolderArgs {
    fn find(self, vendors: &Vendors) -> Result<PathBuf, Failure> {
        if let Some(data) = self.data {
            return Ok(data);
        }
        let serve = ServeArgs {
            config: self.config,
            listen: None,
            data: None,
            memory: false,
            dev_tls: false,
            admin: None,
            dev_public: false,
        };
        match serve.load(vendors)?.data {
            config::Data::Folder(folder) => Ok(folder),
            config::Data::Memory => {
                let why = "the configuration keeps all data in memory; name a data folder with --data";
                Err(ConfigError(why.to_owned()).into())
            }
        }
    }
}

/// The arguments of a vendor's tool; the tools are commands beside those above.
#[derive(Debug, Args)]
struct ToolArgs {
    /// The user.
    user: Option<String>,
    /// Lifetime, in seconds.
    #[arg(long)]
    expire: Option<u64>,
    /// The realm; required when there are several.
    #[arg(long)]
    realm: Option<String>,
    #[command(flatten)]
    serve: ServeArgs,
}

impl ServeArgs {
    fn load(self, vendors: &Vendors) -> Result<Config, ConfigError> {
        let Self { config, listen, data, memory, dev_tls, admin, dev_public } = self;
        let listen = listen.map(|address| address.0);
        let flags = Flags { listen, data, memory, dev_tls, admin, dev_public };
        // variables that are not Unicode are ignored: all our names are
        let environment =
            std::env::vars_os().filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)));
        Config::load_with(vendors.clone(), &Sources { file: config, environment: environment.collect(), flags })
    }
}

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
    Cli::command().subcommands(tools(vendors).into_iter().map(tool))
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
    let cli = Cli::from_arg_matches(matches).map_err(|error| ConfigError(error.to_string()))?;
    match cli.command.unwrap_or(Command::Serve(cli.serve)) {
        Command::Serve(args) => serve(args.load(vendors)?),
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
            if serve.dev_public {
                let why =
                    "the credentials of --dev-public are new at each start: the gateway prints them when it starts";
                return Err(ConfigError(why.to_owned()).into());
            }
            let config = serve.load(vendors)?;
            print(&format.write(&client_settings(&config, realm.as_deref(), vendor.as_deref())?))
        }
        Command::Routes { markdown } => {
            let routes = Gateway::routes(&Config::development_with(vendors.clone())?)?;
            print(&if markdown { routes::markdown(&routes) } else { routes::lines(&routes) })
        }
        Command::ConfigReference => print(&config::reference::markdown(vendors)),
    }
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

/// Performs the checks of a start before it listens, and describes the result without secrets.
fn check(config: &Config) -> Result<String, Failure> {
    // includes two realms with the same identity, and each vendor's own checks
    Gateway::routes(config)?;
    let mut lines = vec![format!("  {:<8} {}", "listen", config.listen)];
    for (vendor, section) in &config.vendors {
        lines.extend(section.listen.map(|address| format!("  {vendor:<8} {address}")));
    }
    lines.push(match config.admin {
        config::Admin::Off => format!("  {:<8} off", "admin"),
        config::Admin::At(address) => format!("  {:<8} {address}", "admin"),
        config::Admin::IfFree(address) => format!("  {:<8} {address}, if it is free", "admin"),
    });
    lines.push(match &config.tls {
        config::Tls::Off => format!("  {:<8} off", "tls"),
        config::Tls::Development => format!("  {:<8} a development certificate", "tls"),
        config::Tls::Files { cert, key } => {
            tls::CertificateFiles::open(cert, key).map_err(StartError::from)?;
            format!("  {:<8} {} and its key", "tls", cert.display())
        }
    });
    lines.push(match &config.data {
        config::Data::Memory => format!("  {:<8} in memory: it ends with the process", "data"),
        config::Data::Folder(folder) => {
            let found = store::inspect(folder).map_err(|error| ConfigError(error.to_string()))?;
            format!("  {:<8} {}: {found}", "data", folder.display())
        }
    });
    for realm in &config.realms {
        let vendors: Vec<&str> = config.at(realm).map(|(vendor, _)| vendor.name()).collect();
        lines.push(format!("  {:<8} {}: {}", "realm", realm.name, vendors.join(", ")));
    }
    lines.extend(config::warnings(config).into_iter().map(|warning| format!("  {:<8} {warning}", "warning")));
    Ok(format!("the configuration is good\n{}\n", lines.join("\n")))
}

/// Files of this process are readable by its user only.
fn private_files() {
    #[cfg(unix)]
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
}

fn serve(config: Config) -> Result<(), Failure> {
    let guard = logging::start(&config.log)?;
    let inherited = service::listeners()?;
    private_files();
    descriptors::raise();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(async {
        // before anything is printed, so that a caller who waits for the output may stop the process at once
        let mut signals = Signals::new()?;
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
    // requests that were cut off are still running
    runtime.shutdown_background();
    drop(guard);
    result
}

/// The meaning of a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signal {
    /// SIGHUP: read the certificate files again.
    Reload,
    /// SIGTERM and SIGINT: stop.
    End,
}

/// The signals that this process handles.
struct Signals {
    #[cfg(unix)]
    hangup: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let on = |kind| signal(kind);
        Ok(Self {
            hangup: on(SignalKind::hangup())?,
            terminate: on(SignalKind::terminate())?,
            interrupt: on(SignalKind::interrupt())?,
        })
    }

    #[cfg(not(unix))]
    #[allow(clippy::unnecessary_wraps, reason = "as on unix")]
    fn new() -> io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(unix)]
    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.hangup.recv() => Signal::Reload,
            _ = self.terminate.recv() => Signal::End,
            _ = self.interrupt.recv() => Signal::End,
        }
    }

    #[cfg(not(unix))]
    async fn next(&mut self) -> Signal {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(%error, "the handler for ctrl-c cannot be installed");
            std::future::pending::<()>().await;
        }
        Signal::End
    }
}

/// The text printed at the start: where clients connect, and the credentials if they are not secret.
fn greeting(running: &Running) -> String {
    let (config, addresses) = (&running.config, &running.addresses);
    let mut lines = vec![format!("conclave {} is listening on {}", env!("CARGO_PKG_VERSION"), addresses.shared)];
    for vendor in config.served.names() {
        if config.realms.iter().any(|realm| realm.is_at(vendor)) {
            lines.push(format!("  {vendor:<8} {}", clients::base_url(config, Some(addresses), vendor)));
        }
    }
    match addresses.admin {
        Some(address) => lines.push(format!("  {:<8} http://{address}/metrics /healthz /readyz", "admin")),
        None => lines.push(format!("  {:<8} off", "admin")),
    }
    lines.push(match &config.data {
        config::Data::Memory => format!("  {:<8} in memory: it ends with the process", "data"),
        config::Data::Folder(folder) => format!("  {:<8} {}", "data", folder.display()),
    });
    if let Some(authority) = &running.authority {
        lines.push(format!("  {:<8} clients are to trust {}", "tls", authority.display()));
    }
    lines.extend(running.remarks.iter().map(|remark| format!("  {:<8} {remark}", "note")));
    // the surfaces have been built already, so this cannot fail
    let endpoints = Gateway::endpoints(config).unwrap_or_default();
    for realm in &config.realms {
        let names = config.served.names().into_iter();
        let known: Vec<String> = names
            .filter(|vendor| config.dev_public || is_development(&config.served, realm, vendor))
            .filter_map(|vendor| {
                let pairs = clients::pairs(config, Some(addresses), realm, vendor)?;
                let endpoints = endpoints.get(vendor).map_or(&[][..], Vec::as_slice);
                Some(clients::answered(pairs, &clients::base_url(config, Some(addresses), vendor), endpoints))
            })
            .flatten()
            .map(|(key, value)| format!("  {key}={value}"))
            .collect();
        if !known.is_empty() {
            let whose = if config.dev_public {
                "random credentials until it ends"
            } else {
                "development credentials, which everybody knows"
            };
            lines.push(format!("realm {} has {whose}:", realm.name));
            lines.extend(known);
        }
    }
    lines.join("\n") + "\n"
}
