//! `account_import`: creates an account, or gives an existing one a new nick and face.

use conclave_core::model::UserId;
use conclave_core::operation::NewUser;
use serde::Deserialize;

use super::{register, spelled};
use crate::calls::wire::Account;
use crate::calls::{Call, envelope};
use crate::dialect::limits;
use crate::refusals::{Code, Failure};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    #[serde(rename = "UserID")]
    user_id: Option<Account>,
    /// The older name.
    identifier: Option<Account>,
    nick: Option<String>,
    face_url: Option<String>,
}

pub(crate) async fn import(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let id = spelled(call, request.user_id.or(request.identifier))?;
    let user = UserId::new(&id).ok().filter(|_| limits::is_account(&id));
    let user = user.ok_or_else(|| call.parameter("UserID is illegal"))?;
    let user = NewUser {
        nick: request.nick.unwrap_or_default(),
        avatar: request.face_url.unwrap_or_default(),
        ..NewUser::of(user)
    };
    if register(call, vec![user]).await?.is_empty() { envelope::done() } else { Err(Code::AccountQuota.into()) }
}
