//! Accounts: read, list, delete, change the password, ban.

use std::borrow::Cow;
use std::sync::Arc;

use conclave_core::model::{Millis, User};
use conclave_core::operation::{DeleteUser, OwnedGroups, UpdateUser};
use conclave_core::query::ListUsers;
use serde::Serialize;
use uuid::Uuid;

use super::body::Fields;
use super::call::Call;
use super::envelope::Reply;
use super::registration::check_password;
use crate::dialect::ids::shown;
use crate::refusals::{self, Failure};

/// Accounts in a page when the caller names no number.
const PAGE: usize = 10;

/// An account as the vendor tells it.
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
}

/// Accounts as the vendor tells them.
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
    let limit = call.page("limit", PAGE, call.app.settings.users_page);
    let page = call.ask(ListUsers { after: call.cursor()?, limit }).await?;
    let entities = accounts(call, page.users.iter());
    Ok(Reply::users(&entities).cursor(page.next.as_ref()).count(entities.len()))
}

/// `DELETE /users/{user}`: the groups the user owns end with the account.
pub(crate) async fn delete(call: &Call<'_>) -> Result<Reply, Failure> {
    let user = call.user(call.param("user")).await?;
    call.run(DeleteUser { user: user.id.clone(), owned: OwnedGroups::Disband }).await?;
    Ok(Reply::users(&accounts(call, [&user].into_iter())))
}

/// `DELETE /users?limit=`: the oldest accounts.
pub(crate) async fn delete_oldest(call: &Call<'_>) -> Result<Reply, Failure> {
    // without a number nobody is deleted by accident
    let Some(limit) = call.query.number("limit").filter(|limit| *limit > 0) else {
        return Err(refusals::illegal("limit must be provided."));
    };
    let limit = limit.min(call.app.settings.users_page);
    let page = call.ask(ListUsers { after: call.cursor()?, limit }).await?;
    for user in &page.users {
        call.run(DeleteUser { user: user.id.clone(), owned: OwnedGroups::Disband }).await?;
    }
    let entities = accounts(call, page.users.iter());
    Ok(Reply::users(&entities).cursor(page.next.as_ref()).count(entities.len()))
}

/// `PUT /users/{user}/password`: tokens from before no longer count.
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

/// `POST /users/{user}/activate`.
pub(crate) async fn activate(call: &Call<'_>) -> Result<Reply, Failure> {
    let user = call.user(call.param("user")).await?;
    call.run(UpdateUser { active: Some(true), ..UpdateUser::of(user.id.clone()) }).await?;
    Ok(Reply::done("activate user"))
}
