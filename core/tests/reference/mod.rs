//! A second implementation of groups with plain maps: the reference of the state-machine test. It shares no code with
//! the rules it checks.

#![allow(unreachable_pub, missing_docs, reason = "part of one test")]

mod terms;

use std::collections::{BTreeMap, BTreeSet};

pub use terms::{Asking, GroupNo, Kind, No, Rank, Step, User, Wait, Who};

#[derive(Debug, Clone)]
pub struct Group {
    pub kind: Kind,
    pub people: BTreeMap<User, Rank>,
    pub disabled: bool,
    pub all_muted: bool,
    pub mutes: BTreeSet<User>,
    pub allowed: BTreeSet<User>,
    pub blocked: BTreeSet<User>,
    pub asking: BTreeMap<(User, Option<User>), Asking>,
    pub next: u64,
    pub version: u64,
}

#[derive(Debug, Clone, Default)]
pub struct ReferenceRealm {
    pub users: BTreeSet<User>,
    pub groups: BTreeMap<GroupNo, Group>,
    /// Deleted groups, and their next message numbers.
    pub gone: BTreeMap<GroupNo, u64>,
    steps: u64,
}

impl Group {
    fn may(&self, who: Who, least: Rank) -> Result<(), No> {
        let Some(user) = who else { return Ok(()) };
        match self.people.get(&user) {
            Some(rank) if *rank >= least => Ok(()),
            _ => Err("not permitted"),
        }
    }

    /// An event of the history: it takes a number, as a message does.
    fn happens(&mut self) {
        self.next += 1;
    }

    /// Whether the actor has a higher role than a member.
    fn above(&self, who: Who, user: User) -> Result<(), No> {
        let (Some(actor), Some(rank)) = (who, self.people.get(&user)) else { return Ok(()) };
        if self.people.get(&actor) > Some(rank) { Ok(()) } else { Err("not permitted") }
    }

    fn enter(&mut self, user: User) -> Result<(), No> {
        if self.blocked.contains(&user) {
            return Err("blocked");
        }
        if self.people.len() >= self.kind.capacity() {
            return Err("full");
        }
        self.people.insert(user, Rank::Member);
        self.happens();
        for ((asker, _), asking) in &mut self.asking {
            if *asker == user && asking.wait != Wait::Over {
                asking.wait = Wait::Over;
                asking.judged = true;
            }
        }
        Ok(())
    }

    fn waiting(&self, user: User, inviter: Option<User>, wait: Wait) -> Result<(User, Option<User>), No> {
        let all = || {
            let of = move |key: &(User, Option<User>)| key.0 == user && (inviter.is_none() || key.1 == inviter);
            self.asking.iter().filter(move |(key, _)| of(key))
        };
        if let Some((key, _)) = all().filter(|(_, one)| one.wait == wait).max_by_key(|(_, one)| one.filed) {
            return Ok(*key);
        }
        Err(if all().any(|(_, one)| one.judged) { "decided" } else { "no request" })
    }

    fn end(&mut self, key: (User, Option<User>)) {
        if let Some(asking) = self.asking.get_mut(&key) {
            asking.wait = Wait::Over;
            asking.judged = true;
        }
    }
}

impl ReferenceRealm {
    /// Performs a step, or returns why not; then nothing has changed.
    pub fn take(&mut self, step: &Step) -> Result<(), No> {
        let mut next = self.clone();
        next.steps += 1;
        let outcome = next.attempt(step);
        if outcome.is_ok() {
            *self = next;
        } else {
            self.steps += 1;
        }
        outcome
    }

    fn there(&mut self, no: GroupNo) -> Result<&mut Group, No> {
        self.groups.get_mut(&no).ok_or("no group")
    }

    fn live(&mut self, no: GroupNo) -> Result<&mut Group, No> {
        let group = self.there(no)?;
        if group.disabled { Err("disabled") } else { Ok(group) }
    }

