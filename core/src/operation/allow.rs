//! Exempting users from the mute of all.

use crate::decision::Draft;
use crate::event::{Audience, Happening};
use crate::facts::Stop;
use crate::model::{Allowance, GroupId, Key, UserId};

use super::Rule;
use super::moderation::{Listed, Targets, Terms, distinct, open, targets};

/// Adds users to the allowlist: they may send messages while all are muted. A mute of their own overrides it.
#[derive(Debug, Clone, PartialEq)]
pub struct Allow {
    /// The group whose allowlist they are put on.
    pub group: GroupId,
    /// The users who may send messages while all are muted.
    pub users: Vec<UserId>,
    /// Users who are not members are skipped; refused when none remain.
    pub members_only: bool,
}

impl Rule for Allow {
    type Output = Listed;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<Listed, Stop> {
        let (group, actor_role) = open(draft, &self.group)?;
        let terms = Terms { members_only: self.members_only, spare_owner: false, by_rank: false };
        let Targets { chosen, left_out } = targets(draft, &group, actor_role, &self.users, terms)?;
        let done: Vec<UserId> = chosen.into_iter().map(|(user, _)| user).collect();
        draft.require(done.iter().map(|user| Key::Allowance(self.group.clone(), user.clone())))?;
        let mut new = Vec::new();
        for user in &done {
            let key = Key::Allowance(self.group.clone(), user.clone());
            if draft.row(&key)?.is_none() {
                draft.put(key, Allowance { user: user.clone(), since: draft.now() });
                new.push(user.clone());
            }
        }
        if !new.is_empty() {
            draft.put_group(group);
            let audience = Audience { members_of: Some(self.group.clone()), users: new.clone(), silent: false };
            draft.emit(Some(&self.group), audience, Happening::Allowed(new));
        }
        Ok(Listed { done, left_out })
    }
}

/// Takes users off the allowlist. Who is not on it is left as they are.
#[derive(Debug, Clone, PartialEq)]
pub struct Disallow {
    /// The group whose allowlist they are taken off.
    pub group: GroupId,
    /// The users to take off.
    pub users: Vec<UserId>,
}

impl Rule for Disallow {
    type Output = Listed;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<Listed, Stop> {
        let (group, _) = open(draft, &self.group)?;
        let users = distinct(&self.users);
        draft.require(users.iter().map(|user| Key::Allowance(self.group.clone(), user.clone())))?;
        let mut gone = Vec::new();
        for user in &users {
            let key = Key::Allowance(self.group.clone(), user.clone());
            if draft.row(&key)?.is_some() {
                draft.delete(key);
                gone.push(user.clone());
            }
        }
        if !gone.is_empty() {
            draft.put_group(group);
            let audience = Audience { members_of: Some(self.group.clone()), users: gone.clone(), silent: false };
            draft.emit(Some(&self.group), audience, Happening::Disallowed(gone));
        }
        Ok(Listed { done: users, left_out: Vec::new() })
    }
}
