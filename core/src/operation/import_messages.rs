//! Importing messages.

use crate::decision::Draft;
use crate::facts::Stop;
use crate::model::{Body, GroupId, Labels, Message, MessageState, Millis, Sender, Traits};
use crate::refusal::Refusal;

use super::Rule;
use super::common::check_app;

/// A message from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldMessage {
    /// The sender, member or not.
    pub sender: Sender,
    /// When: not before the group's creation or its last message, and not in the future.
    pub at: Millis,
    /// The content of the message.
    pub body: Body,
    /// Words only one surface has.
    pub labels: Labels,
}

/// Adds imported messages to a group's history, in the given order. Only the app may do this; nobody is notified, and
/// nothing counts as unread.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportMessages {
    /// The group whose history they are added to.
    pub group: GroupId,
    /// The messages, oldest first.
    pub messages: Vec<OldMessage>,
}

/// What became of each message, in the order given.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Imported {
    /// Its number, or why it was left out.
    pub outcomes: Vec<Result<u64, Refusal>>,
}

impl Rule for ImportMessages {
    type Output = Imported;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<Imported, Stop> {
        check_app(draft)?;
        let mut group = draft.group(&self.group)?;
        let first = group.next_message;
        let mut outcomes = Vec::with_capacity(self.messages.len());
        for old in &self.messages {
            let earliest = group.last_message.unwrap_or(group.created);
            if old.at > draft.now() || old.at < earliest {
                let rule = "an imported message must not be older than the last one, nor from the future";
                outcomes.push(Err(Refusal::InvalidValue(rule)));
                continue;
            }
            let message = Message {
                id: draft.mint_message()?,
                group: group.id.clone(),
                sequence: group.next_message,
                sender: old.sender.clone(),
                at: old.at,
                body: old.body.clone(),
                targets: Vec::new(),
                mention: None,
                counted: false,
                shown_last: true,
                token: None,
                state: MessageState::Kept,
                traits: Traits::default(),
                labels: old.labels.clone(),
            };
            outcomes.push(Ok(message.sequence));
            group.next_message += 1;
            group.last_message = Some(old.at);
            if group.policy.history {
                draft.put_message(message);
            }
        }
        if group.next_message > first {
            group.active = true;
            draft.put_group(group);
        }
        Ok(Imported { outcomes })
    }
}
