//! Making a hosted group. The owner is in from the start; where invited users must agree, the others are invited.

use conclave_core::model::{GroupId, Profile, UserId};
use conclave_core::operation::{CreateGroup, NewMember, OnUnknown, Outcome};

use super::{Caller, NotDone, Texts};

/// A group to be made.
pub(crate) struct Create {
    pub(crate) id: GroupId,
    pub(crate) name: String,
    /// Who owns it: the calling user, or whom the app names, who is registered if need be.
    pub(crate) owner: UserId,
    pub(crate) members: Vec<UserId>,
    pub(crate) texts: Texts,
}

/// Makes the group; whether somebody has to agree first.
pub(crate) async fn create(caller: &Caller<'_>, create: Create) -> Result<bool, NotDone> {
    let Create { id, name, owner, members, texts } = create;
    let on_unknown_owner = if caller.user().is_some() {
        OnUnknown::Refuse
    } else {
        caller.check_newcomers("owner", std::slice::from_ref(&owner)).await?;
        OnUnknown::Register
    };
    caller.check_newcomers("userIds", &members).await?;
    let mut profile = Profile { name, ..Profile::default() };
    let announcement = texts.profile.over(&mut profile);
    profile.fields = texts.fields;
    profile.fields.retain(|_, value| !value.is_empty());
    let policy = texts.permissions.policy(caller.app.realm.settings.group_capacity);
    let group = CreateGroup {
        id: Some(id),
        members: members.into_iter().map(NewMember::now).collect(),
        profile,
        announcement,
        ask_members: true,
        on_unknown_owner,
        on_unknown_member: OnUnknown::Register,
        ..CreateGroup::new(Some(owner), policy)
    };
    let created = caller.run(group).await?;
    Ok(created.added.outcomes.iter().any(|(_, outcome)| *outcome == Outcome::AwaitsInvitee))
}
