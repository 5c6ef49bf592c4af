//! Who is online in a realm, and in which of its groups.
//!
//! Groups are kept by their online members alone, so an event in a group of a hundred thousand with fifty online
//! costs what one in a group of fifty does. What a user is in is read once when they come, and kept up with from
//! the events; those that pass while it is being read are put on top of what is read.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use conclave_core::event::{Event, Happening};
use conclave_core::model::{GroupId, UserId};
use conclave_kit::{Connection, Dismissal};

use super::mailbox::Mailbox;

/// The sessions of one realm.
#[derive(Default)]
pub(crate) struct Seating {
    users: HashMap<UserId, Online>,
    groups: HashMap<GroupId, HashSet<UserId>>,
}

struct Online {
    seats: Vec<Seat>,
    groups: Membership,
}

/// One connection of somebody.
#[derive(Clone)]
struct Seat {
    connection: Arc<Connection>,
    mailbox: Arc<Mailbox>,
}

/// A connection that ended, and how many others its user has.
pub(crate) struct Gone {
    pub(crate) connection: Arc<Connection>,
    pub(crate) others: usize,
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

impl Seating {
    /// Whether nobody is online.
    pub(crate) fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// A session comes. Whether the user's groups are to be read.
    pub(crate) fn enter(&mut self, connection: &Arc<Connection>, mailbox: &Arc<Mailbox>) -> bool {
        let online = self
            .users
            .entry(connection.user.clone())
            .or_insert_with(|| Online { seats: Vec::with_capacity(1), groups: Membership::Asked(Vec::new()) });
        online.seats.push(Seat { connection: Arc::clone(connection), mailbox: Arc::clone(mailbox) });
        matches!(online.groups, Membership::Asked(_))
    }

