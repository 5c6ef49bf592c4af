//! Topics: created, changed and deleted by those who may edit the group's profile.

use crate::decision::Draft;
use crate::event::{Happening, ProfileChange};
use crate::facts::Stop;
use crate::model::{Group, GroupId, Key, Millis, Prefix, Profile, Row, Topic, TopicId, UserId};
use crate::refusal::Refusal;

use super::Rule;

/// Opens a topic in a group.
#[derive(Debug, Clone, PartialEq)]
pub struct MakeTopic {
    /// The group to create the topic in.
    pub group: GroupId,
    /// Its id, which must never have been used. `None` generates one.
    pub id: Option<TopicId>,
    /// How a minted id begins.
    pub prefix: String,
    /// Its name, introduction, picture and the like.
    pub profile: Profile,
    /// Its announcement; "" is none.
    pub announcement: String,
    /// The creation time of an imported topic, not before the group's. Nobody is notified of an import.
    pub created: Option<Millis>,
}

/// The created topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicMade {
    /// The id of the new topic.
    pub topic: TopicId,
}

impl Rule for MakeTopic {
    type Output = TopicMade;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<TopicMade, Stop> {
        let mut group = editable(draft, &self.group)?;
        let created = self.created.unwrap_or(draft.now());
        if created < group.created || created > draft.now() {
            return Err(Refusal::InvalidValue(
                "the creation time of a topic must lie between that of its group and now",
            )
            .into());
        }
        let id = match &self.id {
            Some(id) => id.clone(),
            None => draft.mint_topic(&self.prefix)?,
        };
        if draft.row(&Key::Topic(self.group.clone(), id.clone()))?.is_some() {
            return Err(Refusal::TopicExists { group: self.group.clone(), topic: id }.into());
        }
        let topic = Topic {
            id: id.clone(),
            group: self.group.clone(),
            profile: self.profile.clone(),
            announcement: self.announcement.clone(),
            creator: draft.context.actor.behind().cloned(),
            created,
            next_message: 1,
            last_message: None,
            all_muted: false,
            ended: None,
        };
        group.topics += 1;
        draft.put(Key::Topic(self.group.clone(), id.clone()), topic);
        draft.put_group(group);
        if self.created.is_none() {
            let what = Happening::TopicMade { topic: id.clone(), profile: self.profile.clone() };
            draft.emit_to_members(&self.group, what);
        }
        Ok(TopicMade { topic: id })
    }
}

/// Changes a topic; `None` keeps a value.
#[derive(Debug, Clone, PartialEq)]
pub struct UpdateTopic {
    /// The group of the topic.
    pub group: GroupId,
    /// The topic to change.
    pub topic: TopicId,
    /// What changes of its profile: name, introduction, avatar and custom string.
    pub profile: ProfileChange,
    /// The new announcement; "" removes it.
    pub announcement: Option<String>,
    /// Mutes everybody, or no longer.
    pub all_muted: Option<bool>,
}

impl Rule for UpdateTopic {
    type Output = ();

    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Stop> {
        let group = editable(draft, &self.group)?;
        let mut topic = draft.topic(&self.group, &self.topic)?;
        let before = topic.clone();
        let profile = ProfileChange {
            name: change(self.profile.name.as_ref(), &mut topic.profile.name),
            introduction: change(self.profile.introduction.as_ref(), &mut topic.profile.introduction),
            avatar: change(self.profile.avatar.as_ref(), &mut topic.profile.avatar),
            custom: change(self.profile.custom.as_ref(), &mut topic.profile.custom),
            ..ProfileChange::default()
        };
        let announcement = change(self.announcement.as_ref(), &mut topic.announcement);
        let all_muted = self.all_muted.filter(|muted| *muted != topic.all_muted);
        topic.all_muted = all_muted.unwrap_or(topic.all_muted);
        if topic == before {
            return Ok(());
        }
        draft.put(Key::Topic(self.group.clone(), self.topic.clone()), topic);
        draft.put_group(group);
        let what = Happening::TopicChanged { topic: self.topic.clone(), profile, announcement, all_muted };
        draft.emit_to_members(&self.group, what);
        Ok(())
    }
}

