//! Which users are online in a realm, in which of its groups, and with which roles.
//!
//! Only the online members of a group are stored, so an event in a group of a hundred thousand members with fifty
//! online costs as much as one in a group of fifty. A user's groups are read once, when they come online, and then
//! updated from the events; changes during the read are applied on top of its result.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use conclave_core::event::{Actor, Event, Happening};
use conclave_core::model::{GroupId, Receive, Role, UserId};
use conclave_kit::{
    Connection, ConnectionFilter, Device, DisconnectReason, Exceeding, LoginRule, LoginScope, Recipients,
};

use super::mailbox::Mailbox;

/// The sessions of one realm.
#[derive(Default)]
pub(crate) struct Registry {
    users: HashMap<UserId, Online>,
    groups: HashMap<GroupId, HashMap<UserId, MemberState>>,
    /// The number of sessions of each vendor that has any.
    vendors: BTreeMap<&'static str, usize>,
    /// How many sessions there are.
    count: usize,
}

struct Online {
    sessions: Vec<Entry>,
    groups: Membership,
}

/// One session of a user.
#[derive(Clone)]
struct Entry {
    connection: Arc<Connection>,
    mailbox: Arc<Mailbox>,
}

/// A connection whose user is no longer signed in, and the number of the user's other connections.
pub(crate) struct Gone {
    pub(crate) connection: Arc<Connection>,
    pub(crate) others: usize,
    pub(crate) reason: DisconnectReason,
}

/// A session that receives a fact.
pub(crate) struct Receiver {
    pub(crate) connection: Arc<Connection>,
    pub(crate) mailbox: Arc<Mailbox>,
    /// Whether its device caused the event.
    pub(crate) is_own: bool,
}

/// The groups of an online user.
enum Membership {
    /// Being read; with the changes during the read, in order.
    Reading(Vec<(GroupId, Change)>),
    Known(HashSet<GroupId>),
}

/// What is known of an online member of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MemberState {
    pub(crate) role: Role,
    /// Whether they do not receive the group's messages (`Receive::Discard`).
    pub(crate) discards: bool,
}

/// A change of a user's membership in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    /// A member, with this role.
    Joined(Role),
    /// Has this role, if a member.
    Becomes(Role),
    /// Receives the group's messages in another way, if in the group.
    Receives(Receive),
    Left,
}

impl MemberState {
    fn of(role: Role) -> Self {
        Self { role, discards: false }
    }

    /// What it is after a change; `None` when the membership has ended.
    fn after(known: Option<Self>, change: Change) -> Option<Self> {
        match change {
            // who is in already keeps how they receive messages
            Change::Joined(role) => Some(Self { role, ..known.unwrap_or(Self::of(role)) }),
            Change::Becomes(role) => known.map(|known| Self { role, ..known }),
            Change::Receives(receive) => known.map(|known| Self { discards: receive == Receive::Discard, ..known }),
            Change::Left => None,
        }
    }
}

impl Registry {
    /// Whether no user is online.
    pub(crate) fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// Adds a session. Returns whether the user's groups have to be read.
    pub(crate) fn add(&mut self, connection: &Arc<Connection>, mailbox: &Arc<Mailbox>) -> bool {
        let online = self
            .users
            .entry(connection.user.clone())
            .or_insert_with(|| Online { sessions: Vec::with_capacity(1), groups: Membership::Reading(Vec::new()) });
        online.sessions.push(Entry { connection: Arc::clone(connection), mailbox: Arc::clone(mailbox) });
        *self.vendors.entry(connection.vendor).or_default() += 1;
        self.count += 1;
        matches!(online.groups, Membership::Reading(_))
    }

    /// Sets the groups of a connection's user, which were read after the connection was added. Ignored if the
    /// connection has ended meanwhile: changes before the user came online again may be missing in the result. The
    /// connection that was added since reads them itself.
    pub(crate) fn learn(&mut self, connection: &Arc<Connection>, groups: impl Iterator<Item = (GroupId, MemberState)>) {
        let user = &connection.user;
        let Some(online) = self.users.get_mut(user) else { return };
        if !online.sessions.iter().any(|entry| Arc::ptr_eq(&entry.connection, connection)) {
            return;
        }
        let Membership::Reading(meanwhile) = &mut online.groups else { return };
        let meanwhile = std::mem::take(meanwhile);
        let mut states: HashMap<GroupId, MemberState> = groups.collect();
        for (group, change) in meanwhile {
            match MemberState::after(states.get(&group).copied(), change) {
                Some(state) => drop(states.insert(group, state)),
                None => drop(states.remove(&group)),
            }
        }
        let mut known = HashSet::with_capacity(states.len());
        for (group, state) in states {
            self.groups.entry(group.clone()).or_default().insert(user.clone(), state);
            known.insert(group);
        }
        online.groups = Membership::Known(known);
    }

