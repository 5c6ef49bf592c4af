//! A decision about a topic: the group's rules, seen from one strand of its conversation.

use std::borrow::Cow;

use super::Draft;
use crate::facts::Stop;
use crate::model::{Group, GroupId, Key, Row, Topic, TopicId};
use crate::refusal::Refusal;

impl Draft<'_> {
    /// A topic that has not ended; refuses when there is none.
    pub fn topic(&self, group: &GroupId, id: &TopicId) -> Result<Topic, Stop> {
        let row = self.row(&Key::Topic(group.clone(), id.clone()))?;
        match row.as_ref().and_then(Row::topic) {
            Some(topic) if topic.ended.is_none() => Ok(Topic::clone(topic)),
            other => {
                let ended = other.is_some();
                Err(Refusal::TopicNotFound { group: group.clone(), topic: id.clone(), ended }.into())
            }
        }
    }

    /// Switches the draft to a topic of the group: rules then see the topic's numbers, messages and mutes instead of
    /// the group's, and events are emitted for the topic.
    pub fn enter(&mut self, topic: Topic) {
        self.strand = Some(topic);
    }

    /// Where a row is, seen from the topic.
    pub(super) fn place<'k>(&self, key: &'k Key) -> Cow<'k, Key> {
        let Some(Topic { group: home, id, .. }) = &self.strand else { return Cow::Borrowed(key) };
        match key {
            Key::Message(group, sequence) if group == home => {
                Cow::Owned(Key::TopicMessage(group.clone(), id.clone(), *sequence))
            }
            Key::Mute(group, user) if group == home => {
                Cow::Owned(Key::TopicMute(group.clone(), id.clone(), user.clone()))
            }
            Key::Sent(group, sender, token) if group == home => {
                Cow::Owned(Key::Sent(group.clone(), sender.clone(), format!("{id}:{token}")))
            }
            _ => Cow::Borrowed(key),
        }
    }

    /// The header, seen from the topic.
    pub(super) fn seen(&self, group: Group) -> Group {
        match &self.strand {
            Some(topic) if topic.group == group.id => Group {
                next_message: topic.next_message,
                first_message: 1,
                last_message: topic.last_message,
                all_muted: group.all_muted || topic.all_muted,
                ..group
            },
            _ => group,
        }
    }

    /// Takes the topic's part of a header as seen from the topic; returns the group's part.
    pub(super) fn taken(&mut self, group: Group, before: Option<&Group>) -> Group {
        let (Some(topic), Some(before)) = (&mut self.strand, before) else { return group };
        if topic.group != group.id {
            return group;
        }
        let said = group.next_message - topic.next_message;
        topic.next_message = group.next_message;
        topic.last_message = group.last_message;
        let topic = topic.clone();
        self.put(Key::Topic(group.id.clone(), topic.id.clone()), topic);
        Group {
            next_message: before.next_message,
            first_message: before.first_message,
            last_message: before.last_message,
            all_muted: before.all_muted,
            topic_messages: group.topic_messages + said,
            ..group
        }
    }
}
