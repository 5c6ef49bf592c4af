//! A decision in progress: the facts that the rule has, and what it has decided so far.

mod mint;
mod strand;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use foldhash::{HashMap as Map, HashSet};

use crate::event::{Actor, Audience, CallPart, Event, Happening};
use crate::facts::{Facts, Run, Stop};
use crate::model::{
    Circle, Group, GroupId, KeptAs, Key, Member, Message, Millis, Prefix, Request, Role, Row, Settings, Tombstone,
    Topic, User, UserId,
};
use crate::ports::{Batch, Change, Guard, RunGuard};
use crate::refusal::{Needs, Refusal};

/// Circumstances of one attempt.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The caller.
    pub actor: &'a Actor,
    /// When: not before any commit that the facts at hand show, so that times in a group never go back.
    pub now: Millis,
    /// When the first attempt began; ids are made from it, so that all attempts make the same ones.
    pub begun: Millis,
    /// What the realm permits.
    pub settings: &'a Settings,
    /// Fresh bits for ids; the same for every attempt of one call.
    pub seed: u64,
}

/// The actor's standing in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The app or the system: above the roles.
    App,
    /// A member.
    Inside(Role),
    /// A stranger.
    Outside,
}

impl Standing {
    /// Whether this circle holds them.
    pub fn is_in(self, circle: Circle) -> bool {
        match self {
            Self::App => true,
            Self::Outside => false,
            Self::Inside(role) => match circle {
                Circle::Nobody => false,
                Circle::Owner => role == Role::Owner,
                Circle::Managers => role >= Role::Admin,
                Circle::Members => true,
            },
        }
    }

    /// Whether they may act on a member of this role: never on their equals and betters, unless the app.
    pub fn outranks(self, role: Role) -> bool {
        match self {
            Self::App => true,
            Self::Inside(own) => own > role,
            Self::Outside => false,
        }
    }
}

/// A decision in the making.
pub struct Draft<'a> {
    facts: &'a Facts,
    /// The circumstances.
    pub context: Context<'a>,
    pending: Map<Key, Option<Row>>,
    guards: Map<Key, Option<u64>>,
    runs: Vec<RunGuard>,
    events: Vec<Event>,
    minted: u64,
    /// The topic in which the operation happens, if any.
    strand: Option<Topic>,
    /// How many of the events have been looked at for their numbers.
    numbered: usize,
    /// The step being decided, where several operations are decided on this draft.
    step: Option<Step>,
}

/// What was decided about a place before a step changed it.
enum Before {
    /// Nothing.
    Nothing,
    /// The row that is stored there.
    Kept(Option<Row>),
}

/// One of several operations that are decided on the same draft.
struct Step {
    /// Its position among them.
    number: u64,
    /// What was pending at the places it has changed, before it changed them.
    before: Map<Key, Before>,
    /// How many events there were before it.
    events: usize,
}

impl<'a> Draft<'a> {
    /// Begins with these facts.
    pub fn new(facts: &'a Facts, context: Context<'a>) -> Self {
        Self {
            facts,
            context,
            pending: Map::default(),
            guards: Map::default(),
            runs: Vec::new(),
            events: Vec::new(),
            minted: 0,
            strand: None,
            numbered: 0,
            step: None,
        }
    }

    /// What was decided.
    pub fn finish(mut self) -> Batch {
        self.number_events();
        Event::mark_call(&mut self.events);
        let changes = self
            .pending
            .into_iter()
            .map(|(key, row)| match row {
                Some(row) => Change::Put(key, row),
                None => Change::Delete(key),
            })
            .collect();
        let guards = self.guards.into_iter().map(|(key, seen)| Guard { key, seen }).collect();
        Batch { guards, runs: self.runs, changes, events: self.events }
    }

    /// The time of the decision.
    pub fn now(&self) -> Millis {
        self.context.now
    }

    // --- knowing -------------------------------------------------------------------------------------------

