//! Authentication of callers: tokens of both kinds, and passwords.

mod access_token;
mod attempts;
mod dynamic_token;
mod password;
mod token;

pub(crate) use attempts::Attempt;
pub(crate) use password::{CheckError, Passwords};
pub(crate) use token::{Claims, Subject, TokenError, Tokens};

use conclave_core::event::Actor;
use conclave_core::model::{Millis, UserId};
use conclave_core::ports::GroupsExt;
use conclave_core::query::FindUsers;
use conclave_core::refusal::Refusal;
use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::realm::App;

/// How far the clock of the customer's server, which makes tokens offline, may be ahead of ours, in milliseconds.
const MAX_SKEW: u64 = 5 * 60 * 1000;

/// Whether a time of issue is further in the future than clocks may differ.
fn is_from_future(issued: Millis, now: Millis) -> bool {
    issued > now.plus(MAX_SKEW)
}

/// Why a caller was not authenticated.
#[derive(Debug)]
pub(crate) enum Unauthenticated {
    /// The token is invalid.
    Token(TokenError),
    /// Its user could not be looked up.
    Refused(Refusal),
}

/// The token of a request, if it has one.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?.trim();
    let (scheme, token) = value.split_once(' ').unwrap_or(("", value));
    let token = token.trim();
    (!token.is_empty() && (scheme.is_empty() || scheme.eq_ignore_ascii_case("bearer"))).then_some(token)
}

/// The claims of a token of this app, if it is valid now: sealed, not expired, and its user exists, is active and was
/// not required to sign in again.
pub(crate) async fn check(app: &App, token: &str) -> Result<Claims, Unauthenticated> {
    let now = app.now();
    let mut claims = match (access_token::PREFIX, &app.credentials.app_id, &app.credentials.app_certificate) {
        (prefix, Some(id), Some(certificate)) if token.starts_with(prefix) => {
            access_token::open(token, id, certificate, now).map_err(Unauthenticated::Token)?
        }
        _ if token.starts_with(dynamic_token::PREFIX) => open_dynamic(app, token, now).await?,
        _ => app.tokens.open(token, now).map_err(Unauthenticated::Token)?,
    };
    if let Subject::User(user) = &claims.subject {
        claims.subject = Subject::User(standing_user(app, user, &claims).await?);
    }
    Ok(claims)
}

/// Opens a dynamic token; refuses one that could also have been generated for another account.
async fn open_dynamic(app: &App, token: &str, now: Millis) -> Result<Claims, Unauthenticated> {
    let dynamic_token::Opened { claims, others } =
        dynamic_token::open(token, &app.credentials, now).map_err(Unauthenticated::Token)?;
    if others.is_empty() {
        return Ok(claims);
    }
    let find = FindUsers { ids: others.iter().map(|other| other.user().clone()).collect(), folded: true };
    let accounts = app.groups.ask(&Actor::app(), find).await.map_err(Unauthenticated::Refused)?.0;
    let ambiguous =
        others.iter().zip(accounts).any(|(other, account)| account.is_some_and(|account| other.could_be_of(&account)));
    if ambiguous { Err(Unauthenticated::Token(TokenError::Invalid)) } else { Ok(claims) }
}

/// The stored spelling of a token's user, if the token is still valid for that account.
async fn standing_user(app: &App, user: &UserId, claims: &Claims) -> Result<UserId, Unauthenticated> {
    let find = FindUsers { ids: vec![user.clone()], folded: true };
    let found = app.groups.ask(&Actor::app(), find).await.map_err(Unauthenticated::Refused)?;
    match found.0.into_iter().next().flatten() {
        Some(found) if found.active && claims.counts_for(&found) => Ok(found.id.clone()),
        _ => Err(Unauthenticated::Token(TokenError::Invalid)),
    }
}
