//! RongCloud's documented exchanges, replayed in the state that each requires: the response has everything the
//! documented one has, and all of it is pinned.

use std::collections::BTreeMap;

use conclave_core::model::{Circle, Join, Millis, Policy, Profile, Role, Until};
use conclave_core::operation::{
    AddMembers, Allow, CreateGroup, Follow, Mute, MuteEverywhere, NewMember, OnBlocked, OnFull, OnMember, OnUnknown,
    Quiet, SetPushName, SetRemark, Transfer, UpdateGroup, UpdateMember,
};
use conclave_kit::{Fault, Surface};
use conclave_rong::Settings;
use conclave_tests::client::{Answer, Client};
use conclave_tests::fixture::Fixture;
use conclave_tests::house::{mounted, rong};
use conclave_tests::world::{BEGINNING, World, group, user};
use http::Method;

/// The settings that the documented exchanges require.
fn settings() -> Settings {
    Settings { ext_keys: vec!["ext_k".to_owned()], ..Settings::default() }
}

async fn send(client: &Client, fixture: &Fixture) -> Answer {
    let headers: Vec<(&str, &str)> = fixture
        .request
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str().expect("a header is a text")))
        .collect();
    let method: Method = fixture.request.method.parse().expect("a method");
    let body = fixture.request.body.as_str().expect("a form").to_owned();
    client.send(method, &fixture.request.path, &headers, body).await
}

/// The response to a fault outside the surface, as the gateway gives it.
fn fault(fault: Fault) -> Answer {
    let world = World::new();
    let (parts, body) = rong(&world, settings()).fault(fault).into_parts();
    Answer { status: parts.status, headers: parts.headers, body: body.bytes().expect("a whole body").clone() }
}

/// Replays one exchange in a world of its own.
async fn replay(name: String) {
    let fixture = Fixture::read("rong", &name);
    let answer = match name.as_str() {
        "error-internal" => fault(Fault::Broken),
        "error-timeout" => fault(Fault::TimedOut),
        "error-rate-limited" => fault(Fault::Busy),
        _ => {
            let world = World::new();
            presuppose(&world, &name).await;
            let hosting = name != "error-service-not-enabled";
            let surface = rong(&world, Settings { hosting, ..settings() });
            let before = world.commits();
            let answer = send(&mounted(surface), &fixture).await;
            assert!(world.commits() <= before + 1, "{name}: what one call changes is one commit");
            answer
        }
    };
    fixture.assert_covers(&answer);
    assert_eq!(answer.headers["content-type"], "application/json; charset=utf-8");
    insta::assert_json_snapshot!(name.as_str(), fixture.pinned(&answer));
}

#[tokio::test]
async fn documented_exchanges() {
    let mut broken = Vec::new();
    for name in Fixture::names("rong") {
        // run separately, so that one run lists all failures
        if tokio::spawn(replay(name.clone())).await.is_err() {
            broken.push(name);
        }
    }
    assert!(broken.is_empty(), "not as documented: {broken:#?}");
}

// --- the states that exchanges require ----------------------------------------------------------------------------

/// A group without hosting.
async fn legacy(world: &World, id: &str, name: &str, members: &[&str]) {
    world
        .run(CreateGroup {
            id: Some(group(id)),
            members: members.iter().map(|id| NewMember::now(user(id))).collect(),
            profile: Profile { name: name.to_owned(), ..Profile::default() },
            governed: false,
            on_unknown_member: OnUnknown::Register,
            ..CreateGroup::new(None, Policy::standard())
        })
        .await;
}

/// A hosted group as the documentation describes it: `joinPerm` 1, `removePerm` 1, `memInvitePerm` 2.
fn hosted_policy() -> Policy {
    Policy {
        join: Join::Open,
        invite: Circle::Members,
        remove: Circle::Managers,
        edit_profile: Circle::Owner,
        edit_policy: Circle::Owner,
        ..Policy::standard()
    }
}

fn documented_profile() -> Profile {
    Profile {
        name: "group1".to_owned(),
        introduction: "intro".to_owned(),
        avatar: "http://example.com/g.png".to_owned(),
        fields: BTreeMap::from([("ext_k".to_owned(), "v".to_owned())]),
        ..Profile::default()
    }
}

/// A hosted group of this owner, created at this time.
async fn hosted_at(world: &World, id: &str, owner: &str, members: &[NewMember], created: Option<Millis>) {
    world
        .run(CreateGroup {
            id: Some(group(id)),
            members: members.to_vec(),
            profile: documented_profile(),
            announcement: "ann".to_owned(),
            created,
            on_unknown_owner: OnUnknown::Register,
            on_unknown_member: OnUnknown::Register,
            ..CreateGroup::new(Some(user(owner)), hosted_policy())
        })
        .await;
}

fn plain(ids: &[&str]) -> Vec<NewMember> {
    ids.iter().map(|id| NewMember::now(user(id))).collect()
}

fn admin(id: &str) -> NewMember {
    NewMember { role: Role::Admin, ..NewMember::now(user(id)) }
}

