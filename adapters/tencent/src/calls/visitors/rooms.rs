//! What visitors see of live rooms: the latest messages and tips of the rooms that somebody watches.
//!
//! Live rooms have no history, and visitors are no members to whom events are delivered. So the log is read on when a
//! visitor requests, once for all of them, and what is new in a watched room is kept for a while.

use std::collections::{HashMap, VecDeque};

use conclave_core::model::{GroupId, Millis};
use conclave_core::refusal::Refusal;
use parking_lot::Mutex;
use serde_json::Value;

use crate::push;
use crate::realm::App;

/// Events of the log that are read at once.
const PAGE: usize = 500;
/// Pages that one request reads; the next request goes on.
const PAGES: usize = 4;
/// Items that are kept of a room.
const ITEMS: usize = 200;
/// Bytes that are kept of a room.
const BYTES: usize = 512 * 1024;
/// Rooms that are watched at a time.
const ROOMS: usize = 1000;
/// How long a room is kept that nobody asks about.
const KEPT_MS: u64 = 60_000;

/// The rooms that visitors watch.
#[derive(Default)]
pub(crate) struct WatchedRooms(Mutex<Watched>);

#[derive(Default)]
struct Watched {
    /// The last event that was looked at, while there are rooms.
    cursor: u64,
    rooms: HashMap<GroupId, Room>,
}

/// A room, with the number of the event of each item.
#[derive(Default)]
struct Room {
    items: VecDeque<(u64, Value, usize)>,
    bytes: usize,
    asked: Millis,
}

/// What is new in a room.
pub(super) struct News {
    pub(super) items: Vec<Value>,
    /// The number of the next event that the visitor has not seen.
    pub(super) next: u64,
}

impl WatchedRooms {
    /// A visitor watches a room from now on; returns the number of the last event. `None` when too many are watched.
    pub(super) async fn enter(&self, app: &App, room: &GroupId) -> Result<Option<u64>, Refusal> {
        let last = app.realm.log.last().await?;
        let mut watched = self.0.lock();
        watched.forget(app.realm.groups.now());
        Ok(watched.watch(room, last, app.realm.groups.now()).then_some(last))
    }

    /// What is new after an event.
    pub(super) async fn news(
        &self,
        app: &App,
        room: &GroupId,
        after: u64,
        most: usize,
    ) -> Result<Option<News>, Refusal> {
        let now = app.realm.groups.now();
        let last = app.realm.log.last().await?;
        {
            let mut watched = self.0.lock();
            watched.forget(now);
            if !watched.watch(room, last, now) {
                return Ok(None);
            }
        }
        for _ in 0..PAGES {
            if !self.read_on(app).await? {
                break;
            }
        }
        let watched = self.0.lock();
        let items = watched.rooms.get(room).into_iter().flat_map(|room| &room.items);
        let new: Vec<&(u64, Value, usize)> = items.filter(|(number, ..)| *number > after).take(most).collect();
        // items of one event are not separated: a page that is full ends with the last whole one
        let end = if new.len() == most { new.last().map_or(after, |(number, ..)| number - 1) } else { u64::MAX };
        let given: Vec<&&(u64, Value, usize)> = new.iter().filter(|(number, ..)| *number <= end).collect();
        let seen = if end == u64::MAX { watched.cursor.max(after) } else { end };
        Ok(Some(News { items: given.iter().map(|(_, item, _)| item.clone()).collect(), next: seen + 1 }))
    }

    /// Reads a page of the log; returns whether there may be more.
    async fn read_on(&self, app: &App) -> Result<bool, Refusal> {
        let cursor = self.0.lock().cursor;
        let events = app.realm.log.read(cursor, PAGE).await?;
        let Some(last) = events.last().map(|event| event.sequence) else { return Ok(false) };
        let mut found = Vec::new();
        for event in &events {
            let Some(group) = &event.group else { continue };
            if self.0.lock().rooms.contains_key(group) {
                let items = push::items_for_all(app, event).await?.into_iter();
                found.extend(items.map(|item| (group.clone(), event.sequence, item)));
            }
        }
        let mut watched = self.0.lock();
        // another request may have read on meanwhile
        if watched.cursor == cursor {
            watched.cursor = last;
            for (room, number, item) in found {
                watched.keep(&room, number, item);
            }
        }
        Ok(events.len() == PAGE)
    }
}

impl Watched {
    fn watch(&mut self, room: &GroupId, last: u64, now: Millis) -> bool {
        if self.rooms.is_empty() {
            self.cursor = last;
        }
        if self.rooms.len() >= ROOMS && !self.rooms.contains_key(room) {
            return false;
        }
        self.rooms.entry(room.clone()).or_default().asked = now;
        true
    }

    fn forget(&mut self, now: Millis) {
        self.rooms.retain(|_, room| now.0.saturating_sub(room.asked.0) < KEPT_MS);
    }

    fn keep(&mut self, room: &GroupId, number: u64, item: Value) {
        let Some(room) = self.rooms.get_mut(room) else { return };
        let bytes = item.to_string().len();
        room.bytes += bytes;
        room.items.push_back((number, item, bytes));
        while room.items.len() > ITEMS || room.bytes > BYTES {
            let Some((.., bytes)) = room.items.pop_front() else { return };
            room.bytes -= bytes;
        }
    }
}
