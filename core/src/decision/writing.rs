//! Writing rows in a decision, with the index rows that lead to them.

use std::sync::Arc;

use super::Draft;
use crate::facts::Stop;
use crate::model::{Group, GroupId, Key, Member, Message, Request, Role, Row, User, UserId};

impl Draft<'_> {
    /// Keeps a new group's header and the places that lead to it.
    pub fn put_new_group(&mut self, group: Group) {
        let key = Key::Group(group.id.clone());
        self.guard(key.clone(), None);
        self.put(Key::Created(group.created, group.id.clone()), Row::ToGroup(Arc::new(group.id.clone())));
        self.index_group(None, &group);
        self.put(key, group);
    }

    /// Stores a changed header. Every change in a group goes through here at least once.
    pub fn put_group(&mut self, mut group: Group) {
        let key = Key::Group(group.id.clone());
        self.guard(key.clone(), Some(group.revision));
        group.revision = self.next_revision(&key);
        group.changed = self.now();
        // however many steps of one call change the profile, it counts as one change
        if let Ok(Some(Row::Group(found))) = self.facts.row(&key) {
            group.profile_revision = group.profile_revision.min(found.profile_revision.saturating_add(1));
        }
        let before = self.row(&key).ok().flatten().and_then(|row| row.group().cloned());
        let group = self.taken(group, before.as_deref());
        self.index_group(before.as_deref(), &group);
        self.put(key, group);
    }

    /// Stores an unchanged header under a new revision, so that nobody commits what they decided over the rows that this
    /// decision deletes.
    pub(crate) fn renew_group(&mut self, mut group: Group) {
        let key = Key::Group(group.id.clone());
        self.guard(key.clone(), Some(group.revision));
        group.revision = self.next_revision(&key);
        self.put(key, group);
    }

    /// Updates the indexes of a group by values in its header, where these have changed.
    fn index_group(&mut self, before: Option<&Group>, group: &Group) {
        let is_public = |group: &Group| group.policy.is_open_to_requests();
        if before.is_some_and(is_public) != is_public(group) {
            self.index(Key::Discoverable(group.created, group.id.clone()), is_public(group), &group.id);
        }
        if before.is_some_and(|before| before.all_muted) != group.all_muted {
            self.index(Key::AllMuted(group.id.clone()), group.all_muted, &group.id);
        }
        let appointed = before.map_or(&[][..], |before| &before.appointed);
        for user in appointed.iter().filter(|user| !group.appointed.contains(user)) {
            self.index(Key::Appointed(user.clone(), group.id.clone()), false, &group.id);
        }
        for user in group.appointed.iter().filter(|user| !appointed.contains(user)) {
            self.index(Key::Appointed(user.clone(), group.id.clone()), true, &group.id);
        }
    }

    /// Makes a place lead to a group, or no longer.
    fn index(&mut self, place: Key, leads: bool, group: &GroupId) {
        if leads {
            self.put(place, Row::ToGroup(Arc::new(group.clone())));
        } else {
            self.delete(place);
        }
    }

    /// Keeps a membership and the places that lead to it.
    pub fn put_member(&mut self, member: Member) {
        let (group, user) = (member.group.clone(), member.user.clone());
        let key = Key::Member(group.clone(), user.clone());
        let before = self.row(&key).ok().flatten().and_then(|row| row.member().cloned());
        self.index_marks(before.as_deref(), &member);
        if before.as_ref().is_none_or(|before| before.role != member.role) {
            self.index_role(&member, before.map(|before| before.role));
        }
        let row = Row::from(member);
        if let Row::Member(kept) = &row {
            self.set(Key::Seat(group, kept.seat), Some(row.clone()));
        }
        self.set(key, Some(row));
    }

    fn index_marks(&mut self, before: Option<&Member>, member: &Member) {
        let place = |mark: &u32| Key::Marked(member.group.clone(), u64::from(*mark), member.seat);
        for mark in before.iter().flat_map(|before| before.marks.keys()) {
            if !member.marks.contains_key(mark) {
                self.delete(place(mark));
            }
        }
        for mark in member.marks.keys() {
            if before.is_none_or(|before| !before.marks.contains_key(mark)) {
                self.put(place(mark), Row::ToUser(Arc::new(member.user.clone())));
            }
        }
    }

    fn index_role(&mut self, member: &Member, before: Option<Role>) {
        let (group, user) = (&member.group, &member.user);
        let admin = Key::Admin(group.clone(), user.clone());
        if member.role == Role::Admin {
            self.put(admin, Row::ToUser(Arc::new(user.clone())));
        } else if before == Some(Role::Admin) {
            self.delete(admin);
        }
        let owned = Key::Owned(user.clone(), group.clone());
        if member.role == Role::Owner {
            self.put(owned, Row::ToGroup(Arc::new(group.clone())));
        } else if before == Some(Role::Owner) {
            self.delete(owned);
        }
        if before.is_none() {
            let joined = Key::Joined(user.clone(), member.joined, group.clone());
            self.put(joined, Row::ToGroup(Arc::new(group.clone())));
        }
    }

    /// Ends a membership: the membership itself and the places that lead to it.
    pub fn drop_member(&mut self, member: &Member) {
        let (group, user) = (&member.group, &member.user);
        self.delete(Key::Member(group.clone(), user.clone()));
        self.delete(Key::Seat(group.clone(), member.seat));
        self.delete(Key::Admin(group.clone(), user.clone()));
        self.delete(Key::Owned(user.clone(), group.clone()));
        for mark in member.marks.keys() {
            self.delete(Key::Marked(group.clone(), u64::from(*mark), member.seat));
        }
        self.delete(Key::Joined(user.clone(), member.joined, group.clone()));
        self.delete(Key::ReadMark(user.clone(), group.clone()));
    }

    /// Keeps a new account and the places that lead to it.
    pub fn put_new_user(&mut self, user: User) -> Result<(), Stop> {
        let mut alike = self.alike(&user.id)?;
        alike.push(user.id.clone());
        self.put(Key::Folded(user.id.folded()), Row::ToUsers(Arc::new(alike)));
        self.put(Key::UserCreated(user.created, user.id.clone()), Row::ToUser(Arc::new(user.id.clone())));
        let key = Key::User(user.id.clone());
        self.guard(key.clone(), None);
        self.put(key, User { revision: 1, ..user });
        Ok(())
    }

    /// The accounts whose ids fold to the same text as this one. The decision is guarded by
    /// them: if they change meanwhile, it is made again.
    pub fn alike(&mut self, user: &UserId) -> Result<Vec<UserId>, Stop> {
        let key = Key::Folded(user.folded());
        let row = self.row(&key)?;
        self.guard(key, row.as_ref().and_then(Row::revision));
        Ok(row.as_ref().and_then(Row::to_users).map(|users| Vec::clone(users)).unwrap_or_default())
    }

    /// Takes an account away, and the places that lead to it.
    pub fn drop_user(&mut self, user: &User) -> Result<(), Stop> {
        let mut alike = self.alike(&user.id)?;
        alike.retain(|other| *other != user.id);
        let folded = Key::Folded(user.id.folded());
        if alike.is_empty() {
            self.delete(folded);
        } else {
            self.put(folded, Row::ToUsers(Arc::new(alike)));
        }
        self.delete(Key::UserCreated(user.created, user.id.clone()));
        let key = Key::User(user.id.clone());
        self.guard(key.clone(), Some(user.revision));
        self.delete(key);
        Ok(())
    }

    /// Keeps a changed account.
    pub fn put_user(&mut self, mut user: User) {
        let key = Key::User(user.id.clone());
        self.guard(key.clone(), Some(user.revision));
        user.revision = self.next_revision(&key);
        user.changed = self.now();
        self.put(key, user);
    }

    /// Keeps a request under the group and under its user; the caller keeps the header afterwards.
    pub fn put_request(&mut self, header: &mut Group, request: Request) {
        header.asked = true;
        let inviter = request.inviter.as_ref().map_or_else(String::new, |user| user.as_str().to_owned());
        let (group, user) = (request.group.clone(), request.user.clone());
        let row = Row::from(request);
        self.set(Key::RequestOf(user.clone(), group.clone(), inviter.clone()), Some(row.clone()));
        self.set(Key::Request(group, user, inviter), Some(row));
    }

    /// Takes a request away.
    pub fn drop_request(&mut self, request: &Request) {
        let inviter = request.inviter.as_ref().map_or_else(String::new, |user| user.as_str().to_owned());
        self.delete(Key::RequestOf(request.user.clone(), request.group.clone(), inviter.clone()));
        self.delete(Key::Request(request.group.clone(), request.user.clone(), inviter));
    }

    /// Stores a message under its number, and its id in the index.
    pub fn put_message(&mut self, message: Message) {
        // messages in topics are found by their number only
        if self.strand.is_none() {
            let place = Row::ToMessage(Arc::new((message.group.clone(), message.sequence)));
            self.put(Key::MessageById(message.id.clone()), place);
        }
        self.put(Key::Message(message.group.clone(), message.sequence), message);
    }
}
