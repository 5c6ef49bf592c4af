//! Requests and replies of the group methods.

use super::ProfileInfo;

/// `channelCreate`, `upChannelInfo`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct ChannelsInput {
    #[prost(string, optional, tag = "1")]
    pub(crate) target_id: Option<String>,
    #[prost(int32, optional, tag = "2")]
    pub(crate) kind: Option<i32>,
    #[prost(message, repeated, tag = "3")]
    pub(crate) setting_profile: Vec<ProfileInfo>,
    #[prost(message, repeated, tag = "4")]
    pub(crate) ext_profile: Vec<ProfileInfo>,
    /// Invited users.
    #[prost(string, repeated, tag = "6")]
    pub(crate) users: Vec<String>,
}

/// Creator, owner, creation time and number of members of a group.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct ChannelBaseInfo {
    #[prost(string, optional, tag = "1")]
    pub(crate) creator_id: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub(crate) owner_id: Option<String>,
    #[prost(int64, optional, tag = "3")]
    pub(crate) create_time: Option<i64>,
    #[prost(int32, optional, tag = "4")]
    pub(crate) member_count: Option<i32>,
}

/// The reply to most changes.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct ChannelsOutput {
    /// Whose approval is pending: 0 no one's, 25424 the managers', 25427 the invited users'.
    #[prost(int32, optional, tag = "4")]
    pub(crate) process_code: Option<i32>,
    /// The invalid keys.
    #[prost(string, repeated, tag = "9")]
    pub(crate) censor_failed_fields: Vec<String>,
}

/// `qChannelInfo`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct MultiChannels {
    #[prost(message, repeated, tag = "2")]
    pub(crate) list: Vec<ChannelRef>,
}

/// One group; its other fields are not read.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct ChannelRef {
    #[prost(string, optional, tag = "1")]
    pub(crate) target_id: Option<String>,
}

/// `channelMemKick`, `channelMemQuit`, `channelDismiss`, `channelTransfer`, `upChannelManager`, `upChannelFollow`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct ModifyChannelsInput {
    #[prost(string, optional, tag = "1")]
    pub(crate) target_id: Option<String>,
    #[prost(int32, optional, tag = "2")]
    pub(crate) kind: Option<i32>,
    #[prost(message, optional, tag = "3")]
    pub(crate) setting_info: Option<QuitChannelsSetting>,
    #[prost(string, repeated, tag = "4")]
    pub(crate) users: Vec<String>,
    /// 1 add, 2 remove.
    #[prost(int32, optional, tag = "5")]
    pub(crate) operate_type: Option<i32>,
}

/// What is deleted when a user leaves; each is true by default.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub(crate) struct QuitChannelsSetting {
    #[prost(bool, optional, tag = "1")]
    pub(crate) is_quit: Option<bool>,
    #[prost(bool, optional, tag = "2")]
    pub(crate) is_del_ban: Option<bool>,
    #[prost(bool, optional, tag = "3")]
    pub(crate) is_del_white: Option<bool>,
    #[prost(bool, optional, tag = "4")]
    pub(crate) is_del_attention: Option<bool>,
}

/// Queries about groups and members.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct ChannelsQueryInput {
    #[prost(string, optional, tag = "1")]
    pub(crate) target_id: Option<String>,
    #[prost(int32, optional, tag = "2")]
    pub(crate) kind: Option<i32>,
    #[prost(message, optional, tag = "3")]
    pub(crate) page: Option<ChannelsPageParam>,
    #[prost(string, repeated, tag = "4")]
    pub(crate) ids: Vec<String>,
    /// 0 any, 1 member, 2 manager, 3 owner.
    #[prost(int32, optional, tag = "5")]
    pub(crate) role_type: Option<i32>,
    /// 0 all, 1 no bots, 2 bots only.
    #[prost(int32, optional, tag = "6")]
    pub(crate) bot_type: Option<i32>,
}

/// The page, and the total.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct ChannelsPageParam {
    #[prost(int32, optional, tag = "1")]
    pub(crate) size: Option<i32>,
    #[prost(string, optional, tag = "2")]
    pub(crate) page_token: Option<String>,
    #[prost(bool, optional, tag = "3")]
    pub(crate) has_next: Option<bool>,
    #[prost(int32, optional, tag = "4")]
    pub(crate) total: Option<i32>,
    #[prost(int32, optional, tag = "5")]
    pub(crate) order: Option<i32>,
}

/// The reply to all queries about groups and members.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct ChannelsListResult {
    /// 1 users, 2 applications, 3 groups.
    #[prost(int32, optional, tag = "1")]
    pub(crate) list_type: Option<i32>,
    /// The list itself, of the type's message.
    #[prost(bytes = "vec", optional, tag = "2")]
    pub(crate) result: Option<Vec<u8>>,
    #[prost(message, optional, tag = "3")]
    pub(crate) page: Option<ChannelsPageParam>,
}

/// A list of users.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct ChannelsUserInfos {
    #[prost(message, repeated, tag = "1")]
    pub(crate) list: Vec<ChannelsUserInfo>,
}

/// A list of applications.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct ChannelsInviteStatusInfos {
    #[prost(message, repeated, tag = "1")]
    pub(crate) list: Vec<ChannelsInviteStatusInfo>,
}

