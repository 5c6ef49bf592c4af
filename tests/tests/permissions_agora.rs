//! Permissions of user tokens at Agora: each operation by each role in a world of its own, compared with the vendor's
//! table. A refusal has the vendor's own text, and changes nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a broken expectation is a panic")]

mod agora_support;

use agora_support::{app_token, call, client, user_token};
use conclave_agora::Settings;
use conclave_core::event::Actor;
use conclave_core::model::{Body, Circle, FileId, Join, Sender};
use conclave_core::operation::{AddFile, Apply, PolicyChange, SendMessage, UpdateGroup};
use conclave_core::ports::GroupsExt;
use conclave_core::query::GroupById;
use conclave_core::refusal::Refusal;
use conclave_tests::client::{Answer, Client};
use conclave_tests::world::{World, group, user};
use futures_util::stream;
use http::Method;
use serde_json::{Value, json};

const GROUP: &str = "66016455491585";
/// Two of each role, so that there is always another one to act on.
const OWNER: &str = "ann";
const ADMINS: [&str; 2] = ["ben", "bob"];
const MEMBERS: [&str; 2] = ["cy", "col"];
const OUTSIDER: &str = "eve";

/// The callers, in the order of a row's outcomes.
const CALLERS: [&str; 4] = [OWNER, ADMINS[0], MEMBERS[0], OUTSIDER];

/// The outcome of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Done,
    Refused(u16, &'static str, &'static str),
}

use Outcome::{Done, Refused};

const ADMIN: Outcome =
    Refused(401, "group_authorization", "you have no permission to do this, group admin permission is required");
const EDITOR: Outcome = Refused(
    401,
    "group_authorization",
    "you have no permission to do this,group fields require group admin privileges to be modified",
);
const MEMBER: Outcome =
    Refused(401, "group_authorization", "you have no permission to do this, group member permission is required");
const OWN: Outcome =
    Refused(401, "group_authorization", "you have no permission to do this, group owner permission is required");
const APP: Outcome = Refused(401, "auth_bad_access_token", "Unable to authenticate due to corrupt access token");
const OWNER_SAFE: Outcome = Refused(403, "forbidden_op", "forbidden operation on group owner!");
const OWNER_STAYS: Outcome = Refused(403, "forbidden_op", "owner can not quit group");

/// A row of the vendor's table: an operation, and its outcome by role.
struct Row {
    name: &'static str,
    method: Method,
    target: &'static str,
    body: fn() -> Value,
    outcomes: [Outcome; 4],
}

fn row(name: &'static str, method: Method, target: &'static str, body: fn() -> Value, outcomes: [Outcome; 4]) -> Row {
    Row { name, method, target, body, outcomes }
}

fn nothing() -> Value {
    Value::Null
}

fn people(names: &[&str]) -> Value {
    json!({ "usernames": names })
}

