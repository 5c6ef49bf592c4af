//! The frame, names, statuses, and signing in.

use prost::bytes::Bytes;

/// Values of [`MSync::command`].
pub(crate) mod command {
    pub(crate) const SYNC: i32 = 0;
    pub(crate) const UNREAD: i32 = 1;
    pub(crate) const NOTICE: i32 = 2;
    pub(crate) const PROVISION: i32 = 3;
    pub(crate) const LOGOUT: i32 = 4;
}

/// Values of [`Status::error_code`].
pub(crate) mod status {
    pub(crate) const OK: i32 = 0;
    pub(crate) const FAIL: i32 = 1;
    pub(crate) const UNAUTHORIZED: i32 = 2;
    pub(crate) const WRONG_PARAMETER: i32 = 4;
    pub(crate) const PERMISSION_DENIED: i32 = 7;
    pub(crate) const TOO_MANY_DEVICES: i32 = 13;
    pub(crate) const USER_MUTED: i32 = 15;
    pub(crate) const PERMISSION_DENIED_EXTERNAL: i32 = 19;
}

/// A user, a group, or a queue.
#[derive(Clone, PartialEq, Eq, Hash, prost::Message)]
pub(crate) struct Jid {
    /// `org#app`.
    #[prost(string, optional, tag = "1")]
    pub(crate) app_key: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub(crate) name: Option<String>,
    #[prost(string, optional, tag = "3")]
    pub(crate) domain: Option<String>,
    #[prost(string, optional, tag = "4")]
    pub(crate) client_resource: Option<String>,
}

/// One frame.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct MSync {
    /// 0, whatever the SDKs set.
    #[prost(int32, optional, tag = "1")]
    pub(crate) version: Option<i32>,
    #[prost(message, optional, tag = "2")]
    pub(crate) guid: Option<Jid>,
    /// `$t$` and the token.
    #[prost(string, optional, tag = "3")]
    pub(crate) auth: Option<String>,
    #[prost(int32, optional, tag = "8")]
    pub(crate) command: Option<i32>,
    #[prost(bytes = "bytes", optional, tag = "9")]
    pub(crate) payload: Option<Bytes>,
    #[prost(uint32, optional, tag = "10")]
    pub(crate) device_id: Option<u32>,
    #[prost(int32, repeated, packed = "false", tag = "11")]
    pub(crate) encrypt_type: Vec<i32>,
    #[prost(uint64, optional, tag = "20")]
    pub(crate) trace_id: Option<u64>,
}

/// The outcome of a request. The SDKs wait for ever for a reply without one.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct Status {
    #[prost(int32, optional, tag = "1")]
    pub(crate) error_code: Option<i32>,
    #[prost(string, optional, tag = "2")]
    pub(crate) reason: Option<String>,
}

/// A key and a value of one of several types.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct KeyValue {
    #[prost(string, optional, tag = "1")]
    pub(crate) key: Option<String>,
    /// See [`key_value`].
    #[prost(int32, optional, tag = "2")]
    pub(crate) r#type: Option<i32>,
    #[prost(int64, optional, tag = "3")]
    pub(crate) varint_value: Option<i64>,
    #[prost(float, optional, tag = "4")]
    pub(crate) float_value: Option<f32>,
    #[prost(double, optional, tag = "5")]
    pub(crate) double_value: Option<f64>,
    #[prost(string, optional, tag = "6")]
    pub(crate) string_value: Option<String>,
}

/// Values of [`KeyValue::type`].
pub(crate) mod key_value {
    pub(crate) const BOOL: i32 = 1;
    pub(crate) const INT: i32 = 2;
    pub(crate) const UINT: i32 = 3;
    pub(crate) const LLINT: i32 = 4;
    pub(crate) const FLOAT: i32 = 5;
    pub(crate) const DOUBLE: i32 = 6;
    pub(crate) const STRING: i32 = 7;
    pub(crate) const JSON_STRING: i32 = 8;
}

/// Signing in, in both directions.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct Provision {
    #[prost(int32, optional, tag = "1")]
    pub(crate) os_type: Option<i32>,
    #[prost(string, optional, tag = "2")]
    pub(crate) version: Option<String>,
    #[prost(int32, repeated, packed = "false", tag = "5")]
    pub(crate) compress_type: Vec<i32>,
    #[prost(int32, repeated, packed = "false", tag = "6")]
    pub(crate) encrypt_type: Vec<i32>,
    /// From the server only; the SDKs throw when it is missing.
    #[prost(message, optional, tag = "8")]
    pub(crate) status: Option<Status>,
    #[prost(string, optional, tag = "9")]
    pub(crate) device_uuid: Option<String>,
    #[prost(string, optional, tag = "12")]
    pub(crate) device_name: Option<String>,
    /// From the client: requested; from the server: assigned.
    #[prost(string, optional, tag = "13")]
    pub(crate) resource: Option<String>,
    /// `$t$` and the token; of SDKs before 1.1 and 4.1.
    #[prost(string, optional, tag = "14")]
    pub(crate) auth: Option<String>,
    #[prost(string, optional, tag = "17")]
    pub(crate) action_version: Option<String>,
    /// JSON; from the server, its `expires_in` is a point in time in milliseconds.
    #[prost(string, optional, tag = "18")]
    pub(crate) auth_token: Option<String>,
    #[prost(string, optional, tag = "20")]
    pub(crate) session_id: Option<String>,
    #[prost(string, optional, tag = "21")]
    pub(crate) reason: Option<String>,
}

/// Signing out, of easemob-websdk from 4.21 on.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct Logout {
    #[prost(string, optional, tag = "1")]
    pub(crate) session_id: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub(crate) reason: Option<String>,
    #[prost(message, optional, tag = "3")]
    pub(crate) status: Option<Status>,
}
