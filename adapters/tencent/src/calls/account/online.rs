//! `query_online_status`: which users are connected, through any vendor's protocol, and on which platforms.

use std::sync::Arc;

use conclave_core::model::UserId;
use conclave_core::query::FindUsers;
use conclave_kit::{Connection, Platform};
use serde::{Deserialize, Serialize};

use crate::calls::wire::Account;
use crate::calls::{Call, envelope};
use crate::dialect::limits;
use crate::refusals::{Code, Failure};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    #[serde(rename = "To_Account")]
    accounts: Option<Vec<Account>>,
    /// 1 requests the platform of each connection.
    is_need_detail: Option<u8>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct OnlineResponse {
    query_result: Vec<OnlineStatus>,
    /// Accounts that do not exist.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    error_list: Vec<Unknown>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct OnlineStatus {
    #[serde(rename = "To_Account")]
    account: String,
    status: &'static str,
    /// The older name.
    state: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    detail: Vec<OnPlatform>,
}

#[derive(Serialize, PartialEq)]
#[serde(rename_all = "PascalCase")]
struct OnPlatform {
    platform: &'static str,
    status: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Unknown {
    #[serde(rename = "To_Account")]
    account: String,
    error_code: u32,
}

const ONLINE: &str = "Online";
const OFFLINE: &str = "Offline";

/// `Online` or `Offline` for each of these users, in their order.
pub(crate) async fn online_statuses(call: &Call<'_>, users: &[UserId]) -> Vec<&'static str> {
    call.app.realm.presence.connections(users).await.iter().map(|connections| status_name(connections)).collect()
}

fn status_name(connections: &[Arc<Connection>]) -> &'static str {
    if connections.is_empty() { OFFLINE } else { ONLINE }
}

async fn connections(call: &Call<'_>, user: &UserId) -> Vec<Arc<Connection>> {
    call.app.realm.presence.connections(std::slice::from_ref(user)).await.pop().unwrap_or_default()
}

pub(crate) async fn query(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let accounts = call.required("To_Account", request.accounts.filter(|accounts| !accounts.is_empty()))?;
    if accounts.len() > limits::STATUSES {
        return Err(call.parameter(format!("To_Account: at most {} accounts", limits::STATUSES)));
    }
    let detailed = request.is_need_detail == Some(1);
    let accounts: Vec<String> =
        accounts.into_iter().map(|account| super::spelled(call, Some(account))).collect::<Result<_, _>>()?;
    let (mut query_result, mut error_list) = (Vec::new(), Vec::new());
    for (account, user) in accounts.iter().zip(known(call, &accounts).await?) {
        let Some(user) = user else {
            error_list.push(Unknown { account: account.clone(), error_code: Code::AccountMissing.row().0 });
            continue;
        };
        let connections = connections(call, &user).await;
        let status = status_name(&connections);
        let detail = if detailed { platforms(&connections) } else { Vec::new() };
        query_result.push(OnlineStatus { account: account.clone(), status, state: status, detail });
    }
    envelope::with(&OnlineResponse { query_result, error_list })
}

/// The users with these accounts, in order. Admins need no account of their own.
async fn known(call: &Call<'_>, accounts: &[String]) -> Result<Vec<Option<UserId>>, Failure> {
    let users: Vec<Option<UserId>> = accounts.iter().map(|account| UserId::new(account.as_str()).ok()).collect();
    let found = call.ask(FindUsers { ids: users.iter().flatten().cloned().collect(), folded: false }).await?;
    let mut found = found.0.into_iter();
    let mut is_there = |user: UserId| {
        let account = found.next().flatten();
        (account.is_some() || call.app.is_admin(user.as_str())).then_some(user)
    };
    Ok(users.into_iter().map(|user| user.and_then(&mut is_there)).collect())
}

/// The platforms without duplicates, in the order of connecting.
fn platforms(connections: &[Arc<Connection>]) -> Vec<OnPlatform> {
    let mut shown: Vec<OnPlatform> = Vec::new();
    for connection in connections {
        let on = OnPlatform { platform: word(connection.platform), status: ONLINE };
        if !shown.contains(&on) {
            shown.push(on);
        }
    }
    shown
}

/// The vendor's name of a platform. It has none for unknown ones.
pub(crate) fn word(platform: Platform) -> &'static str {
    match platform {
        Platform::Ios => "iPhone",
        Platform::Android => "Android",
        Platform::Harmony => "Harmony",
        Platform::Desktop => "PC",
        Platform::MiniProgram => "MiniProgram",
        Platform::Web | Platform::Unknown => "Web",
    }
}
