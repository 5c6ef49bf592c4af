//! Every paged list, read with every page size: each entry once, in the documented order, and the end marked as the
//! vendor marks it, even if the last page is full.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a broken expectation is a panic")]

mod agora_support;
#[path = "rong/api.rs"]
#[allow(dead_code, unreachable_pub, reason = "each suite uses its own part")]
mod api;
mod tencent_support;

use agora_support::{app_token, call};
use conclave_core::event::Actor;
use conclave_core::model::{FileId, Until};
use conclave_core::operation::{AddFile, Block, Cleanup};
use conclave_core::ports::GroupsExt;
use conclave_tests::client::Client;
use conclave_tests::world::{World, group, user};
use http::Method;
use serde_json::{Value, json};
use tencent_support::group_call;

/// A number that some page sizes divide and others do not.
const MANY: usize = 6;

fn names(prefix: &str) -> Vec<String> {
    (0..MANY).map(|n| format!("{prefix}{n}")).collect()
}

fn reversed(mut names: Vec<String>) -> Vec<String> {
    names.reverse();
    names
}

/// A row's id: the row itself, or its first member that is one.
fn id(row: &Value) -> String {
    let keys = ["groupid", "groupId", "GroupId", "id", "username", "file_id", "member", "admin", "owner"];
    let more = ["Member_Account", "userId", "MsgSeq"];
    let found = row.as_str().or_else(|| keys.iter().chain(&more).find_map(|key| row.get(*key)?.as_str()));
    found.map_or_else(|| row["MsgSeq"].to_string(), str::to_owned)
}

fn ids(rows: &Value) -> Vec<String> {
    rows.as_array().unwrap_or_else(|| panic!("rows, not {rows}")).iter().map(id).collect()
}

/// Checks pages: all full except the last, none empty except the only one.
fn check(list: &str, size: usize, pages: &[Vec<String>], wanted: &[String]) {
    assert_eq!(pages.concat(), wanted, "{list} by {size}");
    let (last, full) = pages.split_last().expect("a page");
    assert!(full.iter().all(|page| page.len() == size), "{list} by {size}: {pages:?}");
    assert!(!last.is_empty() || pages.len() == 1, "{list} by {size} ends with an empty page");
}

// --- Agora ----------------------------------------------------------------------------------------------------------

struct Agora {
    client: Client,
    app: String,
}

impl Agora {
    async fn get(&self, target: &str) -> Value {
        let answer = call(&self.client, Method::GET, &format!("/acme/demo{target}"), &self.app, Value::Null).await;
        assert_eq!(answer.status, 200, "{target}: {:?}", answer.body);
        answer.json()
    }

    /// Pages by cursor: the last page has none.
    async fn by_cursor(&self, list: &str, size: &str, rows: &str, wanted: &[String]) {
        for limit in 1..=MANY + 1 {
            let (mut pages, mut cursor) = (Vec::new(), String::new());
            while pages.len() <= MANY {
                let mark = if list.contains('?') { '&' } else { '?' };
                let page = self.get(&format!("{list}{mark}{size}={limit}{cursor}")).await;
                pages.push(ids(&page[rows]));
                match page.get("cursor") {
                    Some(next) => cursor = format!("&cursor={}", next.as_str().expect("a text")),
                    None => break,
                }
            }
            check(list, limit, &pages, wanted);
        }
    }

    /// Numbered pages from `first`: they end with a short one, and the pages after it are empty.
    async fn by_number(&self, list: &str, first: usize, rows: &str, wanted: &[String]) {
        for size in 1..=MANY + 1 {
            let mut read = Vec::new();
            for number in first..=first + MANY {
                let page = ids(&self.get(&format!("{list}?pagenum={number}&pagesize={size}")).await[rows]);
                let short = page.len() < size;
                read.extend(page);
                if short {
                    break;
                }
            }
            assert_eq!(read, wanted, "{list} by {size}");
            let beyond = self.get(&format!("{list}?pagenum={}&pagesize={size}", first + MANY)).await;
            assert!(ids(&beyond[rows]).is_empty(), "{list} by {size} goes on");
        }
    }
}

async fn share(world: &World, n: usize) {
    let add = AddFile {
        group: group("g0"),
        id: Some(FileId::new(format!("f{n}")).unwrap()),
        name: "x".to_owned(),
        media_type: String::new(),
        size: 1,
        expires: None,
        secret: None,
        blob: format!("b{n}"),
        most: None,
    };
    world.groups.run(&Actor::app(), add).await.unwrap();
}

async fn block(world: &World, id: &str) {
    let (users, cleanup) = (vec![user(id)], Cleanup::default());
    let until = Until::Forever;
    world.run(Block { group: group("g0"), users, until, reason: String::new(), members_only: false, cleanup }).await;
}

