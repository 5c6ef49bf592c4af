//! Lengths and counts. Those that an app may change are in [`crate::settings`]. Limits that the vendor does not document are
//! marked "our choice".

/// Largest group, in members, in which read receipts are stored.
pub(crate) const READERS: u32 = 200;
/// Longest password, in characters.
pub(crate) const PASSWORD: usize = 64;
/// Longest nickname, in characters.
pub(crate) const NICKNAME: usize = 100;
/// Most settings of a user. Our choice: clients store one for each group they mute for themselves.
pub(crate) const USER_SETTINGS: usize = 500;
/// Longest name of a setting, in bytes. Our choice: the vendor documents none.
pub(crate) const SETTING_BYTES: usize = 128;
/// Most users whose info is read in one call.
pub(crate) const USER_INFOS: usize = 100;
/// Most bytes of one user's info.
pub(crate) const USER_INFO_BYTES: usize = 2048;
/// Longest key of a member's attribute, in bytes.
pub(crate) const ATTRIBUTE_KEY: usize = 16;
/// Longest value of a member's attribute, in bytes.
pub(crate) const ATTRIBUTE_VALUE: usize = 512;
/// Most bytes of all attributes of a member.
pub(crate) const ATTRIBUTES_BYTES: u64 = 4096;
/// Most members whose attributes are written in one call.
pub(crate) const ATTRIBUTES_WRITTEN: usize = 20;
/// Most members whose attributes are read in one call.
pub(crate) const ATTRIBUTES_READ: usize = 10;
/// How often a message is changed at most.
pub(crate) const EDITS: u32 = 10;
/// Most messages recalled in one call.
pub(crate) const RECALLED: usize = 30;
/// Longest name of a file, in characters, as file systems have it. Our choice: the vendor documents none.
pub(crate) const FILE_NAME: usize = 255;
/// Longest media type of a file, in bytes. Our choice: the vendor documents none.
pub(crate) const MEDIA_TYPE_BYTES: usize = 255;
/// Bytes of every part but the last of an attachment that is uploaded in parts. The SDKs assume it before the response names it.
pub(crate) const ATTACHMENT_PART_BYTES: u64 = 5 * 1024 * 1024;
/// Groups in a page when the caller gives no number.
pub(crate) const GROUPS_PAGE: usize = 10;
/// Groups of a user in a page when the caller gives no number.
pub(crate) const JOINED_PAGE: usize = 5;
/// Members in a page by cursor when the caller gives no number.
pub(crate) const MEMBERS_PAGE: usize = 50;
/// Accounts in a page when the caller gives no number.
pub(crate) const USERS_PAGE: usize = 10;
/// Blocked users returned when the caller gives no number.
pub(crate) const BLOCKS: usize = 500;
/// Most blocked users in a page.
pub(crate) const BLOCKS_PAGE: usize = 50;
/// Readers of a message in a page.
pub(crate) const READERS_PAGE: usize = 500;
/// Messages in a page of the history when the caller gives no number.
pub(crate) const HISTORY_PAGE: usize = 20;
/// Most messages in a page of the history.
pub(crate) const HISTORY_PAGE_MOST: usize = 50;
/// Conversations in a page when the caller gives no number.
pub(crate) const CONVERSATIONS_PAGE: usize = 20;
/// Most conversations in a page.
pub(crate) const CONVERSATIONS_PAGE_MOST: usize = 50;
/// Most messages that are counted as unread in one conversation. Our choice: the vendor documents none.
pub(crate) const UNREAD_COUNTED: usize = 100;

/// Most pinned messages of a group (the vendor's guide to pinned messages), and of a page of them if the call does not say.
pub(crate) const PINS: usize = 20;
/// See [`PINS`].
pub(crate) const PINS_PAGE: usize = 10;
