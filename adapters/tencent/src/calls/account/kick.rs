//! `kick`: revokes the signatures of an account that were generated before now.

use conclave_core::model::{Millis, User};
use conclave_core::operation::UpdateUser;
use conclave_kit::{ConnectionFilter, DisconnectReason};
use serde::Deserialize;

use crate::calls::wire::Account;
use crate::calls::{Call, envelope};
use crate::refusals::Failure;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    #[serde(rename = "UserID")]
    user_id: Option<Account>,
    /// The older name.
    identifier: Option<Account>,
}

pub(crate) async fn kick(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let user = call.user_id("UserID", request.user_id.or(request.identifier))?;
    let accounts = call.admin_accounts([&user]).await?;
    // first, so that clients get the reason "by the app", not only "signature no longer valid"
    call.app.realm.presence.disconnect(&user, &ConnectionFilter::all(), DisconnectReason::ByApp).await;
    let now = call.now();
    let labels = [(KICKED.to_owned(), Some(now.0.to_string()))].into();
    call.run_after(accounts, UpdateUser { tokens_from: Some(now), labels, ..UpdateUser::of(user) }).await?;
    envelope::done()
}

/// The label with the time of this command's last use on an account, in milliseconds: calls of other vendors revoke an
/// account's tokens too, but not the signatures of an admin.
const KICKED: &str = "tencent.kicked";

/// When this command was last used on an account.
pub(crate) fn kicked_at(account: &User) -> Option<Millis> {
    account.labels.get(KICKED)?.parse().ok().map(Millis)
}