/// A list of groups.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct ChannelsJoinedInfos {
    #[prost(message, repeated, tag = "1")]
    pub(crate) list: Vec<ChannelsJoinedInfo>,
}

/// A user, mostly as a member.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct ChannelsUserInfo {
    #[prost(string, optional, tag = "1")]
    pub(crate) user_id: Option<String>,
    #[prost(message, optional, tag = "2")]
    pub(crate) ext: Option<ChannelsUserExtInfo>,
    /// Since when the user is followed.
    #[prost(int64, optional, tag = "3")]
    pub(crate) op_time: Option<i64>,
    #[prost(string, optional, tag = "4")]
    pub(crate) name: Option<String>,
    #[prost(string, optional, tag = "5")]
    pub(crate) portrait_url: Option<String>,
}

/// The membership data of a user.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct ChannelsUserExtInfo {
    #[prost(int32, optional, tag = "1")]
    pub(crate) role: Option<i32>,
    #[prost(int64, optional, tag = "2")]
    pub(crate) join_time: Option<i64>,
    #[prost(string, optional, tag = "3")]
    pub(crate) channel_nick_name: Option<String>,
    #[prost(string, optional, tag = "4")]
    pub(crate) additional: Option<String>,
    /// The reader's own name for the group.
    #[prost(string, optional, tag = "5")]
    pub(crate) remark_name: Option<String>,
}

/// A group, and the reader's own membership in it.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct ChannelsJoinedInfo {
    #[prost(string, optional, tag = "1")]
    pub(crate) target_id: Option<String>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) setting_profile: Vec<ProfileInfo>,
    #[prost(message, repeated, tag = "3")]
    pub(crate) ext_profile: Vec<ProfileInfo>,
    #[prost(message, optional, tag = "4")]
    pub(crate) base_info: Option<ChannelBaseInfo>,
    #[prost(message, optional, tag = "5")]
    pub(crate) user_info: Option<ChannelsUserExtInfo>,
}

/// `upChannelMem`, `upChannelRemark`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct ChannelsMemberUpdateInput {
    #[prost(string, optional, tag = "1")]
    pub(crate) target_id: Option<String>,
    #[prost(int32, optional, tag = "2")]
    pub(crate) kind: Option<i32>,
    #[prost(string, optional, tag = "3")]
    pub(crate) user_id: Option<String>,
    /// A nickname, or a remark name.
    #[prost(string, optional, tag = "4")]
    pub(crate) channel_nick_name: Option<String>,
    #[prost(string, optional, tag = "5")]
    pub(crate) additional: Option<String>,
    /// 1 set, 2 remove.
    #[prost(int32, optional, tag = "6")]
    pub(crate) operate_type: Option<i32>,
}

/// `channelMemJoin`, `channelMemInvite`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct ChannelsMembersInput {
    #[prost(string, optional, tag = "1")]
    pub(crate) target_id: Option<String>,
    #[prost(int32, optional, tag = "2")]
    pub(crate) kind: Option<i32>,
    #[prost(string, repeated, tag = "3")]
    pub(crate) user_ids: Vec<String>,
}

/// `channelApplyResp`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct ChannelsMemberResponseInput {
    #[prost(string, optional, tag = "1")]
    pub(crate) target_id: Option<String>,
    #[prost(int32, optional, tag = "2")]
    pub(crate) kind: Option<i32>,
    /// 0 the invited user decides, 1 a manager does.
    #[prost(int32, optional, tag = "3")]
    pub(crate) opt_type: Option<i32>,
    /// 0 refuse, 1 accept.
    #[prost(int32, optional, tag = "4")]
    pub(crate) opt_result: Option<i32>,
    #[prost(string, optional, tag = "5")]
    pub(crate) join_user_id: Option<String>,
    #[prost(string, optional, tag = "6")]
    pub(crate) inviter_id: Option<String>,
    /// The reason.
    #[prost(string, optional, tag = "7")]
    pub(crate) detail: Option<String>,
}

/// An application or an invitation.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct ChannelsInviteStatusInfo {
    #[prost(string, optional, tag = "1")]
    pub(crate) target_id: Option<String>,
    #[prost(message, optional, tag = "2")]
    pub(crate) join_user_info: Option<ChannelsUserInfo>,
    #[prost(message, optional, tag = "3")]
    pub(crate) inviter_info: Option<ChannelsUserInfo>,
    /// 0 managers pending, 1 managers refused, 2 invitee pending, 3 invitee refused, 4 joined, 5 expired.
    #[prost(int32, optional, tag = "4")]
    pub(crate) status: Option<i32>,
    /// 0 application sent, 1 invitation sent, 2 invitation received, 3 application received.
    #[prost(int32, optional, tag = "5")]
    pub(crate) direction_type: Option<i32>,
    /// 0 application, 1 invitation.
    #[prost(int32, optional, tag = "6")]
    pub(crate) join_type: Option<i32>,
    #[prost(string, optional, tag = "7")]
    pub(crate) detail: Option<String>,
    #[prost(int64, optional, tag = "8")]
    pub(crate) apply_time: Option<i64>,
    /// The user who decided.
    #[prost(message, optional, tag = "9")]
    pub(crate) process_info: Option<ChannelsUserInfo>,
    #[prost(int64, optional, tag = "10")]
    pub(crate) process_time: Option<i64>,
}
