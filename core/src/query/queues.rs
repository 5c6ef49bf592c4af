//! What a device has not received yet: the queues in which something waits, and each queue from a position.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use crate::event::{Event, Happening};
use crate::model::{Device, DeviceId, GroupId, Key, Member, Message, Millis, Position, Prefix, Queue, Row, UserId};
use crate::operation::is_forgotten;
use crate::ports::Span;
use crate::refusal::{Needs, Refusal};

use super::Reader;
use super::personal::check_self;

/// How many waiting events of one queue are counted at most.
pub const COUNTED: usize = 1000;
/// How many messages are read at a time, so that one page never reads much more than it answers.
const BODIES: usize = 16;

/// The positions of a device. Users see their own devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DevicePositions {
    /// Whose device it is.
    pub user: UserId,
    /// The device whose positions are read.
    pub device: DeviceId,
    /// The queues to read its positions in.
    pub queues: Vec<Queue>,
}

/// Where a device is in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DevicePosition {
    /// The number of the last event it has received.
    pub after: u64,
    /// The surface's own number stored with it; 0 when there is none.
    pub stamp: u64,
}

/// One entry for each requested queue, in order; `None` when the device is unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Positions(pub Option<Vec<DevicePosition>>);

impl DevicePositions {
    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<Positions, Refusal> {
        check_self(reader, &self.user)?;
        let Some(device) = device(reader, &self.user, &self.device).await? else { return Ok(Positions(None)) };
        let places = self.queues.into_iter().map(|queue| self.device.position_key(&self.user, queue));
        let rows = reader.store.fetch(&places.collect::<Vec<_>>()).await?;
        let place = |row: &Option<Row>| reached(&device, row.as_ref().and_then(Row::position).map(|found| &**found));
        Ok(Positions(Some(rows.iter().map(place).collect())))
    }
}

/// A page of one queue, in order: the user's own or a group's. Users read their own queues, and those of groups only
/// while they are members. See [`Feed`](super::Feed) for all queues together.
///
/// A group's queue holds what all its members receive and what does not name the user; whatever names the user is in
/// their own queue, whether it happened in a group or not, so that nothing is in two queues. It begins with the user's
/// membership; what happened in an earlier one is no longer in it. What is for nobody but those who are online, and
/// what clients are not notified of, is in no queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadQueue {
    /// Whose queue is read.
    pub user: UserId,
    /// Which queue.
    pub queue: Queue,
    /// Go on after this number; 0 is the beginning.
    pub after: u64,
    /// Most events looked at; the page may hold fewer, also none while there are more.
    pub limit: usize,
    /// About how many bytes of events and messages the page holds at most; a larger item is returned alone.
    pub bytes: usize,
}

/// An entry of a queue.
#[derive(Debug, Clone, PartialEq)]
pub struct QueueItem {
    /// The event. Its number is its key: keys of one queue grow strictly.
    pub event: Arc<Event>,
    /// The message that was sent or changed, in its current state; it may have been recalled. `None` where the event is
    /// about none, or the message was deleted.
    pub message: Option<Arc<Message>>,
}

/// A page of a queue.
#[derive(Debug, Clone, PartialEq)]
pub struct QueuePage {
    /// The items, in order.
    pub items: Vec<QueueItem>,
    /// The number after which the next page begins, also if there are no more events yet.
    pub last: u64,
    /// Whether there is more now.
    pub more: bool,
}

impl ReadQueue {
    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<QueuePage, Refusal> {
        check_self(reader, &self.user)?;
        let run = self.run(reader).await?;
        let after = self.after.max(run.from);
        let mut numbers = run.numbers(reader, after, self.limit.saturating_add(1)).await?;
        let mut more = numbers.len() > self.limit;
        numbers.truncate(self.limit);
        let keys: Vec<Key> = numbers.iter().map(|number| Key::Event(*number)).collect();
        let rows = reader.store.fetch(&keys).await?;
        let events: Vec<Arc<Event>> =
            rows.iter().flatten().filter_map(Row::event).filter(|event| run.holds(event)).cloned().collect();

        let (mut items, mut bytes) = (Vec::with_capacity(events.len()), 0_usize);
        let mut last = numbers.last().copied().unwrap_or(after);
        'page: for some in events.chunks(BODIES) {
            let messages = messages(reader, some).await?;
            for (event, message) in some.iter().zip(messages) {
                let size = event_bytes(event).saturating_add(message.as_deref().map_or(0, message_bytes));
                if !items.is_empty() && bytes.saturating_add(size) > self.bytes {
                    last = event.sequence - 1;
                    more = true;
                    break 'page;
                }
                bytes = bytes.saturating_add(size);
                items.push(QueueItem { event: event.clone(), message });
            }
        }
        Ok(QueuePage { items, last, more })
    }

    async fn run(&self, reader: &Reader<'_>) -> Result<Run, Refusal> {
        match &self.queue {
            Queue::Own => own_run(reader, &self.user).await,
            Queue::Group(group) => {
                let member = reader.row(Key::Member(group.clone(), self.user.clone())).await?;
                if let Some(member) = member.as_ref().and_then(Row::member) {
                    return Ok(Run::of_group(member));
                }
                reader.group(group).await?;
                Err(Refusal::NotPermitted { group: group.clone(), needs: Needs::Membership })
            }
            Queue::All(_) => {
                Err(Refusal::InvalidValue("all queues together cannot be read by ReadQueue, only by Feed"))
            }
        }
    }
}