    /// The row at a place, as already decided or as found.
    pub fn row(&self, key: &Key) -> Result<Option<Row>, Stop> {
        let key = self.place(key);
        match self.pending.get(&*key) {
            Some(row) => Ok(row.clone()),
            None => Ok(self.facts.row(&key)?.cloned()),
        }
    }

    /// Asks for all of these at once, before looking at them one by one.
    pub fn require(&self, keys: impl IntoIterator<Item = Key>) -> Result<(), Stop> {
        let places = keys.into_iter().map(|key| match &self.strand {
            Some(_) => self.place(&key).into_owned(),
            None => key,
        });
        self.facts.require(places.filter(|key| !self.pending.contains_key(key)))
    }

    /// A run of rows as found, with what earlier steps have changed. What the operation at hand has changed itself is
    /// not in it.
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
            Some(topic) if prefix == Prefix::messages(&topic.group) => Prefix::spoken(&topic.group, &topic.id),
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

    /// The actor's standing in this group.
    pub fn standing(&self, group: &Group) -> Result<Standing, Stop> {
        match self.context.actor {
            Actor::App { .. } | Actor::System => Ok(Standing::App),
            Actor::User { user, .. } => Ok(match self.member(&group.id, user)? {
                Some(member) => Standing::Inside(member.role),
                None => Standing::Outside,
            }),
        }
    }

    /// The actor's standing; refuses unless they are in this circle. In a group without roles only the app acts.
    pub fn permitted(&self, group: &Group, circle: Circle) -> Result<Standing, Stop> {
        let standing = self.standing(group)?;
        if standing == Standing::App {
            return Ok(standing);
        }
        if !group.governed {
            return Err(Refusal::NotGoverned(group.id.clone()).into());
        }
        if standing.is_in(circle) {
            return Ok(standing);
        }
        let needs = match (standing, circle) {
            (Standing::Outside, _) | (_, Circle::Members) => Needs::Membership,
            (_, Circle::Managers) => Needs::Management,
            (_, Circle::Owner) => Needs::Ownership,
            (_, Circle::Nobody) => Needs::App,
        };
        Err(Refusal::NotPermitted { group: group.id.clone(), needs }.into())
    }

    // --- deciding ------------------------------------------------------------------------------------------

    /// Holds the decision only if this place still has this revision when it is committed.
    pub fn guard(&mut self, key: Key, seen: Option<u64>) {
        if !self.pending.contains_key(&key) {
            self.guards.entry(key).or_insert(seen);
        }
    }

    /// Holds the decision only if this run still has as many rows as were found when it is committed.
    pub fn guard_run(&mut self, prefix: Prefix) -> Result<(), Stop> {
        let rows = self.facts.run(prefix.clone())?.rows().len();
        self.runs.push(RunGuard { prefix, rows });
        Ok(())
    }

    /// Begins the next of several operations that are decided on this draft.
    pub(crate) fn begin_step(&mut self) {
        self.number_events();
        let number = self.step.as_ref().map_or(0, |step| step.number + 1);
        self.step = Some(Step { number, before: Map::default(), events: self.events.len() });
        // ids do not depend on how many the earlier steps have used
        self.minted = number << 32;
        self.strand = None;
    }

    /// Takes back what the current step has changed. What it has looked at stays guarded.
    pub(crate) fn undo_step(&mut self) {
        let Some(step) = &mut self.step else { return };
        for (key, row) in step.before.drain() {
            match row {
                Before::Kept(row) => self.pending.insert(key, row),
                Before::Nothing => self.pending.remove(&key),
            };
        }
        self.events.truncate(step.events);
        self.numbered = self.events.len();
        self.strand = None;
    }

    /// Changes the row with a key.
    fn set(&mut self, key: Key, row: Option<Row>) {
        if let Some(step) = &mut self.step
            && !step.before.contains_key(&key)
        {
            let before = self.pending.get(&key).cloned().map_or(Before::Nothing, Before::Kept);
            step.before.insert(key.clone(), before);
        }
        self.pending.insert(key, row);
    }