/// Takes a new text over; what it is now, if that is another.
fn change(wanted: Option<&String>, is: &mut String) -> Option<String> {
    let wanted = wanted.filter(|wanted| *wanted != is)?;
    is.clone_from(wanted);
    Some(wanted.clone())
}

/// Ends topics; each by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct EndTopics {
    /// The group of the topics.
    pub group: GroupId,
    /// The topics to end.
    pub topics: Vec<TopicId>,
}

/// The outcome for each topic, in the requested order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TopicsEnded {
    /// Which, and whether it ended now or why not.
    pub outcomes: Vec<(TopicId, Result<(), Refusal>)>,
}

impl Rule for EndTopics {
    type Output = TopicsEnded;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<TopicsEnded, Stop> {
        let mut group = editable(draft, &self.group)?;
        draft.require(self.topics.iter().map(|topic| Key::Topic(self.group.clone(), topic.clone())))?;
        let (mut outcomes, mut ended) = (Vec::with_capacity(self.topics.len()), Vec::new());
        for id in &self.topics {
            let outcome = match draft.topic(&self.group, id) {
                Ok(topic) => {
                    end(draft, &mut group, topic)?;
                    ended.push(id.clone());
                    Ok(())
                }
                Err(Stop::Refuse(refusal)) => Err(refusal),
                Err(stop) => return Err(stop),
            };
            outcomes.push((id.clone(), outcome));
        }
        if !ended.is_empty() {
            draft.put_group(group);
            draft.emit_to_members(&self.group, Happening::TopicsEnded(ended));
        }
        Ok(TopicsEnded { outcomes })
    }
}

/// The users who may edit the group's profile manage its topics.
fn editable(draft: &Draft<'_>, group: &GroupId) -> Result<Group, Stop> {
    let group = draft.live_group(group)?;
    draft.permitted(&group, group.policy.edit_profile)?;
    Ok(group)
}

/// Its mutes end with it.
fn end(draft: &mut Draft<'_>, group: &mut Group, topic: Topic) -> Result<(), Stop> {
    for row in draft.run(Prefix::topic_mutes(&topic.group, &topic.id))?.iter() {
        if let Some(mute) = row.mute() {
            draft.delete(Key::TopicMute(topic.group.clone(), topic.id.clone(), mute.user.clone()));
        }
    }
    group.topics -= 1;
    let ended = Some(draft.now());
    draft.put(Key::Topic(topic.group.clone(), topic.id.clone()), Topic { ended, ..topic });
    Ok(())
}

/// A user is muted in no topic of a group any more.
pub(crate) fn unmute_everywhere(draft: &mut Draft<'_>, group: &Group, user: &UserId) -> Result<(), Stop> {
    if group.topics == 0 {
        return Ok(());
    }
    for row in draft.run(Prefix::topics(&group.id))?.iter() {
        if let Some(topic) = row.topic().filter(|topic| topic.ended.is_none()) {
            draft.delete(Key::TopicMute(group.id.clone(), topic.id.clone(), user.clone()));
        }
    }
    Ok(())
}

/// All topics end with their group.
pub(crate) fn end_all(draft: &mut Draft<'_>, group: &Group) -> Result<(), Stop> {
    if group.topics == 0 {
        return Ok(());
    }
    let mut last = group.clone();
    for row in draft.run(Prefix::topics(&group.id))?.iter() {
        if let Some(topic) = row.topic().filter(|topic| topic.ended.is_none()) {
            end(draft, &mut last, Topic::clone(topic))?;
        }
    }
    Ok(())
}

/// Whether a row is a topic's that has not ended.
pub(crate) fn is_open(row: &Row) -> bool {
    row.topic().is_some_and(|topic| topic.ended.is_none())
}