/// `{me}` in a target is the caller.
#[rustfmt::skip]
fn table() -> Vec<Row> {
    let (get, post, put, delete) = (Method::GET, Method::POST, Method::PUT, Method::DELETE);
    vec![
        row("read detail", get.clone(), "/chatgroups/G", nothing, [Done, Done, Done, Done]),
        row("list members", get.clone(), "/chatgroups/G/users", nothing, [Done, Done, Done, MEMBER]),
        row("list admins", get.clone(), "/chatgroups/G/admin", nothing, [Done, Done, Done, MEMBER]),
        row("read the announcement", get.clone(), "/chatgroups/G/announcement", nothing, [Done, Done, Done, MEMBER]),
        row("list files", get.clone(), "/chatgroups/G/share_files", nothing, [Done, Done, Done, MEMBER]),
        row("download a file", get.clone(), "/chatgroups/G/share_files/1", nothing, [Done, Done, Done, MEMBER]),
        row("delete another's file", delete.clone(), "/chatgroups/G/share_files/1", nothing, [Done, Done, ADMIN, MEMBER]),
        row("delete one's own file", delete.clone(), "/chatgroups/G/share_files/2", nothing, [Done, Done, Done, MEMBER]),
        row("change the name", put.clone(), "/chatgroups/G", || json!({"groupname": "new"}), [Done, Done, EDITOR, EDITOR]),
        row("change a flag", put.clone(), "/chatgroups/G", || json!({"membersonly": true}), [Done, Done, EDITOR, EDITOR]),
        row("set the announcement", post.clone(), "/chatgroups/G/announcement", || json!({"announcement": "new"}), [Done, Done, ADMIN, MEMBER]),
        row("delete the announcement", post.clone(), "/chatgroups/G/announcement", || json!({"announcement": ""}), [Done, Done, ADMIN, MEMBER]),
        row("invite", post.clone(), "/chatgroups/G/invite", || people(&["new"]), [Done, Done, ADMIN, MEMBER]),
        row("add one", post.clone(), "/chatgroups/G/users/new", nothing, [Done, Done, ADMIN, MEMBER]),
        row("add several", post.clone(), "/chatgroups/G/users", || people(&["new"]), [APP, APP, APP, APP]),
        row("approve a request", post.clone(), "/chatgroups/G/apply_verify", || json!({"applicant": "asks", "verifyResult": true}), [Done, Done, ADMIN, MEMBER]),
        row("refuse a request", post.clone(), "/chatgroups/G/apply_verify", || json!({"applicant": "asks", "verifyResult": false}), [Done, Done, ADMIN, MEMBER]),
        row("remove a member", delete.clone(), "/chatgroups/G/users/col", nothing, [Done, Done, ADMIN, MEMBER]),
        row("remove an admin", delete.clone(), "/chatgroups/G/users/bob", nothing, [Done, OWN, ADMIN, MEMBER]),
        row("remove the owner", delete.clone(), "/chatgroups/G/users/ann", nothing, [OWNER_SAFE, OWNER_SAFE, ADMIN, MEMBER]),
        row("remove several", delete.clone(), "/chatgroups/G/users/col,new", nothing, [Done, Done, ADMIN, MEMBER]),
        row("list the blocked", get.clone(), "/chatgroups/G/blocks/users", nothing, [Done, Done, ADMIN, MEMBER]),
        row("block a member", post.clone(), "/chatgroups/G/blocks/users/col", nothing, [Done, Done, ADMIN, MEMBER]),
        row("block an admin", post.clone(), "/chatgroups/G/blocks/users/bob", nothing, [Done, OWN, ADMIN, MEMBER]),
        row("block the owner", post.clone(), "/chatgroups/G/blocks/users/ann", nothing, [OWNER_SAFE, OWNER_SAFE, ADMIN, MEMBER]),
        row("block several", post.clone(), "/chatgroups/G/blocks/users", || people(&["col"]), [Done, Done, ADMIN, MEMBER]),
        row("unblock", delete.clone(), "/chatgroups/G/blocks/users/bad", nothing, [Done, Done, ADMIN, MEMBER]),
        row("list the muted", get.clone(), "/chatgroups/G/mute", nothing, [Done, Done, ADMIN, MEMBER]),
        row("mute a member", post.clone(), "/chatgroups/G/mute", || json!({"usernames": ["col"], "mute_duration": 60_000}), [Done, Done, ADMIN, MEMBER]),
        row("mute the owner", post.clone(), "/chatgroups/G/mute", || json!({"usernames": ["ann"], "mute_duration": 60_000}), [OWNER_SAFE, OWNER_SAFE, ADMIN, MEMBER]),
        row("unmute", delete.clone(), "/chatgroups/G/mute/col", nothing, [Done, Done, ADMIN, MEMBER]),
        row("unmute a role", delete.clone(), "/chatgroups/G/mute?role=member", nothing, [APP, APP, APP, APP]),
        row("mute all", post.clone(), "/chatgroups/G/ban", nothing, [Done, Done, ADMIN, MEMBER]),
        row("lift the mute of all", delete.clone(), "/chatgroups/G/ban", nothing, [Done, Done, ADMIN, MEMBER]),
        row("list the allowed", get.clone(), "/chatgroups/G/white/users", nothing, [Done, Done, ADMIN, MEMBER]),
        row("allow", post.clone(), "/chatgroups/G/white/users", || people(&["col"]), [Done, Done, ADMIN, MEMBER]),
        row("disallow", delete.clone(), "/chatgroups/G/white/users/col", nothing, [Done, Done, ADMIN, MEMBER]),
        row("am I muted", get.clone(), "/sdk/chatgroups/G/mute/{me}", nothing, [Done, Done, Done, MEMBER]),
        row("am I allowed", get.clone(), "/chatgroups/G/white/users/{me}", nothing, [Done, Done, Done, MEMBER]),
        row("add an admin", post.clone(), "/chatgroups/G/admin", || json!({"newadmin": "col"}), [Done, OWN, OWN, MEMBER]),
        row("remove an admin's role", delete.clone(), "/chatgroups/G/admin/bob", nothing, [Done, OWN, OWN, MEMBER]),
        row("transfer", put.clone(), "/chatgroups/G", || json!({"newowner": "col"}), [Done, OWN, OWN, MEMBER]),
        row("destroy", delete.clone(), "/chatgroups/G", nothing, [Done, OWN, OWN, MEMBER]),
        row("leave", delete.clone(), "/chatgroups/G/quit", nothing, [OWNER_STAYS, Done, Done, Refused(403, "forbidden_op", "users [eve] are not members of this group!")]),
        row("shield", post.clone(), "/chatgroups/G/shield", nothing, [Done, Done, Done, MEMBER]),
        row("set one's own attributes", put.clone(), "/sdk/metadata/chatgroup/G/user/{me}", || json!({"metaData": {"k": "v"}}), [Done, Done, Done, MEMBER]),
        row("set another's attributes", put.clone(), "/sdk/metadata/chatgroup/G/user/col", || json!({"metaData": {"k": "v"}}), [Done, OWN, OWN, MEMBER]),
        row("read attributes", post.clone(), "/sdk/metadata/chatgroup/G/get", || json!({"targets": ["col"], "properties": ["k"]}), [Done, Done, Done, MEMBER]),
        row("ban the group", post.clone(), "/chatgroups/G/disable", nothing, [APP, APP, APP, APP]),
        row("unban the group", post.clone(), "/chatgroups/G/enable", nothing, [APP, APP, APP, APP]),
        row("list all groups", get.clone(), "/chatgroups", nothing, [APP, APP, APP, APP]),
        row("count all groups", get.clone(), "/chatgroups/count", nothing, [APP, APP, APP, APP]),
        row("speak for somebody", post.clone(), "/messages/chatgroups", || json!({"from": "ann", "to": [GROUP], "type": "txt", "body": {"msg": "x"}}), [APP, APP, APP, APP]),
        row("list another's groups", get.clone(), "/chatgroups/user/col", nothing, [Refused(401, "group_authorization", "you have no permission to do this, only the user may"); 4]),
        row("list one's own groups", get.clone(), "/users/{me}/joined_chatgroups", nothing, [Done, Done, Done, Done]),
        row("count one's own groups", get.clone(), "/chatgroups/user/{me}/joined_count", nothing, [Done, Done, Done, Done]),
        row("list the public groups", get.clone(), "/publicchatgroups", nothing, [Done, Done, Done, Done]),
        row("change how many fit", put.clone(), "/chatgroups/G", || json!({"maxusers": 50}), [Done, Done, EDITOR, EDITOR]),
        row("allow one", post.clone(), "/chatgroups/G/white/users/col", nothing, [Done, Done, ADMIN, MEMBER]),
        row("unblock several", delete.clone(), "/chatgroups/G/blocks/users/bad,new", nothing, [Done, Done, ADMIN, MEMBER]),
        row("unmute several", delete.clone(), "/chatgroups/G/mute/col,cy", nothing, [Done, Done, ADMIN, MEMBER]),
        row("stop shielding", delete, "/chatgroups/G/shield", nothing, [Done, Done, Done, MEMBER]),
        row("list who shields", get.clone(), "/chatgroups/G/shield", nothing, [APP, APP, APP, APP]),
        row("check membership", get.clone(), "/chatgroups/G/user/col/is_joined", nothing, [APP, APP, APP, APP]),
        row("put somebody into several groups", post, "/users/new/joined_chatgroups", || json!({"id_list": [GROUP]}), [APP, APP, APP, APP]),
        row("set several's attributes", put.clone(), "/metadata/chatgroup/G/users/batch", || json!([{"username": "col", "metadata": {"k": "v"}}]), [APP, APP, APP, APP]),
        row("set one's attributes as the app", put, "/metadata/chatgroup/G/user/col", || json!({"metaData": {"k": "v"}}), [APP, APP, APP, APP]),
        row("read one's attributes as the app", get, "/metadata/chatgroup/G/user/col", nothing, [APP, APP, APP, APP]),
    ]
}

