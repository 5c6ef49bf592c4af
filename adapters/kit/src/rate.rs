//! Limits the number of messages per second.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use conclave_core::model::Millis;

/// The messages of the current second, by what is limited: `()` for an app as a whole.
#[derive(Debug)]
pub struct RateWindow<K>(Mutex<Second<K>>);

#[derive(Debug)]
struct Second<K> {
    number: u64,
    sent: HashMap<K, Sent>,
}

/// The messages of one key in the current second.
#[derive(Debug, Default)]
struct Sent {
    messages: u32,
    refused: bool,
}

/// The result of the check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// Within the limit.
    Within,
    /// Over the limit, for the first time in this second.
    NowFull,
    /// Over the limit again.
    StillFull,
}

impl<K> Default for RateWindow<K> {
    fn default() -> Self {
        Self(Mutex::new(Second { number: 0, sent: HashMap::new() }))
    }
}

impl<K: Clone + Eq + Hash> RateWindow<K> {
    /// Counts all of these messages, or none if they exceed `most` per second. Counts are discarded with their second,
    /// so only keys with messages in the current second use memory.
    pub fn take(&self, key: &K, now: Millis, messages: usize, most: u32) -> Room {
        let mut second = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if second.number != now.seconds() {
            *second = Second { number: now.seconds(), sent: HashMap::new() };
        }
        let sent = second.sent.entry(key.clone()).or_default();
        let total = sent.messages.saturating_add(u32::try_from(messages).unwrap_or(u32::MAX));
        if total <= most {
            sent.messages = total;
            return Room::Within;
        }
        if std::mem::replace(&mut sent.refused, true) { Room::StillFull } else { Room::NowFull }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_second_has_room_for_so_many() {
        let window = RateWindow::default();
        let take = |at, messages| window.take(&(), Millis(at), messages, 3);
        assert_eq!(take(5000, 2), Room::Within);
        assert_eq!(take(5999, 2), Room::NowFull, "all of a call's messages, or none");
        assert_eq!(take(5999, 1), Room::Within);
        assert_eq!(take(5999, 1), Room::StillFull);
        assert_eq!(take(6000, 3), Room::Within);
    }

    #[test]
    fn each_key_has_its_own_count() {
        let window = RateWindow::default();
        let take = |key, at| window.take(&key, Millis(at), 1, 2);
        let rooms = [1000, 1500, 1999, 1999, 1999].map(|at| take("one", at));
        assert_eq!(rooms, [Room::Within, Room::Within, Room::NowFull, Room::StillFull, Room::StillFull]);
        assert_eq!(take("other", 1999), Room::Within);
        assert_eq!([2000, 2000, 2000].map(|at| take("one", at)), [Room::Within, Room::Within, Room::NowFull]);
        assert_eq!(window.0.lock().unwrap().sent.len(), 1, "the last second is discarded");
    }
}
