//! Tokens: issued to the app for its secret, to a user for a password, to the app for a user, or in exchange for a
//! token that the customer's own server generated.

use conclave_core::event::Actor;
use conclave_core::model::{Millis, User, UserId};
use conclave_core::operation::{NewUser, OnExisting, RegisterUsers};
use conclave_core::ports::GroupsExt;
use conclave_kit::{Fault, same};
use serde::Serialize;
use uuid::Uuid;

use super::body::Fields;
use super::call::Call;
use super::envelope::Reply;
use super::registration::check_name;
use crate::auth::{self, Attempt, CheckError, Claims, Subject, Unauthenticated, bearer};
use crate::dialect::ids::{fold, shown};
use crate::dialect::limits;
use crate::refusals::{self, ErrorContext, Failure};

/// Longest lifetime that is returned, in seconds: clients store it in 32 bits. A token that never expires returns it
/// too.
const LONGEST: u64 = i32::MAX as u64;

/// `POST /token`.
pub(crate) async fn token(call: &Call<'_>) -> Result<Reply, Failure> {
    let fields = Fields::read(call.body)?;
    match fields.text(&["grant_type"])?.as_deref() {
        Some("client_credentials") => by_secret(call, &fields),
        Some("password") => by_password(call, &fields).await,
        Some("inherit") => for_user(call, &fields).await,
        Some("agora") => by_token(call).await,
        Some(_) => Err(refusals::grant("grant_type is not supported")),
        None => Err(refusals::illegal("grant_type must be provided.")),
    }
}

/// The app requests a token for itself.
fn by_secret(call: &Call<'_>, fields: &Fields<'_>) -> Result<Reply, Failure> {
    let id = fields.text(&["client_id"])?.ok_or_else(|| refusals::illegal("client_id must be provided."))?;
    let secret = fields.text(&["client_secret"])?.ok_or_else(|| refusals::illegal("client_secret must be provided"))?;
    let life = Life::wanted(call, fields)?;
    let kept = &call.app.credentials;
    if !same(id.as_bytes(), kept.client_id.as_bytes()) {
        return Err(refusals::grant("client_id does not match"));
    }
    if !same(secret.as_bytes(), kept.client_secret.as_bytes()) {
        return Err(refusals::grant("client_secret does not match"));
    }
    let token = issue(call, Subject::App, Millis(0), &life);
    Ok(Reply::bare()
        .with("access_token", &token)
        .with("expires_in", &life.expires_in)
        .with("application", &call.app.uuid))
}

/// A user requests one with a password.
async fn by_password(call: &Call<'_>, fields: &Fields<'_>) -> Result<Reply, Failure> {
    let name = fields.text(&["username"])?.ok_or_else(|| refusals::illegal("username must be provided."))?;
    let password = fields.text(&["password"])?.ok_or_else(|| refusals::illegal("password must be provided."))?;
    let life = Life::wanted(call, fields)?;
    let user = call.user(&name).await?;
    let attempt = Attempt { account: &format!("{} {}", call.app.realm, user.id), address: call.address };
    let now = call.app.now();
    if !call.passwords.may_try(attempt, now) {
        return Err(refusals::fault(Fault::Busy));
    }
    let right = match user.secret.clone() {
        // no account has a longer password
        Some(_) if password.chars().count() > limits::PASSWORD => false,
        Some(kept) => match call.passwords.check(password, kept, attempt).await {
            Ok(right) => right,
            Err(CheckError::Crowded) => return Err(refusals::fault(Fault::Busy)),
            Err(CheckError::Failed(refusal)) => return Err(call.word(&refusal)),
        },
        None => false,
    };
    if !right {
        call.passwords.was_wrong(attempt, now);
        return Err(refusals::grant("Invalid username or password."));
    }
    if !user.active {
        return Err(refusals::grant("user not activated"));
    }
    Ok(of_user(call, &user, &life))
}

/// The app requests one for a user; the account may be created by it.
async fn for_user(call: &Call<'_>, fields: &Fields<'_>) -> Result<Reply, Failure> {
    app_asks(call).await?;
    let name = fields.text(&["username"])?.ok_or_else(|| refusals::illegal("username must be provided."))?;
    check_name(&name)?;
    let life = Life::wanted(call, fields)?;
    let create = fields.flag(&["autoCreateUser"])?.unwrap_or(false) && call.app.settings.auto_create_users;
    let user = match call.find_user(&name).await? {
        Some(user) => user,
        None if create => {
            let id = UserId::new(fold(&name)).map_err(|error| call.word(&error.into()))?;
            let users = vec![NewUser::of(id)];
            let register = RegisterUsers { users, on_existing: OnExisting::Skip, folded: true };
            call.app.groups.run(&Actor::app(), register).await.map_err(|refusal| call.word(&refusal))?;
            call.user(&name).await?
        }
        None => return Err(refusals::user_unknown(ErrorContext::Token, &fold(&name))),
    };
    if !user.active {
        return Err(refusals::grant("user not activated"));
    }
    Ok(of_user(call, &user, &life))
}