struct House {
    world: World,
    client: Client,
}

/// A public group with approval, a waiting applicant, a blocked user, and two files.
async fn house(change: PolicyChange, caller: &str) -> House {
    let world = World::new();
    let client = client(&world, Settings::default());
    world.users(&[OWNER, ADMINS[0], ADMINS[1], MEMBERS[0], MEMBERS[1], OUTSIDER, "new", "asks", "bad"]).await;
    let app = app_token(&client).await;
    let done = |target: &'static str, body: Value| {
        let (client, app) = (client.clone(), app.clone());
        async move {
            let answer = call(&client, Method::POST, &at(target, ""), &app, body).await;
            assert_eq!(answer.status, 200, "{target}: {:?}", answer.body);
        }
    };
    let members = [ADMINS[0], ADMINS[1], MEMBERS[0], MEMBERS[1], "bad"];
    let create = json!({"groupid": GROUP, "public": true, "membersonly": true, "owner": OWNER, "members": members});
    done("/chatgroups", create).await;
    for admin in ADMINS {
        done("/chatgroups/G/admin", json!({"newadmin": admin})).await;
    }
    done("/chatgroups/G/blocks/users/bad", Value::Null).await;
    world
        .run(Apply {
            group: group(GROUP),
            user: Some(user("asks")),
            message: String::new(),
            labels: conclave_core::model::Labels::new(),
            most: None,
        })
        .await;
    for (id, owner) in [("1", MEMBERS[1]), ("2", caller)] {
        let owner = if owner == OUTSIDER { OWNER } else { owner };
        let blob = world.blobs.put(Box::pin(stream::iter([Ok("x".into())])), 9).await.unwrap().id;
        let add = AddFile {
            group: group(GROUP),
            id: Some(FileId::new(id).unwrap()),
            name: "x".to_owned(),
            media_type: String::new(),
            size: 1,
            expires: None,
            secret: None,
            blob,
            most: None,
        };
        world.groups.run(&Actor::user(user(owner)), add).await.unwrap();
    }
    world.run(UpdateGroup { policy: change, ..UpdateGroup::of(group(GROUP)) }).await;
    world.clock.step(1000);
    House { world, client }
}

