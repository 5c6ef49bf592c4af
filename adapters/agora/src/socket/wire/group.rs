//! Events of groups.

use super::Jid;

/// An operation of a group. [`crate::dialect::events::Muc`] has the operations.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct MucBody {
    /// The group; the SDKs drop an event without it.
    #[prost(message, optional, tag = "1")]
    pub(crate) muc_id: Option<Jid>,
    #[prost(int32, optional, tag = "2")]
    pub(crate) operation: Option<i32>,
    /// The acting user; the SDKs drop an event without it.
    #[prost(message, optional, tag = "3")]
    pub(crate) from: Option<Jid>,
    /// The affected users; the SDKs read the first only.
    #[prost(message, repeated, tag = "4")]
    pub(crate) to: Vec<Jid>,
    #[prost(string, optional, tag = "6")]
    pub(crate) reason: Option<String>,
    #[prost(bool, optional, tag = "7")]
    pub(crate) is_chatroom: Option<bool>,
    #[prost(bool, optional, tag = "9")]
    pub(crate) is_thread: Option<bool>,
    #[prost(string, optional, tag = "11")]
    pub(crate) muc_name: Option<String>,
    #[prost(message, optional, tag = "12")]
    pub(crate) event_info: Option<EventInfo>,
    #[prost(int32, optional, tag = "13")]
    pub(crate) muc_member_count: Option<i32>,
    /// JSON.
    #[prost(string, optional, tag = "14")]
    pub(crate) ext: Option<String>,
    /// The users who joined or left, if several.
    #[prost(string, repeated, tag = "16")]
    pub(crate) members: Vec<String>,
}

/// Further data of an operation.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct EventInfo {
    #[prost(int32, optional, tag = "1")]
    pub(crate) event_type: Option<i32>,
    /// JSON.
    #[prost(string, optional, tag = "2")]
    pub(crate) ext: Option<String>,
}