    fn attempt(&mut self, step: &Step) -> Result<(), No> {
        match *step {
            Step::Register(user) => {
                if self.users.insert(user) {
                    Ok(())
                } else {
                    Err("user exists")
                }
            }
            Step::DeleteUser(user, orphan) => self.delete(user, orphan),
            Step::Create(no, owner, ref members, kind) => self.create(no, owner, members, kind),
            Step::Disband(no, who) => {
                let group = self.there(no)?;
                group.may(who, Rank::Owner)?;
                if who.is_some() && group.disabled {
                    return Err("not permitted");
                }
                self.disband(no);
                Ok(())
            }
            Step::Disable(no, on) => {
                self.there(no)?.disabled = on;
                Ok(())
            }
            Step::Add(no, who, user) => self.add(no, who, user),
            Step::Leave(no, user) => {
                let group = self.there(no)?;
                match group.people.get(&user) {
                    None => Err("not members"),
                    Some(Rank::Owner) if group.kind != Kind::Loose => Err("owner stays"),
                    Some(_) => {
                        group.people.remove(&user);
                        group.happens();
                        Ok(())
                    }
                }
            }
            Step::Apply(no, user) => self.apply(no, user),
            Step::Decide(no, who, user, inviter, accept) => self.judge(no, who, user, inviter, accept),
            Step::Answer(no, user, inviter, accept) => {
                let group = self.live(no)?;
                let key = group.waiting(user, inviter, Wait::Invitee)?;
                if accept {
                    group.enter(user)?;
                }
                group.end(key);
                Ok(())
            }
            Step::Send(no, user) => self.send(no, user),
            Step::Attributes(no, expected) => {
                let group = self.live(no)?;
                if expected.is_some_and(|expected| expected != group.version) {
                    return Err("version");
                }
                group.version += 1;
                Ok(())
            }
            _ => self.rule(step),
        }
    }

    /// An operation on a member by a user with a higher role.
    fn rule(&mut self, step: &Step) -> Result<(), No> {
        match *step {
            Step::Remove(no, who, user) => {
                let group = self.live(no)?;
                group.may(who, Rank::Admin)?;
                match group.people.get(&user) {
                    None => return Err("not members"),
                    Some(Rank::Owner) => return Err("owner"),
                    Some(_) => group.above(who, user)?,
                }
                group.people.remove(&user);
                group.happens();
            }
            Step::Transfer(no, who, to, leave) => {
                let group = self.live(no)?;
                group.may(who, Rank::Owner)?;
                match group.people.get(&to) {
                    Some(Rank::Owner) => return Err("same owner"),
                    None => return Err("not members"),
                    Some(_) => {}
                }
                let old = group.people.iter().find(|(_, rank)| **rank == Rank::Owner).map(|(user, _)| *user);
                group.happens();
                match old {
                    Some(old) if leave => {
                        group.people.remove(&old);
                        group.happens();
                    }
                    Some(old) => drop(group.people.insert(old, Rank::Member)),
                    None => {}
                }
                group.people.insert(to, Rank::Owner);
            }
            Step::Promote(no, who, user) => {
                let group = self.live(no)?;
                group.may(who, Rank::Owner)?;
                match group.people.get(&user) {
                    None => return Err("not members"),
                    Some(Rank::Owner) => return Err("owner"),
                    Some(Rank::Admin) => {}
                    Some(Rank::Member) => {
                        group.people.insert(user, Rank::Admin);
                        group.happens();
                    }
                }
            }
            Step::Demote(no, who, user) => {
                let group = self.live(no)?;
                group.may(who, Rank::Owner)?;
                if group.people.get(&user) != Some(&Rank::Admin) {
                    return Err("not admin");
                }
                group.people.insert(user, Rank::Member);
                group.happens();
            }
            Step::MuteAll(no, who, on) => {
                let group = self.live(no)?;
                group.may(who, Rank::Admin)?;
                group.all_muted = on;
            }
            _ => return self.list(step),
        }
        Ok(())
    }

    /// An operation that adds users to a list or removes them.
    fn list(&mut self, step: &Step) -> Result<(), No> {
        let (Step::Mute(no, who, user)
        | Step::Unmute(no, who, user)
        | Step::Allow(no, who, user)
        | Step::Disallow(no, who, user)
        | Step::Block(no, who, user)
        | Step::Unblock(no, who, user)) = *step
        else {
            return Err("another step");
        };
        let group = self.live(no)?;
        group.may(who, Rank::Admin)?;
        let owner = group.people.get(&user) == Some(&Rank::Owner);
        match step {
            Step::Mute(..) => {
                if owner && who.is_some() {
                    return Err("owner");
                }
                group.above(who, user)?;
                group.mutes.insert(user);
                group.happens();
            }
            Step::Allow(..) => {
                if !group.people.contains_key(&user) {
                    return Err("not members");
                }
                group.allowed.insert(user);
            }
            Step::Block(..) => {
                if owner {
                    return Err("owner");
                }
                group.above(who, user)?;
                group.people.remove(&user);
                group.blocked.insert(user);
            }
            Step::Unmute(..) => {
                if group.mutes.remove(&user) {
                    group.happens();
                }
            }
            Step::Disallow(..) => drop(group.allowed.remove(&user)),
            _ => drop(group.blocked.remove(&user)),
        }
        Ok(())
    }

