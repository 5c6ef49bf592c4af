//! Signing in: by a signature, or by the key (`A2Key`) that was returned for one before.
//!
//! A key holds the claims of the signature, sealed. So it is valid as long as the signature, over any number of
//! connections, and is not stored. The key of a client that polls also names the client, whose requests have nothing
//! else in common.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use conclave_core::event::Actor;
use conclave_core::model::{User, UserId};
use conclave_core::operation::{NewUser, OnExisting, RegisterUsers};
use conclave_core::ports::GroupsExt as _;
use conclave_core::query::FindUsers;
use conclave_kit::{BoxFuture, Device, DisconnectReason};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::frame::Head;
use crate::VENDOR;
use crate::auth::Claims;
use crate::calls::{FEATURES, kicked_at};
use crate::dialect::{limits, tiny_id};
use crate::realm::App;
use crate::refusals::{Code, Failure, Family};

/// A user who has signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Login {
    pub(super) user: UserId,
    /// The key that the client sends with each request.
    pub(super) key: String,
    claims: Claims,
    /// Of a client that polls.
    polling: Option<PollingClient>,
}

/// A client that polls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct PollingClient {
    /// Its device.
    device: String,
    /// The number of the last event when it signed in: later ones are pushed to it.
    began: u64,
}

/// The content of a client's key.
#[derive(Serialize, Deserialize)]
struct Sealed {
    #[serde(flatten)]
    claims: Claims,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    polling: Option<PollingClient>,
}

impl Login {
    /// The user.
    pub(crate) fn user(&self) -> &UserId {
        &self.user
    }

    /// The device of a client that polls.
    pub(crate) fn polling_device(&self) -> Option<Device> {
        self.polling.as_ref().map(|client| Device::new(VENDOR, &*client.device))
    }

    /// The event after which everything is pushed to a client that polls.
    pub(crate) fn began(&self) -> u64 {
        self.polling.as_ref().map_or(0, |client| client.began)
    }

    /// The reply to a sign-in. `hello` is the interval of heartbeats, in seconds.
    pub(crate) fn welcome(&self, device: &Device, hello: u32, now: u64) -> Value {
        json!({
            "ActionStatus": "OK",
            "ErrorCode": 0,
            "ErrorInfo": "",
            "A2Key": self.key,
            "TinyId": tiny_id::of(&self.user),
            "InstId": instance(device),
            "HelloInterval": hello,
            "TimeStamp": now,
            "CustomStatus": "",
            "PurchaseBits": FEATURES,
            "RichMsgAuthKey": "",
        })
    }
}

/// The number of a client among its user's; never 0, which has another meaning to clients.
fn instance(device: &Device) -> u64 {
    let mut hasher = DefaultHasher::new();
    device.id.hash(&mut hasher);
    hasher.finish() % 1_000_000 + 1000
}

/// Signs in a client that polls, by a signature.
pub(crate) async fn sign_in_polling(app: &App, identifier: &str, usersig: &str) -> Result<Login, Failure> {
    let began = app.realm.log.last().await.map_err(|refusal| Family::Accounts.failure(&refusal))?;
    let client = PollingClient { device: Uuid::new_v4().simple().to_string(), began };
    by_signature(app, identifier, usersig, Some(client)).await
}

/// The device that a key of a client that polls names, if the key is genuine and has not expired. Whether its account may
/// still sign in is not checked.
pub(super) fn polling_device(app: &App, key: &str) -> Result<Device, Code> {
    let sealed = open(app, key)?;
    sealed.claims.check_time(app.realm.groups.now())?;
    let client = sealed.polling.ok_or(Code::SigExpired)?;
    Ok(Device::new(VENDOR, client.device))
}

fn open(app: &App, key: &str) -> Result<Sealed, Code> {
    let json = app.client_keys.open(key).ok_or(Code::SigExpired)?;
    serde_json::from_slice(&json).map_err(|_| Code::SigExpired)
}

/// Signs in by the signature of a request, or by its key. An account is created for a user without one, as at the
/// vendor.
pub(super) async fn sign_in(app: &App, head: &Head) -> Result<Login, Failure> {
    if !head.a2.is_empty() {
        return by_key(app, head).await;
    }
    by_signature(app, &head.identifier, &head.usersig, None).await
}

