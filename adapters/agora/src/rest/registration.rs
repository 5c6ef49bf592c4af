//! Registering accounts: one, or several in one call.

use conclave_core::event::Actor;
use conclave_core::model::UserId;
use conclave_core::operation::{NewUser, OnExisting, RegisterOutcome, RegisterUsers, Registered};
use conclave_core::ports::GroupsExt;
use conclave_core::refusal::Refusal;
use serde::Serialize;
use serde_json::Value;

use super::body::{self, Fields};
use super::call::Call;
use super::envelope::Reply;
use super::users::{Account, accounts};
use crate::dialect::ids::{self, fold, shown};
use crate::dialect::limits;
use crate::refusals::{self, Failure};

/// Refuses an invalid nickname.
pub(crate) fn check_nickname(nickname: &str) -> Result<(), Failure> {
    if nickname.chars().count() > limits::NICKNAME {
        return Err(refusals::illegal("NICKNAME_TOO_LONG"));
    }
    Ok(())
}

/// Refuses an invalid name.
pub(crate) fn check_name(name: &str) -> Result<(), Failure> {
    if name.len() > ids::USER_BYTES {
        return Err(refusals::illegal("USERNAME_TOO_LONG"));
    }
    if !ids::is_legal_name(name) {
        return Err(refusals::illegal(format!("username [{name}] is not legal")));
    }
    Ok(())
}

/// Refuses an invalid password.
pub(crate) fn check_password(password: &str) -> Result<(), Failure> {
    if password.is_empty() {
        return Err(refusals::illegal("password or pin must provided"));
    }
    if password.chars().count() > limits::PASSWORD {
        return Err(refusals::illegal("PASSWORD_TOO_LONG"));
    }
    Ok(())
}

/// An account to register.
struct Wanted {
    name: String,
    password: String,
    nickname: String,
}

impl Wanted {
    fn read(fields: &Fields<'_>) -> Result<Self, Failure> {
        let name = fields.text(&["username"])?.unwrap_or_default();
        check_name(&name)?;
        let password = fields.text(&["password"])?.unwrap_or_default();
        check_password(&password)?;
        let nickname = fields.text(&["nickname"])?.unwrap_or_default();
        check_nickname(&nickname)?;
        Ok(Self { name: fold(&name), password, nickname })
    }

    /// The account, its password hashed.
    async fn account(self, call: &Call<'_>) -> Result<NewUser, Failure> {
        let id = UserId::new(&self.name).map_err(|error| call.word(&error.into()))?;
        let secret = call.passwords.hash(self.password).await.map_err(|refusal| call.word(&refusal))?;
        Ok(NewUser { nick: self.nickname, secret: Some(secret), ..NewUser::of(id) })
    }
}

/// `POST /users`: an object is one account, an array several.
pub(crate) async fn register(call: &Call<'_>) -> Result<Reply, Failure> {
    match body::json(call.body)? {
        Value::Object(map) => one(call, Wanted::read(&Fields::of(map, call.body))?).await,
        Value::Array(items) => several(call, items).await,
        _ => Err(refusals::not_json("Unexpected character: the body must be a JSON object or array")),
    }
}

async fn one(call: &Call<'_>, wanted: Wanted) -> Result<Reply, Failure> {
    if let Some(user) = call.find_user(&wanted.name).await? {
        return Err(refusals::user_exists(call.app, &shown(&user.id)));
    }
    let account = wanted.account(call).await?;
    let id = account.id.clone();
    perform(call, vec![account], OnExisting::Refuse).await?;
    answer(call, &[id], &[]).await
}

/// An account that could not be registered.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Failed {
    #[serde(rename = "username")]
    name: String,
    register_user_fail_reason: String,
}

async fn several(call: &Call<'_>, items: Vec<Value>) -> Result<Reply, Failure> {
    let most = call.app.settings.batch_register;
    if items.len() > most {
        return Err(refusals::illegal(format!("users size is more than max limit : {most}")));
    }
    let mut failed = Vec::new();
    let mut wanted: Vec<Wanted> = Vec::new();
    for item in items {
        let Value::Object(map) = item else {
            return Err(refusals::not_json("Unexpected character: each user must be a JSON object"));
        };
        let fields = Fields::of(map, call.body);
        match Wanted::read(&fields) {
            Ok(user) if wanted.iter().any(|other| other.name == user.name) => failed.push(exists(user.name)),
            Ok(user) => wanted.push(user),
            Err(failure) => failed.push(Failed {
                name: beginning(&fields.text(&["username"])?.unwrap_or_default()),
                register_user_fail_reason: beginning(&failure.description),
            }),
        }
    }
    let names: Vec<String> = wanted.iter().map(|user| user.name.clone()).collect();
    let mut accounts = Vec::new();
    for (user, found) in wanted.into_iter().zip(call.find_users(&names).await?) {
        match found {
            Some(_) => failed.push(exists(user.name)),
            None => accounts.push(user.account(call).await?),
        }
    }
    let registered =
        if accounts.is_empty() { Registered::default() } else { perform(call, accounts, OnExisting::Skip).await? };
    let mut made = Vec::new();
    for (id, outcome) in registered.outcomes {
        match outcome {
            RegisterOutcome::Created => made.push(id),
            RegisterOutcome::Existing | RegisterOutcome::Updated => failed.push(exists(shown(&id).into_owned())),
            RegisterOutcome::Refused(refusal) => failed.push(Failed {
                name: shown(&id).into_owned(),
                register_user_fail_reason: call.word(&refusal).description,
            }),
        }
    }
    answer(call, &made, &failed).await
}

/// The beginning of a text, to return in an error.
fn beginning(text: &str) -> String {
    text[..text.floor_char_boundary(body::NAME_BYTES)].to_owned()
}

fn exists(name: String) -> Failed {
    Failed { register_user_fail_reason: format!("the {name} already exists"), name }
}

async fn perform(call: &Call<'_>, users: Vec<NewUser>, on_existing: OnExisting) -> Result<Registered, Failure> {
    let register = RegisterUsers { users, on_existing, folded: true };
    let registered = call.app.groups.run(&Actor::app(), register).await;
    registered.map_err(|refusal: Refusal| call.word(&refusal))
}

async fn answer(call: &Call<'_>, made: &[UserId], failed: &[Failed]) -> Result<Reply, Failure> {
    let names: Vec<String> = made.iter().map(|id| id.as_str().to_owned()).collect();
    let users = call.find_users(&names).await?;
    let entities: Vec<Account<'_>> = accounts(call, users.iter().flatten());
    Ok(Reply::users(&entities).with("data", failed))
}
