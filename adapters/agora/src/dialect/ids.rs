//! Ids: user ids are lower-cased, group ids are opaque.

use std::borrow::Cow;

use conclave_core::model::{FileId, GroupId, UserId};
use uuid::Uuid;

/// Longest user id, in bytes.
pub(crate) const USER_BYTES: usize = 64;
/// Longest group id a caller may choose, in bytes.
const GROUP_BYTES: usize = 64;

/// The app's id where a user's id is expected.
pub(crate) const APP_ADMIN: &str = "@ppAdmin";

/// The clock sequence and node of the v1 UUIDs of files: constant here.
const FILE_NODE: [u8; 8] = [0x80, 0x00, 0x63, 0x6f, 0x6e, 0x63, 0x6c, 0x76];
/// The bits of the time in a v1 UUID.
const FILE_BITS: u32 = 60;

/// A file's id in the vendor's form: a v1 UUID as text. Generated ids are numbers that grow with time, as the UUIDs'
/// times do.
pub(crate) fn file_uuid(file: &FileId) -> String {
    let number = file.as_str().parse::<u64>().ok().filter(|number| number.leading_zeros() >= 64 - FILE_BITS);
    // only the canonical spelling, so that the UUID can be mapped back
    let Some(number) = number.filter(|number| number.to_string() == file.as_str()) else {
        return file.as_str().to_owned();
    };
    let bytes = number.to_be_bytes();
    let [b0, b1, b2, b3, b4, b5, b6, b7] = bytes;
    let low = u32::from_be_bytes([b4, b5, b6, b7]);
    let (middle, high) = (u16::from_be_bytes([b2, b3]), u16::from_be_bytes([b0, b1]));
    Uuid::from_fields(low, middle, high | 0x1000, &FILE_NODE).to_string()
}

/// The file id in a UUID; any other text is the id itself. `None` when it cannot be an id.
pub(crate) fn file_id(text: &str) -> Option<FileId> {
    let uuid = text.parse::<Uuid>().ok().filter(|uuid| uuid.as_fields().3 == &FILE_NODE);
    let fields = uuid.map(|uuid| {
        let (low, middle, high, _) = uuid.as_fields();
        (low, middle, high)
    });
    match fields {
        Some((low, middle, high)) if high >> 12 == 1 => {
            let number = u64::from(high & 0x0fff) << 48 | u64::from(middle) << 32 | u64::from(low);
            FileId::new(number.to_string()).ok()
        }
        _ => FileId::new(text).ok(),
    }
}

/// A user id as this vendor's API returns it.
pub(crate) fn shown(user: &UserId) -> Cow<'_, str> {
    let text = user.as_str();
    if text.chars().any(char::is_uppercase) { Cow::Owned(text.to_lowercase()) } else { Cow::Borrowed(text) }
}

/// A user id of a request, in lower case as at the vendor.
pub(crate) fn fold(text: &str) -> String {
    text.trim().to_lowercase()
}

/// Whether an account may have this name: letters, digits and `_ - .`.
pub(crate) fn is_legal_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

/// A group id chosen by a caller, if the vendor accepts it: `a-z 0-9 _`, at most 64.
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
    fn file_ids_look_like_the_vendors_and_lead_back() {
        for id in ["0", "1", "227000000000000000", "999999999999999999", "1152921504606846975"] {
            let id = FileId::new(id).unwrap();
            let uuid = file_uuid(&id);
            assert_eq!(uuid.parse::<Uuid>().unwrap().get_version_num(), 1, "{uuid}");
            assert_eq!(file_id(&uuid), Some(id));
        }
        for id in ["c6906aa0-ed19-11ea-b480-f3cf141d15c0", "007", "1152921504606846976", "x"] {
            let id = FileId::new(id).unwrap();
            assert_eq!(file_uuid(&id), id.as_str());
            assert_eq!(file_id(id.as_str()), Some(id));
        }
        assert_eq!(file_id(""), None);
    }

    #[test]
    fn chosen_group_ids_are_checked() {
        assert!(chosen_group("test_123").is_some());
        for illegal in ["", "Test", "a-b", "@TGS#1", &"a".repeat(65)] {
            assert!(chosen_group(illegal).is_none(), "{illegal}");
        }
    }
}
