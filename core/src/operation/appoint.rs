//! Appointing users: admins whenever they are members.

use crate::decision::Draft;
use crate::event::{Audience, Happening};
use crate::facts::Stop;
use crate::model::{Group, GroupId, Key, Role, UserId};
use crate::refusal::{Limit, Refusal};

use super::Rule;
use super::common::{OnUnknown, check_app, ensure_user};
use super::moderation::distinct;

/// Makes users admins of a group whether or not they are members: members become admins at once, others when they join.
/// It is kept when they leave. Only the app may do this, even where the policy promotes nobody.
#[derive(Debug, Clone, PartialEq)]
pub struct Appoint {
    /// The group to appoint them in.
    pub group: GroupId,
    /// The users to appoint, members or not.
    pub users: Vec<UserId>,
    /// What to do with ids that are no accounts.
    pub on_unknown: OnUnknown,
    /// Most appointed users of a group.
    pub most: Option<u32>,
}

impl Rule for Appoint {
    type Output = ();

    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Stop> {
        let mut group = open(draft, &self.group, &self.users)?;
        draft.require(self.users.iter().map(|user| Key::User(user.clone())))?;
        let (mut added, mut admins) = (Vec::new(), Vec::new());
        for user in &distinct(&self.users) {
            ensure_user(draft, user, self.on_unknown)?;
            if group.is_owned_by(user) {
                return Err(Refusal::OwnerProtected { group: group.id, owner: user.clone() }.into());
            }
            if !group.appointed.contains(user) {
                group.appointed.push(user.clone());
                added.push(user.clone());
            }
            if let Some(mut member) = draft.member(&group.id, user)?.filter(|member| member.role == Role::Member) {
                member.role = Role::Admin;
                draft.put_member(member);
                group.admins += 1;
                admins.push(user.clone());
            }
        }
        let now = group.appointed.len() as u64;
        if let Some(most) = self.most.filter(|most| now > u64::from(*most) && !added.is_empty()) {
            let now = now - added.len() as u64;
            return Err(Refusal::LimitReached { limit: Limit::Admins, most: most.into(), now }.into());
        }
        close(draft, group, (added, Vec::new()), Happening::AdminsAdded(admins.clone()), !admins.is_empty());
        Ok(())
    }
}

/// Ends appointments, and the role of those who are in. Who is no admin stays what they are. Only the app may do this.
#[derive(Debug, Clone, PartialEq)]
pub struct Dismiss {
    /// The group in which their appointment ends.
    pub group: GroupId,
    /// The appointed users and admins to dismiss.
    pub users: Vec<UserId>,
}

impl Rule for Dismiss {
    type Output = ();

    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Stop> {
        let mut group = open(draft, &self.group, &self.users)?;
        let (mut removed, mut admins) = (Vec::new(), Vec::new());
        for user in &distinct(&self.users) {
            if group.appointed.contains(user) {
                group.appointed.retain(|appointed| appointed != user);
                removed.push(user.clone());
            }
            if let Some(mut member) = draft.member(&group.id, user)?.filter(|member| member.role == Role::Admin) {
                member.role = Role::Member;
                draft.put_member(member);
                group.admins -= 1;
                admins.push(user.clone());
            }
        }
        close(draft, group, (Vec::new(), removed), Happening::AdminsRemoved(admins.clone()), !admins.is_empty());
        Ok(())
    }
}

/// The group, if the app calls and it has roles; fetches the named members.
fn open(draft: &Draft<'_>, id: &GroupId, users: &[UserId]) -> Result<Group, Stop> {
    check_app(draft)?;
    let group = draft.group(id)?;
    if !group.governed {
        return Err(Refusal::NotGoverned(group.id).into());
    }
    draft.require(users.iter().map(|user| Key::Member(id.clone(), user.clone())))?;
    Ok(group)
}

/// Stores the change and emits its event; nothing when nothing changed.
fn close(
    draft: &mut Draft<'_>,
    group: Group,
    (added, removed): (Vec<UserId>, Vec<UserId>),
    roles: Happening,
    have_changed: bool,
) {
    let id = group.id.clone();
    let appointed = !added.is_empty() || !removed.is_empty();
    if appointed || have_changed {
        draft.put_group(group);
    }
    if appointed {
        let audience = Audience { members_of: Some(id.clone()), users: Vec::new(), silent: true };
        draft.emit(Some(&id), audience, Happening::AppointedChanged { added, removed });
    }
    if have_changed {
        draft.emit_to_members(&id, roles);
    }
}
