//! A session's reads and acknowledgements in the store: the waiting queues, a queue's events, and the device's
//! positions.

use std::collections::BTreeMap;
use std::sync::Arc;

use conclave_core::event::{Actor, Event};
use conclave_core::model::{Group, GroupId, Message, Millis, Queue, Receive, Role};
use conclave_core::operation::Acknowledge;
use conclave_core::ports::GroupsExt as _;
use conclave_core::query::{DevicePositions, GroupById, QueueItem, ReadQueue, WaitingQueues};
use conclave_core::refusal::Refusal;
use conclave_kit::group_of;

use super::login::{KEPT, Login};
use super::news::{self, Client, key_of_all};
use super::queues::{Page, Question};
use super::wire::Meta;
use crate::dialect::events;

/// Most waiting queues in a list.
const QUEUES: usize = 4096;
/// Most events of one page, and about how many bytes of them.
const EVENTS: usize = 50;
const BYTES: usize = 128 * 1024;
/// Most pages that are read for one reply if they have nothing for this client.
const PAGES: usize = 16;

/// The waiting queues.
pub(crate) struct Waiting {
    /// The queues, with approximate counts.
    pub(super) queues: Vec<(Queue, u32)>,
    /// The number of the last event before they were read.
    pub(super) floor: u64,
    /// Whether these are all.
    pub(super) is_complete: bool,
}

/// Reads the waiting queues.
pub(super) async fn waiting(login: &Login) -> Result<Waiting, Refusal> {
    let floor = login.app.log.last().await?;
    let asked = WaitingQueues { user: login.user().clone(), device: login.device_id(), limit: QUEUES };
    let found = login.app.groups.ask(&login.actor(), asked).await?;
    let count = |events: usize| u32::try_from(events).unwrap_or(u32::MAX);
    let queues = found.queues.into_iter().map(|queue| (queue.queue, count(queue.events))).collect();
    Ok(Waiting { queues, floor, is_complete: !found.more })
}

/// What a queue has for a client.
pub(crate) struct QueueItems {
    pub(super) page: Option<Page>,
    pub(super) items: Vec<Meta>,
}

/// Acknowledges and reads, as requested.
pub(super) async fn answer(login: &Login, queue: &Queue, question: Question) -> Result<QueueItems, Refusal> {
    if let Some(number) = question.acknowledge {
        acknowledge(login, queue, number).await?;
    }
    if !question.read {
        return Ok(QueueItems { page: None, items: Vec::new() });
    }
    let mut after = match question.after {
        Some(after) => after,
        None => position(login, queue).await?,
    };
    let (mut items, mut more) = (Vec::new(), true);
    let first = after;
    for _ in 0..PAGES {
        let read = ReadQueue { user: login.user().clone(), queue: queue.clone(), after, limit: EVENTS, bytes: BYTES };
        let page = match login.app.groups.ask(&login.actor(), read).await {
            Ok(page) => page,
            // not a member any more: the rest of the group's queue is not for this user
            Err(Refusal::NotPermitted { .. } | Refusal::GroupNotFound { .. }) => {
                more = false;
                break;
            }
            Err(refusal) => return Err(refusal),
        };
        items = own_items(login, queue, &page.items).await?;
        (after, more) = (page.last, page.more);
        if !items.is_empty() || !more {
            break;
        }
    }
    if items.is_empty() && question.is_clear && after > first {
        acknowledge(login, queue, after).await?;
    }
    let key = (!items.is_empty()).then(|| key_of_all(after));
    Ok(QueueItems { page: Some(Page { last: after, more, key }), items })
}

async fn acknowledge(login: &Login, queue: &Queue, number: u64) -> Result<(), Refusal> {
    let acknowledge = Acknowledge::new(login.user().clone(), login.device_id(), queue.clone(), number);
    login.app.groups.run(&login.actor(), acknowledge).await?;
    Ok(())
}

