//! Saying something in a group.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::decision::Draft;
use crate::event::{Actor, Happening};
use crate::facts::Stop;
use crate::model::{
    Body, Extensions, Group, GroupId, Key, Labels, Mention, Message, MessageId, MessageState, Row, Sender, Sent,
    Traits, UserId,
};
use crate::refusal::{Limit, Refusal};
use crate::speech::{Speaker, may_speak};

use super::Rule;
use super::common::message_audience;

/// Whether the rule of who may send messages is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SpeakCheck {
    /// It is.
    #[default]
    Enforced,
    /// The app sends in a user's name, whatever the group permits them.
    Skipped,
}

/// Sends a message. Users send in their own name; the app in any user's name, member or not.
#[derive(Debug, Clone, PartialEq)]
pub struct SendMessage {
    /// The group to send it to.
    pub group: GroupId,
    /// In whose name it is sent.
    pub sender: Sender,
    /// The content of the message.
    pub body: Body,
    /// Only these members receive it; empty is all. Users who are not members are skipped; refused when none remain.
    pub targets: Vec<UserId>,
    /// Most targets.
    pub most_targets: Option<u32>,
    /// Who is mentioned.
    pub mention: Option<Mention>,
    /// Counts as unread.
    pub counted: bool,
    /// It gets a number and is stored if the group has a history. Otherwise only online members receive it.
    pub stored: bool,
    /// Becomes the conversation's last message.
    pub shown_last: bool,
    /// The client's own token: within the realm's window the same sender's same token is the same message.
    pub token: Option<String>,
    /// Its id, if one was issued for it before; it gets another if that is in use.
    pub id: Option<MessageId>,
    /// Its options.
    pub traits: Traits,
    /// Its initial extensions, if it permits any.
    pub extensions: BTreeMap<String, String>,
    /// Words only one surface has.
    pub labels: Labels,
    /// Whether the rule of who may send messages is applied. It always is for a user.
    pub check: SpeakCheck,
}

impl SendMessage {
    /// An ordinary message to everybody.
    pub fn new(group: GroupId, sender: Sender, body: Body) -> Self {
        Self {
            group,
            sender,
            body,
            targets: Vec::new(),
            most_targets: None,
            mention: None,
            counted: true,
            stored: true,
            shown_last: true,
            token: None,
            id: None,
            traits: Traits::default(),
            extensions: BTreeMap::new(),
            labels: Labels::new(),
            check: SpeakCheck::Enforced,
        }
    }
}

/// A message that was sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Posted {
    /// The message. Its number is 0 when it has none.
    pub message: Arc<Message>,
    /// It was sent before: this answers the same token again.
    pub repeated: bool,
}

impl Rule for SendMessage {
    type Output = Posted;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<Posted, Stop> {
        self.check_actor(draft)?;
        let wanted = match &self.id {
            Some(id) => id.clone(),
            None => draft.mint_message_id()?,
        };
        draft.require(self.keys(&wanted))?;
        let group = draft.group(&self.group)?;
        if let Some(posted) = self.sent_before(draft, &group)? {
            return Ok(posted);
        }
        self.check_may_speak(draft, &group)?;
        let targets = self.reached(draft)?;
        let message = self.message(draft, &group, targets, wanted)?;
        self.keep(draft, group, &message)?;
        Ok(Posted { message: Arc::new(message), repeated: false })
    }
}

/// Refuses when this user may not send messages in the draft's group or topic.
pub(super) fn check_may_speak(draft: &Draft<'_>, group: &Group, user: &UserId) -> Result<(), Stop> {
    let mute = draft.row(&Key::Mute(group.id.clone(), user.clone()))?;
    let everywhere = draft.row(&Key::MuteEverywhere(user.clone()))?;
    let speaker = Speaker {
        user,
        group,
        role: draft.member(&group.id, user)?.map(|member| member.role),
        mute: mute.as_ref().and_then(Row::mute).map(|mute| &**mute),
        everywhere: everywhere.as_ref().and_then(Row::mute).map(|mute| &**mute),
        allowed: draft.row(&Key::Allowance(group.id.clone(), user.clone()))?.is_some(),
        now: draft.now(),
    };
    Ok(may_speak(&speaker)?)
}

impl SendMessage {
    fn speaker(&self) -> Option<&UserId> {
        match &self.sender {
            Sender::User(user) => Some(user),
            Sender::App => None,
        }
    }

    fn check_actor(&self, draft: &Draft<'_>) -> Result<(), Stop> {
        match draft.context.actor {
            Actor::User { user, .. } if self.speaker() != Some(user) || self.check == SpeakCheck::Skipped => {
                Err(Refusal::AppOnly.into())
            }
            _ => Ok(()),
        }
    }

    /// All that the rule looks at, so that it is fetched in one go.
    fn keys(&self, wanted: &MessageId) -> Vec<Key> {
        let group = &self.group;
        let mut keys = vec![Key::Group(group.clone()), Key::MessageById(wanted.clone())];
        keys.extend(self.token_key());
        keys.extend(self.targets.iter().map(|user| Key::Member(group.clone(), user.clone())));
        if let Some(user) = self.speaker() {
            keys.push(Key::Member(group.clone(), user.clone()));
            if self.check == SpeakCheck::Enforced {
                keys.push(Key::Mute(group.clone(), user.clone()));
                keys.push(Key::MuteEverywhere(user.clone()));
                keys.push(Key::Allowance(group.clone(), user.clone()));
            }
        }
        keys
    }

    fn token_key(&self) -> Option<Key> {
        let sender = self.speaker().map_or_else(String::new, |user| user.as_str().to_owned());
        self.token.as_ref().map(|token| Key::Sent(self.group.clone(), sender, token.clone()))
    }

