//! What happens in groups.

use super::Jid;

/// An operation of a group. [`crate::dialect::events::Muc`] names the operations.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct MucBody {
    /// The group; the SDKs drop an event without it.
    #[prost(message, optional, tag = "1")]
    pub(crate) muc_id: Option<Jid>,
    #[prost(int32, optional, tag = "2")]
    pub(crate) operation: Option<i32>,
    /// Who did it; the SDKs drop an event without it.
    #[prost(message, optional, tag = "3")]
    pub(crate) from: Option<Jid>,
    /// Whom it is about; the SDKs look at the first only.
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
    /// Who came or went, where there are several.
    #[prost(string, repeated, tag = "16")]
    pub(crate) members: Vec<String>,
}

/// More of an operation.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct EventInfo {
    #[prost(int32, optional, tag = "1")]
    pub(crate) event_type: Option<i32>,
    /// JSON.
    #[prost(string, optional, tag = "2")]
    pub(crate) ext: Option<String>,
}
