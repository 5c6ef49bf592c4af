//! The arguments of the command line, and the texts of its help.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::Failure;
use crate::clients::Format;
use crate::config::{self, Address, CONTROL_ON, Config, ConfigError, Flags, Sources};
use crate::vendors::Vendors;

/// Chat groups that exist once and are reached through several chat vendors' own APIs.
#[derive(Debug, Parser)]
#[command(name = "conclave", version, about, args_conflicts_with_subcommands = true)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    #[command(flatten)]
    pub(super) serve: ServeArgs,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
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
    /// Print the settings for a vendor's clients, of the running gateway if its control API answers, otherwise of the
    /// configuration. URLs are printed only if they are served.
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
    /// Print the completions of a shell, e.g. `conclave completions bash > /etc/bash_completion.d/conclave`.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page, e.g. `conclave man | man -l -`.
    Man {
        /// That of one command.
        command: Option<String>,
    },
    /// Print the reference of the configuration: docs/configuration.md.
    ConfigReference,
}

#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "flags of the command line")]
pub(super) struct ServeArgs {
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
    /// The address of the control API, or off [default: 127.0.0.1:9091 with the development realm].
    #[arg(long, value_name = "ADDR|off", num_args = 0..=1, default_missing_value = CONTROL_ON)]
    control: Option<String>,
    /// Serve the development realm to other machines, with random credentials [listens on 0.0.0.0:8080 by default].
    #[arg(long)]
    pub(super) dev_public: bool,
    /// Stop when standard input is closed: a gateway that a test starts ends with the test, however that ends.
    #[arg(long)]
    pub(super) until_stdin_closes: bool,
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
pub(super) struct FolderArgs {
    /// The configuration file (TOML) that names the data folder. Not read when --data is given.
    #[arg(long, value_name = "FILE", env = "CONCLAVE_CONFIG")]
    config: Option<PathBuf>,
    /// The data folder [default: the configured one, or conclave-data].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl FolderArgs {
    pub(super) fn find(self, vendors: &Vendors) -> Result<PathBuf, Failure> {
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
            control: None,
            dev_public: false,
            until_stdin_closes: false,
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
pub(super) struct ToolArgs {
    /// The user whose credential is made.
    pub(super) user: Option<String>,
    /// Lifetime, in seconds.
    #[arg(long)]
    pub(super) expire: Option<u64>,
    /// The realm; required when there are several.
    #[arg(long)]
    pub(super) realm: Option<String>,
    #[command(flatten)]
    pub(super) serve: ServeArgs,
}

impl ServeArgs {
    /// Whether an address is given, so that a gateway is meant that may not run yet.
    pub(super) fn names_address(&self) -> bool {
        self.listen.is_some()
    }

    pub(super) fn load(self, vendors: &Vendors) -> Result<Config, ConfigError> {
        let Self { config, listen, data, memory, dev_tls, admin, control, dev_public, until_stdin_closes: _ } = self;
        let listen = listen.map(|address| address.0);
        let flags = Flags { listen, data, memory, dev_tls, admin, control, dev_public };
        // variables that are not Unicode are ignored: all our names are
        let environment =
            std::env::vars_os().filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)));
        Config::load_with(vendors.clone(), &Sources { file: config, environment: environment.collect(), flags })
    }
}
