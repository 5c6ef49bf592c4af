//! Tencent Chat.

use std::sync::Arc;

use conclave_kit::Surface;
pub use conclave_tencent::{Credentials, Settings};

use super::{OpenRealm, section, socket_url};

conclave_kit::settings! {
    /// Nothing can be set yet.
    pub struct WebhookSettings {}
}

section!(Credentials {
    sdkappid: u32,
    secret_key: String,
    admins: Vec<String>,
});

/// The surface in front of the realms.
pub fn surface(realms: &[OpenRealm<'_>]) -> Result<Option<Arc<dyn Surface>>, String> {
    let realms = realms.iter().filter_map(|open| {
        let (credentials, settings) = open.realm.tencent.clone()?;
        let name = open.realm.name.clone();
        Some(conclave_tencent::Realm { name, credentials, settings, groups: Arc::clone(&open.groups) })
    });
    let surface = conclave_tencent::Tencent::new(realms.collect()).map_err(|error| error.to_string())?;
    Ok(Some(Arc::new(surface)))
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
