//! One app at the vendor: its credentials, its settings, its groups.

use std::fmt;
use std::sync::Arc;

use conclave_core::model::GroupId;
use conclave_core::ports::{Groups, Log};
use conclave_kit::{Blobs, Presence, RateWindow, RenderedResponses, Sealer, SetupError, check_secret};
use serde::Deserialize;

use crate::Settings;
use crate::auth::Verifier;
use crate::calls::{RenderedFrom, WatchedRooms};
use crate::dialect::limits;
use crate::uploads::Uploads;
use crate::webhooks::{self, Questions};

/// The credentials of an app in the vendor's console.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// The app's id.
    pub sdkappid: u32,
    /// The key that signs, as text: the hexadecimal digits themselves are the key.
    pub secret_key: String,
    /// The accounts that may call the server API.
    pub admins: Vec<String>,
}

/// Characters of a secret key: 32 random bytes in hexadecimal (the vendor's signature generators).
const SECRET_KEY: usize = 64;

impl Credentials {
    /// Refuses an invalid identity, and a key that is too weak.
    ///
    /// # Errors
    /// Says which key, what is wrong and what to do.
    pub fn check(&self) -> Result<(), String> {
        if self.sdkappid == 0 {
            return Err("tencent sdkappid must not be 0".to_owned());
        }
        check_secret("tencent secret_key", &self.secret_key, SECRET_KEY)?;
        if let Some(admin) = self.admins.iter().find(|admin| !limits::is_account(admin)) {
            return Err(format!("tencent admins: {admin:?} must be 1 to {} bytes", limits::ACCOUNT));
        }
        Ok(())
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("sdkappid", &self.sdkappid)
            .field("admins", &self.admins)
            .finish_non_exhaustive()
    }
}

/// One realm as this vendor's surface knows it.
#[derive(Clone)]
pub struct TencentRealm {
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
    /// The bytes of files.
    pub blobs: Arc<dyn Blobs>,
    /// Who is online.
    pub presence: Arc<dyn Presence>,
}

/// A realm with everything needed to serve it.
pub(crate) struct App {
    pub(crate) realm: TencentRealm,
    /// The realm's name, for callers who share it.
    pub(crate) realm_name: Arc<str>,
    pub(crate) signatures: Verifier,
    /// The messages of its groups in the current second.
    pub(crate) rate: RateWindow<GroupId>,
    /// Asks the app's server, if configured.
    pub(crate) questions: Option<Questions>,
    /// Seals the keys that signed-in clients send with each request.
    pub(crate) client_keys: Sealer,
    /// Seals the keys with which visitors watch a live room.
    pub(crate) visitor_keys: Sealer,
    /// What visitors see of live rooms.
    pub(crate) rooms: WatchedRooms,
    /// The addresses of files that messages refer to.
    pub(crate) uploads: Uploads,
    /// Responses that are read often.
    pub(crate) rendered: RenderedResponses<RenderedFrom>,
}

impl App {
    pub(crate) fn new(realm: TencentRealm, questions: Option<Questions>) -> Result<Self, SetupError> {
        if let Err(problem) = realm.credentials.check().and_then(|()| check_settings(&realm.settings)) {
            return Err(SetupError::Realm { realm: realm.name, problem });
        }
        let signatures = Verifier::new(realm.credentials.sdkappid, &realm.credentials.secret_key);
        let sealer = |purpose| sealer(&realm.credentials, purpose);
        let (client_keys, visitor_keys) = (sealer("client"), sealer("visitor"));
        let uploads = Uploads::new(sealer("upload"), sealer("file"));
        let realm_name = Arc::from(realm.name.as_str());
        let rate = RateWindow::default();
        Ok(Self {
            realm,
            realm_name,
            signatures,
            rate,
            questions,
            client_keys,
            visitor_keys,
            rooms: WatchedRooms::default(),
            uploads,
            rendered: RenderedResponses::default(),
        })
    }

    /// The account that acts for the app if none is named.
    pub(crate) fn admin(&self) -> &str {
        webhooks::admin(&self.realm.credentials)
    }

    /// Whether this account may call the server API.
    pub(crate) fn is_admin(&self, account: &str) -> bool {
        self.realm.credentials.admins.iter().any(|admin| admin == account)
    }
}

fn sealer(credentials: &Credentials, purpose: &str) -> Sealer {
    Sealer::new(credentials.secret_key.as_bytes(), &format!("tencent {purpose} key of {}", credentials.sdkappid))
}

fn check_settings(settings: &Settings) -> Result<(), String> {
    for (name, keys, most) in [
        ("group_keys", &settings.group_keys, limits::GROUP_KEYS),
        ("member_keys", &settings.member_keys, limits::MEMBER_KEYS),
    ] {
        if keys.len() > most {
            return Err(format!("tencent {name}: at most {most} keys"));
        }
        if let Some(key) = keys.iter().find(|key| !limits::is_custom_key(key)) {
            return Err(format!(
                "tencent {name}: {key:?} must be 1 to {} letters, digits or _, and not begin with a digit",
                limits::CUSTOM_KEY
            ));
        }
    }
    if settings.member_limit == 0 || settings.community_member_limit == 0 {
        return Err("tencent member limits must be at least 1".to_owned());
    }
    Ok(())
}
