//! Queries of read receipts and message extensions.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::event::Actor;
use crate::model::{
    Circle, Extensions, Group, GroupId, Key, Member, Message, MessageState, Prefix, Receipt, Row, Sender, UserId,
};
use crate::ports::Span;
use crate::refusal::{Limit, Needs, Refusal};

use super::{Cursor, Reader};

/// How many have read messages, and how many have not, as far as their senders want to know. Senders ask for their
/// own; the app for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipts {
    /// The group of the messages.
    pub group: GroupId,
    /// The numbers of the messages.
    pub sequences: Vec<u64>,
    /// Most members of a group with read receipts.
    pub most_members: Option<u32>,
}

/// How many have read a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReadCount {
    /// Have read it, still members or not.
    pub read: usize,
    /// How many of its recipients were members when it was sent, still are, and have not read it.
    pub unread: usize,
}

/// One entry for each message, in the requested order.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadCounts(pub Vec<(u64, Result<ReadCount, Refusal>)>);

impl Receipts {
    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<ReadCounts, Refusal> {
        let group = asked_group(reader, &self.group, self.most_members).await?;
        let places: Vec<Key> =
            self.sequences.iter().map(|sequence| Key::Message(group.id.clone(), *sequence)).collect();
        let rows = reader.store.fetch(&places).await?;
        let mut members: Option<Vec<Row>> = None;
        let mut counts = Vec::with_capacity(rows.len());
        for (sequence, row) in self.sequences.into_iter().zip(rows) {
            let message = match message_with_receipts(reader, &group, sequence, row.as_ref()) {
                Ok(message) => message,
                Err(refusal) => {
                    counts.push((sequence, Err(refusal)));
                    continue;
                }
            };
            let seats = match &mut members {
                Some(seats) => seats,
                none => none.insert(all(reader, Prefix::seats(&group.id)).await?),
            };
            let have = readers(reader, &group.id, sequence).await?;
            let owing = seats.iter().filter_map(Row::member).filter(|member| owes(member, &message, &have)).count();
            counts.push((sequence, Ok(ReadCount { read: have.len(), unread: owing })));
        }
        Ok(ReadCounts(counts))
    }
}

/// Who has read a message, by id, or who has not, in the order of joining. Senders ask for their own; the app for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readers {
    /// The group of the message.
    pub group: GroupId,
    /// The number of the message.
    pub sequence: u64,
    /// Those who have, or those who have not.
    pub read: bool,
    /// Continue after this position.
    pub after: Option<Cursor>,
    /// Most users in the page.
    pub limit: usize,
    /// Most members of a group with read receipts.
    pub most_members: Option<u32>,
}

/// A page of users.
#[derive(Debug, Clone, PartialEq)]
pub struct ReaderPage {
    /// The users who have read it, or have not, as requested.
    pub users: Vec<UserId>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
    /// How many have read it.
    pub total: usize,
}

impl Readers {
    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<ReaderPage, Refusal> {
        let group = asked_group(reader, &self.group, self.most_members).await?;
        let row = reader.row(Key::Message(group.id.clone(), self.sequence)).await?;
        let message = message_with_receipts(reader, &group, self.sequence, row.as_ref())?;
        let receipts = Prefix::receipts(&group.id, &self.sequence);
        if self.read {
            let span = Span::first(receipts.clone(), self.limit).after(self.after.map(|cursor| cursor.0));
            let (rows, next) = reader.page(&span).await?;
            let users = rows.iter().filter_map(Row::receipt).map(|receipt| receipt.user.clone()).collect();
            return Ok(ReaderPage { users, next, total: reader.store.count(&receipts).await? });
        }
        let have = readers(reader, &group.id, self.sequence).await?;
        let (mut users, mut last) = (Vec::new(), None);
        let seats = Span::all(Prefix::seats(&group.id)).after(self.after.map(|cursor| cursor.0));
        for (key, row) in reader.store.scan(&seats).await? {
            let Some(member) = row.member().filter(|member| owes(member, &message, &have)) else { continue };
            if users.len() == self.limit {
                return Ok(ReaderPage { users, next: last.map(Cursor), total: have.len() });
            }
            users.push(member.user.clone());
            last = Some(key);
        }
        Ok(ReaderPage { users, next: None, total: have.len() })
    }
}

/// All receipts of one message, and the members who owe one. Senders ask for their own; the app for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptLists {
    /// The group of the message.
    pub group: GroupId,
    /// The message's number.
    pub sequence: u64,
    /// Most members of a group with read receipts, which bounds the lists.
    pub most_members: Option<u32>,
}

/// The two lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptListsFound {
    /// The receipts, in the order of the users' ids. Their users may have left since.
    pub read: Vec<Arc<Receipt>>,
    /// The members who were there when the message was sent, get it, and have not read it, in the order of joining.
    pub unread: Vec<UserId>,
}

