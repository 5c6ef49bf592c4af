//! Marks of live rooms' members: numbers, two of which have a meaning to the vendor.

use conclave_core::model::{Member, Millis};

/// Shown as in the room, connected or not.
pub(crate) const SHOWN: u32 = 500;
/// Hidden in the list of members in the room.
pub(crate) const HIDDEN: u32 = 600;
/// The first of the apps' own marks.
const OWN: u32 = 1000;
/// How long a member is shown, in milliseconds.
const SHOWN_FOR: u64 = 3 * 24 * 3600 * 1000;

/// Whether the mark is valid.
pub(crate) fn is_mark(mark: u32) -> bool {
    mark >= OWN || mark == SHOWN || mark == HIDDEN
}

/// Whether a member is shown now because of a mark.
pub(crate) fn is_shown(member: &Member, now: Millis) -> bool {
    member.marks.get(&SHOWN).is_some_and(|since| since.plus(SHOWN_FOR) > now)
}

/// Whether a member is hidden in the list.
pub(crate) fn is_hidden(member: &Member) -> bool {
    member.marks.contains_key(&HIDDEN)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use conclave_core::model::{GroupId, Role, UserId};

    use super::*;

    #[test]
    fn nobody_is_shown_for_ever() {
        let (group, user) = (GroupId::new("g").unwrap(), UserId::new("u").unwrap());
        let mut member = Member::new(group, user, Role::Member, 1, Millis(0));
        assert!(!is_shown(&member, Millis(1)));
        member.marks.insert(SHOWN, Millis(1));
        assert!(is_shown(&member, Millis(SHOWN_FOR)) && !is_shown(&member, Millis(SHOWN_FOR + 1)));
    }

    #[test]
    fn small_numbers_are_the_vendors() {
        assert!([500, 600, 1000, u32::MAX].into_iter().all(is_mark));
        assert!(![0, 1, 499, 501, 999].into_iter().any(is_mark));
    }
}
