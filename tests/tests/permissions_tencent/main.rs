//! What each type of group lets an app's admin do at Tencent: each command in a world of its own, compared with the
//! vendor's tables; and that only an admin may call. A refusal has the documented code, and changes nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a broken expectation is a panic")]

mod roles;
#[path = "../tencent_support/mod.rs"]
mod tencent_support;

use conclave_core::event::Actor;
use conclave_core::ports::GroupsExt;
use conclave_core::query::GroupById;
use conclave_tencent::{Settings, user_sig};
use conclave_tests::client::Client;
use conclave_tests::house::credentials::{ADMIN, SDKAPPID, SECRET_KEY};
use conclave_tests::world::{BEGINNING, World, group};
use http::Method;
use serde_json::{Value, json};
use tencent_support::{body_of, call, client, group_call};

/// The types, in the order of a row's codes.
const KINDS: [&str; 5] = ["Private", "Public", "ChatRoom", "AVChatRoom", "Community"];
/// All types permit it.
const ALL: [u64; 5] = [0; 5];
/// Live rooms have no member lists and no commands on them.
const NO_LIVE: [u64; 5] = [0, 0, 0, 10007, 0];
const NOT_PRIVATE: [u64; 5] = [10007, 0, 0, 0, 0];
const NOT_COMMUNITY: [u64; 5] = [0, 0, 0, 0, 10007];
const NEVER: [u64; 5] = [10007; 5];

struct Row {
    name: &'static str,
    command: &'static str,
    body: Value,
    codes: [u64; 5],
}

/// A command of the group service.
fn row(command: &'static str, body: Value, codes: [u64; 5]) -> Row {
    Row { name: command, command, body, codes }
}

/// The same, for a command with more than one row.
fn named(name: &'static str, command: &'static str, body: Value, codes: [u64; 5]) -> Row {
    Row { name, command, body, codes }
}

fn text(said: &str) -> Value {
    json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": said}}])
}

/// `GroupId` is added to every body. alice owns the group, bob and carol are members, dave is not.
#[rustfmt::skip]
fn table() -> Vec<Row> {
    let hour = BEGINNING.seconds() - 3600;
    vec![
        row("get_group_info", json!({"GroupIdList": ["G"]}), ALL),
        row("get_group_member_info", json!({}), NO_LIVE),
        row("get_specified_group_member_info", json!({"Member_List_Account": ["bob"]}), NO_LIVE),
        row("get_role_in_group", json!({"User_Account": ["bob"]}), NO_LIVE),
        row("get_joined_group_list", json!({"Member_Account": "bob"}), ALL),
        row("modify_group_base_info", json!({"Name": "new", "Introduction": "i", "Notification": "n", "FaceUrl": "f"}), ALL),
        named("mute all", "modify_group_base_info", json!({"MuteAllMember": "On"}), NOT_PRIVATE),
        named("mute all, older name", "modify_group_base_info", json!({"ShutUpAllMember": "On"}), NOT_PRIVATE),
        row("add_group_member", json!({"MemberList": [{"Member_Account": "dave"}]}), NO_LIVE),
        row("delete_group_member", json!({"MemberToDel_Account": ["bob"]}), [0, 0, 0, 10004, 0]),
        named("name card", "modify_group_member_info", json!({"Member_Account": "bob", "NameCard": "Bob"}), NO_LIVE),
        named("message option", "modify_group_member_info", json!({"Member_Account": "bob", "MsgFlag": "Discard"}), NO_LIVE),
        named("make admin", "modify_group_member_info", json!({"Member_Account": "bob", "Role": "Admin"}), [10007, 0, 0, 10007, 0]),
        named("mute by member info", "modify_group_member_info", json!({"Member_Account": "bob", "MuteTime": 60}), [10007, 0, 0, 10007, 0]),
        named("role of the owner", "modify_group_member_info", json!({"Member_Account": "alice", "Role": "Member"}), NEVER),
        row("forbid_send_msg", json!({"Members_Account": ["bob"], "MuteTime": 60}), NOT_PRIVATE),
        named("mute, older name", "forbid_send_msg", json!({"Members_Account": ["bob"], "ShutUpTime": 60}), NOT_PRIVATE),
        row("get_group_muted_account", json!({}), NOT_PRIVATE),
        row("get_group_shutted_uin", json!({}), NOT_PRIVATE),
        row("ban_group_member", json!({"Members_Account": ["bob"], "Duration": 60}), NOT_COMMUNITY),
        row("unban_group_member", json!({"Members_Account": ["bob"]}), NOT_COMMUNITY),
        row("get_group_ban_member", json!({"Limit": 10, "Offset": 0}), NOT_COMMUNITY),
        row("change_group_owner", json!({"NewOwner_Account": "bob"}), NO_LIVE),
        row("send_group_msg", json!({"Random": 1, "MsgBody": text("hi")}), ALL),
        named("targeted message", "send_group_msg", json!({"Random": 1, "MsgBody": text("hi"), "To_Account": ["bob"]}), [0, 0, 0, 10007, 10007]),
        row("group_msg_get_simple", json!({"ReqMsgNumber": 5}), [0, 0, 0, 10044, 0]),
        row("delete_group_msg_by_sender", json!({"Sender_Account": "bob"}), ALL),
        row("import_group_msg", json!({"MsgList": [{"From_Account": "bob", "SendTime": hour, "MsgBody": text("old")}]}), NO_LIVE),
        row("import_group_member", json!({"MemberList": [{"Member_Account": "dave"}]}), NO_LIVE),
        row("modify_group_attr", json!({"GroupAttr": [{"key": "k", "value": "v"}]}), ALL),
        row("set_group_attr", json!({"GroupAttr": [{"key": "k", "value": "v"}]}), ALL),
        row("clear_group_attr", json!({}), NOT_COMMUNITY),
        row("get_group_counter", json!({}), NOT_COMMUNITY),
        row("update_group_counter", json!({"GroupCounter": [{"Key": "k", "Value": 1}], "Mode": "Set"}), NOT_COMMUNITY),
        row("delete_group_counter", json!({"GroupCounterKeys": ["k"]}), NOT_COMMUNITY),
        row("destroy_group", json!({}), ALL),
    ]
}

