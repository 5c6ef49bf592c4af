//! The state of one connection in each queue.
//!
//! A queue without waiting items has no entry here: a new item is pushed at once, with a key that the client
//! acknowledges. Everything else is read from the store when the client asks: after a notice, after the list of unread
//! queues, or after it has acknowledged what it has. An entry is removed when everything is acknowledged, so a client
//! that never acknowledges costs a few numbers for each queue.

use std::collections::BTreeMap;

use conclave_core::model::Queue;

use super::news::{key_of_all, sequence_of};

/// Most items of one queue that are pushed and not acknowledged; more are read when the client has acknowledged these.
const PUSHED: u32 = 32;
/// Idle entries are removed when there are more than this.
const IDLE: usize = 64;
/// Most queues that are read at once for a client that does not ask for them.
const UNASKED: usize = 16;

/// The state of one connection in one queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
struct QueueState {
    /// The key of the last item that was sent on this connection; 0 when none was.
    sent: u64,
    /// The highest key that the client has acknowledged.
    acknowledged: u64,
    /// Up to this event everything was sent or is not for this client; `None` is the device's stored position.
    read: Option<u64>,
    /// The last event of this queue that was delivered to the session.
    received: u64,
    /// There may be more events than were delivered to the session.
    unsure: bool,
    /// Items pushed since everything was acknowledged.
    pushed: u32,
    /// The client was notified, and has not asked yet.
    notified: bool,
    /// The client has received a list of unread queues with this one, and has not asked for it yet.
    listed: bool,
    /// A read of the store is in progress.
    busy: bool,
    /// The client has asked or acknowledged during that read.
    again: bool,
    /// The entry exists only because the client asked: clients may name any queue, so it is removed when the read is
    /// over and had nothing.
    named_by_client: bool,
}

impl QueueState {
    /// There may be events that were not delivered to the session.
    fn unsure() -> Self {
        Self { unsure: true, ..Self::default() }
    }

    /// The client named this queue, and nothing in it was ever sent, delivered to the session or listed as waiting.
    fn is_unused(&self) -> bool {
        self.named_by_client && self.received == 0
    }

    fn is_acknowledged(&self) -> bool {
        self.acknowledged >= self.sent
    }

    fn is_read(&self) -> bool {
        !self.unsure && self.read.is_some_and(|read| read >= self.received)
    }

    fn question(&mut self, acknowledge: Option<u64>) -> Question {
        self.busy = true;
        let (read, is_clear) = (!self.is_read(), self.is_acknowledged());
        Question { acknowledge, read, after: self.read, is_clear }
    }
}

/// How a new item is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivery {
    /// It is sent now.
    Push,
    /// The client is notified that items wait.
    Notice,
    /// Not at all: the client has it, or will ask.
    Nothing,
}

/// The reaction to a client's request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// Read the store.
    Store(Question),
    /// Reply that there is nothing more.
    End,
    /// Nothing: the reply to an earlier request will follow.
    Nothing,
}

/// A read of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Question {
    /// Everything up to this event was received.
    pub(super) acknowledge: Option<u64>,
    /// Whether to read further events.
    pub(super) read: bool,
    /// After this event; `None` is the device's stored position.
    pub(super) after: Option<u64>,
    /// Whether everything that was sent is acknowledged, so that events that are not for this client may be
    /// acknowledged too.
    pub(super) is_clear: bool,
}

/// A page read from the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Page {
    /// The last event that was read.
    pub(super) last: u64,
    /// Whether there was more.
    pub(super) more: bool,
    /// The key of the items that are sent to the client, if any.
    pub(super) key: Option<u64>,
}

/// What follows a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Send the items.
    Send,
    /// Reply that there is nothing more.
    End,
    /// Read the store again.
    Store(Question),
    /// Nothing: the client has not acknowledged everything yet.
    Nothing,
}

/// The state of one connection in all its queues.
#[derive(Debug, Default)]
pub(super) struct Queues {
    places: BTreeMap<Queue, QueueState>,
    /// Whether the waiting queues are known; before that, nothing is pushed.
    known: bool,
    /// Whether all waiting queues have an entry; otherwise nothing is pushed into queues without one.
    complete: bool,
    /// The number of the last event that was in the store when the waiting queues were read.
    floor: u64,
}

