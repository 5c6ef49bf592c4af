//! Creates a hosted group. The owner is its first member; where invited users have to accept, the others are invited.

use conclave_core::model::{GroupId, Profile, UserId};
use conclave_core::operation::{AddOutcome, CreateGroup, NewMember, OnUnknown};

use super::{Caller, NotDone, Texts};

/// A group to create.
pub(crate) struct Create {
    pub(crate) id: GroupId,
    pub(crate) name: String,
    /// The owner: the calling user, or the one the app names, who is registered if necessary.
    pub(crate) owner: UserId,
    pub(crate) members: Vec<UserId>,
    pub(crate) texts: Texts,
}

/// Creates the group; returns whether somebody has to accept first.
pub(crate) async fn create(caller: &Caller<'_>, create: Create) -> Result<bool, NotDone> {
    let Create { id, name, owner, members, texts } = create;
    let on_unknown_owner = if caller.user().is_some() {
        OnUnknown::Refuse
    } else {
        caller.check_new_members("owner", std::slice::from_ref(&owner)).await?;
        OnUnknown::Register
    };
    caller.check_new_members("userIds", &members).await?;
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
    Ok(created.added.outcomes.iter().any(|(_, outcome)| *outcome == AddOutcome::AwaitsInvitee))
}
