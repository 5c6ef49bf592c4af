//! Queries of messages.

use std::sync::Arc;

use crate::bounds::{PAGE_BYTES, message_bytes};
use crate::event::Actor;
use crate::model::{Circle, Group, GroupId, Key, Member, Message, MessageId, Millis, Prefix, Row};
use crate::ports::Span;
use crate::refusal::Refusal;

use super::Reader;

/// Where reading begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At the first message, or the last when newest come first.
    Edge,
    /// At this number, itself included; the next one there is when it is not.
    Sequence(u64),
    /// At the first message not before this time; at the last not after it when newest come first.
    Time(Millis),
}

/// A page of a group's messages by number, including recalled and deleted ones: see their state. Members only, and only
/// what they may see: messages that were sent to them, and earlier ones only if the policy shows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Messages {
    /// The group whose messages are read.
    pub group: GroupId,
    /// Where to begin.
    pub start: Start,
    /// Latest first.
    pub newest_first: bool,
    /// Most messages in the page. It has fewer where they are long: a page ends with the message that brings it to
    /// [`PAGE_BYTES`](crate::bounds::PAGE_BYTES).
    pub limit: usize,
}

/// A page of messages.
#[derive(Debug, Clone, PartialEq)]
pub struct MessagePage {
    /// The group of the messages, as it is now.
    pub group: Arc<Group>,
    /// The messages, in the requested order.
    pub messages: Vec<Arc<Message>>,
    /// The number where the next page begins, if there is more.
    pub next: Option<u64>,
}

/// How many rows are looked through at a time for messages the reader may see.
const CHUNK: usize = 32;

impl Messages {
    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<MessagePage, Refusal> {
        let group = reader.group_seen_by(&self.group, Circle::Members).await?;
        let own = own_membership(reader, &self.group).await?;
        let mut after = self.before_first(reader, &group).await?;
        let (mut messages, mut bytes) = (Vec::new(), 0);
        loop {
            let span = Span {
                prefix: Prefix::messages(&self.group),
                after: after.take(),
                descending: self.newest_first,
                skip: 0,
                limit: self.limit.saturating_add(1).min(CHUNK),
            };
            let rows = reader.store.scan(&span).await?;
            let last = rows.len() < span.limit;
            for (key, row) in rows {
                after = Some(key);
                let Some(message) = row.message() else { continue };
                if message.sequence < group.first_message {
                    // of a group that had the id before; ascending reads begin behind these
                    return Ok(MessagePage { group, messages, next: None });
                }
                if !sees(reader, &group, own.as_deref(), message) {
                    continue;
                }
                if messages.len() == self.limit || bytes >= PAGE_BYTES {
                    return Ok(MessagePage { group, messages, next: Some(message.sequence) });
                }
                bytes += message_bytes(message);
                messages.push(message.clone());
            }
            if last {
                return Ok(MessagePage { group, messages, next: None });
            }
        }
    }

    /// The key just before the first one to be read, in the direction of reading.
    async fn before_first(&self, reader: &Reader<'_>, group: &Group) -> Result<Option<Vec<u8>>, Refusal> {
        let first = match self.start {
            Start::Edge if self.newest_first => return Ok(None),
            Start::Edge => group.first_message,
            Start::Sequence(sequence) => sequence,
            Start::Time(at) if self.newest_first => {
                let Some(past) = self.first_not_before(reader, group, at.plus(1)).await? else { return Ok(None) };
                past.saturating_sub(1)
            }
            // nothing that late: begin behind the last
            Start::Time(at) => self.first_not_before(reader, group, at).await?.unwrap_or(group.next_message),
        };
        let key = |sequence| Key::Message(self.group.clone(), sequence).encode();
        if self.newest_first {
            return Ok(first.checked_add(1).map(key));
        }
        Ok(first.max(group.first_message).checked_sub(1).map(key))
    }

    /// The number of the first message not before a time. Times grow with numbers, so this is a binary search.
    async fn first_not_before(&self, reader: &Reader<'_>, group: &Group, at: Millis) -> Result<Option<u64>, Refusal> {
        let (mut low, mut high) = (group.first_message, group.next_message);
        let mut found = None;
        while low < high {
            let middle = low + (high - low) / 2;
            let before = Key::Message(self.group.clone(), middle - 1).encode();
            let span = Span::first(Prefix::messages(&self.group), 1).after(Some(before));
            let rows = reader.store.scan(&span).await?;
            match rows.first().and_then(|(_, row)| row.message()) {
                Some(message) if message.at < at => low = message.sequence + 1,
                Some(message) => {
                    found = Some(message.sequence);
                    high = middle;
                }
                None => high = middle,
            }
        }
        Ok(found)
    }
}

/// One message, by its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageById {
    /// The id of the message.
    pub message: MessageId,
}

/// The message.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageFound(pub Arc<Message>);

impl MessageById {
    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<MessageFound, Refusal> {
        let missing = || Refusal::MessageIdNotFound(self.message.clone());
        let place = reader.row(Key::MessageById(self.message.clone())).await?;
        let place = place.as_ref().and_then(Row::to_message).ok_or_else(missing)?;
        let (id, sequence) = &**place;
        let message = reader.row(Key::Message(id.clone(), *sequence)).await?;
        let message = message.as_ref().and_then(Row::message).ok_or_else(missing)?;
        let header = reader.row(Key::Group(id.clone())).await?;
        if header.as_ref().and_then(Row::group).is_some_and(|group| *sequence < group.first_message) {
            return Err(missing());
        }
        if matches!(reader.actor, Actor::User { .. }) {
            let group = reader.group_seen_by(id, Circle::Members).await?;
            let own = own_membership(reader, id).await?;
            if !sees(reader, &group, own.as_deref(), message) {
                return Err(missing());
            }
        }
        Ok(MessageFound(message.clone()))
    }
}

pub(super) async fn own_membership(reader: &Reader<'_>, group: &GroupId) -> Result<Option<Arc<Member>>, Refusal> {
    let Actor::User { user, .. } = reader.actor else { return Ok(None) };
    let row = reader.row(Key::Member(group.clone(), user.clone())).await?;
    Ok(row.as_ref().and_then(Row::member).cloned())
}

/// Whether the reader may see what happened in a group at a given time: the app sees everything.
pub(super) fn sees_since(reader: &Reader<'_>, group: &Group, own: Option<&Member>, at: Millis) -> bool {
    if !matches!(reader.actor, Actor::User { .. }) {
        return true;
    }
    own.is_some_and(|own| group.policy.history_before_join || at >= own.joined)
}

/// Whether the reader may see a message: the app sees all.
pub(super) fn sees(reader: &Reader<'_>, group: &Group, own: Option<&Member>, message: &Message) -> bool {
    let Actor::User { user, .. } = reader.actor else { return true };
    message.is_for(user) && sees_since(reader, group, own, message.at)
}
