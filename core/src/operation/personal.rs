//! What one user keeps about a group for themself.

use std::collections::BTreeMap;

use crate::decision::Draft;
use crate::event::Happening;
use crate::facts::Stop;
use crate::model::{Follows, GroupId, Key, Remark, Row, UserId};
use crate::refusal::{Limit, Refusal};

use super::Rule;
use super::common::check_self;

/// Gives a group a name that only this user sees. The user need not be a member.
#[derive(Debug, Clone, PartialEq)]
pub struct SetRemark {
    /// The group to name.
    pub group: GroupId,
    /// The user who names the group.
    pub user: UserId,
    /// The name; "" removes it.
    pub text: String,
}

impl Rule for SetRemark {
    type Output = ();

    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Stop> {
        check_self(draft, &self.user)?;
        let group = draft.group(&self.group)?;
        let key = Key::Remark(self.user.clone(), self.group.clone());
        if !set_name(draft, key, &self.group, &self.user, &self.text)? {
            return Ok(());
        }
        draft.put_group(group);
        let what = Happening::RemarkChanged { user: self.user.clone(), text: self.text.clone() };
        draft.emit_to_users(Some(&self.group), vec![self.user.clone()], what);
        Ok(())
    }
}

/// Sets the sender's name in others' notifications of a user's messages in a group.
#[derive(Debug, Clone, PartialEq)]
pub struct SetPushName {
    /// The group in whose messages the name is shown.
    pub group: GroupId,
    /// The user whose name it is; need not be a member.
    pub user: UserId,
    /// The name; "" removes it.
    pub name: String,
}

impl Rule for SetPushName {
    type Output = ();

    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Stop> {
        check_self(draft, &self.user)?;
        let group = draft.group(&self.group)?;
        let key = Key::PushName(self.group.clone(), self.user.clone());
        if set_name(draft, key, &self.group, &self.user, &self.name)? {
            draft.put_group(group);
        }
        Ok(())
    }
}

/// Keeps a name, or removes it; whether that changed anything.
fn set_name(draft: &mut Draft<'_>, key: Key, group: &GroupId, user: &UserId, text: &str) -> Result<bool, Stop> {
    let before = draft.row(&key)?;
    let before = before.as_ref().and_then(Row::remark).map_or("", |remark| &remark.text);
    if before == text {
        return Ok(false);
    }
    if text.is_empty() {
        draft.delete(key);
    } else {
        draft.put(key, Remark { user: user.clone(), group: group.clone(), text: text.to_owned() });
    }
    Ok(true)
}

/// A member follows other members: is notified of their messages whatever the setting. Following twice changes nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Follow {
    /// The group whose members are followed.
    pub group: GroupId,
    /// Who follows; a member.
    pub user: UserId,
    /// The members to follow.
    pub users: Vec<UserId>,
    /// Most members one user may follow in a group.
    pub most: Option<u32>,
}

impl Rule for Follow {
    type Output = ();

    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Stop> {
        check_self(draft, &self.user)?;
        let group = draft.live_group(&self.group)?;
        let follows = Key::Follows(self.group.clone(), self.user.clone());
        let people = self.users.iter().chain([&self.user]);
        let keys = people.map(|user| Key::Member(self.group.clone(), user.clone())).chain([follows.clone()]);
        draft.require(keys)?;
        draft.sure_member(&self.group, &self.user)?;
        let mut outsiders = Vec::new();
        for user in &self.users {
            if draft.member(&self.group, user)?.is_none() {
                outsiders.push(user.clone());
            }
        }
        if !outsiders.is_empty() {
            return Err(Refusal::NotMembers {
                group: self.group.clone(),
                users: super::moderation::distinct(&outsiders),
            }
            .into());
        }

        let mut followed = self.still_members(draft, followed(draft, &follows)?)?;
        let mut added = Vec::new();
        for user in &self.users {
            if !followed.contains_key(user) {
                followed.insert(user.clone(), draft.now());
                added.push(user.clone());
            }
        }
        if added.is_empty() {
            return Ok(());
        }
        let now = followed.len() as u64;
        if let Some(most) = self.most.filter(|most| now > u64::from(*most)) {
            return Err(Refusal::LimitReached { limit: Limit::Follows, most: most.into(), now }.into());
        }
        let row = Follows { user: self.user.clone(), group: self.group.clone(), users: followed };
        draft.put(follows, row);
        draft.put_group(group);
        let what = Happening::FollowsChanged { user: self.user.clone(), added, removed: Vec::new() };
        draft.emit_to_users(Some(&self.group), vec![self.user.clone()], what);
        Ok(())
    }
}

impl Follow {
    /// Users who have left are no longer followed; they are removed when the list is next written.
    fn still_members<V>(&self, draft: &Draft<'_>, list: BTreeMap<UserId, V>) -> Result<BTreeMap<UserId, V>, Stop> {
        draft.require(list.keys().map(|user| Key::Member(self.group.clone(), user.clone())))?;
        let mut kept = BTreeMap::new();
        for (user, since) in list {
            if draft.member(&self.group, &user)?.is_some() {
                kept.insert(user, since);
            }
        }
        Ok(kept)
    }
}

/// A user no longer follows members. Whom they did not follow is left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Unfollow {
    /// The group whose members were followed.
    pub group: GroupId,
    /// Who followed.
    pub user: UserId,
    /// The members to follow no longer.
    pub users: Vec<UserId>,
}

impl Rule for Unfollow {
    type Output = ();

    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Stop> {
        check_self(draft, &self.user)?;
        let group = draft.live_group(&self.group)?;
        draft.sure_member(&self.group, &self.user)?;
        let key = Key::Follows(self.group.clone(), self.user.clone());
        let mut followed = followed(draft, &key)?;
        let mut removed = self.users.clone();
        removed.retain(|user| followed.remove(user).is_some());
        if removed.is_empty() {
            return Ok(());
        }
        if followed.is_empty() {
            draft.delete(key);
        } else {
            draft.put(key, Follows { user: self.user.clone(), group: self.group.clone(), users: followed });
        }
        draft.put_group(group);
        let what = Happening::FollowsChanged { user: self.user.clone(), added: Vec::new(), removed };
        draft.emit_to_users(Some(&self.group), vec![self.user.clone()], what);
        Ok(())
    }
}

fn followed(draft: &Draft<'_>, key: &Key) -> Result<BTreeMap<UserId, crate::model::Millis>, Stop> {
    Ok(draft.row(key)?.and_then(|row| row.follows().map(|follows| follows.users.clone())).unwrap_or_default())
}