struct House {
    world: World,
    client: Client,
    id: String,
}

async fn house(kind: &str) -> House {
    let world = World::new();
    world.users(&["alice", "bob", "carol", "dave"]).await;
    let client = client(&world, Settings::default());
    // created a day ago, so that messages can be imported
    let created = BEGINNING.seconds() - 86_400;
    let body = json!({"Type": kind, "Name": "g", "Owner_Account": "alice", "CreateTime": created});
    let live = kind == "AVChatRoom";
    let made = group_call(&client, if live { "create_group" } else { "import_group" }, body).await;
    let id = made["GroupId"].as_str().expect("an id").to_owned();
    if !live {
        let members = json!([{"Member_Account": "bob"}, {"Member_Account": "carol"}]);
        group_call(&client, "add_group_member", json!({"GroupId": id, "MemberList": members})).await;
    }
    House { world, client, id }
}

impl House {
    fn body(&self, row: &Row) -> Value {
        let mut body = row.body.clone();
        if body.get("GroupIdList").is_some() {
            body["GroupIdList"] = json!([self.id]);
        } else if row.command != "get_joined_group_list" {
            body["GroupId"] = json!(self.id);
        }
        body
    }

    async fn state(&self) -> (Option<u64>, u64) {
        let found = self.world.groups.ask(&Actor::app(), GroupById { group: group(&self.id) }).await;
        let last = self.world.log.last().await.unwrap();
        (found.ok().map(|found| found.group.revision), last)
    }

    /// The outcome of a command; refusals are checked to have changed nothing.
    async fn check(&self, row: &Row, answer: impl Future<Output = Value>, code: u64) -> Result<(), String> {
        let before = self.state().await;
        let answer = answer.await;
        let failure = format!("{}: {answer}, not {code}", row.name);
        if answer["ErrorCode"] != code {
            return Err(failure);
        }
        if code != 0 && self.state().await != before {
            return Err(format!("{failure}: and yet something changed"));
        }
        Ok(())
    }
}

