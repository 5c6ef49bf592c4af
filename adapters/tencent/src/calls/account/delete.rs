//! `account_delete`: accounts end, each by itself. Groups they owned go on without an owner.

use conclave_core::model::UserId;
use conclave_core::operation::{DeleteUser, OwnedGroups};
use serde::Deserialize;

use super::{Item, Outcome, Outcomes, listed};
use crate::calls::{Call, envelope};
use crate::refusals::{Code, Failure};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    delete_item: Option<Vec<Item>>,
}

pub(crate) async fn delete(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
    let request: Request = call.read()?;
    let mut result_item = Vec::new();
    for account in listed(call, "DeleteItem", request.delete_item)? {
        result_item.push(match end(call, &account).await {
            Ok(()) => Outcome::fine(account, None),
            Err(failure) => Outcome::failed(account, failure),
        });
    }
    envelope::with(&Outcomes { result_item })
}

async fn end(call: &Call<'_>, account: &str) -> Result<(), Failure> {
    let user = UserId::new(account).map_err(|_| Code::AccountMissing)?;
    let delete = DeleteUser { user, owned: OwnedGroups::Orphan };
    call.run(delete).await.map(drop)
}
