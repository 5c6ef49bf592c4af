//! How large a row or an event may be, whatever the surface has let through.
//!
//! Surfaces refuse earlier, with their vendor's own limits and errors. These bounds apply where a surface has none, so
//! that no client can store more than a few times what any vendor documents. A row's size is the bytes of the texts
//! that clients choose, and [`ENTRY`] bytes for each text, so that many empty texts are bounded as well.

use std::collections::BTreeMap;

use crate::event::{Actor, Event, Happening, ProfileChange};
use crate::model::{Key, Labels, Message, MessageState, Profile, Row};
use crate::ports::{Batch, Change};
use crate::refusal::Refusal;

/// What one text counts for beside its bytes.
const ENTRY: usize = 16;

/// Most bytes of a group's header or a topic.
pub const GROUP_BYTES: usize = 128 * 1024;
/// Most bytes of a membership.
pub const MEMBER_BYTES: usize = 64 * 1024;
/// Most bytes of a user's account.
pub const USER_BYTES: usize = 64 * 1024;
/// Most bytes of a message.
pub const MESSAGE_BYTES: usize = 512 * 1024;
/// Most bytes of the extensions of one message.
pub const EXTENSIONS_BYTES: usize = 2 * 1024 * 1024;
/// Most bytes of a group's attributes.
pub const ATTRIBUTES_BYTES: usize = 256 * 1024;
/// Most bytes of a group's counters.
pub const COUNTERS_BYTES: usize = 64 * 1024;
/// Most bytes of the metadata of a shared file; its content is bounded where it is uploaded.
pub const FILE_BYTES: usize = 8 * 1024;
/// Most bytes of a request to join, a block, a user's own name for a group, a note or a token of a message.
pub const SMALL_BYTES: usize = 16 * 1024;
/// Most bytes of the members that one user follows in a group.
pub const FOLLOWS_BYTES: usize = 1024 * 1024;
/// Most bytes of the texts in one event.
pub const EVENT_BYTES: usize = 2 * 1024 * 1024;

/// Most bytes of all rows that one query reads, by [`row_bytes`]. Beyond it the query is refused, and has to be asked in
/// pages: an answer is never built of more.
pub const QUERY_BYTES: usize = 64 * 1024 * 1024;
/// Bytes that a row counts in a query in addition to its texts.
const ROW: usize = 128;

/// A page of messages ends with the one that brings it to so many bytes, even if more messages were requested.
pub const PAGE_BYTES: usize = 256 * 1024;

/// Refuses a batch in which a row, a text in a key, an event or its reason is too large.
pub(crate) fn check(batch: &Batch) -> Result<(), Refusal> {
    for change in &batch.changes {
        if let Change::Put(key, row) = change {
            check_key(key)?;
            check_row(row)?;
        }
    }
    for event in &batch.events {
        check_size("reason", reason_bytes(&event.what), SMALL_BYTES)?;
        check_size("event", event_bytes(event), EVENT_BYTES)?;
    }
    Ok(())
}

fn check_size(what: &'static str, bytes: usize, most: usize) -> Result<(), Refusal> {
    if bytes > most { Err(Refusal::TooLarge { what, most: most as u64 }) } else { Ok(()) }
}

/// Texts in keys that are no ids, which are bounded by themselves.
fn check_key(key: &Key) -> Result<(), Refusal> {
    match key {
        Key::Sent(_, _, token) => check_size("token", token.len(), SMALL_BYTES),
        Key::Note(name) => check_size("note", name.len(), SMALL_BYTES),
        _ => Ok(()),
    }
}

fn check_row(row: &Row) -> Result<(), Refusal> {
    match limit(row) {
        Some((what, most)) => check_size(what, text_bytes(row), most),
        None => Ok(()),
    }
}

