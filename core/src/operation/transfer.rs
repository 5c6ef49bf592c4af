//! Handing a group over.

use crate::decision::Draft;
use crate::event::{Audience, FormerMember, Happening, Leaving};
use crate::facts::Stop;
use crate::model::{Circle, Group, GroupId, Key, Role, UserId};
use crate::refusal::Refusal;

use super::Rule;
use super::common::{Cleanup, unseat};

/// Gives a group to one of its members. The old owner becomes an ordinary member, or leaves.
#[derive(Debug, Clone, PartialEq)]
pub struct Transfer {
    /// The group to give away.
    pub group: GroupId,
    /// The new owner, a member.
    pub to: UserId,
    /// The old owner leaves, with this cleanup.
    pub leave: Option<Cleanup>,
}

impl Rule for Transfer {
    type Output = ();

    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Stop> {
        let mut group = draft.live_group(&self.group)?;
        draft.permitted(&group, Circle::Owner)?;
        if !group.governed {
            return Err(Refusal::NotGoverned(group.id).into());
        }
        if !group.policy.transferable {
            return Err(Refusal::Unsupported { group: group.id, what: "a change of its owner" }.into());
        }
        if group.is_owned_by(&self.to) {
            return Err(Refusal::SameOwner { group: group.id, owner: self.to.clone() }.into());
        }
        let old = group.owner.clone();
        draft.require(old.iter().chain([&self.to]).map(|user| Key::Member(group.id.clone(), user.clone())))?;

        self.crown(draft, &mut group)?;
        let gone = self.step_down(draft, &mut group, old.as_ref())?;
        draft.put_group(group.clone());
        self.announce(draft, &group, old, gone);
        Ok(())
    }
}

impl Transfer {
    fn crown(&self, draft: &mut Draft<'_>, group: &mut Group) -> Result<(), Stop> {
        let mut member = draft.sure_member(&group.id, &self.to)?;
        if member.role == Role::Admin {
            group.admins -= 1;
        }
        member.role = Role::Owner;
        draft.put_member(member);
        group.owner = Some(self.to.clone());
        group.appointed.retain(|user| *user != self.to);
        Ok(())
    }

    /// Makes the old owner a member, or removes them; returns the ended membership.
    fn step_down(
        &self,
        draft: &mut Draft<'_>,
        group: &mut Group,
        old: Option<&UserId>,
    ) -> Result<Option<FormerMember>, Stop> {
        let Some(old) = old else { return Ok(None) };
        let mut member = draft.sure_member(&group.id, old)?;
        // `unseat` would clear the new owner, so demote the old one first
        member.role = Role::Member;
        if let Some(cleanup) = self.leave {
            unseat(draft, group, &member, cleanup)?;
            return Ok(Some(FormerMember::from(&member)));
        }
        draft.put_member(member);
        Ok(None)
    }

    fn announce(&self, draft: &mut Draft<'_>, group: &Group, from: Option<UserId>, gone: Option<FormerMember>) {
        let users = gone.iter().map(|former| former.user.clone()).collect();
        let audience = Audience { members_of: Some(group.id.clone()), users, silent: false };
        let to = Some(self.to.clone());
        let what = Happening::OwnerChanged { from, to, left: gone.is_some(), was: gone.clone() };
        draft.emit(Some(&group.id), audience.clone(), what);
        if let Some(former) = gone {
            let what = Happening::MembersLeft {
                users: vec![former.user.clone()],
                how: Leaving::Left,
                reason: String::new(),
                members: group.members,
                were: vec![former],
            };
            draft.emit(Some(&group.id), audience, what);
        }
    }
}