/// The queues in which something waits for a device, the user's own first, then groups in the order of joining. Users
/// see their own devices.
///
/// Of a group in which nothing waits, only the key of the last event its members receive is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingQueues {
    /// Whose queues are read.
    pub user: UserId,
    /// Which device. For one that is not known, nothing waits.
    pub device: DeviceId,
    /// Most queues.
    pub limit: usize,
}

/// A queue in which something waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingQueue {
    /// The queue in which something waits.
    pub queue: Queue,
    /// Where the device is in it.
    pub place: DevicePosition,
    /// How many events wait, counted up to [`COUNTED`].
    pub events: usize,
}

/// Queues in which something waits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Waiting {
    /// The queues.
    pub queues: Vec<WaitingQueue>,
    /// Whether there are more.
    pub more: bool,
}

impl WaitingQueues {
    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<Waiting, Refusal> {
        check_self(reader, &self.user)?;
        let Some(device) = device(reader, &self.user, &self.device).await? else { return Ok(Waiting::default()) };
        let kept = Prefix::positions(&self.user, &self.device.surface, &self.device.id);
        let kept = reader.store.scan(&Span::all(kept)).await?;
        let positions: std::collections::BTreeMap<&Queue, &Position> =
            kept.iter().filter_map(|(_, row)| row.position()).map(|found| (&found.queue, &**found)).collect();
        let place = |queue: &Queue| reached(&device, positions.get(queue).copied());

        let mut waiting = Waiting::default();
        let own = own_run(reader, &self.user).await?;
        let at = place(&Queue::Own);
        let events = own.numbers(reader, at.after.max(own.from), COUNTED).await?.len();
        if events > 0 {
            waiting.queues.push(WaitingQueue { queue: Queue::Own, place: at, events });
        }
        let groups = joined(reader, &self.user).await?;
        let prefixes: Vec<Prefix> = groups.iter().map(Prefix::group_feed).collect();
        let ends = reader.store.last_keys(&prefixes).await?;
        for (group, end) in groups.into_iter().zip(ends) {
            let queue = Queue::Group(group);
            let at = place(&queue);
            if end.as_deref().and_then(number).is_none_or(|end| end <= at.after) {
                continue;
            }
            let Queue::Group(group) = &queue else { continue };
            let events = count(reader, &self.user, group, at.after).await?;
            if events == 0 {
                continue;
            }
            if waiting.queues.len() == self.limit {
                waiting.more = true;
                break;
            }
            waiting.queues.push(WaitingQueue { queue, place: at, events });
        }
        Ok(waiting)
    }
}

/// How many events of a group wait for one of its members, without looking at them.
async fn count(reader: &Reader<'_>, user: &UserId, group: &GroupId, after: u64) -> Result<usize, Refusal> {
    let member = reader.row(Key::Member(group.clone(), user.clone())).await?;
    let Some(member) = member.as_ref().and_then(Row::member) else { return Ok(0) };
    let run = Run::of_group(member);
    let mut numbers = run.numbers(reader, after.max(run.from), COUNTED).await?;
    let (Some(first), Some(last)) = (numbers.first().copied(), numbers.last().copied()) else { return Ok(0) };
    // what names the user is in their own queue
    let own =
        Run { prefix: Prefix::user_feed(user), at: Box::new(of_user(user)), from: 0, since: Millis(0), other: None };
    let named: BTreeSet<u64> = own.numbers(reader, first - 1, COUNTED).await?.into_iter().collect();
    numbers.retain(|number| *number <= last && !named.contains(number));
    Ok(numbers.len())
}

/// The events of one queue, by their keys.
pub(super) struct Run {
    prefix: Prefix,
    at: Box<dyn Fn(u64) -> Key + Send + Sync>,
    /// The number of the last event that is not in it any more, or was not in it yet.
    pub(super) from: u64,
    /// When it began, where no number is known.
    pub(super) since: Millis,
    /// The user whose own queue has the events that are not in this one.
    other: Option<UserId>,
}

impl Run {
    /// A group's queue as one of its members has it.
    pub(super) fn of_group(member: &Member) -> Self {
        let group = member.group.clone();
        Self {
            prefix: Prefix::group_feed(&group),
            at: Box::new(move |number| Key::GroupFeed(group.clone(), number)),
            from: member.since,
            // memberships from versions without the number
            since: if member.since == 0 { member.joined } else { Millis(0) },
            other: Some(member.user.clone()),
        }
    }

