//! What members have read, message by message, where the sender wants to know.

use std::collections::BTreeMap;

use crate::decision::Draft;
use crate::event::Happening;
use crate::facts::Stop;
use crate::model::{GroupId, Key, Receipt, Sender, UserId};
use crate::refusal::{Limit, Refusal};

use super::Rule;
use super::common::{check_self, unrecalled_message};

/// A member has read messages whose senders asked for receipts. Reading twice, or one's own, changes nothing. Refused
/// as a whole when the member cannot read one of them, or when it has no receipts.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadMessages {
    /// The group of the messages.
    pub group: GroupId,
    /// Who has read them.
    pub user: UserId,
    /// The numbers of the messages that were read.
    pub sequences: Vec<u64>,
    /// What the reader says about it to the senders.
    pub note: String,
    /// Most members of a group with read receipts.
    pub most_members: Option<u32>,
}

impl Rule for ReadMessages {
    type Output = ();

    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Stop> {
        check_self(draft, &self.user)?;
        draft.require(self.keys())?;
        let group = draft.live_group(&self.group)?;
        let member = draft.sure_member(&self.group, &self.user)?;
        if let Some(most) = self.most_members.filter(|most| group.members > *most) {
            let now = group.members.into();
            return Err(Refusal::LimitReached { limit: Limit::Readers, most: most.into(), now }.into());
        }
        let mut by_sender: BTreeMap<Option<UserId>, Vec<u64>> = BTreeMap::new();
        for sequence in &self.sequences {
            let message = unrecalled_message(draft, &self.group, *sequence)?;
            let seen = message.is_for(&self.user) && (group.policy.history_before_join || message.at >= member.joined);
            if !seen {
                return Err(Refusal::MessageNotFound { group: self.group.clone(), sequence: *sequence }.into());
            }
            if !message.traits.receipts {
                return Err(Refusal::NoReceipts { group: self.group.clone(), sequence: *sequence }.into());
            }
            let key = Key::Receipt(self.group.clone(), *sequence, self.user.clone());
            if message.is_by(&self.user) || draft.row(&key)?.is_some() {
                continue;
            }
            draft.put(key, Receipt { user: self.user.clone(), at: draft.now() });
            let sender = match &message.sender {
                Sender::User(sender) => Some(sender.clone()),
                Sender::App => None,
            };
            by_sender.entry(sender).or_default().push(*sequence);
        }
        if !by_sender.is_empty() {
            draft.put_group(group);
        }
        for (sender, sequences) in by_sender {
            let what = Happening::MessagesRead { sequences, user: self.user.clone(), note: self.note.clone() };
            draft.emit_to_users(Some(&self.group), sender.into_iter().collect(), what);
        }
        Ok(())
    }
}

impl ReadMessages {
    /// All that the rule looks at, so that it is fetched in one go.
    fn keys(&self) -> Vec<Key> {
        let group = || self.group.clone();
        let of_message =
            |sequence: &u64| [Key::Message(group(), *sequence), Key::Receipt(group(), *sequence, self.user.clone())];
        let own = [Key::Group(group()), Key::Member(group(), self.user.clone())];
        own.into_iter().chain(self.sequences.iter().flat_map(of_message)).collect()
    }
}
