//! Turns at the processor: a few at a time, and waiting addresses take turns. Who asks often waits behind their own
//! requests, and delays others by one of them only.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;

use foldhash::HashMap as Map;
use parking_lot::Mutex;
use tokio::sync::oneshot;

/// The turns of a process.
#[derive(Debug)]
pub(crate) struct Turns(Mutex<State>);

#[derive(Debug)]
struct State {
    /// How many turns nobody has.
    free: usize,
    /// Those who wait, by address, oldest first. No queue is empty.
    waiting: Map<Option<IpAddr>, VecDeque<oneshot::Sender<Turn>>>,
    /// The addresses with a queue, in the order of their next turn.
    order: VecDeque<Option<IpAddr>>,
}

/// A turn; the next one begins when it is dropped.
#[derive(Debug)]
pub(crate) struct Turn(Arc<Turns>);

impl Turns {
    /// So many at a time.
    pub(crate) fn new(count: usize) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State { free: count, waiting: Map::default(), order: VecDeque::new() })))
    }

    /// Waits for a turn. Unknown addresses count as one.
    pub(crate) async fn take(self: &Arc<Self>, address: Option<IpAddr>) -> Turn {
        loop {
            let turn = {
                let mut state = self.0.lock();
                if state.free > 0 {
                    state.free -= 1;
                    return Turn(Arc::clone(self));
                }
                let (sender, turn) = oneshot::channel();
                let State { waiting, order, .. } = &mut *state;
                let queue = waiting.entry(address).or_insert_with(|| {
                    order.push_back(address);
                    VecDeque::new()
                });
                queue.push_back(sender);
                turn
            };
            // its sender waits in the queue until it is used
            if let Ok(turn) = turn.await {
                return turn;
            }
        }
    }

    /// Gives a turn to the next address.
    fn pass_on(self: &Arc<Self>) {
        let next = {
            let mut state = self.0.lock();
            let State { free, waiting, order } = &mut *state;
            let next = order.pop_front().and_then(|address| {
                let queue = waiting.get_mut(&address)?;
                let next = queue.pop_front();
                if queue.is_empty() {
                    waiting.remove(&address);
                } else {
                    order.push_back(address);
                }
                next
            });
            if next.is_none() {
                *free += 1;
            }
            next
        };
        if let Some(next) = next {
            // if it waits no longer, the turn comes back and is dropped, which passes it on
            drop(next.send(Turn(Arc::clone(self))));
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.pass_on();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn of(last: u8) -> IpAddr {
        IpAddr::from([1, 1, 1, last])
    }

    #[tokio::test]
    async fn addresses_take_turns_and_who_gives_up_takes_none() {
        let turns = Turns::new(1);
        let first = turns.take(Some(of(1))).await;
        let done = Mutex::new(Vec::new());
        let wait = async |name: &'static str, address| {
            let _turn = turns.take(Some(address)).await;
            done.lock().push(name);
        };
        let mallory = ["m1", "m2", "m3", "m4"].map(|name| (name, of(1)));
        let others = [("alice", of(2)), ("bob", of(3))];
        let mut waiting: Vec<_> =
            mallory.into_iter().chain(others).map(|(name, at)| Box::pin(wait(name, at))).collect();
        waiting.retain_mut(|one| one.as_mut().now_or_never().is_none());
        assert_eq!(waiting.len(), 6);
        // the second one disconnects
        drop(waiting.remove(1));
        drop(first);
        while !waiting.is_empty() {
            waiting.retain_mut(|one| one.as_mut().now_or_never().is_none());
        }
        assert_eq!(*done.lock(), ["m1", "alice", "bob", "m3", "m4"]);
        assert_eq!(turns.0.lock().free, 1);
    }
}
