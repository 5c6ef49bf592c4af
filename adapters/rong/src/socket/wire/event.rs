//! Group events.

use super::{ChannelsInviteStatusInfo, ChannelsJoinedInfo, ChannelsUserInfo};

/// `pullEventChange`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct QueryMsgChange {
    #[prost(int64, required, tag = "1")]
    pub(crate) sync_time: i64,
}

/// The reply to `pullEventChange`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct EventChangeList {
    #[prost(message, repeated, tag = "1")]
    pub(crate) list: Vec<EventChange>,
    #[prost(int64, required, tag = "2")]
    pub(crate) sync_time: i64,
    #[prost(bool, optional, tag = "3")]
    pub(crate) has_next: Option<bool>,
}

/// One event.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct EventChange {
    /// The group.
    #[prost(string, optional, tag = "1")]
    pub(crate) business_id: Option<String>,
    #[prost(int32, optional, tag = "2")]
    pub(crate) channel_type: Option<i32>,
    #[prost(int64, optional, tag = "3")]
    pub(crate) time: Option<i64>,
    /// 11 operation, 12 profile, 13 application, 14 follows, 36 read receipts.
    #[prost(int32, optional, tag = "4")]
    pub(crate) change_type: Option<i32>,
    /// A remark.
    #[prost(string, optional, tag = "7")]
    pub(crate) secondary_id: Option<String>,
    #[prost(string, optional, tag = "10")]
    pub(crate) operator_id: Option<String>,
    #[prost(int32, optional, tag = "11")]
    pub(crate) sub_change_type: Option<i32>,
    /// Followed users.
    #[prost(string, repeated, tag = "14")]
    pub(crate) ext_ids: Vec<String>,
    /// A [`ChannelEventData`], a [`ChannelApplyInfo`] or a [`MsgReadEvent`](super::MsgReadEvent).
    #[prost(bytes = "vec", optional, tag = "16")]
    pub(crate) event_data: Option<Vec<u8>>,
}

/// The data of an operation or a profile change.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct ChannelEventData {
    #[prost(message, optional, tag = "1")]
    pub(crate) opt_user_info: Option<ChannelsUserInfo>,
    #[prost(message, optional, tag = "2")]
    pub(crate) channel_info: Option<ChannelsJoinedInfo>,
    #[prost(message, repeated, tag = "3")]
    pub(crate) user_infos: Vec<ChannelsUserInfo>,
    #[prost(message, optional, tag = "4")]
    pub(crate) channel_full_info: Option<ChannelsJoinedInfo>,
}

/// Applications and invitations.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct ChannelApplyInfo {
    #[prost(message, repeated, tag = "1")]
    pub(crate) status_info: Vec<ChannelsInviteStatusInfo>,
}
