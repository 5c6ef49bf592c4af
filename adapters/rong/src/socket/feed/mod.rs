//! The events that a client has not fetched yet.
//!
//! Clients use a timestamp as their cursor: later events are new to them. Events have numbers, and several can happen
//! in one millisecond; so each reader assigns strictly increasing timestamps: an event's timestamp is its true one, or
//! one more than the previous event's. The place of a client's timestamp is found again by counting from a little
//! before it.

mod changes;
mod edits;
mod inbox;
mod receipts;

use std::sync::Arc;

use conclave_core::event::{Actor, Event};
use conclave_core::model::{DeviceId, Queue, UserId};
use conclave_core::operation::{Acknowledge, Begin, OpenDevice};
use conclave_core::ports::{GroupsExt, LogPosition};
use conclave_core::query::{DevicePositions, Feed, FeedPage};
use conclave_core::refusal::Refusal;

pub(crate) use changes::{changes, is_recipient};
pub(crate) use edits::edits;
pub(crate) use inbox::{BYTES, inbox, is_for, stored};

use crate::dialect::events::{What, facts};
use crate::realm::App;

/// How far before a timestamp counting begins, in milliseconds. Long enough that all decisions of one millisecond are
/// committed, and that timestamps have caught up after bursts.
const WINDOW: u64 = 10_000;
/// How long messages wait for an offline client, in milliseconds: seven days.
const KEPT: u64 = 7 * 24 * 3600 * 1000;
/// The name of the queue under which a device's position in the group events is stored.
const CHANGES: &str = "changes";
/// By how many events of other kinds a stored place may be behind.
pub(crate) const BEHIND: u64 = 256;
/// Most events of one reply.
const PAGE: usize = 100;
/// How many events are read at a time, and how often for one reply.
const CHUNK: usize = 256;
const CHUNKS: usize = 8;

/// How far a reader has fetched one kind of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FeedPosition {
    /// The number of the last event, fetched or skipped.
    pub(crate) sequence: u64,
    /// The reader's timestamp of the last fetched event.
    pub(crate) time: u64,
}

impl FeedPosition {
    /// The place after an event with so many entries.
    fn next(self, event: &Event, weight: u64) -> Self {
        let time = event.at.0.max(self.time.saturating_add(1)).saturating_add(weight.saturating_sub(1));
        Self { sequence: event.sequence, time }
    }
}

/// What a client fetches by calls of their own: messages, edits, and group events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Messages, recalls, and extensions of messages.
    Inbox,
    /// Edited messages.
    Edits,
    /// Events of groups.
    Changes,
}

/// Whether this device fetches an event, as which kind, and as how many entries. Receipts are fetched if the realm has
/// them.
pub(crate) fn class(event: &Event, device: &str, receipts: bool) -> Option<(Kind, u64)> {
    let fact = facts([event]).pop().filter(|fact| !fact.to.is_empty())?;
    let here = matches!(&event.actor, Actor::User { device: Some(actor), .. } if actor == device);
    if here && fact.to.except_acting_device {
        return None;
    }
    match fact.what {
        What::Sent(_) => Some((Kind::Inbox, 1)),
        What::Recalled(sequences) => Some((Kind::Inbox, sequences.len() as u64)),
        What::Extended(extended) => Some((Kind::Inbox, extended.notices())),
        What::Edited(_) => Some((Kind::Edits, 1)),
        // sent whole to connected clients
        What::Passed(_) => None,
        What::Read { .. } => receipts.then_some((Kind::Changes, 1)),
        What::Created { .. }
        | What::Dismissed { .. }
        | What::Operation(_)
        | What::Profile(_)
        | What::Member(_)
        | What::Application(_)
        | What::Remark(_)
        | What::Follows { .. } => Some((Kind::Changes, 1)),
    }
}

/// An event, with the reader's place after it.
pub(crate) type Entry = (Arc<Event>, FeedPosition);

/// The next events of one kind.
pub(crate) struct Page {
    pub(crate) entries: Vec<Entry>,
    /// The reader's place after all of them.
    pub(crate) place: FeedPosition,
    pub(crate) more: bool,
}

/// Reads on behalf of one device of one user.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    pub(crate) app: &'a App,
    pub(crate) user: &'a UserId,
    pub(crate) device: &'a str,
}

