//! `/message/recall.json`: recalls a message in the name of its sender.
//!
//! Known from the vendor's server SDKs; the response for a missing message is not published.

use conclave_core::event::Actor;
use conclave_core::model::Sender;
use conclave_core::operation::RecallMessages;
use conclave_core::ports::GroupsExt;
use conclave_core::query::MessageById;
use conclave_core::refusal::Refusal;

use crate::dialect::message;
use crate::refusals::{Code, Failure};
use crate::rest::{Call, envelope};

/// The conversation type of groups.
const GROUP: &str = "3";

pub(crate) async fn recall(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let from = call.user_id("fromUserId")?;
    if call.required("conversationType")? != GROUP {
        return Err(Code::Parameter.saying("conversationType must be 3: only groups are served"));
    }
    let group = call.as_group_id(call.required("targetId")?)?;
    call.required("sentTime")?;
    call.number("sentTime", 0, 0..=u64::MAX)?;
    let reason = call.form.value("extra").unwrap_or_default().to_owned();

    let unknown = || Code::Parameter.saying("messageUID is illegal");
    let id = message::id_of(call.required("messageUID")?).ok_or_else(unknown)?;
    let found = call.app.realm.groups.ask(&Actor::app(), MessageById { message: id }).await;
    let sent = match found {
        Ok(found) => found.0,
        Err(Refusal::MessageIdNotFound(_)) => return Err(unknown()),
        Err(refusal) => return Err(call.failure(&refusal)),
    };
    if sent.group != group {
        return Err(unknown());
    }
    if !matches!(&sent.sender, Sender::User(sender) if *sender == from) {
        return Err(Code::Parameter.saying("fromUserId is not the sender"));
    }
    let recall = RecallMessages { group, sequences: vec![sent.sequence], reason };
    let actor = Actor::App { for_user: Some(from) };
    let recalled = call.app.realm.groups.run(&actor, recall).await.map_err(|refusal| call.failure(&refusal))?;
    for (_, outcome) in recalled.outcomes {
        match outcome {
            // repeated because the response was lost
            Ok(()) | Err(Refusal::MessageRecalled { .. }) => {}
            Err(refusal) => return Err(call.failure(&refusal)),
        }
    }
    envelope::done()
}
