//! The configuration: file, environment and flags, checked together before anything starts.
//!
//! - [`file`]: the sections of the configuration file and their defaults.
//! - `env`: the variables that override keys.
//! - `address`: addresses as users write them; `shape`: checks keys and values against the reference.
//! - `load`: merges file, environment and flags; flags override the environment, which overrides the file.
//! - `check`: configurations that are refused before anything starts.
//! - `dev`: the realm that is used when none is configured.
//! - [`reference`]: the configuration's reference, generated from the sections.

pub(crate) mod address;
mod check;
mod dev;
mod env;
pub mod file;
mod load;
pub mod reference;
mod shape;
#[cfg(test)]
mod tests;

use std::any::Any;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

pub use address::{Address, AddressError};
pub(crate) use check::check_realm;
pub use check::{check, warnings};
pub(crate) use dev::{fresh_sections, has_development_credentials, is_development, random_of};
pub use file::{Limits, Log, RealmLimits, Traces, VendorSection};
pub(crate) use load::CONTROL_ON;
pub use load::{Flags, Sources};
pub(crate) use shape::check_realm_keys;

use conclave_kit::Vendor;

use crate::registry::{Registered, Section};
use crate::vendors::Vendors;

/// The checked configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// The address that all vendors share.
    pub listen: SocketAddr,
    /// Where data is stored.
    pub data: Data,
    /// The address of metrics and health.
    pub admin: Admin,
    /// The address of the control API.
    pub control: Admin,
    /// What requests to the control API must send as a bearer token, if anything.
    pub control_token: Option<ControlToken>,
    /// Host names of the control listener, in addition to addresses and `localhost`.
    pub control_hosts: Vec<String>,
    /// How clients reach the shared address, if not directly; without a trailing slash.
    pub public_url: Option<String>,
    /// Origins of web pages that may call.
    pub cors_origins: Vec<String>,
    /// Reverse proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Vec<String>,
    /// Host names of the admin listener, in addition to addresses and `localhost`.
    pub admin_hosts: Vec<String>,
    /// Whether, and how, connections are encrypted.
    pub tls: Tls,
    /// What is logged, and how.
    pub log: Log,
    /// Whether, and where to, traces are sent.
    pub traces: Traces,
    /// Limits of the process.
    pub limits: Limits,
    /// The vendors that are served.
    pub served: Vendors,
    /// The listener and host names on which this gateway serves one vendor only, by the vendor's name.
    pub vendors: BTreeMap<String, VendorSection>,
    /// The realms, in the order of their names.
    pub realms: Vec<RealmConfig>,
    /// Whether the development realm has new random credentials, so that other machines may reach it.
    pub dev_public: bool,
}

/// Where data is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// In memory: it is lost when the process ends.
    Memory,
    /// Stored in this folder.
    Folder(PathBuf),
}

/// The bearer token of the control API; not shown in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct ControlToken(pub String);

impl std::fmt::Debug for ControlToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ControlToken")
    }
}

/// The address of a listener for operators: metrics and health, or the control API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admin {
    /// None.
    Off,
    /// This one, or none when it is in use: it is only the default.
    IfFree(SocketAddr),
    /// This one; the start fails when it is in use.
    At(SocketAddr),
}

/// Whether, and how, connections are encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tls {
    /// They are not.
    Off,
    /// A certificate chain and a key from files.
    Files {
        /// The certificate and the intermediate ones, PEM.
        cert: PathBuf,
        /// Its key, PEM.
        key: PathBuf,
    },
    /// With a certificate of a local authority, which is created if necessary.
    Development,
}

/// One app: its credentials and settings at each vendor.
#[derive(Debug, Clone)]
pub struct RealmConfig {
    /// Its name, in logs and on disk.
    pub name: String,
    /// Limits over all vendors.
    pub limits: RealmLimits,
    /// Its sections by the vendor's name.
    pub(crate) sections: BTreeMap<&'static str, Box<dyn Section>>,
}

/// Why the configuration was refused. The text names the key, and says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

impl Config {
    /// The default configuration, with data in memory and the listeners for operators off.
    ///
    /// For tests and for embedding; listens on a free port.
    pub fn development() -> Result<Self, ConfigError> {
        Self::development_with(Vendors::standard())
    }

    /// The same with these vendors.
    pub fn development_with(vendors: Vendors) -> Result<Self, ConfigError> {
        let flags = Flags {
            listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
            memory: true,
            admin: Some("off".to_owned()),
            control: Some("off".to_owned()),
            ..Flags::default()
        };
        Self::load_with(vendors, &Sources { flags, ..Sources::default() })
    }

    /// Merges file, environment and flags, and checks the result.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        Self::load_with(Vendors::standard(), sources)
    }

    /// The same with these vendors.
    pub fn load_with(vendors: Vendors, sources: &Sources) -> Result<Self, ConfigError> {
        let config = load::load(vendors, sources)?;
        check(&config)?;
        Ok(config)
    }

    /// The vendors at which a realm has an app, in the order of their registration, with its sections there.
    pub(crate) fn at<'a>(
        &'a self,
        realm: &'a RealmConfig,
    ) -> impl DoubleEndedIterator<Item = (&'a dyn Registered, &'a dyn Section)> {
        self.served.iter().filter_map(|vendor| Some((vendor, &**realm.sections.get(vendor.name())?)))
    }

    /// A vendor's own settings, beyond those of the shared address.
    pub fn vendor(&self, vendor: &str) -> VendorSection {
        self.vendors.get(vendor).cloned().unwrap_or_default()
    }
}

impl RealmConfig {
    /// Whether it has an app at this vendor.
    pub fn is_at(&self, vendor: &str) -> bool {
        self.sections.contains_key(vendor)
    }

    /// Its section at a vendor, if it has one.
    pub fn section<V: Vendor>(&self) -> Option<&V::Section> {
        (&**self.sections.get(V::NAME)? as &dyn Any).downcast_ref()
    }

    /// The same, mutable.
    pub fn section_mut<V: Vendor>(&mut self) -> Option<&mut V::Section> {
        (&mut **self.sections.get_mut(V::NAME)? as &mut dyn Any).downcast_mut()
    }

    /// Removes it from every vendor except this one.
    pub fn only_at(&mut self, vendor: &str) {
        self.sections.retain(|name, _| *name == vendor);
    }
}
