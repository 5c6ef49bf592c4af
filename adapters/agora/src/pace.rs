//! How many messages an app sends in a second.

use std::sync::{Mutex, PoisonError};

use conclave_core::model::Millis;

/// Messages of the current second.
#[derive(Debug, Default)]
pub(crate) struct Pace(Mutex<Second>);

#[derive(Debug, Default)]
struct Second {
    began: u64,
    sent: u32,
}

impl Pace {
    /// Takes room for so many messages now, or none: a second has room for `most`, without limit when that is 0.
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
