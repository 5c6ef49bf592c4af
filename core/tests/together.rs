//! Several operations as one: later ones see what earlier ones change, and all of it is committed together or not at all.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use common::{World, add, block_on, by, group, story, text, user, users};
use conclave_core::engine::Engine;
use conclave_core::event::{Actor, Happening, ProfileChange};
use conclave_core::invariants::everything;
use conclave_core::memory::Memory;
use conclave_core::model::{Key, Millis, Policy, Prefix, Row, Settings, Until};
use conclave_core::operation::{
    Apply, CreateGroup, Disband, Mute, NewUser, OnExisting, OnOutsider, OnRefusal, Operation, Promote, RegisterUsers,
    SendMessage, Together, UpdateGroup, UpdateMember,
};
use conclave_core::ports::{Batch, Clock, CommitError, GroupsExt, Log, Mint, Span, Store, StoreError};
use conclave_core::query::{GroupById, Messages, Start};
use conclave_core::refusal::Refusal;

fn register(names: &[&str]) -> Operation {
    let users = names.iter().map(|name| NewUser::of(user(name))).collect();
    RegisterUsers { users, on_existing: OnExisting::Skip, folded: false }.into()
}

fn create(id: &str, owner: &str) -> Operation {
    CreateGroup { id: Some(group(id)), ..CreateGroup::new(Some(user(owner)), Policy::standard()) }.into()
}

fn promote(name: &str) -> Operation {
    Promote { group: group("g"), users: users(&[name]), most: None, on_outsider: OnOutsider::Refuse }.into()
}

fn mute(name: &str) -> Operation {
    let until = Until::Forever;
    Mute { group: group("g"), users: users(&[name]), until, members_only: true, spare_owner: true }.into()
}

fn card(name: &str, card: &str) -> Operation {
    UpdateMember { card: Some(card.to_owned()), ..UpdateMember::of(group("g"), user(name)) }.into()
}

#[test]
fn later_steps_see_what_earlier_ones_change() {
    block_on(async {
        let world = World::new();
        let steps = vec![register(&["ann", "ben"]), create("g", "ann"), add(&["ben"]).into(), promote("ben")];
        world.engine.run_all(&Actor::app(), steps).await.unwrap();
        let found = world.ask(GroupById { group: group("g") }).await.unwrap().group;
        assert_eq!((found.members, found.admins), (2, 1));
        assert_eq!(world.broken().await, None);
        // all of it is one call
        let events = Log::read(&*world.engine, 0, 100).await.unwrap();
        let calls: Vec<u64> = events.iter().map(|event| event.call()).collect();
        assert!(events.len() >= 4 && calls.iter().all(|call| *call == 1), "{calls:?}");
        assert!(events.last().unwrap().is_last_of_call());
        assert!(events[..events.len() - 1].iter().all(|event| !event.is_last_of_call()));
    });
}

#[test]
fn runs_and_counts_hold_what_earlier_steps_have_changed() {
    story(Policy::standard(), async |world| {
        // the member list of a group that is disbanded includes a user added by the same call, and the open request is
        // deleted
        let apply = Apply {
            group: group("g"),
            user: Some(user("dan")),
            message: String::new(),
            labels: conclave_core::model::Labels::new(),
            most: None,
        };
        world.app(apply).await.unwrap();
        world.register(&["eve"]).await;
        let steps = vec![add(&["eve"]).into(), text("eve", "bye").into(), Disband { group: group("g") }.into()];
        world.engine.run_all(&Actor::app(), steps).await.unwrap();
        let last = common::log(world).await.pop().unwrap();
        let Happening::GroupDisbanded { members, .. } = last else { panic!("{last:?}") };
        assert_eq!(members, users(&["ann", "ben", "cy", "eve"]));
        assert_eq!(world.broken().await, None);
    });
    block_on(async {
        let world = World::with(Settings { groups: Some(1), ..Settings::default() });
        let steps = vec![register(&["ann"]), create("a", "ann"), create("b", "ann")];
        let refused = world.engine.run_all(&Actor::app(), steps).await.unwrap_err();
        assert!(matches!(refused.refusal, Refusal::LimitReached { now: 1, .. }), "{refused:?}");
        assert_eq!(refused.step, 2);
    });
}

#[test]
fn a_refused_step_leaves_nothing_of_the_others() {
    story(Policy::standard(), async |world| {
        let before = everything(&*world.store as &dyn Store).await.unwrap();
        let steps = vec![card("ben", "Ben"), promote("dan"), mute("ben")];
        let refused = world.engine.run_all(&Actor::app(), steps).await.unwrap_err();
        assert_eq!(refused.step, 1);
        assert!(matches!(refused.refusal, Refusal::NotMembers { .. }), "{refused:?}");
        assert_eq!(everything(&*world.store as &dyn Store).await.unwrap(), before);
        // a user's rights are those of every single step
        let steps = vec![card("ben", "Ben"), mute("cy")];
        let refused = world.engine.run_all(&by("ben"), steps).await.unwrap_err();
        assert_eq!(refused.step, 1);
        assert_eq!(everything(&*world.store as &dyn Store).await.unwrap(), before);
    });
}

