//! What single operations promise.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::collections::BTreeMap;

use common::{World, add, block_on, by, group, story, text, user, users};
use conclave_core::event::{Actor, Happening};
use conclave_core::model::{Circle, Join, Millis, Policy, Receive, Role, Settings, Stage, Until};
use conclave_core::operation::OnOutsider;
use conclave_core::operation::{
    AddFile, AddMembers, AddOutcome, Allow, AnswerInvitation, Applied, Apply, AttributeChange, Block, Cleanup,
    CounterChange, CreateGroup, DecideRequest, Decided, DeleteUser, Disband, Follow, Leave, Mute, MuteEverywhere,
    NewMember, NewUser, OnExisting, OnUnknown, OwnedGroups, Promote, Quiet, RecallMessages, RegisterOutcome,
    RegisterUsers, RemoveFile, RemoveMembers, SendMessage, SetRemark, SyncGroups, Unfollow, UpdateCounters,
    UpdateGroup, UpdateMember, WriteAttributes, WriteMemberAttributes,
};
use conclave_core::ports::GroupsExt;
use conclave_core::query::{
    AllMutedGroups, Allowlist, Blocklist, Feed, File, FindUsers, Follows, GroupById, JoinedGroups, MaySpeak,
    MessageById, Messages, Mutes, Remark, Requests, RequestsOf, Start,
};
use conclave_core::refusal::{Limit, Refusal};

#[test]
fn members_do_not_make_admins_of_those_they_bring() {
    story(Policy { invite: Circle::Members, ..Policy::standard() }, async |world| {
        let new_member = NewMember { role: Role::Admin, ..NewMember::now(user("dan")) };
        world.run(&by("ben"), AddMembers { members: vec![new_member], ..add(&[]) }).await.unwrap();
        let found = world.ask(GroupById { group: group("g") }).await.unwrap().group;
        assert_eq!((found.members, found.admins), (4, 0));
    });
}

#[test]
fn creators_add_members_even_if_nobody_may_invite_later() {
    block_on(async {
        let world = World::peopled(&["ann", "ben"]).await;
        let create = CreateGroup {
            members: vec![NewMember::now(user("ben"))],
            ..CreateGroup::new(Some(user("ann")), Policy { invite: Circle::Nobody, ..Policy::standard() })
        };
        let created = world.run(&by("ann"), create.clone()).await.unwrap();
        assert_eq!(created.group.members, 2);
        assert!(created.group.id.as_str().bytes().all(|byte| byte.is_ascii_digit()));
        assert_eq!(world.run(&by("ben"), create).await.unwrap_err(), Refusal::AppOnly);
        assert_eq!(world.broken().await, None);
    });
}

#[test]
fn an_invitation_goes_by_the_managers_and_then_by_the_invited() {
    let careful = Policy {
        invite: Circle::Members,
        invite_approval: Some(Circle::Managers),
        invitee_consent: true,
        ..Policy::standard()
    };
    story(careful, async |world| {
        let added = world.run(&by("ben"), add(&["dan"])).await.unwrap();
        assert_eq!(added.outcomes, [(user("dan"), AddOutcome::AwaitsManagers)]);
        let answer = |accept| AnswerInvitation {
            group: group("g"),
            user: user("dan"),
            inviter: Some(user("ben")),
            accept,
            reason: String::new(),
            most: None,
        };
        let early = world.run(&by("dan"), answer(true)).await.unwrap_err();
        assert_eq!(early, Refusal::RequestNotFound(group("g")));
        let decide = DecideRequest {
            group: group("g"),
            user: user("dan"),
            inviter: Some(user("ben")),
            accept: true,
            reason: "fine".to_owned(),
            most: None,
        };
        assert!(world.run(&by("cy"), decide.clone()).await.is_err());
        assert_eq!(world.run(&by("ann"), decide.clone()).await.unwrap(), Decided::AwaitsInvitee);
        assert_eq!(world.run(&by("ann"), decide).await.unwrap_err(), Refusal::RequestDecided(group("g")));
        assert_eq!(world.run(&by("dan"), answer(true)).await.unwrap(), Decided::Joined);
        let again = world.run(&by("dan"), answer(true)).await.unwrap_err();
        assert_eq!(again, Refusal::RequestDecided(group("g")));
    });
}

