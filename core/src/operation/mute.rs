//! Muting single users, until a time at which the mute expires.

use crate::decision::Draft;
use crate::event::{Audience, Happening};
use crate::facts::Stop;
use crate::model::{GroupId, Key, Mute as Entry, Prefix, Row, Until, UserId};
use crate::refusal::{Limit, Refusal};

use super::Rule;
use super::common::check_app;
use super::moderation::{Listed, Targets, Terms, distinct, open, targets};

/// Mutes users in one group. A new mute replaces the old one. Outlives membership.
#[derive(Debug, Clone, PartialEq)]
pub struct Mute {
    /// The group in which they are muted.
    pub group: GroupId,
    /// The users to mute.
    pub users: Vec<UserId>,
    /// When the mute expires; in the future.
    pub until: Until,
    /// Users who are not members are skipped; refused when none remain.
    pub members_only: bool,
    /// The owner is skipped even when the app calls. Users can never mute the owner.
    pub spare_owner: bool,
}

impl Rule for Mute {
    type Output = Listed;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<Listed, Stop> {
        if !self.until.holds_at(draft.now()) {
            return Err(Refusal::InvalidValue("the end of a mute must be in the future").into());
        }
        let (group, actor_role) = open(draft, &self.group)?;
        let terms = Terms { members_only: self.members_only, spare_owner: self.spare_owner, by_rank: true };
        let Targets { chosen, left_out } = targets(draft, &group, actor_role, &self.users, terms)?;
        let done: Vec<UserId> = chosen.into_iter().map(|(user, _)| user).collect();
        if done.is_empty() {
            return Ok(Listed { done, left_out });
        }
        for user in &done {
            let entry = Entry { user: user.clone(), since: draft.now(), until: self.until };
            draft.put(Key::Mute(self.group.clone(), user.clone()), entry);
        }
        draft.put_group(group);
        let what = Happening::Muted { users: done.clone(), until: self.until };
        emit(draft, &self.group, &done, what);
        Ok(Listed { done, left_out })
    }
}

/// Ends mutes in one group. Who is not muted is left as they are.
#[derive(Debug, Clone, PartialEq)]
pub struct Unmute {
    /// The group in which their mute ends.
    pub group: GroupId,
    /// The users to unmute.
    pub users: Vec<UserId>,
}

impl Rule for Unmute {
    type Output = Listed;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<Listed, Stop> {
        let (group, _) = open(draft, &self.group)?;
        let users = distinct(&self.users);
        draft.require(users.iter().map(|user| Key::Mute(self.group.clone(), user.clone())))?;
        let mut ended = Vec::new();
        for user in &users {
            let key = Key::Mute(self.group.clone(), user.clone());
            let Some(entry) = draft.row(&key)?.and_then(|row| row.mute().cloned()) else { continue };
            draft.delete(key);
            if entry.until.holds_at(draft.now()) {
                ended.push(user.clone());
            }
        }
        if !ended.is_empty() {
            draft.put_group(group);
            emit(draft, &self.group, &ended, Happening::Unmuted(ended.clone()));
        }
        Ok(Listed { done: users, left_out: Vec::new() })
    }
}

/// Mutes users in every group, or ends that. Only the app may do this; clients are not notified.
#[derive(Debug, Clone, PartialEq)]
pub struct MuteEverywhere {
    /// The users to mute.
    pub users: Vec<UserId>,
    /// Until when; `None` ends it.
    pub until: Option<Until>,
    /// Most users muted so at a time.
    pub most: Option<u32>,
}

impl Rule for MuteEverywhere {
    type Output = ();

    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Stop> {
        check_app(draft)?;
        if self.until.is_some_and(|until| !until.holds_at(draft.now())) {
            return Err(Refusal::InvalidValue("the end of a mute must be in the future").into());
        }
        let users = distinct(&self.users);
        draft.require(users.iter().map(|user| Key::MuteEverywhere(user.clone())))?;
        self.check_most(draft, &users)?;
        let mut changed = Vec::new();
        for user in users {
            let key = Key::MuteEverywhere(user.clone());
            let before = draft.row(&key)?;
            match self.until {
                Some(until) => draft.put(key, Entry { user: user.clone(), since: draft.now(), until }),
                None if before.is_none() => continue,
                None => draft.delete(key),
            }
            changed.push(user);
        }
        if !changed.is_empty() {
            let what = Happening::MutedEverywhere { users: changed.clone(), until: self.until };
            draft.emit(None, Audience { members_of: None, users: changed, silent: true }, what);
        }
        Ok(())
    }
}

impl MuteEverywhere {
    fn check_most(&self, draft: &mut Draft<'_>, users: &[UserId]) -> Result<(), Stop> {
        let (Some(most), Some(_)) = (self.most, self.until) else { return Ok(()) };
        let kept = draft.run(Prefix::mutes_everywhere())?;
        let holding = kept.iter().filter_map(Row::mute).filter(|mute| mute.until.holds_at(draft.now()));
        let others = holding.filter(|mute| !users.contains(&mute.user)).count();
        let now = others as u64;
        if now + users.len() as u64 > u64::from(most) {
            return Err(Refusal::LimitReached { limit: Limit::MutedEverywhere, most: most.into(), now }.into());
        }
        // the list is short by its limit, so those whose time is over can be swept out on the way
        let now = draft.now();
        for mute in kept.iter().filter_map(Row::mute).filter(|mute| !mute.until.holds_at(now)) {
            draft.delete(Key::MuteEverywhere(mute.user.clone()));
        }
        Ok(())
    }
}

/// The recipients: all members, and the muted users who are not members.
fn emit(draft: &mut Draft<'_>, group: &GroupId, users: &[UserId], what: Happening) {
    let audience = Audience { members_of: Some(group.clone()), users: users.to_vec(), silent: false };
    draft.emit(Some(group), audience, what);
}
