//! What the app sends that is not stored: notices, broadcasts, and messages over a limit.

use std::sync::Arc;

use crate::decision::Draft;
use crate::event::{Audience, Happening};
use crate::facts::Stop;
use crate::model::{Body, GroupId, Key, Labels, Row, Sender, Sent, UserId};
use crate::query::Cursor;
use crate::refusal::Refusal;

use super::common::check_app;
use super::moderation::distinct;
use super::{Rule, SendMessage};

/// Sends members a notice that is not a message: it has no number and is in no history. Only the app may do this.
#[derive(Debug, Clone, PartialEq)]
pub struct GiveNotice {
    /// The group whose members receive the notice.
    pub group: GroupId,
    /// What, uninterpreted.
    pub content: String,
    /// Only these members receive it; empty means everybody. Users who are not members are skipped; refused when nobody
    /// remains.
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
            return Err(Refusal::NotMembers { group: self.group.clone(), users: distinct(&self.targets) }.into());
        }
        draft.guard(Key::Group(self.group.clone()), Some(group.revision));
        let members_of = users.is_empty().then(|| self.group.clone());
        let what = Happening::Noticed { content: self.content.clone() };
        draft.emit(Some(&self.group), Audience { members_of, users, silent: false }, what);
        Ok(())
    }
}

/// The name under which the number of the last broadcast is stored.
const LAST: &str = "broadcasts";

/// Sends one message to many groups, to the members who are online now: it is not stored, and has one number of its
/// own. Only the app may do this. In a large realm it is sent in several parts; a broadcast that was interrupted resumes
/// with the same number at the first part that was not sent. Groups that do not exist are skipped; one that is disbanded
/// at that very moment may still receive it.
#[derive(Debug, Clone, PartialEq)]
pub struct Broadcast {
    /// The groups of this part.
    pub groups: Vec<GroupId>,
    /// In whose name it is sent.
    pub sender: Sender,
    /// The content of the message.
    pub body: Body,
    /// The client's own token: within the realm's window the same sender's same token is the same broadcast.
    pub token: String,
    /// Words only one surface has.
    pub labels: Labels,
    /// Resume cursor from the previous part's reply; `None` for the first part.
    pub part: Option<Cursor>,
    /// Where the next part begins; `None` when this is the last.
    pub next: Option<Cursor>,
}

/// A broadcast, or a part of one, that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BroadcastSent {
    /// Its number.
    pub number: u64,
    /// This part was sent before, and is not delivered again.
    pub repeated: bool,
    /// The start of the next part; `None` when all are sent.
    pub next: Option<Cursor>,
}

impl Rule for Broadcast {
    type Output = BroadcastSent;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<BroadcastSent, Stop> {
        check_app(draft)?;
        let own = self.token_key();
        let row = draft.row(&own)?;
        let window = draft.context.settings.dedupe_window;
        let begun = row.as_ref().and_then(Row::sent).filter(|sent| sent.at.plus(window) > draft.now());
        let part = self.part.as_ref().map(|part| &part.0);
        let said = match begun {
            Some(begun) if begun.next.is_none() || begun.next.as_ref() != part => {
                let next = begun.next.clone().map(Cursor);
                return Ok(BroadcastSent { number: begun.sequence, repeated: true, next });
            }
            // each part has a time of its own, which is the revision that guards the next one
            Some(begun) => Sent { at: draft.now().max(begun.at.plus(1)), ..Sent::clone(begun) },
            None if part.is_some() => {
                return Err(Refusal::InvalidValue("the cursor belongs to no broadcast in progress").into());
            }
            None => Sent { id: draft.mint_message()?, sequence: take_number(draft)?, at: draft.now(), next: None },
        };
        self.pass(draft)?;
        draft.guard(own.clone(), row.as_ref().and_then(Row::revision));
        let number = said.sequence;
        draft.put(own, Sent { next: self.next.clone().map(|next| next.0), ..said });
        Ok(BroadcastSent { number, repeated: false, next: self.next.clone() })
    }
}

impl Broadcast {
    fn token_key(&self) -> Key {
        let sender = match &self.sender {
            Sender::User(user) => user.as_str(),
            Sender::App => "",
        };
        Key::Note(format!("{LAST}:{sender}:{}", self.token))
    }

    /// Sends to the groups of this part.
    fn pass(&self, draft: &mut Draft<'_>) -> Result<(), Stop> {
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
            draft.emit_to_members(group, Happening::MessagePassed(Box::new(message)));
        }
        Ok(())
    }
}

/// The number of a new broadcast.
fn take_number(draft: &mut Draft<'_>) -> Result<u64, Stop> {
    let last = Key::Note(LAST.to_owned());
    let kept = draft.row(&last)?;
    let number = kept.as_ref().and_then(Row::text).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0) + 1;
    draft.guard(last.clone(), kept.as_ref().and_then(Row::revision));
    draft.put(last, Row::Text(Arc::new(number.to_string())));
    Ok(number)
}

/// Records, for the app's server, that a message was dropped because of its surface's limit.
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
        draft.emit(Some(&group.id), audience, what);
        Ok(())
    }
}
