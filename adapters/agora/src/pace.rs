//! Limits the number of messages an app sends per second.

use std::sync::{Mutex, PoisonError};

use conclave_core::model::Millis;

/// The messages of the current second.
#[derive(Debug, Default)]
pub(crate) struct Pace(Mutex<Second>);

#[derive(Debug, Default)]
struct Second {
    began: u64,
    sent: u32,
}

impl Pace {
    /// Reserves room for all of these messages in the current second, or for none: at most `most` per second, unlimited
    /// when that is 0.
    pub(crate) fn takes(&self, now: Millis, messages: usize, most: u32) -> bool {
        if most == 0 {
            return true;
        }
        let mut second = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if now.seconds() != second.began {
            *second = Second { began: now.seconds(), sent: 0 };
        }
        let sent = second.sent.saturating_add(u32::try_from(messages).unwrap_or(u32::MAX));
        if sent > most {
            return false;
        }
        second.sent = sent;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_has_room_for_so_many() {
        let pace = Pace::default();
        assert!(pace.takes(Millis(5000), 2, 3));
        assert!(!pace.takes(Millis(5999), 2, 3), "all of a call's messages, or none");
        assert!(pace.takes(Millis(5999), 1, 3));
        assert!(!pace.takes(Millis(5999), 1, 3));
        assert!(pace.takes(Millis(6000), 3, 3));
        assert!(pace.takes(Millis(6000), 1000, 0));
    }
}
