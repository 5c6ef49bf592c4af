//! What the process is told: file, environment, flags, checked together before anything starts.
//!
//! - [`file`]: the sections of the configuration file and their defaults.
//! - `env`: which variable overrides which key.
//! - `address`: addresses as people write them; `shape`: keys and values compared with the reference.
//! - `load`: file, environment and flags put together; flags win over environment, environment over file.
//! - `check`: what is refused before anything starts.
//! - `dev`: the realm there is when none is configured.
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
pub use check::{check, warnings};
pub(crate) use dev::{has_development_credentials, is_development};
pub use file::{Limits, Log, RealmLimits, VendorSection};
pub use load::{Flags, Sources};

use conclave_kit::Vendor;

use crate::registry::{Registered, Section};
use crate::vendors::Vendors;

/// Everything the process is told, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// The address all vendors share.
    pub listen: SocketAddr,
    /// Where data is kept.
    pub data: Data,
    /// Where metrics and health are told.
    pub admin: Admin,
    /// How clients reach the shared address, when not directly; without a trailing slash.
    pub public_url: Option<String>,
    /// Origins of web pages that may call.
    pub cors_origins: Vec<String>,
    /// Reverse proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<String>,
    /// Host names of the admin listener, beside addresses and `localhost`.
    pub admin_hosts: Vec<String>,
    /// Whether, and with what, connections are encrypted.
    pub tls: Tls,
    /// What is logged, and how.
    pub log: Log,
    /// Limits of the process.
    pub limits: Limits,
    /// The vendors that are served.
    pub served: Vendors,
    /// Vendors' own addresses and host names, by the vendor's name.
    pub vendors: BTreeMap<String, VendorSection>,
    /// The realms, in the order of their names.
    pub realms: Vec<Realm>,
    /// Whether the development realm has fresh random credentials, so that it may be reached from other machines.
    pub dev_public: bool,
}

/// Where data is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// Nowhere: it ends with the process.
    Memory,
    /// In this folder.
    Folder(PathBuf),
}

/// Where metrics and health are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admin {
    /// Nowhere.
    Off,
    /// Here, or nowhere when the address is taken: nobody asked for it.
    IfFree(SocketAddr),
    /// Here; start-up fails when the address is taken.
    At(SocketAddr),
}

/// Whether, and with what, connections are encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tls {
    /// They are not.
    Off,
    /// With this chain and key.
    Files {
        /// The certificate and those that vouch for it, PEM.
        cert: PathBuf,
        /// Its key, PEM.
        key: PathBuf,
    },
    /// With a certificate of a local authority that is made when there is none.
    Development,
}

/// One app: its credentials and settings at each vendor.
#[derive(Debug, Clone)]
pub struct Realm {
    /// Its name, in logs and on disk.
    pub name: String,
    /// Limits over all vendors.
    pub limits: RealmLimits,
    /// Its sections by the vendor's name.
    pub(crate) sections: BTreeMap<&'static str, Box<dyn Section>>,
}

/// Why the configuration was not taken. The text says which key, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

impl Config {
    /// The configuration there is when nothing is configured, with data in memory and the admin listener off.
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
            ..Flags::default()
        };
        Self::load_with(vendors, &Sources { flags, ..Sources::default() })
    }

    /// Puts file, environment and flags together, and checks the whole.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        Self::load_with(Vendors::standard(), sources)
    }

    /// The same with these vendors.
    pub fn load_with(vendors: Vendors, sources: &Sources) -> Result<Self, ConfigError> {
        let config = load::load(vendors, sources)?;
        check(&config)?;
        Ok(config)
    }

    /// The vendors a realm is at, in the order of their registration, with its sections there.
    pub(crate) fn at<'a>(
        &'a self,
        realm: &'a Realm,
    ) -> impl DoubleEndedIterator<Item = (&'a dyn Registered, &'a dyn Section)> {
        self.served.iter().filter_map(|vendor| Some((vendor, &**realm.sections.get(vendor.name())?)))
    }

    /// What a vendor was given, beyond its place on the shared address.
    pub fn vendor(&self, vendor: &str) -> VendorSection {
        self.vendors.get(vendor).cloned().unwrap_or_default()
    }
}

impl Realm {
    /// Whether it is at this vendor.
    pub fn is_at(&self, vendor: &str) -> bool {
        self.sections.contains_key(vendor)
    }

    /// Its section at a vendor, when it is there.
    pub fn section<V: Vendor>(&self) -> Option<&V::Section> {
        (&**self.sections.get(V::NAME)? as &dyn Any).downcast_ref()
    }

    /// The same, to be changed.
    pub fn section_mut<V: Vendor>(&mut self) -> Option<&mut V::Section> {
        (&mut **self.sections.get_mut(V::NAME)? as &mut dyn Any).downcast_mut()
    }

    /// Takes it from every vendor but this one.
    pub fn only_at(&mut self, vendor: &str) {
        self.sections.retain(|name, _| *name == vendor);
    }
}