#[tokio::test]
async fn lists_of_agora() {
    let world = World::new();
    for name in names("u") {
        world.users(&[&name]).await;
        world.clock.step(1);
    }
    let client = agora_support::client(&world, conclave_agora::Settings::default());
    let app = app_token(&client).await;
    let agora = Agora { client, app };
    for (n, id) in names("g").into_iter().enumerate() {
        world.clock.step(1);
        let body = json!({"groupid": id, "groupname": id, "public": true, "owner": "u0"});
        let made = call(&agora.client, Method::POST, "/acme/demo/chatgroups", &agora.app, body).await;
        assert_eq!(made.status, 200);
        if n > 0 {
            let target = format!("/acme/demo/chatgroups/g0/users/u{n}");
            assert_eq!(call(&agora.client, Method::POST, &target, &agora.app, Value::Null).await.status, 200);
        }
        share(&world, n).await;
    }
    let latest = |prefix: &str| reversed(names(prefix));
    agora.by_cursor("/chatgroups", "limit", "data", &latest("g")).await;
    agora.by_cursor("/publicchatgroups", "limit", "data", &latest("g")).await;
    agora.by_cursor("/users", "limit", "entities", &names("u")).await;
    agora.by_cursor("/chatgroups/g0/users?joined_time=true", "limit", "data", &latest("u")).await;
    agora.by_cursor("/chatgroups/g0/users?version=v3", "limit", "data", &latest("u")[..MANY - 1]).await;
    agora.by_number("/chatgroups/g0/users", 1, "data", &latest("u")).await;
    agora.by_number("/chatgroups/g0/share_files", 1, "data", &latest("f")).await;
    agora.by_number("/chatgroups/user/u0", 0, "entities", &latest("g")).await;
    agora.by_number("/users/u0/joined_chatgroups", 1, "data", &latest("g")).await;
    for name in names("b") {
        world.users(&[&name]).await;
        world.clock.step(1);
        block(&world, &name).await;
    }
    agora.by_cursor("/chatgroups/g0/blocks/users", "pageSize", "data", &latest("b")).await;
}

// --- Tencent --------------------------------------------------------------------------------------------------------

/// Pages of a command, each continuing where the one before says, until it says that it is the last.
async fn paged(client: &Client, command: &str, body: &Value, by: &By, wanted: &[String]) {
    for limit in 1..=MANY + 1 {
        let (mut pages, mut place) = (Vec::new(), by.first.clone());
        while pages.len() <= wanted.len() {
            let mut body = body.clone();
            body[by.limit] = json!(limit);
            body[by.place] = place.clone();
            let page = group_call(client, command, body).await;
            assert_eq!(page["ErrorCode"], 0, "{page}");
            pages.push(ids(&page[by.rows]));
            if (by.is_last)(&page, pages.concat().len()) {
                break;
            }
            place = (by.next)(&page, pages.concat().len());
        }
        check(command, limit, &pages, wanted);
    }
}

/// How a command is paged.
struct By {
    rows: &'static str,
    limit: &'static str,
    place: &'static str,
    first: Value,
    next: fn(&Value, usize) -> Value,
    is_last: fn(&Value, usize) -> bool,
}