    /// The message that was sent with this token before, within the deduplication window.
    fn sent_before(&self, draft: &Draft<'_>, group: &Group) -> Result<Option<Posted>, Stop> {
        let Some(key) = self.token_key() else { return Ok(None) };
        let Some(sent) = draft.row(&key)?.as_ref().and_then(Row::sent).cloned() else { return Ok(None) };
        let is_older = sent.at < group.created || (sent.sequence > 0 && sent.sequence < group.first_message);
        if is_older || sent.at.plus(draft.context.settings.dedupe_window) <= draft.now() {
            return Ok(None);
        }
        let kept = draft.row(&Key::Message(self.group.clone(), sent.sequence))?;
        let message = kept.as_ref().and_then(Row::message).filter(|message| message.id == sent.id).cloned();
        let message = message.unwrap_or_else(|| Arc::new(self.as_sent(&sent)));
        Ok(Some(Posted { message, repeated: true }))
    }

    /// Refuses when the sender may not send messages in the draft's group or topic, unless the app skips that check.
    pub(crate) fn check_may_speak(&self, draft: &Draft<'_>, group: &Group) -> Result<(), Stop> {
        match (self.speaker(), self.check) {
            (Some(user), SpeakCheck::Enforced) => check_may_speak(draft, group, user),
            _ => Ok(()),
        }
    }

    /// The targets that are members.
    fn reached(&self, draft: &Draft<'_>) -> Result<Vec<UserId>, Stop> {
        let now = self.targets.len() as u64;
        if let Some(most) = self.most_targets.filter(|most| now > u64::from(*most)) {
            return Err(Refusal::LimitReached { limit: Limit::Targets, most: most.into(), now }.into());
        }
        let mut reached: Vec<UserId> = Vec::new();
        for user in super::moderation::distinct(&self.targets) {
            if draft.member(&self.group, &user)?.is_some() {
                reached.push(user);
            }
        }
        if reached.is_empty() && !self.targets.is_empty() {
            return Err(Refusal::NotMembers {
                group: self.group.clone(),
                users: super::moderation::distinct(&self.targets),
            }
            .into());
        }
        Ok(reached)
    }

    fn message(
        &self,
        draft: &mut Draft<'_>,
        group: &Group,
        targets: Vec<UserId>,
        wanted: MessageId,
    ) -> Result<Message, Stop> {
        let is_free = draft.row(&Key::MessageById(wanted.clone()))?.is_none();
        let sent = Sent {
            id: if is_free { wanted } else { draft.mint_message()? },
            sequence: if self.stored { group.next_message } else { 0 },
            // order comes from the number; time never contradicts it
            at: draft.now().max(group.last_message.unwrap_or_default()),
            next: None,
        };
        Ok(Message { targets, ..self.as_sent(&sent) })
    }

    /// The stored message.
    pub fn as_sent(&self, sent: &Sent) -> Message {
        Message {
            id: sent.id.clone(),
            group: self.group.clone(),
            sequence: sent.sequence,
            sender: self.sender.clone(),
            at: sent.at,
            body: self.body.clone(),
            targets: self.targets.clone(),
            mention: self.mention.clone(),
            counted: self.counted,
            shown_last: self.shown_last,
            token: self.token.clone(),
            state: MessageState::Kept,
            traits: self.traits,
            labels: self.labels.clone(),
        }
    }

    fn keep(&self, draft: &mut Draft<'_>, mut group: Group, message: &Message) -> Result<(), Stop> {
        if let Some(key) = self.token_key() {
            draft.put(key, Sent { id: message.id.clone(), sequence: message.sequence, at: message.at, next: None });
        }
        let what = if self.stored && group.policy.history {
            draft.put_message(message.clone());
            self.keep_extensions(draft, message);
            Happening::MessageSent { sequence: message.sequence, id: message.id.clone() }
        } else {
            Happening::MessagePassed(Box::new(message.clone()))
        };
        if self.stored {
            self.count(draft, &mut group, message)?;
            draft.put_group(group);
        } else {
            draft.guard(Key::Group(group.id.clone()), Some(group.revision));
        }
        draft.emit(Some(&self.group), message_audience(message), what);
        Ok(())
    }

    /// What the message is sent with.
    fn keep_extensions(&self, draft: &mut Draft<'_>, message: &Message) {
        if !message.traits.extensible || self.extensions.is_empty() {
            return;
        }
        let entries = self.extensions.iter().map(|(key, value)| (key.clone(), (value.clone(), 1))).collect();
        let place = Key::Extensions(self.group.clone(), message.sequence);
        draft.put(place, Extensions { version: 1, cleared: 0, entries });
    }

    /// The same as a message without a number that is not stored.
    pub(crate) fn passing(&self, draft: &mut Draft<'_>) -> Result<Message, Stop> {
        let sent = Sent { id: draft.mint_message()?, sequence: 0, at: draft.now(), next: None };
        Ok(self.as_sent(&sent))
    }

    /// What a numbered message changes of the group and of its sender.
    fn count(&self, draft: &mut Draft<'_>, group: &mut Group, message: &Message) -> Result<(), Stop> {
        group.next_message += 1;
        group.last_message = Some(message.at);
        if !group.active {
            group.active = true;
            draft.emit_to_members(&self.group, Happening::GroupActivated);
        }
        let Some(user) = self.speaker() else { return Ok(()) };
        if let Some(mut member) = draft.member(&self.group, user)? {
            member.last_sent = Some(message.at);
            draft.put_member(member);
        }
        Ok(())
    }
}