#[test]
fn a_request_lapses_and_coming_in_another_way_closes_it() {
    story(Policy::standard(), async |world| {
        let apply = Apply {
            group: group("g"),
            user: None,
            message: "please".to_owned(),
            labels: conclave_core::model::Labels::new(),
            most: None,
        };
        assert_eq!(world.run(&by("dan"), apply.clone()).await.unwrap(), Applied::Waiting);
        world.step(Settings::default().request_lifetime);
        let decide = DecideRequest {
            group: group("g"),
            user: user("dan"),
            inviter: None,
            accept: true,
            reason: String::new(),
            most: None,
        };
        let late = world.run(&by("ann"), decide.clone()).await.unwrap_err();
        assert_eq!(late, Refusal::RequestNotFound(group("g")));
        world.run(&by("dan"), apply).await.unwrap();
        world.app(add(&["dan"])).await.unwrap();
        assert_eq!(world.run(&by("ann"), decide).await.unwrap_err(), Refusal::RequestDecided(group("g")));
        let page = world.ask(Requests::all(RequestsOf::User(user("dan")))).await.unwrap();
        assert_eq!(page.requests[0].stage, Stage::Joined);
    });
}

#[test]
fn a_mute_outlives_membership_and_ends_in_its_time() {
    story(Policy::standard(), async |world| {
        let until = Until::At(world.now().plus(10_000));
        let mute = Mute { group: group("g"), users: users(&["ben"]), until, members_only: true, spare_owner: true };
        world.run(&by("ann"), mute).await.unwrap();
        let muted = Refusal::Muted { group: group("g"), everybody: false };
        assert_eq!(world.run(&by("ben"), text("ben", "hi")).await.unwrap_err(), muted);
        let remove = RemoveMembers {
            group: group("g"),
            users: users(&["ben"]),
            reason: String::new(),
            cleanup: Cleanup::default(),
            quiet: Quiet::Nobody,
            on_outsider: OnOutsider::Refuse,
            skip_owner: false,
        };
        world.app(remove).await.unwrap();
        world.app(add(&["ben"])).await.unwrap();
        assert_eq!(world.run(&by("ben"), text("ben", "hi")).await.unwrap_err(), muted);
        world.step(10_000);
        assert!(world.ask(Mutes::all(group("g"))).await.unwrap().entries.is_empty());
        world.run(&by("ben"), text("ben", "hi")).await.unwrap();
    });
}

#[test]
fn a_mute_everywhere_outranks_roles_and_its_number_is_limited() {
    story(Policy::standard(), async |world| {
        let mute = |names: &[&str]| MuteEverywhere { users: users(names), until: Some(Until::Forever), most: Some(1) };
        world.app(mute(&["ann"])).await.unwrap();
        world.app(mute(&["ann"])).await.unwrap();
        let over = world.app(mute(&["ben"])).await.unwrap_err();
        assert_eq!(over, Refusal::LimitReached { limit: Limit::MutedEverywhere, most: 1, now: 1 });
        let voices = world.ask(MaySpeak { group: group("g"), users: users(&["ann", "ben", "dan"]) }).await.unwrap();
        let verdicts: Vec<bool> = voices.users.iter().map(|voice| voice.verdict.is_ok()).collect();
        assert_eq!(verdicts, [false, true, false]);
    });
}

