//! Bringing the groups of one user in line with a list.

use crate::decision::Draft;
use crate::event::{Audience, FormerMember, Happening, Joining, Leaving};
use crate::facts::Stop;
use crate::model::{Group, GroupId, Key, Policy, Prefix, Profile, Role, Row, UserId};

use super::common::{
    Cleanup, OnUnknown, check_app, check_group_quota, check_not_blocked, check_room, ensure_user, require_new_members,
    seat, unseat,
};
use super::{CreateGroup, Quiet, Rule};

/// Makes a list of groups the complete list of those a user is in. Only the app may do this; clients are not notified.
///
/// Missing groups are created, without roles. A group without roles gets the given name. The user leaves groups that
/// are not listed, except those they own.
#[derive(Debug, Clone, PartialEq)]
pub struct SyncGroups {
    /// Whose groups.
    pub user: UserId,
    /// The groups, each with its name; "" leaves a name as it is.
    pub groups: Vec<(GroupId, String)>,
    /// The policy of new groups.
    pub policy: Policy,
    /// What to do when the user is no account; `Skip` is as `Refuse`.
    pub on_unknown: OnUnknown,
}

impl Rule for SyncGroups {
    type Output = ();

    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Stop> {
        check_app(draft)?;
        draft.require([Key::User(self.user.clone()), Key::Folded(self.user.folded())])?;
        ensure_user(draft, &self.user, self.on_unknown)?;
        let joined = draft.run(Prefix::joined(&self.user))?;
        draft.guard_run(Prefix::joined(&self.user))?;
        let joined: Vec<GroupId> = joined.iter().filter_map(Row::to_group).map(|id| (**id).clone()).collect();
        self.require(draft, &joined)?;

        for id in joined.iter().filter(|id| !self.lists(id)) {
            self.leave(draft, id)?;
        }
        for (at, (id, name)) in self.groups.iter().enumerate() {
            // of a group listed twice, the first mention counts
            if self.groups[..at].iter().all(|(earlier, _)| earlier != id) {
                self.be_in(draft, id, name)?;
            }
        }
        Ok(())
    }
}

impl SyncGroups {
    fn lists(&self, id: &GroupId) -> bool {
        self.groups.iter().any(|(listed, _)| listed == id)
    }

    fn require(&self, draft: &Draft<'_>, joined: &[GroupId]) -> Result<(), Stop> {
        let all = joined.iter().chain(self.groups.iter().map(|(id, _)| id));
        draft.require(all.flat_map(|id| {
            [
                Key::Group(id.clone()),
                Key::Tombstone(id.clone()),
                Key::Member(id.clone(), self.user.clone()),
                Key::Block(id.clone(), self.user.clone()),
            ]
        }))
    }

    fn leave(&self, draft: &mut Draft<'_>, id: &GroupId) -> Result<(), Stop> {
        let Some(mut group) = draft.find_group(id)? else { return Ok(()) };
        let Some(member) = draft.member(id, &self.user)? else { return Ok(()) };
        if member.role == Role::Owner {
            return Ok(());
        }
        unseat(draft, &mut group, &member, Cleanup::default())?;
        draft.put_group(group.clone());
        let what = Happening::MembersLeft {
            users: vec![self.user.clone()],
            how: Leaving::Left,
            reason: String::new(),
            members: group.members,
            were: vec![FormerMember::from(&member)],
        };
        self.emit(draft, id, what);
        Ok(())
    }

    fn be_in(&self, draft: &mut Draft<'_>, id: &GroupId, name: &str) -> Result<(), Stop> {
        let Some(mut group) = draft.find_group(id)? else { return self.make(draft, id, name) };
        let renamed = rename(draft, &mut group, name);
        let joined = self.join(draft, &mut group)?;
        if renamed || joined {
            draft.put_group(group.clone());
        }
        if joined {
            let what = Happening::MembersJoined {
                users: vec![self.user.clone()],
                how: Joining::Added,
                members: group.members,
            };
            self.emit(draft, id, what);
        }
        Ok(())
    }

    fn join(&self, draft: &mut Draft<'_>, group: &mut Group) -> Result<bool, Stop> {
        if draft.member(&group.id, &self.user)?.is_some() {
            return Ok(false);
        }
        check_not_blocked(draft, &group.id, &self.user)?;
        // the policy of new groups has the most members that this surface knows
        check_room(group, self.policy.capacity)?;
        require_new_members(draft, &group.id, group.asked, std::iter::once(&self.user))?;
        check_group_quota(draft, &self.user)?;
        let now = draft.now();
        seat(draft, group, &self.user, Role::Member, now)?;
        Ok(true)
    }

    fn make(&self, draft: &mut Draft<'_>, id: &GroupId, name: &str) -> Result<(), Stop> {
        let create = CreateGroup {
            id: Some(id.clone()),
            governed: false,
            members: vec![super::NewMember::now(self.user.clone())],
            profile: Profile { name: name.to_owned(), ..Profile::default() },
            quiet: Quiet::Clients,
            ..CreateGroup::new(None, self.policy.clone())
        };
        create.decide(draft)?;
        Ok(())
    }

    fn emit(&self, draft: &mut Draft<'_>, group: &GroupId, what: Happening) {
        let users = vec![self.user.clone()];
        draft.emit(Some(group), Audience { members_of: Some(group.clone()), users, silent: true }, what);
    }
}

/// A group without roles gets the name; one with roles keeps its own.
fn rename(draft: &Draft<'_>, group: &mut Group, name: &str) -> bool {
    if group.governed || name.is_empty() || group.profile.name == name {
        return false;
    }
    name.clone_into(&mut group.profile.name);
    group.profile_changed = draft.now();
    group.profile_revision += 1;
    true
}
