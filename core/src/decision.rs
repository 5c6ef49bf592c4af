//! A decision in progress: the facts that the rule has, and what it has decided so far.

mod actor_role;
mod mint;
mod reading;
mod strand;
mod writing;

use std::sync::Arc;

use foldhash::{HashMap as Map, HashSet};

use crate::event::{Actor, Audience, CallPart, Event, Happening};
use crate::facts::{Facts, Stop};
use crate::keyed::Keyed;
use crate::model::{GroupId, KeptAs, Key, Millis, Prefix, Row, Settings, Topic, UserId};
use crate::ports::{Batch, Change, Guard, RunGuard};

pub use actor_role::ActorRole;

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

/// A decision in the making.
pub struct Draft<'a> {
    facts: &'a Facts,
    /// The circumstances.
    pub context: Context<'a>,
    pending: Keyed<Option<Row>>,
    guards: Keyed<Option<u64>>,
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

/// What was decided about a key before a step changed it.
enum Before {
    /// Nothing.
    Nothing,
    /// The row that is stored there.
    Kept(Option<Row>),
}

/// One of several operations that are decided on the same draft.
struct Step {
    /// Its position among the steps.
    number: u64,
    /// What was pending at the places it has changed, before it changed them.
    before: Map<Key, Before>,
    /// How many events there were before it.
    events: usize,
}

impl<'a> Draft<'a> {
    /// A decision over these facts.
    pub fn new(facts: &'a Facts, context: Context<'a>) -> Self {
        Self {
            facts,
            context,
            pending: Keyed::default(),
            guards: Keyed::default(),
            runs: Vec::new(),
            events: Vec::new(),
            minted: 0,
            strand: None,
            numbered: 0,
            step: None,
        }
    }

    /// The decision as a batch for the store.
    pub fn finish(mut self) -> Batch {
        self.number_events();
        Event::mark_call(&mut self.events);
        let changes = self
            .pending
            .into_entries()
            .map(|(key, row)| match row {
                Some(row) => Change::Put(key, row),
                None => Change::Delete(key),
            })
            .collect();
        let guards = self.guards.into_entries().map(|(key, seen)| Guard { key, seen }).collect();
        Batch { guards, runs: self.runs, changes, events: self.events }
    }

    /// The time of the decision.
    pub fn now(&self) -> Millis {
        self.context.now
    }

    /// Holds the decision only if this place still has this revision when it is committed.
    pub fn guard(&mut self, key: Key, seen: Option<u64>) {
        if !self.pending.contains(&key) && !self.guards.contains(&key) {
            self.guards.insert(key, seen);
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

    /// Undoes what the current step has changed. The rows that it has read stay guarded.
    pub(crate) fn undo_step(&mut self) {
        let Some(step) = &mut self.step else { return };
        for (key, row) in step.before.drain() {
            match row {
                Before::Kept(row) => self.pending.insert(key, row),
                Before::Nothing => self.pending.remove(&key),
            }
        }
        self.events.truncate(step.events);
        self.numbered = self.events.len();
        self.strand = None;
    }

    /// Changes the row with a key.
    fn set(&mut self, key: Key, row: Option<Row>) {
        self.remember(&key);
        self.pending.insert(key, row);
    }

    /// Keeps what is decided about a key before the current step changes it.
    fn remember(&mut self, key: &Key) {
        if let Some(step) = &mut self.step
            && !step.before.contains_key(key)
        {
            let before = self.pending.get(key).cloned().map_or(Before::Nothing, Before::Kept);
            step.before.insert(key.clone(), before);
        }
    }

    /// The revision a changed row gets: one more than was seen, however often it is put.
    fn next_revision(&self, key: &Key) -> u64 {
        self.guards.get(key).copied().flatten().map_or(1, |seen| seen + 1)
    }

    /// Writes a row.
    pub fn put(&mut self, key: Key, row: impl Into<Row>) {
        let key = if self.strand.is_some() { self.place(&key).into_owned() } else { key };
        self.set(key, Some(row.into()));
    }

    /// Writes a row without a value, whose key is the information.
    pub fn mark(&mut self, key: Key) {
        self.set(key, Some(Row::Mark));
    }

    /// Deletes the row with this key.
    pub fn delete(&mut self, key: Key) {
        let key = if self.strand.is_some() { self.place(&key).into_owned() } else { key };
        self.set(key, None);
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
                self.remember(&key);
                if let Some(Some(Row::Group(header))) = self.pending.get_mut(&key) {
                    Arc::make_mut(header).next_message = number + 1;
                }
            }
            if part == KeptAs::Profile {
                profiles.insert(id, number);
            }
            self.events[position].number = Some(number);
        }
        self.numbered = self.events.len();
    }

    /// Emits an event for all members of a group.
    pub fn emit_to_members(&mut self, group: &GroupId, what: Happening) {
        self.emit(Some(group), Audience { members_of: Some(group.clone()), ..Audience::default() }, what);
    }

    /// Emits an event for these users only.
    pub fn emit_to_users(&mut self, group: Option<&GroupId>, users: Vec<UserId>, what: Happening) {
        self.emit(group, Audience { users, ..Audience::default() }, what);
    }

    /// Emits an event to an audience, and to the users it is about.
    pub fn emit(&mut self, group: Option<&GroupId>, mut audience: Audience, what: Happening) {
        add_new(&mut audience.users, what.about());
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

/// Adds the users who are not in a list yet, each once.
fn add_new(users: &mut Vec<UserId>, more: Vec<&UserId>) {
    /// Up to so many pairs, comparing is faster than hashing.
    const PAIRS: usize = 256;
    if users.len().saturating_add(more.len()).saturating_mul(more.len()) <= PAIRS {
        for user in more {
            if !users.contains(user) {
                users.push(user.clone());
            }
        }
        return;
    }
    let mut named: HashSet<&UserId> = users.iter().collect();
    let missing: Vec<UserId> = more.into_iter().filter(|user| named.insert(user)).cloned().collect();
    users.extend(missing);
}
