//! Signing in: PROVISION.

use std::sync::Arc;

use conclave_core::event::Actor;
use conclave_core::model::{DeviceId, Group, Member, Millis, Receive, UserId};
use conclave_core::operation::{Begin, OpenDevice};
use conclave_core::ports::GroupsExt as _;
use conclave_core::query::FindUsers;
use conclave_core::refusal::Refusal;
use conclave_kit::{Device, DisconnectReason, Exceeding, Identity, LoginScope, Platform};
use serde_json::json;

use super::Apps;
use super::frame::Refused;
use super::wire::{MSync, Provision, status};
use crate::VENDOR;
use crate::auth::{self, Subject, TokenError, Unauthenticated};
use crate::dialect::ids::{fold, shown};
use crate::realm::App;
use crate::surface::DEVICE_BYTES;

/// How long undelivered events of a user wait: 7 days (the vendor's product overview), in milliseconds.
pub(super) const KEPT: u64 = 7 * 24 * 3600 * 1000;

/// The prefix of tokens in frames.
const PREFIX: &str = "$t$";
/// SDKs from this version of their protocol on support lists of members.
const LISTS: &str = "v5.1";
/// SDKs from this version of their protocol on know all words of a permission that is denied.
const WORDS: &str = "v5.0";

/// A client that is signed in.
pub(crate) struct Login {
    pub(super) app: Arc<App>,
    pub(super) identity: Identity,
    pub(super) resource: String,
    /// The device as actors name it.
    pub(super) device: String,
    token: String,
    expires: Option<Millis>,
    pub(super) knows_lists: bool,
    knows_words: bool,
    /// The groups whose messages the user does not receive.
    pub(super) shielded: Vec<conclave_core::model::GroupId>,
}

/// The request to sign in.
pub(super) struct Request {
    app: Arc<App>,
    user: String,
    token: String,
    resource: String,
    platform: Platform,
    knows_lists: bool,
    knows_words: bool,
}

impl Request {
    /// Reads it. `connection` names the device of a client that sends no resource.
    pub(super) fn read(apps: &Apps, frame: &MSync, asked: &Provision, connection: &str) -> Result<Self, Refused> {
        let wrong = || Refused::new(status::WRONG_PARAMETER, "Sorry, parameter is invalid");
        let guid = frame.guid.as_ref().ok_or_else(wrong)?;
        let (org, app) = guid.app_key.as_deref().unwrap_or_default().split_once('#').ok_or_else(wrong)?;
        let app = apps.get(org, app).ok_or_else(wrong)?;
        let token = frame.auth.as_deref().or(asked.auth.as_deref()).unwrap_or_default();
        let token = token.strip_prefix(PREFIX).unwrap_or(token);
        let user = fold(guid.name.as_deref().unwrap_or_default());
        if token.is_empty() || user.is_empty() {
            return Err(wrong());
        }
        let resource = asked.resource.as_deref().or(guid.client_resource.as_deref()).unwrap_or_default();
        let named = (1..=DEVICE_BYTES).contains(&resource.len()) && !resource.chars().any(char::is_control);
        Ok(Self {
            app,
            user,
            token: token.to_owned(),
            resource: if named { resource.to_owned() } else { connection.to_owned() },
            platform: platform(asked.os_type, resource),
            knows_lists: asked.action_version.as_deref().is_some_and(|version| version >= LISTS),
            knows_words: asked.action_version.as_deref().is_some_and(|version| version >= WORDS),
        })
    }

    /// Verifies the token, and stores the device.
    pub(super) async fn verify(self) -> Result<Login, Refused> {
        let claims = match auth::check(&self.app, &self.token).await {
            Ok(claims) => claims,
            Err(unauthenticated) => return Err(self.refused(unauthenticated).await),
        };
        let user = match claims.subject {
            Subject::User(user) if shown(&user) == self.user => user,
            _ => {
                let reason = "Sorry, token or password does not match login info";
                return Err(Refused::new(status::FAIL, reason));
            }
        };
        let device = Device::new(VENDOR, &*self.resource);
        open_device(&self.app, &user, &device).await.map_err(|refusal| unavailable(&self.app, &refusal))?;
        let shielded = shielded(&self.app, &user).await.map_err(|refusal| unavailable(&self.app, &refusal))?;
        let identity = Identity::new(&*self.app.realm, user, device).on(self.platform);
        // the same device connects again: its older connection is dead
        let identity = identity.with_rule(LoginScope::Device, 1, Exceeding::ReplaceOldest);
        let identity = match self.app.settings.devices {
            0 => identity,
            most => identity.with_rule(LoginScope::User, most, Exceeding::ReplaceOldest),
        };
        let device = identity.device.to_string();
        Ok(Login {
            app: self.app,
            identity,
            resource: self.resource,
            device,
            token: self.token,
            expires: claims.expires,
            knows_lists: self.knows_lists,
            knows_words: self.knows_words,
            shielded,
        })
    }

