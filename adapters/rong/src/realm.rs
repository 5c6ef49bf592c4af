//! One app at the vendor: its credentials, its settings, its groups.

use std::fmt;
use std::sync::Arc;

use conclave_core::ports::{Groups, Log};
use conclave_kit::{Presence, RenderedResponses, SetupError, check_secret};
use serde::Deserialize;

use crate::Settings;
use crate::auth::replay::{CallbackNonces, ReplayGuard};
use crate::auth::token::Tokens;
use crate::dialect::limits;
use crate::rest::RenderedFrom;

/// The credentials of an app in the vendor's console.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// The app's id.
    pub app_key: String,
    /// Signs its calls.
    pub app_secret: String,
}

/// Fewest characters of an app secret. The vendor documents no length; those in its SDKs and examples have 11 to 14.
const APP_SECRET: usize = 10;

impl Credentials {
    /// Refuses an invalid identity, and a secret that is too weak.
    ///
    /// # Errors
    /// Says which key, what is wrong and what to do.
    pub fn check(&self) -> Result<(), String> {
        if self.app_key.is_empty() || self.app_key.contains(char::is_control) {
            return Err("rong app_key must not be empty and hold no control characters: set it".to_owned());
        }
        check_secret("rong app_secret", &self.app_secret, APP_SECRET)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("app_key", &self.app_key).finish_non_exhaustive()
    }
}

/// One realm as this vendor's surface knows it.
#[derive(Clone)]
pub struct RongRealm {
    /// The realm's name in the configuration.
    pub name: String,
    /// Its credentials.
    pub credentials: Credentials,
    /// Its settings.
    pub settings: Settings,
    /// Its groups.
    pub groups: Arc<dyn Groups>,
    /// The event log.
    pub log: Arc<dyn Log>,
    /// Who is online.
    pub presence: Arc<dyn Presence>,
}

/// A realm with everything needed to serve it.
pub(crate) struct App {
    pub(crate) realm: RongRealm,
    /// The realm's name, for callers who share it.
    pub(crate) realm_name: Arc<str>,
    pub(crate) tokens: Tokens,
    pub(crate) callback_nonces: CallbackNonces,
    pub(crate) replay_guard: ReplayGuard,
    /// Responses that are read often.
    pub(crate) rendered: RenderedResponses<RenderedFrom>,
}

impl App {
    pub(crate) fn new(realm: RongRealm) -> Result<Self, SetupError> {
        let Credentials { app_key, app_secret } = &realm.credentials;
        if let Err(problem) = realm.credentials.check().and_then(|()| check(&realm.settings)) {
            return Err(SetupError::Realm { realm: realm.name, problem });
        }
        let tokens = Tokens::new(app_key, app_secret, realm.settings.token_lifetime);
        let callback_nonces = CallbackNonces::new(&realm.credentials);
        let replay_guard = ReplayGuard::new(&realm.settings);
        let realm_name = Arc::from(realm.name.as_str());
        let rendered = RenderedResponses::default();
        Ok(Self { realm, realm_name, tokens, callback_nonces, replay_guard, rendered })
    }
}

/// Host, port and path of a WebSocket's URL, and whether it is over TLS.
pub(crate) fn web_address(url: &str) -> Option<(&str, bool)> {
    let (address, secure) = match url.strip_prefix("wss://") {
        Some(address) => (address, true),
        None => (url.strip_prefix("ws://")?, false),
    };
    let address = address.trim_end_matches('/');
    let plain = !address.is_empty() && !address.starts_with('/') && !address.contains(['?', '#', ' ', '@']);
    plain.then_some((address, secure))
}

/// Most signatures of calls that are stored: some 100 MB.
const MOST_REMEMBERED: usize = 1_000_000;

fn check(settings: &Settings) -> Result<(), String> {
    if settings.remembered_signatures > MOST_REMEMBERED {
        return Err(format!("rong remembered_signatures must be at most {MOST_REMEMBERED}"));
    }
    if let Some(key) = settings.ext_keys.iter().find(|key| !limits::is_ext_key(key)) {
        return Err(format!(
            "rong ext_keys: {key:?} must begin with ext_, hold letters, digits and _ only, and be at most {} characters",
            limits::EXT_KEY
        ));
    }
    if settings.ext_keys.len() > limits::EXT_PAIRS {
        return Err(format!("rong ext_keys: at most {} keys", limits::EXT_PAIRS));
    }
    if http::StatusCode::from_u16(settings.status_254xx).is_err() {
        return Err("rong status_254xx must be an http status, e.g. 400".to_owned());
    }
    if let Some(address) = &settings.moved_to
        && web_address(address).is_none()
    {
        return Err(format!(
            "rong moved_to: {address:?} must be ws:// or wss:// with a host, e.g. wss://chat.example.com/rong"
        ));
    }
    if settings.utc_offset_minutes.abs() > 14 * 60 {
        return Err("rong utc_offset_minutes must be within 840 either way".to_owned());
    }
    Ok(())
}
