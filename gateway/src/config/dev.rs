//! The development realm, which is used when none is configured and whose secrets are public.

use rand::RngExt as _;
use toml::{Table, Value};

use crate::registry::Registered;
use crate::vendors::Vendors;

use super::{Config, ConfigError, RealmConfig};

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

/// The same with random credentials, generated at the start, and with the settings of production.
pub(super) fn random(vendors: &Vendors) -> Result<Table, ConfigError> {
    let mut tables = table(vendors)?;
    let realm = tables.get_mut("realm").and_then(|realms| realms.get_mut("dev")).and_then(Value::as_table_mut);
    for (vendor, section) in realm.into_iter().flatten() {
        let Some(section) = section.as_table_mut() else { continue };
        section.remove("settings");
        let Some(secret) = vendors.get(vendor).and_then(Registered::development_secret) else { continue };
        for (_, value) in section.iter_mut() {
            if value.as_str() == Some(&secret) {
                *value = Value::String(fresh(&secret));
            }
        }
    }
    Ok(tables)
}

/// The sections of a new realm at each vendor: the development ones, with random credentials.
///
/// # Errors
/// A vendor's development section is broken.
pub(crate) fn fresh_sections(vendors: &Vendors) -> Result<Table, ConfigError> {
    let mut sections = Table::new();
    for vendor in vendors.iter() {
        let broken = |error| ConfigError(format!("the development realm at {} is broken: {error}", vendor.name()));
        let mut section = vendor.development().map_err(broken)?;
        let secret = vendor.development_secret();
        for (key, value) in &mut section {
            if vendor.identity().contains(&key.as_str()) {
                *value = fresh_identity(value);
            } else if value.as_str().is_some() && value.as_str() == secret.as_deref() {
                *value = Value::String(fresh(secret.as_deref().unwrap_or_default()));
            }
        }
        sections.insert(vendor.name().to_owned(), Value::Table(section));
    }
    Ok(sections)
}

/// A random value that tells apps apart.
fn fresh_identity(like: &Value) -> Value {
    /// Characters of a text, so that two are never equal by chance.
    const LENGTH: usize = 13;
    /// Ids that follow the development one.
    const IDS: i64 = 500_000_000;
    match like {
        Value::Integer(number) => Value::Integer(number + rand::rng().random_range(1..=IDS)),
        other => {
            let length = other.as_str().map_or(0, str::len).max(LENGTH);
            Value::String(random_of(b"0123456789abcdefghijklmnopqrstuvwxyz", length))
        }
    }
}

/// A random text of these characters.
pub(crate) fn random_of(alphabet: &[u8], length: usize) -> String {
    let mut random = rand::rng();
    (0..length).map(|_| char::from(alphabet[random.random_range(..alphabet.len())])).collect()
}

/// A random text with the length and the kind of characters of this one.
fn fresh(like: &str) -> String {
    const HEX: &[u8] = b"0123456789abcdef";
    const ALPHANUMERIC: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let is_hex = like.bytes().all(|byte| HEX.contains(&byte));
    let alphabet = if is_hex { HEX } else { ALPHANUMERIC };
    random_of(alphabet, like.chars().count())
}

/// Whether the realm's secret at this vendor is the public one.
pub(crate) fn is_development(vendors: &Vendors, realm: &RealmConfig, vendor: &str) -> bool {
    let section = realm.sections.get(vendor).zip(vendors.get(vendor));
    section.is_some_and(|(section, vendor)| vendor.is_development(&**section))
}

/// Whether a realm has a public secret.
pub(crate) fn has_development_credentials(config: &Config) -> bool {
    let has = |realm: &RealmConfig| config.at(realm).any(|(vendor, section)| vendor.is_development(section));
    config.realms.iter().any(has)
}