    fn create(&mut self, no: GroupNo, owner: User, members: &[User], kind: Kind) -> Result<(), No> {
        if self.groups.contains_key(&no) {
            return Err("group exists");
        }
        if !self.users.contains(&owner) {
            return Err("no user");
        }
        let mut people = BTreeMap::from([(owner, Rank::Owner)]);
        for user in members {
            if self.users.contains(user) && people.len() < kind.capacity() {
                people.entry(*user).or_insert(Rank::Member);
            }
        }
        let group = Group {
            kind,
            people,
            disabled: false,
            all_muted: false,
            mutes: BTreeSet::new(),
            allowed: BTreeSet::new(),
            blocked: BTreeSet::new(),
            asking: BTreeMap::new(),
            next: self.gone.remove(&no).unwrap_or(1),
            version: 0,
        };
        self.groups.insert(no, group);
        Ok(())
    }

    fn disband(&mut self, no: GroupNo) {
        if let Some(group) = self.groups.remove(&no) {
            self.gone.insert(no, group.next);
        }
    }

    fn delete(&mut self, user: User, orphan: bool) -> Result<(), No> {
        if !self.users.remove(&user) {
            return Err("no user");
        }
        for no in self.groups.keys().copied().collect::<Vec<_>>() {
            let group = self.there(no)?;
            group.asking.retain(|(asker, _), _| *asker != user);
            match group.people.remove(&user) {
                Some(Rank::Owner) if !orphan => self.disband(no),
                Some(_) => {
                    group.mutes.remove(&user);
                    group.allowed.remove(&user);
                    group.happens();
                }
                None => {}
            }
        }
        Ok(())
    }

    fn add(&mut self, no: GroupNo, who: Who, user: User) -> Result<(), No> {
        let (known, now) = (self.users.contains(&user), self.steps);
        let group = self.live(no)?;
        let least = if group.kind.members_invite() { Rank::Member } else { Rank::Admin };
        group.may(who, least)?;
        if !known {
            return Err("no user");
        }
        if group.people.contains_key(&user) {
            return Err("already");
        }
        if group.blocked.contains(&user) {
            return Err("blocked");
        }
        let Some(actor) = who else { return group.enter(user) };
        let careful = group.kind == Kind::Careful && group.may(who, Rank::Admin).is_err();
        let wait = if careful { Wait::Managers } else { Wait::Invitee };
        if !careful && !group.kind.consent() {
            return group.enter(user);
        }
        group.asking.insert((user, Some(actor)), Asking { wait, filed: now, judged: false });
        Ok(())
    }

    fn apply(&mut self, no: GroupNo, user: User) -> Result<(), No> {
        let (known, now) = (self.users.contains(&user), self.steps);
        let group = self.live(no)?;
        if !known {
            return Err("no user");
        }
        if group.people.contains_key(&user) {
            return Ok(());
        }
        if group.blocked.contains(&user) {
            return Err("blocked");
        }
        match group.kind {
            Kind::Private => Err("closed"),
            Kind::Loose => group.enter(user),
            Kind::Strict | Kind::Careful => {
                group.asking.insert((user, None), Asking { wait: Wait::Managers, filed: now, judged: false });
                Ok(())
            }
        }
    }

    fn judge(&mut self, no: GroupNo, who: Who, user: User, inviter: Option<User>, accept: bool) -> Result<(), No> {
        let group = self.live(no)?;
        group.may(who, Rank::Admin)?;
        let key = group.waiting(user, inviter, Wait::Managers)?;
        if accept && key.1.is_some() && group.kind.consent() {
            if let Some(asking) = group.asking.get_mut(&key) {
                asking.wait = Wait::Invitee;
                asking.judged = true;
            }
            return Ok(());
        }
        if accept {
            group.enter(user)?;
        }
        group.end(key);
        Ok(())
    }

    fn send(&mut self, no: GroupNo, user: User) -> Result<(), No> {
        let group = self.live(no)?;
        let rank = *group.people.get(&user).ok_or("not members")?;
        let exempt = rank > Rank::Member || group.allowed.contains(&user);
        if group.mutes.contains(&user) || (group.all_muted && !exempt) {
            return Err("muted");
        }
        group.next += 1;
        Ok(())
    }
}