    /// The groups of a connection's user have been read, at a moment since it came. When it has gone meanwhile, what
    /// happened before the user came again may be missing in what was read: it is left to whoever came since.
    pub(crate) fn learn(&mut self, connection: &Arc<Connection>, groups: impl Iterator<Item = GroupId>) {
        let user = &connection.user;
        let Some(online) = self.users.get_mut(user) else { return };
        if !online.seats.iter().any(|seat| Arc::ptr_eq(&seat.connection, connection)) {
            return;
        }
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

    /// A session goes; tells which, unless it had gone before.
    pub(crate) fn leave(&mut self, connection: &Arc<Connection>) -> Option<Gone> {
        let user = &connection.user;
        let online = self.users.get_mut(user)?;
        let at = online.seats.iter().position(|seat| Arc::ptr_eq(&seat.connection, connection))?;
        let gone = Gone { connection: online.seats.remove(at).connection, others: online.seats.len() };
        if gone.others == 0
            && let Some(Online { groups: Membership::Known(groups), .. }) = self.users.remove(user)
        {
            for group in groups {
                self.take_out(&group, user);
            }
        }
        Some(gone)
    }

    /// Ends those connections of a user that `which` names: each is told why, and is gone.
    pub(crate) fn end(&mut self, user: &UserId, why: Dismissal, which: impl Fn(&Connection) -> bool) -> Vec<Gone> {
        let Some(online) = self.users.get(user) else { return Vec::new() };
        let ended: Vec<Seat> = online.seats.iter().filter(|seat| which(&seat.connection)).cloned().collect();
        let gone = ended.iter().filter_map(|seat| {
            seat.mailbox.end(why);
            self.leave(&seat.connection)
        });
        gone.collect()
    }

    /// Ends the oldest connections of a user like this one, itself not counted, so that there are at most so many.
    pub(crate) fn make_room(&mut self, newest: &Arc<Connection>, most: usize) -> Vec<Gone> {
        let alike = |other: &Connection| other.vendor == newest.vendor && other.platform == newest.platform;
        let others = self.connections(&newest.user);
        let others: Vec<_> = others.into_iter().filter(|other| alike(other) && !Arc::ptr_eq(other, newest)).collect();
        let surplus = (others.len() + 1).saturating_sub(most);
        let ends = |connection: &Connection| others.iter().take(surplus).any(|other| other.id == connection.id);
        self.end(&newest.user, Dismissal::Replaced, ends)
    }

    /// The connections of a user, oldest first.
    pub(crate) fn connections(&self, user: &UserId) -> Vec<Arc<Connection>> {
        let online = self.users.get(user);
        online.into_iter().flat_map(|online| &online.seats).map(|seat| Arc::clone(&seat.connection)).collect()
    }

    /// How many other connections a connection's user has.
    pub(crate) fn others(&self, connection: &Connection) -> usize {
        self.users.get(&connection.user).map_or(0, |online| online.seats.len().saturating_sub(1))
    }

    /// The members of a group who are online.
    pub(crate) fn members(&self, group: &GroupId) -> Vec<UserId> {
        self.groups.get(group).into_iter().flatten().cloned().collect()
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
            online.seats.iter().for_each(|seat| seat.mailbox.doubt());
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
        let seats = hearers.filter_map(|user| self.users.get(user)).flat_map(|online| &online.seats);
        seats.map(|seat| Arc::clone(&seat.mailbox)).collect()
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
    use std::sync::atomic::{AtomicU64, Ordering};

    use conclave_core::event::{Actor, Audience, CallPart, Joining, Leaving};
    use conclave_core::model::Millis;
    use conclave_kit::Platform;
    use futures_util::FutureExt as _;

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
        let (part, actor) = (CallPart::WHOLE, Actor::System);
        Event { sequence: 1, part, at: Millis(1), group: Some(group(id)), actor, audience, what }
    }

    fn came(id: &str, who: &str) -> Event {
        event(id, &[], Happening::MembersJoined { users: vec![user(who)], how: Joining::Added, members: 1 })
    }

    fn went(id: &str, who: &str) -> Event {
        let reason = String::new();
        let (users, were) = (vec![user(who)], Vec::new());
        let what = Happening::MembersLeft { users, how: Leaving::Left, reason, members: 1, were };
        event(id, &[who], what)
    }

    fn told(id: &str) -> Event {
        event(id, &[], Happening::GroupActivated)
    }

    fn connection(id: &str, platform: Platform) -> Arc<Connection> {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let number = LAST.fetch_add(1, Ordering::Relaxed).to_string();
        let user = user(id);
        let (vendor, since) = ("v", Millis(1));
        Arc::new(Connection { vendor, user, device: String::new(), platform, id: number, address: None, since })
    }

    fn enter(presence: &mut Seating, id: &str) -> (Arc<Connection>, bool) {
        let connection = connection(id, Platform::Web);
        let unknown = presence.enter(&connection, &Arc::new(Mailbox::default()));
        (connection, unknown)
    }

    fn online(presence: &mut Seating, id: &str, groups: &[&str]) -> Arc<Connection> {
        let (connection, unknown) = enter(presence, id);
        if unknown {
            presence.learn(&connection, groups.iter().map(|id| group(id)));
        }
        connection
    }

    #[test]
    fn what_passes_while_groups_are_read_counts_over_what_is_read() {
        let mut presence = Seating::default();
        let (a, unknown) = enter(&mut presence, "a");
        assert!(unknown);
        assert!(presence.hear(&came("new", "a")).is_empty());
        assert_eq!(presence.hear(&went("old", "a")).len(), 1, "it names them");
        // read before either was committed
        presence.learn(&a, [group("old"), group("stays")].into_iter());
        assert_eq!(presence.hear(&told("new")).len(), 1);
        assert_eq!(presence.hear(&told("stays")).len(), 1);
        assert_eq!(presence.hear(&told("old")).len(), 0);
    }

    #[test]
    fn what_was_read_for_a_connection_that_has_gone_counts_for_nobody() {
        let mut presence = Seating::default();
        let (gone, _) = enter(&mut presence, "a");
        presence.leave(&gone);
        presence.hear(&went("left", "a"));
        let (here, unknown) = enter(&mut presence, "a");
        assert!(unknown);
        // read before they left, and answered late
        presence.learn(&gone, [group("left")].into_iter());
        assert_eq!(presence.hear(&told("left")).len(), 0);
        presence.learn(&here, [group("stays")].into_iter());
        assert_eq!((presence.hear(&told("left")).len(), presence.hear(&told("stays")).len()), (0, 1));
    }

    #[test]
    fn nobody_is_told_twice_or_after_they_have_gone() {
        let mut presence = Seating::default();
        let first = online(&mut presence, "a", &["g"]);
        let second = online(&mut presence, "a", &[]);
        let _b = online(&mut presence, "b", &["g"]);
        let named = event("g", &["a", "a", "c"], Happening::GroupActivated);
        assert_eq!(presence.hear(&named).len(), 3);
        assert_eq!(presence.leave(&first).unwrap().others, 1);
        assert_eq!(presence.hear(&told("g")).len(), 2);
        assert_eq!(presence.leave(&second).unwrap().others, 0);
        assert!(presence.leave(&second).is_none());
        assert_eq!(presence.hear(&told("g")).len(), 1);
        let silent = Event { audience: Audience { silent: true, ..told("g").audience }, ..told("g") };
        assert!(presence.hear(&silent).is_empty());
    }

    #[test]
    fn nothing_is_kept_of_those_who_have_gone() {
        let mut presence = Seating::default();
        let a = online(&mut presence, "a", &["g", "h"]);
        presence.hear(&went("h", "a"));
        presence.hear(&came("i", "a"));
        presence.leave(&a);
        assert!(presence.users.is_empty() && presence.groups.is_empty());
    }

    #[test]
    fn the_oldest_of_a_kind_make_room() {
        let mut presence = Seating::default();
        let phone = connection("a", Platform::Ios);
        presence.enter(&phone, &Arc::new(Mailbox::default()));
        let old = online(&mut presence, "a", &["g"]);
        let middle = online(&mut presence, "a", &[]);
        let other = online(&mut presence, "b", &["g"]);
        let newest = online(&mut presence, "a", &[]);
        let gone = presence.make_room(&newest, 2);
        assert_eq!(gone.len(), 1);
        assert!(Arc::ptr_eq(&gone[0].connection, &old) && gone[0].others == 3);
        assert_eq!(presence.connections(&user("a")), [phone.clone(), middle, newest.clone()]);
        assert_eq!(presence.make_room(&newest, 1).len(), 1);
        assert_eq!(presence.connections(&user("a")), [phone, newest.clone()]);
        assert_eq!(presence.connections(&user("b")), [other]);
        assert_eq!(presence.make_room(&newest, 1).len(), 0);
    }

    #[test]
    fn whoever_is_ended_is_told_why_and_gone() {
        let mut presence = Seating::default();
        let (first, mailbox) = (connection("a", Platform::Web), Arc::new(Mailbox::default()));
        presence.enter(&first, &mailbox);
        presence.learn(&first, [group("g")].into_iter());
        let second = online(&mut presence, "a", &[]);
        assert_eq!(presence.members(&group("g")), [user("a")]);
        assert_eq!(presence.end(&user("a"), Dismissal::ByApp, |one| one.id == first.id).len(), 1);
        presence.end(&user("a"), Dismissal::Replaced, |one| one.id == first.id);
        assert_eq!(mailbox.take(1).now_or_never().unwrap().ended, Some(Dismissal::ByApp));
        assert_eq!(presence.connections(&user("a")), [second]);
        assert_eq!(presence.end(&user("a"), Dismissal::ByApp, |_| true).len(), 1);
        assert!(presence.members(&group("g")).is_empty() && presence.users.is_empty());
    }
}
