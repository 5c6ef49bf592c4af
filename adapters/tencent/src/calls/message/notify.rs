//! `send_group_system_notification`: a notice of the app to members that is not a message.

use conclave_core::operation::GiveNotice;
use serde::Deserialize;

use crate::calls::wire::Account;
use crate::calls::{Call, envelope};
use crate::dialect::kind::Kind;
use crate::dialect::limits;
use crate::refusals::{Code, Failure};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: Option<String>,
    content: Option<String>,
    #[serde(rename = "ToMembers_Account")]
    to: Option<Vec<Account>>,
    topic_id: Option<String>,
}

pub(crate) async fn notify(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let group = call.group_id(request.group_id)?;
    let content = call.required("Content", request.content.filter(|content| !content.is_empty()))?;
    if content.len() > limits::MESSAGE {
        return Err(Code::TextTooLong.into());
    }
    let targets = match request.to.filter(|to| !to.is_empty()) {
        Some(to) => call.user_ids("ToMembers_Account", Some(to), limits::NOTICED, Code::TooManyAccounts)?,
        None => Vec::new(),
    };
    // the vendor's server does not know who is in a live room: it notifies all or nobody
    if !targets.is_empty() && Kind::of(&*call.group(&group).await?) == Kind::AvChatRoom {
        return Err(Code::NoPermission.into());
    }
    let topic = call.topic_id(request.topic_id)?;
    call.run_at(topic.as_ref(), GiveNotice { group, content, targets }).await?;
    envelope::done()
}
