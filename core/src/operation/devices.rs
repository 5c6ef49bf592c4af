//! Devices and their positions in queues. None of this changes a group's header, or is held up by changes of groups.
//! Devices that are not used any more are deleted by `sweep`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::decision::Draft;
use crate::facts::Stop;
use crate::model::{Device, DeviceId, GroupId, Key, Millis, Position, Prefix, Queue, Row, Settings, UserId};

use super::Rule;
use super::common::check_self;

/// Most queues in which one device has a position.
///
/// Beyond that, positions in groups the user has left are deleted first, then the one percent that is furthest behind:
/// events in these queues are delivered again from the device's starting point.
pub const POSITIONS_PER_DEVICE: usize = 10_000;

/// The time at which a device was last seen is stored with the precision of its lifetime divided by this.
const PRECISION: u64 = 24;

/// Where a device begins that is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Begin {
    /// After everything there is.
    #[default]
    Now,
    /// Events after this one.
    After(u64),
    /// In each queue the furthest position of the user's devices of the same surface; now, when there are none.
    Furthest,
    /// Like `Furthest`, but after the event of this number when there are no such devices.
    FurthestOr(u64),
}

/// A device signs in: it is added, or its lifetime extended. Users open their own. A user has at most
/// [`Settings::devices_per_user`] devices per surface: the one that was seen longest ago is deleted, with its
/// positions.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenDevice {
    /// Whose device it is.
    pub user: UserId,
    /// The device that signs in.
    pub device: DeviceId,
    /// Where it begins if it is not known.
    pub begin: Begin,
}

/// A device that was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceOpened {
    /// Its position in every queue it has acknowledged nothing of.
    pub since: u64,
    /// Whether it was known.
    pub known: bool,
}

impl Rule for OpenDevice {
    type Output = DeviceOpened;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<DeviceOpened, Stop> {
        check_self(draft, &self.user)?;
        draft.require([self.device.key(&self.user), Key::User(self.user.clone())])?;
        if let Some(known) = known(draft, &self.user, &self.device)? {
            see(draft, &known);
            return Ok(DeviceOpened { since: known.since, known: true });
        }
        let since = add_device(draft, &self.user, &self.device, self.begin)?;
        Ok(DeviceOpened { since, known: false })
    }
}

/// A device has received everything of a queue up to a number: it is not delivered again. Users acknowledge for their
/// own devices. A device that is not known is opened, beginning now in its other queues.
///
/// Positions never move back, unless `back` is set, and not beyond the last event.
#[derive(Debug, Clone, PartialEq)]
pub struct Acknowledge {
    /// Whose device and queue it is.
    pub user: UserId,
    /// The device that has received it.
    pub device: DeviceId,
    /// The queue that was received.
    pub queue: Queue,
    /// The number of the last event it has.
    pub after: u64,
    /// A number for the surface's own use, stored with the position; 0 when there is none.
    pub stamp: u64,
    /// Whether the position may move back, so that acknowledged events are delivered again.
    pub back: bool,
}

impl Acknowledge {
    /// An acknowledgement that only moves forward, without a number of the surface's own.
    pub fn new(user: UserId, device: DeviceId, queue: Queue, after: u64) -> Self {
        Self { user, device, queue, after, stamp: 0, back: false }
    }
}

impl Rule for Acknowledge {
    type Output = ();

    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Stop> {
        check_self(draft, &self.user)?;
        let place = self.device.position_key(&self.user, self.queue.clone());
        draft.require([self.device.key(&self.user), place.clone(), Key::User(self.user.clone())])?;
        let after = self.after.min(draft.last_sequence()?);
        let device = known(draft, &self.user, &self.device)?;
        if let Some(device) = &device {
            see(draft, device);
            // a device that is dropped meanwhile leaves no position behind
            draft.guard(self.device.key(&self.user), Some(device.revision));
        } else {
            add_device(draft, &self.user, &self.device, Begin::Now)?;
        }
        // positions of a device that is not known any more were dropped with it
        let found = draft.row(&place)?.as_ref().and_then(Row::position).cloned();
        let moves = match &found {
            Some(found) if self.back => (found.after, found.stamp) != (after, self.stamp),
            Some(found) => found.after < after || (found.after == after && found.stamp < self.stamp),
            None => self.back || self.stamp > 0 || device.is_none_or(|device| after > device.since),
        };
        if !moves {
            return Ok(());
        }
        if found.is_none() {
            make_room(draft, &self.user, &self.device)?;
        }
        let seen = found.map(|found| found.revision);
        draft.guard(place.clone(), seen);
        let position = Position {
            user: self.user.clone(),
            device: self.device.clone(),
            queue: self.queue.clone(),
            after,
            stamp: self.stamp,
            revision: seen.unwrap_or(0) + 1,
        };
        draft.put(place, position);
        Ok(())
    }
}

/// Whether a device has not been seen for so long that it is not known any more.
pub(crate) fn is_forgotten(device: &Device, now: Millis, settings: &Settings) -> bool {
    device.seen.plus(settings.device_lifetime) <= now
}

/// The device, if it is known.
fn known(draft: &Draft<'_>, user: &UserId, device: &DeviceId) -> Result<Option<Arc<Device>>, Stop> {
    let row = draft.row(&device.key(user))?;
    let device = row.as_ref().and_then(Row::device).cloned();
    Ok(device.filter(|device| !is_forgotten(device, draft.now(), draft.context.settings)))
}

/// Keeps when a device was seen, unless it was seen a short while ago.
fn see(draft: &mut Draft<'_>, device: &Device) {
    let pause = draft.context.settings.device_lifetime / PRECISION;
    if device.seen.plus(pause) > draft.now() {
        return;
    }
    let key = device.key();
    draft.guard(key.clone(), Some(device.revision));
    draft.put(key, Device { seen: draft.now(), revision: device.revision + 1, ..device.clone() });
}

