//! Ending an account.

use crate::decision::Draft;
use crate::event::{Audience, FormerMember, Happening, Leaving};
use crate::facts::Stop;
use crate::model::{Group, GroupId, Key, Member, Prefix, Role, Row, UserId};

use super::Rule;
use super::common::{Cleanup, check_app, unseat};
use super::devices::drop_devices;
use super::disband::{Ended, disband};
use super::register_users::emit;

/// What becomes of the groups a deleted user owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OwnedGroups {
    /// They end.
    #[default]
    Disband,
    /// Those that may be without an owner go on without one; those that [need one](crate::model::Policy::needs_owner) end.
    Orphan,
}

/// Deletes an account: it leaves all its groups, and its data is deleted, in one commit. Only the app may do this.
///
/// Kept are its messages, and blocks and mutes in groups it is not in, which apply to the next account with this id.
#[derive(Debug, Clone, PartialEq)]
pub struct DeleteUser {
    /// Whose account is deleted.
    pub user: UserId,
    /// What becomes of the groups they own.
    pub owned: OwnedGroups,
}

impl Rule for DeleteUser {
    type Output = Ended;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<Ended, Stop> {
        check_app(draft)?;
        let user = draft.user(&self.user)?;
        let joined: Vec<GroupId> = pointed(&draft.run(Prefix::joined(&self.user))?);
        draft.guard_run(Prefix::joined(&self.user))?;
        let keys = joined.iter().flat_map(|id| [Key::Group(id.clone()), Key::Member(id.clone(), self.user.clone())]);
        draft.require(keys)?;
        let mut ended = Ended::default();
        for id in &joined {
            ended.blobs.extend(self.quit(draft, id)?.blobs);
        }
        self.forget(draft)?;
        draft.drop_user(&user)?;
        emit(draft, Happening::UserDeleted(self.user.clone()), &self.user);
        Ok(ended)
    }
}

impl DeleteUser {
    fn quit(&self, draft: &mut Draft<'_>, id: &GroupId) -> Result<Ended, Stop> {
        let Some(mut group) = draft.find_group(id)? else { return Ok(Ended::default()) };
        let Some(member) = draft.member(id, &self.user)? else { return Ok(Ended::default()) };
        let owner = member.role == Role::Owner;
        if owner && (self.owned == OwnedGroups::Disband || group.policy.needs_owner) {
            return disband(draft, &group);
        }
        let cleanup = Cleanup { mute: true, allowance: true, follows: true };
        unseat(draft, &mut group, &member, cleanup)?;
        group.appointed.retain(|user| *user != self.user);
        draft.delete(Key::PushName(id.clone(), self.user.clone()));
        draft.put_group(group.clone());
        self.announce(draft, &group, &member);
        Ok(Ended::default())
    }

    fn announce(&self, draft: &mut Draft<'_>, group: &Group, member: &Member) {
        if member.role == Role::Owner {
            let what = Happening::OwnerChanged {
                from: Some(self.user.clone()),
                to: None,
                left: true,
                was: Some(FormerMember::from(member)),
            };
            draft.emit_to_members(&group.id, what);
        }
        let what = Happening::MembersLeft {
            users: vec![self.user.clone()],
            how: Leaving::AccountDeleted,
            reason: String::new(),
            members: group.members,
            were: vec![FormerMember::from(member)],
        };
        let users = vec![self.user.clone()];
        draft.emit(Some(&group.id), Audience { members_of: Some(group.id.clone()), users, silent: false }, what);
    }

    /// Takes away what hangs on the account outside its groups.
    fn forget(&self, draft: &mut Draft<'_>) -> Result<(), Stop> {
        draft.delete(Key::MuteEverywhere(self.user.clone()));
        for row in draft.run(Prefix::remarks(&self.user))?.iter() {
            if let Some(remark) = row.remark() {
                draft.delete(Key::Remark(self.user.clone(), remark.group.clone()));
            }
        }
        drop_devices(draft, &self.user)?;
        for mark in draft.run(Prefix::read_marks(&self.user))?.iter().filter_map(Row::read_mark) {
            draft.delete(Key::ReadMark(self.user.clone(), mark.group.clone()));
        }
        let appointments = pointed(&draft.run(Prefix::appointments(&self.user))?);
        draft.guard_run(Prefix::appointments(&self.user))?;
        draft.require(appointments.iter().map(|group| Key::Group(group.clone())))?;
        for id in appointments {
            if let Some(mut group) = draft.find_group(&id)? {
                group.appointed.retain(|user| *user != self.user);
                draft.put_group(group);
            }
        }
        let requests = draft.run(Prefix::requests_of(&self.user))?;
        draft.require(requests.iter().filter_map(Row::request).map(|request| Key::Group(request.group.clone())))?;
        for request in requests.iter().filter_map(Row::request) {
            draft.drop_request(request);
            // the group's own list of requests changes with it
            if let Some(group) = draft.find_group(&request.group)? {
                draft.put_group(group);
            }
        }
        Ok(())
    }
}

fn pointed(rows: &[Row]) -> Vec<GroupId> {
    rows.iter().filter_map(Row::to_group).map(|id| (**id).clone()).collect()
}