fn at(target: &str, me: &str) -> String {
    format!("/acme/demo{}", target.replace("/G", &format!("/{GROUP}")).replace("{me}", me))
}

impl House {
    async fn call(&self, row: &Row, caller: &str) -> Answer {
        let token = user_token(&self.client, caller).await;
        call(&self.client, row.method.clone(), &at(row.target, caller), &token, (row.body)()).await
    }

    /// Everything that a change would alter: the group's header, and the log.
    async fn state(&self) -> (u64, u64) {
        let found = self.world.groups.ask(&Actor::app(), GroupById { group: group(GROUP) }).await.unwrap();
        let last = self.world.log.last().await.unwrap();
        (found.group.revision, last)
    }

    /// The outcome of a call; refusals are checked to have changed nothing.
    async fn outcome(&self, row: &Row, caller: &str, wanted: Outcome) -> Result<(), String> {
        let token = user_token(&self.client, caller).await;
        drop(token);
        let before = self.state().await;
        let answer = self.call(row, caller).await;
        let failure = format!("{} by {caller}: {} {}", row.name, answer.status, String::from_utf8_lossy(&answer.body));
        match wanted {
            Done => {
                let body: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
                let refused = |row: &Value| row["result"] == false;
                let all_refused =
                    body["data"].as_array().is_some_and(|rows| !rows.is_empty() && rows.iter().all(refused));
                if answer.status == 200 && !all_refused { Ok(()) } else { Err(failure) }
            }
            Refused(status, error, description) => {
                let body = answer.json();
                let same =
                    answer.status == status && body["error"] == error && body["error_description"] == description;
                if !same {
                    return Err(failure);
                }
                if self.state().await == before { Ok(()) } else { Err(format!("{failure}: and yet something changed")) }
            }
        }
    }
}