#[test]
fn attributes_are_written_by_callers_with_the_latest_version() {
    story(Policy::standard(), async |world| {
        let pairs = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect::<BTreeMap<_, _>>()
        };
        let write = |change, expected| WriteAttributes {
            group: group("g"),
            change,
            expected,
            most: Some(2),
            most_bytes: Some(8),
        };
        let set = |values: &[(&str, &str)]| AttributeChange::Set(pairs(values));
        assert_eq!(world.run(&by("ben"), write(set(&[("a", "1")]), Some(0))).await.unwrap().0.version, 1);
        let stale = world.run(&by("cy"), write(set(&[("a", "2")]), Some(0))).await.unwrap_err();
        assert_eq!(stale, Refusal::VersionConflict { group: group("g"), current: 1 });
        assert!(world.app(write(set(&[("b", "2"), ("c", "3")]), None)).await.is_err());
        assert!(world.app(write(set(&[("b", "12345678")]), None)).await.is_err());
        let replaced = world.app(write(AttributeChange::Replace(pairs(&[("c", "3")])), Some(1))).await.unwrap().0;
        assert_eq!(replaced.entries, BTreeMap::from([("c".to_owned(), ("3".to_owned(), 2))]));
        let delete = |must_exist| AttributeChange::Delete { keys: vec!["x".to_owned()], must_exist };
        assert_eq!(world.app(write(delete(true), None)).await.unwrap_err(), Refusal::KeyNotFound("x".to_owned()));
        assert_eq!(world.app(write(delete(false), None)).await.unwrap().0.version, 3);
        assert!(world.app(write(AttributeChange::Clear, Some(3))).await.unwrap().0.entries.is_empty());
        assert!(world.run(&by("dan"), write(AttributeChange::Clear, None)).await.is_err());

        let add = |step| UpdateCounters {
            group: group("g"),
            changes: BTreeMap::from([("n".to_owned(), CounterChange::Add(step))]),
            most: Some(1),
        };
        assert_eq!(world.app(add(i64::MAX)).await.unwrap().0["n"], i64::MAX);
        assert!(world.app(add(1)).await.is_err());
    });
}

#[test]
fn members_change_their_own_and_managers_what_the_policy_lets_them() {
    story(Policy { edit_member: Circle::Owner, ..Policy::standard() }, async |world| {
        let card = |name: &str| UpdateMember { card: Some("card".into()), ..UpdateMember::of(group("g"), user(name)) };
        world.run(&by("ben"), card("ben")).await.unwrap();
        assert!(world.run(&by("ben"), card("cy")).await.is_err());
        world.run(&by("ann"), card("cy")).await.unwrap();
        let hush = UpdateMember { receive: Some(Receive::Silent), ..UpdateMember::of(group("g"), user("cy")) };
        assert_eq!(world.run(&by("ann"), hush.clone()).await.unwrap_err(), Refusal::AppOnly);
        world.run(&by("cy"), hush).await.unwrap();
        let mine = BTreeMap::from([("k".to_owned(), "v".to_owned())]);
        let changes = vec![(user("ben"), mine.clone()), (user("cy"), mine.clone()), (user("dan"), mine)];
        let write = WriteMemberAttributes { group: group("g"), changes, most: None, most_bytes: None };
        let written = world.run(&by("ben"), write).await.unwrap();
        let done: Vec<bool> = written.outcomes.iter().map(|(_, outcome)| outcome.is_ok()).collect();
        assert_eq!(done, [true, false, false]);
    });
}

#[test]
fn what_a_user_keeps_for_themself_is_theirs() {
    story(Policy::standard(), async |world| {
        let remark = SetRemark { group: group("g"), user: user("ben"), text: "friends".to_owned() };
        assert_eq!(world.run(&by("cy"), remark.clone()).await.unwrap_err(), Refusal::AppOnly);
        world.run(&by("ben"), remark).await.unwrap();
        let ask = Remark { group: group("g"), user: user("ben") };
        assert_eq!(world.ask(ask).await.unwrap().0, "friends");
        let follow =
            |names: &[&str]| Follow { group: group("g"), user: user("ben"), users: users(names), most: Some(1) };
        assert!(world.run(&by("ben"), follow(&["dan"])).await.is_err());
        world.run(&by("ben"), follow(&["cy"])).await.unwrap();
        assert!(matches!(
            world.run(&by("ben"), follow(&["ann"])).await,
            Err(Refusal::LimitReached { limit: Limit::Follows, most: 1, now: 2 })
        ));
        // users who left make room, and are not listed
        world.app(DeleteUser { user: user("cy"), owned: OwnedGroups::Disband }).await.unwrap();
        let followed = Follows { group: group("g"), user: user("ben") };
        assert!(world.ask(followed.clone()).await.unwrap().0.is_empty());
        world.run(&by("ben"), follow(&["ann"])).await.unwrap();
        assert_eq!(world.ask(followed.clone()).await.unwrap().0[0].0, user("ann"));
        let unfollow = Unfollow { group: group("g"), user: user("ben"), users: users(&["ann", "cy"]) };
        world.run(&by("ben"), unfollow).await.unwrap();
        assert!(world.ask(followed).await.unwrap().0.is_empty());
    });
}

