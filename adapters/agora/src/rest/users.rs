//! Accounts: read, list, delete, change the password, ban.

use std::borrow::Cow;
use std::sync::Arc;

use conclave_core::model::{Millis, User};
use conclave_core::operation::{DeleteUser, OnRefusal, OwnedGroups, UpdateUser};
use conclave_core::query::ListUsers;
use conclave_kit::{ConnectionFilter, DisconnectReason};
use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::body::Fields;
use super::call::Call;
use super::envelope::Reply;
use super::registration::{check_nickname, check_password};
use crate::dialect::ids::shown;
use crate::dialect::limits;
use crate::refusals::{self, Failure};

/// An account as the vendor's API returns it.
#[derive(Serialize)]
pub(crate) struct Account<'u> {
    uuid: Uuid,
    r#type: &'static str,
    created: Millis,
    modified: Millis,
    username: Cow<'u, str>,
    activated: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    nickname: &'u str,
    /// The user's own settings.
    #[serde(flatten)]
    settings: Map<String, Value>,
}

/// The prefix of the labels for a user's settings.
const LABEL: &str = "agora.user.";

fn settings(user: &User) -> Map<String, Value> {
    let kept = user
        .labels
        .iter()
        .filter_map(|(label, value)| Some((label.strip_prefix(LABEL)?.to_owned(), serde_json::from_str(value).ok()?)));
    kept.collect()
}

/// Accounts as the vendor's API returns them.
pub(crate) fn accounts<'u>(call: &Call<'_>, users: impl Iterator<Item = &'u Arc<User>>) -> Vec<Account<'u>> {
    users
        .map(|user| Account {
            uuid: call.app.user_uuid(user),
            r#type: "user",
            created: user.created,
            modified: user.changed,
            username: shown(&user.id),
            activated: user.active,
            nickname: &user.nick,
            settings: settings(user),
        })
        .collect()
}

/// `GET /users/{user}`.
pub(crate) async fn get(call: &Call<'_>) -> Result<Reply, Failure> {
    let user = call.user(call.param("user")).await?;
    Ok(Reply::users(&accounts(call, [&user].into_iter())).count(1))
}

/// `GET /users`: oldest first.
pub(crate) async fn list(call: &Call<'_>) -> Result<Reply, Failure> {
    let limit = call.page("limit", limits::USERS_PAGE, call.app.settings.users_page);
    let page = call.ask(ListUsers { after: call.cursor()?, limit }).await?;
    let entities = accounts(call, page.users.iter());
    Ok(Reply::users(&entities).cursor(page.next.as_ref()).count(entities.len()))
}

/// `DELETE /users/{user}`: the groups that the user owns are deleted with the account.
pub(crate) async fn delete(call: &Call<'_>) -> Result<Reply, Failure> {
    let user = call.user(call.param("user")).await?;
    call.run(DeleteUser { user: user.id.clone(), owned: OwnedGroups::Disband }).await?;
    Ok(Reply::users(&accounts(call, [&user].into_iter())))
}

/// `DELETE /users?limit=`: the oldest accounts.
pub(crate) async fn delete_oldest(call: &Call<'_>) -> Result<Reply, Failure> {
    // a missing number must not delete anybody by accident
    let Some(limit) = call.query.number("limit").filter(|limit| *limit > 0) else {
        return Err(refusals::illegal("limit must be provided."));
    };
    // our choice: a query would select other accounts than the oldest, and is not supported; an SDK writes None for no
    // query
    if call.query.get("ql").is_some_and(|query| query != "None") {
        return Err(refusals::illegal("ql is not supported."));
    }
    let limit = limit.min(call.app.settings.users_page);
    let page = call.ask(ListUsers { after: call.cursor()?, limit }).await?;
    let ids = page.users.iter().map(|user| user.id.clone());
    let deleting = ids.map(|user| DeleteUser { user, owned: OwnedGroups::Disband }).collect();
    // an account that another call deletes at the same time is deleted as well
    call.run_each(OnRefusal::SkipAbsent, deleting).await?;
    let entities = accounts(call, page.users.iter());
    Ok(Reply::users(&entities).cursor(page.next.as_ref()).count(entities.len()))
}