    /// The revision a changed row gets: one more than was seen, however often it is put.
    fn next_revision(&self, key: &Key) -> u64 {
        self.guards.get(key).copied().flatten().map_or(1, |seen| seen + 1)
    }

    /// Keeps a row.
    pub fn put(&mut self, key: Key, row: impl Into<Row>) {
        let key = if self.strand.is_some() { self.place(&key).into_owned() } else { key };
        self.set(key, Some(row.into()));
    }

    /// Keeps the mere being there of a place.
    pub fn mark(&mut self, key: Key) {
        self.set(key, Some(Row::Mark));
    }

    /// Keeps nothing there.
    pub fn delete(&mut self, key: Key) {
        let key = if self.strand.is_some() { self.place(&key).into_owned() } else { key };
        self.set(key, None);
    }

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
        let before = self.row(&key).ok().flatten().and_then(|row| row.group().cloned());
        let group = self.taken(group, before.as_deref());
        self.index_group(before.as_deref(), &group);
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

    /// The accounts whose ids fold to the same text as this one. What is decided holds only while they stay so.
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
            self.put(Key::DevicePosition(message.id.clone()), place);
        }
        self.put(Key::Message(message.group.clone(), message.sequence), message);
    }

    /// Gives the events that are part of a group's history their numbers, after those of the messages that were sent
    /// before. They belong to operations that keep the group's header.
    fn number_events(&mut self) {
        // the number of a group's profile change, which the other changes of the same call share
        let mut profiles: Map<GroupId, u64> = Map::default();
        let first = self.numbered.min(self.events.len());
        for position in first..self.events.len() {
            let event = &self.events[position];
            let is_for_all = event.audience.members_of.is_some() && !event.audience.silent;
            let (Some(part), Some(id), true) = (event.what.kept_as(), event.group.clone(), is_for_all) else {
                continue;
            };
            let key = Key::Group(id.clone());
            let Some(Some(Row::Group(header))) = self.pending.get(&key) else { continue };
            if !header.active || !header.policy.keeps(part) {
                continue;
            }
            let shared = profiles.get(&id).copied().filter(|_| part == KeptAs::Profile);
            let number = shared.unwrap_or(header.next_message);
            if shared.is_none() {
                let header = Group { next_message: number + 1, ..Group::clone(header) };
                self.set(key, Some(header.into()));
            }
            if part == KeptAs::Profile {
                profiles.insert(id, number);
            }
            self.events[position].number = Some(number);
        }
        self.numbered = self.events.len();
    }

    /// Tells all members of a group.
    pub fn emit_to_members(&mut self, group: &GroupId, what: Happening) {
        self.emit(Some(group), Audience { members_of: Some(group.clone()), ..Audience::default() }, what);
    }

    /// Tells these users only.
    pub fn emit_to_users(&mut self, group: Option<&GroupId>, users: Vec<UserId>, what: Happening) {
        self.emit(group, Audience { users, ..Audience::default() }, what);
    }

    /// Emits an event to an audience, and to the users it is about.
    pub fn emit(&mut self, group: Option<&GroupId>, mut audience: Audience, what: Happening) {
        let mut named: HashSet<&UserId> = audience.users.iter().collect();
        let missing: Vec<UserId> = what.about().into_iter().filter(|user| named.insert(user)).cloned().collect();
        audience.users.extend(missing);
        let what = match &self.strand {
            Some(topic) => Happening::InTopic { topic: topic.id.clone(), what: Box::new(what) },
            None => what,
        };
        self.events.push(Event {
            sequence: 0,
            part: CallPart::WHOLE,
            at: self.now(),
            group: group.cloned(),
            number: None,
            actor: self.context.actor.clone(),
            audience,
            what,
        });
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
