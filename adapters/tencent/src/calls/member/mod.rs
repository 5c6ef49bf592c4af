//! `group_open_http_svc`: the members of groups.

pub(super) mod add;
pub(super) mod list;
pub(super) mod modify;
pub(super) mod named;
pub(super) mod remove;
pub(super) mod roles;
mod wire;

pub(super) use add::Became;
pub(super) use modify::silence;
pub(super) use wire::{MemberInfo, read_marks};

use conclave_core::model::{Group, Member, Role};

use super::Call;
use crate::dialect::role;
use crate::refusals::Failure;

/// `MemberRoleFilter`: the requested roles; empty is all.
fn roles_named(call: &Call<'_>, words: Option<Vec<String>>) -> Result<Vec<Role>, Failure> {
    let named = |word: String| role::named(&word).ok_or_else(|| call.parameter("MemberRoleFilter is illegal"));
    words.unwrap_or_default().into_iter().map(named).collect()
}

/// The role in responses: in a group without roles all are ordinary members.
fn role_of(group: &Group, member: &Member) -> Role {
    if group.governed { member.role } else { Role::Member }
}
