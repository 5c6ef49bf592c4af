//! `im_open_login_svc`: accounts.

pub(super) mod check;
pub(super) mod delete;
pub(super) mod import;
pub(super) mod kick;
pub(super) mod multi_import;
pub(super) mod online;

use conclave_core::model::UserId;
use conclave_core::operation::{NewUser, OnExisting, RegisterOutcome, RegisterUsers};
use serde::{Deserialize, Serialize};

use super::Call;
use super::wire::Account;
use crate::dialect::limits;
use crate::refusals::{Code, Failure};

/// One account in a list.
#[derive(Debug, Deserialize)]
struct Item {
    #[serde(rename = "UserID")]
    user_id: Option<Account>,
}

/// The accounts of a list as they were spelled; an empty list, or one with too many, is refused.
fn listed(call: &Call<'_>, name: &str, items: Option<Vec<Item>>) -> Result<Vec<String>, Failure> {
    let items = call.required(name, items.filter(|items| !items.is_empty()))?;
    if items.len() > limits::ACCOUNTS {
        return Err(call.parameter(format!("{name}: at most {} accounts", limits::ACCOUNTS)));
    }
    items.into_iter().map(|item| spelled(call, item.user_id)).collect()
}

fn spelled(call: &Call<'_>, account: Option<Account>) -> Result<String, Failure> {
    match call.required("UserID", account)? {
        Account::Text(text) => Ok(text),
        Account::Other => Err(Code::AccountNotText.into()),
    }
}

/// Creates accounts, or gives existing ones a new nick and face; returns the ones that could not be created.
async fn register(call: &Call<'_>, users: Vec<NewUser>) -> Result<Vec<UserId>, Failure> {
    let register = RegisterUsers { users, on_existing: OnExisting::Update, folded: false };
    let done = call.run(register).await?;
    let refused = |(user, outcome)| matches!(outcome, RegisterOutcome::Refused(_)).then_some(user);
    Ok(done.outcomes.into_iter().filter_map(refused).collect())
}

/// The outcome of one account of a list.
#[derive(Debug, Serialize)]
struct AccountOutcome {
    #[serde(rename = "UserID")]
    user_id: String,
    #[serde(rename = "ResultCode")]
    code: u32,
    #[serde(rename = "ResultInfo")]
    info: String,
    #[serde(rename = "AccountStatus", skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
}

impl AccountOutcome {
    fn fine(user_id: String, status: Option<&'static str>) -> Self {
        Self { user_id, code: 0, info: String::new(), status }
    }

    fn failed(user_id: String, failure: Failure) -> Self {
        Self { user_id, code: failure.code.row().0, info: failure.text.into_owned(), status: None }
    }
}

/// The outcomes of a list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Outcomes {
    result_item: Vec<AccountOutcome>,
}
