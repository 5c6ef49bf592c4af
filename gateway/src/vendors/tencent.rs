//! Tencent Chat.

use std::sync::Arc;

use conclave_kit::{Destination, Surface};
pub use conclave_tencent::webhooks::WebhookSettings;
pub use conclave_tencent::{Credentials, Settings};

use crate::config::Realm;

use super::{OpenRealm, section, socket_url};

section!(Credentials {
    sdkappid: u32,
    secret_key: String,
    admins: Vec<String>,
});

/// The surface in front of the realms.
pub fn surface(realms: &[OpenRealm<'_>]) -> Result<Option<Arc<dyn Surface>>, String> {
    let apps = realms.iter().filter_map(|open| {
        let (credentials, settings) = open.realm.tencent.clone()?;
        let name = open.realm.name.clone();
        let (groups, presence) = (Arc::clone(&open.groups), Arc::clone(&open.presence));
        Some(conclave_tencent::Realm { name, credentials, settings, groups, presence })
    });
    let mut surface = conclave_tencent::Tencent::new(apps.collect()).map_err(|error| error.to_string())?;
    for OpenRealm { realm, post, .. } in realms {
        let (Some((credentials, _)), Some(post)) = (&realm.tencent, post) else { continue };
        surface = surface.asking(credentials.sdkappid, realm.webhooks.tencent.clone(), Arc::clone(post));
    }
    Ok(Some(Arc::new(surface)))
}

/// Whom the realm's app tells.
pub fn destinations(realm: &Realm) -> Vec<Destination> {
    let Some((credentials, settings)) = &realm.tencent else { return Vec::new() };
    conclave_tencent::webhooks::destinations(credentials, settings, &realm.webhooks.tencent)
}

/// What a client is given to come here.
pub fn client_settings(credentials: &Credentials, base: &str) -> Vec<(&'static str, String)> {
    vec![
        ("TENCENT_API_URL", base.to_owned()),
        ("TENCENT_WS_URL", socket_url(base)),
        ("TENCENT_SDKAPPID", credentials.sdkappid.to_string()),
        ("TENCENT_SECRET_KEY", credentials.secret_key.clone()),
        ("TENCENT_ADMIN", credentials.admins.first().cloned().unwrap_or_default()),
    ]
}
