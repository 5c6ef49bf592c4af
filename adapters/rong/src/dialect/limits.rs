//! Lengths, counts and alphabets, as the vendor documents them. Lengths are in characters unless stated otherwise.

use std::collections::BTreeMap;

/// Longest group id.
pub(crate) const GROUP_ID: usize = 64;
/// Longest user id, in bytes.
pub(crate) const USER_ID_BYTES: usize = 64;
/// Longest name of a group.
pub(crate) const GROUP_NAME: usize = 64;
/// Longest introduction.
pub(crate) const INTRODUCTION: usize = 512;
/// Longest announcement.
pub(crate) const ANNOUNCEMENT: usize = 1024;
/// Longest URL of a group's portrait: 128 in the server documentation, 1024 in the newest client typings.
pub(crate) const PORTRAIT: usize = 1024;
/// Most pairs of the extended profile.
pub(crate) const EXT_PAIRS: usize = 10;
/// Longest key of the extended profile.
pub(crate) const EXT_KEY: usize = 32;
/// Longest value of the extended profile.
pub(crate) const EXT_VALUE: usize = 256;
/// Longest nickname of a member.
pub(crate) const NICKNAME: usize = 64;
/// Longest `extra` of a member.
pub(crate) const EXTRA: usize = 128;
/// Longest name of a user.
pub(crate) const USER_NAME: usize = 64;
/// Longest URL of a user's portrait, in bytes.
pub(crate) const USER_PORTRAIT_BYTES: usize = 1024;

/// Most users of one legacy call.
pub(crate) const LEGACY_USERS: usize = 1000;
/// Most invited users of a hosted creation.
pub(crate) const CREATE_USERS: usize = 30;
/// Most users of one hosted call.
pub(crate) const HOSTED_USERS: usize = 100;
/// Most managers added or removed by one call.
pub(crate) const MANAGERS: usize = 10;
/// Most groups of one profile query.
pub(crate) const PROFILES: usize = 50;
/// Longest type of a message.
pub(crate) const OBJECT_NAME: usize = 32;
/// Longest key of a message extension (client documentation, message extensions).
pub(crate) const EXPANSION_KEY: usize = 32;
/// Longest value of a message extension.
pub(crate) const EXPANSION_VALUE: usize = 4096;
/// Most extensions written in one call.
pub(crate) const EXPANSIONS_WRITTEN: usize = 20;
/// Most extensions of one message.
pub(crate) const EXPANSIONS: usize = 300;
/// Most extensions written in one call of the server API (server SDK for Go).
pub(crate) const SERVER_EXPANSIONS_WRITTEN: usize = 100;
/// Messages in a page of the history when the caller gives no number. Our choice: the vendor documents none.
pub(crate) const HISTORY_PAGE: u64 = 20;
/// Most messages in a page of the history. Our choice: the vendor documents none.
pub(crate) const HISTORY_PAGE_MOST: u64 = 100;
/// Bytes of texts with which a page of a group's history ends, whatever number was asked for. Our choice: the vendor
/// documents none.
pub(crate) const HISTORY_PAGE_BYTES: usize = 512 * 1024;
/// Most members of a group with read receipts: the vendor publishes no limit, this is that of its groups.
pub(crate) const READERS: u32 = 3000;
/// Most messages, or users, of one request about read receipts.
pub(crate) const RECEIPTS: usize = 100;
/// Most messages of one response to a client.
pub(crate) const CLIENT_HISTORY: usize = 100;
/// Most conversations of one response.
pub(crate) const CONVERSATIONS: usize = 1000;
/// Most conversations named in one query.
pub(crate) const CONVERSATIONS_NAMED: usize = 100;
/// Most groups of one query of profiles by a client.
pub(crate) const CLIENT_PROFILES: usize = 20;
/// Most users of one query of profiles.
pub(crate) const USER_PROFILES: usize = 100;
/// Longest reason of a request to join.
pub(crate) const JOIN_REASON: usize = 128;
/// Longest content of a message, in bytes.
pub(crate) const CONTENT_BYTES: usize = 128 * 1024;
/// Most groups of one message.
pub(crate) const MESSAGE_GROUPS: usize = 3;
/// Longest text in addition to a message's content (push texts, flags), in bytes. Our choice: the vendor documents
/// none.
pub(crate) const BESIDE_BYTES: usize = 16 * 1024;
/// Longest token that identifies a message among its sender's, in bytes. Our choice: the vendor documents none.
pub(crate) const TOKEN_BYTES: usize = 256;
/// Most bytes of a response.
pub(crate) const ANSWER_BYTES: usize = 8 * 1024 * 1024;
/// Most users whose tokens one call revokes.
pub(crate) const EXPIRED_USERS: usize = 20;
/// Most users of one call about mutes and the allowlist.
pub(crate) const MUTED_USERS: usize = 20;
/// Most groups of one call that mutes all members.
pub(crate) const MUTED_GROUPS: usize = 20;
/// Longest mute with an end, in minutes (30 days); 0 is for ever. Converted in `rest/group/gag.rs`.
pub(crate) const MUTE_MINUTES: u64 = 43_200;
/// Longest name a user gives a group.
pub(crate) const REMARK: usize = 64;
/// Most groups returned without paging.
pub(crate) const GROUPS_UNPAGED: usize = 5000;

/// Whether the vendor would accept this group id (the alphabet its client SDK accepts).
pub(crate) fn is_group_id(id: &str) -> bool {
    let length = id.chars().count();
    (1..=GROUP_ID).contains(&length) && id.chars().all(|c| c.is_ascii_alphanumeric() || "+=-_|:".contains(c))
}

/// Whether the vendor would accept this user id.
pub(crate) fn is_user_id(id: &str) -> bool {
    (1..=USER_ID_BYTES).contains(&id.len()) && id.chars().all(|c| c.is_ascii_alphanumeric() || "+=-_".contains(c))
}

/// Whether the vendor's console would accept this key of the extended profile.
pub(crate) fn is_ext_key(key: &str) -> bool {
    key.len() <= EXT_KEY
        && key.strip_prefix("ext_").is_some_and(|rest| !rest.is_empty())
        && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Whether the vendor would accept these extensions of a message, at most so many pairs.
pub(crate) fn are_expansions(pairs: &BTreeMap<String, String>, most: usize) -> bool {
    let fits = |(key, value): (&String, &String)| !is_longer(key, EXPANSION_KEY) && !is_longer(value, EXPANSION_VALUE);
    pairs.len() <= most && pairs.iter().all(fits)
}

/// Whether a text is longer than `most` characters.
pub(crate) fn is_longer(text: &str, most: usize) -> bool {
    text.chars().count() > most
}