    /// Removes a session, unless it was removed before. Returns the number of its user's other sessions.
    pub(crate) fn remove(&mut self, connection: &Arc<Connection>) -> Option<usize> {
        let user = &connection.user;
        let online = self.users.get_mut(user)?;
        let at = online.sessions.iter().position(|entry| Arc::ptr_eq(&entry.connection, connection))?;
        online.sessions.remove(at);
        self.count -= 1;
        let others = online.sessions.len();
        if let Some(count) = self.vendors.get_mut(connection.vendor) {
            *count -= 1;
            if *count == 0 {
                self.vendors.remove(connection.vendor);
            }
        }
        if others == 0
            && let Some(Online { groups: Membership::Known(groups), .. }) = self.users.remove(user)
        {
            for group in groups {
                self.take_out(&group, user);
            }
        }
        Some(others)
    }

    /// Ends a user's connections that match the filter: each is given the reason, and removed.
    pub(crate) fn end(&mut self, user: &UserId, which: &ConnectionFilter, reason: DisconnectReason) -> Vec<Gone> {
        let connections = self.connections(user);
        let ended = connections.into_iter().filter(|connection| which.includes(connection));
        ended.filter_map(|connection| self.end_one(&connection, reason)).collect()
    }

    /// All connections.
    pub(crate) fn connected(&self) -> Vec<Arc<Connection>> {
        let sessions = self.users.values().flat_map(|online| &online.sessions);
        sessions.map(|entry| Arc::clone(&entry.connection)).collect()
    }

    /// Ends the connections that match: with a reason, or cut without one.
    pub(crate) fn end_matching(
        &mut self,
        matches: impl Fn(&Connection) -> bool,
        reason: Option<DisconnectReason>,
    ) -> Vec<Gone> {
        let ended = self.connected().into_iter().filter(|connection| matches(connection));
        let mut gone = Vec::new();
        for connection in ended {
            if reason.is_none() {
                let mailboxes = self.users.get(&connection.user).into_iter().flat_map(|online| &online.sessions);
                let own = mailboxes.filter(|entry| Arc::ptr_eq(&entry.connection, &connection));
                own.for_each(|entry| entry.mailbox.cut());
            }
            gone.extend(self.end_one(&connection, reason.unwrap_or(DisconnectReason::ShuttingDown)));
        }
        gone
    }

    /// The mailboxes of all connections.
    pub(crate) fn mailboxes(&self) -> Vec<Arc<Mailbox>> {
        let sessions = self.users.values().flat_map(|online| &online.sessions);
        sessions.map(|entry| Arc::clone(&entry.mailbox)).collect()
    }

    /// Ends all connections: each is given the reason, and removed.
    pub(crate) fn end_all(&mut self, reason: DisconnectReason) -> Vec<Gone> {
        let users: Vec<UserId> = self.users.keys().cloned().collect();
        users.iter().flat_map(|user| self.end(user, &ConnectionFilter::all(), reason)).collect()
    }

    fn end_one(&mut self, connection: &Arc<Connection>, reason: DisconnectReason) -> Option<Gone> {
        let online = self.users.get(&connection.user)?;
        let entry = online.sessions.iter().find(|entry| Arc::ptr_eq(&entry.connection, connection))?;
        entry.mailbox.end(reason);
        let others = self.remove(connection)?;
        Some(Gone { connection: Arc::clone(connection), others, reason })
    }

    /// Whether a rule refuses this connection, which is not added yet.
    pub(crate) fn refuses(&self, newest: &Connection, rules: &[LoginRule]) -> bool {
        let refusing = rules.iter().filter(|rule| rule.exceeding == Exceeding::RefuseNewest);
        refusing.into_iter().any(|rule| self.counted(newest, rule.scope).count() >= rule.most.max(1))
    }

    /// Ends the oldest connections that exceed a rule now that this one is added.
    pub(crate) fn replace(&mut self, newest: &Arc<Connection>, rules: &[LoginRule]) -> Vec<Gone> {
        let mut gone = Vec::new();
        for rule in rules.iter().filter(|rule| rule.exceeding == Exceeding::ReplaceOldest) {
            let others: Vec<Arc<Connection>> =
                self.counted(newest, rule.scope).filter(|other| !Arc::ptr_eq(other, newest)).cloned().collect();
            let surplus = (others.len() + 1).saturating_sub(rule.most.max(1));
            for old in others.iter().take(surplus) {
                let same = old.device == newest.device;
                let reason = if same { DisconnectReason::Reconnected } else { DisconnectReason::Replaced };
                gone.extend(self.end_one(old, reason));
            }
        }
        gone
    }

