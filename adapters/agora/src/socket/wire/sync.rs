//! Queues and the items in them.

use prost::bytes::Bytes;

use super::{Jid, KeyValue, Status};

/// Values of [`Meta::ns`].
pub(crate) mod ns {
    pub(crate) const STATISTIC: i32 = 0;
    pub(crate) const CHAT: i32 = 1;
    pub(crate) const MUC: i32 = 2;
    pub(crate) const NOTIFY: i32 = 5;
}

/// Values of [`Meta::routetype`].
pub(crate) mod route {
    pub(crate) const ALL: i32 = 0;
    /// Online users only.
    pub(crate) const ONLINE: i32 = 1;
}

/// Values of [`StatisticsBody::operation`].
pub(crate) mod statistics {
    pub(crate) const USER_REMOVED: i32 = 1;
    pub(crate) const USER_LOGIN_ANOTHER_DEVICE: i32 = 2;
    pub(crate) const USER_KICKED_BY_CHANGE_PASSWORD: i32 = 3;
    pub(crate) const USER_KICKED_BY_OTHER_DEVICE: i32 = 4;
}

/// From the client: an item to send, or a queue to read.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct CommSyncUl {
    #[prost(message, optional, tag = "1")]
    pub(crate) meta: Option<Meta>,
    /// Everything up to this key has been received.
    #[prost(uint64, optional, tag = "2")]
    pub(crate) key: Option<u64>,
    #[prost(message, optional, tag = "3")]
    pub(crate) queue: Option<Jid>,
}

/// From the server: the outcome of an item (`meta_id`), or items of a queue.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct CommSyncDl {
    #[prost(message, optional, tag = "1")]
    pub(crate) status: Option<Status>,
    #[prost(uint64, optional, tag = "2")]
    pub(crate) meta_id: Option<u64>,
    #[prost(uint64, optional, tag = "3")]
    pub(crate) server_id: Option<u64>,
    #[prost(message, repeated, tag = "4")]
    pub(crate) metas: Vec<Meta>,
    #[prost(uint64, optional, tag = "5")]
    pub(crate) next_key: Option<u64>,
    #[prost(message, optional, tag = "6")]
    pub(crate) queue: Option<Jid>,
    #[prost(bool, optional, tag = "7")]
    pub(crate) is_last: Option<bool>,
    /// Milliseconds.
    #[prost(uint64, optional, tag = "8")]
    pub(crate) timestamp: Option<u64>,
}

/// From the server: items wait in a queue.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct CommNotice {
    #[prost(message, optional, tag = "1")]
    pub(crate) queue: Option<Jid>,
}

/// From the server: the queues in which items wait.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct CommUnreadDl {
    #[prost(message, optional, tag = "1")]
    pub(crate) status: Option<Status>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) unread: Vec<MetaQueue>,
    /// Milliseconds.
    #[prost(uint64, optional, tag = "3")]
    pub(crate) timestamp: Option<u64>,
}

/// A queue and the number of items that wait in it.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct MetaQueue {
    #[prost(message, optional, tag = "1")]
    pub(crate) queue: Option<Jid>,
    #[prost(uint32, optional, tag = "2")]
    pub(crate) n: Option<u32>,
}

/// One item.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Meta {
    #[prost(uint64, optional, tag = "1")]
    pub(crate) id: Option<u64>,
    #[prost(message, optional, tag = "2")]
    pub(crate) from: Option<Jid>,
    #[prost(message, optional, tag = "3")]
    pub(crate) to: Option<Jid>,
    /// Milliseconds.
    #[prost(uint64, optional, tag = "4")]
    pub(crate) timestamp: Option<u64>,
    /// See [`ns`].
    #[prost(int32, optional, tag = "5")]
    pub(crate) ns: Option<i32>,
    #[prost(bytes = "bytes", optional, tag = "6")]
    pub(crate) payload: Option<Bytes>,
    /// See [`route`].
    #[prost(int32, optional, tag = "7")]
    pub(crate) routetype: Option<i32>,
    #[prost(message, repeated, tag = "8")]
    pub(crate) ext: Vec<KeyValue>,
    /// JSON without control characters: the SDKs fail at bytes below 0x10.
    #[prost(bytes = "bytes", optional, tag = "9")]
    pub(crate) meta: Option<Bytes>,
    /// Only these members receive it.
    #[prost(string, repeated, tag = "10")]
    pub(crate) directed_users: Vec<String>,
}

/// Heartbeats (from the client) and the reason why a session ends (from the server).
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct StatisticsBody {
    #[prost(int32, optional, tag = "1")]
    pub(crate) operation: Option<i32>,
    #[prost(string, optional, tag = "10")]
    pub(crate) reason: Option<String>,
}
