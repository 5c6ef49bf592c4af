//! `channelCreate`: makes a hosted group of the caller. Where invited users must agree, the group is there without
//! them, and the answer says so.

use conclave_core::model::Profile;
use conclave_core::operation::{CreateGroup, NewMember, OnUnknown, Outcome};

use super::done;
use super::texts::Texts;
use crate::dialect::limits;
use crate::refusals::{Code, client};
use crate::socket::call::{Answer, Call, Denied, decode};
use crate::socket::wire::ChannelsInput;

pub(crate) async fn create(call: &Call<'_>, body: &[u8]) -> Answer {
    let asked: ChannelsInput = decode(body)?;
    let id = Call::group_id(asked.target_id.as_ref())?;
    if !limits::is_group_id(id.as_str()) {
        return Err(Code::BadGroupId.into());
    }
    if asked.users.len() > limits::CREATE_USERS {
        return Err(Code::BadParameter.into());
    }
    let users = Call::distinct(&asked.users)?;
    let texts = Texts::of(call, &asked.setting_profile, &asked.ext_profile)?;
    let Some(name) = texts.profile.name.clone() else {
        return Err(Denied::from(Code::NoName).naming("name"));
    };
    call.check_newcomers(&users).await?;

    let mut profile = Profile { name, ..Profile::default() };
    let announcement = texts.profile.over(&mut profile);
    profile.fields = texts.fields;
    profile.fields.retain(|_, value| !value.is_empty());
    let policy = texts.permissions.policy(call.settings().group_capacity);
    let group = CreateGroup {
        id: Some(id),
        members: users.into_iter().map(NewMember::now).collect(),
        profile,
        announcement,
        ask_members: true,
        on_unknown_member: OnUnknown::Register,
        ..CreateGroup::new(Some(call.user.clone()), policy)
    };
    let created = call.run(group).await?;
    let invited = created.added.outcomes.iter().any(|(_, outcome)| *outcome == Outcome::AwaitsInvitee);
    Ok(done(if invited { client::AWAITS_INVITEE } else { 0 }))
}
