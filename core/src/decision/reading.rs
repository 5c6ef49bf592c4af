//! Reading rows in a decision: as stored, with what the decision has changed already.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Before, Draft};
use crate::event::Actor;
use crate::facts::{Run, Stop};
use crate::model::{Group, GroupId, Key, Member, Prefix, Row, Tombstone, User, UserId};
use crate::refusal::Refusal;

impl<'a> Draft<'a> {
    /// The row at a place, as already decided or as found.
    pub fn row(&self, key: &Key) -> Result<Option<Row>, Stop> {
        let key = self.place(key);
        match self.pending.get(&key) {
            Some(row) => Ok(row.clone()),
            None => Ok(self.facts.row(&key)?.cloned()),
        }
    }

    /// Asks for all of these at once, before looking at them one by one.
    pub fn require(&self, keys: impl IntoIterator<Item = Key>) -> Result<(), Stop> {
        self.facts.require(self.undecided(keys))
    }

    /// Asks for all of these at once, and for the number of the last event, which memberships begin with.
    pub fn require_before_join(&self, keys: impl IntoIterator<Item = Key>) -> Result<(), Stop> {
        self.facts.require_before_join(self.undecided(keys))
    }

    /// The places of these keys about which nothing is decided yet.
    fn undecided<'k>(&'k self, keys: impl IntoIterator<Item = Key> + 'k) -> impl Iterator<Item = Key> + 'k {
        let places = keys.into_iter().map(|key| match &self.strand {
            Some(_) => self.place(&key).into_owned(),
            None => key,
        });
        places.filter(|key| !self.pending.contains(key))
    }

