//! `delete_group_msg_by_sender`: deletes the latest messages of one sender, without a notice.

use conclave_core::operation::DeleteMessagesBySender;
use serde::Deserialize;

use crate::calls::wire::Account;
use crate::calls::{Call, envelope};
use crate::dialect::kind::Kind;
use crate::dialect::limits;
use crate::refusals::Failure;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: Option<String>,
    #[serde(rename = "Sender_Account")]
    sender: Option<Account>,
    topic_id: Option<String>,
}

pub(crate) async fn delete(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let group = call.group_id(request.group_id)?;
    let sender = call.user_id("Sender_Account", request.sender)?;
    // a live room stores nothing: no error, no effect
    if Kind::of(&*call.group(&group).await?) != Kind::AvChatRoom {
        let topic = call.topic_id(request.topic_id)?;
        let delete = DeleteMessagesBySender { group, sender, among: limits::DELETED_AMONG };
        call.run_at(topic.as_ref(), delete).await?;
    }
    envelope::done()
}
