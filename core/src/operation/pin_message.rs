//! Pinning messages in a group, and taking pins away.

use crate::decision::Draft;
use crate::event::Happening;
use crate::facts::Stop;
use crate::model::{Circle, GroupId, Pin};
use crate::refusal::{Limit, Refusal};

use super::Rule;
use super::common::unrecalled_message;

/// Pins a message, or takes its pin away. Every member may; what is so already stays as it is, without an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinMessage {
    /// The group of the message.
    pub group: GroupId,
    /// The number of the message to pin or unpin.
    pub sequence: u64,
    /// Whether it is to be pinned.
    pub pinned: bool,
    /// Most pinned messages of the group by this call.
    pub most: usize,
}

/// The outcome of [`PinMessage`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pinned {
    /// Whether the message was pinned or unpinned by this call, rather than before.
    pub changed: bool,
}

impl Rule for PinMessage {
    type Output = Pinned;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<Pinned, Stop> {
        let mut group = draft.live_group(&self.group)?;
        draft.permitted(&group, Circle::Members)?;
        let message = match unrecalled_message(draft, &self.group, self.sequence) {
            Ok(message) => Some(message),
            // a pin outlives its message
            Err(Stop::Refuse(Refusal::MessageNotFound { .. })) if !self.pinned => None,
            Err(stop) => return Err(stop),
        };
        let place = group.pins.iter().position(|pin| pin.sequence == self.sequence);
        match (place, self.pinned) {
            (Some(_), true) | (None, false) => return Ok(Pinned { changed: false }),
            (Some(place), false) => {
                group.pins.remove(place);
            }
            (None, true) => {
                let targeted = message.is_some_and(|message| !message.targets.is_empty());
                if targeted {
                    // only some members have it
                    return Err(Refusal::MessageNotFound { group: group.id, sequence: self.sequence }.into());
                }
                if group.pins.len() >= self.most {
                    return Err(Refusal::LimitReached {
                        limit: Limit::Pins,
                        most: self.most as u64,
                        now: group.pins.len() as u64,
                    }
                    .into());
                }
                let by = draft.context.actor.behind().cloned();
                group.pins.push(Pin { sequence: self.sequence, by, at: draft.now() });
            }
        }
        draft.put_group(group);
        let what = Happening::PinChanged { sequence: self.sequence, pinned: self.pinned };
        draft.emit_to_members(&self.group, what);
        Ok(Pinned { changed: true })
    }
}