    /// The user's connections that are counted together with this one, oldest first.
    fn counted<'a>(&'a self, like: &'a Connection, scope: LoginScope) -> impl Iterator<Item = &'a Arc<Connection>> {
        let sessions = self.users.get(&like.user).into_iter().flat_map(|online| &online.sessions);
        sessions.map(|entry| &entry.connection).filter(move |other| {
            other.vendor == like.vendor
                && match scope {
                    LoginScope::Device => other.device == like.device,
                    LoginScope::Platform => other.platform == like.platform,
                    LoginScope::User => true,
                }
        })
    }

    /// How many sessions there are.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// The connections of a user, oldest first.
    pub(crate) fn connections(&self, user: &UserId) -> Vec<Arc<Connection>> {
        let online = self.users.get(user);
        online.into_iter().flat_map(|online| &online.sessions).map(|entry| Arc::clone(&entry.connection)).collect()
    }

    /// The number of other connections of a connection's user.
    pub(crate) fn others(&self, connection: &Connection) -> usize {
        self.users.get(&connection.user).map_or(0, |online| online.sessions.len().saturating_sub(1))
    }

    /// The online members of a group, with their roles.
    pub(crate) fn members(&self, group: &GroupId) -> Vec<(UserId, Role)> {
        self.groups.get(group).into_iter().flatten().map(|(user, state)| (user.clone(), state.role)).collect()
    }