    /// All rows with a key prefix, as stored and with the changes of earlier steps of this call. The current step's own
    /// changes are not in it.
    pub fn run(&self, prefix: Prefix) -> Result<Cow<'a, [Row]>, Stop> {
        let earlier = self.changed_by_earlier_steps(&prefix);
        let found = self.facts.run(prefix)?;
        if earlier.is_empty() {
            return Ok(Cow::Borrowed(found.rows()));
        }
        Ok(overlaid(found, earlier).into_values().collect::<Vec<Row>>().into())
    }

    /// Asks for all of these runs at once, before looking at them one by one.
    pub fn require_runs(&self, prefixes: impl IntoIterator<Item = Prefix>) -> Result<(), Stop> {
        self.facts.require_runs(prefixes)
    }

    /// The last rows of a run as found, newest first, with what earlier steps have added.
    pub fn recent(&self, prefix: Prefix, limit: usize) -> Result<Cow<'a, [Row]>, Stop> {
        let prefix = match &self.strand {
            Some(topic) if prefix == Prefix::messages(&topic.group) => Prefix::topic_messages(&topic.group, &topic.id),
            _ => prefix,
        };
        let earlier = self.changed_by_earlier_steps(&prefix);
        let found = self.facts.recent(prefix, limit)?;
        if earlier.is_empty() {
            return Ok(Cow::Borrowed(found.rows()));
        }
        Ok(overlaid(found, earlier).into_values().rev().take(limit).collect::<Vec<Row>>().into())
    }

    /// How many rows a run has: as found, with what earlier steps have changed.
    pub fn count(&self, prefix: Prefix) -> Result<usize, Stop> {
        let earlier = self.changed_by_earlier_steps(&prefix);
        let mut count = self.facts.count(prefix)?;
        self.facts.require(earlier.iter().map(|(key, _)| (*key).clone()))?;
        for (key, row) in earlier {
            match (self.facts.row(key)?.is_some(), row.is_some()) {
                (false, true) => count += 1,
                (true, false) => count = count.saturating_sub(1),
                _ => {}
            }
        }
        Ok(count)
    }

    /// The keys of a range that earlier steps have changed, with their rows.
    fn changed_by_earlier_steps(&self, prefix: &Prefix) -> Vec<(&Key, Option<&Row>)> {
        let Some(step) = self.step.as_ref().filter(|step| step.number > 0) else { return Vec::new() };
        let of_earlier = |(key, row)| match step.before.get(key) {
            Some(Before::Nothing) => None,
            Some(Before::Kept(row)) => Some((key, row.as_ref())),
            None => Some((key, Option::as_ref(row))),
        };
        let changed = self.pending.iter().filter_map(of_earlier);
        changed.filter(|(key, _)| key.encode().starts_with(prefix.as_bytes())).collect()
    }

    /// The number of the last event of the realm, as found.
    pub fn last_sequence(&self) -> Result<u64, Stop> {
        self.facts.last_sequence()
    }

    /// Asks for all of these counts at once.
    pub fn require_counts(&self, prefixes: impl IntoIterator<Item = Prefix>) -> Result<(), Stop> {
        self.facts.require_counts(prefixes)
    }

    /// The group's header, if there is such a group.
    pub fn find_group(&self, id: &GroupId) -> Result<Option<Group>, Stop> {
        let row = self.row(&Key::Group(id.clone()))?;
        Ok(row.and_then(|row| row.group().map(|group| self.seen(Group::clone(group)))))
    }

    /// The group's header; refuses when there is no such group.
    pub fn group(&self, id: &GroupId) -> Result<Group, Stop> {
        if let Some(group) = self.find_group(id)? {
            return Ok(group);
        }
        let disbanded = self.row(&Key::Tombstone(id.clone()))?.is_some();
        Err(Refusal::GroupNotFound { group: id.clone(), disbanded }.into())
    }

    /// The header of a group that is not banned by the app.
    pub fn live_group(&self, id: &GroupId) -> Result<Group, Stop> {
        let group = self.group(id)?;
        if group.disabled {
            return Err(Refusal::GroupDisabled(id.clone()).into());
        }
        Ok(group)
    }

    /// What is left of a disbanded group.
    pub fn tombstone(&self, id: &GroupId) -> Result<Option<Arc<Tombstone>>, Stop> {
        Ok(self.row(&Key::Tombstone(id.clone()))?.and_then(|row| row.tombstone().cloned()))
    }

    /// A membership, if there is one.
    pub fn member(&self, group: &GroupId, user: &UserId) -> Result<Option<Member>, Stop> {
        let row = self.row(&Key::Member(group.clone(), user.clone()))?;
        Ok(row.and_then(|row| row.member().map(|member| Member::clone(member))))
    }

    /// Where the actor's own membership is, if the actor is a user.
    pub fn own_membership(&self, group: &GroupId) -> Option<Key> {
        match self.context.actor {
            Actor::User { user, .. } => Some(Key::Member(group.clone(), user.clone())),
            _ => None,
        }
    }

    /// A membership; refuses when the user is not a member.
    pub fn sure_member(&self, group: &GroupId, user: &UserId) -> Result<Member, Stop> {
        self.member(group, user)?
            .ok_or_else(|| Refusal::NotMembers { group: group.clone(), users: vec![user.clone()] }.into())
    }

    /// An account, if there is one. What is decided holds only while the account stays as it is.
    pub fn find_user(&mut self, id: &UserId) -> Result<Option<User>, Stop> {
        let key = Key::User(id.clone());
        let user = self.row(&key)?.and_then(|row| row.user().map(|user| User::clone(user)));
        self.guard(key, user.as_ref().map(|user| user.revision));
        Ok(user)
    }

    /// An account; refuses when there is none.
    pub fn user(&mut self, id: &UserId) -> Result<User, Stop> {
        self.find_user(id)?.ok_or_else(|| Refusal::UserNotFound(id.clone()).into())
    }
}

/// The rows of a run by key, with these changes.
fn overlaid(found: &Run, changed: Vec<(&Key, Option<&Row>)>) -> BTreeMap<Vec<u8>, Row> {
    let mut rows: BTreeMap<Vec<u8>, Row> = found.pairs().map(|(key, row)| (key.to_vec(), row.clone())).collect();
    for (key, row) in changed {
        match row {
            Some(row) => rows.insert(key.encode(), row.clone()),
            None => rows.remove(&key.encode()),
        };
    }
    rows
}
