//! Ending a group.

use std::sync::Arc;

use crate::decision::{ActorRole, Draft};
use crate::event::{Audience, FormerMember, Happening};
use crate::facts::Stop;
use crate::model::{Circle, Group, GroupId, Key, Member, Prefix, Role, Row, Tombstone, UserId};
use crate::refusal::{Needs, Refusal};

use super::Rule;
use super::topics::end_all;

/// Ends a group for all its members. Not to be undone; its messages stay until their time.
#[derive(Debug, Clone, PartialEq)]
pub struct Disband {
    /// The group to end.
    pub group: GroupId,
}

/// The blobs of a deleted group's files, which can be deleted now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ended {
    /// Where they are in the blob store.
    pub blobs: Vec<String>,
}

impl Rule for Disband {
    type Output = Ended;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<Ended, Stop> {
        let group = draft.group(&self.group)?;
        let actor_role = draft.permitted(&group, Circle::Owner)?;
        if actor_role != ActorRole::App && (!group.policy.owner_may_disband || group.disabled) {
            return Err(Refusal::NotPermitted { group: group.id, needs: Needs::App }.into());
        }
        disband(draft, &group)
    }
}

/// Deletes everything that ends with a group, and notifies all its members.
pub(crate) fn disband(draft: &mut Draft<'_>, group: &Group) -> Result<Ended, Stop> {
    let seats = draft.run(Prefix::seats(&group.id))?;
    let members: Vec<Arc<Member>> = seats.iter().filter_map(Row::member).cloned().collect();
    drop_requests(draft, group)?;
    let blobs = drop_files(draft, group)?;
    drop_lists(draft, &group.id)?;
    end_all(draft, group)?;
    for member in &members {
        draft.drop_member(member);
        draft.delete(Key::Remark(member.user.clone(), group.id.clone()));
    }
    drop_header(draft, group);
    let users: Vec<UserId> = members.iter().map(|member| member.user.clone()).collect();
    let by = draft.context.actor.behind();
    let is_named = |member: &&Arc<Member>| member.role == Role::Owner || Some(&member.user) == by;
    let were = members.iter().filter(is_named).map(|member| FormerMember::from(&**member)).collect();
    let what = Happening::GroupDisbanded {
        owner: group.owner.clone(),
        profile: group.profile.clone(),
        members: users.clone(),
        last: Some(Box::new(group.clone())),
        were,
    };
    draft.emit(Some(&group.id), Audience { members_of: None, users, silent: false }, what);
    Ok(Ended { blobs })
}

fn drop_requests(draft: &mut Draft<'_>, group: &Group) -> Result<(), Stop> {
    for row in draft.run(Prefix::requests(&group.id))?.iter() {
        if let Some(request) = row.request() {
            draft.drop_request(request);
        }
    }
    Ok(())
}

fn drop_files(draft: &mut Draft<'_>, group: &Group) -> Result<Vec<String>, Stop> {
    let mut blobs = Vec::new();
    for row in draft.run(Prefix::files(&group.id))?.iter() {
        if let Some(file) = row.file() {
            draft.delete(Key::File(group.id.clone(), file.id.clone()));
            blobs.push(file.blob.clone());
        }
    }
    Ok(blobs)
}

/// Deletes a group's attributes, counters and lists of people: a group that takes the id again begins without any.
pub(super) fn drop_lists(draft: &mut Draft<'_>, group: &GroupId) -> Result<(), Stop> {
    draft.require_runs([
        Prefix::follows(group),
        Prefix::push_names(group),
        Prefix::mutes(group),
        Prefix::allowances(group),
        Prefix::blocks(group),
    ])?;
    draft.delete(Key::Attributes(group.clone()));
    draft.delete(Key::Counters(group.clone()));
    for row in draft.run(Prefix::follows(group))?.iter() {
        if let Some(follows) = row.follows() {
            draft.delete(Key::Follows(group.clone(), follows.user.clone()));
        }
    }
    for row in draft.run(Prefix::push_names(group))?.iter() {
        if let Some(name) = row.remark() {
            draft.delete(Key::PushName(group.clone(), name.user.clone()));
        }
    }
    for row in draft.run(Prefix::mutes(group))?.iter() {
        if let Some(mute) = row.mute() {
            draft.delete(Key::Mute(group.clone(), mute.user.clone()));
        }
    }
    for row in draft.run(Prefix::allowances(group))?.iter() {
        if let Some(allowance) = row.allowance() {
            draft.delete(Key::Allowance(group.clone(), allowance.user.clone()));
        }
    }
    for row in draft.run(Prefix::blocks(group))?.iter() {
        if let Some(block) = row.block() {
            draft.delete(Key::Block(group.clone(), block.user.clone()));
        }
    }
    Ok(())
}

fn drop_header(draft: &mut Draft<'_>, group: &Group) {
    let key = Key::Group(group.id.clone());
    draft.guard(key.clone(), Some(group.revision));
    draft.delete(key);
    draft.delete(Key::Created(group.created, group.id.clone()));
    draft.delete(Key::Discoverable(group.created, group.id.clone()));
    for user in &group.appointed {
        draft.delete(Key::Appointed(user.clone(), group.id.clone()));
    }
    draft.delete(Key::AllMuted(group.id.clone()));
    let tombstone = Tombstone {
        group: group.id.clone(),
        at: draft.now(),
        owner: group.owner.clone(),
        next_message: group.next_message,
        all_muted: false,
    };
    draft.put(Key::Tombstone(group.id.clone()), tombstone);
}
