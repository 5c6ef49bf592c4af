//! Who is online in a realm, and in which of its groups.
//!
//! Groups are kept by their online members alone, so an event in a group of a hundred thousand with fifty online
//! costs what one in a group of fifty does. What a user is in is read once when they come, and kept up with from
//! the events; those that pass while it is being read are put on top of what is read.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use conclave_core::event::{Event, Happening};
use conclave_core::model::{GroupId, UserId};

use super::mailbox::Mailbox;

/// The sessions of one realm.
#[derive(Default)]
pub(crate) struct Presence {
    users: HashMap<UserId, Online>,
    groups: HashMap<GroupId, HashSet<UserId>>,
}

struct Online {
    mailboxes: Vec<Arc<Mailbox>>,
    groups: Membership,
}

/// The groups of somebody online.
enum Membership {
    /// Being read; what has happened meanwhile, in its order: into a group, or out of it.
    Asked(Vec<(GroupId, bool)>),
    Known(HashSet<GroupId>),
}

/// A change of membership.
enum Move<'e> {
    In(&'e [UserId]),
    Out(&'e [UserId]),
}

impl Presence {
    /// Whether nobody is online.
    pub(crate) fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// A session comes. Whether the user's groups are to be read.
    pub(crate) fn enter(&mut self, user: &UserId, mailbox: &Arc<Mailbox>) -> bool {
        let online = self
            .users
            .entry(user.clone())
            .or_insert_with(|| Online { mailboxes: Vec::with_capacity(1), groups: Membership::Asked(Vec::new()) });
        online.mailboxes.push(Arc::clone(mailbox));
        matches!(online.groups, Membership::Asked(_))
    }

    /// A user's groups have been read, at a moment since they came.
    pub(crate) fn learn(&mut self, user: &UserId, groups: impl Iterator<Item = GroupId>) {
        let Some(online) = self.users.get_mut(user) else { return };
        let Membership::Asked(meanwhile) = &mut online.groups else { return };
        let meanwhile = std::mem::take(meanwhile);
        let mut known: HashSet<GroupId> = groups.collect();
        for (group, is_in) in meanwhile {
            if is_in {
                known.insert(group);
            } else {
                known.remove(&group);
            }
        }
        for group in &known {
            self.groups.entry(group.clone()).or_default().insert(user.clone());
        }
        known.shrink_to_fit();
        online.groups = Membership::Known(known);
    }

    /// A session goes.
    pub(crate) fn leave(&mut self, user: &UserId, mailbox: &Arc<Mailbox>) {
        let Some(online) = self.users.get_mut(user) else { return };
        online.mailboxes.retain(|other| !Arc::ptr_eq(other, mailbox));
        if !online.mailboxes.is_empty() {
            return;
        }
        if let Some(Online { groups: Membership::Known(groups), .. }) = self.users.remove(user) {
            for group in groups {
                self.take_out(&group, user);
            }
        }
    }

    /// Something was committed: who is to hear of it, after it has changed who is where.
    pub(crate) fn hear(&mut self, event: &Event) -> Vec<Arc<Mailbox>> {
        if let Some(group) = &event.group {
            for change in moves(&event.what) {
                match change {
                    Move::In(users) => users.iter().for_each(|user| self.join(group, user)),
                    Move::Out(users) => users.iter().for_each(|user| self.part(group, user)),
                }
            }
        }
        if let Happening::UserChanged(user) | Happening::UserDeleted(user) = &event.what
            && let Some(online) = self.users.get(user)
        {
            online.mailboxes.iter().for_each(|mailbox| mailbox.doubt());
        }
        if event.audience.silent {
            return Vec::new();
        }
        let members = event.audience.members_of.as_ref().and_then(|group| self.groups.get(group));
        let is_member = |user: &UserId| members.is_some_and(|members| members.contains(user));
        let mut others: Vec<&UserId> = event.audience.users.iter().filter(|user| !is_member(user)).collect();
        if others.len() > 1 {
            others.sort_unstable();
            others.dedup();
        }
        let hearers = members.into_iter().flatten().chain(others);
        hearers.filter_map(|user| self.users.get(user)).flat_map(|online| &online.mailboxes).cloned().collect()
    }

    fn join(&mut self, group: &GroupId, user: &UserId) {
        match self.users.get_mut(user) {
            None => {}
            Some(Online { groups: Membership::Asked(meanwhile), .. }) => meanwhile.push((group.clone(), true)),
            Some(Online { groups: Membership::Known(known), .. }) => {
                known.insert(group.clone());
                self.groups.entry(group.clone()).or_default().insert(user.clone());
            }
        }
    }

    fn part(&mut self, group: &GroupId, user: &UserId) {
        match self.users.get_mut(user) {
            None => {}
            Some(Online { groups: Membership::Asked(meanwhile), .. }) => meanwhile.push((group.clone(), false)),
            Some(Online { groups: Membership::Known(known), .. }) => {
                known.remove(group);
                self.take_out(group, user);
            }
        }
    }

    fn take_out(&mut self, group: &GroupId, user: &UserId) {
        if let Some(members) = self.groups.get_mut(group) {
            members.remove(user);
            if members.is_empty() {
                self.groups.remove(group);
            }
        }
    }
}

/// Who came into the event's group with it, and who went.
fn moves(what: &Happening) -> Vec<Move<'_>> {
    match what {
        Happening::GroupCreated { owner, members, .. } => vec![Move::In(owner.as_slice()), Move::In(members)],
        Happening::GroupDisbanded { owner, members, .. } => vec![Move::Out(owner.as_slice()), Move::Out(members)],
        Happening::MembersJoined { users, .. } => vec![Move::In(users)],
        Happening::MembersLeft { users, .. } => vec![Move::Out(users)],
        // an owner who goes with it is told of by an event of its own
        Happening::OwnerChanged { to, .. } => vec![Move::In(to.as_slice())],
        _ => Vec::new(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use conclave_core::event::{Actor, Audience, Joining, Leaving};
    use conclave_core::model::Millis;

    use super::*;

    fn user(id: &str) -> UserId {
        UserId::new(id).unwrap()
    }

    fn group(id: &str) -> GroupId {
        GroupId::new(id).unwrap()
    }

    fn event(id: &str, users: &[&str], what: Happening) -> Event {
        let users = users.iter().map(|id| user(id)).collect();
        let audience = Audience { members_of: Some(group(id)), users, silent: false };
        Event { sequence: 1, at: Millis(1), group: Some(group(id)), actor: Actor::System, audience, what }
    }

    fn came(id: &str, who: &str) -> Event {
        event(id, &[], Happening::MembersJoined { users: vec![user(who)], how: Joining::Added, members: 1 })
    }

    fn went(id: &str, who: &str) -> Event {
        let reason = String::new();
        let what = Happening::MembersLeft { users: vec![user(who)], how: Leaving::Left, reason, members: 1 };
        event(id, &[who], what)
    }

    fn told(id: &str) -> Event {
        event(id, &[], Happening::GroupActivated)
    }

    fn online(presence: &mut Presence, id: &str, groups: &[&str]) -> Arc<Mailbox> {
        let mailbox = Arc::new(Mailbox::default());
        if presence.enter(&user(id), &mailbox) {
            presence.learn(&user(id), groups.iter().map(|id| group(id)));
        }
        mailbox
    }

    #[test]
    fn what_passes_while_groups_are_read_counts_over_what_is_read() {
        let mut presence = Presence::default();
        let mailbox = Arc::new(Mailbox::default());
        assert!(presence.enter(&user("a"), &mailbox));
        assert!(presence.hear(&came("new", "a")).is_empty());
        assert_eq!(presence.hear(&went("old", "a")).len(), 1, "it names them");
        // read before either was committed
        presence.learn(&user("a"), [group("old"), group("stays")].into_iter());
        assert_eq!(presence.hear(&told("new")).len(), 1);
        assert_eq!(presence.hear(&told("stays")).len(), 1);
        assert_eq!(presence.hear(&told("old")).len(), 0);
    }

    #[test]
    fn nobody_is_told_twice_or_after_they_have_gone() {
        let mut presence = Presence::default();
        let first = online(&mut presence, "a", &["g"]);
        let second = online(&mut presence, "a", &[]);
        let _b = online(&mut presence, "b", &["g"]);
        let named = event("g", &["a", "a", "c"], Happening::GroupActivated);
        assert_eq!(presence.hear(&named).len(), 3);
        presence.leave(&user("a"), &first);
        assert_eq!(presence.hear(&told("g")).len(), 2);
        presence.leave(&user("a"), &second);
        presence.leave(&user("a"), &second);
        assert_eq!(presence.hear(&told("g")).len(), 1);
        let silent = Event { audience: Audience { silent: true, ..told("g").audience }, ..told("g") };
        assert!(presence.hear(&silent).is_empty());
    }

    #[test]
    fn nothing_is_kept_of_those_who_have_gone() {
        let mut presence = Presence::default();
        let a = online(&mut presence, "a", &["g", "h"]);
        presence.hear(&went("h", "a"));
        presence.hear(&came("i", "a"));
        presence.leave(&user("a"), &a);
        assert!(presence.users.is_empty() && presence.groups.is_empty());
    }
}
