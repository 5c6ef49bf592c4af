//! Agora's groups: every parameter and limit, both kinds of caller, pages, groups of other surfaces, unusual requests.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a broken expectation is a panic")]

mod agora_support;

use agora_support::{Setting, app_token, call, client, user_token};
use conclave_agora::Settings;
use conclave_core::event::Actor;
use conclave_core::model::{Circle, Join, Policy, Profile};
use conclave_core::operation::{CreateGroup, NewMember};
use conclave_core::ports::GroupsExt;
use conclave_core::query::GroupById;
use conclave_tests::client::{Answer, Client};
use conclave_tests::world::{World, group, user};
use http::Method;
use serde_json::{Value, json};

/// A client with an app token.
struct Desk {
    world: World,
    client: Client,
    app: String,
}

impl Desk {
    async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    async fn with(settings: Settings) -> Self {
        let world = World::new();
        world.users(&["user1", "user2", "user3", "user4"]).await;
        let client = client(&world, settings);
        let app = app_token(&client).await;
        Self { world, client, app }
    }

    async fn send(&self, method: Method, target: &str, body: Value) -> Answer {
        call(&self.client, method, &format!("/acme/demo{target}"), &self.app, body).await
    }

    async fn get(&self, target: &str) -> Value {
        let answer = self.send(Method::GET, target, Value::Null).await;
        assert_eq!(answer.status, 200, "{target}: {:?}", answer.body);
        answer.json()
    }

    async fn create(&self, body: Value) -> String {
        let answer = self.send(Method::POST, "/chatgroups", body).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        answer.json()["data"]["groupid"].as_str().expect("a text").to_owned()
    }

    async fn detail(&self, id: &str) -> Value {
        self.get(&format!("/chatgroups/{id}")).await["data"][0].clone()
    }

    /// How users join, as the core stores it.
    async fn join(&self, id: &str) -> Join {
        let found = self.world.groups.ask(&Actor::app(), GroupById { group: group(id) }).await;
        found.expect("a group").group.policy.join
    }

    async fn as_user(&self, name: &str, method: Method, target: &str, body: Value) -> Answer {
        let token = user_token(&self.client, name).await;
        call(&self.client, method, &format!("/acme/demo{target}"), &token, body).await
    }
}