async fn hosted(world: &World, id: &str, owner: &str, members: &[&str]) {
    hosted_at(world, id, owner, &plain(members), None).await;
}

async fn join_at(world: &World, id: &str, member: NewMember) {
    world
        .run(AddMembers {
            group: group(id),
            members: vec![member],
            ask: false,
            message: String::new(),
            quiet: Quiet::Everybody,
            on_unknown: OnUnknown::Register,
            on_member: OnMember::Refuse,
            on_blocked: OnBlocked::Refuse,
            on_full: OnFull::Refuse,
            most: None,
        })
        .await;
}

/// Moves the world's clock to a time after its beginning.
fn stand_at(world: &World, at: u64) {
    world.clock.step(at.checked_sub(BEGINNING.0).expect("worlds begin earlier"));
}

/// The time at which the documented groups were created.
const MADE: u64 = 1_709_619_756_077;

async fn presuppose(world: &World, name: &str) {
    match name {
        _ if name.starts_with("entrust.group.member.") => members(world, name).await,
        _ if name.starts_with("entrust.") => entrust(world, name).await,
        _ if name.starts_with("error-") => errors(world, name).await,
        _ => unhosted(world, name).await,
    }
}

async fn unhosted(world: &World, name: &str) {
    match name {
        "group.dismiss" | "group.quit" | "group.refresh" | "group.remarks.set" | "group.remarks.del" => {
            legacy(world, "123", "TestGroup", &["1", "2", "a"]).await;
        }
        "group.remarks.get" => {
            legacy(world, "123", "TestGroup", &["a"]).await;
            world.run(SetPushName { group: group("123"), user: user("a"), name: "备注".to_owned() }).await;
        }
        "group.user.query" => legacy(world, "1", "TestGroup", &["10001", "10002", "10000", "10003"]).await,
        "group.ban.add" | "group.ban.rollback" => {
            legacy(world, "XklWnVzXm", "A", &[]).await;
            legacy(world, "LklWnVzXq", "B", &[]).await;
        }
        "group.ban.query" | "group.ban.query-all" => {
            for id in ["groupId1", "groupId2"] {
                legacy(world, id, id, &[]).await;
                world.run(UpdateGroup { all_muted: Some(true), ..UpdateGroup::of(group(id)) }).await;
            }
        }
        "group.user.ban.whitelist.add" | "group.user.ban.whitelist.rollback" => {
            legacy(world, "2MqOJa1Un", "A", &["3212", "2583"]).await;
        }
        "group.user.ban.whitelist.query" => {
            legacy(world, "16", "A", &["2111", "2582"]).await;
            let users = vec![user("2582"), user("2111")];
            world.run(Allow { group: group("16"), users, members_only: false }).await;
        }
        "group.user.gag.add" | "group.user.gag.rollback" => legacy(world, "16", "A", &["2582", "2583"]).await,
        "group.user.gag.list" => {
            // 2024-02-07 18:25:12 in Beijing
            stand_at(world, 1_707_301_512_000);
            legacy(world, "16", "A", &["2582"]).await;
            let until = Until::At(Millis(1_707_301_512_000 + 30 * 60_000));
            let users = vec![user("2582")];
            world.run(Mute { group: group("16"), users, until, members_only: false, spare_owner: false }).await;
        }
        "group.user.gag.list-all-groups" => {
            let until = Some(Until::At(BEGINNING.plus(60_000)));
            world.run(MuteEverywhere { users: vec![user("2582")], until, most: None }).await;
        }
        "user.group.query" => {
            legacy(world, "10001", "TestGroup1", &["123"]).await;
            world.clock.step(1);
            legacy(world, "10002", "TestGroup2", &["123"]).await;
        }
        "user.group.query-paged" => legacy(world, "10001", "TestGroup1", &["123"]).await,
        "message.group.publish" => legacy(world, "2192", "A", &["2191"]).await,
        "message.group.publish-grpntf" => legacy(world, "g1", "A", &["u1", "u3"]).await,
        // these create what they need
        "group.create"
        | "group.create-bindNotifyMsg"
        | "group.create-raw-utf8-body"
        | "group.join"
        | "group.join-undefined-name"
        | "group.sync"
        | "group.sync-raw-brackets"
        | "group.user.gag.add-all-groups"
        | "user.getToken"
        | "user.getToken-rc-prefixed-headers" => {}
        other => panic!("nobody says what {other} presupposes"),
    }
}