/// Refused unless the request has a valid app token.
async fn app_asks(call: &Call<'_>) -> Result<(), Failure> {
    let token = bearer(call.headers).ok_or_else(|| refusals::no_token(ErrorContext::Token))?;
    match checked(call, token).await?.subject {
        Subject::App => Ok(()),
        Subject::User(_) => Err(refusals::app_token_needed()),
    }
}

async fn checked(call: &Call<'_>, token: &str) -> Result<Claims, Failure> {
    auth::check(call.app, token).await.map_err(|unauthenticated| match unauthenticated {
        Unauthenticated::Token(error) => refusals::bad_token(ErrorContext::Token, error),
        Unauthenticated::Refused(refusal) => call.word(&refusal),
    })
}

/// Exchanges a token generated offline for one of the app's own, with the same expiry.
async fn by_token(call: &Call<'_>) -> Result<Reply, Failure> {
    let token = bearer(call.headers).ok_or_else(|| refusals::no_token(ErrorContext::Token))?;
    let claims = checked(call, token).await?;
    let life = Life { expires: claims.expires, expires_in: 0 };
    let token = issue(call, claims.subject, Millis(0), &life);
    Ok(Reply::bare().with("access_token", &token).with("expire_timestamp", &expiry(call, life.expires)))
}

/// `GET /sdk/users/{user}/token/expires`: when the bearer token expires.
pub(crate) async fn expires(call: &Call<'_>) -> Result<Reply, Failure> {
    let user = call.user(call.param("user")).await?;
    if call.caller().is_some_and(|caller| *caller != user.id) {
        return Err(refusals::app_token_needed());
    }
    let expires = call.claims.as_ref().and_then(|claims| claims.expires);
    Ok(Reply::bare().with("expire_timestamp", &expiry(call, expires)))
}

/// An expiry for every token: those that never expire get the latest time that clients can represent.
fn expiry(call: &Call<'_>, expires: Option<Millis>) -> Millis {
    expires.unwrap_or_else(|| call.app.now().plus(LONGEST * 1000))
}

/// The lifetime of a token.
struct Life {
    expires: Option<Millis>,
    /// In seconds, as returned.
    expires_in: u64,
}

impl Life {
    /// The requested lifetime; 0 is without end.
    fn wanted(call: &Call<'_>, fields: &Fields<'_>) -> Result<Self, Failure> {
        let seconds = fields
            .number(&["ttl"])
            .map_err(|_| refusals::illegal("ttl is not legal"))?
            .unwrap_or(call.app.settings.token_ttl.into());
        if seconds == 0 {
            return Ok(Self { expires: None, expires_in: LONGEST });
        }
        let expires_in = seconds.min(LONGEST);
        Ok(Self { expires: Some(call.app.now().plus(expires_in * 1000)), expires_in })
    }
}

/// Issues a token of the app's own. Its time of issue is at least the earliest that is valid for the account, in case
/// the clock was set back.
fn issue(call: &Call<'_>, subject: Subject, valid_from: Millis, life: &Life) -> String {
    let issued = call.app.now().max(valid_from);
    call.app.tokens.seal(&Claims { subject, issued, expires: life.expires, precise: true })
}

/// The account as token responses return it.
#[derive(Serialize)]
struct Holder<'u> {
    uuid: Uuid,
    r#type: &'static str,
    created: Millis,
    modified: Millis,
    username: std::borrow::Cow<'u, str>,
    activated: bool,
}

fn of_user(call: &Call<'_>, user: &User, life: &Life) -> Reply {
    let token = issue(call, Subject::User(user.id.clone()), user.tokens_valid_from(), life);
    let holder = Holder {
        uuid: call.app.user_uuid(user),
        r#type: "user",
        created: user.created,
        modified: user.changed,
        username: shown(&user.id),
        activated: user.active,
    };
    Reply::bare().with("access_token", &token).with("expires_in", &life.expires_in).with("user", &holder)
}