async fn check(row: &Row, change: PolicyChange, outcomes: [Outcome; 4], failed: &mut Vec<String>) {
    for (caller, wanted) in CALLERS.into_iter().zip(outcomes) {
        let house = house(change.clone(), caller).await;
        if let Err(failure) = house.outcome(row, caller, wanted).await {
            failed.push(failure);
        }
    }
}

#[tokio::test]
async fn each_role_may_what_the_vendor_lets_it() {
    let mut failed = Vec::new();
    for row in table() {
        check(&row, PolicyChange::default(), row.outcomes, &mut failed).await;
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[tokio::test]
async fn the_app_may_everything() {
    let mut failed = Vec::new();
    // a user's private data is not returned to others
    let own = [
        "leave",
        "shield",
        "stop shielding",
        "count one's own groups",
        "am I muted",
        "am I allowed",
        "list one's own groups",
        "set one's own attributes",
    ];
    for row in table().iter().filter(|row| !own.contains(&row.name)) {
        let house = house(PolicyChange::default(), OWNER).await;
        let token = app_token(&house.client).await;
        let answer = call(&house.client, row.method.clone(), &at(row.target, OWNER), &token, (row.body)()).await;
        let owner_is_safe = row.outcomes[0] == OWNER_SAFE;
        if (answer.status == 200) == owner_is_safe {
            failed.push(format!("{}: {} {:?}", row.name, answer.status, answer.body));
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

/// The effect of a group's flags on the table.
#[tokio::test]
async fn flags_open_and_close_what_they_say() {
    let hidden = PolicyChange { join: Some(Join::Closed), ..PolicyChange::default() };
    let inviting = PolicyChange { invite: Some(Circle::Members), ..PolicyChange::default() };
    let open = PolicyChange { join: Some(Join::Open), ..PolicyChange::default() };
    let read = || row("read detail", Method::GET, "/chatgroups/G", nothing, [Done; 4]);
    let invite = || row("invite", Method::POST, "/chatgroups/G/invite", || people(&["new"]), [Done; 4]);
    let apply = || row("apply", Method::POST, "/chatgroups/G/apply", || json!({"message": "hi"}), [Done; 4]);
    let already = |user: &str| -> &'static str {
        Box::leak(format!("can not join this group, reason:user: {user} already in group: {GROUP}\n").into_boxed_str())
    };
    let member = |user| Refused(403, "forbidden_op", already(user));
    let closed = Refused(403, "forbidden_op", "can not join this group, reason:group 66016455491585 is not public");
    let mut failed = Vec::new();
    for (row, change, outcomes) in [
        (read(), hidden.clone(), [Done, Done, Done, MEMBER]),
        (invite(), inviting, [Done, Done, Done, MEMBER]),
        (apply(), open, [member(OWNER), member(ADMINS[0]), member(MEMBERS[0]), Done]),
        (apply(), hidden, [member(OWNER), member(ADMINS[0]), member(MEMBERS[0]), closed]),
    ] {
        check(&row, change, outcomes, &mut failed).await;
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

/// A group banned by the app: members can neither manage it nor send messages, and the refusal has the reason.
#[tokio::test]
async fn nobody_manages_a_banned_group() {
    let disabled = Refused(403, "forbidden_op", "can not operate this group, reason: group is disabled");
    let writes = [
        "change the name",
        "set the announcement",
        "invite",
        "add one",
        "remove a member",
        "block a member",
        "unblock",
        "mute a member",
        "unmute",
        "mute all",
        "lift the mute of all",
        "allow",
        "disallow",
        "add an admin",
        "transfer",
        "delete another's file",
        "approve a request",
        "set another's attributes",
    ];
    let mut failed = Vec::new();
    for row in table().iter().filter(|row| writes.contains(&row.name)) {
        let house = house(PolicyChange::default(), OWNER).await;
        let app = app_token(&house.client).await;
        let banned = call(&house.client, Method::POST, &at("/chatgroups/G/disable", ""), &app, Value::Null).await;
        assert_eq!(banned.status, 200);
        if let Err(failure) = house.outcome(row, OWNER, disabled).await {
            failed.push(failure);
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

/// A form with a file, which the table cannot send.
#[tokio::test]
async fn every_member_uploads() {
    for (caller, wanted) in CALLERS.into_iter().zip([200, 200, 200, 401]) {
        let house = house(PolicyChange::default(), caller).await;
        let before = house.state().await;
        let bearer = format!("Bearer {}", user_token(&house.client, caller).await);
        let headers = [("authorization", bearer.as_str()), ("content-type", "multipart/form-data; boundary=b")];
        let form = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nx\r\n--b--\r\n";
        let answer = house.client.send(Method::POST, &at("/chatgroups/G/share_files", ""), &headers, form).await;
        assert_eq!(answer.status, wanted, "{caller}: {:?}", answer.body);
        assert_eq!(house.state().await == before, wanted != 200, "{caller}");
    }
}

/// The refusals of messages: the first one that applies, in the vendor's order.
#[tokio::test]
async fn messages_are_stopped_as_the_vendor_says() {
    let speaks = async |house: &House, who: &str| {
        let said = SendMessage::new(group(GROUP), Sender::User(user(who)), Body::Text("hi".to_owned()));
        match house.world.groups.run(&Actor::user(user(who)), said).await {
            Ok(_) => "said",
            Err(Refusal::GroupDisabled(_)) => "banned",
            Err(Refusal::NotMembers { .. } | Refusal::NotPermitted { .. }) => "no member",
            Err(Refusal::Muted { everybody, .. }) => {
                if everybody {
                    "all muted"
                } else {
                    "muted"
                }
            }
            Err(other) => panic!("{other}"),
        }
    };
    let all = async |house: &House| {
        let mut outcomes = Vec::new();
        for who in [OWNER, ADMINS[0], MEMBERS[0], MEMBERS[1], OUTSIDER, "bad"] {
            outcomes.push(speaks(house, who).await);
        }
        outcomes
    };
    let house = house(PolicyChange::default(), OWNER).await;
    let app = app_token(&house.client).await;
    let does = async |method: Method, target: &str, body: Value| {
        let answer = call(&house.client, method, &at(target, ""), &app, body).await;
        assert_eq!(answer.status, 200, "{target}: {:?}", answer.body);
    };
    assert_eq!(all(&house).await, ["said", "said", "said", "said", "no member", "no member"]);
    does(Method::POST, "/chatgroups/G/mute", json!({"usernames": ["cy"], "mute_duration": 60_000})).await;
    assert_eq!(all(&house).await, ["said", "said", "muted", "said", "no member", "no member"]);
    // the allowlist overrides muting all, but not a mute of one's own
    does(Method::POST, "/chatgroups/G/white/users", people(&["cy"])).await;
    assert_eq!(speaks(&house, "cy").await, "muted");
    does(Method::POST, "/chatgroups/G/ban", Value::Null).await;
    assert_eq!(all(&house).await, ["said", "said", "muted", "all muted", "no member", "no member"]);
    does(Method::POST, "/chatgroups/G/white/users", people(&["col"])).await;
    assert_eq!(speaks(&house, "col").await, "said");
    // a mute is kept when the user leaves and returns
    does(Method::DELETE, "/chatgroups/G/users/cy", Value::Null).await;
    does(Method::POST, "/chatgroups/G/users/cy", Value::Null).await;
    assert_eq!(speaks(&house, "cy").await, "muted");
    house.world.clock.step(60_000);
    assert_eq!(speaks(&house, "cy").await, "all muted");
    does(Method::DELETE, "/chatgroups/G/ban", Value::Null).await;
    assert_eq!(speaks(&house, "cy").await, "said");
    does(Method::POST, "/chatgroups/G/disable", Value::Null).await;
    let outcomes = all(&house).await;
    assert!(!outcomes.contains(&"said"), "{outcomes:?}");
    does(Method::POST, "/chatgroups/G/enable", Value::Null).await;
    assert_eq!(speaks(&house, "cy").await, "said");
}
