//! Responses that are kept with the rows they were rendered from: groups and members, as they are read most often.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use conclave_core::model::{Group, Member};
use conclave_kit::{Inputs, same_rows};

/// What a response is rendered from.
#[derive(Debug)]
pub(crate) enum RenderedFrom {
    /// The profiles of hosted groups.
    Profiles(Vec<Arc<Group>>),
    /// A page of members, with how many there are and the token of the next page.
    Members { members: Vec<Arc<Member>>, total: u32, token: String },
}

impl Hash for RenderedFrom {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        match self {
            Self::Profiles(groups) => groups.iter().for_each(|group| group.id.hash(hasher)),
            // another page, or one of another role or order, begins or ends with another member
            Self::Members { members, .. } => {
                let ends = [members.first(), members.last()];
                ends.map(|member| member.map(|member| (&member.group, member.seat))).hash(hasher);
            }
        }
    }
}

impl Inputs for RenderedFrom {
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Profiles(groups), Self::Profiles(others)) => same_rows(groups, others),
            (
                Self::Members { members, total, token },
                Self::Members { members: others, total: other_total, token: other_token },
            ) => same_rows(members, others) && total == other_total && token == other_token,
            _ => false,
        }
    }

    fn rows(&self) -> usize {
        match self {
            Self::Profiles(groups) => groups.len(),
            Self::Members { members, .. } => members.len(),
        }
    }
}
