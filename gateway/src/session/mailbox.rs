//! Deliveries that wait for one session.

use std::any::Any;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use conclave_kit::DisconnectReason;
use parking_lot::Mutex;
use tokio::sync::Notify;

/// Most deliveries that wait for one session. Beyond that they are dropped, and the client is notified to fetch.
pub(crate) const MOST: usize = 256;
/// Most bytes that wait for one session, as facts state them. A single delivery may be larger.
pub(crate) const MOST_BYTES: usize = 1024 * 1024;

/// Most bytes that are taken at once; a single delivery may be larger.
const BURST_BYTES: usize = 64 * 1024;

/// Filled by the realm, emptied by the session's own task. Belongs to one login: signing in again creates another.
#[derive(Default)]
pub(crate) struct Mailbox {
    mail: Mutex<Waiting>,
    wake: Notify,
    /// How often it was checked whether the user may stay signed in.
    checks: AtomicU32,
}

/// A fact for a session.
#[derive(Clone)]
pub(crate) struct Delivery {
    /// The fact.
    pub(crate) content: Arc<dyn Any + Send + Sync>,
    /// Approximate bytes that it keeps in memory.
    pub(crate) bytes: usize,
    /// Whether this session's own device caused it.
    pub(crate) is_own: bool,
}

#[derive(Default)]
struct Waiting {
    deliveries: VecDeque<Delivery>,
    bytes: usize,
    /// The number of the last delivery; the first one is 1.
    last: u64,
    missed: bool,
    recheck: bool,
    cut: bool,
    ended: Option<DisconnectReason>,
}

/// What was taken from a mailbox.
#[derive(Default)]
pub(crate) struct Mail {
    /// In the order of the log.
    pub(crate) deliveries: Vec<Delivery>,
    /// Whether earlier deliveries were dropped.
    pub(crate) missed: bool,
    /// The account has changed: check whether its user may stay signed in.
    pub(crate) recheck: bool,
    /// The connection is cut: its client is notified of nothing.
    pub(crate) cut: bool,
    /// The user was signed out, for this reason.
    pub(crate) ended: Option<DisconnectReason>,
}

impl Mailbox {
    /// Adds a delivery. Returns whether the waiting ones were dropped because there was no room.
    pub(crate) fn put(&self, delivery: Delivery) -> bool {
        let mut mail = self.mail.lock();
        let bytes = mail.bytes.saturating_add(delivery.bytes);
        let is_full = mail.deliveries.len() >= MOST || (bytes > MOST_BYTES && !mail.deliveries.is_empty());
        if is_full {
            // the client has to fetch from before those anyway
            mail.deliveries = VecDeque::new();
            mail.bytes = 0;
            mail.missed = true;
        }
        mail.bytes += delivery.bytes;
        mail.last += 1;
        mail.deliveries.push_back(delivery);
        drop(mail);
        self.wake.notify_one();
        is_full
    }

    /// Records that a delivery was lost.
    pub(crate) fn miss(&self) {
        self.mail.lock().missed = true;
        self.wake.notify_one();
    }

    /// Records that the account has changed.
    pub(crate) fn recheck(&self) {
        self.mail.lock().recheck = true;
        self.wake.notify_one();
    }

    /// How often it was checked whether the user may stay signed in.
    pub(crate) fn checks(&self) -> u32 {
        self.checks.load(Ordering::Acquire)
    }

    /// Records that it was checked whether the user may stay signed in, and that they may.
    pub(crate) fn checked(&self) {
        self.checks.fetch_add(1, Ordering::Release);
    }

    /// Has the connection cut when the user is signed out.
    pub(crate) fn cut(&self) {
        self.mail.lock().cut = true;
    }

    /// Signs the user out. The first reason counts.
    pub(crate) fn end(&self, reason: DisconnectReason) {
        self.mail.lock().ended.get_or_insert(reason);
        self.wake.notify_one();
    }

    /// Waits until there is something that may be taken, and takes at most so many deliveries.
    ///
    /// `may_take` is called with each delivery, its number and the number of the last one; the first one that it
    /// refuses stays, and all after it. It is called again only after the mailbox has changed.
    pub(crate) async fn take(&self, most: usize, mut may_take: impl FnMut(&Delivery, u64, u64) -> bool) -> Mail {
        loop {
            if let Some(mail) = self.take_now(most, &mut may_take) {
                return mail;
            }
            self.wake.notified().await;
        }
    }