impl Reader<'_> {
    fn class(&self, event: &Event) -> Option<(Kind, u64)> {
        class(event, self.device, self.app.realm.settings.message_receipts)
    }

    /// The place of a client's timestamp: the stored one if it has that timestamp, otherwise it is searched.
    pub(crate) async fn place(
        &self,
        kind: Kind,
        left: Option<FeedPosition>,
        time: i64,
    ) -> Result<FeedPosition, Refusal> {
        let time = u64::try_from(time).unwrap_or(0);
        match left {
            Some(place) if place.time == time => Ok(place),
            _ => self.found(kind, time).await,
        }
    }

    async fn found(&self, kind: Kind, time: u64) -> Result<FeedPosition, Refusal> {
        let now = self.app.realm.groups.now();
        let oldest = now.0.saturating_sub(KEPT);
        if time < oldest {
            return Ok(FeedPosition { sequence: self.log_at(oldest).await?.before, time });
        }
        let mut place = FeedPosition { sequence: self.log_at(time.saturating_sub(WINDOW)).await?.before, time: 0 };
        loop {
            let page = self.feed(place.sequence).await?;
            for event in &page.events {
                let Some((_, weight)) = self.class(event).filter(|(of, _)| *of == kind) else { continue };
                let next = place.next(event, weight);
                if next.time > time {
                    return Ok(FeedPosition { time, ..place });
                }
                place = next;
            }
            place.sequence = page.last.max(place.sequence);
            if !page.more {
                return Ok(FeedPosition { time, ..place });
            }
        }
    }

    /// The place of a new or unknown client: the end.
    pub(crate) async fn beginning(&self, kind: Kind) -> Result<FeedPosition, Refusal> {
        let from = self.app.realm.groups.now().0.saturating_sub(WINDOW);
        let mut place = FeedPosition { sequence: self.log_at(from).await?.before, time: from };
        loop {
            let page = self.feed(place.sequence).await?;
            for event in &page.events {
                if let Some((_, weight)) = self.class(event).filter(|(of, _)| *of == kind) {
                    place = place.next(event, weight);
                }
            }
            place.sequence = page.last.max(place.sequence);
            if !page.more {
                return Ok(place);
            }
        }
    }

    /// Where group events continue for a client without a timestamp: after those its device was sent last. A new
    /// device, such as a reloaded page, begins at the furthest position of the user's devices, but not further back
    /// than messages are stored; a user's first device begins now.
    pub(crate) async fn resume(&self, device: &DeviceId) -> Result<FeedPosition, Refusal> {
        let (groups, app) = (&self.app.realm.groups, Actor::app());
        let open = OpenDevice { user: self.user.clone(), device: device.clone(), begin: Begin::Furthest };
        match groups.run(&app, open).await {
            // a backend without devices: the client's position is unknown
            Err(Refusal::NotOffered { .. }) => return self.beginning(Kind::Changes).await,
            opened => _ = opened?,
        }
        let asked = DevicePositions {
            user: self.user.clone(),
            device: device.clone(),
            queues: vec![Queue::All(CHANGES.to_owned())],
        };
        let kept = groups.ask(&app, asked).await?.0.and_then(|places| places.first().copied());
        let Some(kept) = kept.filter(|kept| kept.stamp > 0) else {
            let place = self.beginning(Kind::Changes).await?;
            self.keep(device, place).await;
            return Ok(place);
        };
        let oldest = groups.now().0.saturating_sub(KEPT);
        let passed = if kept.stamp < oldest { self.log_at(oldest).await?.before } else { 0 };
        Ok(FeedPosition { sequence: kept.after.max(passed), time: kept.stamp })
    }

    /// Stores the device's position in the group events, for its next connection. A failure is ignored: the events are
    /// sent again then.
    pub(crate) async fn keep(&self, device: &DeviceId, place: FeedPosition) {
        let acknowledge = Acknowledge {
            stamp: place.time,
            ..Acknowledge::new(self.user.clone(), device.clone(), Queue::All(CHANGES.to_owned()), place.sequence)
        };
        let kept = self.app.realm.groups.run(&Actor::app(), acknowledge).await;
        if let Err(refusal) = kept
            && !matches!(refusal, Refusal::NotOffered { .. })
        {
            tracing::warn!("a device's position in the group events was not stored: {refusal}");
        }
    }

    /// The next events of one kind after a place.
    pub(crate) async fn page(&self, kind: Kind, mut place: FeedPosition) -> Result<Page, Refusal> {
        let mut entries: Vec<Entry> = Vec::new();
        for _ in 0..CHUNKS {
            let page = self.feed(place.sequence).await?;
            for event in page.events {
                let Some((_, weight)) = self.class(&event).filter(|(of, _)| *of == kind) else { continue };
                // a change is never split between two pages
                if entries.len() >= PAGE && !entries.last().is_some_and(|(last, _)| is_same_change(last, &event)) {
                    return Ok(Page { entries, place, more: true });
                }
                place = place.next(&event, weight);
                entries.push((event, place));
            }
            place.sequence = page.last.max(place.sequence);
            if !page.more {
                return Ok(Page { entries, place, more: false });
            }
            if entries.len() >= PAGE {
                break;
            }
        }
        Ok(Page { entries, place, more: true })
    }

    async fn feed(&self, after: u64) -> Result<FeedPage, Refusal> {
        self.app.realm.groups.ask(&Actor::app(), Feed { user: self.user.clone(), after, limit: CHUNK }).await
    }

    async fn log_at(&self, time: u64) -> Result<LogPosition, Refusal> {
        self.app.realm.log.position_at(conclave_core::model::Millis(time)).await
    }
}

/// Whether two events are one change to clients: parts of one group's profile that one call has changed.
fn is_same_change(last: &Event, event: &Event) -> bool {
    last.call() == event.call() && facts([last, event]).len() == 1
}