impl ReceiptLists {
    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<ReceiptListsFound, Refusal> {
        let group = asked_group(reader, &self.group, self.most_members).await?;
        let row = reader.row(Key::Message(group.id.clone(), self.sequence)).await?;
        let message = message_with_receipts(reader, &group, self.sequence, row.as_ref())?;
        let rows = all(reader, Prefix::receipts(&group.id, &self.sequence)).await?;
        let read: Vec<Arc<Receipt>> = rows.iter().filter_map(Row::receipt).cloned().collect();
        let have = read.iter().map(|receipt| receipt.user.clone()).collect();
        let seats = all(reader, Prefix::seats(&group.id)).await?;
        let owing = seats.iter().filter_map(Row::member).filter(|member| owes(member, &message, &have));
        Ok(ReceiptListsFound { read, unread: owing.map(|member| member.user.clone()).collect() })
    }
}

/// What was added to messages: members who get them, and the app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageExtensions {
    /// The group of the messages.
    pub group: GroupId,
    /// The numbers of the messages.
    pub sequences: Vec<u64>,
}

/// One entry for each message, in the requested order.
#[derive(Debug, Clone, PartialEq)]
pub struct ExtensionsFound(pub Vec<Result<Arc<Extensions>, Refusal>>);

impl MessageExtensions {
    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<ExtensionsFound, Refusal> {
        let group = reader.group_seen_by(&self.group, Circle::Members).await?;
        let at =
            |sequence: &u64| [Key::Message(group.id.clone(), *sequence), Key::Extensions(group.id.clone(), *sequence)];
        let places: Vec<Key> = self.sequences.iter().flat_map(at).collect();
        let rows = reader.store.fetch(&places).await?;
        let found = self.sequences.iter().zip(rows.chunks(2)).map(|(sequence, rows)| {
            let message = kept_message(&group, *sequence, rows.first().and_then(Option::as_ref))?;
            if let Actor::User { user, .. } = reader.actor
                && !message.is_for(user)
            {
                return Err(Refusal::MessageNotFound { group: group.id.clone(), sequence: *sequence });
            }
            if !message.traits.extensible {
                return Err(Refusal::NotExtensible { group: group.id.clone(), sequence: *sequence });
            }
            let kept = rows.get(1).and_then(Option::as_ref).and_then(Row::extensions);
            Ok(kept.cloned().unwrap_or_default())
        });
        Ok(ExtensionsFound(found.collect()))
    }
}

/// The group; refuses callers who are not members, and groups too large for receipts.
async fn asked_group(reader: &Reader<'_>, group: &GroupId, most: Option<u32>) -> Result<Arc<Group>, Refusal> {
    let group = reader.group_seen_by(group, Circle::Members).await?;
    if let Some(most) = most.filter(|most| group.members > *most) {
        let now = group.members.into();
        return Err(Refusal::LimitReached { limit: Limit::Readers, most: most.into(), now });
    }
    Ok(group)
}

/// A message that was not recalled or deleted.
fn kept_message(group: &Group, sequence: u64, row: Option<&Row>) -> Result<Arc<Message>, Refusal> {
    let message = row.and_then(Row::message).filter(|message| message.state == MessageState::Kept);
    let message = message.filter(|message| message.sequence >= group.first_message).cloned();
    message.ok_or_else(|| Refusal::MessageNotFound { group: group.id.clone(), sequence })
}

/// A message whose receipts the caller may read.
fn message_with_receipts(
    reader: &Reader<'_>,
    group: &Group,
    sequence: u64,
    row: Option<&Row>,
) -> Result<Arc<Message>, Refusal> {
    let message = kept_message(group, sequence, row)?;
    if let Actor::User { user, .. } = reader.actor
        && !message.is_by(user)
    {
        return Err(Refusal::NotPermitted { group: group.id.clone(), needs: Needs::App });
    }
    if !message.traits.receipts {
        return Err(Refusal::NoReceipts { group: group.id.clone(), sequence });
    }
    Ok(message)
}

/// Whether a member was one when the message was sent, receives it, and has not read it.
fn owes(member: &Member, message: &Message, have: &BTreeSet<UserId>) -> bool {
    let own = matches!(&message.sender, Sender::User(sender) if *sender == member.user);
    !own && member.joined <= message.at && message.is_for(&member.user) && !have.contains(&member.user)
}

async fn readers(reader: &Reader<'_>, group: &GroupId, sequence: u64) -> Result<BTreeSet<UserId>, Refusal> {
    let rows = all(reader, Prefix::receipts(group, &sequence)).await?;
    Ok(rows.iter().filter_map(Row::receipt).map(|receipt| receipt.user.clone()).collect())
}

async fn all(reader: &Reader<'_>, prefix: Prefix) -> Result<Vec<Row>, Refusal> {
    Ok(reader.store.scan(&Span::all(prefix)).await?.into_iter().map(|(_, row)| row).collect())
}