impl Queues {
    /// A new item in a queue.
    pub(super) fn deliver(&mut self, queue: &Queue, key: u64) -> Delivery {
        let number = sequence_of(key);
        self.sweep(number);
        if let Some(place) = self.places.get_mut(queue) {
            if key <= place.sent || place.read.is_some_and(|read| number < read) {
                return Delivery::Nothing;
            }
            let pushes = self.known && !place.busy && place.is_read() && place.pushed < PUSHED;
            place.received = place.received.max(number);
            if pushes {
                place.sent = key;
                place.read = Some(number);
                place.pushed += 1;
                return Delivery::Push;
            }
            let waits = self.known && !place.busy && !place.notified && place.is_acknowledged();
            place.notified |= waits;
            return if waits { Delivery::Notice } else { Delivery::Nothing };
        }
        if self.known && self.complete {
            if number <= self.floor {
                // it was in the store when the waiting queues were read, and was not among them: the device has it
                return Delivery::Nothing;
            }
            let pushed =
                QueueState { sent: key, received: number, read: Some(number), pushed: 1, ..QueueState::default() };
            self.places.insert(queue.clone(), pushed);
            return Delivery::Push;
        }
        self.places.insert(queue.clone(), QueueState { notified: self.known, ..QueueState::unsure() });
        if self.known { Delivery::Notice } else { Delivery::Nothing }
    }

    /// The waiting queues are not known any more.
    pub(super) fn forget(&mut self) {
        self.known = false;
    }

    /// Sets the waiting queues, of which the client is notified now: by the list that it has asked for (`is_list`), or
    /// by a notice of each. `floor` is the number of the last event before they were read. Returns the other queues in
    /// which items wait.
    pub(super) fn learn(&mut self, waiting: &[Queue], floor: u64, is_complete: bool, is_list: bool) -> Vec<Queue> {
        for queue in waiting {
            let place = self.places.entry(queue.clone()).or_default();
            place.unsure = true;
            place.notified = true;
            place.listed |= is_list;
            place.named_by_client = false;
        }
        self.known = true;
        self.complete = is_complete;
        self.floor = self.floor.max(floor);
        let mut others = Vec::new();
        for (queue, place) in &mut self.places {
            if !place.notified && !place.busy && !place.is_read() && place.is_acknowledged() {
                place.notified = true;
                others.push(queue.clone());
            }
        }
        others
    }

    /// The first queues that the client has received a list of and has not asked for, of which nothing was sent either.
    pub(super) fn unasked(&self) -> Vec<Queue> {
        let unasked = |place: &QueueState| place.listed && !place.busy && place.is_acknowledged();
        self.places.iter().filter(|(_, place)| unasked(place)).map(|(queue, _)| queue.clone()).take(UNASKED).collect()
    }

    /// The client asks for a queue, having received everything up to a key, if it names one.
    pub(super) fn ask(&mut self, queue: &Queue, key: Option<u64>) -> Asked {
        let named = || QueueState { named_by_client: true, ..QueueState::unsure() };
        let place = self.places.entry(queue.clone()).or_insert_with(named);
        place.notified = false;
        place.listed = false;
        let mut acknowledge = None;
        if let Some(key) = key.filter(|key| *key > place.acknowledged) {
            // a client may acknowledge what an earlier connection was sent, but nothing that was not sent
            place.acknowledged = if place.sent == 0 { key } else { key.min(place.sent) };
            acknowledge = Some(sequence_of(place.acknowledged));
        }
        if place.busy {
            place.again = true;
            return Asked::Nothing;
        }
        if place.is_acknowledged() {
            place.pushed = 0;
        }
        let reads = !place.is_read() && (key.is_none() || place.is_acknowledged());
        if acknowledge.is_some() || reads {
            let question = place.question(acknowledge);
            return Asked::Store(Question { read: reads, ..question });
        }
        if key.is_none() || place.is_acknowledged() { Asked::End } else { Asked::Nothing }
    }

    /// The store has been read, with a page if one was requested.
    pub(super) fn answered(&mut self, queue: &Queue, page: Option<Page>) -> Next {
        let Some(place) = self.places.get_mut(queue) else { return Next::Nothing };
        place.busy = false;
        let again = std::mem::take(&mut place.again);
        if let Some(page) = page {
            place.read = Some(page.last);
            place.unsure = page.more;
            if let Some(key) = page.key {
                place.sent = key;
                place.named_by_client = false;
                return Next::Send;
            }
            if place.is_acknowledged() {
                // the remaining events were not for this client
                place.sent = place.sent.max(key_of_all(page.last));
                place.acknowledged = place.sent;
            }
        }
        if !place.is_acknowledged() {
            return Next::Nothing;
        }
        place.pushed = 0;
        let acknowledge = Some(sequence_of(place.acknowledged)).filter(|number| again && *number > 0);
        if acknowledge.is_some() || !place.is_read() {
            return Next::Store(place.question(acknowledge));
        }
        if place.is_unused() {
            self.places.remove(queue);
        }
        Next::End
    }

