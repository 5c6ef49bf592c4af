//! The slots for connections of one listener. When all are taken, a new connection gets the slot of one that is idle,
//! so that clients which connect and send nothing do not keep others out.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;

/// All slots.
#[derive(Clone)]
pub(super) struct Slots(Arc<Inner>);

struct Inner {
    most: usize,
    open: Mutex<Open>,
    /// A slot was freed, or a connection became idle.
    changed: Notify,
}

#[derive(Default)]
struct Open {
    /// The number of the next connection.
    next: u64,
    /// The connections by number, so oldest first; those that are being evicted are not among them.
    connections: BTreeMap<u64, Arc<State>>,
    /// The slots that are taken, also by connections that are being evicted.
    taken: usize,
}

#[derive(Default)]
struct State {
    /// Requests whose responses were not sent completely yet.
    in_flight: AtomicUsize,
    /// All requests that were received.
    requests: AtomicUsize,
    evicted: Notify,
}

impl State {
    fn is_idle(&self) -> bool {
        self.in_flight.load(Ordering::Acquire) == 0
    }
}

impl Slots {
    pub(super) fn new(most: usize) -> Self {
        Self(Arc::new(Inner { most, open: Mutex::default(), changed: Notify::new() }))
    }

    /// A slot for a new connection. While all are taken, an idle connection is closed for it: the oldest of those that
    /// never sent a request, otherwise the oldest. While none is idle, waits until one is.
    pub(super) async fn take(&self) -> Slot {
        loop {
            if let Some(slot) = self.try_take() {
                return slot;
            }
            // a change in between is kept for the next waiter
            self.0.changed.notified().await;
        }
    }

    fn try_take(&self) -> Option<Slot> {
        let mut open = self.0.open.lock();
        if open.taken >= self.0.most {
            // one at a time: its slot is free when its task has ended
            if open.connections.len() == open.taken {
                let idle = || open.connections.iter().filter(|(_, state)| state.is_idle());
                let silent = idle().find(|(_, state)| state.requests.load(Ordering::Acquire) == 0);
                let number = *silent.or_else(|| idle().next())?.0;
                open.connections.remove(&number)?.evicted.notify_one();
            }
            return None;
        }
        open.taken += 1;
        let number = open.next;
        open.next += 1;
        let state = Arc::<State>::default();
        open.connections.insert(number, Arc::clone(&state));
        Some(Slot { slots: self.clone(), number, state })
    }
}

/// The slot of one connection; freed on drop.
pub(super) struct Slot {
    slots: Slots,
    number: u64,
    state: Arc<State>,
}

impl Slot {
    /// Begins a request, which keeps the connection from being evicted.
    pub(super) fn begin(&self) -> Busy {
        self.state.in_flight.fetch_add(1, Ordering::AcqRel);
        self.state.requests.fetch_add(1, Ordering::AcqRel);
        Busy { slots: self.slots.clone(), state: Arc::clone(&self.state) }
    }

    /// Waits until the slot is needed for a new connection.
    pub(super) async fn evicted(&self) {
        self.state.evicted.notified().await;
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut open = self.slots.0.open.lock();
        open.connections.remove(&self.number);
        open.taken -= 1;
        drop(open);
        self.slots.0.changed.notify_one();
    }
}

/// A request in flight; dropped when its response was sent completely.
pub(crate) struct Busy {
    slots: Slots,
    state: Arc<State>,
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.state.in_flight.fetch_sub(1, Ordering::AcqRel);
        self.slots.0.changed.notify_one();
    }
}
