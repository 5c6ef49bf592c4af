//! Who is calling: tokens of both kinds, and passwords.

mod access_token;
mod dynamic_token;
mod password;
mod token;

pub(crate) use password::Passwords;
pub(crate) use token::{Claims, Subject, TokenError, Tokens};

use conclave_core::event::Actor;
use conclave_core::model::UserId;
use conclave_core::ports::GroupsExt;
use conclave_core::query::FindUsers;
use conclave_core::refusal::Refusal;
use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::realm::App;

/// Why a caller is turned away.
#[derive(Debug)]
pub(crate) enum Stranger {
    /// The token is not good.
    Token(TokenError),
    /// Its user could not be looked up.
    Refused(Refusal),
}

/// The token a request carries, if it carries one.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?.trim();
    let (scheme, token) = value.split_once(' ').unwrap_or(("", value));
    let token = token.trim();
    (!token.is_empty() && (scheme.is_empty() || scheme.eq_ignore_ascii_case("bearer"))).then_some(token)
}

/// What a token of this app says, when it is good now: sealed, not expired, and its user still there, active and
/// not made to log in anew.
pub(crate) async fn check(app: &App, token: &str) -> Result<Claims, Stranger> {
    let now = app.now();
    let mut claims = match (access_token::PREFIX, &app.credentials.app_id, &app.credentials.app_certificate) {
        (prefix, Some(id), Some(certificate)) if token.starts_with(prefix) => {
            access_token::open(token, id, certificate, now)
        }
        _ if token.starts_with(dynamic_token::PREFIX) => dynamic_token::open(token, &app.credentials, now),
        _ => app.tokens.open(token, now),
    }
    .map_err(Stranger::Token)?;
    if let Subject::User(user) = &claims.subject {
        claims.subject = Subject::User(standing_user(app, user, &claims).await?);
    }
    Ok(claims)
}

/// The stored spelling of a token's user, when the token still counts for them.
async fn standing_user(app: &App, user: &UserId, claims: &Claims) -> Result<UserId, Stranger> {
    let find = FindUsers { ids: vec![user.clone()], folded: true };
    let found = app.groups.ask(&Actor::app(), find).await.map_err(Stranger::Refused)?;
    match found.0.into_iter().next().flatten() {
        Some(found) if found.active && claims.issued >= found.tokens_from && claims.counts_for(&found) => {
            Ok(found.id.clone())
        }
        _ => Err(Stranger::Token(TokenError::Invalid)),
    }
}
