//! Responses that are kept with the rows they were rendered from: groups and members, as they are read most often.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use conclave_core::query::MemberPage;
use conclave_kit::{Inputs, same_rows};

use super::filter::{GroupView, MemberView};

/// What a response is rendered from, beside the settings of its app.
#[derive(Debug)]
pub(crate) struct RenderedFrom {
    pub(super) request: Request,
    pub(super) page: MemberPage,
}

/// The parts of a request that its response depends on.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) enum Request {
    /// `get_group_info` of one group, by a user or by the app.
    Group { id: String, by_user: bool, view: GroupView },
    /// `get_group_member_info` from an offset or cursor.
    Members { after: u64, offset: usize, limit: usize, view: MemberView },
}

impl Hash for RenderedFrom {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.page.group.id.hash(hasher);
        self.request.hash(hasher);
    }
}

impl Inputs for RenderedFrom {
    fn is_same(&self, other: &Self) -> bool {
        let MemberPage { group, members, read_marks, mutes, next } = &self.page;
        let of = &other.page;
        Arc::ptr_eq(group, &of.group)
            && self.request == other.request
            && same_rows(members, &of.members)
            && *read_marks == of.read_marks
            && same_rows(mutes, &of.mutes)
            && *next == of.next
    }

    fn rows(&self) -> usize {
        1 + self.page.members.len() + self.page.mutes.len()
    }
}