/// `PUT /users/{user}/password`: revokes all earlier tokens.
pub(crate) async fn change_password(call: &Call<'_>) -> Result<Reply, Failure> {
    let fields = Fields::read(call.body)?;
    let password = fields.text(&["newpassword"])?.ok_or_else(|| refusals::illegal("newpassword must be provided."))?;
    check_password(&password)?;
    let user = call.user(call.param("user")).await?;
    let secret = call.passwords.hash(password).await.map_err(|refusal| call.word(&refusal))?;
    let now = call.app.now();
    call.run(UpdateUser { secret: Some(Some(secret)), tokens_from: Some(now), ..UpdateUser::of(user.id.clone()) })
        .await?;
    Ok(Reply::done("set user password"))
}

/// `POST /users/{user}/deactivate`.
pub(crate) async fn deactivate(call: &Call<'_>) -> Result<Reply, Failure> {
    let user = call.user(call.param("user")).await?;
    call.run(UpdateUser { active: Some(false), ..UpdateUser::of(user.id.clone()) }).await?;
    let user = call.user(call.param("user")).await?;
    Ok(Reply::done("Deactivate user").holding(&accounts(call, [&user].into_iter())))
}

/// `POST /users/{user}/disconnect`: disconnects the user, who has to sign in again.
pub(crate) async fn disconnect(call: &Call<'_>) -> Result<Reply, Failure> {
    let user = call.user(call.param("user")).await?;
    // first, so that clients are notified that the app disconnected them, and not only that their tokens are revoked
    call.app.presence.disconnect(&user.id, &ConnectionFilter::all(), DisconnectReason::ByApp).await;
    call.run(UpdateUser { tokens_from: Some(call.app.now()), ..UpdateUser::of(user.id.clone()) }).await?;
    Ok(Reply::data(&json!({"result": true})))
}

/// The prefix of the settings that `PUT /users/{user}` accepts beside the name: push notifications of a group's
/// messages, and the like.
const SETTING: &str = "notification_";

/// `PUT /users/{user}`: a user's own name and notification settings.
pub(crate) async fn update(call: &Call<'_>) -> Result<Reply, Failure> {
    let user = call.user(call.param("user")).await?;
    if call.caller().is_some_and(|caller| *caller != user.id) {
        return Err(refusals::app_token_needed());
    }
    let mut change = UpdateUser::of(user.id.clone());
    let mut kept_settings = settings(&user).len();
    for (name, value) in wanted(&Fields::read(call.body)?)? {
        if name == "nickname" {
            let nick = value.as_str().ok_or_else(|| refusals::illegal("nickname is not legal"))?;
            check_nickname(nick)?;
            change.nick = Some(nick.to_owned());
        } else if name.starts_with(SETTING) && name.len() <= limits::SETTING_BYTES {
            let label = format!("{LABEL}{name}");
            let value = kept(&value);
            kept_settings += usize::from(value.is_some() && !user.labels.contains_key(&label));
            change.labels.insert(label, value);
        }
    }
    if kept_settings > limits::USER_SETTINGS {
        return Err(refusals::illegal(format!(
            "notification settings size is more than max limit : {}",
            limits::USER_SETTINGS
        )));
    }
    call.run(change).await?;
    let user = call.user(call.param("user")).await?;
    Ok(Reply::users(&accounts(call, [&user].into_iter())).count(1))
}

/// The fields to change: of the body itself, or of the one entity in it.
fn wanted(fields: &Fields<'_>) -> Result<Map<String, Value>, Failure> {
    match fields.get("entities") {
        None => Ok(fields.all().clone()),
        Some(Value::Array(entities)) => match entities.as_slice() {
            [Value::Object(entity)] => Ok(entity.clone()),
            _ => Err(refusals::illegal("entities must hold one object")),
        },
        Some(_) => Err(refusals::illegal("entities must be an array")),
    }
}

/// A setting as it is stored: only booleans and short words are settings; `false` and `null` are the default.
fn kept(value: &Value) -> Option<String> {
    match value {
        Value::Bool(true) => Some("true".to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) if text.len() <= limits::SETTING_BYTES => Some(Value::from(text.as_str()).to_string()),
        _ => None,
    }
}

/// `POST /users/{user}/activate`.
pub(crate) async fn activate(call: &Call<'_>) -> Result<Reply, Failure> {
    let user = call.user(call.param("user")).await?;
    call.run(UpdateUser { active: Some(true), ..UpdateUser::of(user.id.clone()) }).await?;
    Ok(Reply::done("activate user"))
}
