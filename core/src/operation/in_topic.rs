//! What is said and done in a topic.

use crate::decision::Draft;
use crate::facts::Stop;
use crate::model::{GroupId, Key, TopicId, Traits};
use crate::refusal::Refusal;

use super::{Operation, Reply};

/// Does something in a topic instead of in its group: says, changes, recalls, deletes or imports messages, gives a
/// notice, mutes and unmutes. Numbers are the topic's. A user who may not speak in the group may not in its topics.
#[derive(Debug, Clone, PartialEq)]
pub struct InTopic {
    /// In which.
    pub topic: TopicId,
    /// What.
    pub what: Operation,
}

impl InTopic {
    /// Decides it, as what is done in a group is decided.
    pub(crate) fn decide(&self, draft: &mut Draft<'_>) -> Result<Reply, Stop> {
        let id = self.group()?;
        draft.require([Key::Group(id.clone()), Key::Topic(id.clone(), self.topic.clone())])?;
        let group = draft.group(id)?;
        let topic = draft.topic(id, &self.topic)?;
        if let Operation::SendMessage(send) = &self.what {
            if send.traits != Traits::default() {
                return Err(Refusal::InvalidValue("messages in topics take neither receipts nor extensions").into());
            }
            send.check_may_speak(draft, &group)?;
        }
        draft.enter(topic);
        self.what.decide(draft)
    }

    /// The group of what is done; refuses what is not done in topics.
    fn group(&self) -> Result<&GroupId, Refusal> {
        match &self.what {
            Operation::SendMessage(what) => Ok(&what.group),
            Operation::DropMessage(what) => Ok(&what.message.group),
            Operation::ChangeMessage(what) => Ok(&what.group),
            Operation::RecallMessages(what) => Ok(&what.group),
            Operation::DeleteMessagesBySender(what) => Ok(&what.group),
            Operation::ImportMessages(what) => Ok(&what.group),
            Operation::GiveNotice(what) => Ok(&what.group),
            Operation::Mute(what) => Ok(&what.group),
            Operation::Unmute(what) => Ok(&what.group),
            _ => Err(Refusal::InvalidValue("this is not done in a topic")),
        }
    }
}
