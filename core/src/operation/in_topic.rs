//! Operations in a topic.

use crate::decision::Draft;
use crate::facts::Stop;
use crate::model::{GroupId, Key, TopicId, Traits};
use crate::refusal::Refusal;

use super::{Operation, Reply};

/// Performs an operation in a topic instead of in its group: sending, editing, recalling, deleting or importing
/// messages, giving a notice, muting and unmuting. Numbers are the topic's. A user who may not send messages in the
/// group may not in its topics.
#[derive(Debug, Clone, PartialEq)]
pub struct InTopic {
    /// The topic, in the group that the operation names.
    pub topic: TopicId,
    /// The operation to perform in the topic.
    pub what: Operation,
}

impl InTopic {
    /// Decides it by the rules of the group.
    pub(crate) fn decide(&self, draft: &mut Draft<'_>) -> Result<Reply, Stop> {
        let id = self.group()?;
        draft.require([Key::Group(id.clone()), Key::Topic(id.clone(), self.topic.clone())])?;
        let group = draft.group(id)?;
        let topic = draft.topic(id, &self.topic)?;
        if let Operation::SendMessage(send) = &self.what {
            if send.traits != Traits::default() {
                return Err(Refusal::InvalidValue("messages in topics cannot have receipts or extensions").into());
            }
            send.check_may_speak(draft, &group)?;
        }
        draft.enter(topic);
        self.what.decide(draft)
    }

    /// The group of the operation; refuses operations that do not exist in topics.
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
            _ => Err(Refusal::InvalidValue("not possible in a topic")),
        }
    }
}