#[tokio::test]
async fn lists_of_tencent() {
    let world = World::new();
    let users: Vec<String> = names("u");
    world.users(&users.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let client = tencent_support::client(&world, conclave_tencent::Settings::default());
    let mut made = Vec::new();
    for (id, kind) in names("g").into_iter().map(|id| (id, "Public")).chain([("@TGS#_c".to_owned(), "Community")]) {
        world.clock.step(1000);
        let body = json!({"Type": kind, "Name": "n", "GroupId": id, "Owner_Account": "u0"});
        assert_eq!(group_call(&client, "create_group", body).await["ErrorCode"], 0);
        made.push(id);
    }
    for id in ["g0", "@TGS#_c"] {
        for name in &users[1..] {
            world.clock.step(1);
            let body = json!({"GroupId": id, "MemberList": [{"Member_Account": name}]});
            assert_eq!(group_call(&client, "add_group_member", body).await["MemberList"][0]["Result"], 1);
        }
    }
    for (n, name) in names("b").iter().enumerate() {
        world.users(&[name]).await;
        world.clock.step(1);
        block(&world, name).await;
        let said = json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": "hi"}}]);
        let body = json!({"GroupId": "g0", "Random": n, "MsgBody": said});
        assert_eq!(group_call(&client, "send_group_msg", body).await["ErrorCode"], 0);
    }
    let by_next = By {
        rows: "GroupIdList",
        limit: "Limit",
        place: "Next",
        first: json!(0),
        next: |page, _| page["Next"].clone(),
        is_last: |page, _| page["Next"] == 0,
    };
    paged(&client, "get_appid_group_list", &json!({}), &by_next, &made).await;
    paged(&client, "get_appid_group_list", &json!({"GroupType": "Public"}), &by_next, &made[..MANY]).await;
    let by_cursor = By { rows: "MemberList", first: json!(""), is_last: |page, _| page["Next"] == "", ..by_next };
    paged(&client, "get_group_member_info", &json!({"GroupId": "@TGS#_c"}), &by_cursor, &users).await;
    let by_offset = By {
        place: "Offset",
        first: json!(0),
        next: |_, read| json!(read),
        is_last: |page, read| page["MemberNum"] == read,
        ..by_cursor
    };
    paged(&client, "get_group_member_info", &json!({"GroupId": "g0"}), &by_offset, &users).await;
    let joined = By { rows: "GroupIdList", is_last: |page, read| page["TotalCount"] == read, ..by_offset };
    let wanted = reversed(made.clone());
    paged(&client, "get_joined_group_list", &json!({"Member_Account": "u0"}), &joined, &wanted).await;
    let bans = By {
        rows: "BannedAccountList",
        next: |page, _| page["NextOffset"].clone(),
        is_last: |page, _| page["NextOffset"] == 0,
        ..joined
    };
    paged(&client, "get_group_ban_member", &json!({"GroupId": "g0"}), &bans, &names("b")).await;
    let history = By {
        rows: "RspMsgList",
        limit: "ReqMsgNumber",
        place: "ReqMsgSeq",
        first: json!(null),
        next: |page, _| json!(page["RspMsgList"].as_array().unwrap().last().unwrap()["MsgSeq"].as_u64().unwrap() - 1),
        is_last: |page, _| page["IsFinished"] == 1,
    };
    // the joins of the members are tips among the messages
    let last = users[1..].len() + MANY;
    let wanted: Vec<String> = (1..=last).rev().map(|sequence| sequence.to_string()).collect();
    paged(&client, "group_msg_get_simple", &json!({"GroupId": "g0"}), &history, &wanted).await;
}

// --- RongCloud ------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn lists_of_rong() {
    let api = api::Api::new();
    for id in names("g") {
        api.world.clock.step(1);
        api.ok("group/create", &format!("userId=u0&groupId={id}&groupName=n")).await;
        api.ok("group/ban/add", &format!("groupId={id}")).await;
        api.ok("entrust/group/create", &format!("groupId=h{id}&name=n&owner=u0")).await;
    }
    for name in &names("u")[1..] {
        api.world.clock.step(1);
        api.ok("entrust/group/join", &format!("groupId=hg0&userIds={name}")).await;
    }
    let hosted: Vec<String> = names("g").into_iter().map(|id| format!("h{id}")).collect();
    for (path, form, rows, wanted) in [
        ("entrust/group/query", String::new(), "groups", reversed(hosted.clone())),
        ("entrust/group/query", "order=0".to_owned(), "groups", hosted.clone()),
        ("entrust/joined/group/query", "userId=u0".to_owned(), "groups", reversed(hosted.clone())),
        ("entrust/group/member/query", "groupId=hg0".to_owned(), "members", reversed(names("u"))),
        ("entrust/group/member/query", "groupId=hg0&order=0".to_owned(), "members", names("u")),
        ("entrust/group/member/query", "groupId=hg0&type=1".to_owned(), "members", reversed(names("u")[1..].to_vec())),
    ] {
        for size in 1..=MANY + 1 {
            let (mut pages, mut token) = (Vec::new(), String::new());
            while pages.len() <= MANY {
                let page = api.ok(path, &format!("{form}&size={size}&pageToken={token}")).await;
                pages.push(ids(&page[rows]));
                page["pageToken"].as_str().expect("a text").clone_into(&mut token);
                if token.is_empty() {
                    break;
                }
            }
            check(path, size, &pages, &wanted);
        }
    }
    // numbered pages end with a short one
    for (path, form, rows, wanted) in [
        ("user/group/query", "userId=u1", "groups", vec!["hg0".to_owned()]),
        ("group/ban/query", "", "groupinfo", names("g")),
    ] {
        for size in 1..=MANY + 1 {
            let mut read = Vec::new();
            for number in 1..=MANY + 1 {
                read.extend(ids(&api.ok(path, &format!("{form}&page={number}&size={size}")).await[rows]));
            }
            assert_eq!(read, wanted, "{path} by {size}");
        }
    }
}
