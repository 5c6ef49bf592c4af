//! Ids: users fold to lower case, groups are opaque.

use std::borrow::Cow;

use conclave_core::model::{GroupId, UserId};

/// Longest user id, in bytes.
pub(crate) const USER_BYTES: usize = 64;
/// Longest group id a caller may choose, in bytes.
const GROUP_BYTES: usize = 64;

/// A user id as this vendor shows it.
pub(crate) fn shown(user: &UserId) -> Cow<'_, str> {
    let text = user.as_str();
    if text.chars().any(char::is_uppercase) { Cow::Owned(text.to_lowercase()) } else { Cow::Borrowed(text) }
}

/// A user id as it came, folded the way the vendor folds it.
pub(crate) fn fold(text: &str) -> String {
    text.trim().to_lowercase()
}

/// Whether an account may have this name: letters, digits and `_ - .`.
pub(crate) fn is_legal_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

/// A group id chosen by a caller, when it is one the vendor takes: `a-z 0-9 _`, 64 at most.
pub(crate) fn chosen_group(text: &str) -> Option<GroupId> {
    let legal = text.len() <= GROUP_BYTES
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if legal { GroupId::new(text).ok() } else { None }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn names_fold_and_are_checked() {
        assert_eq!(shown(&UserId::new("Ann").unwrap()), "ann");
        assert_eq!(fold(" AnN "), "ann");
        for legal in ["user1", "a.b-c_D"] {
            assert!(is_legal_name(legal), "{legal}");
        }
        for illegal in ["", "bad name#", "é", "a/b"] {
            assert!(!is_legal_name(illegal), "{illegal}");
        }
    }

    #[test]
    fn chosen_group_ids_are_checked() {
        assert!(chosen_group("test_123").is_some());
        for illegal in ["", "Test", "a-b", "@TGS#1", &"a".repeat(65)] {
            assert!(chosen_group(illegal).is_none(), "{illegal}");
        }
    }
}
