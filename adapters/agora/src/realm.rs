//! One app as this surface knows it.

use std::fmt;
use std::sync::Arc;

use conclave_core::model::{Millis, User};
use conclave_core::ports::{Groups, Log};
use conclave_kit::{Blobs, Presence, RateWindow, RenderedResponses, Room, Sealer, SetupError, check_secret};
use serde::Deserialize;
use uuid::Uuid;

use crate::auth::{ProvenTokens, Tokens};
use crate::dialect::links::Links;
use crate::rest::rendered::RenderedFrom;
use crate::settings::Settings;
use crate::socket::Names;
use crate::uploads::Uploads;

/// An app's identity and secrets at the vendor.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// The organisation: the first part of the app key and of every path.
    pub org: String,
    /// The app's name: the second part of the app key and of every path.
    pub app: String,
    /// The id with which app tokens are requested.
    pub client_id: String,
    /// The secret with which app tokens are requested. All tokens of the app are sealed with it.
    pub client_secret: String,
    /// The id for which `007` tokens are issued; without it they are not accepted.
    #[serde(default)]
    pub app_id: Option<String>,
    /// The certificate that `007` tokens are signed with.
    #[serde(default)]
    pub app_certificate: Option<String>,
}

/// Characters of a client secret: the vendor's are `YXA6` and 20 random bytes in base64 (its documentation's examples).
const CLIENT_SECRET: usize = 31;
/// Characters of an app certificate: 16 random bytes in hexadecimal (the vendor's token generators).
const APP_CERTIFICATE: usize = 32;

impl Credentials {
    /// Refuses an invalid identity, and a secret that is too weak.
    ///
    /// # Errors
    /// Says which key, what is wrong and what to do.
    pub fn check(&self) -> Result<(), String> {
        if self.org.is_empty() || self.app.is_empty() {
            return Err("agora org and app must not be empty".to_owned());
        }
        if [&self.org, &self.app].iter().any(|part| part.contains(['#', '/', '?']) || part.contains(char::is_control)) {
            return Err("agora org and app must hold none of # / ? and no control characters".to_owned());
        }
        if self.client_id.is_empty() {
            return Err("agora client_id must not be empty".to_owned());
        }
        check_secret("agora client_secret", &self.client_secret, CLIENT_SECRET)?;
        match (&self.app_id, &self.app_certificate) {
            (None, None) => Ok(()),
            (Some(id), Some(_)) if id.is_empty() => {
                Err("agora app_id is empty: set it, or leave out both app_id and app_certificate".to_owned())
            }
            (Some(_), Some(certificate)) => check_secret("agora app_certificate", certificate, APP_CERTIFICATE),
            _ => Err("agora app_id and app_certificate must be set together, or neither".to_owned()),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("org", &self.org)
            .field("app", &self.app)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// One app: its identity, settings and groups.
#[derive(Clone)]
pub struct AgoraRealm {
    /// The realm's name, for logs.
    pub name: String,
    /// The app's identity.
    pub credentials: Credentials,
    /// The settings of the vendor's console.
    pub settings: Settings,
    /// Its groups.
    pub groups: Arc<dyn Groups>,
    /// The event log.
    pub log: Arc<dyn Log>,
    /// The bytes of shared files.
    pub blobs: Arc<dyn Blobs>,
    /// Who is online.
    pub presence: Arc<dyn Presence>,
}

/// A realm with everything needed to serve it.
pub(crate) struct App {
    /// Its organisation.
    pub(crate) org: String,
    /// The realm's name.
    pub(crate) realm: Arc<str>,
    /// The app's name at the vendor.
    pub(crate) name: String,
    /// The vendor's opaque id of the app, derived from the app key.
    pub(crate) uuid: Uuid,
    pub(crate) credentials: Credentials,
    pub(crate) tokens: Tokens,
    /// Tokens that were verified before.
    pub(crate) proven: ProvenTokens,
    /// Signs URLs that expire.
    pub(crate) signer: Sealer,
    /// URLs of files that were sent through another vendor.
    pub(crate) links: Links,
    pub(crate) settings: Settings,
    pub(crate) groups: Arc<dyn Groups>,
    pub(crate) log: Arc<dyn Log>,
    pub(crate) blobs: Arc<dyn Blobs>,
    pub(crate) presence: Arc<dyn Presence>,
    /// Rate limit on messages to groups.
    pub(crate) rate: RateWindow<()>,
    /// Attachments that are being uploaded in parts.
    pub(crate) uploads: Uploads,
    /// Responses that are read often.
    pub(crate) rendered: RenderedResponses<RenderedFrom>,
}

/// The id of an app: the same for the same key.
fn app_id(key: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, key.as_bytes())
}

/// What seals and opens the tokens of an app.
pub(crate) fn tokens(credentials: &Credentials) -> Tokens {
    let key = format!("{}#{}", credentials.org, credentials.app);
    Tokens::new(app_id(&key), Sealer::new(credentials.client_secret.as_bytes(), &format!("agora token of {key}")))
}

impl App {
    pub(crate) fn new(realm: AgoraRealm) -> Result<Self, SetupError> {
        let AgoraRealm { name, credentials, settings, groups, log, blobs, presence } = realm;
        if let Err(problem) = credentials.check() {
            return Err(SetupError::Realm { realm: name, problem });
        }
        let key = format!("{}#{}", credentials.org, credentials.app);
        let uuid = app_id(&key);
        Ok(Self {
            org: credentials.org.clone(),
            realm: Arc::from(name.as_str()),
            name: credentials.app.clone(),
            uuid,
            tokens: tokens(&credentials),
            proven: ProvenTokens::new(),
            signer: Sealer::new(credentials.client_secret.as_bytes(), &format!("agora url of {key}")),
            links: Links::new(&credentials.org, &credentials.app, &credentials.client_secret),
            credentials,
            settings,
            groups,
            log,
            blobs,
            presence,
            rate: RateWindow::default(),
            uploads: Uploads::default(),
            rendered: RenderedResponses::default(),
        })
    }

    /// The app key: `org#app`.
    pub(crate) fn key(&self) -> String {
        format!("{}#{}", self.org, self.name)
    }

    /// Whether this is the app's id, as the vendor's newer paths have it.
    pub(crate) fn has_id(&self, id: &str) -> bool {
        self.credentials.app_id.as_deref() == Some(id)
    }

    /// Names in frames.
    pub(crate) fn names(&self) -> Names {
        Names::new(self.key())
    }

    pub(crate) fn now(&self) -> Millis {
        self.groups.now()
    }

    /// Whether this many messages to groups may be sent now, all of them or none.
    pub(crate) fn may_send(&self, messages: usize) -> bool {
        let most = self.settings.message_rate;
        most == 0 || self.rate.take(&(), self.now(), messages, most) == Room::Within
    }

    /// The vendor's opaque id of an account; an account that is created again has another.
    pub(crate) fn user_uuid(&self, user: &User) -> Uuid {
        Uuid::new_v5(&self.uuid, format!("{}/{}", user.created.0, user.id).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let credentials = Credentials {
            org: "acme".into(),
            app: "demo".into(),
            client_id: "id".into(),
            client_secret: "hush".into(),
            app_id: Some("app-id".into()),
            app_certificate: Some("cert".into()),
        };
        let shown = format!("{credentials:?}");
        assert!(!shown.contains("hush") && !shown.contains("cert"), "{shown}");
    }
}