async fn position(login: &Login, queue: &Queue) -> Result<u64, Refusal> {
    let asked = DevicePositions { user: login.user().clone(), device: login.device_id(), queues: vec![queue.clone()] };
    let places = login.app.groups.ask(&login.actor(), asked).await?.0;
    Ok(places.and_then(|places| places.first().map(|place| place.after)).unwrap_or(0))
}

/// The items of a page for this client, in order.
async fn own_items(login: &Login, queue: &Queue, items: &[QueueItem]) -> Result<Vec<Meta>, Refusal> {
    let app = &login.app;
    let oldest = Millis(app.now().0.saturating_sub(KEPT));
    let items: Vec<&QueueItem> = items.iter().filter(|item| item.event.at >= oldest).collect();
    let mut groups: BTreeMap<GroupId, Option<GroupView>> = BTreeMap::new();
    let mut found: Vec<(u64, Meta)> = Vec::new();
    let mut done: Vec<GroupId> = Vec::new();
    for item in &items {
        let Some(id) = &item.event.group else { continue };
        if done.contains(id) {
            continue;
        }
        done.push(id.clone());
        let of_group: Vec<&QueueItem> =
            items.iter().copied().filter(|item| item.event.group.as_ref() == Some(id)).collect();
        if !groups.contains_key(id) {
            groups.insert(id.clone(), place(login, &of_group).await?);
        }
        let Some(Some(place)) = groups.get(id) else { continue };
        let client = Client {
            user: login.user(),
            role: place.role,
            shields: place.shields,
            device: &login.device,
            knows_lists: login.knows_lists,
        };
        let facts = events::facts(of_group.iter().map(|item| &*item.event), &place.group, &app.settings);
        for fact in &facts {
            let message = of_group.iter().find(|item| item.event.sequence == fact.event.sequence);
            let message: Option<Arc<Message>> = message.and_then(|item| item.message.clone());
            let news = news::of_fact(app, fact, &place.group, message).await?;
            let mine = news.into_iter().filter(|news| news.is_for(client) && news.queue(login.user()) == *queue);
            found.extend(mine.map(|news| (news.key, news.meta)));
        }
    }
    found.sort_by_key(|(key, _)| *key);
    Ok(found.into_iter().map(|(_, meta)| meta).collect())
}

/// A group, and the client's user in it.
struct GroupView {
    group: Arc<Group>,
    role: Option<Role>,
    shields: bool,
}

/// The group of these items; `None` when nothing is left of it.
async fn place(login: &Login, items: &[&QueueItem]) -> Result<Option<GroupView>, Refusal> {
    let app = &login.app;
    let Some(first) = items.first() else { return Ok(None) };
    let Some(id) = &first.event.group else { return Ok(None) };
    let asked = app.groups.ask(&login.actor(), GroupById { group: id.clone() }).await;
    let (group, own) = match asked {
        Ok(found) => (found.group, found.own),
        // not a member any more, or an invited user who is not a member yet
        Err(Refusal::NotPermitted { .. }) => {
            match app.groups.ask(&Actor::app(), GroupById { group: id.clone() }).await {
                Ok(found) => (found.group, None),
                Err(Refusal::GroupNotFound { .. }) => return Ok(None),
                Err(refusal) => return Err(refusal),
            }
        }
        Err(Refusal::GroupNotFound { .. }) => {
            // the event that deleted the group has its last state; earlier events are not needed any more
            let end: Option<&Arc<Event>> =
                items.iter().rev().map(|item| &item.event).find(|event| events::is_end(event));
            let Some(end) = end else { return Ok(None) };
            let Some(group) = group_of(end, &*app.groups, &*app.log).await? else { return Ok(None) };
            (group, None)
        }
        Err(refusal) => return Err(refusal),
    };
    let shields = own.as_ref().is_some_and(|member| member.receive == Receive::Discard);
    Ok(Some(GroupView { group, role: own.map(|member| member.role), shields }))
}
