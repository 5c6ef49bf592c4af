//! Taking messages back.

use crate::decision::Draft;
use crate::event::{Actor, Audience, Happening};
use crate::facts::Stop;
use crate::model::{Body, GroupId, Key, Message, MessageState, Prefix, Row, Sender, UserId};
use crate::refusal::{Needs, Refusal};

use super::Rule;
use super::common::check_app;

/// Recalls messages; a recall notice replaces them, and their content is deleted. Senders recall their own within the
/// realm's window, the app recalls any at any time. Each is recalled or refused separately.
#[derive(Debug, Clone, PartialEq)]
pub struct RecallMessages {
    /// The group of the messages.
    pub group: GroupId,
    /// The numbers of the messages to recall.
    pub sequences: Vec<u64>,
    /// The reason, which is stored with the recalled messages; "" when there is none.
    pub reason: String,
}

/// The outcome for each message, in the requested order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Recalled {
    /// Its number, and whether it was recalled, or why not.
    pub outcomes: Vec<(u64, Result<(), Refusal>)>,
}

impl Rule for RecallMessages {
    type Output = Recalled;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<Recalled, Stop> {
        let group = draft.group(&self.group)?;
        if matches!(draft.context.actor, Actor::User { .. }) {
            draft.permitted(&group, crate::model::Circle::Members)?;
        }
        draft.require(self.sequences.iter().map(|sequence| Key::Message(self.group.clone(), *sequence)))?;
        let mut outcomes = Vec::with_capacity(self.sequences.len());
        let mut gone = Vec::new();
        for sequence in &self.sequences {
            let key = Key::Message(self.group.clone(), *sequence);
            let message = draft.row(&key)?.as_ref().and_then(Row::message).cloned();
            let message = message.filter(|message| message.sequence >= group.first_message);
            let outcome = match message {
                Some(message) => self.recall(draft, Message::clone(&message)),
                None => Err(self.missing(*sequence)),
            };
            if outcome.is_ok() {
                gone.push(*sequence);
            }
            outcomes.push((*sequence, outcome));
        }
        if !gone.is_empty() {
            draft.put_group(group);
            let what = Happening::MessagesRecalled { sequences: gone, reason: self.reason.clone() };
            draft.emit_to_members(&self.group, what);
        }
        Ok(Recalled { outcomes })
    }
}

impl RecallMessages {
    fn missing(&self, sequence: u64) -> Refusal {
        Refusal::MessageNotFound { group: self.group.clone(), sequence }
    }

    fn recall(&self, draft: &mut Draft<'_>, mut message: Message) -> Result<(), Refusal> {
        let (group, sequence) = (self.group.clone(), message.sequence);
        match message.state {
            MessageState::Kept => {}
            MessageState::Recalled { .. } => return Err(Refusal::MessageRecalled { group, sequence }),
            MessageState::Deleted => return Err(self.missing(sequence)),
        }
        if let Actor::User { user, .. } = draft.context.actor {
            if message.sender != Sender::User(user.clone()) {
                return Err(Refusal::NotPermitted { group, needs: Needs::App });
            }
            if message.at.plus(draft.context.settings.recall_window) < draft.now() {
                return Err(Refusal::RecallTooLate { group, sequence });
            }
        }
        let by = draft.context.actor.behind().cloned();
        message.state = MessageState::Recalled { by, at: draft.now(), reason: self.reason.clone() };
        empty(draft, message);
        Ok(())
    }
}

/// Deletes the latest messages of one sender. Only the app may do this; clients are not notified.
#[derive(Debug, Clone, PartialEq)]
pub struct DeleteMessagesBySender {
    /// The group whose latest messages are looked at.
    pub group: GroupId,
    /// Whose messages are deleted.
    pub sender: UserId,
    /// How many of the group's latest messages are looked at.
    pub among: usize,
}

/// The deleted messages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Deleted {
    /// Their numbers, latest first.
    pub sequences: Vec<u64>,
}

impl Rule for DeleteMessagesBySender {
    type Output = Deleted;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<Deleted, Stop> {
        check_app(draft)?;
        let group = draft.group(&self.group)?;
        let sender = Sender::User(self.sender.clone());
        let mut sequences = Vec::new();
        for row in draft.recent(Prefix::messages(&self.group), self.among)?.iter() {
            let Some(message) = row.message() else { continue };
            let is_older = message.sequence < group.first_message;
            if is_older || message.sender != sender || message.state != MessageState::Kept {
                continue;
            }
            let mut message = Message::clone(message);
            message.state = MessageState::Deleted;
            sequences.push(message.sequence);
            empty(draft, message);
        }
        if !sequences.is_empty() {
            draft.put_group(group);
            let audience = Audience { members_of: Some(self.group.clone()), users: Vec::new(), silent: true };
            let what = Happening::MessagesDeleted { sequences: sequences.clone() };
            draft.emit(Some(&self.group), audience, what);
        }
        Ok(Deleted { sequences })
    }
}

/// Deletes the content in every form it was stored.
fn empty(draft: &mut Draft<'_>, mut message: Message) {
    message.body = Body::Text(String::new());
    message.mention = None;
    message.labels.retain(|label, _| Message::identifies(label));
    if message.traits.extensible {
        draft.delete(Key::Extensions(message.group.clone(), message.sequence));
    }
    draft.put_message(message);
}
