//! Projects read receipts to the SDK's event changes, for the senders of the messages.

use std::collections::HashMap;
use std::sync::Arc;

use conclave_core::event::Actor;
use conclave_core::model::{GroupId, Message, MessageState};
use conclave_core::ports::GroupsExt as _;
use conclave_core::query::{ReadCount, Receipts as ReadCounts};
use conclave_core::refusal::Refusal;
use prost::Message as _;

use super::Reader;
use super::changes::bare;
use super::inbox::stored;
use crate::dialect::events::{Fact, What};
use crate::dialect::{limits, message};
use crate::socket::call::millis;
use crate::socket::message::receipts::{count, is_mentioned};
use crate::socket::wire::{EventChange, MsgReadEvent, ReceiptUser};

/// The number of this change type.
const RECEIPT: i32 = 36;

/// The messages that receipts are about, with how many have read each by now.
pub(super) struct Receipts(HashMap<(GroupId, u64), (Arc<Message>, ReadCount)>);

impl Receipts {
    /// Those of the reader's own messages. Each is counted once, however many events are about it.
    pub(super) async fn of(reader: Reader<'_>, facts: &[Fact<'_>]) -> Result<Self, Refusal> {
        let mut wanted: HashMap<GroupId, Vec<u64>> = HashMap::new();
        for fact in facts {
            let (What::Read { sequences, .. }, Some(group)) = (&fact.what, &fact.event.group) else { continue };
            let of_group = wanted.entry(group.clone()).or_default();
            for sequence in *sequences {
                if !of_group.contains(sequence) {
                    of_group.push(*sequence);
                }
            }
        }
        let mut found = HashMap::new();
        for (group, sequences) in wanted {
            let ask = ReadCounts { group: group.clone(), sequences, most_members: Some(limits::READERS) };
            let counts = match reader.app.realm.groups.ask(&Actor::app(), ask).await {
                Ok(counts) => counts.0,
                // the group was deleted since, or has outgrown receipts
                Err(Refusal::GroupNotFound { .. } | Refusal::LimitReached { .. }) => continue,
                Err(refusal) => return Err(refusal),
            };
            for (sequence, counted) in counts {
                // a message that was recalled since has no receipts
                let Ok(counted) = counted else { continue };
                let about = stored(reader.app, &group, sequence).await?;
                let about = about.filter(|about| about.state == MessageState::Kept && about.is_by(reader.user));
                if let Some(about) = about {
                    found.insert((group.clone(), sequence), (about, counted));
                }
            }
        }
        Ok(Self(found))
    }

    /// The changes of a fact: one for each message.
    pub(super) fn changes(&self, fact: &Fact<'_>) -> Vec<EventChange> {
        let (What::Read { user, sequences }, Some(group)) = (&fact.what, &fact.event.group) else {
            return Vec::new();
        };
        let found = sequences.iter().filter_map(|sequence| self.0.get(&(group.clone(), *sequence)));
        let shown = found.map(|(about, counted)| {
            let data = MsgReadEvent {
                msg_id: Some(message::uid(&about.id)),
                msg_time: Some(millis(about.at.0)),
                total_cnt: Some(count(counted.read + counted.unread)),
                read_cnt: Some(count(counted.read)),
                unread_cnt: Some(count(counted.unread)),
                read_list: vec![ReceiptUser {
                    receipt_time: Some(millis(fact.event.at.0)),
                    user_id: Some(user.to_string()),
                    mentioned: Some(is_mentioned(about, user)),
                }],
            };
            let secondary_id = Some(String::new());
            EventChange { secondary_id, event_data: Some(data.encode_to_vec()), ..bare(fact.event, RECEIPT, 0) }
        });
        shown.collect()
    }
}
