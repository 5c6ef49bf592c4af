//! Signals, and queries of the SDK on connecting.

use super::DownStreamMessage;

/// `s_ntf` and `s_cmd`: tells the client to fetch.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct NotifyMsg {
    /// 1 messages, 11 group events, 12 edited messages.
    #[prost(int32, required, tag = "1")]
    pub(crate) kind: i32,
    /// Clients fetch when this is later than their own timestamp.
    #[prost(int64, optional, tag = "2")]
    pub(crate) time: Option<i64>,
}

/// `qAppBot` replies with a list; there are no bots here.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct BotOutput {}

/// `pullUS`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct PullUserSettingInput {
    #[prost(int64, required, tag = "1")]
    pub(crate) version: i64,
}

/// The reply to `pullUS`: settings are not stored.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct PullUserSettingOutput {
    #[prost(int64, required, tag = "2")]
    pub(crate) version: i64,
}

/// `pullSeAtts`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct SessionReq {
    #[prost(int64, required, tag = "1")]
    pub(crate) time: i64,
}

/// The reply to `pullSeAtts`: states of conversations are not stored.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct SessionStates {
    #[prost(int64, required, tag = "1")]
    pub(crate) version: i64,
}

/// `pullModifyMsg`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct PullModifyMsgReq {
    #[prost(int64, optional, tag = "1")]
    pub(crate) pull_version: Option<i64>,
}

/// A message that was edited.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct ModifyMsg {
    /// 1 edited.
    #[prost(int32, optional, tag = "1")]
    pub(crate) modify_type: Option<i32>,
    #[prost(message, optional, tag = "2")]
    pub(crate) msg: Option<DownStreamMessage>,
}

/// The reply to `pullModifyMsg`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct PullModifyMsgResp {
    #[prost(message, repeated, tag = "1")]
    pub(crate) msg: Vec<ModifyMsg>,
    #[prost(int64, optional, tag = "2")]
    pub(crate) next_version: Option<i64>,
    #[prost(bool, optional, tag = "3")]
    pub(crate) finished: Option<bool>,
}

/// `pullUserSub`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct PullUserSubReq {
    #[prost(int64, optional, tag = "1")]
    pub(crate) version: Option<i64>,
}

/// The reply to `pullUserSub`: there are no subscriptions.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct PullUserSubResp {
    #[prost(int64, optional, tag = "2")]
    pub(crate) version: Option<i64>,
    #[prost(bool, optional, tag = "3")]
    pub(crate) has_next: Option<bool>,
    #[prost(bool, optional, tag = "5")]
    pub(crate) is_full: Option<bool>,
}

/// `pullSubData`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct PullSubDataReq {
    #[prost(int64, optional, tag = "1")]
    pub(crate) version_time: Option<i64>,
}

/// The reply to `pullSubData`: there are no subscriptions.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct PullSubDataResp {
    #[prost(int64, optional, tag = "2")]
    pub(crate) version_time: Option<i64>,
    #[prost(bool, optional, tag = "3")]
    pub(crate) has_next: Option<bool>,
    #[prost(bool, optional, tag = "5")]
    pub(crate) is_full: Option<bool>,
}

/// `pullUserProfile`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct PullUserProfileReq {
    #[prost(string, repeated, tag = "1")]
    pub(crate) user_id: Vec<String>,
}

/// A user's profile.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct UserProfile {
    #[prost(int64, optional, tag = "1")]
    pub(crate) version: Option<i64>,
    #[prost(string, optional, tag = "2")]
    pub(crate) user_id: Option<String>,
    #[prost(message, repeated, tag = "3")]
    pub(crate) user_profile: Vec<super::ProfileInfo>,
}

/// The reply to `pullUserProfile`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct UserProfiles {
    #[prost(message, repeated, tag = "1")]
    pub(crate) user_profile: Vec<UserProfile>,
}
