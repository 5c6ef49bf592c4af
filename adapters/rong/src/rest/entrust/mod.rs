//! `/entrust`: hosted groups, with an owner, managers, a profile and permissions.

pub(super) mod create;
pub(super) mod dismiss;
pub(super) mod follow;
pub(super) mod groups;
pub(super) mod import;
pub(super) mod join;
pub(super) mod joined;
pub(super) mod kick;
pub(super) mod kick_all;
pub(super) mod managers;
pub(super) mod member_set;
pub(super) mod members;
pub(super) mod members_named;
pub(super) mod profile_query;
pub(super) mod profile_update;
pub(super) mod quit;
pub(super) mod remarkname;
pub(super) mod transfer_owner;

use conclave_core::model::{Group, Member, UserId};
use conclave_core::operation::Cleanup;
use serde::Serialize;

use super::Call;
use crate::calls::Texts;
use crate::dialect::permissions::Permissions;
use crate::dialect::profile::{self, ProfileText};
use crate::dialect::{limits, role};
use crate::refusals::{Code, Failure};

/// The name of a group to create or import: present, not blank, not too long.
fn group_name<'c>(call: &'c Call<'_>) -> Result<&'c str, Failure> {
    check_name(call, call.form.value("name").unwrap_or_default())
}

fn check_name<'n>(call: &Call<'_>, name: &'n str) -> Result<&'n str, Failure> {
    if name.trim().is_empty() {
        return Err(Code::NoName.into());
    }
    call.check_length("name", name, limits::GROUP_NAME)?;
    Ok(name)
}

/// The profile, permissions and extended profile of a request; empty texts count as missing.
fn texts(call: &Call<'_>) -> Result<Texts, Failure> {
    let given = |key: &str| call.form.given(key);
    Ok(Texts {
        profile: given("groupProfile").map(ProfileText::parse).transpose()?.unwrap_or_default(),
        permissions: given("permissions").map(Permissions::parse).transpose()?.unwrap_or_default(),
        fields: given("groupExtProfile")
            .map(|text| profile::parse_ext(text, &call.settings().ext_keys))
            .transpose()?
            .unwrap_or_default(),
    })
}

/// What is deleted when a user leaves: the mute, the allowlist entry and follow relations, unless the request keeps
/// them.
fn cleanup(call: &Call<'_>) -> Result<Cleanup, Failure> {
    Ok(Cleanup {
        mute: call.switch("isDelBan", true)?,
        allowance: call.switch("isDelWhite", true)?,
        follows: call.switch("isDelFollowed", true)?,
    })
}

/// The three texts of a group in responses: JSON inside strings.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GroupTexts {
    group_profile: String,
    group_ext_profile: String,
    permissions: String,
}

impl GroupTexts {
    fn of(group: &Group) -> Result<Self, Failure> {
        Ok(Self {
            group_profile: profile::shown(group)?,
            group_ext_profile: profile::shown_ext(group)?,
            permissions: profile::text(&Permissions::of(&group.policy))?,
        })
    }
}

/// The owner's id; "" for a group without one, created elsewhere.
fn owner(group: &Group) -> &str {
    group.owner.as_ref().map_or("", UserId::as_str)
}

/// A member in responses.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MemberWire<'a> {
    user_id: &'a UserId,
    nickname: &'a str,
    role: u8,
    /// When they joined, milliseconds.
    time: u64,
    #[serde(skip_serializing_if = "str::is_empty")]
    extra: &'a str,
}

impl<'a> MemberWire<'a> {
    fn of(member: &'a Member) -> Self {
        Self {
            user_id: &member.user,
            nickname: &member.card,
            role: role::number(member.role),
            time: member.joined.0,
            extra: &member.extra,
        }
    }
}