async fn entrust(world: &World, name: &str) {
    match name {
        "entrust.group.create" | "entrust.group.create-comma-array" => {}
        "entrust.group.import" => legacy(world, "groupId1", "old", &["u1", "u2"]).await,
        "entrust.group.dismiss" | "entrust.group.profile.update" | "entrust.group.profile.update-top-level-name" => {
            hosted(world, "groupId1", "u1", &["u2"]).await;
        }
        "entrust.group.quit" | "entrust.group.manager.add" | "entrust.group.manager.add-partial" => {
            hosted(world, "groupId1", "u1", &["userId", "userId1"]).await;
        }
        "entrust.group.manager.remove" => {
            hosted_at(world, "groupId1", "u1", &[admin("userId"), admin("userId1")], None).await;
        }
        "entrust.group.transfer.owner" | "entrust.group.transfer.owner-quit" => {
            hosted(world, "groupId1", "u1", &["fff"]).await;
        }
        "entrust.group.join" | "entrust.group.profile.query" | "entrust.group.query" => {
            stand_at(world, MADE);
            hosted(world, "groupId1", "u1", &["u2", "u3"]).await;
        }
        // the documented response is for missing groups
        "entrust.group.profile.query-doc-example-key" => {}
        "entrust.joined.group.query" => {
            stand_at(world, MADE);
            hosted(world, "groupId1", "u1", &["u2"]).await;
            hosted(world, "groupId2", "u1", &["userid1"]).await;
            world.clock.step(22);
            join_at(world, "groupId1", admin("userid1")).await;
            let remark = SetRemark { group: group("groupId1"), user: user("userid1"), text: "alias".to_owned() };
            world.run(remark).await;
        }
        "entrust.group.remarkname.set" | "entrust.group.remarkname.delete" => hosted(world, "456", "1", &["123"]).await,
        "entrust.group.remarkname.query" => {
            hosted(world, "456", "1", &["123"]).await;
            let text = "Happy Parents Group".to_owned();
            world.run(SetRemark { group: group("456"), user: user("123"), text }).await;
        }
        other => panic!("nobody says what {other} presupposes"),
    }
}

/// When the documented members joined.
const JOINED: u64 = 12_343_433_499_942;

async fn members(world: &World, name: &str) {
    match name {
        "entrust.group.member.query" | "entrust.group.member.specific.query" => {
            stand_at(world, JOINED + 1);
            // the documented owner joined second
            hosted_at(world, "groupId1", "u01", &[], Some(Millis(JOINED))).await;
            join_at(world, "groupId1", NewMember::now(user("u02"))).await;
            world.run(Transfer { group: group("groupId1"), to: user("u02"), leave: None }).await;
            card(world, "u01", "nickname1", "").await;
            card(world, "u02", "nickname2", "xxxx").await;
        }
        "entrust.group.member.query-full" => {
            // a group without an owner: the only documented member is an ordinary one
            stand_at(world, JOINED);
            let ownerless = CreateGroup {
                id: Some(group("groupId1")),
                members: plain(&["u01"]),
                on_unknown_member: OnUnknown::Register,
                ..CreateGroup::new(None, hosted_policy())
            };
            world.run(ownerless).await;
            card(world, "u01", "nickname1", "").await;
        }
        "entrust.group.member.set" => hosted(world, "groupId1", "u1", &["u01"]).await,
        "entrust.group.member.kick" => hosted(world, "groupId1", "u1", &["userId"]).await,
        "entrust.group.member.kick-all" => {
            hosted(world, "groupId1", "u1", &["userId1"]).await;
            hosted(world, "groupId2", "userId1", &["u1"]).await;
        }
        "entrust.group.member.follow" => hosted(world, "456", "1", &["123", "u123", "u456"]).await,
        "entrust.group.member.unfollow" | "entrust.group.member.followed.get" => {
            stand_at(world, MADE);
            hosted(world, "456", "1", &["123", "u123", "u456"]).await;
            let users = vec![user("u123"), user("u456")];
            world.run(Follow { group: group("456"), user: user("123"), users, most: None }).await;
        }
        other => panic!("nobody says what {other} presupposes"),
    }
}

async fn card(world: &World, member: &str, nickname: &str, extra: &str) {
    let update = UpdateMember {
        card: Some(nickname.to_owned()),
        extra: Some(extra.to_owned()),
        ..UpdateMember::of(group("groupId1"), user(member))
    };
    world.run(update).await;
}

async fn errors(world: &World, name: &str) {
    match name {
        "error-entrust.group-not-found" | "error-entrust.group-id-invalid" => {}
        "error-entrust.not-hosted" => legacy(world, "legacy1", "old", &["u1"]).await,
        "error-entrust.member-limit" => {
            let full = CreateGroup {
                id: Some(group("full")),
                on_unknown_owner: OnUnknown::Register,
                ..CreateGroup::new(Some(user("u1")), Policy { capacity: Some(1), ..hosted_policy() })
            };
            world.run(full).await;
        }
        "error-entrust.manager-limit" | "error-entrust.manager-limit-count" => {
            let mut people: Vec<NewMember> = (2..=12).map(|n| NewMember::now(user(&format!("u{n}")))).collect();
            people.extend((13..=22).map(|n| admin(&format!("u{n}"))));
            hosted_at(world, "g1", "u1", &people, None).await;
        }
        "error-entrust.name-invalid" | "error-service-not-enabled" => {}
        _ => hosted(world, "g1", "u1", &["u2", "u5"]).await,
    }
}
