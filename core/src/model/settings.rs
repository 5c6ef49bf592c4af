//! What a realm permits, beyond what each group permits.

/// Settings of one realm that rules look at. Limits are off when `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Most groups in the realm.
    pub groups: Option<u32>,
    /// Most groups one user is in.
    pub groups_per_user: Option<u32>,
    /// Most users in the realm.
    pub users: Option<u32>,
    /// How long after its creation a request or an invitation can be decided, in milliseconds.
    pub request_lifetime: u64,
    /// How long the id that a client gave a message is remembered, so that a repeated send is recognised, in
    /// milliseconds.
    pub dedupe_window: u64,
    /// How long after sending a user may recall a message, in milliseconds. The app may at any time.
    pub recall_window: u64,
    /// How long a device is kept after it was last connected, with its positions in queues, in milliseconds.
    pub device_lifetime: u64,
    /// How long events of the log are kept, in milliseconds: what is delivered to clients that were offline.
    pub event_lifetime: Option<u64>,
    /// Most events that are kept.
    pub events: Option<u64>,
    /// How long messages are kept, in milliseconds; pinned ones are kept as long as they are pinned.
    pub message_lifetime: Option<u64>,
    /// Most devices of a user that are kept per surface (vendor), at least one.
    pub devices_per_user: u32,
    /// Whether a disbanded group's id may be reused.
    pub reuse_ids: bool,
    /// Whether the owner and admins may shield the group's messages.
    pub managers_may_shield: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            groups: None,
            groups_per_user: None,
            users: None,
            request_lifetime: 7 * 24 * 3600 * 1000,
            dedupe_window: 5 * 60 * 1000,
            recall_window: 2 * 60 * 1000,
            device_lifetime: 30 * 24 * 3600 * 1000,
            event_lifetime: Some(30 * 24 * 3600 * 1000),
            events: None,
            message_lifetime: None,
            devices_per_user: 20,
            reuse_ids: true,
            managers_may_shield: true,
        }
    }
}
