//! Limits the messages of a group per second, if the app has a limit configured.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use conclave_core::model::{GroupId, Millis};

/// The messages of the current second, by group.
#[derive(Debug, Default)]
pub(crate) struct Rate(Mutex<Second>);

#[derive(Debug, Default)]
struct Second {
    number: u64,
    sent: HashMap<GroupId, Sent>,
}

/// The messages of a group in the current second.
#[derive(Debug, Default)]
struct Sent {
    messages: u32,
    too_many: bool,
}

/// The result of the check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
    /// Within the limit.
    Is,
    /// Over the limit, for the first time in this second.
    NoMore,
    /// Over the limit again.
    StillNone,
}

impl Rate {
    /// Counts a message of a group, and checks the limit. Counts are discarded with their second, so only groups with
    /// messages in the current second use memory.
    pub(crate) fn takes(&self, group: &GroupId, now: Millis, most: u32) -> Room {
        let mut second = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if second.number != now.seconds() {
            *second = Second { number: now.seconds(), sent: HashMap::new() };
        }
        let sent = second.sent.entry(group.clone()).or_default();
        if sent.messages < most {
            sent.messages += 1;
            return Room::Is;
        }
        if std::mem::replace(&mut sent.too_many, true) { Room::StillNone } else { Room::NoMore }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn each_group_has_its_own_second() {
        let rate = Rate::default();
        let (one, other) = (GroupId::new("one").unwrap(), GroupId::new("other").unwrap());
        let takes = |group: &GroupId, at| rate.takes(group, Millis(at), 2);
        let rooms = [1000, 1500, 1999, 1999, 1999].map(|at| takes(&one, at));
        assert_eq!(rooms, [Room::Is, Room::Is, Room::NoMore, Room::StillNone, Room::StillNone]);
        assert_eq!(takes(&other, 1999), Room::Is);
        assert_eq!([2000, 2000, 2000].map(|at| takes(&one, at)), [Room::Is, Room::Is, Room::NoMore]);
        assert_eq!(rate.0.lock().unwrap().sent.len(), 1, "the last second is forgotten");
    }
}
