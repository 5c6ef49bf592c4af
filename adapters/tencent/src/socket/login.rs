//! Signing in: by a signature, or by the key (`A2Key`) that was returned for one before.
//!
//! A key holds the claims of the signature, sealed. So it is valid as long as the signature, over any number of
//! connections, and is not stored.

use std::sync::Arc;

use conclave_core::event::Actor;
use conclave_core::model::{User, UserId};
use conclave_core::operation::{NewUser, OnExisting, RegisterUsers};
use conclave_core::ports::GroupsExt as _;
use conclave_core::query::FindUsers;
use conclave_kit::DisconnectReason;

use super::frame::Head;
use crate::auth::Claims;
use crate::calls::kicked_at;
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
}

/// Signs in by the signature of a request, or by its key. An account is created for a user without one, as at the
/// vendor.
pub(super) async fn sign_in(app: &App, head: &Head) -> Result<Login, Failure> {
    if !head.a2.is_empty() {
        return by_key(app, head).await;
    }
    let claims = app.signatures.verify(&head.usersig, &head.identifier, app.realm.groups.now())?;
    let identifier = Some(claims.identifier()).filter(|identifier| limits::is_one_id(identifier));
    let user = identifier.and_then(|identifier| UserId::new(identifier).ok()).ok_or(Code::AccountParameter)?;
    let account = match find(app, &user).await? {
        Some(account) => account,
        None => register(app, &user, &claims).await?,
    };
    check(app, &claims, &account)?;
    let json = serde_json::to_vec(&*claims).map_err(|_| Code::AccountInternal)?;
    let key = app.client_keys.seal(&json);
    Ok(Login { user, key, claims: Claims::clone(&claims) })
}

/// The user of a key: every request is authenticated by its own key, whatever its connection.
pub(super) async fn by_key(app: &App, head: &Head) -> Result<Login, Failure> {
    let claims = app.client_keys.open(&head.a2).and_then(|json| serde_json::from_slice::<Claims>(&json).ok());
    let claims = claims.ok_or(Code::SigExpired)?;
    claims.check_time(app.realm.groups.now())?;
    let user = UserId::new(claims.identifier()).map_err(|_| Code::SigExpired)?;
    if !head.tinyid.is_empty() && head.tinyid != tiny_id::of(&user) {
        return Err(Code::SigExpired.into());
    }
    // a key does not re-create an account that was deleted
    let account = find(app, &user).await?.ok_or(Code::SigExpired)?;
    check(app, &claims, &account)?;
    Ok(Login { user, key: head.a2.clone(), claims })
}

/// Why a user may not stay signed in, if so.
pub(super) async fn recheck(app: Arc<App>, login: Arc<Login>) -> Option<DisconnectReason> {
    if login.claims.check_time(app.realm.groups.now()).is_err() {
        return Some(DisconnectReason::TokenExpired);
    }
    match find(&app, &login.user).await {
        Ok(None) => Some(DisconnectReason::AccountDeleted),
        Ok(Some(account)) if !account.active => Some(DisconnectReason::Deactivated),
        Ok(Some(account)) => check(&app, &login.claims, &account).is_err().then_some(DisconnectReason::TokenExpired),
        Err(failure) => {
            tracing::error!(why = %failure.text, "whether a client may stay could not be looked up");
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