#[test]
fn a_sync_makes_a_list_the_groups_of_a_user_and_spares_what_they_own() {
    story(Policy::standard(), async |world| {
        world.group("mine", "ben", &[], Policy::standard()).await;
        let sync = |groups: &[(&str, &str)]| SyncGroups {
            user: user("ben"),
            groups: groups.iter().map(|(id, name)| (group(id), (*name).to_owned())).collect(),
            policy: Policy { join: Join::Closed, ..Policy::standard() },
            on_unknown: OnUnknown::Register,
        };
        let joined = async || {
            let page = world.ask(JoinedGroups::all(user("ben"))).await.unwrap();
            let mut ids: Vec<String> = page.groups.iter().map(|(group, _)| group.id.to_string()).collect();
            ids.sort();
            ids
        };
        world.app(sync(&[("x", "X"), ("y", "Y"), ("x", "Z")])).await.unwrap();
        assert_eq!(joined().await, ["mine", "x", "y"]);
        assert_eq!(world.ask(GroupById { group: group("x") }).await.unwrap().group.profile.name, "X");
        world.app(sync(&[("y", "Why")])).await.unwrap();
        assert_eq!(joined().await, ["mine", "y"]);
        assert_eq!(world.ask(GroupById { group: group("y") }).await.unwrap().group.profile.name, "Why");
        world.app(sync(&[])).await.unwrap();
        assert_eq!(joined().await, ["mine"]);
        assert_eq!(world.run(&by("ben"), sync(&[])).await.unwrap_err(), Refusal::AppOnly);
    });
}

#[test]
fn a_group_that_takes_an_id_again_has_no_past() {
    for governed in [false, true] {
        block_on(async {
            let world = World::peopled(&["ann", "ben", "cy"]).await;
            let create = || CreateGroup {
                id: Some(group("g")),
                governed,
                members: vec![NewMember::now(user("ben")), NewMember::now(user("cy"))],
                ..CreateGroup::new(governed.then(|| user("ann")), Policy::standard())
            };
            world.app(create()).await.unwrap();
            world.app(text("ben", "before")).await.unwrap();
            let (until, members_only, spare_owner) = (Until::Forever, false, false);
            let mute = Mute { group: group("g"), users: users(&["ben"]), until, members_only, spare_owner };
            world.app(mute).await.unwrap();
            let (reason, cleanup) = (String::new(), Cleanup::default());
            let block = Block { group: group("g"), users: users(&["cy"]), until, reason, members_only, cleanup };
            world.app(block).await.unwrap();
            world.app(Allow { group: group("g"), users: users(&["ben"]), members_only }).await.unwrap();
            world.app(UpdateGroup { all_muted: Some(true), ..UpdateGroup::of(group("g")) }).await.unwrap();
            world.app(Disband { group: group("g") }).await.unwrap();
            assert_eq!(world.broken().await, None);
            assert!(world.ask(AllMutedGroups { after: None, limit: 9 }).await.unwrap().groups.is_empty());

            let made = world.app(create()).await.unwrap();
            assert!(made.added.outcomes.iter().all(|(_, outcome)| *outcome == AddOutcome::Joined), "{made:?}");
            let found = world.ask(GroupById { group: group("g") }).await.unwrap().group;
            assert!(!found.all_muted && found.last_message.is_none());
            assert!(world.ask(Mutes::all(group("g"))).await.unwrap().entries.is_empty());
            assert!(world.ask(Blocklist::all(group("g"))).await.unwrap().entries.is_empty());
            assert!(world.ask(Allowlist::all(group("g"))).await.unwrap().entries.is_empty());
            let read = |newest_first, start| Messages { group: group("g"), start, newest_first, limit: 9 };
            for start in [Start::Edge, Start::Sequence(1), Start::Time(Millis(0))] {
                for newest_first in [false, true] {
                    assert!(world.ask(read(newest_first, start)).await.unwrap().messages.is_empty());
                }
            }
            let recall = RecallMessages { group: group("g"), sequences: vec![1], reason: String::new() };
            assert!(world.app(recall).await.unwrap().outcomes[0].1.is_err());
            world.app(text("ben", "after")).await.unwrap();
            let said = world.ask(read(false, Start::Edge)).await.unwrap().messages;
            assert_eq!(said.len(), 1);
            assert!(world.ask(MessageById { message: said[0].id.clone() }).await.is_ok());
            assert_eq!(world.broken().await, None);
        });
    }
}

