//! What the app has to say that is kept nowhere: notices, broadcasts, and messages that were too many.

use std::sync::Arc;

use crate::decision::Draft;
use crate::event::{Audience, Happening};
use crate::facts::Stop;
use crate::model::{Body, GroupId, Key, Labels, Row, Sender, Sent, UserId};
use crate::refusal::Refusal;

use super::common::check_app;
use super::moderation::distinct;
use super::{Rule, SendMessage};

/// Tells members something that is no message: it has no number and stands in no history. Only the app does this.
#[derive(Debug, Clone, PartialEq)]
pub struct GiveNotice {
    /// In which group.
    pub group: GroupId,
    /// What, uninterpreted.
    pub content: String,
    /// Only these members are told; empty is everybody. Who is not a member is left out; it is refused when nobody is
    /// left.
    pub targets: Vec<UserId>,
}

impl Rule for GiveNotice {
    type Output = ();

    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Stop> {
        check_app(draft)?;
        let targets = distinct(&self.targets);
        let keys = targets.iter().map(|user| Key::Member(self.group.clone(), user.clone()));
        draft.require(keys.chain([Key::Group(self.group.clone())]))?;
        let group = draft.group(&self.group)?;
        let mut users = Vec::new();
        for user in targets {
            if draft.member(&self.group, &user)?.is_some() {
                users.push(user);
            }
        }
        if users.is_empty() && !self.targets.is_empty() {
            return Err(Refusal::NotMembers { group: self.group.clone(), users: self.targets.clone() }.into());
        }
        draft.guard(Key::Group(self.group.clone()), Some(group.revision));
        let members_of = users.is_empty().then(|| self.group.clone());
        let what = Happening::Noticed { content: self.content.clone() };
        draft.tell(Some(&self.group), Audience { members_of, users, silent: false }, what);
        Ok(())
    }
}

/// Where the number of the last broadcast is kept.
const LAST: &str = "broadcasts";

/// Says the same in many groups, to whoever is there now: it is kept nowhere, and has one number of its own. Only the
/// app does this. A large realm is told in several calls, the first of which gives the number. A group that is not
/// there is left out; one that ends at that very moment may still be told.
#[derive(Debug, Clone, PartialEq)]
pub struct Broadcast {
    /// Where.
    pub groups: Vec<GroupId>,
    /// Who says it.
    pub sender: Sender,
    /// What.
    pub body: Body,
    /// The client's own token: within the realm's window the same sender's same token is the same broadcast.
    pub token: String,
    /// Words only one surface has.
    pub labels: Labels,
    /// The number that the first call gave; `None` is the first call.
    pub number: Option<u64>,
}

/// A broadcast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Aired {
    /// Its number.
    pub number: u64,
    /// It was said before: this answers the same token again.
    pub repeated: bool,
}

impl Rule for Broadcast {
    type Output = Aired;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<Aired, Stop> {
        check_app(draft)?;
        let (number, repeated) = match self.number {
            Some(number) => (number, false),
            None => self.take_number(draft)?,
        };
        if repeated {
            return Ok(Aired { number, repeated });
        }
        draft.require(self.groups.iter().map(|group| Key::Group(group.clone())))?;
        for group in &self.groups {
            if draft.find_group(group)?.is_none() {
                continue;
            }
            let one = SendMessage {
                stored: false,
                labels: self.labels.clone(),
                ..SendMessage::new(group.clone(), self.sender.clone(), self.body.clone())
            };
            let message = one.passing(draft)?;
            draft.tell_members(group, Happening::MessagePassed(Box::new(message)));
        }
        Ok(Aired { number, repeated: false })
    }
}

impl Broadcast {
    /// The number of this broadcast, and whether it has it already.
    fn take_number(&self, draft: &mut Draft<'_>) -> Result<(u64, bool), Stop> {
        let sender = match &self.sender {
            Sender::User(user) => user.as_str(),
            Sender::App => "",
        };
        let (last, own) = (Key::Note(LAST.to_owned()), Key::Note(format!("{LAST}:{sender}:{}", self.token)));
        draft.require([last.clone(), own.clone()])?;
        if let Some(sent) = draft.row(&own)?.as_ref().and_then(Row::sent)
            && sent.at.plus(draft.context.settings.dedupe_window) > draft.now()
        {
            return Ok((sent.sequence, true));
        }
        let kept = draft.row(&last)?;
        let number = kept.as_ref().and_then(Row::text).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0) + 1;
        draft.guard(last.clone(), kept.as_ref().and_then(Row::revision));
        draft.put(last, Row::Text(Arc::new(number.to_string())));
        let id = draft.mint_message()?;
        draft.put(own, Sent { id, sequence: number, at: draft.now() });
        Ok((number, false))
    }
}

/// Notes that a message was not sent, as the group has more of them than its surface takes: for the app's server.
#[derive(Debug, Clone, PartialEq)]
pub struct DropMessage {
    /// The message that was to be sent.
    pub message: SendMessage,
}

impl Rule for DropMessage {
    type Output = ();

    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Stop> {
        check_app(draft)?;
        let group = draft.group(&self.message.group)?;
        let message = self.message.passing(draft)?;
        draft.guard(Key::Group(group.id.clone()), Some(group.revision));
        let audience = Audience { silent: true, ..Audience::default() };
        let what = Happening::MessageDropped { message: Box::new(message), stored: self.message.stored };
        draft.tell(Some(&group.id), audience, what);
        Ok(())
    }
}