    /// The store could not be read: the queue is listed again when the client asks for unread queues.
    pub(super) fn failed(&mut self, queue: &Queue) {
        let Some(place) = self.places.get_mut(queue) else { return };
        place.busy = false;
        place.again = false;
        place.unsure = true;
        if place.is_unused() {
            self.places.remove(queue);
        }
    }

    /// Removes entries of queues in which everything is acknowledged and no older event can follow: facts are delivered
    /// in the order of the log, and this one is of event `number`.
    fn sweep(&mut self, number: u64) {
        if self.places.len() <= IDLE {
            return;
        }
        self.places.retain(|_, place| {
            let is_idle = !place.busy && !place.notified && place.is_acknowledged() && place.is_read();
            !is_idle || place.read >= Some(number) || sequence_of(place.sent) >= number
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::socket::news::KEY_BITS;

    const OWN: Queue = Queue::Own;

    fn known() -> Queues {
        let mut queues = Queues::default();
        assert_eq!(queues.learn(&[], 10, true, true), []);
        queues
    }

    fn key(number: u64) -> u64 {
        (number << KEY_BITS) + 1
    }

    fn page(last: u64, more: bool, items: bool) -> Page {
        Page { last, more, key: items.then(|| key_of_all(last)) }
    }

    #[test]
    fn what_comes_while_nothing_waits_is_pushed_and_acknowledged() {
        let mut queues = known();
        assert_eq!(queues.deliver(&OWN, key(10)), Delivery::Nothing, "in the store, and not waiting");
        assert_eq!(queues.deliver(&OWN, key(11)), Delivery::Push);
        assert_eq!(queues.deliver(&OWN, key(11)), Delivery::Nothing, "sent already");
        assert_eq!(queues.deliver(&OWN, key(11) + 1), Delivery::Push, "another item of the same event");
        let acknowledged =
            |number| Question { acknowledge: Some(number), read: false, after: Some(11), is_clear: false };
        assert_eq!(queues.ask(&OWN, Some(key(11))), Asked::Store(acknowledged(11)));
        assert_eq!(queues.answered(&OWN, None), Next::Nothing, "one is not acknowledged yet");
        let all = Question { is_clear: true, ..acknowledged(11) };
        assert_eq!(queues.ask(&OWN, Some(key(11) + 1)), Asked::Store(all));
        assert_eq!(queues.answered(&OWN, None), Next::End);
        assert_eq!(queues.ask(&OWN, None), Asked::End);
    }

    #[test]
    fn what_comes_while_a_queue_is_read_is_in_the_next_answer() {
        let mut queues = Queues::default();
        assert_eq!(queues.deliver(&OWN, key(7)), Delivery::Nothing, "the client has not asked yet");
        assert_eq!(queues.learn(&[OWN], 7, true, true), []);
        let first = Question { acknowledge: None, read: true, after: None, is_clear: true };
        assert_eq!(queues.ask(&OWN, None), Asked::Store(first));
        assert_eq!(queues.ask(&OWN, None), Asked::Nothing, "asked twice");
        assert_eq!(queues.deliver(&OWN, key(8)), Delivery::Nothing);
        assert_eq!(queues.answered(&OWN, Some(page(7, false, true))), Next::Send);
        assert_eq!(queues.deliver(&OWN, key(7)), Delivery::Nothing, "in the page");
        let more = Question { acknowledge: Some(7), read: true, after: Some(7), is_clear: true };
        assert_eq!(queues.ask(&OWN, Some(key_of_all(7))), Asked::Store(more));
        assert_eq!(queues.answered(&OWN, Some(page(8, false, true))), Next::Send);
        let rest = Question { acknowledge: Some(8), read: false, after: Some(8), is_clear: true };
        assert_eq!(queues.ask(&OWN, Some(key_of_all(8))), Asked::Store(rest));
        assert_eq!(queues.answered(&OWN, None), Next::End);
        assert_eq!(queues.deliver(&OWN, key(9)), Delivery::Push);
    }

    #[test]
    fn a_client_that_does_not_acknowledge_is_sent_so_much_and_no_more() {
        let mut queues = known();
        let pushed = (11..1000).filter(|number| queues.deliver(&OWN, key(*number)) == Delivery::Push).count();
        assert_eq!(pushed, PUSHED as usize);
        let last = 10 + u64::from(PUSHED);
        let question = Question { acknowledge: Some(last), read: true, after: Some(last), is_clear: true };
        assert_eq!(queues.ask(&OWN, Some(key(last))), Asked::Store(question));
    }

    #[test]
    fn nothing_is_pushed_over_what_may_wait() {
        let mut queues = Queues::default();
        assert_eq!(queues.learn(&[], 10, false, true), []);
        assert_eq!(queues.deliver(&OWN, key(11)), Delivery::Notice, "there may be more before it");
        assert_eq!(queues.deliver(&OWN, key(12)), Delivery::Nothing, "the client was notified");
        queues.forget();
        let group = Queue::All("x".to_owned());
        assert_eq!(queues.deliver(&group, key(13)), Delivery::Nothing);
        assert_eq!(queues.learn(&[], 20, true, true), [group]);
    }

    #[test]
    fn what_a_client_does_not_ask_for_is_known() {
        let mut queues = Queues::default();
        assert_eq!(queues.learn(&[OWN], 7, true, false), []);
        assert_eq!(queues.unasked(), [], "a notice of each is no list");
        assert_eq!(queues.learn(&[OWN], 7, true, true), []);
        assert_eq!(queues.unasked(), [OWN]);
        assert!(matches!(queues.ask(&OWN, None), Asked::Store(_)));
        assert_eq!(queues.learn(&[OWN], 7, true, true), []);
        assert_eq!(queues.unasked(), [], "it is being read");
        assert_eq!(queues.answered(&OWN, Some(page(7, false, true))), Next::Send);
        assert_eq!(queues.unasked(), [], "it was sent, and is not acknowledged");
        assert!(matches!(queues.ask(&OWN, Some(key_of_all(7))), Asked::Store(_)));
        let many: Vec<Queue> = (0..1000).map(|number| Queue::All(number.to_string())).collect();
        assert_eq!(queues.learn(&many, 7, true, true), []);
        assert_eq!(queues.unasked().len(), UNASKED);
    }

    #[test]
    fn a_client_acknowledges_only_what_it_was_sent() {
        let mut queues = known();
        assert_eq!(queues.deliver(&OWN, key(11)), Delivery::Push);
        let question = Question { acknowledge: Some(11), read: false, after: Some(11), is_clear: true };
        assert_eq!(queues.ask(&OWN, Some(u64::MAX)), Asked::Store(question));
    }

    #[test]
    fn queues_that_a_client_makes_up_leave_no_entries() {
        let mut queues = known();
        for number in 0..500 {
            let queue = Queue::All(number.to_string());
            let key = (number % 2 == 0).then(|| key(10));
            assert!(matches!(queues.ask(&queue, key), Asked::Store(_)));
            match number % 3 {
                0 => queues.failed(&queue),
                1 => assert_eq!(queues.answered(&queue, Some(page(10, false, false))), Next::End),
                _ => {
                    assert_eq!(queues.ask(&queue, None), Asked::Nothing);
                    let next = queues.answered(&queue, Some(page(10, false, false)));
                    assert!(matches!(next, Next::Store(_) | Next::End), "{next:?}");
                    if next != Next::End {
                        assert_eq!(queues.answered(&queue, None), Next::End);
                    }
                }
            }
        }
        assert_eq!(queues.places.len(), 0);
        // what is delivered later is pushed as if nobody had asked
        assert_eq!(queues.deliver(&Queue::All("1".to_owned()), key(11)), Delivery::Push);
    }

    #[test]
    fn idle_entries_are_dropped() {
        let mut queues = known();
        for number in 11..500 {
            let queue = Queue::All(number.to_string());
            assert_eq!(queues.deliver(&queue, key(number)), Delivery::Push);
            assert!(matches!(queues.ask(&queue, Some(key(number))), Asked::Store(_)));
            assert_eq!(queues.answered(&queue, None), Next::End);
        }
        assert!(queues.places.len() <= IDLE + 1, "{}", queues.places.len());
    }
}
