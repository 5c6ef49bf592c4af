//! Muting, allowing and blocking: what they share.

use crate::decision::{ActorRole, Draft};
use crate::facts::Stop;
use crate::model::{Group, Key, Member, Role, UserId};
use crate::refusal::{Needs, Refusal};

/// The outcome for each user of a list change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listed {
    /// Done, or already so.
    pub done: Vec<UserId>,
    /// Left out, and why.
    pub left_out: Vec<(UserId, Refusal)>,
}

/// The users of a moderation operation.
pub(super) struct Targets {
    /// The affected users, each with their membership, if any.
    pub(super) chosen: Vec<(UserId, Option<Member>)>,
    /// Who is left out, and why.
    pub(super) left_out: Vec<(UserId, Refusal)>,
}

/// Who may be the target.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    /// Users who are not members are left out.
    pub(super) members_only: bool,
    /// The owner is left out.
    pub(super) spare_owner: bool,
    /// The operation is refused if one of the members has the actor's role or a higher one.
    pub(super) by_rank: bool,
}

/// The group, when the actor may moderate it.
pub(super) fn open(draft: &Draft<'_>, group: &crate::model::GroupId) -> Result<(Group, ActorRole), Stop> {
    let group = draft.live_group(group)?;
    let actor_role = draft.permitted(&group, group.policy.moderate)?;
    Ok((group, actor_role))
}

/// Sorts the targets. When none remain, refuses with the reason for the first.
pub(super) fn targets(
    draft: &Draft<'_>,
    group: &Group,
    actor_role: ActorRole,
    users: &[UserId],
    terms: Terms,
) -> Result<Targets, Stop> {
    draft.require(users.iter().map(|user| Key::Member(group.id.clone(), user.clone())))?;
    let mut targets = Targets { chosen: Vec::new(), left_out: Vec::new() };
    let mut seen = std::collections::HashSet::new();
    for user in users.iter().filter(|user| seen.insert(*user)) {
        let member = draft.member(&group.id, user)?;
        match obstacle(group, actor_role, user, member.as_ref(), terms) {
            None => targets.chosen.push((user.clone(), member)),
            Some(refusal @ Refusal::NotPermitted { .. }) => return Err(refusal.into()),
            Some(refusal) => targets.left_out.push((user.clone(), refusal)),
        }
    }
    match targets.left_out.first() {
        Some((_, refusal)) if targets.chosen.is_empty() => Err(refusal_for_all(refusal, &targets.left_out).into()),
        _ => Ok(targets),
    }
}

fn obstacle(
    group: &Group,
    actor_role: ActorRole,
    user: &UserId,
    member: Option<&Member>,
    terms: Terms,
) -> Option<Refusal> {
    let Some(member) = member else {
        let users = vec![user.clone()];
        return terms.members_only.then(|| Refusal::NotMembers { group: group.id.clone(), users });
    };
    if member.role == Role::Owner && (terms.spare_owner || (terms.by_rank && actor_role != ActorRole::App)) {
        return Some(Refusal::OwnerProtected { group: group.id.clone(), owner: user.clone() });
    }
    if terms.by_rank && !actor_role.outranks(member.role) {
        let peers = group.policy.moderate == crate::model::Circle::Members && member.role == Role::Member;
        return (!peers).then(|| Refusal::NotPermitted { group: group.id.clone(), needs: Needs::Ownership });
    }
    None
}

/// Names everybody who is not a member in one refusal.
fn refusal_for_all(first: &Refusal, left_out: &[(UserId, Refusal)]) -> Refusal {
    let Refusal::NotMembers { group, .. } = first else { return first.clone() };
    let outsiders = left_out.iter().filter(|(_, refusal)| matches!(refusal, Refusal::NotMembers { .. }));
    let users: Vec<UserId> = outsiders.map(|(user, _)| user.clone()).collect();
    Refusal::NotMembers { group: group.clone(), users: distinct(&users) }
}

/// Each once, in the order given.
pub(super) fn distinct(users: &[UserId]) -> Vec<UserId> {
    let mut seen = std::collections::HashSet::new();
    users.iter().filter(|user| seen.insert(*user)).cloned().collect()
}
