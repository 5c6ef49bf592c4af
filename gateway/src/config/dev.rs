//! The development realm, whose secrets everybody knows: there is one when none is configured.

use toml::{Table, Value};

use crate::vendors::Vendors;

use super::{Config, ConfigError, Realm};

/// The development realm's table, under `realm`.
pub(super) fn table(vendors: &Vendors) -> Result<Table, ConfigError> {
    let mut realm = Table::new();
    for vendor in vendors.iter() {
        let broken = |error| ConfigError(format!("the development realm at {} is broken: {error}", vendor.name()));
        realm.insert(vendor.name().to_owned(), Value::Table(vendor.development().map_err(broken)?));
    }
    let dev = Table::from_iter([("dev".to_owned(), Value::Table(realm))]);
    Ok(Table::from_iter([("realm".to_owned(), Value::Table(dev))]))
}

/// Whether the realm's secret at this vendor is the one everybody knows.
pub(crate) fn is_development(vendors: &Vendors, realm: &Realm, vendor: &str) -> bool {
    let section = realm.sections.get(vendor).zip(vendors.get(vendor));
    section.is_some_and(|(section, vendor)| vendor.is_development(&**section))
}

/// Whether some realm has a secret that everybody knows.
pub(crate) fn has_development_credentials(config: &Config) -> bool {
    let has = |realm: &Realm| config.at(realm).any(|(vendor, section)| vendor.is_development(section));
    config.realms.iter().any(has)
}
