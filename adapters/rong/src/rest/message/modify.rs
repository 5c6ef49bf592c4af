//! `/message/group/modify.json`: edits the content of a message on behalf of its sender. Source: the vendor's server SDK for Java.

use conclave_core::event::Actor;
use conclave_core::model::{MessageState, Sender};
use conclave_core::operation::ChangeMessage;
use conclave_core::ports::GroupsExt as _;

use super::about;
use crate::dialect::{limits, message};
use crate::refusals::{Code, Failure};
use crate::rest::{Call, envelope};

pub(crate) async fn modify(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let from = call.user_id("fromUserId")?;
    let group = call.group_id()?;
    let content = call.required("content")?;
    if content.len() > limits::CONTENT_BYTES {
        return Err(call.too_long("content", limits::CONTENT_BYTES));
    }
    let found = about::find(call, "msgUID").await?;
    if found.group != group || found.state != MessageState::Kept {
        return Err(Code::Parameter.saying("msgUID is illegal"));
    }
    if !matches!(&found.sender, Sender::User(sender) if *sender == from) {
        return Err(Code::Parameter.saying("fromUserId is not the sender"));
    }
    let kept = message::object(&found.body, found.mention.as_ref(), &found.labels).0;
    let object_name = call.form.given("objectName").unwrap_or(&kept);
    call.check_length("objectName", object_name, limits::OBJECT_NAME)?;
    let (body, labels) = message::body(object_name, content);
    let labels = labels.into_iter().map(|(label, value)| (label, Some(value))).collect();
    let change = ChangeMessage { group, sequence: found.sequence, body: Some(body), labels, edits: None };
    let actor = Actor::App { for_user: Some(from) };
    call.app.realm.groups.run(&actor, change).await.map_err(|refusal| call.failure(&refusal))?;
    envelope::done()
}
