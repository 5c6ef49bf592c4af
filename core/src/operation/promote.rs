//! Making and unmaking admins.

use crate::decision::{ActorRole, Draft};
use crate::event::Happening;
use crate::facts::Stop;
use crate::model::{Group, GroupId, Key, Role, UserId};
use crate::refusal::{Limit, Refusal};

use super::Rule;
use super::common::OnOutsider;

/// Makes members admins. Those who are already stay so.
#[derive(Debug, Clone, PartialEq)]
pub struct Promote {
    /// The group that gets admins.
    pub group: GroupId,
    /// The members to make admins.
    pub users: Vec<UserId>,
    /// Most admins the group may have, the owner not counted.
    pub most: Option<u32>,
    /// What to do with users who are not members.
    pub on_outsider: OnOutsider,
}

/// What became of those who were to be admins.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Promoted {
    /// Not members, so left out.
    pub outsiders: Vec<UserId>,
    /// How many admins there are now.
    pub admins: u32,
}

impl Rule for Promote {
    type Output = Promoted;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<Promoted, Stop> {
        let mut group = open(draft, &self.group, &self.users)?;
        let mut outsiders = Vec::new();
        let mut added = Vec::new();
        for user in &self.users {
            match draft.member(&group.id, user)? {
                None => outsiders.push(user.clone()),
                Some(member) if member.role == Role::Owner => {
                    return Err(Refusal::OwnerProtected { group: group.id, owner: user.clone() }.into());
                }
                Some(member) if member.role == Role::Admin => {}
                Some(mut member) => {
                    member.role = Role::Admin;
                    draft.put_member(member);
                    group.admins += 1;
                    added.push(user.clone());
                }
            }
        }
        self.refuse_outsiders(&group, &outsiders, added.is_empty())?;
        if let Some(most) = self.most.filter(|most| group.admins > *most && !added.is_empty()) {
            let now = u64::from(group.admins) - added.len() as u64;
            return Err(Refusal::LimitReached { limit: Limit::Admins, most: most.into(), now }.into());
        }
        if !added.is_empty() {
            draft.put_group(group.clone());
            draft.emit_to_members(&self.group, Happening::AdminsAdded(added));
        }
        Ok(Promoted { outsiders, admins: group.admins })
    }
}

impl Promote {
    fn refuse_outsiders(&self, group: &Group, outsiders: &[UserId], none_left: bool) -> Result<(), Stop> {
        let refuse = match self.on_outsider {
            OnOutsider::Refuse => !outsiders.is_empty(),
            OnOutsider::RefuseIfAll => !outsiders.is_empty() && none_left,
            OnOutsider::Skip => false,
        };
        if refuse {
            return Err(
                Refusal::NotMembers { group: group.id.clone(), users: super::moderation::distinct(outsiders) }.into()
            );
        }
        Ok(())
    }
}

/// Makes admins ordinary members again; refuses when one of them is not an admin.
#[derive(Debug, Clone, PartialEq)]
pub struct Demote {
    /// The group that loses admins.
    pub group: GroupId,
    /// The admins to make ordinary members.
    pub users: Vec<UserId>,
    /// Leave out who is not an admin, instead of refusing.
    pub skip_others: bool,
}

impl Rule for Demote {
    type Output = ();

    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Stop> {
        let mut group = open(draft, &self.group, &self.users)?;
        let mut removed = Vec::new();
        for user in &self.users {
            match draft.member(&group.id, user)? {
                Some(mut member) if member.role == Role::Admin => {
                    member.role = Role::Member;
                    draft.put_member(member);
                    group.admins -= 1;
                    group.appointed.retain(|appointed| appointed != user);
                    removed.push(user.clone());
                }
                _ if self.skip_others || removed.contains(user) => {}
                _ => return Err(Refusal::NotAdmin { group: group.id, user: user.clone() }.into()),
            }
        }
        if !removed.is_empty() {
            draft.put_group(group);
            draft.emit_to_members(&self.group, Happening::AdminsRemoved(removed));
        }
        Ok(())
    }
}

/// The group, when the actor may make admins in it; fetches the named members.
fn open(draft: &Draft<'_>, id: &GroupId, users: &[UserId]) -> Result<Group, Stop> {
    let group = draft.live_group(id)?;
    let actor_role = draft.permitted(&group, group.policy.promote)?;
    if !group.governed {
        return Err(Refusal::NotGoverned(group.id).into());
    }
    if actor_role != ActorRole::App || group.policy.promote > crate::model::Circle::Nobody {
        draft.require(users.iter().map(|user| Key::Member(id.clone(), user.clone())))?;
        return Ok(group);
    }
    Err(Refusal::Unsupported { group: group.id, what: "admins" }.into())
}
