//! What a client has not heard yet.
//!
//! Clients remember a moment: what is later, they have not heard. Events have a number, and several can happen in
//! one millisecond; so each reader counts moments of their own, never earlier than the true ones and never two
//! alike: an event's moment is its true one, or one more than the moment before it. A moment a client comes back
//! with is found again by counting from a little before it.

mod changes;
mod inbox;

use std::sync::Arc;

use conclave_core::event::{Actor, Event};
use conclave_core::model::{DeviceId, Queue, UserId};
use conclave_core::operation::{Acknowledge, Begin, OpenDevice};
use conclave_core::ports::{GroupsExt, LogPosition};
use conclave_core::query::{DevicePositions, Feed, FeedPage};
use conclave_core::refusal::Refusal;

pub(crate) use changes::{changes, hears};
pub(crate) use inbox::{BYTES, inbox, is_for, stored};

use crate::dialect::events::{What, facts};
use crate::realm::App;

/// How far before a moment counting begins, milliseconds. Long enough that the decisions of one moment are all
/// committed, and that bursts have come to rest.
const WINDOW: u64 = 10_000;
/// How long messages wait for a client that is away, milliseconds: seven days.
const KEPT: u64 = 7 * 24 * 3600 * 1000;
/// Under which name it is kept how far a device was given changes.
const CHANGES: &str = "changes";
/// By how many events of other kinds a kept place may be behind.
pub(crate) const BEHIND: u64 = 256;
/// Most events of one answer.
const PAGE: usize = 100;
/// How many events are looked at in one go, and how often in one answer.
const CHUNK: usize = 256;
const CHUNKS: usize = 8;

/// Up to where a reader has heard one kind of things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// The number of the last event, heard or passed over.
    pub(crate) sequence: u64,
    /// The reader's moment of the last one heard.
    pub(crate) time: u64,
}

impl Place {
    /// The moment of an event that so many entries come of.
    fn next(self, event: &Event, weight: u64) -> Self {
        let time = event.at.0.max(self.time.saturating_add(1)).saturating_add(weight.saturating_sub(1));
        Self { sequence: event.sequence, time }
    }
}

/// The two kinds of things that are fetched apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Messages, and that they were taken back.
    Inbox,
    /// What happens to groups and in them.
    Changes,
}

/// Whether an event is something this device fetches, and how many entries come of it.
pub(crate) fn class(event: &Event, device: &str) -> Option<(Kind, u64)> {
    let fact = facts([event]).pop().filter(|fact| !fact.to.is_empty())?;
    let here = matches!(&event.actor, Actor::User { device: Some(actor), .. } if actor == device);
    if here && fact.to.except_acting_device {
        return None;
    }
    match fact.what {
        What::Sent(_) => Some((Kind::Inbox, 1)),
        What::Recalled(sequences) => Some((Kind::Inbox, sequences.len() as u64)),
        // delivered whole, to whoever is connected
        What::Passed(_) => None,
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

/// An event and the reader's place once it is heard.
pub(crate) type Entry = (Arc<Event>, Place);

/// The next events of one kind.
pub(crate) struct Page {
    pub(crate) entries: Vec<Entry>,
    /// Where the reader is after all of them.
    pub(crate) place: Place,
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
    /// Where a client is that comes with this moment: where it was left when it is that moment, else found again.
    pub(crate) async fn place(&self, kind: Kind, left: Option<Place>, time: i64) -> Result<Place, Refusal> {
        let time = u64::try_from(time).unwrap_or(0);
        match left {
            Some(place) if place.time == time => Ok(place),
            _ => self.found(kind, time).await,
        }
    }

    async fn found(&self, kind: Kind, time: u64) -> Result<Place, Refusal> {
        let now = self.app.realm.groups.now();
        let oldest = now.0.saturating_sub(KEPT);
        if time < oldest {
            return Ok(Place { sequence: self.log_at(oldest).await?.before, time });
        }
        let mut place = Place { sequence: self.log_at(time.saturating_sub(WINDOW)).await?.before, time: 0 };
        loop {
            let page = self.feed(place.sequence).await?;
            for event in &page.events {
                let Some((_, weight)) = class(event, self.device).filter(|(of, _)| *of == kind) else { continue };
                let next = place.next(event, weight);
                if next.time > time {
                    return Ok(Place { time, ..place });
                }
                place = next;
            }
            place.sequence = page.last.max(place.sequence);
            if !page.more {
                return Ok(Place { time, ..place });
            }
        }
    }

    /// Where a client begins that was not here before, or is not remembered: behind everything there is.
    async fn beginning(&self, kind: Kind) -> Result<Place, Refusal> {
        let from = self.app.realm.groups.now().0.saturating_sub(WINDOW);
        let mut place = Place { sequence: self.log_at(from).await?.before, time: from };
        loop {
            let page = self.feed(place.sequence).await?;
            for event in &page.events {
                if let Some((_, weight)) = class(event, self.device).filter(|(of, _)| *of == kind) {
                    place = place.next(event, weight);
                }
            }
            place.sequence = page.last.max(place.sequence);
            if !page.more {
                return Ok(place);
            }
        }
    }

    /// Where changes go on for a client that does not say where it is: after what its device was given last. A new
    /// device, such as a page that is loaded again, begins where the user's devices have got furthest, but not further
    /// back than messages are kept; a user's first device begins now.
    pub(crate) async fn resume(&self, device: &DeviceId) -> Result<Place, Refusal> {
        let (groups, app) = (&self.app.realm.groups, Actor::app());
        let open = OpenDevice { user: self.user.clone(), device: device.clone(), begin: Begin::Furthest };
        match groups.run(&app, open).await {
            // a backend that keeps no devices: nobody knows where the client was
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
        Ok(Place { sequence: kept.after.max(passed), time: kept.stamp })
    }

    /// Keeps how far this device was given changes, for when it comes back. A place that is not kept is no fault of
    /// the answer: its events are given again then.
    pub(crate) async fn keep(&self, device: &DeviceId, place: Place) {
        let acknowledge = Acknowledge {
            stamp: place.time,
            ..Acknowledge::new(self.user.clone(), device.clone(), Queue::All(CHANGES.to_owned()), place.sequence)
        };
        let kept = self.app.realm.groups.run(&Actor::app(), acknowledge).await;
        if let Err(refusal) = kept
            && !matches!(refusal, Refusal::NotOffered { .. })
        {
            tracing::warn!("how far a device has received group events was not kept: {refusal}");
        }
    }

    /// The next events of one kind after a place.
    pub(crate) async fn page(&self, kind: Kind, mut place: Place) -> Result<Page, Refusal> {
        let mut entries: Vec<Entry> = Vec::new();
        for _ in 0..CHUNKS {
            let page = self.feed(place.sequence).await?;
            for event in page.events {
                let Some((_, weight)) = class(&event, self.device).filter(|(of, _)| *of == kind) else { continue };
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
