//! All limits on texts and lists. Lengths are in bytes of UTF-8.

use crate::settings::Settings;

/// Limits of a group's texts: those of the current clients, or those of the server API's pages where the app has set
/// [`strict_lengths`](Settings::strict_lengths).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lengths {
    pub(crate) name: usize,
    pub(crate) introduction: usize,
    pub(crate) notification: usize,
    pub(crate) face_url: usize,
}

impl Lengths {
    pub(crate) fn of(settings: &Settings) -> Self {
        if settings.strict_lengths {
            Self { name: 30, introduction: 240, notification: 300, face_url: 100 }
        } else {
            Self { name: 100, introduction: 400, notification: 400, face_url: 500 }
        }
    }
}

/// A user id.
pub(crate) const ACCOUNT: usize = 32;
/// A group id that a client chose.
pub(crate) const GROUP_ID: usize = 48;
/// A key of a custom field.
pub(crate) const CUSTOM_KEY: usize = 16;
/// Keys of custom fields of groups that an app may configure.
pub(crate) const GROUP_KEYS: usize = 10;
/// Keys of custom fields of members that an app may configure.
pub(crate) const MEMBER_KEYS: usize = 5;
/// The value of a group's custom field.
pub(crate) const GROUP_VALUE: usize = 512;
/// The value of a member's custom field.
pub(crate) const MEMBER_VALUE: usize = 64;
/// A member's name card.
pub(crate) const NAME_CARD: usize = 50;

/// Accounts in one call of the account commands.
pub(crate) const ACCOUNTS: usize = 100;
/// Accounts whose online status is read in one call.
pub(crate) const STATUSES: usize = 500;
/// First members of a new group.
pub(crate) const INITIAL_MEMBERS: usize = 100;
/// Members added in one call.
pub(crate) const ADDED: usize = 300;
/// Members removed in one call.
pub(crate) const REMOVED: usize = 100;
/// Groups read in one call.
pub(crate) const GROUPS_READ: usize = 50;
/// Groups in a page of all groups.
pub(crate) const GROUP_PAGE: usize = 10_000;
/// Groups in a page of a user's groups.
pub(crate) const JOINED_PAGE: usize = 5000;
/// Members in a page.
pub(crate) const MEMBER_PAGE: usize = 6000;
/// Members read by name in one call.
pub(crate) const NAMED: usize = 50;
/// Users whose roles are read in one call.
pub(crate) const ROLES: usize = 500;
/// Users muted in one call.
pub(crate) const MUTED: usize = 500;
/// Users banned in one call.
pub(crate) const BANNED: usize = 20;
/// The reason of a ban.
pub(crate) const BAN_REASON: usize = 1000;
/// The reason of a removal. Our choice: as long as the reason of a ban.
pub(crate) const REMOVAL_REASON: usize = BAN_REASON;
/// Bans in a page.
pub(crate) const BAN_PAGE: usize = 100;
/// Pending requests in a page.
pub(crate) const PENDING_PAGE: usize = 100;
/// Pending requests that are listed at all, the newest.
pub(crate) const PENDING: usize = 1000;
/// Groups that are marked as read, or whose recalls are read, in one call.
pub(crate) const READ_GROUPS: usize = 500;
/// Conversations that are listed, the latest.
pub(crate) const CONVERSATIONS: usize = 500;
/// Users whose profiles are read in one call.
pub(crate) const PROFILES: usize = 100;
/// Attributes of a group.
pub(crate) const ATTRIBUTES: u32 = 16;
/// The key of an attribute.
pub(crate) const ATTRIBUTE_KEY: usize = 32;
/// The value of an attribute.
pub(crate) const ATTRIBUTE_VALUE: usize = 4000;
/// All attributes of a group together.
pub(crate) const ATTRIBUTE_BYTES: u64 = 16_000;
/// Counters of a group.
pub(crate) const COUNTERS: u32 = 20;
/// The key of a counter.
pub(crate) const COUNTER_KEY: usize = 128;
/// The elements of a message.
pub(crate) const MESSAGE: usize = 12 * 1024;
/// Recipients of a message.
pub(crate) const TARGETS: usize = 50;
/// Users that a message mentions.
pub(crate) const MENTIONS: usize = 30;
/// Messages that are pinned in a group.
pub(crate) const PINS: usize = 10;
/// Groups with unread messages that are searched for mentions when a client signs in, the latest.
pub(crate) const MENTIONED_GROUPS: usize = 100;
/// Messages of each that are searched, the latest.
pub(crate) const MENTIONED_MESSAGES: usize = 100;
/// Messages that are searched for mentions in all groups together.
pub(crate) const MENTIONED_IN_ALL: usize = 1_000;
/// Messages recalled in one call.
pub(crate) const RECALLED: usize = 10;
/// The reason of a recall.
pub(crate) const RECALL_REASON: usize = 100;
/// Messages read in one call.
pub(crate) const HISTORY_PAGE: usize = 20;
/// The last messages among which those of one sender are deleted.
pub(crate) const DELETED_AMONG: usize = 1000;
/// The default member limit of an imported group.
pub(crate) const IMPORTED_CAPACITY: u32 = 2000;
/// Messages imported in one call.
pub(crate) const IMPORTED_MESSAGES: usize = 7;
/// Largest group, in members, in which read receipts are stored.
pub(crate) const READERS: u32 = 200;
/// Messages that are marked as read, or whose receipts are read, in one call.
pub(crate) const RECEIPTS: usize = 50;
/// Readers of a message in a page.
pub(crate) const READERS_PAGE: usize = 200;
/// Keys added to a message in one call.
pub(crate) const EXTENDED: usize = 20;
/// Keys added to a message.
pub(crate) const EXTENSIONS: u32 = 300;
/// A key of an extension.
pub(crate) const EXTENSION_KEY: usize = 100;
/// A value of an extension.
pub(crate) const EXTENSION_VALUE: usize = 1024;
/// Pairs of a message returned in one call.
pub(crate) const EXTENSION_PAGE: usize = 200;
/// Recipients of a notice.
pub(crate) const NOTICED: usize = 500;
/// Members of a live room who are marked in one call.
pub(crate) const MARKED: usize = 500;
/// Different marks in a live room.
pub(crate) const MARKS: u32 = 10;
/// Admins of a live room.
pub(crate) const ROOM_ADMINS: u32 = 5;
/// Members of a live room in a page.
pub(crate) const LIVE_PAGE: usize = 500;
/// Members of a live room that are listed at all.
pub(crate) const LIVE_MEMBERS: usize = 1000;
/// A topic's id.
pub(crate) const TOPIC_ID: usize = 96;
/// A topic's custom string.
pub(crate) const TOPIC_CUSTOM: usize = 3000;
/// Topics read or deleted in one call.
pub(crate) const TOPICS: usize = 100;
/// Bytes of a response.
pub(crate) const ANSWER: usize = 1024 * 1024;