    /// The numbers of its next events.
    pub(super) async fn numbers(&self, reader: &Reader<'_>, after: u64, limit: usize) -> Result<Vec<u64>, Refusal> {
        let after = (self.at)(after).encode();
        let rows = reader.store.scan(&Span::first(self.prefix.clone(), limit).after(Some(after))).await?;
        Ok(rows.iter().filter_map(|(key, _)| number(key)).collect())
    }

    fn holds(&self, event: &Event) -> bool {
        let elsewhere = self.other.as_ref().is_some_and(|user| event.audience.users.contains(user));
        event.is_queued() && event.at >= self.since && !elsewhere
    }
}

fn of_user(user: &UserId) -> impl Fn(u64) -> Key + Send + Sync + use<> {
    let user = user.clone();
    move |number| Key::UserFeed(user.clone(), number)
}

/// A user's own queue. An account that took up an old id does not receive what its predecessor did.
pub(super) async fn own_run(reader: &Reader<'_>, user: &UserId) -> Result<Run, Refusal> {
    let account = reader.row(Key::User(user.clone())).await?;
    let since = account.as_ref().and_then(Row::user).map_or(Millis(0), |user| user.created);
    Ok(Run { prefix: Prefix::user_feed(user), at: Box::new(of_user(user)), from: 0, since, other: None })
}

/// The number of an event, read back from its key in a queue.
pub(super) fn number(key: &[u8]) -> Option<u64> {
    key.last_chunk::<8>().map(|bytes| u64::from_be_bytes(*bytes))
}

/// The groups a user is in, in the order of joining.
pub(super) async fn joined(reader: &Reader<'_>, user: &UserId) -> Result<Vec<GroupId>, Refusal> {
    let pointers = reader.store.scan(&Span::all(Prefix::joined(user))).await?;
    Ok(pointers.iter().filter_map(|(_, row)| row.to_group()).map(|id| GroupId::clone(id)).collect())
}

async fn device(reader: &Reader<'_>, user: &UserId, device: &DeviceId) -> Result<Option<Arc<Device>>, Refusal> {
    let row = reader.row(device.key(user)).await?;
    let device = row.as_ref().and_then(Row::device).cloned();
    Ok(device.filter(|device| !is_forgotten(device, reader.now, reader.settings)))
}

fn reached(device: &Device, position: Option<&Position>) -> DevicePosition {
    let begun = DevicePosition { after: device.since, stamp: 0 };
    position.map_or(begun, |position| DevicePosition { after: position.after, stamp: position.stamp })
}

/// The messages that events are about, as they are now.
async fn messages(reader: &Reader<'_>, events: &[Arc<Event>]) -> Result<Vec<Option<Arc<Message>>>, Refusal> {
    let places: Vec<Option<Key>> = events.iter().map(|event| message_key(event)).collect();
    let keys: Vec<Key> = places.iter().flatten().cloned().collect();
    let mut rows = reader.store.fetch(&keys).await?.into_iter();
    let found = places.iter().map(|place| {
        let row = place.as_ref().and_then(|_| rows.next()).flatten();
        row.as_ref().and_then(Row::message).cloned()
    });
    Ok(found.collect())
}

fn message_key(event: &Event) -> Option<Key> {
    let group = event.group.as_ref()?;
    match &event.what {
        Happening::MessageSent { sequence, .. } | Happening::MessageChanged { sequence, .. } => {
            Some(Key::Message(group.clone(), *sequence))
        }
        Happening::InTopic { topic, what } => match &**what {
            Happening::MessageSent { sequence, .. } | Happening::MessageChanged { sequence, .. } => {
                Some(Key::TopicMessage(group.clone(), topic.clone(), *sequence))
            }
            _ => None,
        },
        _ => None,
    }
}

/// The approximate size of a message in bytes.
fn message_bytes(message: &Message) -> usize {
    let body = message.body.bytes();
    let labels: usize = message.labels.iter().map(|(key, value)| key.len() + value.len()).sum();
    let targets: usize = message.targets.iter().map(|user| user.as_str().len()).sum();
    let mention = message.mention.as_ref().map_or(0, written);
    body + labels + targets + mention + 128
}

/// The approximate size of an event in bytes.
fn event_bytes(event: &Event) -> usize {
    written(event)
}

/// How long a value is when it is written out in full; whatever is added to events is counted as well.
fn written(value: &impl std::fmt::Debug) -> usize {
    struct Counter(usize);
    impl std::fmt::Write for Counter {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            self.0 = self.0.saturating_add(text.len());
            Ok(())
        }
    }
    let mut counter = Counter(0);
    // counting never fails
    _ = write!(counter, "{value:?}");
    counter.0
}
