//! What the actor may do in a group, by role.

use super::Draft;
use crate::event::Actor;
use crate::facts::Stop;
use crate::model::{Circle, Group, Role};
use crate::refusal::{Needs, Refusal};

/// The actor's role in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActorRole {
    /// The app or the system: above the roles.
    App,
    /// A member.
    Member(Role),
    /// Not a member.
    Outsider,
}

impl ActorRole {
    /// Whether they are in this circle.
    pub fn is_in(self, circle: Circle) -> bool {
        match self {
            Self::App => true,
            Self::Outsider => false,
            Self::Member(role) => match circle {
                Circle::Nobody => false,
                Circle::Owner => role == Role::Owner,
                Circle::Managers => role >= Role::Admin,
                Circle::Members => true,
            },
        }
    }

    /// Whether they may act on a member of this role: only on lower roles; the app on all.
    pub fn outranks(self, role: Role) -> bool {
        match self {
            Self::App => true,
            Self::Member(own) => own > role,
            Self::Outsider => false,
        }
    }
}

impl Draft<'_> {
    /// The actor's role in this group.
    pub fn actor_role(&self, group: &Group) -> Result<ActorRole, Stop> {
        match self.context.actor {
            Actor::App { .. } | Actor::System => Ok(ActorRole::App),
            Actor::User { user, .. } => Ok(match self.member(&group.id, user)? {
                Some(member) => ActorRole::Member(member.role),
                None => ActorRole::Outsider,
            }),
        }
    }

    /// The actor's role; refuses unless they are in this circle. In a group without roles only the app acts.
    pub fn permitted(&self, group: &Group, circle: Circle) -> Result<ActorRole, Stop> {
        let actor_role = self.actor_role(group)?;
        if actor_role == ActorRole::App {
            return Ok(actor_role);
        }
        if !group.governed {
            return Err(Refusal::NotGoverned(group.id.clone()).into());
        }
        if actor_role.is_in(circle) {
            return Ok(actor_role);
        }
        let needs = match (actor_role, circle) {
            (ActorRole::Outsider, _) | (_, Circle::Members) => Needs::Membership,
            (_, Circle::Managers) => Needs::Management,
            (_, Circle::Owner) => Needs::Ownership,
            (_, Circle::Nobody) => Needs::App,
        };
        Err(Refusal::NotPermitted { group: group.id.clone(), needs }.into())
    }
}
