//! Keys and values that are added to a message.

use std::collections::BTreeMap;

use crate::decision::Draft;
use crate::event::{Actor, Happening};
use crate::facts::Stop;
use crate::model::{Circle, Extensions, GroupId, Key, Row};
use crate::refusal::{Limit, Refusal};

use super::Rule;
use super::SpeakCheck;
use super::common::{message_audience, unrecalled_message};
use super::send_message::check_may_speak;

/// One key to write or remove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtensionChange {
    /// The key to write or to remove.
    pub key: String,
    /// The new value; `None` removes the key. Removing a missing key changes nothing.
    pub value: Option<String>,
    /// The version of the key that the writer has read, 0 if the key did not exist; `None` overwrites any version.
    pub seen: Option<u64>,
}

/// Writes the extensions of a message; for its recipients and the app. Each key is written or refused separately; all
/// written ones get one version, one higher than the last.
#[derive(Debug, Clone, PartialEq)]
pub struct WriteExtensions {
    /// The group of the message.
    pub group: GroupId,
    /// The message's number.
    pub sequence: u64,
    /// All are removed first.
    pub clear: bool,
    /// What is written then.
    pub changes: Vec<ExtensionChange>,
    /// Most keys of a message.
    pub most: Option<u32>,
    /// Whether members who may not send messages are refused.
    pub check: SpeakCheck,
}

/// What became of each key.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ExtensionsWritten {
    /// One entry for each, in the requested order: the new version, or why it was not written.
    pub outcomes: Vec<(String, Result<u64, Refusal>)>,
    /// All there is afterwards.
    pub now: Extensions,
}

impl Rule for WriteExtensions {
    type Output = ExtensionsWritten;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<ExtensionsWritten, Stop> {
        let place = Key::Extensions(self.group.clone(), self.sequence);
        draft.require([
            Key::Group(self.group.clone()),
            Key::Message(self.group.clone(), self.sequence),
            place.clone(),
        ])?;
        let group = draft.live_group(&self.group)?;
        draft.permitted(&group, Circle::Members)?;
        if let (Actor::User { user, .. }, SpeakCheck::Enforced) = (draft.context.actor, self.check) {
            check_may_speak(draft, &group, user)?;
        }
        let message = unrecalled_message(draft, &self.group, self.sequence)?;
        if let Actor::User { user, .. } = draft.context.actor
            && !message.is_for(user)
        {
            return Err(Refusal::MessageNotFound { group: self.group.clone(), sequence: self.sequence }.into());
        }
        if !message.traits.extensible {
            return Err(Refusal::NotExtensible { group: self.group.clone(), sequence: self.sequence }.into());
        }
        let before = draft.row(&place)?.as_ref().and_then(Row::extensions).map(|row| Extensions::clone(row));
        let before = before.unwrap_or_default();
        let mut now = Extensions { version: before.version + 1, ..before.clone() };
        if self.clear && !now.entries.is_empty() {
            now.entries.clear();
            now.cleared = now.version;
        }
        let outcomes: Vec<_> =
            self.changes.iter().map(|change| (change.key.clone(), self.write(&mut now, change))).collect();
        if now.entries == before.entries {
            // the unused version is not stored
            let as_before = |(key, outcome): (String, Result<u64, Refusal>)| (key, outcome.map(|_| before.version));
            return Ok(ExtensionsWritten { outcomes: outcomes.into_iter().map(as_before).collect(), now: before });
        }
        draft.put_group(group);
        draft.emit(Some(&self.group), message_audience(&message), self.event(&before, &now));
        draft.put(place, now.clone());
        Ok(ExtensionsWritten { outcomes, now })
    }
}

impl WriteExtensions {
    fn write(&self, all: &mut Extensions, change: &ExtensionChange) -> Result<u64, Refusal> {
        let current = all.entries.get(&change.key).map_or(0, |(_, version)| *version);
        if change.seen.is_some_and(|seen| seen != current) {
            return Err(Refusal::VersionConflict { group: self.group.clone(), current });
        }
        match &change.value {
            None => {
                all.entries.remove(&change.key);
            }
            Some(value) => {
                let now = all.entries.len() as u64 + u64::from(current == 0);
                if let Some(most) = self.most.filter(|most| now > u64::from(*most)) {
                    return Err(Refusal::LimitReached { limit: Limit::Extensions, most: most.into(), now });
                }
                all.entries.insert(change.key.clone(), (value.clone(), all.version));
            }
        }
        Ok(all.version)
    }

    fn event(&self, before: &Extensions, now: &Extensions) -> Happening {
        let written = now.entries.iter().filter(|(_, (_, version))| *version == now.version);
        let set: BTreeMap<String, String> = written.map(|(key, (value, _))| (key.clone(), value.clone())).collect();
        let removed = before.entries.keys().filter(|key| !now.entries.contains_key(*key)).cloned().collect();
        let cleared = now.cleared == now.version;
        Happening::ExtensionsChanged { sequence: self.sequence, version: now.version, set, removed, cleared }
    }
}
