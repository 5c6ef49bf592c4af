//! Queries of topics and their messages. Members only.

use std::sync::Arc;

use crate::bounds::{PAGE_BYTES, message_bytes};
use crate::model::{Circle, GroupId, Key, Message, Mute, Prefix, Row, Topic, TopicId};
use crate::operation::is_open;
use crate::ports::Span;
use crate::refusal::Refusal;

use super::Reader;
use super::messages::{own_membership, sees};

/// Topics of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topics {
    /// The group whose topics are read.
    pub group: GroupId,
    /// Which; `None` is all that have not ended, by id.
    pub topics: Option<Vec<TopicId>>,
}

/// One entry for each topic, in the requested order.
#[derive(Debug, Clone, PartialEq)]
pub struct TopicsFound(pub Vec<(TopicId, Result<Arc<Topic>, Refusal>)>);

impl Topics {
    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<TopicsFound, Refusal> {
        let group = reader.group_seen_by(&self.group, Circle::Members).await?;
        let Some(wanted) = self.topics else {
            let rows = reader.store.scan(&Span::all(Prefix::topics(&group.id))).await?;
            let open = rows.iter().map(|(_, row)| row).filter(|row| is_open(row)).filter_map(Row::topic);
            return Ok(TopicsFound(open.map(|topic| (topic.id.clone(), Ok(topic.clone()))).collect()));
        };
        let keys: Vec<Key> = wanted.iter().map(|id| Key::Topic(group.id.clone(), id.clone())).collect();
        let rows = reader.store.fetch(&keys).await?;
        let found = wanted.into_iter().zip(rows).map(|(id, row)| {
            let topic = open_topic(&group.id, &id, row.as_ref());
            (id, topic)
        });
        Ok(TopicsFound(found.collect()))
    }
}

fn open_topic(group: &GroupId, id: &TopicId, row: Option<&Row>) -> Result<Arc<Topic>, Refusal> {
    let found = row.filter(|row| is_open(row)).and_then(Row::topic).cloned();
    found.ok_or_else(|| Refusal::TopicNotFound { group: group.clone(), topic: id.clone(), ended: row.is_some() })
}

/// Refuses when there is no such topic.
async fn check_topic(reader: &Reader<'_>, group: &GroupId, topic: &TopicId) -> Result<(), Refusal> {
    let row = reader.row(Key::Topic(group.clone(), topic.clone())).await?;
    open_topic(group, topic, row.as_ref()).map(drop)
}

/// A page of a topic's messages by number, latest first; recalled and deleted ones too, see their state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicMessages {
    /// The group of the topic.
    pub group: GroupId,
    /// The topic whose messages are read.
    pub topic: TopicId,
    /// Where to begin, itself included; `None` is the last.
    pub from: Option<u64>,
    /// Most messages in the page, of which there are fewer where they are long, as in [`Messages`](super::Messages).
    pub limit: usize,
}

/// A page of messages.
#[derive(Debug, Clone, PartialEq)]
pub struct TopicPage {
    /// The messages, latest first.
    pub messages: Vec<Arc<Message>>,
    /// The number where the next page begins, if there is more.
    pub next: Option<u64>,
}

impl TopicMessages {
    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<TopicPage, Refusal> {
        let group = reader.group_seen_by(&self.group, Circle::Members).await?;
        check_topic(reader, &self.group, &self.topic).await?;
        let own = own_membership(reader, &self.group).await?;
        let after = self.from.and_then(|from| from.checked_add(1));
        let after = after.map(|after| Key::TopicMessage(self.group.clone(), self.topic.clone(), after).encode());
        let prefix = Prefix::topic_messages(&self.group, &self.topic);
        let span = Span::first(prefix, self.limit.saturating_add(1)).descending().after(after);
        let rows = reader.store.scan(&span).await?;
        let mut messages: Vec<Arc<Message>> = rows.iter().filter_map(|(_, row)| row.message()).cloned().collect();
        let mut bytes = 0;
        let within = messages.iter().take_while(|message| {
            let fits = bytes < PAGE_BYTES;
            bytes += message_bytes(message);
            fits
        });
        let limit = within.count().min(self.limit);
        let next = messages.get(limit).map(|message| message.sequence);
        messages.truncate(limit);
        messages.retain(|message| sees(reader, &group, own.as_deref(), message));
        Ok(TopicPage { messages, next })
    }
}

/// The mutes of a topic that hold now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicMutes {
    /// The group of the topic.
    pub group: GroupId,
    /// The topic whose mutes are read.
    pub topic: TopicId,
}

/// The mutes, by user.
#[derive(Debug, Clone, PartialEq)]
pub struct TopicMutesFound(pub Vec<Arc<Mute>>);

impl TopicMutes {
    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<TopicMutesFound, Refusal> {
        reader.group_seen_by(&self.group, Circle::Members).await?;
        check_topic(reader, &self.group, &self.topic).await?;
        let rows = reader.store.scan(&Span::all(Prefix::topic_mutes(&self.group, &self.topic))).await?;
        let mutes = rows.iter().filter_map(|(_, row)| row.mute()).filter(|mute| mute.until.holds_at(reader.now));
        Ok(TopicMutesFound(mutes.cloned().collect()))
    }
}
