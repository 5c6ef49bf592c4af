//! Editing messages.

use std::collections::BTreeMap;

use crate::decision::Draft;
use crate::event::{Actor, Happening};
use crate::facts::Stop;
use crate::model::{Body, Circle, GroupId, Message};
use crate::refusal::{Needs, Refusal};

use super::Rule;
use super::common::{apply_labels, message_audience, unrecalled_message};

/// Changes a message that was sent: everybody who reads it from now on reads the new one. Senders change their own,
/// the app any.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeMessage {
    /// The group of the message.
    pub group: GroupId,
    /// The number of the message.
    pub sequence: u64,
    /// The new body; `None` keeps the body.
    pub body: Option<Body>,
    /// New values of labels; `None` removes one, others are kept.
    pub labels: BTreeMap<String, Option<String>>,
    /// Only if it was changed so often ([`Edited::edits`]); `None` changes it whatever it says now.
    pub edits: Option<u32>,
}

/// A message as it is after a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edited {
    /// How often it was changed; a change that changes nothing does not count.
    pub edits: u32,
}

impl Rule for ChangeMessage {
    type Output = Edited;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<Edited, Stop> {
        let group = draft.group(&self.group)?;
        if let Actor::User { .. } = draft.context.actor {
            draft.live_group(&self.group)?;
            draft.permitted(&group, Circle::Members)?;
        }
        let before = unrecalled_message(draft, &self.group, self.sequence)?;
        if let Actor::User { user, .. } = draft.context.actor
            && !before.is_by(user)
        {
            return Err(Refusal::NotPermitted { group: group.id, needs: Needs::App }.into());
        }
        if self.edits.is_some_and(|edits| edits != before.traits.edits) {
            return Err(Refusal::VersionConflict { group: group.id, current: before.traits.edits.into() }.into());
        }
        let mut message = Message::clone(&before);
        if let Some(body) = &self.body {
            message.body = body.clone();
            // labels that repeat the old body in a surface's own format would contradict the new one
            message.labels.retain(|label, _| !Message::repeats_body(label));
        }
        apply_labels(&self.labels, &mut message.labels);
        if message == *before {
            return Ok(Edited { edits: before.traits.edits });
        }
        message.traits.changed = true;
        message.traits.edits = before.traits.edits.saturating_add(1);
        draft.put_group(group);
        let what = Happening::MessageChanged { sequence: message.sequence, id: message.id.clone() };
        draft.emit(Some(&self.group), message_audience(&message), what);
        let edits = message.traits.edits;
        draft.put_message(message);
        Ok(Edited { edits })
    }
}
