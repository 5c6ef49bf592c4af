//! Keeping users out of a group.

use crate::decision::Draft;
use crate::event::{Audience, FormerMember, Happening, Leaving};
use crate::facts::Stop;
use crate::model::{Block as Entry, Group, GroupId, Key, Until, UserId};
use crate::refusal::Refusal;

use super::Rule;
use super::common::{Cleanup, unseat};
use super::moderation::{Listed, Targets, Terms, distinct, open, targets};

/// Blocks users: members among them are removed at once, and none of them can join in any way while it is active. A new
/// block replaces the old one. The owner cannot be blocked.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// The group whose blocklist they are put on.
    pub group: GroupId,
    /// The users to block; members among them are removed.
    pub users: Vec<UserId>,
    /// The end; a time in the future.
    pub until: Until,
    /// The reason given by the person who blocks them; "" when there is none.
    pub reason: String,
    /// Users who are not members are skipped; refused when none remain.
    pub members_only: bool,
    /// What is deleted with the membership.
    pub cleanup: Cleanup,
}

impl Rule for Block {
    type Output = Listed;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<Listed, Stop> {
        if !self.until.holds_at(draft.now()) {
            return Err(Refusal::InvalidValue("the end of a block must be in the future").into());
        }
        let (mut group, actor_role) = open(draft, &self.group)?;
        let terms = Terms { members_only: self.members_only, spare_owner: true, by_rank: true };
        let Targets { chosen, left_out } = targets(draft, &group, actor_role, &self.users, terms)?;
        let mut done = Vec::with_capacity(chosen.len());
        let mut gone = Vec::new();
        for (user, member) in chosen {
            if let Some(member) = member {
                unseat(draft, &mut group, &member, self.cleanup)?;
                gone.push(FormerMember::from(&member));
            }
            let entry =
                Entry { user: user.clone(), since: draft.now(), until: self.until, reason: self.reason.clone() };
            draft.put(Key::Block(self.group.clone(), user.clone()), entry);
            done.push(user);
        }
        if !done.is_empty() {
            draft.put_group(group.clone());
            self.announce(draft, &group, &done, gone);
        }
        Ok(Listed { done, left_out })
    }
}

impl Block {
    /// The blocked learn of the block, and everybody that they have left.
    fn announce(&self, draft: &mut Draft<'_>, group: &Group, blocked: &[UserId], were: Vec<FormerMember>) {
        let what = Happening::Blocked { users: blocked.to_vec(), until: self.until, reason: self.reason.clone() };
        draft.emit_to_users(Some(&group.id), blocked.to_vec(), what);
        if were.is_empty() {
            return;
        }
        let gone: Vec<UserId> = were.iter().map(|former| former.user.clone()).collect();
        let audience = Audience { members_of: Some(group.id.clone()), users: gone.clone(), silent: false };
        let what = Happening::MembersLeft {
            users: gone,
            how: Leaving::Blocked,
            reason: self.reason.clone(),
            members: group.members,
            were,
        };
        draft.emit(Some(&group.id), audience, what);
    }
}

/// Removes blocks. It adds nobody to the group; users who are not blocked are skipped.
#[derive(Debug, Clone, PartialEq)]
pub struct Unblock {
    /// The group whose blocklist they are taken off.
    pub group: GroupId,
    /// The users to unblock.
    pub users: Vec<UserId>,
}

impl Rule for Unblock {
    type Output = Listed;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<Listed, Stop> {
        let (group, _) = open(draft, &self.group)?;
        let users = distinct(&self.users);
        draft.require(users.iter().map(|user| Key::Block(self.group.clone(), user.clone())))?;
        let mut ended = Vec::new();
        for user in &users {
            let key = Key::Block(self.group.clone(), user.clone());
            let Some(entry) = draft.row(&key)?.and_then(|row| row.block().cloned()) else { continue };
            draft.delete(key);
            if entry.until.holds_at(draft.now()) {
                ended.push(user.clone());
            }
        }
        if !ended.is_empty() {
            draft.put_group(group);
            draft.emit_to_users(Some(&self.group), ended.clone(), Happening::Unblocked(ended));
        }
        Ok(Listed { done: users, left_out: Vec::new() })
    }
}
