//! `account_check`: which accounts exist.

use conclave_core::model::UserId;
use conclave_core::query::FindUsers;
use serde::Deserialize;

use super::{AccountOutcome, Item, Outcomes, listed};
use crate::calls::{Call, envelope};
use crate::refusals::Failure;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    check_item: Option<Vec<Item>>,
}

pub(crate) async fn check(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let accounts = listed(call, "CheckItem", request.check_item)?;
    let ids: Vec<UserId> = accounts.iter().filter_map(|account| UserId::new(account).ok()).collect();
    let found = call.ask(FindUsers { ids, folded: false }).await?;
    let is_there =
        |account: &str| call.app.is_admin(account) || found.0.iter().flatten().any(|user| user.id.as_str() == account);
    let outcome = |account: String| {
        let status = if is_there(&account) { "Imported" } else { "NotImported" };
        AccountOutcome::fine(account, Some(status))
    };
    envelope::with(&Outcomes { result_item: accounts.into_iter().map(outcome).collect() })
}
