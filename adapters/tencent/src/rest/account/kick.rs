//! `kick`: signatures made before now no longer count for this account.

use conclave_core::operation::UpdateUser;
use serde::Deserialize;

use crate::refusals::Failure;
use crate::rest::wire::Account;
use crate::rest::{Call, envelope};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    #[serde(rename = "UserID")]
    user_id: Option<Account>,
    /// The older name.
    identifier: Option<Account>,
}

pub(crate) async fn kick(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
    let request: Request = call.read()?;
    let user = call.user_id("UserID", request.user_id.or(request.identifier))?;
    call.ensure_admins([&user]).await?;
    call.run(UpdateUser { tokens_from: Some(call.app.realm.groups.now()), ..UpdateUser::of(user) }).await?;
    envelope::done()
}