#[tokio::test]
async fn each_type_lets_done_what_the_vendor_says() {
    let mut failed = Vec::new();
    for row in table() {
        for (kind, code) in KINDS.into_iter().zip(row.codes) {
            let house = house(kind).await;
            let answer = group_call(&house.client, row.command, house.body(&row));
            if let Err(failure) = house.check(&row, answer, code).await {
                failed.push(format!("{kind}: {failure}"));
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[tokio::test]
async fn nobody_but_an_admin_of_the_app_does_anything() {
    let house = house("Public").await;
    let sig = user_sig(SDKAPPID, SECRET_KEY, "alice", BEGINNING.seconds(), 86_400);
    let mut failed = Vec::new();
    for row in table() {
        // the group's own owner, with a valid signature
        let target = format!(
            "/v4/group_open_http_svc/{}?sdkappid={SDKAPPID}&identifier=alice&usersig={sig}&random=1&contenttype=json",
            row.command
        );
        let body = house.body(&row).to_string();
        let answer = async { body_of(&house.client.send(Method::POST, &target, &[], body).await) };
        if let Err(failure) = house.check(&row, answer, 60010).await {
            failed.push(failure);
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

/// A group that never existed, and a deleted one.
#[tokio::test]
async fn unknown_and_deleted_groups_have_different_errors() {
    let (never, gone) = (house("Public").await, house("Public").await);
    group_call(&gone.client, "destroy_group", json!({"GroupId": gone.id})).await;
    let never = House { id: "@TGS#NEVER".to_owned(), ..never };
    let mut failed = Vec::new();
    for row in table().iter().filter(|row| !matches!(row.command, "get_group_info" | "get_joined_group_list")) {
        for (house, code) in [(&never, 10015), (&gone, 10010)] {
            let answer = group_call(&house.client, row.command, house.body(row));
            if let Err(failure) = house.check(row, answer, code).await {
                failed.push(failure);
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

/// Targets that the command cannot apply to.
#[tokio::test]
async fn impossible_targets_are_refused_as_documented() {
    let mut failed = Vec::new();
    for (row, code) in [
        (named("transfer to a stranger", "change_group_owner", json!({"NewOwner_Account": "dave"}), ALL), 10004),
        (named("transfer to nobody", "change_group_owner", json!({"NewOwner_Account": "ghost"}), ALL), 10019),
        (
            named(
                "a stranger's card",
                "modify_group_member_info",
                json!({"Member_Account": "dave", "NameCard": "D"}),
                ALL,
            ),
            10004,
        ),
        (named("remove the owner", "delete_group_member", json!({"MemberToDel_Account": ["alice"]}), ALL), 10007),
        (named("remove nobody", "delete_group_member", json!({"MemberToDel_Account": ["dave", "ghost"]}), ALL), 0),
        (
            named(
                "too many to ban",
                "ban_group_member",
                json!({"Members_Account": (0..21).map(|at| format!("u{at}")).collect::<Vec<_>>(), "Duration": 1}),
                ALL,
            ),
            10005,
        ),
        (named("no owner to transfer to", "change_group_owner", json!({}), ALL), 10004),
        (named("no mute time", "forbid_send_msg", json!({"Members_Account": ["bob"]}), ALL), 10004),
    ] {
        let house = house("Public").await;
        let answer = group_call(&house.client, row.command, house.body(&row));
        if let Err(failure) = house.check(&row, answer, code).await {
            failed.push(failure);
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

/// Who may send messages, by the named sender.
#[tokio::test]
async fn the_muted_are_refused_and_those_above_the_mute_are_not() {
    for (muted, sender, code) in [
        ("nobody", "bob", 0),
        ("nobody", "dave", 10007),
        ("bob", "bob", 10017),
        ("bob", "carol", 0),
        ("all", "bob", 10017),
        ("all", "alice", 0),
        ("all", ADMIN, 0),
    ] {
        let house = house("Public").await;
        match muted {
            "bob" => {
                let body = json!({"GroupId": house.id, "Members_Account": ["bob"], "MuteTime": 60});
                group_call(&house.client, "forbid_send_msg", body).await;
            }
            "all" => {
                let body = json!({"GroupId": house.id, "MuteAllMember": "On"});
                group_call(&house.client, "modify_group_base_info", body).await;
            }
            _ => {}
        }
        let before = house.state().await;
        let mut body = json!({"GroupId": house.id, "Random": 1, "MsgBody": text("hi")});
        if sender != ADMIN {
            body["From_Account"] = sender.into();
        }
        let answer = call(&house.client, "group_open_http_svc/send_group_msg", &body).await;
        assert_eq!(answer["ErrorCode"], code, "{sender} while {muted} is muted: {answer}");
        assert_eq!(house.state().await == before, code != 0, "{sender} while {muted} is muted");
    }
}
