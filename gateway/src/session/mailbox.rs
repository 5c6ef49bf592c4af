//! What waits for one session.

use std::collections::VecDeque;
use std::sync::Arc;

use conclave_core::event::Event;
use conclave_kit::Dismissal;
use parking_lot::Mutex;
use tokio::sync::Notify;

/// Most events that wait for one session; what is more is left out, and the client told to fetch.
const MOST: usize = 256;

/// Filled by the realm, emptied by the session's own task.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    mail: Mutex<Mail>,
    bell: Notify,
}

/// What has come.
#[derive(Debug, Default)]
pub(crate) struct Mail {
    /// To be told, in their order.
    pub(crate) events: VecDeque<Arc<Event>>,
    /// Events were left out before those.
    pub(crate) missed: bool,
    /// The account has changed: may it still be connected?
    pub(crate) doubted: bool,
    /// It may not, and why.
    pub(crate) ended: Option<Dismissal>,
}

impl Mailbox {
    /// One more event. Whether there was no room for what waited before.
    pub(crate) fn put(&self, event: &Arc<Event>) -> bool {
        let mut mail = self.mail.lock();
        let full = mail.events.len() >= MOST;
        if full {
            // the client has to fetch from before those anyway
            mail.events = VecDeque::new();
            mail.missed = true;
        }
        mail.events.push_back(Arc::clone(event));
        drop(mail);
        self.bell.notify_one();
        full
    }

    /// The account has changed.
    pub(crate) fn doubt(&self) {
        self.mail.lock().doubted = true;
        self.bell.notify_one();
    }

    /// The connection is to end. The first reason counts.
    pub(crate) fn end(&self, why: Dismissal) {
        self.mail.lock().ended.get_or_insert(why);
        self.bell.notify_one();
    }

    /// Waits until something has come, and takes at most so many events.
    pub(crate) async fn take(&self, most: usize) -> Mail {
        loop {
            if let Some(mail) = self.take_now(most) {
                return mail;
            }
            self.bell.notified().await;
        }
    }

    fn take_now(&self, most: usize) -> Option<Mail> {
        let mut mail = self.mail.lock();
        if mail.events.is_empty() && !mail.missed && !mail.doubted && mail.ended.is_none() {
            return None;
        }
        if mail.events.len() <= most {
            return Some(std::mem::take(&mut *mail));
        }
        let events = mail.events.drain(..most).collect();
        Some(Mail {
            events,
            missed: std::mem::take(&mut mail.missed),
            doubted: std::mem::take(&mut mail.doubted),
            ended: mail.ended.take(),
        })
    }
}

#[cfg(test)]
mod tests {
    use conclave_core::event::{Actor, Audience, CallPart, Happening};
    use conclave_core::model::Millis;

    use super::*;

    fn event(sequence: u64) -> Arc<Event> {
        Arc::new(Event {
            sequence,
            part: CallPart::WHOLE,
            at: Millis(1),
            group: None,
            actor: Actor::System,
            audience: Audience::default(),
            what: Happening::GroupActivated,
        })
    }

    fn numbers(mail: &Mail) -> Vec<u64> {
        mail.events.iter().map(|event| event.sequence).collect()
    }

    #[tokio::test]
    async fn mail_comes_in_order_and_in_parts() {
        let mailbox = Mailbox::default();
        for sequence in 1..=5 {
            assert!(!mailbox.put(&event(sequence)));
        }
        mailbox.doubt();
        let first = mailbox.take(3).await;
        assert_eq!((numbers(&first), first.missed, first.doubted), (vec![1, 2, 3], false, true));
        let second = mailbox.take(3).await;
        assert_eq!((numbers(&second), second.missed, second.doubted), (vec![4, 5], false, false));
        assert!(mailbox.take_now(3).is_none());
    }

    #[tokio::test]
    async fn a_full_mailbox_is_emptied_and_says_so() {
        let mailbox = Mailbox::default();
        let most = u64::try_from(MOST).unwrap_or(0);
        for sequence in 1..=most {
            assert!(!mailbox.put(&event(sequence)));
        }
        assert!(mailbox.put(&event(most + 1)));
        assert!(!mailbox.put(&event(most + 2)));
        let mail = mailbox.take(usize::MAX).await;
        assert_eq!((numbers(&mail), mail.missed), (vec![most + 1, most + 2], true));
    }
}
