//! `set_unread_msg_num`: how many of the last messages a member has not read.

use conclave_core::operation::SetUnread;
use serde::Deserialize;

use crate::calls::wire::Account;
use crate::calls::{Call, envelope};
use crate::dialect::kind::Kind;
use crate::refusals::Failure;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: Option<String>,
    #[serde(rename = "Member_Account")]
    member: Option<Account>,
    unread_msg_num: Option<u64>,
}

pub(crate) async fn set(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let group = call.group_id(request.group_id)?;
    let user = call.user_id("Member_Account", request.member)?;
    let unread = call.required("UnreadMsgNum", request.unread_msg_num)?;
    // meetings and live rooms have no unread counts: no error, no effect
    if !matches!(Kind::of(&*call.group(&group).await?), Kind::ChatRoom | Kind::AvChatRoom) {
        call.run(SetUnread { group, users: vec![(user, unread)] }).await?;
    }
    envelope::done()
}
