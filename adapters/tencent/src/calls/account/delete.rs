//! `account_delete`: deletes accounts, each separately. Groups they owned continue without an owner, but those that
//! cannot be without one, as other vendors' groups, end.

use conclave_core::model::UserId;
use conclave_core::operation::{DeleteUser, OnRefusal, OwnedGroups};
use serde::Deserialize;

use super::{AccountOutcome, Item, Outcomes, listed};
use crate::calls::{Call, envelope};
use crate::refusals::{Code, Failure};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    delete_item: Option<Vec<Item>>,
}

pub(crate) async fn delete(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let accounts = listed(call, "DeleteItem", request.delete_item)?;
    let users: Vec<UserId> = accounts.iter().filter_map(|account| UserId::new(account).ok()).collect();
    let steps = users.into_iter().map(|user| DeleteUser { user, owned: OwnedGroups::Orphan }.into()).collect();
    let mut ended = call.run_steps(steps, OnRefusal::Skip).await?.into_iter();
    let outcome = |account: String| {
        // an invalid id has no account
        let ended = if UserId::new(&account).is_ok() { ended.next() } else { None };
        match ended {
            Some(Ok(_)) => AccountOutcome::fine(account, None),
            Some(Err(refusal)) => AccountOutcome::failed(account, call.failure(&refusal)),
            None => AccountOutcome::failed(account, Code::AccountMissing.into()),
        }
    };
    envelope::with(&Outcomes { result_item: accounts.into_iter().map(outcome).collect() })
}