    /// Applies an event's changes of memberships and roles, and has the sessions of changed accounts checked. Returns
    /// the vendors with signed-in users in its audience.
    pub(crate) fn apply(&mut self, event: &Event) -> Vec<&'static str> {
        if let Some(group) = &event.group {
            for (users, change) in changes(&event.what) {
                for user in users {
                    self.change(group, user, change);
                }
            }
        }
        if let Happening::UserChanged(user) | Happening::UserDeleted(user) = &event.what
            && let Some(online) = self.users.get(user)
        {
            online.sessions.iter().for_each(|entry| entry.mailbox.recheck());
        }
        if event.audience.silent {
            return Vec::new();
        }
        let mut found: Vec<&'static str> = Vec::new();
        for entry in self.audience(event) {
            if !found.contains(&entry.connection.vendor) {
                found.push(entry.connection.vendor);
                if found.len() == self.vendors.len() {
                    break;
                }
            }
        }
        found
    }

    /// The sessions of an event's audience; those of a member who is also named come twice.
    fn audience<'a>(&'a self, event: &'a Event) -> impl Iterator<Item = &'a Entry> {
        let members = event.audience.members_of.as_ref().and_then(|group| self.groups.get(group));
        let members = members.into_iter().flat_map(HashMap::keys);
        let users = members.chain(&event.audience.users).filter_map(|user| self.users.get(user));
        users.flat_map(|online| &online.sessions)
    }

    /// The mailboxes of a vendor's sessions in an event's audience.
    pub(crate) fn audience_mailboxes(&self, event: &Event, vendor: &str) -> Vec<Arc<Mailbox>> {
        let sessions = self.audience(event).filter(|entry| entry.connection.vendor == vendor);
        sessions.map(|entry| Arc::clone(&entry.mailbox)).collect()
    }

    /// The sessions of a vendor that receive a fact of an event, without duplicates.
    pub(crate) fn receivers(&self, event: &Event, vendor: &str, to: &Recipients) -> Vec<Receiver> {
        let group = event.audience.members_of.as_ref().and_then(|group| self.groups.get(group));
        let state = |user: &UserId| group.and_then(|members| members.get(user).copied());
        let as_member = |user: &UserId| {
            to.members.is_some_and(|filter| state(user).is_some_and(|state| filter.includes(state.role)))
        };
        let members = to.members.and(group).into_iter().flat_map(HashMap::keys).filter(|user| as_member(user));
        let named = named(event, to, |user| state(user).is_some());
        // messages to certain members have no members as their audience
        let about = event.group.as_ref().filter(|_| to.except_discarding).and_then(|group| self.groups.get(group));
        let discards = |user: &UserId| about.and_then(|members| members.get(user)).is_some_and(|state| state.discards);
        let named = named.into_iter().filter(|user| !as_member(user));
        let acting = match &event.actor {
            Actor::User { user, device: Some(device) } => Some((user, device.as_str())),
            _ => None,
        };
        let mut receivers = Vec::new();
        for user in members.chain(named) {
            if to.except_users.contains(user) || discards(user) {
                continue;
            }
            let Some(online) = self.users.get(user) else { continue };
            for entry in online.sessions.iter().filter(|entry| entry.connection.vendor == vendor) {
                let is_own = acting.is_some_and(|(actor, device)| {
                    actor == user && Device::id_of(vendor, device) == Some(&*entry.connection.device.id)
                });
                if !(is_own && to.except_acting_device) {
                    let (connection, mailbox) = (Arc::clone(&entry.connection), Arc::clone(&entry.mailbox));
                    receivers.push(Receiver { connection, mailbox, is_own });
                }
            }
        }
        receivers
    }

    fn change(&mut self, group: &GroupId, user: &UserId, change: Change) {
        match self.users.get_mut(user) {
            None => {}
            Some(Online { groups: Membership::Reading(meanwhile), .. }) => meanwhile.push((group.clone(), change)),
            Some(Online { groups: Membership::Known(known), .. }) => {
                let before = self.groups.get(group).and_then(|members| members.get(user)).copied();
                if let Some(state) = MemberState::after(before, change) {
                    known.insert(group.clone());
                    self.groups.entry(group.clone()).or_default().insert(user.clone(), state);
                } else {
                    known.remove(group);
                    self.take_out(group, user);
                }
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

/// The users that a fact names, without duplicates, as far as they are in the event's audience.
fn named<'a>(event: &'a Event, to: &'a Recipients, is_member: impl Fn(&UserId) -> bool) -> Vec<&'a UserId> {
    let mut named: Vec<&UserId> = to.users.iter().collect();
    if named.len() > 1 {
        named.sort_unstable();
        named.dedup();
    }
    if to.users != event.audience.users {
        let audience: HashSet<&UserId> = event.audience.users.iter().collect();
        named.retain(|user| audience.contains(user) || is_member(user));
    }
    named
}

/// An event's changes of memberships and roles in its group, in order.
fn changes(what: &Happening) -> Vec<(&[UserId], Change)> {
    use Change::{Becomes, Joined, Left, Receives};
    match what {
        Happening::GroupCreated { owner, members, .. } => {
            vec![(members, Joined(Role::Member)), (owner.as_slice(), Joined(Role::Owner))]
        }
        Happening::GroupGoverned { owner } => vec![(std::slice::from_ref(owner), Becomes(Role::Owner))],
        Happening::GroupDisbanded { owner, members, .. } => vec![(members, Left), (owner.as_slice(), Left)],
        Happening::MembersJoined { users, .. } => vec![(users, Joined(Role::Member))],
        // a leaving owner has an event of their own
        Happening::MembersLeft { users, .. } => vec![(users, Left)],
        Happening::OwnerChanged { from, to, .. } => {
            vec![(from.as_slice(), Becomes(Role::Member)), (to.as_slice(), Joined(Role::Owner))]
        }
        Happening::AdminsAdded(users) => vec![(users, Becomes(Role::Admin))],
        Happening::AdminsRemoved(users) => vec![(users, Becomes(Role::Member))],
        Happening::ReceiveChanged { user, receive, .. } => vec![(std::slice::from_ref(user), Receives(*receive))],
        // named one by one, so that a new kind of event does not compile until it is decided whether it changes a role
        Happening::AppointedChanged { .. }
        | Happening::MarksChanged { .. }
        | Happening::ProfileChanged(_)
        | Happening::PolicyChanged { .. }
        | Happening::AnnouncementChanged(_)
        | Happening::DisabledChanged(_)
        | Happening::Muted { .. }
        | Happening::Unmuted(_)
        | Happening::MutedEverywhere { .. }
        | Happening::AllMutedChanged(_)
        | Happening::Allowed(_)
        | Happening::Disallowed(_)
        | Happening::Blocked { .. }
        | Happening::Unblocked(_)
        | Happening::RequestChanged(_)
        | Happening::MemberChanged { .. }
        | Happening::MemberAttributesChanged { .. }
        | Happening::AttributesChanged { .. }
        | Happening::CountersChanged { .. }
        | Happening::FileAdded { .. }
        | Happening::FileRemoved { .. }
        | Happening::MessageSent { .. }
        | Happening::MessagePassed(_)
        | Happening::GroupActivated
        | Happening::MessagesRecalled { .. }
        | Happening::MessagesDeleted { .. }
        | Happening::MessageChanged { .. }
        | Happening::PinChanged { .. }
        | Happening::MessagesRead { .. }
        | Happening::ReadMarkChanged { .. }
        | Happening::ExtensionsChanged { .. }
        | Happening::Noticed { .. }
        | Happening::MessageDropped { .. }
        | Happening::TopicMade { .. }
        | Happening::TopicChanged { .. }
        | Happening::TopicsEnded(_)
        | Happening::InTopic { .. }
        | Happening::RemarkChanged { .. }
        | Happening::FollowsChanged { .. }
        | Happening::UserRegistered(_)
        | Happening::UserChanged(_)
        | Happening::UserDeleted(_) => Vec::new(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests;