fn error_of(answer: &Answer) -> (u16, String) {
    (answer.status.as_u16(), answer.json()["error_description"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn every_parameter_reads_back_under_all_its_names() {
    let desk = Desk::new().await;
    let id = desk
        .create(json!({
            "owner": "USER1", "groupname": "n", "desc": "d", "avatar": "a", "custom": "{\"k\":1}", "maxusers": "300",
            "public": true, "approval": true, "allowinvites": true, "invite_need_confirm": false, "scale": "large",
            "need_verify": true, "members": ["User2", "user1", "user2"],
        }))
        .await;
    let detail = desk.detail(&id).await;
    for (name, value) in [
        ("owner", json!("user1")),
        ("name", json!("n")),
        ("description", json!("d")),
        ("avatar", json!("a")),
        ("custom", json!("{\"k\":1}")),
        ("maxusers", json!(300)),
        ("public", json!(true)),
        ("membersonly", json!(true)),
        // off when a public group is created
        ("allowinvites", json!(false)),
        ("invite_need_confirm", json!(false)),
        ("scale", json!("large")),
        ("affiliations", json!([{"member": "user2"}, {"owner": "user1"}])),
    ] {
        assert_eq!(detail[name], value, "{name}");
    }
    let change = json!({"allowinvites": true, "name": "m", "members_only": false, "maxusers": 2});
    let answer = desk.send(Method::PUT, &format!("/chatgroups/{id}"), change).await.json();
    assert_eq!(answer["data"], json!({"allowinvites": true, "name": true, "members_only": true, "maxusers": true}));
    let detail = desk.detail(&id).await;
    assert_eq!(
        (&detail["allowinvites"], &detail["name"], &detail["membersonly"], &detail["maxusers"]),
        (&json!(true), &json!("m"), &json!(false), &json!(2))
    );

    let id = desk.create(json!({"owner": "user1", "public": false})).await;
    let detail = desk.detail(&id).await;
    for (name, value) in [
        ("name", json!("")),
        ("description", json!("")),
        ("custom", json!("")),
        ("maxusers", json!(200)),
        ("membersonly", json!(false)),
        ("allowinvites", json!(false)),
        ("invite_need_confirm", json!(true)),
        ("scale", json!("normal")),
        ("mute", json!(false)),
        ("disabled", json!(false)),
    ] {
        assert_eq!(detail[name], value, "{name}");
    }
}

#[tokio::test]
async fn a_private_group_remembers_its_approval_flag() {
    let desk = Desk::new().await;
    let id = desk.create(json!({"owner": "user1", "public": false, "membersonly": true})).await;
    assert_eq!(desk.join(&id).await, Join::Closed);
    assert_eq!(desk.detail(&id).await["membersonly"], true);
    desk.send(Method::PUT, &format!("/chatgroups/{id}"), json!({"public": true})).await;
    assert_eq!(desk.join(&id).await, Join::Approval(Circle::Managers));
    desk.send(Method::PUT, &format!("/chatgroups/{id}"), json!({"public": false, "membersonly": false})).await;
    assert_eq!(desk.join(&id).await, Join::Closed);
    assert_eq!(desk.detail(&id).await["membersonly"], false);
}

#[tokio::test]
async fn limits_of_a_creation_are_kept() {
    let desk = Desk::new().await;
    let long = |count: usize| "é".repeat(count);
    let base = |more: Value| {
        let mut body = json!({"owner": "user1", "public": true});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    desk.create(base(json!({"groupname": long(128), "description": long(512), "avatar": long(1024)}))).await;
    desk.create(base(json!({"custom": "x".repeat(8192)}))).await;
    // server SDKs send 0 for a number that is not given
    let id = desk.create(base(json!({"maxusers": 0}))).await;
    let path = format!("/chatgroups/{id}");
    let maxusers = async || desk.send(Method::GET, &path, Value::Null).await.json()["data"][0]["maxusers"].clone();
    assert_eq!(maxusers().await, 200);
    let change = desk.send(Method::PUT, &path, json!({"groupname": "n", "maxusers": 0})).await;
    assert_eq!((change.status.as_u16(), maxusers().await), (200, json!(200)));
    for (body, wanted) in [
        (json!({"public": true}), (400, "owner must be provided")),
        (json!({"owner": "", "public": true}), (400, "owner must be provided")),
        (json!({"owner": "user1"}), (400, "group must contain public field!")),
        (base(json!({"groupname": long(129)})), (400, "groupname length is too big")),
        (base(json!({"description": long(513)})), (400, "description length is too big")),
        (base(json!({"avatar": long(1025)})), (400, "avatar length is too big")),
        (base(json!({"custom": "x".repeat(8193)})), (400, "custom length is too big")),
        (base(json!({"public": "maybe"})), (400, "public is not valid")),
        (base(json!({"maxusers": 5_000_000_000_u64})), (400, "maxusers must be between 1 and 4294967295")),
        (base(json!({"maxusers": -1})), (400, "maxusers is not valid")),
        (base(json!({"groupid": "No Way"})), (400, "group ID No Way is not legal")),
        (base(json!({"members": ["user2", "ghost"]})), (404, "username ghost doesn't exist!")),
        (base(json!({"members": ["user2"], "maxusers": 1})), (403, "members size is greater than max user size !")),
        (base(json!({"members": "user2"})), (400, "members is not valid")),
    ] {
        let answer = desk.send(Method::POST, "/chatgroups", body.clone()).await;
        assert_eq!(error_of(&answer), (wanted.0, wanted.1.to_owned()), "{body}");
    }
    assert_eq!(desk.get("/chatgroups?limit=1000").await["count"], 3);
}

#[tokio::test]
async fn a_wanted_id_is_taken_only_where_that_is_switched_on() {
    let desk = Desk::with(Settings { custom_group_ids: false, ..Settings::default() }).await;
    let id = desk.create(json!({"owner": "user1", "public": true, "groupid": "wanted"})).await;
    assert_ne!(id, "wanted");
    assert!(id.bytes().all(|byte| byte.is_ascii_digit()) && id.len() <= 18);
}

#[tokio::test]
async fn users_act_in_their_role() {
    let desk = Desk::new().await;
    Setting { admins: &["user2"], ..Setting::documented() }.make(&desk.world).await;
    let group = "/chatgroups/66016455491585";
    let rename = json!({"groupname": "x"});
    assert_eq!(desk.as_user("user2", Method::PUT, group, rename.clone()).await.status, 200);
    let fields = "you have no permission to do this,group fields require group admin privileges to be modified";
    for name in ["user3", "user4"] {
        assert_eq!(error_of(&desk.as_user(name, Method::PUT, group, rename.clone()).await), (401, fields.to_owned()));
    }
    let owner_only = "you have no permission to do this, group owner permission is required";
    let newowner = json!({"newowner": "user3"});
    assert_eq!(error_of(&desk.as_user("user2", Method::PUT, group, newowner).await), (401, owner_only.to_owned()));
    assert_eq!(
        error_of(&desk.as_user("user2", Method::DELETE, group, Value::Null).await),
        (401, owner_only.to_owned())
    );
    let admin = json!({"newadmin": "user3"});
    let admins = format!("{group}/admin");
    assert_eq!(error_of(&desk.as_user("user2", Method::POST, &admins, admin).await), (401, owner_only.to_owned()));
    // users create groups only for themselves, without having to name themselves
    let others = json!({"owner": "user1", "public": true});
    assert_eq!(desk.as_user("user2", Method::POST, "/chatgroups", others).await.status, 401);
    let own = desk.as_user("user2", Method::POST, "/chatgroups?resource=web_1", json!({"public": false})).await;
    let id = own.json()["data"]["groupid"].as_str().unwrap().to_owned();
    assert_eq!(desk.detail(&id).await["owner"], "user2");
}

#[tokio::test]
async fn strangers_see_a_public_group_but_not_who_is_in_it() {
    let desk = Desk::new().await;
    Setting::documented().make(&desk.world).await;
    Setting { id: "2", public: false, ..Setting::documented() }.make(&desk.world).await;
    let seen = desk.as_user("user4", Method::GET, "/chatgroups/66016455491585?joined_time=true", Value::Null).await;
    let seen = seen.json()["data"][0].clone();
    assert_eq!((&seen["affiliations_count"], &seen["affiliations"]), (&json!(3), &json!([{"owner": "user1"}])));
    assert_eq!(seen.get("shieldgroup"), None);
    let members = desk.as_user("user4", Method::GET, "/chatgroups/66016455491585/users", Value::Null).await;
    assert_eq!(members.status, 401);
    let hidden = desk.as_user("user4", Method::GET, "/chatgroups/2", Value::Null).await;
    assert_eq!((hidden.status.as_u16(), hidden.json()["error"].clone()), (401, json!("group_authorization")));
    let both = desk.as_user("user4", Method::GET, "/chatgroups/2,66016455491585", Value::Null).await;
    assert_eq!(both.json()["count"], 1);
    let own = desk.as_user("user2", Method::GET, "/chatgroups/2", Value::Null).await;
    assert_eq!(own.json()["data"][0]["shieldgroup"], false);
}

#[tokio::test]
async fn pages_tell_everything_once_and_end_without_a_cursor() {
    let desk = Desk::new().await;
    for id in 1..=7 {
        let id = id.to_string();
        Setting { id: &id, name: &id, members: &["user1"], ..Setting::documented() }.make(&desk.world).await;
    }
    for list in ["/chatgroups", "/publicchatgroups", "/publicchatgroups?version=v3"] {
        let mut seen = Vec::new();
        let mut cursor = String::from("undefined");
        loop {
            let mark = if list.contains('?') { '&' } else { '?' };
            let page = desk.get(&format!("{list}{mark}limit=3&cursor={cursor}&_v=1700")).await;
            for row in page["data"].as_array().unwrap() {
                seen.push(row.get("groupid").or(row.get("id")).unwrap().as_str().unwrap().to_owned());
            }
            match page.get("cursor") {
                Some(next) => next.as_str().unwrap().clone_into(&mut cursor),
                None => break,
            }
        }
        assert_eq!(seen, ["7", "6", "5", "4", "3", "2", "1"], "{list}");
    }
    assert_eq!(desk.send(Method::GET, "/chatgroups?cursor=*", Value::Null).await.status, 400);
    assert_eq!(desk.get("/chatgroups/user/user1").await["entities"].as_array().unwrap().len(), 5);
    let last = desk.get("/chatgroups/user/user1?pagenum=1&pagesize=5&needRole=true&needAffiliations=true").await;
    assert_eq!(last["entities"].as_array().unwrap().len(), 2);
    assert_eq!((&last["total"], &last["entities"][0]["permission"]), (&json!(7), &json!("owner")));
    assert_eq!(last["entities"][0]["affiliations_count"], 1);
    assert_eq!(desk.get("/users/user1/joined_chatgroups").await["count"], 7);
    assert_eq!(desk.get("/users/user1/joined_chatgroups?pagenum=2&pagesize=4").await["count"], 3);
    assert_eq!(desk.get("/users/user1/joined_chatgroups?pagenum=0&pagesize=4").await["data"][0]["groupid"], "7");
}

#[tokio::test]
async fn members_come_by_page_by_cursor_and_as_plain_ids() {
    let desk = Desk::new().await;
    Setting { members: &["user1", "user2", "user3", "user4"], admins: &["user3"], ..Setting::documented() }
        .make(&desk.world)
        .await;
    let list = "/chatgroups/66016455491585/users";
    let page = desk.get(&format!("{list}?pagenum=1&pagesize=3")).await;
    assert_eq!(page["data"], json!([{"member": "user4"}, {"member": "user3"}, {"member": "user2"}]));
    assert_eq!(page.get("cursor"), None);
    let page = desk.get(&format!("{list}?cursor=undefined&limit=3")).await;
    assert_eq!(page["data"], json!([{"member": "user4"}, {"admin": "user3"}, {"member": "user2"}]));
    let cursor = page["cursor"].as_str().unwrap();
    let page = desk.get(&format!("{list}?limit=3&cursor={cursor}")).await;
    assert_eq!((&page["data"], page.get("cursor")), (&json!([{"owner": "user1"}]), None));
    let page = desk.get(&format!("{list}?version=v3&limit=2&sort=asc")).await;
    assert_eq!(page["data"], json!(["user2", "user3"]));
    let cursor = page["cursor"].as_str().unwrap();
    let page = desk.get(&format!("{list}?version=v3&limit=2&sort=asc&cursor={cursor}")).await;
    assert_eq!((&page["data"], page.get("cursor")), (&json!(["user4"]), None));
}

#[tokio::test]
async fn batches_have_limits_and_tell_each_fate() {
    let desk = Desk::new().await;
    Setting::documented().make(&desk.world).await;
    let users = "/chatgroups/66016455491585/users";
    let many: Vec<String> = (0..101).map(|n| format!("m{n}")).collect();
    let answer = desk.send(Method::POST, users, json!({"usernames": many})).await;
    assert_eq!(error_of(&answer), (400, "usernames size is more than max limit : 100".to_owned()));
    let answer = desk.send(Method::DELETE, &format!("{users}/{}", many[..61].join(",")), Value::Null).await;
    assert_eq!(error_of(&answer), (400, "kickMember: kickMembers number more than maxSize : 60".to_owned()));
    let answer = desk.send(Method::POST, users, json!({"usernames": ["user2", "user4"]})).await.json();
    assert_eq!(answer["data"]["newmembers"], json!(["user4"]));
    let answer = desk.send(Method::POST, users, json!({"usernames": ["user2", "user4"]})).await;
    assert_eq!(answer.status, 403);
    assert!(answer.json()["error_description"].as_str().unwrap().contains("already in group"));
    desk.world.users(&["user5"]).await;
    let answer = desk.send(Method::DELETE, &format!("{users}/ghost%2Cuser1%2CUSER4%2Cuser5"), Value::Null).await.json();
    let row = |user: &str, reason: &str| {
        let (gid, action) = ("66016455491585", "remove_member");
        match reason {
            "" => json!({"result": true, "action": action, "user": user, "groupid": gid}),
            reason => json!({"result": false, "action": action, "user": user, "groupid": gid, "reason": reason}),
        }
    };
    assert_eq!(
        answer["data"],
        json!([
            row("ghost", "user ghost doesn't exist."),
            row("user1", "forbidden operation on group owner!"),
            row("user4", ""),
            row("user5", "users [user5] are not members of this group!"),
        ])
    );
    let ids: Vec<String> = (0..101).map(|n| n.to_string()).collect();
    assert_eq!(desk.send(Method::GET, &format!("/chatgroups/{}", ids.join(",")), Value::Null).await.status, 400);
    let some = desk.get("/chatgroups/1,66016455491585,2").await;
    assert_eq!((&some["count"], &some["data"][0]["id"]), (&json!(1), &json!("66016455491585")));
    let admins: Vec<Value> = (0..61).map(|n| json!({"username": format!("r{n}"), "password": "1"})).collect();
    assert_eq!(desk.send(Method::POST, "/users", json!(admins)).await.status, 400);
}

#[tokio::test]
async fn a_mixed_change_is_done_whole_or_not_at_all() {
    let desk = Desk::new().await;
    Setting::documented().make(&desk.world).await;
    let target = "/chatgroups/66016455491585";
    let refused = desk.send(Method::PUT, target, json!({"groupname": "x", "newowner": "user4"})).await;
    assert_eq!(error_of(&refused), (403, "user: user4 doesn't exist in group: 66016455491585".to_owned()));
    assert_eq!(desk.detail("66016455491585").await["name"], "testgroup1");
    let done = desk.send(Method::PUT, target, json!({"groupname": "x", "newowner": "user2"})).await.json();
    assert_eq!(done["data"], json!({"groupname": true, "newowner": true}));
    let detail = desk.detail("66016455491585").await;
    assert_eq!((&detail["name"], &detail["owner"]), (&json!("x"), &json!("user2")));
    let empty = desk.send(Method::PUT, "/chatgroups/1", json!({})).await;
    assert_eq!(error_of(&empty), (404, "grpID 1 does not exist!".to_owned()));
}

#[tokio::test]
async fn groups_of_other_surfaces_read_truthfully() {
    let desk = Desk::new().await;
    desk.world.users(&["Ann Lee"]).await;
    // without owner, roles or limit; an id that only other surfaces permit
    desk.world
        .run(CreateGroup {
            id: Some(group("@TGS#_1")),
            members: vec![NewMember::now(user("Ann Lee"))],
            profile: Profile { name: "plain".to_owned(), ..Profile::default() },
            governed: false,
            ..CreateGroup::new(None, Policy { join: Join::Closed, ..Policy::standard() })
        })
        .await;
    let detail = desk.detail("%40TGS%23_1").await;
    for (name, value) in [
        ("id", json!("@TGS#_1")),
        ("owner", json!("")),
        ("public", json!(false)),
        ("membersonly", json!(true)),
        ("allowinvites", json!(false)),
        ("maxusers", json!(3000)),
        ("affiliations", json!([{"member": "ann lee"}])),
    ] {
        assert_eq!(detail[name], value, "{name}");
    }
    assert_eq!(desk.get("/chatgroups").await["data"][0]["owner"], "");
    let joined = desk.get("/users/ANN%20lee/joined_chatgroups").await;
    assert_eq!(joined["data"][0]["groupid"], "@TGS#_1");
    let is_joined = desk.get("/chatgroups/%40TGS%23_1/user/ann%20lee/is_joined").await;
    assert_eq!(is_joined["data"], true);
    let gone = desk.send(Method::DELETE, "/chatgroups/%40TGS%23_1/users/ann%20lee", Value::Null).await.json();
    assert_eq!(gone["data"]["user"], "ann lee");
}

#[tokio::test]
async fn odd_requests_get_the_vendors_own_errors() {
    let desk = Desk::new().await;
    let bearer = format!("Bearer {}", desk.app);
    let send = async |method: Method, target: &str, body: Vec<u8>| {
        desk.client.send(method, target, &[("authorization", bearer.as_str())], body).await
    };
    // no content type, a trailing slash, unknown parameters
    let body = br#"{"owner":"user1","public":true,"unknown":1}"#.to_vec();
    let made = send(Method::POST, "/acme/demo/chatgroups/?x=1&resource=", body).await;
    assert_eq!(made.status, 200, "{:?}", made.body);
    assert_eq!(made.json()["params"], json!({"x": ["1"]}));
    assert_eq!(made.json()["uri"], "https://chat.example.com/acme/demo/chatgroups/");
    for body in [b"{".to_vec(), b"[]".to_vec(), vec![0xff; 8], b"[".repeat(1_000_000), b"{\"a\":".repeat(200_000)] {
        let answer = send(Method::POST, "/acme/demo/chatgroups", body).await;
        assert_eq!((answer.status.as_u16(), answer.json()["error"].clone()), (400, json!("json_parse")));
    }
    for target in ["/acme/demo/nope", "/acme/demo", "/acme/demo/chatgroups/1/nope", "/acme/demo/chatgroups/%FF"] {
        let answer = send(Method::GET, target, Vec::new()).await;
        assert_eq!(error_of(&answer), (404, "Service resource not found".to_owned()), "{target}");
    }
    for target in ["/", "/acme", "//", "/acme/demo%2F..", "/%FF/demo/users"] {
        let answer = send(Method::GET, target, Vec::new()).await;
        assert_eq!(answer.json()["error"], "organization_application_not_found", "{target}");
    }
    let answer = send(Method::PATCH, "/acme/demo/chatgroups", Vec::new()).await;
    assert_eq!((answer.status.as_u16(), answer.json()["error"].clone()), (405, json!("web_application")));
    let long = "g".repeat(500);
    let answer = send(Method::GET, &format!("/acme/demo/chatgroups/{long}"), Vec::new()).await;
    assert_eq!(error_of(&answer), (404, format!("grpID {long} does not exist!")));
    let answer = send(Method::POST, &format!("/acme/demo/chatgroups/1/users/{long}"), Vec::new()).await;
    assert_eq!(error_of(&answer), (404, format!("username {long} doesn't exist!")));
}

/// Client SDKs distinguish the errors of attributes by their numbers.
#[tokio::test]
async fn refused_attributes_have_numbers() {
    let desk = Desk::new().await;
    Setting::documented().make(&desk.world).await;
    let one = |key: &str, value: &str| json!({"metaData": {key: value}});
    let user2 = "/metadata/chatgroup/66016455491585/user/user2";
    let batch = "/metadata/chatgroup/66016455491585/users/batch";
    let get = "/metadata/chatgroup/66016455491585/get";
    let names: Vec<String> = (0..21).map(|n| format!("m{n}")).collect();
    let rows: Vec<Value> = names.iter().map(|name| json!({"username": name, "metadata": {"k": "v"}})).collect();
    let full: Value =
        (0..9).map(|n| (format!("k{n}"), json!("v".repeat(500)))).collect::<serde_json::Map<_, _>>().into();
    for (method, target, body, status, code, description) in [
        (Method::PUT, user2, one(&"k".repeat(17), "v"), 400, 60009, "exceeds chatgroup user metadata single key limit"),
        (
            Method::PUT,
            user2,
            one("k", &"v".repeat(513)),
            400,
            60010,
            "exceeds chatgroup user metadata single value limit",
        ),
        (Method::PUT, user2, json!({"metaData": full}), 400, 60006, "exceeds chatgroup user metadata total limit"),
        (Method::PUT, batch, json!(rows), 400, 60007, "exceeds chatgroup metadata batch put users limit"),
        (Method::POST, get, json!({"targets": names[..11]}), 400, 60007, "query param reaches limit."),
        (Method::POST, get, json!({"targets": ["ghost"]}), 400, 60003, "Some users are not in the group: ghost"),
        (Method::GET, "/metadata/chatgroup/66016455491585/user/ghost", Value::Null, 404, 60003, "user not in group"),
    ] {
        let answer = desk.send(method, target, body).await;
        assert_eq!(error_of(&answer), (status, description.to_owned()), "{target}");
        assert_eq!(answer.json()["error_code"], code, "{target}");
    }
    let target = "/sdk/metadata/chatgroup/66016455491585/user/user1";
    let answer = desk.as_user("user2", Method::PUT, target, one("k", "v")).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["error_code"]), (401, &json!(60001)));
    assert_eq!(desk.get(user2).await["data"], json!({}), "what was refused changed nothing");
}

#[tokio::test]
async fn inviting_only_members_is_refused() {
    let desk = Desk::new().await;
    Setting::documented().make(&desk.world).await;
    let invite = "/chatgroups/66016455491585/invite";
    let already = "can not join this group, reason:user: user2 already in group: 66016455491585\n";
    let text = format!("invite users to join group failed: {already}");
    let answer = desk.as_user("user1", Method::POST, invite, json!({"usernames": ["user2"]})).await;
    assert_eq!(error_of(&answer), (403, text.clone()));
    let answer = desk.as_user("user1", Method::POST, invite, json!({"usernames": ["user2", "user4"]})).await.json();
    assert_eq!((&answer["data"][0]["reason"], &answer["data"][1]["result"]), (&json!(text), &json!(true)));
}
