//! The development realm, whose secrets everybody knows.

use crate::vendors::Vendor;

use super::{ConfigError, Realm};

/// The development realm as configuration.
const DEVELOPMENT: &str = include_str!("dev.toml");

/// The development realm's table, under `realm`.
pub(super) fn table() -> Result<toml::Table, ConfigError> {
    DEVELOPMENT.parse().map_err(|error| ConfigError(format!("the development realm is broken: {error}")))
}

/// Whether the realm's secret at this vendor is the one everybody knows.
pub fn is_development(realm: &Realm, vendor: Vendor) -> bool {
    let secret = match vendor {
        Vendor::Agora => realm.agora.as_ref().map(|(credentials, _)| credentials.client_secret.as_str()),
        Vendor::Tencent => realm.tencent.as_ref().map(|(credentials, _)| credentials.secret_key.as_str()),
        Vendor::Rong => realm.rong.as_ref().map(|(credentials, _)| credentials.app_secret.as_str()),
    };
    secret.is_some_and(|secret| known_secrets().any(|known| known == secret))
}

/// The values of the secret keys in the development realm.
fn known_secrets() -> impl Iterator<Item = &'static str> {
    DEVELOPMENT.lines().filter_map(|line| {
        let (key, value) = line.split_once(" = ")?;
        matches!(key, "client_secret" | "secret_key" | "app_secret").then(|| value.trim_matches('"'))
    })
}
