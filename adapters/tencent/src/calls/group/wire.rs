//! A group in responses.

use conclave_core::model::Group;
use serde::Serialize;

use crate::calls::Call;
use crate::calls::filter::Fields;
use crate::calls::wire::Switch;
use crate::dialect::kind::Kind;
use crate::dialect::options::JoinOption;
use crate::dialect::{community, time};

/// The requested base fields.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::calls) struct BaseInfo<'g> {
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'g str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    appid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    introduction: Option<&'g str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notification: Option<&'g str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    face_url: Option<&'g str>,
    #[serde(rename = "Owner_Account", skip_serializing_if = "Option::is_none")]
    owner: Option<&'g str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    create_time: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_info_time: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_msg_time: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    info_seq: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_msg_seq: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    member_num: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_member_num: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    apply_join_option: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    invite_join_option: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mute_all_member: Option<&'static str>,
    /// The older name.
    #[serde(skip_serializing_if = "Option::is_none")]
    shut_up_all_member: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    support_topic: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enable_permission: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_permission: Option<u64>,
}

impl<'g> BaseInfo<'g> {
    pub(in crate::calls) fn of(call: &Call<'_>, group: &'g Group, wanted: &Fields) -> Self {
        let kind = Kind::of(group);
        // only communities have these; elsewhere they are returned when requested by name
        let topics = |name| wanted.has(name) && (kind == Kind::Community || !wanted.is_all());
        let muted = Switch::word(group.all_muted);
        // clients request the older name and read the newer one in lists, the older one in profiles
        let newer = wanted.has("MuteAllMember") || (call.user().is_some() && wanted.has("ShutUpAllMember"));
        let notification = || group.announcement.as_ref().map_or("", |announcement| announcement.text.as_str());
        Self {
            r#type: wanted.pick("Type", || kind.word()),
            name: wanted.pick("Name", || group.profile.name.as_str()),
            appid: wanted.pick("Appid", || call.app.realm.credentials.sdkappid),
            introduction: wanted.pick("Introduction", || group.profile.introduction.as_str()),
            notification: wanted.pick("Notification", notification),
            face_url: wanted.pick("FaceUrl", || group.profile.avatar.as_str()),
            owner: wanted.pick("Owner_Account", || group.owner.as_ref().map_or("", |owner| owner.as_str())),
            create_time: wanted.pick("CreateTime", || group.created.seconds()),
            last_info_time: wanted.pick("LastInfoTime", || group.profile_changed.seconds()),
            last_msg_time: wanted.pick("LastMsgTime", || time::seconds(group.last_message)),
            info_seq: wanted.pick("InfoSeq", || group.profile_revision + 1),
            next_msg_seq: wanted.pick("NextMsgSeq", || group.next_message),
            member_num: wanted.pick("MemberNum", || group.members),
            max_member_num: wanted.pick("MaxMemberNum", || kind.shown_capacity(group, call.settings())),
            apply_join_option: wanted.pick("ApplyJoinOption", || JoinOption::of_join(&group.policy).apply_word()),
            invite_join_option: wanted.pick("InviteJoinOption", || JoinOption::of_invite(&group.policy).invite_word()),
            mute_all_member: newer.then_some(muted),
            shut_up_all_member: wanted.pick("ShutUpAllMember", || muted),
            support_topic: topics("SupportTopic").then(|| community::support_topic(&group.labels)),
            enable_permission: topics("EnablePermission").then(|| community::enable_permission(&group.labels)),
            default_permission: topics("DefaultPermission").then(|| community::default_permission(&group.labels)),
        }
    }
}