async fn by_signature(
    app: &App,
    identifier: &str,
    usersig: &str,
    polling: Option<PollingClient>,
) -> Result<Login, Failure> {
    let claims = app.signatures.verify(usersig, identifier, app.realm.groups.now())?;
    let identifier = Some(claims.identifier()).filter(|identifier| limits::is_one_id(identifier));
    let user = identifier.and_then(|identifier| UserId::new(identifier).ok()).ok_or(Code::AccountParameter)?;
    let account = match find(app, &user).await? {
        Some(account) => account,
        None => register(app, &user, &claims).await?,
    };
    check(app, &claims, &account)?;
    let sealed = Sealed { claims: Claims::clone(&claims), polling };
    let json = serde_json::to_vec(&sealed).map_err(|_| Code::AccountInternal)?;
    let key = app.client_keys.seal(&json);
    Ok(Login { user, key, claims: sealed.claims, polling: sealed.polling })
}

/// The user of a key: every request is authenticated by its own key, whatever its connection.
pub(crate) async fn by_key(app: &App, head: &Head) -> Result<Login, Failure> {
    let Sealed { claims, polling } = open(app, &head.a2)?;
    claims.check_time(app.realm.groups.now())?;
    let user = UserId::new(claims.identifier()).map_err(|_| Code::SigExpired)?;
    if !head.tinyid.is_empty() && head.tinyid != tiny_id::of(&user) {
        return Err(Code::SigExpired.into());
    }
    // a key does not re-create an account that was deleted
    let account = find(app, &user).await?.ok_or(Code::SigExpired)?;
    check(app, &claims, &account)?;
    Ok(Login { user, key: head.a2.clone(), claims, polling })
}

/// What a connection keeps of its login. There are many connections, and most of them wait most of the time.
pub(super) struct Kept {
    pub(super) user: UserId,
    claims: Claims,
    /// A hash of the key: it only finds out whether a request is of this login, whose user has proved who they are. With
    /// any other key a request is authenticated by that.
    key: u64,
}

impl Kept {
    pub(super) fn of(login: &Login) -> Self {
        Self { user: login.user.clone(), claims: login.claims.clone(), key: hash(&login.key) }
    }

    /// Whether this is the login's key.
    pub(super) fn has_key(&self, key: &str) -> bool {
        hash(key) == self.key
    }

    /// Why the user may not stay signed in, if so.
    pub(super) fn recheck(&self, app: Arc<App>) -> BoxFuture<'static, Option<DisconnectReason>> {
        Box::pin(recheck(app, self.user.clone(), self.claims.clone()))
    }
}

fn hash(key: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

impl Login {
    /// Why the user may not stay signed in, if so.
    pub(super) fn recheck(&self, app: Arc<App>) -> BoxFuture<'static, Option<DisconnectReason>> {
        Box::pin(recheck(app, self.user.clone(), self.claims.clone()))
    }
}

async fn recheck(app: Arc<App>, user: UserId, claims: Claims) -> Option<DisconnectReason> {
    if claims.check_time(app.realm.groups.now()).is_err() {
        return Some(DisconnectReason::TokenExpired);
    }
    match find(&app, &user).await {
        Ok(None) => Some(DisconnectReason::AccountDeleted),
        Ok(Some(account)) if !account.active => Some(DisconnectReason::Deactivated),
        Ok(Some(account)) => check(&app, &claims, &account).is_err().then_some(DisconnectReason::TokenExpired),
        Err(failure) => {
            tracing::error!(why = %failure.text, "a client's signature could not be checked again; the connection is kept");
            None
        }
    }
}

async fn find(app: &App, user: &UserId) -> Result<Option<Arc<User>>, Failure> {
    let find = FindUsers { ids: vec![user.clone()], folded: false };
    let found = app.realm.groups.ask(&Actor::app(), find).await;
    let found = found.map_err(|refusal| Family::Accounts.failure(&refusal))?;
    Ok(found.0.into_iter().flatten().next())
}

async fn register(app: &App, user: &UserId, claims: &Claims) -> Result<Arc<User>, Failure> {
    let new = NewUser { labels: claims.first_labels(), ..NewUser::of(user.clone()) };
    let register = RegisterUsers { users: vec![new], on_existing: OnExisting::Skip, folded: false };
    let registered = app.realm.groups.run(&Actor::app(), register).await;
    registered.map_err(|refusal| Family::Accounts.failure(&refusal))?;
    Ok(find(app, user).await?.ok_or(Code::AccountInternal)?)
}

/// Whether a signature is valid for its account. Admins are accounts by the configuration: only this vendor's own
/// `kick` revokes their signatures, as for their calls over HTTP.
fn check(app: &App, claims: &Claims, account: &User) -> Result<(), Failure> {
    let counts = if app.is_admin(account.id.as_str()) {
        !kicked_at(account).is_some_and(|kicked| claims.is_older_than(kicked))
    } else {
        claims.counts_for(account)
    };
    if !counts {
        return Err(Code::SigExpired.into());
    }
    if !account.active {
        return Err(Code::AccountBlocked.into());
    }
    Ok(())
}
