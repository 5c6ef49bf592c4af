//! How many messages a group takes in a second, where the app is set up to have a limit.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use conclave_core::model::{GroupId, Millis};

/// The messages of this second, by group.
#[derive(Debug, Default)]
pub(crate) struct Rate(Mutex<Second>);

#[derive(Debug, Default)]
struct Second {
    number: u64,
    sent: HashMap<GroupId, u32>,
}

impl Rate {
    /// Counts one more message of a group; whether there is room for it. What was counted in a second is forgotten in
    /// the next, so no more is remembered than groups that speak in one second.
    pub(crate) fn takes(&self, group: &GroupId, now: Millis, most: u32) -> bool {
        let mut second = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if second.number != now.seconds() {
            *second = Second { number: now.seconds(), sent: HashMap::new() };
        }
        match second.sent.get_mut(group) {
            Some(sent) if *sent >= most => false,
            Some(sent) => {
                *sent += 1;
                true
            }
            None => {
                second.sent.insert(group.clone(), 1);
                true
            }
        }
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
        assert_eq!([takes(&one, 1000), takes(&one, 1500), takes(&one, 1999)], [true, true, false]);
        assert!(takes(&other, 1999));
        assert!(takes(&one, 2000));
        assert_eq!(rate.0.lock().unwrap().sent.len(), 1, "the last second is forgotten");
    }
}