#[test]
fn accounts_are_made_once_however_they_are_spelled() {
    block_on(async {
        let world = World::with(Settings { users: Some(3), ..Settings::default() });
        world.register(&["Ann"]).await;
        let register = |names: &[&str], on_existing, folded| RegisterUsers {
            users: names.iter().map(|name| NewUser::of(user(name))).collect(),
            on_existing,
            folded,
        };
        let taken = world.app(register(&["ann"], OnExisting::Refuse, true)).await.unwrap_err();
        assert_eq!(taken, Refusal::UserExists(user("Ann")));
        let registered = world.app(register(&["ann", "b", "c", "d"], OnExisting::Skip, false)).await.unwrap();
        let made: Vec<bool> =
            registered.outcomes.iter().map(|(_, outcome)| *outcome == RegisterOutcome::Created).collect();
        assert_eq!(made, [true, true, false, false]);
        let found = world.ask(FindUsers { ids: users(&["ANN", "ann"]), folded: true }).await.unwrap().0;
        let found: Vec<_> = found.into_iter().map(|user| user.unwrap().id.clone()).collect();
        assert_eq!(found, users(&["Ann", "ann"]));
        world.app(DeleteUser { user: user("Ann"), owned: OwnedGroups::Disband }).await.unwrap();
        let found = world.ask(FindUsers { ids: users(&["ANN"]), folded: true }).await.unwrap().0;
        assert_eq!(found[0].as_ref().unwrap().id, user("ann"));
        assert_eq!(world.broken().await, None);
    });
}

#[test]
fn a_deleted_user_leaves_everything_and_their_groups_end_or_go_on() {
    for owned in [OwnedGroups::Disband, OwnedGroups::Orphan] {
        story(Policy::standard(), async |world| {
            world.group("h", "ben", &["ann"], Policy::standard()).await;
            world
                .run(
                    &by("dan"),
                    Apply {
                        group: group("g"),
                        user: None,
                        message: String::new(),
                        labels: conclave_core::model::Labels::new(),
                        most: None,
                    },
                )
                .await
                .unwrap();
            world.app(DeleteUser { user: user("ann"), owned }).await.unwrap();
            world.app(DeleteUser { user: user("dan"), owned }).await.unwrap();
            let g = world.ask(GroupById { group: group("g") }).await;
            match owned {
                OwnedGroups::Disband => assert!(g.is_err()),
                OwnedGroups::Orphan => assert_eq!(g.unwrap().group.owner, None),
            }
            assert_eq!(world.ask(GroupById { group: group("h") }).await.unwrap().group.members, 1);
        });
    }
}