/// Whether a new account may have this id.
pub(crate) fn is_account(id: &str) -> bool {
    id.len() <= ACCOUNT && is_one_id(id)
}

/// Whether lists of ids can name this one. Other vendors separate ids by commas and drop blanks around them, so an id
/// with either would be taken for other ids there.
pub(crate) fn is_one_id(id: &str) -> bool {
    !id.is_empty() && !id.contains(',') && id.trim() == id
}

/// Whether the console would accept this key of a custom field.
pub(crate) fn is_custom_key(key: &str) -> bool {
    !key.is_empty()
        && key.len() <= CUSTOM_KEY
        && !key.starts_with(|first: char| first.is_ascii_digit())
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Whether a client may choose this id for a group: printable ASCII that is one id in a list, outside what the service
/// keeps for itself.
pub(crate) fn is_group_id(id: &str, community: bool) -> bool {
    let begins_well = if community { id.starts_with("@TGS#_") } else { !id.starts_with("@TGS#") };
    begins_well && is_one_id(id) && id.len() <= GROUP_ID && id.bytes().all(|byte| (0x20..=0x7E).contains(&byte))
}

/// Longest name of an uploaded file.
pub(crate) const FILE_NAME: usize = 255;
/// Letters of a file's name in its address. Our choice: the vendor documents none.
pub(crate) const FILE_NAME_SHOWN: usize = 100;
/// Longest media type of a file that is kept, in bytes. Our choice: the vendor documents none.
pub(crate) const MEDIA_TYPE_BYTES: usize = 127;
/// Most files of one request for addresses. Our choice: the vendor documents none.
pub(crate) const UPLOADS: usize = 20;

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn group_ids_stay_out_of_the_services_own() {
        assert!(is_group_id("MyFirstGroup", false));
        assert!(is_group_id(&"g".repeat(48), false));
        for bad in [&"g".repeat(49), "@TGS#mine", "héllo", "tab\t", "@TGS#_@TGS#c1"] {
            assert!(!is_group_id(bad, false), "{bad}");
        }
        assert!(is_group_id("@TGS#_mine", true));
        assert!(!is_group_id("mine", true));
        assert!(!is_group_id("@TGS#mine", true));
    }

    #[test]
    fn custom_keys_are_short_words() {
        assert!(is_custom_key("GroupTestData1"));
        for bad in ["", "1st", "with space", "seventeen_letters", "ü"] {
            assert!(!is_custom_key(bad), "{bad}");
        }
    }
}
