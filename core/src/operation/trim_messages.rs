//! Deletes messages that are older than the realm keeps them.

use crate::decision::Draft;
use crate::facts::Stop;
use crate::model::{Group, GroupId, Key, Message, Millis, Prefix, Row, Settings, UserId};

use super::Rule;

/// Part of [`Maintenance::trim_messages`](crate::ports::Maintenance::trim_messages): some messages of one group.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TrimMessages {
    /// The group, which may have been disbanded.
    pub(crate) group: GroupId,
    /// The keys of the messages, in the group itself or in its topics.
    pub(crate) messages: Vec<Key>,
}

impl Rule for TrimMessages {
    /// The number of messages that were deleted.
    type Output = usize;

    /// No event is emitted, and the group's time of change stays: clients notice only that the history is shorter. The
    /// header's revision grows, so that nobody who decides at the same time changes a message that is gone.
    fn decide(&self, draft: &mut Draft<'_>) -> Result<usize, Stop> {
        let header = Key::Group(self.group.clone());
        draft.require(self.messages.iter().cloned().chain([header.clone()]))?;
        let header = draft.row(&header)?.as_ref().and_then(Row::group).cloned();
        let (now, settings) = (draft.now(), draft.context.settings.clone());
        let mut deleted = 0;
        for key in &self.messages {
            let Some(message) = draft.row(key)?.as_ref().and_then(Row::message).cloned() else { continue };
            if !is_old(&message, now, &settings) || is_pinned(header.as_deref(), key, &message) {
                continue;
            }
            draft.delete(key.clone());
            deleted += 1;
            // messages in topics have no index by id, no receipts and no extensions
            if let Key::Message(group, sequence) = key {
                draft.delete(Key::MessageById(message.id.clone()));
                draft.delete(Key::Extensions(group.clone(), *sequence));
                if message.traits.receipts {
                    drop_receipts(draft, group, *sequence)?;
                }
            }
        }
        if let Some(header) = header.filter(|_| deleted > 0) {
            draft.renew_group(Group::clone(&header));
        }
        Ok(deleted)
    }
}

/// Whether the realm keeps a message no longer.
pub(crate) fn is_old(message: &Message, now: Millis, settings: &Settings) -> bool {
    settings.message_lifetime.is_some_and(|lifetime| message.at.plus(lifetime) <= now)
}

/// A pinned message is kept for as long as it is pinned.
fn is_pinned(header: Option<&Group>, key: &Key, message: &Message) -> bool {
    let pins = header.map_or(&[][..], |group| &group.pins);
    matches!(key, Key::Message(..)) && pins.iter().any(|pin| pin.sequence == message.sequence)
}

fn drop_receipts(draft: &mut Draft<'_>, group: &GroupId, sequence: u64) -> Result<(), Stop> {
    let prefix = Prefix::receipts(group, &sequence);
    draft.guard_run(prefix.clone())?;
    let receipts = draft.run(prefix)?;
    let readers: Vec<UserId> = receipts.iter().filter_map(Row::receipt).map(|receipt| receipt.user.clone()).collect();
    for user in readers {
        draft.delete(Key::Receipt(group.clone(), sequence, user));
    }
    Ok(())
}