/// Adds a device; answers where it begins.
fn add_device(draft: &mut Draft<'_>, user: &UserId, device: &DeviceId, begin: Begin) -> Result<u64, Stop> {
    draft.user(user)?;
    let last = draft.last_sequence()?;
    let devices = Prefix::devices_at(user, &device.surface);
    let (settings, now) = (draft.context.settings.clone(), draft.now());
    let mut others: Vec<Arc<Device>> = draft.run(devices)?.iter().filter_map(Row::device).cloned().collect();
    let key = device.key(user);
    let outdated = others.iter().find(|other| other.device == *device).cloned();
    if let Some(outdated) = &outdated {
        drop_positions(draft, outdated)?;
    }
    others.retain(|other| other.device != *device);
    others.sort_unstable_by_key(|other| std::cmp::Reverse((other.seen, other.since)));
    let most = (settings.devices_per_user as usize).max(1);
    for dropped in others.drain((most - 1).min(others.len())..) {
        drop_device(draft, &dropped)?;
    }
    let live = others.iter().filter(|other| !is_forgotten(other, now, &settings));
    let (since, positions) = match begin {
        Begin::Now => (last, BTreeMap::new()),
        Begin::After(number) => (number.min(last), BTreeMap::new()),
        Begin::Furthest => furthest(draft, live)?.unwrap_or((last, BTreeMap::new())),
        Begin::FurthestOr(number) => furthest(draft, live)?.unwrap_or((number.min(last), BTreeMap::new())),
    };
    let seen = outdated.map(|outdated| outdated.revision);
    draft.guard(key.clone(), seen);
    let revision = seen.unwrap_or(0) + 1;
    draft.put(key, Device { user: user.clone(), device: device.clone(), since, seen: now, revision });
    for position in positions.into_values() {
        let position = Position { device: device.clone(), revision: 1, ..position };
        draft.put(position.key(), position);
    }
    Ok(since)
}

/// Where a device begins: the number for queues without a position, and positions.
type Beginning = (u64, BTreeMap<Queue, Position>);

/// Where devices have got furthest in each queue; `None` when there is no device.
fn furthest<'d>(
    draft: &Draft<'_>,
    devices: impl Iterator<Item = &'d Arc<Device>> + Clone,
) -> Result<Option<Beginning>, Stop> {
    let Some(since) = devices.clone().map(|device| device.since).max() else { return Ok(None) };
    draft.require_runs(devices.clone().map(|device| positions_of(device)))?;
    let mut kept: Vec<(u64, BTreeMap<Queue, Arc<Position>>)> = Vec::new();
    for device in devices {
        let run = draft.run(positions_of(device))?;
        let positions = run.iter().filter_map(Row::position);
        kept.push((device.since, positions.map(|position| (position.queue.clone(), position.clone())).collect()));
    }
    let mut furthest = BTreeMap::new();
    for position in kept.iter().flat_map(|(_, positions)| positions.values()) {
        let queue = &position.queue;
        let places = kept.iter().map(|(since, positions)| {
            positions.get(queue).map_or((*since, 0), |position| (position.after, position.stamp))
        });
        let (after, stamp) = places.max().unwrap_or((since, 0));
        if (after, stamp) != (since, 0) {
            furthest.insert(queue.clone(), Position { after, stamp, ..Position::clone(position) });
        }
    }
    Ok(Some((since, furthest)))
}

/// Drops a device with its positions, if it is still as it was seen when this is committed.
pub(crate) fn drop_device(draft: &mut Draft<'_>, device: &Device) -> Result<(), Stop> {
    drop_positions(draft, device)?;
    let key = device.key();
    draft.guard(key.clone(), Some(device.revision));
    draft.delete(key);
    Ok(())
}

fn drop_positions(draft: &mut Draft<'_>, device: &Device) -> Result<(), Stop> {
    for position in draft.run(positions_of(device))?.iter().filter_map(Row::position) {
        draft.delete(position.key());
    }
    Ok(())
}

fn positions_of(device: &Device) -> Prefix {
    Prefix::positions(&device.user, &device.device.surface, &device.device.id)
}

/// Makes room for one more position of a device.
fn make_room(draft: &mut Draft<'_>, user: &UserId, device: &DeviceId) -> Result<(), Stop> {
    let run = Prefix::positions(user, &device.surface, &device.id);
    if draft.count(run.clone())? < POSITIONS_PER_DEVICE {
        return Ok(());
    }
    let joined: BTreeSet<GroupId> =
        draft.run(Prefix::joined(user))?.iter().filter_map(Row::to_group).map(|group| GroupId::clone(group)).collect();
    let run = draft.run(run)?;
    let positions = run.iter().filter_map(Row::position);
    let is_left = |position: &&Arc<Position>| matches!(&position.queue, Queue::Group(group) if !joined.contains(group));
    let mut dropped: Vec<_> = positions.clone().filter(is_left).map(|position| position.key()).collect();
    if dropped.is_empty() {
        let mut behind: Vec<_> = positions.collect();
        behind.sort_unstable_by_key(|position| position.after);
        dropped.extend(behind.iter().take(POSITIONS_PER_DEVICE / 100).map(|position| position.key()));
    }
    for place in dropped {
        draft.delete(place);
    }
    Ok(())
}

/// Drops all devices of a user.
pub(crate) fn drop_devices(draft: &mut Draft<'_>, user: &UserId) -> Result<(), Stop> {
    for device in draft.run(Prefix::devices(user))?.iter().filter_map(Row::device).cloned().collect::<Vec<_>>() {
        drop_device(draft, &device)?;
    }
    Ok(())
}
