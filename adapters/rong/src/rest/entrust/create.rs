//! `/entrust/group/create.json`: makes a hosted group. The owner is in from the start; with `invitePerm` 1 the
//! others are invited and have to agree.

use conclave_core::model::Profile;
use conclave_core::operation::{CreateGroup, NewMember, OnUnknown};

use super::{Texts, group_name};
use crate::dialect::limits;
use crate::refusals::Failure;
use crate::rest::{Call, envelope};

pub(crate) async fn create(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
    let id = call.new_group_id()?;
    let name = group_name(call)?;
    let owner = call.user_id("owner")?;
    let users = call.optional_user_ids("userIds", limits::CREATE_USERS)?;
    let texts = Texts::of(call)?;
    call.check_newcomers("owner", std::slice::from_ref(&owner)).await?;
    call.check_newcomers("userIds", &users).await?;

    let mut profile = Profile { name: name.to_owned(), ..Profile::default() };
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
        on_unknown_owner: OnUnknown::Register,
        on_unknown_member: OnUnknown::Register,
        ..CreateGroup::new(Some(owner), policy)
    };
    call.run(group).await?;
    envelope::done()
}
