//! `/user/getToken.json`: registers a user or refreshes name and portrait, and issues a token. Earlier tokens stay
//! valid.

use conclave_core::model::UserId;
use conclave_core::operation::{NewUser, OnExisting, RegisterOutcome, RegisterUsers};
use conclave_core::query::FindUsers;
use conclave_core::refusal::Refusal;
use serde::Serialize;

use super::Shown;
use crate::refusals::Failure;
use crate::rest::{Call, envelope};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GetTokenResponse<'a> {
    user_id: &'a UserId,
    token: String,
}

pub(crate) async fn get_token(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let user = call.user_id("userId")?;
    call.required("name")?;
    let shown = Shown::of(call)?;
    call.check_new_members("userId", std::slice::from_ref(&user)).await?;
    let account = NewUser {
        nick: shown.name.unwrap_or_default().to_owned(),
        avatar: shown.portrait.unwrap_or_default().to_owned(),
        ..NewUser::of(user.clone())
    };
    let registered =
        call.run(RegisterUsers { users: vec![account], on_existing: OnExisting::Update, folded: false }).await?;
    for (_, outcome) in &registered.outcomes {
        if let RegisterOutcome::Refused(refusal) = outcome {
            return Err(call.failure(refusal));
        }
    }
    let found = call.ask(FindUsers { ids: vec![user.clone()], folded: false }).await?.0.pop().flatten();
    let account = found.ok_or_else(|| call.failure(&Refusal::UserNotFound(user.clone())))?;
    // valid for the account even if the clock was set back since it was created
    let issued = call.app.realm.groups.now().max(account.tokens_valid_from());
    envelope::with(&GetTokenResponse { user_id: &user, token: call.app.tokens.issue(&user, issued) })
}