#[test]
fn a_skipped_step_leaves_nothing_and_the_others_are_performed() {
    story(Policy::standard(), async |world| {
        let named = |id: &str, name: &str| UpdateGroup {
            profile: ProfileChange { name: Some(name.to_owned()), ..ProfileChange::default() },
            ..UpdateGroup::of(group(id))
        };
        let operations = vec![named("g", "one"), named("none", "two"), named("g", "three")];
        let done = world.engine.run_each(&Actor::app(), OnRefusal::SkipAbsent, operations.clone()).await.unwrap();
        let refused = |refusal: &Result<(), Refusal>| matches!(refusal, Err(Refusal::GroupNotFound { .. }));
        assert_eq!(done.iter().map(refused).collect::<Vec<_>>(), [false, true, false]);
        let found = world.ask(GroupById { group: group("g") }).await.unwrap().group;
        // one change of the profile, whose callers see its number grow by one
        assert_eq!((&*found.profile.name, found.profile_revision), ("three", 1));
        // a refusal for another reason than absence undoes everything
        let by_cy = world.engine.run_each(&by("cy"), OnRefusal::SkipAbsent, operations.clone()).await;
        assert!(matches!(by_cy, Err(Refusal::NotPermitted { .. })), "{by_cy:?}");
        let each = world.engine.run_each(&by("cy"), OnRefusal::Skip, operations).await.unwrap();
        assert!(each.iter().all(Result::is_err));
    });
}

#[test]
fn messages_of_one_call_have_numbers_in_their_order() {
    story(Policy::standard(), async |world| {
        let send = |words: &str| -> SendMessage { text("ann", words) };
        let posted = world.engine.run_each(&by("ann"), OnRefusal::RefuseAll, vec![send("a"), send("b")]).await.unwrap();
        let numbers: Vec<u64> = posted.iter().map(|posted| posted.as_ref().unwrap().message.sequence).collect();
        assert_eq!(numbers[1], numbers[0] + 1);
        assert_ne!(posted[0].as_ref().unwrap().message.id, posted[1].as_ref().unwrap().message.id);
        let page = Messages { group: group("g"), start: Start::Sequence(numbers[0]), newest_first: false, limit: 9 };
        assert_eq!(world.ask(page).await.unwrap().messages.len(), 2);
    });
}

#[test]
fn steps_are_not_nested() {
    story(Policy::standard(), async |world| {
        let inner = Together { steps: vec![card("ben", "Ben")], on_refusal: OnRefusal::RefuseAll };
        // also alone, where a single operation would need no steps and is performed as it is
        for steps in [vec![inner.clone().into(), card("cy", "Cy")], vec![inner.clone().into()]] {
            let refused = world.engine.run_all(&Actor::app(), steps).await.unwrap_err();
            assert!(matches!(refused.refusal, Refusal::InvalidValue(_)), "{refused:?}");
        }
        let refused = world.engine.run_each(&Actor::app(), OnRefusal::RefuseAll, vec![inner]).await.unwrap_err();
        assert!(matches!(refused, Refusal::InvalidValue(_)), "{refused:?}");
    });
}

/// A store whose n-th commit fails, counted from 0.
struct Failing {
    store: Arc<Memory>,
    commits: AtomicUsize,
    fails: usize,
}

#[async_trait::async_trait]
impl Store for Failing {
    async fn fetch(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        self.store.fetch(keys).await
    }

    async fn scan(&self, span: &Span) -> Result<Vec<(Vec<u8>, Row)>, StoreError> {
        self.store.scan(span).await
    }

    async fn count(&self, prefix: &Prefix) -> Result<usize, StoreError> {
        self.store.count(prefix).await
    }

    async fn commit(&self, batch: Batch) -> Result<u64, CommitError> {
        if self.commits.fetch_add(1, Ordering::SeqCst) == self.fails {
            return Err(StoreError("out of order".to_owned()).into());
        }
        self.store.commit(batch).await
    }
}

struct Fixed(AtomicU64);

impl Clock for Fixed {
    fn now(&self) -> Millis {
        Millis(common::START)
    }
}

impl Mint for Fixed {
    fn bits(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

#[test]
fn a_store_that_fails_at_any_commit_keeps_all_of_a_call_or_nothing() {
    block_on(async {
        let calls = || {
            vec![
                vec![register(&["ann", "ben"]), create("g", "ann")],
                vec![add(&["ben"]).into(), text("ben", "hi").into()],
                vec![promote("ben"), card("ben", "Ben"), mute("ben")],
            ]
        };
        for fails in 0..calls().len() {
            let store = Arc::new(Memory::new());
            let failing = Arc::new(Failing { store: Arc::clone(&store), commits: AtomicUsize::new(0), fails });
            let fixed = Arc::new(Fixed(AtomicU64::new(1)));
            let engine = Engine::new(failing.clone(), fixed.clone(), fixed, Settings::default());
            for (call, steps) in calls().into_iter().enumerate() {
                let before = everything(&*store as &dyn Store).await.unwrap();
                let done = engine.run_all(&Actor::app(), steps.clone()).await;
                assert_eq!(done.is_err(), call == fails, "{done:?}");
                if call == fails {
                    assert_eq!(everything(&*store as &dyn Store).await.unwrap(), before);
                    // and it can be tried again
                    engine.run_all(&Actor::app(), steps).await.unwrap();
                }
            }
            // one commit a call, and the failed one
            assert_eq!(failing.commits.load(Ordering::SeqCst), calls().len() + 1);
        }
    });
}
