//! Removing members.

use crate::decision::{ActorRole, Draft};
use crate::event::{Audience, FormerMember, Happening, Leaving};
use crate::facts::Stop;
use crate::model::{Group, GroupId, Key, Member, Role, UserId};
use crate::refusal::{Needs, Refusal};

use super::common::{Cleanup, OnOutsider, Removed, unseat};
use super::moderation::distinct;
use super::{Quiet, Rule};

/// Removes members. Nobody can remove the owner; admins can be removed by the owner and by the app only.
#[derive(Debug, Clone, PartialEq)]
pub struct RemoveMembers {
    /// The group to remove them from.
    pub group: GroupId,
    /// The members to remove.
    pub users: Vec<UserId>,
    /// The reason given by the person who removes them; "" when there is none.
    pub reason: String,
    /// What is deleted with their membership.
    pub cleanup: Cleanup,
    /// Who is not notified.
    pub quiet: Quiet,
    /// What to do with users who are not members.
    pub on_outsider: OnOutsider,
    /// The owner among them is left out instead of refusing everything.
    pub skip_owner: bool,
}

impl Rule for RemoveMembers {
    type Output = Removed;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<Removed, Stop> {
        let mut group = draft.live_group(&self.group)?;
        let actor_role = draft.permitted(&group, group.policy.remove)?;
        draft.require(self.users.iter().map(|user| Key::Member(self.group.clone(), user.clone())))?;

        let (members, left_out) = self.sort(draft, &group, actor_role)?;
        for member in &members {
            unseat(draft, &mut group, member, self.cleanup)?;
        }
        let were: Vec<FormerMember> = members.iter().map(FormerMember::from).collect();
        let removed: Vec<UserId> = members.into_iter().map(|member| member.user).collect();
        if !removed.is_empty() {
            draft.put_group(group.clone());
            self.announce(draft, &group, &removed, were);
        }
        Ok(Removed { removed, left_out, members: group.members })
    }
}

impl RemoveMembers {
    /// Who is removed, and who is skipped and why.
    #[allow(clippy::type_complexity, reason = "two lists, used once")]
    fn sort(
        &self,
        draft: &Draft<'_>,
        group: &Group,
        actor_role: ActorRole,
    ) -> Result<(Vec<Member>, Vec<(UserId, Refusal)>), Stop> {
        let mut members: Vec<Member> = Vec::new();
        let mut left_out: Vec<(UserId, Refusal)> = Vec::new();
        for user in &self.users {
            if members.iter().any(|member| member.user == *user) {
                continue;
            }
            match draft.member(&group.id, user)? {
                None => left_out.push((user.clone(), outsider(group, user))),
                Some(member) if member.role == Role::Owner => {
                    let refusal = Refusal::OwnerProtected { group: group.id.clone(), owner: user.clone() };
                    if !self.skip_owner {
                        return Err(refusal.into());
                    }
                    left_out.push((user.clone(), refusal));
                }
                Some(member) if !actor_role.outranks(member.role) && !are_peers(group, actor_role, member.role) => {
                    return Err(Refusal::NotPermitted { group: group.id.clone(), needs: Needs::Ownership }.into());
                }
                Some(member) => members.push(member),
            }
        }
        self.refuse_outsiders(group, &left_out, members.is_empty())?;
        Ok((members, left_out))
    }

    fn refuse_outsiders(&self, group: &Group, left_out: &[(UserId, Refusal)], none_left: bool) -> Result<(), Stop> {
        let users: Vec<UserId> = left_out
            .iter()
            .filter(|(_, refusal)| matches!(refusal, Refusal::NotMembers { .. }))
            .map(|(user, _)| user.clone())
            .collect();
        let refuse = match self.on_outsider {
            OnOutsider::Refuse => !users.is_empty(),
            OnOutsider::RefuseIfAll => !users.is_empty() && none_left,
            OnOutsider::Skip => false,
        };
        if refuse {
            return Err(Refusal::NotMembers { group: group.id.clone(), users: distinct(&users) }.into());
        }
        Ok(())
    }

    fn announce(&self, draft: &mut Draft<'_>, group: &Group, removed: &[UserId], were: Vec<FormerMember>) {
        if self.quiet == Quiet::Everybody {
            return;
        }
        // the removed always learn of it themselves; quiet concerns those who stay
        let audience = Audience {
            members_of: (self.quiet == Quiet::Nobody).then(|| group.id.clone()),
            users: removed.to_vec(),
            silent: false,
        };
        let what = Happening::MembersLeft {
            users: removed.to_vec(),
            how: Leaving::Removed,
            reason: self.reason.clone(),
            members: group.members,
            were,
        };
        draft.emit(Some(&group.id), audience, what);
    }
}

/// Where every member may remove, ordinary members may remove each other.
fn are_peers(group: &Group, actor_role: ActorRole, other: Role) -> bool {
    let ordinary = actor_role == ActorRole::Member(Role::Member) && other == Role::Member;
    ordinary && group.policy.remove == crate::model::Circle::Members
}

fn outsider(group: &Group, user: &UserId) -> Refusal {
    Refusal::NotMembers { group: group.id.clone(), users: vec![user.clone()] }
}