    fn take_now(&self, most: usize, may_take: &mut impl FnMut(&Delivery, u64, u64) -> bool) -> Option<Mail> {
        let mut waiting = self.mail.lock();
        let last = waiting.last;
        let first = last - waiting.deliveries.len() as u64 + 1;
        let mut bytes = 0;
        let fits = |(delivery, _): &(&Delivery, u64)| {
            bytes += delivery.bytes;
            bytes <= BURST_BYTES || bytes == delivery.bytes
        };
        let count = waiting.deliveries.iter().zip(first..).take(most).take_while(fits);
        let count = count.take_while(|(delivery, number)| may_take(delivery, *number, last)).count();
        if count == 0 && !waiting.missed && !waiting.recheck && waiting.ended.is_none() {
            return None;
        }
        let deliveries: Vec<Delivery> = waiting.deliveries.drain(..count).collect();
        if waiting.deliveries.is_empty() {
            // most sessions wait most of the time
            waiting.deliveries = VecDeque::new();
        }
        waiting.bytes -= deliveries.iter().map(|delivery| delivery.bytes).sum::<usize>();
        Some(Mail {
            cut: waiting.cut,
            deliveries,
            missed: std::mem::take(&mut waiting.missed),
            recheck: std::mem::take(&mut waiting.recheck),
            ended: waiting.ended.take(),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn delivery(number: u64, bytes: usize) -> Delivery {
        Delivery { content: Arc::new(number), bytes, is_own: false }
    }

    fn numbers(mail: &Mail) -> Vec<u64> {
        mail.deliveries.iter().map(|delivery| *delivery.content.downcast_ref::<u64>().unwrap()).collect()
    }

    #[tokio::test]
    async fn mail_is_taken_in_order_and_in_parts() {
        let mailbox = Mailbox::default();
        for number in 1..=5 {
            assert!(!mailbox.put(delivery(number, 1)));
        }
        mailbox.recheck();
        let first = mailbox.take(3, |_, _, _| true).await;
        assert_eq!((numbers(&first), first.missed, first.recheck), (vec![1, 2, 3], false, true));
        let second = mailbox.take(3, |_, _, _| true).await;
        assert_eq!((numbers(&second), second.missed, second.recheck), (vec![4, 5], false, false));
        assert!(mailbox.take(3, |_, _, _| true).now_or_never().is_none());
    }

    #[tokio::test]
    async fn a_full_mailbox_is_emptied_and_says_so() {
        let mailbox = Mailbox::default();
        let most = u64::try_from(MOST).unwrap();
        for number in 1..=most {
            assert!(!mailbox.put(delivery(number, 1)));
        }
        assert!(mailbox.put(delivery(most + 1, 1)));
        assert!(!mailbox.put(delivery(most + 2, 1)));
        let mail = mailbox.take(usize::MAX, |_, _, _| true).await;
        assert_eq!((numbers(&mail), mail.missed), (vec![most + 1, most + 2], true));
    }

    #[tokio::test]
    async fn a_mailbox_is_full_by_its_bytes_too() {
        let mailbox = Mailbox::default();
        assert!(!mailbox.put(delivery(1, MOST_BYTES + 1)));
        assert_eq!(numbers(&mailbox.take(usize::MAX, |_, _, _| true).await), [1]);
        for number in 0..3 {
            mailbox.put(delivery(number, BURST_BYTES / 2));
        }
        assert_eq!(numbers(&mailbox.take(usize::MAX, |_, _, _| true).await), [0, 1]);
        assert_eq!(numbers(&mailbox.take(usize::MAX, |_, _, _| true).await), [2]);
        assert!(!mailbox.put(delivery(1, MOST_BYTES + 1)));
        assert!(mailbox.put(delivery(2, MOST_BYTES)));
        assert!(mailbox.put(delivery(3, 1)));
        let mail = mailbox.take(usize::MAX, |_, _, _| true).await;
        assert_eq!((numbers(&mail), mail.missed), (vec![3], true));
    }

    #[tokio::test]
    async fn deliveries_wait_behind_one_that_may_not_be_taken() {
        let mailbox = Mailbox::default();
        for number in 1..=3 {
            mailbox.put(delivery(number, 1));
        }
        let mail = mailbox.take(10, |_, number, _| number != 2).await;
        assert_eq!(numbers(&mail), [1]);
        assert!(mailbox.take(10, |_, number, _| number != 2).now_or_never().is_none());
        mailbox.end(DisconnectReason::ByApp);
        let mail = mailbox.take(10, |_, number, _| number != 2).await;
        assert_eq!((numbers(&mail), mail.ended), (vec![], Some(DisconnectReason::ByApp)));
        assert_eq!(numbers(&mailbox.take(10, |_, _, _| true).await), [2, 3]);
    }
}