/// What a row is called, and most bytes of it; `None` where it has nothing but ids, numbers and times, or lists that
/// other rows bound.
fn limit(row: &Row) -> Option<(&'static str, usize)> {
    Some(match row {
        Row::Group(_) => ("group", GROUP_BYTES),
        Row::Topic(_) => ("topic", GROUP_BYTES),
        Row::Member(_) => ("member", MEMBER_BYTES),
        Row::User(_) => ("user", USER_BYTES),
        Row::Message(_) => ("message", MESSAGE_BYTES),
        Row::Extensions(_) => ("extensions", EXTENSIONS_BYTES),
        Row::Attributes(_) => ("attributes", ATTRIBUTES_BYTES),
        Row::Counters(_) => ("counters", COUNTERS_BYTES),
        Row::File(_) => ("file", FILE_BYTES),
        Row::Request(_) => ("request", SMALL_BYTES),
        Row::Block(_) => ("block", SMALL_BYTES),
        Row::Remark(_) => ("remark", SMALL_BYTES),
        Row::Device(_) | Row::Position(_) => ("device", SMALL_BYTES),
        Row::Text(_) => ("note", SMALL_BYTES),
        Row::Follows(_) => ("follows", FOLLOWS_BYTES),
        Row::Tombstone(_)
        | Row::Mute(_)
        | Row::Allowance(_)
        | Row::Receipt(_)
        | Row::ReadMark(_)
        | Row::Sent(_)
        | Row::Event(_)
        | Row::ToGroup(_)
        | Row::ToUser(_)
        | Row::ToUsers(_)
        | Row::ToMessage(_)
        | Row::Mark => return None,
    })
}

/// About how much memory a row takes: its texts, and what every row has.
pub(crate) fn row_bytes(row: &Row) -> usize {
    let texts = match row {
        Row::Event(event) => event_bytes(event),
        Row::ToUsers(users) => users.iter().map(|user| text(user.as_str())).sum(),
        row => text_bytes(row),
    };
    ROW + texts
}

/// The bytes of the texts that clients choose, and [`ENTRY`] for each.
fn text_bytes(row: &Row) -> usize {
    match row {
        Row::Group(group) => {
            let announcement = group.announcement.as_ref().map_or(0, |announcement| text(&announcement.text));
            let appointed: usize = group.appointed.iter().map(|user| text(user.as_str())).sum();
            let own = profile(&group.profile) + labels(&group.labels) + announcement + appointed;
            own + (group.marks.len() + group.pins.len()) * ENTRY
        }
        Row::Topic(topic) => profile(&topic.profile) + text(&topic.announcement),
        Row::Member(member) => {
            let own = text(&member.card) + text(&member.extra) + pairs(&member.fields) + pairs(&member.attributes);
            own + labels(&member.labels) + member.marks.len() * ENTRY
        }
        Row::User(user) => {
            let secret = user.secret.as_deref().map_or(0, text);
            text(&user.nick) + text(&user.avatar) + secret + labels(&user.labels)
        }
        Row::Message(sent) => message_bytes(sent),
        Row::Extensions(extensions) => versioned(&extensions.entries),
        Row::Attributes(attributes) => versioned(&attributes.entries),
        Row::Counters(counters) => counters.values.keys().map(|key| text(key)).sum(),
        Row::File(file) => {
            let secret = file.secret.as_deref().map_or(0, text);
            text(&file.name) + text(&file.media_type) + text(&file.blob) + secret
        }
        Row::Request(request) => {
            let verdict = request.verdict.as_ref().map_or(0, |verdict| text(&verdict.reason));
            text(&request.message) + verdict + labels(&request.labels)
        }
        Row::Block(block) => text(&block.reason),
        Row::Remark(remark) => text(&remark.text),
        Row::Device(device) => text(&device.device.surface) + text(&device.device.id),
        Row::Position(position) => text(&position.device.id),
        Row::Text(note) => text(note),
        Row::Follows(follows) => follows.users.keys().map(|user| text(user.as_str())).sum(),
        Row::Tombstone(_)
        | Row::Mute(_)
        | Row::Allowance(_)
        | Row::Receipt(_)
        | Row::ReadMark(_)
        | Row::Sent(_)
        | Row::Event(_)
        | Row::ToGroup(_)
        | Row::ToUser(_)
        | Row::ToUsers(_)
        | Row::ToMessage(_)
        | Row::Mark => 0,
    }
}

