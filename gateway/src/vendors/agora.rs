//! Agora Chat and Easemob.

use std::sync::Arc;

pub use conclave_agora::webhooks::WebhookSettings;
pub use conclave_agora::{Credentials, Settings};
use conclave_kit::{Destination, Surface};

use crate::config::Realm;

use super::{OpenRealm, section, socket_url};

section!(Credentials {
    org: String,
    app: String,
    client_id: String,
    client_secret: String,
    app_id: Option<String>,
    app_certificate: Option<String>,
});

/// The surface in front of the realms.
pub fn surface(realms: &[OpenRealm<'_>]) -> Result<Option<Arc<dyn Surface>>, String> {
    let realms = realms.iter().filter_map(|open| {
        let (credentials, settings) = open.realm.agora.clone()?;
        let name = open.realm.name.clone();
        let (groups, log, blobs) = (Arc::clone(&open.groups), Arc::clone(&open.log), Arc::clone(&open.blobs));
        let presence = Arc::clone(&open.presence);
        Some(conclave_agora::Realm { name, credentials, settings, groups, log, blobs, presence })
    });
    let surface = conclave_agora::Agora::new(realms.collect()).map_err(|error| error.to_string())?;
    Ok(Some(Arc::new(surface)))
}

/// Whom the realm's app tells.
pub fn destinations(realm: &Realm) -> Vec<Destination> {
    let Some((credentials, settings)) = &realm.agora else { return Vec::new() };
    conclave_agora::webhooks::destinations(credentials, settings, &realm.webhooks.agora)
}

/// What a client is given to come here.
pub fn client_settings(credentials: &Credentials, base: &str) -> Vec<(&'static str, String)> {
    vec![
        ("AGORA_API_URL", base.to_owned()),
        ("AGORA_WS_URL", format!("{}/websocket", socket_url(base))),
        ("AGORA_SOCKJS_URL", format!("{base}/ws")),
        ("AGORA_APPKEY", format!("{}#{}", credentials.org, credentials.app)),
        ("AGORA_CLIENT_ID", credentials.client_id.clone()),
        ("AGORA_CLIENT_SECRET", credentials.client_secret.clone()),
    ]
}