#[test]
fn a_blocked_user_is_removed_notified_and_cannot_join() {
    story(Policy { join: Join::Open, ..Policy::standard() }, async |world| {
        let block = |names: &[&str], members_only| Block {
            group: group("g"),
            users: users(names),
            until: Until::At(world.now().plus(5000)),
            reason: "spam".to_owned(),
            members_only,
            cleanup: Cleanup::default(),
        };
        let outsider = world.run(&by("ann"), block(&["dan"], true)).await.unwrap_err();
        assert_eq!(outsider, Refusal::NotMembers { group: group("g"), users: users(&["dan"]) });
        let listed = world.run(&by("ann"), block(&["ben", "dan", "ann"], true)).await.unwrap();
        assert_eq!(listed.done, users(&["ben"]));
        assert_eq!(listed.left_out.len(), 2);
        let apply = Apply {
            group: group("g"),
            user: None,
            message: String::new(),
            labels: conclave_core::model::Labels::new(),
            most: None,
        };
        assert!(matches!(world.run(&by("ben"), apply.clone()).await, Err(Refusal::Blocked { .. })));
        assert!(matches!(world.app(add(&["ben"])).await, Err(Refusal::Blocked { .. })));
        let feed = world.ask(Feed { user: user("ben"), after: 0, limit: 100 }).await.unwrap();
        assert!(feed.events.iter().any(|event| matches!(event.what, Happening::Blocked { .. })));
        world.step(5000);
        assert_eq!(world.run(&by("ben"), apply).await.unwrap(), Applied::Joined);
    });
}

#[test]
fn files_are_shared_by_members_and_removed_by_their_owner_or_managers() {
    story(Policy::standard(), async |world| {
        let share = AddFile {
            group: group("g"),
            id: None,
            name: "a.txt".to_owned(),
            media_type: "text/plain".to_owned(),
            size: 3,
            expires: Some(world.now().plus(1000)),
            secret: None,
            blob: "b1".to_owned(),
            most: Some(1),
        };
        assert!(world.run(&by("dan"), share.clone()).await.is_err());
        let file = world.run(&by("ben"), share.clone()).await.unwrap().0;
        assert!(matches!(world.run(&by("cy"), share.clone()).await, Err(Refusal::LimitReached { .. })));
        let remove = RemoveFile { group: group("g"), file: file.id.clone() };
        assert!(matches!(world.run(&by("cy"), remove.clone()).await, Err(Refusal::NotPermitted { .. })));
        let ask = File { group: group("g"), file: file.id.clone() };
        assert_eq!(world.engine.ask(&by("cy"), ask.clone()).await.unwrap().0.name, "a.txt");
        world.step(1000);
        assert!(matches!(world.ask(ask).await, Err(Refusal::FileNotFound { .. })));
        assert_eq!(world.run(&by("ann"), remove).await.unwrap().0.blob, "b1");
    });
}

#[test]
fn the_system_acts_like_the_app() {
    story(Policy::standard(), async |world| {
        world.run(&Actor::System, UpdateGroup { all_muted: Some(true), ..UpdateGroup::of(group("g")) }).await.unwrap();
        let everybody = Refusal::Muted { group: group("g"), everybody: true };
        assert_eq!(world.run(&by("ben"), text("ben", "hi")).await.unwrap_err(), everybody);
        world.run(&by("ann"), text("ann", "hi")).await.unwrap();
    });
}

/// Clients name users twice; a refusal names them once.
#[test]
fn refusals_name_nobody_twice() {
    story(Policy::standard(), async |world| {
        let twice = || users(&["dan", "eve", "dan"]);
        let once = Refusal::NotMembers { group: group("g"), users: users(&["dan", "eve"]) };
        let leave = Leave {
            group: group("g"),
            users: twice(),
            cleanup: Cleanup::default(),
            on_outsider: OnOutsider::Refuse,
            keep_owner: false,
        };
        assert_eq!(world.app(leave).await.unwrap_err(), once);
        let remove = RemoveMembers {
            group: group("g"),
            users: twice(),
            reason: String::new(),
            cleanup: Cleanup::default(),
            quiet: Quiet::Nobody,
            on_outsider: OnOutsider::Refuse,
            skip_owner: false,
        };
        assert_eq!(world.app(remove).await.unwrap_err(), once);
        let promote = Promote { group: group("g"), users: twice(), most: None, on_outsider: OnOutsider::Refuse };
        assert_eq!(world.app(promote).await.unwrap_err(), once);
        let mute =
            Mute { group: group("g"), users: twice(), until: Until::Forever, members_only: true, spare_owner: true };
        assert_eq!(world.app(mute).await.unwrap_err(), once);
        let targeted = SendMessage { targets: twice(), ..text("ann", "hi") };
        assert_eq!(world.run(&by("ann"), targeted).await.unwrap_err(), once);
    });
}
