//! What the actor may do in a group, by role.

use super::Draft;
use crate::event::Actor;
use crate::facts::Stop;
use crate::model::{Circle, Group, Role};
use crate::refusal::{Needs, Refusal};

/// The actor's standing in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The app or the system: above the roles.
    App,
    /// A member.
    Inside(Role),
    /// A stranger.
    Outside,
}

impl Standing {
    /// Whether this circle holds them.
    pub fn is_in(self, circle: Circle) -> bool {
        match self {
            Self::App => true,
            Self::Outside => false,
            Self::Inside(role) => match circle {
                Circle::Nobody => false,
                Circle::Owner => role == Role::Owner,
                Circle::Managers => role >= Role::Admin,
                Circle::Members => true,
            },
        }
    }

    /// Whether they may act on a member of this role: never on their equals and betters, unless the app.
    pub fn outranks(self, role: Role) -> bool {
        match self {
            Self::App => true,
            Self::Inside(own) => own > role,
            Self::Outside => false,
        }
    }
}

impl Draft<'_> {
    /// The actor's standing in this group.
    pub fn standing(&self, group: &Group) -> Result<Standing, Stop> {
        match self.context.actor {
            Actor::App { .. } | Actor::System => Ok(Standing::App),
            Actor::User { user, .. } => Ok(match self.member(&group.id, user)? {
                Some(member) => Standing::Inside(member.role),
                None => Standing::Outside,
            }),
        }
    }

    /// The actor's standing; refuses unless they are in this circle. In a group without roles only the app acts.
    pub fn permitted(&self, group: &Group, circle: Circle) -> Result<Standing, Stop> {
        let standing = self.standing(group)?;
        if standing == Standing::App {
            return Ok(standing);
        }
        if !group.governed {
            return Err(Refusal::NotGoverned(group.id.clone()).into());
        }
        if standing.is_in(circle) {
            return Ok(standing);
        }
        let needs = match (standing, circle) {
            (Standing::Outside, _) | (_, Circle::Members) => Needs::Membership,
            (_, Circle::Managers) => Needs::Management,
            (_, Circle::Owner) => Needs::Ownership,
            (_, Circle::Nobody) => Needs::App,
        };
        Err(Refusal::NotPermitted { group: group.id.clone(), needs }.into())
    }
}