    /// The vendor's error for an invalid token.
    async fn refused(&self, unauthenticated: Unauthenticated) -> Refused {
        match unauthenticated {
            Unauthenticated::Refused(refusal) => unavailable(&self.app, &refusal),
            Unauthenticated::Token(TokenError::Expired) => Refused::new(status::FAIL, "Sorry, token expired"),
            Unauthenticated::Token(TokenError::Invalid | TokenError::Foreign) => match self.account().await {
                Ok(true) => Refused::new(status::UNAUTHORIZED, "Sorry, unauthorized"),
                Ok(false) => Refused::new(status::FAIL, "Sorry, user not found"),
                Err(refusal) => unavailable(&self.app, &refusal),
            },
        }
    }

    /// Whether an account with this name exists.
    async fn account(&self) -> Result<bool, Refusal> {
        let Ok(user) = UserId::new(&self.user) else { return Ok(false) };
        let find = FindUsers { ids: vec![user], folded: true };
        Ok(self.app.groups.ask(&Actor::app(), find).await?.0.into_iter().flatten().next().is_some())
    }
}

impl Login {
    pub(super) fn user(&self) -> &UserId {
        &self.identity.user
    }

    pub(super) fn actor(&self) -> Actor {
        self.identity.actor()
    }

    pub(super) fn now(&self) -> Millis {
        self.app.now()
    }

    /// A refusal in words that the client's SDK knows: older ones wait for ever after `PERMISSION_DENIED` with others.
    pub(super) fn in_known_words(&self, refused: Refused) -> Refused {
        if !self.knows_words && refused.code == status::PERMISSION_DENIED {
            return Refused::new(status::FAIL, refused.reason);
        }
        refused
    }

    /// The device under which positions are stored.
    pub(super) fn device_id(&self) -> DeviceId {
        DeviceId::from(&self.identity.device)
    }

    /// What clients read of their token: its expiry. The SDKs take it for a point in time, not for a duration.
    pub(super) fn auth_token(&self) -> Option<String> {
        let expires = self.expires?;
        Some(json!({ "token": format!("{PREFIX}{}", self.token), "expires_in": expires.0 }).to_string())
    }
}

/// Why the user of a login may not stay signed in, if so. A token that expires meanwhile is the client's to renew: the
/// SDKs end their connection by themselves, unless they were given a new token, which they do not report.
pub(super) async fn recheck(app: Arc<App>, user: UserId, token: String) -> Option<DisconnectReason> {
    match auth::check(&app, &token).await {
        Ok(_) | Err(Unauthenticated::Token(TokenError::Expired) | Unauthenticated::Refused(_)) => {}
        Err(Unauthenticated::Token(TokenError::Invalid | TokenError::Foreign)) => {
            let find = FindUsers { ids: vec![user], folded: false };
            let found = app.groups.ask(&Actor::app(), find).await.ok()?;
            return Some(match found.0.into_iter().flatten().next() {
                None => DisconnectReason::AccountDeleted,
                Some(user) if !user.active => DisconnectReason::Deactivated,
                Some(_) => DisconnectReason::TokenExpired,
            });
        }
    }
    // for an expired token the account is still checked
    let find = FindUsers { ids: vec![user], folded: false };
    let found = app.groups.ask(&Actor::app(), find).await.ok()?;
    match found.0.into_iter().flatten().next() {
        None => Some(DisconnectReason::AccountDeleted),
        Some(user) if !user.active => Some(DisconnectReason::Deactivated),
        Some(_) => None,
    }
}

impl Login {
    /// See [`recheck`].
    pub(super) fn recheck(&self) -> impl Future<Output = Option<DisconnectReason>> + Send + 'static {
        recheck(Arc::clone(&self.app), self.user().clone(), self.token.clone())
    }
}

/// Stores the device. A new one begins at the furthest position of the user's devices; a user's first one with
/// everything that waits.
async fn open_device(app: &App, user: &UserId, device: &Device) -> Result<(), Refusal> {
    let oldest = Millis(app.now().0.saturating_sub(KEPT));
    let waiting = app.log.position_at(oldest).await?.before;
    let begin = Begin::FurthestOr(waiting);
    let open = OpenDevice { user: user.clone(), device: DeviceId::from(device), begin };
    app.groups.run(&Actor::app(), open).await?;
    Ok(())
}

/// The groups whose messages a user does not receive.
async fn shielded(app: &App, user: &UserId) -> Result<Vec<conclave_core::model::GroupId>, Refusal> {
    let shields = |member: &Member| member.receive == Receive::Discard;
    let pick = |group: &Group, member: &Member| shields(member).then(|| group.id.clone());
    app.groups.pick_joined(&Actor::app(), user, pick).await
}

fn unavailable(app: &App, refusal: &Refusal) -> Refused {
    tracing::error!(app = %app.key(), "a user cannot sign in: {refusal}");
    Refused::new(status::FAIL, "")
}

/// A client's platform.
fn platform(os: Option<i32>, resource: &str) -> Platform {
    match os {
        Some(0) => Platform::Ios,
        Some(1) => Platform::Android,
        Some(2..=4) => Platform::Desktop,
        _ if resource.contains("web") => Platform::Web,
        _ => Platform::Unknown,
    }
}
