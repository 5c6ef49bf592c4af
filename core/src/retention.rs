//! What a realm keeps no longer: events of its log, and messages.

use crate::event::Event;
use crate::model::{GroupId, Key, Millis, Prefix, Settings};
use crate::operation::is_old;
use crate::ports::{Batch, Change, Span, Store, StoreError};
use crate::query::Cursor;

/// After so many rows in one commit, the next events wait for the next one.
const CHANGES: usize = 2000;

/// Messages that are read at a time in a group that has old ones.
const RUN: usize = 64;

/// How much of the log may be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogCut {
    /// Resumes after this number; 0 is the beginning.
    pub after: u64,
    /// The number of the last event that every delivery has passed; later events are kept.
    pub delivered: u64,
    /// Most events that are looked at.
    pub limit: usize,
}

/// What became of a part of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LogTrimmed {
    /// The number of deleted events.
    pub deleted: usize,
    /// The number of the last event that was looked at and is deleted, or is part of a history: the next part begins
    /// after it.
    pub last: u64,
    /// Whether more can be deleted now.
    pub more: bool,
    /// Whether an event is kept only because it has not been delivered.
    pub undelivered: bool,
}

/// Old messages of one group.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OldMessages {
    pub(crate) group: GroupId,
    pub(crate) keys: Vec<Key>,
}

/// What became of a part of the messages.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MessagesTrimmed {
    /// The number of deleted messages.
    pub deleted: usize,
    /// The cursor, unless all messages were looked at.
    pub next: Option<Cursor>,
}

/// Deletes the oldest events with their entries in queues. Those that are part of a group's history stay as long as its messages
/// do; the newest event stays always, because the numbers go on from it.
pub(crate) async fn trim_log(
    store: &dyn Store,
    now: Millis,
    settings: &Settings,
    cut: LogCut,
) -> Result<LogTrimmed, StoreError> {
    let newest = store.last_sequence().await?;
    let span = Span::first(Prefix::events(), cut.limit).after(Some(Key::Event(cut.after).encode()));
    let rows = store.scan(&span).await?;
    let mut trimmed = LogTrimmed { last: cut.after, more: rows.len() == cut.limit, ..LogTrimmed::default() };
    let mut changes = Vec::new();
    for event in rows.iter().filter_map(|(_, row)| row.event()) {
        let is_over = event.sequence < newest && is_over(event, newest, now, settings);
        if !is_over || event.sequence > cut.delivered {
            (trimmed.more, trimmed.undelivered) = (false, is_over);
            break;
        }
        trimmed.last = event.sequence;
        if is_history(event, now, settings) {
            continue;
        }
        changes.extend(event.places().into_iter().map(Change::Delete));
        trimmed.deleted += 1;
        if changes.len() >= CHANGES {
            trimmed.more = true;
            break;
        }
    }
    if !changes.is_empty() {
        let batch = Batch { changes, ..Batch::default() };
        // nothing is guarded, so nothing can be in conflict
        store.commit(batch).await.map_err(|error| StoreError(error.to_string()))?;
    }
    Ok(trimmed)
}

/// Whether an event is older than the realm keeps, or one too many.
fn is_over(event: &Event, newest: u64, now: Millis, settings: &Settings) -> bool {
    let is_old = settings.event_lifetime.is_some_and(|lifetime| event.at.plus(lifetime) <= now);
    let is_too_many = settings.events.is_some_and(|most| newest - event.sequence >= most);
    is_old || is_too_many
}

/// Whether an event is shown in a group's history, and the messages of its time are kept.
fn is_history(event: &Event, now: Millis, settings: &Settings) -> bool {
    event.number.is_some() && settings.message_lifetime.is_none_or(|lifetime| event.at.plus(lifetime) > now)
}

/// The next old messages, `limit` rows at most looked at. After the first message of a group that is not old, the group's
/// others are not looked at.
pub(crate) async fn old_messages(
    store: &dyn Store,
    now: Millis,
    settings: &Settings,
    after: Option<Cursor>,
    limit: usize,
) -> Result<(Vec<OldMessages>, Option<Cursor>), StoreError> {
    if settings.message_lifetime.is_none() {
        return Ok((Vec::new(), None));
    }
    let mut found: Vec<OldMessages> = Vec::new();
    let mut after = after.map(|cursor| cursor.0).unwrap_or_default();
    let mut left = limit;
    for table in [Prefix::all_messages(), Prefix::all_topic_messages()] {
        if table.end() <= after {
            continue;
        }
        let mut is_old_group = false;
        loop {
            let begun = after.starts_with(table.as_bytes()).then(|| after.clone());
            // one message of each group is read, and more only where that one is old
            let wanted = if is_old_group { left.min(RUN) } else { 1 };
            let rows = store.scan(&Span::first(table.clone(), wanted).after(begun)).await?;
            let is_end = rows.len() < wanted;
            let mut passed_over = false;
            for (bytes, row) in rows {
                left -= 1;
                let Some(message) = row.message() else { continue };
                let Some(key) = Key::decode(&bytes) else { continue };
                if is_old(message, now, settings) {
                    match found.last_mut().filter(|last| last.group == message.group) {
                        Some(last) => last.keys.push(key),
                        None => found.push(OldMessages { group: message.group.clone(), keys: vec![key] }),
                    }
                    after = bytes;
                    is_old_group = true;
                } else {
                    after = last_of(&key).encode();
                    passed_over = true;
                    is_old_group = false;
                    break;
                }
            }
            if left == 0 {
                return Ok((found, Some(Cursor(after))));
            }
            if is_end && !passed_over {
                break;
            }
        }
    }
    Ok((found, None))
}

/// The last key that a message of the same group or topic can have.
fn last_of(key: &Key) -> Key {
    match key {
        Key::TopicMessage(group, topic, _) => Key::TopicMessage(group.clone(), topic.clone(), u64::MAX),
        Key::Message(group, _) => Key::Message(group.clone(), u64::MAX),
        other => other.clone(),
    }
}
