//! `multiaccount_import`: up to a hundred accounts in one call.

use conclave_core::model::UserId;
use conclave_core::operation::NewUser;
use serde::{Deserialize, Serialize};

use super::{register, spelled};
use crate::calls::wire::Account;
use crate::calls::{Call, envelope};
use crate::dialect::limits;
use crate::refusals::Failure;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    account_list: Option<Vec<Entry>>,
    /// The older form: ids alone.
    accounts: Option<Vec<Account>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    #[serde(rename = "UserID")]
    user_id: Option<Account>,
    nick: Option<String>,
    face_url: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct MultiImportResponse {
    fail_accounts: Vec<String>,
}

pub(crate) async fn import(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let alone = |accounts: Vec<Account>| {
        let entry = |account| Entry { user_id: Some(account), nick: None, face_url: None };
        accounts.into_iter().map(entry).collect()
    };
    let entries: Vec<Entry> = request.account_list.or(request.accounts.map(alone)).unwrap_or_default();
    if entries.is_empty() {
        return Err(call.parameter("AccountList is required"));
    }
    if entries.len() > limits::ACCOUNTS {
        return Err(call.parameter(format!("AccountList: at most {} accounts", limits::ACCOUNTS)));
    }
    let mut fail_accounts = Vec::new();
    let mut users = Vec::with_capacity(entries.len());
    for entry in entries {
        let id = spelled(call, entry.user_id)?;
        match UserId::new(&id) {
            Ok(user) if limits::is_account(&id) => users.push(NewUser {
                nick: entry.nick.unwrap_or_default(),
                avatar: entry.face_url.unwrap_or_default(),
                ..NewUser::of(user)
            }),
            _ => fail_accounts.push(id),
        }
    }
    let refused = register(call, users).await?;
    fail_accounts.extend(refused.iter().map(|user| user.as_str().to_owned()));
    envelope::with(&MultiImportResponse { fail_accounts })
}