fn text(text: &str) -> usize {
    text.len() + ENTRY
}

fn pairs(pairs: &BTreeMap<String, String>) -> usize {
    pairs.iter().map(|(key, value)| text(key) + value.len()).sum()
}

fn labels(labels: &Labels) -> usize {
    pairs(labels)
}

fn versioned(entries: &BTreeMap<String, (String, u64)>) -> usize {
    entries.iter().map(|(key, (value, _))| text(key) + value.len()).sum()
}

fn profile(profile: &Profile) -> usize {
    let Profile { name, introduction, avatar, custom, fields } = profile;
    text(name) + text(introduction) + text(avatar) + text(custom) + pairs(fields)
}

fn profile_change(change: &ProfileChange) -> usize {
    let ProfileChange { name, introduction, avatar, custom, fields, labels } = change;
    let texts = [name, introduction, avatar, custom].into_iter().flatten().map(|value| text(value)).sum::<usize>();
    let labels = labels.iter().map(|(key, value)| text(key) + value.as_deref().map_or(0, str::len)).sum::<usize>();
    texts + pairs(fields) + labels
}

/// The bytes of a message's texts, and [`ENTRY`] for each.
pub fn message_bytes(message: &Message) -> usize {
    let body: usize = message.body.texts().into_iter().map(text).sum();
    let mention = match &message.mention {
        Some(crate::model::Mention::Users(users)) => users.iter().map(|user| text(user.as_str())).sum(),
        _ => 0,
    };
    let reason = match &message.state {
        MessageState::Recalled { reason, .. } => text(reason),
        _ => 0,
    };
    let targets: usize = message.targets.iter().map(|user| text(user.as_str())).sum();
    body + mention + reason + targets + message.token.as_deref().map_or(0, text) + labels(&message.labels)
}

/// The texts that clients choose; lists of users are as long as the rows they are about.
fn event_bytes(event: &Event) -> usize {
    let device = match &event.actor {
        Actor::User { device: Some(device), .. } => text(device),
        _ => 0,
    };
    device + happening_bytes(&event.what)
}

/// Texts that are stored only in the event.
fn reason_bytes(what: &Happening) -> usize {
    match what {
        Happening::MembersLeft { reason, .. }
        | Happening::Blocked { reason, .. }
        | Happening::MessagesRecalled { reason, .. }
        | Happening::MessagesRead { note: reason, .. } => text(reason),
        Happening::InTopic { what, .. } => reason_bytes(what),
        _ => 0,
    }
}

fn happening_bytes(what: &Happening) -> usize {
    match what {
        Happening::ProfileChanged(change) => profile_change(change),
        Happening::AnnouncementChanged(announcement) => text(announcement),
        Happening::RequestChanged(request) => text(&request.message),
        Happening::MemberChanged { fields, .. } => pairs(fields),
        Happening::MemberAttributesChanged { attributes, .. } => pairs(attributes),
        Happening::AttributesChanged { set, removed, .. } | Happening::ExtensionsChanged { set, removed, .. } => {
            pairs(set) + removed.iter().map(|key| text(key)).sum::<usize>()
        }
        Happening::CountersChanged { set, removed } => set.keys().chain(removed).map(|key| text(key)).sum::<usize>(),
        Happening::MessagePassed(passed) | Happening::MessageDropped { message: passed, .. } => message_bytes(passed),
        Happening::Noticed { content } => text(content),
        Happening::TopicChanged { profile, announcement, .. } => {
            profile_change(profile) + announcement.as_deref().map_or(0, text)
        }
        Happening::InTopic { what, .. } => happening_bytes(what),
        // has only data of bounded rows, or no text
        _ => 0,
    }
}
