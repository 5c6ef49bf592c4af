//! `RongCloud`.

use std::sync::Arc;

use conclave_kit::{Destination, Surface};
pub use conclave_rong::webhooks::WebhookSettings;
pub use conclave_rong::{Credentials, Settings};

use crate::config::Realm;

use super::{OpenRealm, section};

section!(Credentials { app_key: String, app_secret: String });

/// The surface in front of the realms.
pub fn surface(realms: &[OpenRealm<'_>]) -> Result<Option<Arc<dyn Surface>>, String> {
    let realms = realms.iter().filter_map(|open| {
        let (credentials, settings) = open.realm.rong.clone()?;
        let name = open.realm.name.clone();
        let (groups, log) = (Arc::clone(&open.groups), Arc::clone(&open.log));
        let presence = Arc::clone(&open.presence);
        Some(conclave_rong::Realm { name, credentials, settings, groups, log, presence })
    });
    let surface = conclave_rong::Rong::new(realms.collect()).map_err(|error| error.to_string())?;
    Ok(Some(Arc::new(surface)))
}

/// Whom the realm's app tells.
pub fn destinations(realm: &Realm) -> Vec<Destination> {
    let Some((credentials, _)) = &realm.rong else { return Vec::new() };
    conclave_rong::webhooks::destinations(credentials, &realm.webhooks.rong)
}

/// What a client is given to come here.
pub fn client_settings(credentials: &Credentials, base: &str) -> Vec<(&'static str, String)> {
    vec![
        ("RONG_API", base.to_owned()),
        ("RONG_NAVI", base.to_owned()),
        ("RONG_APPKEY", credentials.app_key.clone()),
        ("RONG_APPSECRET", credentials.app_secret.clone()),
    ]
}
