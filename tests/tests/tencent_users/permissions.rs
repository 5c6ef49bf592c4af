//! What each type of group lets its owner, its admins, its members and non-members do, each command in a world of its
//! own, compared with the vendor's tables. A refusal has the documented code, and changes nothing.

use conclave_core::event::Actor;
use conclave_core::ports::GroupsExt;
use conclave_core::query::GroupById;
use conclave_tencent::Settings;
use conclave_tests::world::group;
use serde_json::{Value, json};

use crate::{COMMUNITIES, GROUPS, House, house};

/// The types, in the order of a row's cells.
const KINDS: [&str; 5] = ["Private", "Public", "ChatRoom", "AVChatRoom", "Community"];
/// The callers: the letter of a cell, and the account. carol is an ordinary member on whom the others act.
const CALLERS: [(char, &str); 4] = [('o', "alice"), ('a', "bob"), ('m', "dave"), ('n', "erin")];

/// A command, and who may call it in groups of each type: owner, admin, member, non-member.
struct Row {
    name: &'static str,
    command: &'static str,
    body: Value,
    who: [&'static str; 5],
}

fn row(name: &'static str, command: &'static str, body: Value, who: [&'static str; 5]) -> Row {
    Row { name, command, body, who }
}

/// `GroupId` is added to every body, and `CALLER` is replaced by the caller.
#[rustfmt::skip]
fn table() -> Vec<Row> {
    let text = json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": "hi"}}]);
    vec![
        row("own profile", "get_group_self_member_info", json!({"GroupIdList": ["G"]}), ["om", "oam", "oam", "omn", "oam"]),
        row("public profile", "get_group_public_info", json!({"GroupIdList": ["G"]}), ["om", "oamn", "oamn", "omn", "oamn"]),
        row("member list", "get_group_member_info", json!({}), ["om", "oam", "oam", "", "oam"]),
        row("named members", "get_specified_group_member_info", json!({"Member_List_Account": ["carol"]}), ["om", "oam", "oam", "", "oam"]),
        row("texts", "modify_group_base_info", json!({"Name": "n", "Introduction": "i", "Notification": "n", "FaceUrl": "f"}), ["om", "oa", "oa", "o", "oa"]),
        row("join option", "modify_group_base_info", json!({"ApplyJoinOption": "NeedPermission"}), ["o", "oa", "", "", "oa"]),
        row("invite option", "modify_group_base_info", json!({"InviteJoinOption": "NeedPermission"}), ["o", "oa", "oa", "", ""]),
        row("most members", "modify_group_base_info", json!({"MaxMemberNum": 100}), ["", "", "", "", ""]),
        row("mute all", "modify_group_base_info", json!({"ShutUpAllMember": "On"}), ["", "oa", "oa", "o", "oa"]),
        row("add members", "add_group_member", json!({"MemberList": [{"Member_Account": "frank"}]}), ["om", "", "", "", "oam"]),
        row("remove members", "delete_group_member", json!({"MemberToDel_Account": ["carol"]}), ["o", "oa", "oa", "", "oa"]),
        row("make an admin", "modify_group_member_info", json!({"Member_Account": "carol", "Role": "Admin"}), ["", "o", "o", "", "o"]),
        row("mute a member", "modify_group_member_info", json!({"Member_Account": "carol", "ShutUpTime": 60}), ["", "oa", "oa", "", "oa"]),
        row("mute the owner", "modify_group_member_info", json!({"Member_Account": "alice", "ShutUpTime": 60}), ["", "", "", "", ""]),
        row("own card", "modify_group_member_info", json!({"Member_Account": "CALLER", "NameCard": "me"}), ["om", "oam", "oam", "", "oam"]),
        row("another's card", "modify_group_member_info", json!({"Member_Account": "carol", "NameCard": "c"}), ["o", "oa", "oa", "", "oa"]),
        row("own message option", "modify_group_member_info", json!({"Member_Account": "CALLER", "MsgFlag": "AcceptNotNotify"}), ["om", "oam", "oam", "", "oam"]),
        row("another's message option", "modify_group_member_info", json!({"Member_Account": "carol", "MsgFlag": "Discard"}), ["", "", "", "", ""]),
        row("transfer", "change_group_owner", json!({"NewOwner_Account": "carol"}), ["o", "o", "o", "", "o"]),
        row("dissolve", "destroy_group", json!({}), ["", "o", "o", "o", "o"]),
        row("leave", "quit_group", json!({}), ["om", "am", "am", "m", "am"]),
        row("ban", "ban_group_member", json!({"Members_Account": ["carol"], "Duration": 60}), ["", "oa", "oa", "o", ""]),
        row("send", "send_group_msg", json!({"Random": 1, "MsgBody": text}), ["om", "oam", "oam", "om", "oam"]),
        row("history", "group_msg_get", json!({"ReqMsgNumber": 15}), ["om", "oam", "oam", "", "oam"]),
        row("read report", "msg_read_report", json!({"MsgReadedSeq": 0}), ["om", "oam", "oam", "om", "oam"]),
        row("write attributes", "modify_group_attr", json!({"GroupAttr": [{"key": "k", "value": "v"}]}), ["om", "oam", "oam", "om", "oam"]),
        row("clear attributes", "clear_group_attr", json!({}), ["om", "oam", "oam", "om", ""]),
        row("read counters", "get_group_counter", json!({}), ["om", "oam", "oam", "om", ""]),
        row("change counters", "update_group_counter", json!({"GroupCounter": [{"Key": "k", "Value": 1}], "Mode": "Set"}), ["om", "oam", "oam", "om", ""]),
    ]
}

/// The code of a refusal, where it is not 10007.
fn refused(row: &Row, kind: &str, letter: char) -> u64 {
    match (row.name, kind, letter) {
        ("leave", _, 'o') => 10009,
        ("history", "AVChatRoom", 'o' | 'a' | 'm' | 'n') => 10044,
        ("remove members", "AVChatRoom", _) => 10004,
        _ => 10007,
    }
}

async fn made(kind: &str) -> (House, String) {
    let house = house(Settings::default()).await;
    house.world.users(&["frank"]).await;
    let admin = if matches!(kind, "Private" | "AVChatRoom") { None } else { Some("bob") };
    let members =
        json!([{"Member_Account": "carol"}, {"Member_Account": "dave"}, {"Member_Account": "bob", "Role": "Admin"}]);
    let list: Vec<Value> = members.as_array().unwrap()[..if admin.is_some() { 3 } else { 2 }].to_vec();
    let mut create = json!({"Type": kind, "Name": "g"});
    if kind != "AVChatRoom" {
        create["MemberList"] = json!(list);
    }
    let id = house.made(create).await;
    if kind == "AVChatRoom" {
        for who in ["carol", "dave"] {
            house.done(who, "apply_join_group", json!({"GroupId": id})).await;
        }
    }
    (house, id)
}

async fn state(house: &House, id: &str) -> (Option<u64>, u64) {
    let found = house.world.groups.ask(&Actor::app(), GroupById { group: group(id) }).await;
    (found.ok().map(|found| found.group.revision), house.world.log.last().await.unwrap())
}

/// The code of a command: of its only entry if it has an outcome for each group.
fn code(answer: &Value) -> u64 {
    let entry = &answer["GroupInfo"][0]["ErrorCode"];
    if answer["ErrorCode"] == 0 && !entry.is_null() {
        entry.as_u64().unwrap()
    } else {
        answer["ErrorCode"].as_u64().unwrap()
    }
}

async fn check(row: &Row, kind: &str, who: &str, (letter, account): (char, &str)) -> Result<(), String> {
    let (house, id) = made(kind).await;
    let body = row.body.to_string().replace("CALLER", account).replace("\"G\"", &format!("\"{id}\""));
    let mut body: Value = serde_json::from_str(&body).unwrap();
    if body.get("GroupIdList").is_none() {
        body["GroupId"] = json!(id);
    }
    let service = if kind == "Community"
        && row.command != "get_group_counter"
        && row.command != "update_group_counter"
        && row.command != "ban_group_member"
    {
        COMMUNITIES
    } else {
        GROUPS
    };
    let before = state(&house, &id).await;
    let answer = house.call(account, &format!("{service}.{}", row.command), &body).await;
    let wanted = if who.contains(letter) { 0 } else { refused(row, kind, letter) };
    let got = code(&answer);
    if got != wanted {
        return Err(format!("{} in {kind} by {letter}: {answer}, not {wanted}", row.name));
    }
    if got != 0 && state(&house, &id).await != before {
        return Err(format!("{} in {kind} by {letter}: refused, and yet something changed", row.name));
    }
    Ok(())
}

#[tokio::test]
async fn everybody_does_what_the_type_of_the_group_lets_them() {
    let mut wrong = Vec::new();
    for row in table() {
        for (kind, who) in KINDS.into_iter().zip(row.who) {
            let has_admins = !matches!(kind, "Private" | "AVChatRoom");
            for caller in CALLERS.into_iter().filter(|(letter, _)| *letter != 'a' || has_admins) {
                wrong.extend(check(&row, kind, who, caller).await.err());
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn admins_do_not_act_on_admins() {
    let (house, id) = made("Public").await;
    let promote = json!({"GroupId": id, "Member_Account": "dave", "Role": "Admin"});
    house.done("alice", "modify_group_member_info", promote).await;
    for (command, body) in [
        ("delete_group_member", json!({"GroupId": id, "MemberToDel_Account": ["dave"]})),
        ("modify_group_member_info", json!({"GroupId": id, "Member_Account": "dave", "ShutUpTime": 60})),
        ("modify_group_member_info", json!({"GroupId": id, "Member_Account": "dave", "NameCard": "d"})),
        ("modify_group_member_info", json!({"GroupId": id, "Member_Account": "dave", "Role": "Member"})),
    ] {
        assert_eq!(house.code("bob", command, body.clone()).await, 10007, "{command} {body}");
    }
    assert_eq!(
        house.code("bob", "delete_group_member", json!({"GroupId": id, "MemberToDel_Account": ["alice"]})).await,
        10007
    );
}
