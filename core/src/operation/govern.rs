//! Giving roles to a group that had none.

use crate::decision::{ActorRole, Draft};
use crate::event::{Audience, Happening};
use crate::facts::Stop;
use crate::model::{Group, GroupId, Policy, Profile, Role, UserId};
use crate::refusal::{Needs, Refusal};

use super::Rule;
use super::common::{OnUnknown, check_group_quota, check_not_blocked, ensure_user, require_new_members, seat};

/// Gives an existing group without roles an owner, a profile and a policy; its members stay. Clients are not notified.
#[derive(Debug, Clone, PartialEq)]
pub struct Govern {
    /// The group, which has no roles yet.
    pub group: GroupId,
    /// Its owner, who becomes a member if not one yet.
    pub owner: UserId,
    /// Its profile.
    pub profile: Profile,
    /// Its announcement; "" is none.
    pub announcement: String,
    /// What it permits from now on.
    pub policy: Policy,
    /// What to do with an owner that is no account.
    pub on_unknown: OnUnknown,
}

impl Rule for Govern {
    type Output = ();

    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Stop> {
        let mut group = draft.live_group(&self.group)?;
        if draft.actor_role(&group)? != ActorRole::App {
            return Err(Refusal::NotPermitted { group: group.id, needs: Needs::App }.into());
        }
        if group.governed {
            return Err(Refusal::AlreadyGoverned(group.id).into());
        }
        if self.policy.capacity.is_some_and(|capacity| capacity < group.members) {
            return Err(Refusal::CapacityTooLow { group: group.id, members: group.members }.into());
        }
        require_new_members(draft, &self.group, group.asked, [&self.owner].into_iter())?;
        ensure_user(draft, &self.owner, self.on_unknown)?;
        group.policy = self.policy.clone();
        self.crown(draft, &mut group)?;
        group.governed = true;
        group.owner = Some(self.owner.clone());
        group.creator.get_or_insert_with(|| self.owner.clone());
        group.profile = self.profile.clone();
        group.profile_changed = draft.now();
        group.profile_revision += 1;
        group.announcement = super::update_group::announcement(draft, &self.announcement);
        draft.put_group(group);
        let what = Happening::GroupGoverned { owner: self.owner.clone() };
        draft.emit(Some(&self.group), Audience { silent: true, ..Audience::default() }, what);
        Ok(())
    }
}

impl Govern {
    fn crown(&self, draft: &mut Draft<'_>, group: &mut Group) -> Result<(), Stop> {
        if let Some(mut member) = draft.member(&group.id, &self.owner)? {
            member.role = Role::Owner;
            draft.put_member(member);
            return Ok(());
        }
        if group.is_full_for(1) {
            let capacity = group.policy.capacity.unwrap_or(0);
            return Err(Refusal::GroupFull { group: group.id.clone(), capacity }.into());
        }
        check_not_blocked(draft, &group.id, &self.owner)?;
        check_group_quota(draft, &self.owner)?;
        let now = draft.now();
        seat(draft, group, &self.owner, Role::Owner, now)
    }
}
