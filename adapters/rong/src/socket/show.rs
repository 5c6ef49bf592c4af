//! Groups, members and requests in the SDK's format.

use conclave_core::model::Millis;
use conclave_core::model::{Group, Member, Request, RequestKind, Stage, User, UserId};

use super::call::millis;
use super::wire::{
    ChannelBaseInfo, ChannelsInviteStatusInfo, ChannelsJoinedInfo, ChannelsUserExtInfo, ChannelsUserInfo, ProfileInfo,
};
use crate::dialect::permissions::Permissions;
use crate::dialect::{limits, role};

/// The permissions as key and number. Two names are misleading: `memInvitePerm` says who may invite, `invitePerm`
/// whether the invited user has to accept.
pub(crate) fn permissions(permissions: Permissions) -> impl Iterator<Item = (&'static str, u8)> {
    let rows = [
        ("joinPerm", permissions.join),
        ("removePerm", permissions.remove),
        ("memInvitePerm", permissions.invite),
        ("invitePerm", permissions.consent),
        ("profilePerm", permissions.profile),
        ("memProfilePerm", permissions.member_profile),
    ];
    rows.into_iter().filter_map(|(key, number)| number.map(|number| (key, number)))
}

/// All settings of a group.
pub(crate) fn settings(group: &Group) -> Vec<ProfileInfo> {
    let announcement = group.announcement.as_ref().map_or("", |announcement| &announcement.text);
    let texts = [
        ("name", group.profile.name.as_str()),
        ("portraitUrl", &group.profile.avatar),
        ("introduction", &group.profile.introduction),
        ("announcement", announcement),
    ];
    let texts = texts.into_iter().map(|(key, text)| ProfileInfo::new(key, text));
    let numbers = permissions(Permissions::of(&group.policy));
    texts.chain(numbers.map(|(key, number)| ProfileInfo::new(key, number.to_string()))).collect()
}

/// The fields of a group with this vendor's key prefix.
pub(crate) fn ext(group: &Group) -> Vec<ProfileInfo> {
    let fields = group.profile.fields.iter().filter(|(key, _)| limits::is_ext_key(key));
    fields.map(|(key, value)| ProfileInfo::new(key, value)).collect()
}

/// Creator, owner, creation time and number of members of a group.
pub(crate) fn base(group: &Group) -> ChannelBaseInfo {
    let id = |user: &Option<UserId>| Some(user.as_ref().map_or_else(String::new, ToString::to_string));
    ChannelBaseInfo {
        creator_id: id(&group.creator),
        owner_id: id(&group.owner),
        create_time: Some(millis(group.created.0)),
        member_count: Some(i32::try_from(group.members).unwrap_or(i32::MAX)),
    }
}

/// A group, without the reader's membership.
pub(crate) fn group(group: &Group) -> ChannelsJoinedInfo {
    ChannelsJoinedInfo {
        target_id: Some(group.id.to_string()),
        setting_profile: settings(group),
        ext_profile: ext(group),
        base_info: Some(base(group)),
        user_info: None,
    }
}

/// The reader's own membership in a group, and their name for it.
pub(crate) fn own(member: &Member, remark: &str) -> ChannelsUserExtInfo {
    ChannelsUserExtInfo {
        remark_name: (!remark.is_empty()).then(|| remark.to_owned()),
        channel_nick_name: None,
        additional: None,
        ..membership(member)
    }
}

fn membership(member: &Member) -> ChannelsUserExtInfo {
    ChannelsUserExtInfo {
        role: Some(role::number(member.role).into()),
        join_time: Some(millis(member.joined.0)),
        channel_nick_name: Some(member.card.clone()),
        additional: Some(member.extra.clone()),
        remark_name: None,
    }
}

/// A user, as a member if they are one.
pub(crate) fn user(id: &UserId, member: Option<&Member>, account: Option<&User>) -> ChannelsUserInfo {
    ChannelsUserInfo {
        user_id: Some(id.to_string()),
        ext: member.map(membership),
        op_time: None,
        name: Some(account.map_or_else(String::new, |user| user.nick.clone())),
        portrait_url: Some(account.map_or_else(String::new, |user| user.avatar.clone())),
    }
}

/// The roles a reader can have in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    ApplicationSent,
    InvitationSent,
    InvitationReceived,
    ApplicationReceived,
}

impl Direction {
    /// The reader's role; a reader with none of the other three is one of those who decide.
    pub(crate) fn of(request: &Request, reader: &UserId) -> Self {
        match request.kind {
            _ if request.inviter.as_ref() == Some(reader) => Self::InvitationSent,
            RequestKind::Application if request.user == *reader => Self::ApplicationSent,
            RequestKind::Invitation if request.user == *reader => Self::InvitationReceived,
            _ => Self::ApplicationReceived,
        }
    }

    fn number(self) -> i32 {
        match self {
            Self::ApplicationSent => 0,
            Self::InvitationSent => 1,
            Self::InvitationReceived => 2,
            Self::ApplicationReceived => 3,
        }
    }
}

/// The current stage of a request.
fn status(request: &Request, now: Millis) -> i32 {
    match request.stage {
        stage if stage.is_open() && !request.is_open_at(now) => 5,
        Stage::AwaitsManagers => 0,
        Stage::RefusedByManagers => 1,
        Stage::AwaitsInvitee => 2,
        Stage::Declined => 3,
        Stage::Joined => 4,
    }
}

/// When a request last changed.
pub(crate) fn changed(request: &Request) -> Millis {
    request.verdict.as_ref().map_or(request.filed, |verdict| verdict.at)
}

/// A request for one reader; `user` encodes a user by their id.
pub(crate) fn request(
    request: &Request,
    direction: Direction,
    now: Millis,
    user: impl Fn(&UserId) -> ChannelsUserInfo,
) -> ChannelsInviteStatusInfo {
    let verdict = request.verdict.as_ref();
    ChannelsInviteStatusInfo {
        target_id: Some(request.group.to_string()),
        join_user_info: Some(user(&request.user)),
        inviter_info: request.inviter.as_ref().map(&user),
        status: Some(status(request, now)),
        direction_type: Some(direction.number()),
        join_type: Some(match request.kind {
            RequestKind::Application => 0,
            RequestKind::Invitation => 1,
        }),
        detail: verdict.map(|verdict| verdict.reason.clone()).filter(|reason| !reason.is_empty()),
        apply_time: Some(millis(changed(request).0)),
        process_info: verdict.and_then(|verdict| verdict.by.as_ref()).map(&user),
        process_time: verdict.map(|verdict| millis(verdict.at.0)),
    }
}
