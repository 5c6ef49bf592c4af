//! Going out by oneself.

use crate::decision::Draft;
use crate::event::{Actor, Audience, FormerMember, Happening, Leaving};
use crate::facts::Stop;
use crate::model::{Group, GroupId, Key, Member, Role, UserId};
use crate::refusal::{Needs, Refusal};

use super::Rule;
use super::common::{Cleanup, OnOutsider, Removed, unseat};
use super::moderation::distinct;

/// Users leave a group. A user leaves for themself; the app may let any number leave.
#[derive(Debug, Clone, PartialEq)]
pub struct Leave {
    /// The group to leave.
    pub group: GroupId,
    /// The members who leave.
    pub users: Vec<UserId>,
    /// What is deleted with their membership.
    pub cleanup: Cleanup,
    /// What to do with users who are not members.
    pub on_outsider: OnOutsider,
    /// The owner never leaves by this call, also where the policy lets them.
    pub keep_owner: bool,
}

impl Rule for Leave {
    type Output = Removed;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<Removed, Stop> {
        let mut group = draft.group(&self.group)?;
        if let Actor::User { user, .. } = draft.context.actor
            && self.users.iter().any(|other| other != user)
        {
            return Err(Refusal::NotPermitted { group: group.id, needs: Needs::App }.into());
        }
        draft.require(self.users.iter().map(|user| Key::Member(self.group.clone(), user.clone())))?;

        let mut removed: Vec<UserId> = Vec::new();
        let mut were = Vec::new();
        let mut left_out = Vec::new();
        for user in &self.users {
            if removed.contains(user) {
                continue;
            }
            match draft.member(&group.id, user)? {
                Some(member) => {
                    self.leave_owned(draft, &mut group, &member)?;
                    unseat(draft, &mut group, &member, self.cleanup)?;
                    were.push(FormerMember::from(&member));
                    removed.push(user.clone());
                }
                None => left_out
                    .push((user.clone(), Refusal::NotMembers { group: group.id.clone(), users: vec![user.clone()] })),
            }
        }
        let refuse = match self.on_outsider {
            OnOutsider::Refuse => !left_out.is_empty(),
            OnOutsider::RefuseIfAll => !left_out.is_empty() && removed.is_empty(),
            OnOutsider::Skip => false,
        };
        if refuse {
            let users: Vec<UserId> = left_out.into_iter().map(|(user, _)| user).collect();
            let users = distinct(&users);
            return Err(Refusal::NotMembers { group: group.id, users }.into());
        }
        if !removed.is_empty() {
            draft.put_group(group.clone());
            announce(draft, &group, &removed, were);
        }
        Ok(Removed { removed, left_out, members: group.members })
    }
}

impl Leave {
    /// The owner leaves only where the policy lets the group go on without one, and the caller's surface as well.
    fn leave_owned(&self, draft: &mut Draft<'_>, group: &mut Group, member: &Member) -> Result<(), Stop> {
        if member.role != Role::Owner {
            return Ok(());
        }
        if self.keep_owner || !group.policy.owner_may_leave {
            return Err(Refusal::OwnerCannotLeave(group.id.clone()).into());
        }
        let from = group.owner.take();
        let what = Happening::OwnerChanged { from, to: None, left: true, was: Some(FormerMember::from(member)) };
        draft.emit_to_members(&group.id, what);
        Ok(())
    }
}

fn announce(draft: &mut Draft<'_>, group: &Group, removed: &[UserId], were: Vec<FormerMember>) {
    let what = Happening::MembersLeft {
        users: removed.to_vec(),
        how: Leaving::Left,
        reason: String::new(),
        members: group.members,
        were,
    };
    let audience = Audience { members_of: Some(group.id.clone()), users: removed.to_vec(), silent: false };
    draft.emit(Some(&group.id), audience, what);
}
