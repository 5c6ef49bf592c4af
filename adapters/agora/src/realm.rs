//! One app as this surface knows it.

use std::fmt;
use std::sync::Arc;

use conclave_core::model::{Millis, User};
use conclave_core::ports::{Groups, Log};
use conclave_kit::{Blobs, Clash, Presence, Sealer};
use serde::Deserialize;
use uuid::Uuid;

use crate::auth::Tokens;
use crate::pace::Pace;
use crate::settings::Settings;

/// An app's identity and secrets at the vendor.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// The organisation: the first part of the app key and of every path.
    pub org: String,
    /// The app's name: the second part of the app key and of every path.
    pub app: String,
    /// The id that app tokens are asked for with.
    pub client_id: String,
    /// The secret that app tokens are asked for with. All tokens of the app are sealed with it.
    pub client_secret: String,
    /// The id under which `007` tokens are issued; without it there are none.
    #[serde(default)]
    pub app_id: Option<String>,
    /// The certificate that `007` tokens are signed with.
    #[serde(default)]
    pub app_certificate: Option<String>,
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

/// One app: who it is, how it is set up, and its groups.
#[derive(Clone)]
pub struct Realm {
    /// The realm's name, for logs.
    pub name: String,
    /// Who the app is.
    pub credentials: Credentials,
    /// What the vendor makes a switch of its console.
    pub settings: Settings,
    /// Its groups.
    pub groups: Arc<dyn Groups>,
    /// What has happened in them.
    pub log: Arc<dyn Log>,
    /// The bytes of the files shared in them.
    pub blobs: Arc<dyn Blobs>,
    /// Who is online.
    pub presence: Arc<dyn Presence>,
}

/// Why the surface cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Two realms would answer the same paths.
    #[error("realms {first} and {second} have the same agora org and app; give one of them another org or app")]
    SameApp {
        /// The earlier realm.
        first: String,
        /// The later realm.
        second: String,
    },
    /// An identity or secret that cannot be served.
    #[error("realm {realm}: {what}")]
    Credentials {
        /// The realm.
        realm: String,
        /// What is wrong, and what to do.
        what: &'static str,
    },
    /// Two operations claim one route.
    #[error(transparent)]
    Clash(#[from] Clash),
}

/// A realm made ready to serve.
pub(crate) struct App {
    /// Its organisation.
    pub(crate) org: String,
    /// The app's name at the vendor.
    pub(crate) name: String,
    /// The vendor's opaque id of the app: the same for the same app key, for ever.
    pub(crate) uuid: Uuid,
    pub(crate) credentials: Credentials,
    pub(crate) tokens: Tokens,
    /// Signs URLs that are good for a while.
    pub(crate) signer: Sealer,
    pub(crate) settings: Settings,
    pub(crate) groups: Arc<dyn Groups>,
    pub(crate) log: Arc<dyn Log>,
    pub(crate) blobs: Arc<dyn Blobs>,
    pub(crate) presence: Arc<dyn Presence>,
    /// Of messages to groups.
    pub(crate) pace: Pace,
}

impl App {
    pub(crate) fn new(realm: Realm) -> Result<Self, SetupError> {
        let Realm { name, credentials, settings, groups, log, blobs, presence } = realm;
        let refuse = |what| Err(SetupError::Credentials { realm: name.clone(), what });
        if credentials.org.is_empty() || credentials.app.is_empty() {
            return refuse("agora org and app must not be empty");
        }
        if [&credentials.org, &credentials.app].iter().any(|part| part.contains(['#', '/', '?'])) {
            return refuse("agora org and app must hold none of # / ?");
        }
        if credentials.client_id.is_empty() || credentials.client_secret.is_empty() {
            return refuse("agora client_id and client_secret must not be empty");
        }
        if credentials.app_id.is_some() != credentials.app_certificate.is_some() {
            return refuse("agora app_id and app_certificate go together: set both or none");
        }
        let key = format!("{}#{}", credentials.org, credentials.app);
        let uuid = Uuid::new_v5(&Uuid::NAMESPACE_URL, key.as_bytes());
        let sealer = Sealer::new(credentials.client_secret.as_bytes(), &format!("agora token of {key}"));
        Ok(Self {
            org: credentials.org.clone(),
            name: credentials.app.clone(),
            uuid,
            tokens: Tokens::new(uuid, sealer),
            signer: Sealer::new(credentials.client_secret.as_bytes(), &format!("agora url of {key}")),
            credentials,
            settings,
            groups,
            log,
            blobs,
            presence,
            pace: Pace::default(),
        })
    }

    /// The app key: `org#app`.
    pub(crate) fn key(&self) -> String {
        format!("{}#{}", self.org, self.name)
    }

    pub(crate) fn now(&self) -> Millis {
        self.groups.now()
    }

    /// The vendor's opaque id of an account; an account made anew has another.
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
