//! A realm served from a backend other than our engine: it answers from a table and supports some operations only.
//!
//! The three surfaces in front of it serve what it supports, and refuse the rest with their vendors' own errors.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use conclave::config::Admin;
use conclave::{Backend, Config, Gateway, Running};
use conclave_core::event::Actor;
use conclave_core::log::EventLog;
use conclave_core::memory::Memory;
use conclave_core::model::{Group, GroupId, Member, Millis, Policy, User, UserId};
use conclave_core::operation::{CreateGroup, NewMember, Operation, Reply};
use conclave_core::ports::{Groups, GroupsExt};
use conclave_core::query::{
    Answer, FindUsers, Found, FoundGroups, GroupById, ListMembers, MemberPage, Query, UsersFound,
};
use conclave_core::refusal::Refusal;
use conclave_tests::client::Client;
use conclave_tests::sign::{rong_signature, user_sig};
use conclave_tests::vendor::Sections as _;
use conclave_tests::world::{BEGINNING, World, group, user};
use http::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// One group with its members, and the existing accounts.
struct Table {
    group: Mutex<Group>,
    members: Vec<Arc<Member>>,
    users: BTreeMap<UserId, Arc<User>>,
}

impl Table {
    fn group(&self, id: &GroupId) -> Result<Arc<Group>, Refusal> {
        let group = self.group.lock().unwrap();
        let unknown = || Refusal::GroupNotFound { group: id.clone(), disbanded: false };
        if group.id == *id { Ok(Arc::new(group.clone())) } else { Err(unknown()) }
    }
}

#[async_trait]
impl Groups for Table {
    async fn perform(&self, _: &Actor, operation: Operation) -> Result<Reply, Refusal> {
        let what = operation.name();
        match operation {
            Operation::UpdateGroup(update) => {
                self.group(&update.group)?;
                if let Some(name) = update.profile.name {
                    self.group.lock().unwrap().profile.name = name;
                }
                Ok(Reply::Done)
            }
            Operation::SetDisabled(set) => {
                self.group(&set.group)?;
                self.group.lock().unwrap().disabled = set.disabled;
                Ok(Reply::Done)
            }
            _ => Err(Refusal::NotOffered { what }),
        }
    }

    async fn read(&self, _: &Actor, query: Query) -> Result<Answer, Refusal> {
        let what = query.name();
        match query {
            Query::GroupById(query) => Ok(Answer::GroupById(Found { group: self.group(&query.group)?, own: None })),
            Query::FindGroups(query) => {
                let found = query.groups.iter().map(|id| self.group(id)).collect();
                Ok(Answer::FindGroups(FoundGroups(found)))
            }
            Query::FindUsers(query) => {
                let found = query.ids.iter().map(|id| self.users.get(id).cloned()).collect();
                Ok(Answer::FindUsers(UsersFound(found)))
            }
            Query::ListMembers(query) => {
                let (group, members) = (self.group(&query.group)?, self.members.clone());
                Ok(Answer::ListMembers(MemberPage {
                    group,
                    members,
                    read_marks: Vec::new(),
                    mutes: Vec::new(),
                    next: None,
                }))
            }
            _ => Err(Refusal::NotOffered { what }),
        }
    }

    fn now(&self) -> Millis {
        BEGINNING
    }
}

/// The table, with the events that happened elsewhere before.
async fn table() -> (Table, Vec<conclave_core::event::Event>) {
    let elsewhere = World::new();
    elsewhere.users(&["ann", "ben"]).await;
    let mut create = CreateGroup::new(Some(user("ann")), Policy::standard());
    create.id = Some(group("g1"));
    "from afar".clone_into(&mut create.profile.name);
    create.members = vec![NewMember::now(user("ben"))];
    elsewhere.run(create).await;
    let app = Actor::app();
    let groups = &elsewhere.groups;
    let header = groups.ask(&app, GroupById { group: group("g1") }).await.unwrap().group;
    let members = groups.ask(&app, ListMembers::all(group("g1"))).await.unwrap().members;
    let ids = vec![user("ann"), user("ben")];
    let users = groups.ask(&app, FindUsers { ids: ids.clone(), folded: false }).await.unwrap().0;
    let users = ids.into_iter().zip(users.into_iter().flatten()).collect();
    let events = elsewhere.log.read(0, 100).await.unwrap();
    let table = Table { group: Mutex::new((*header).clone()), members, users };
    (table, events.iter().map(|event| (**event).clone()).collect())
}

/// A gateway whose only realm is served from the table.
async fn gateway(change: impl FnOnce(&mut Config)) -> (Running, Vec<conclave_core::event::Event>) {
    let (table, events) = table().await;
    let backend =
        Backend { groups: Arc::new(table), log: Arc::new(EventLog::new(Arc::new(Memory::new()))), maintenance: None };
    let mut config = Config::development().unwrap();
    config.admin = Admin::At("127.0.0.1:0".parse().unwrap());
    change(&mut config);
    (Gateway::builder(config).backend("dev", backend).start().await.unwrap(), events)
}

/// A call of one of the vendors' server APIs: returns status, and the body without volatile values.
struct Caller {
    client: Client,
    agora: (String, String),
    tencent: String,
    rong: Vec<(&'static str, String)>,
}

impl Caller {
    async fn new(running: &Running) -> Self {
        let client = Client::at(running.addresses.shared, "");
        let realm = &running.config.realms[0];
        let agora = &realm.section::<conclave_agora::Agora>().unwrap().credentials;
        let root = format!("/agora/{}/{}", agora.org, agora.app);
        let body = json!({
            "grant_type": "client_credentials", "client_id": agora.client_id, "client_secret": agora.client_secret,
        });
        let headers = [("content-type", "application/json")];
        let answer = client.send(Method::POST, &format!("{root}/token"), &headers, body.to_string()).await.json();
        let bearer = format!("Bearer {}", answer["access_token"].as_str().unwrap());
        let tencent = &realm.section::<conclave_tencent::Tencent>().unwrap().credentials;
        let (admin, id) = (&tencent.admins[0], tencent.sdkappid);
        let signature = user_sig(id, &tencent.secret_key, admin, BEGINNING.seconds(), 86_400);
        let query = format!("sdkappid={id}&identifier={admin}&usersig={signature}&random=1&contenttype=json");
        let rong = &realm.section::<conclave_rong::Rong>().unwrap().credentials;
        let rong = vec![
            ("app-key", rong.app_key.clone()),
            ("nonce", "1".to_owned()),
            ("timestamp", "2".to_owned()),
            ("signature", rong_signature(&rong.app_secret, "1", "2")),
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
        ];
        Self { client, agora: (root, bearer), tencent: query, rong }
    }

    async fn agora(&self, method: Method, path: &str, body: Value) -> Value {
        let (root, bearer) = &self.agora;
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = self.client.send(method, &format!("{root}{path}"), &headers, body).await;
        let mut body = answer.json();
        for volatile in ["timestamp", "duration", "application", "applicationName", "organization", "uri", "action"] {
            body.as_object_mut().unwrap().remove(volatile);
        }
        json!([answer.status.as_u16(), body])
    }

    async fn tencent(&self, command: &str, body: Value) -> Value {
        let target = format!("/tencent/v4/group_open_http_svc/{command}?{}", self.tencent);
        let answer = self.client.send(Method::POST, &target, &[], body.to_string()).await;
        json!([answer.status.as_u16(), answer.json()])
    }

    async fn rong(&self, path: &str, form: &str) -> Value {
        let headers: Vec<(&str, &str)> = self.rong.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = self.client.send(Method::POST, &format!("/rong/{path}.json"), &headers, form.to_owned()).await;
        json!([answer.status.as_u16(), answer.json()])
    }
}

#[tokio::test]
async fn what_the_backend_offers_is_answered_through_every_surface() {
    let (running, _) = gateway(|_| ()).await;
    let call = Caller::new(&running).await;

    let found = call.agora(Method::GET, "/chatgroups/g1", Value::Null).await;
    assert_eq!(found[0], 200, "{found}");
    let detail = &found[1]["data"][0];
    assert_eq!((&detail["name"], &detail["affiliations_count"]), (&json!("from afar"), &json!(2)));
    let info = call
        .tencent("get_group_info", json!({"GroupIdList": ["g1"], "ResponseFilter": {"GroupBaseInfoFilter": ["Name"]}}))
        .await;
    assert_eq!(info[1]["GroupInfo"][0]["Name"], "from afar", "{info}");
    let members = call.rong("group/user/query", "groupId=g1").await;
    assert_eq!(members[1]["users"], json!([{"id": "ann"}, {"id": "ben"}]), "{members}");

    // a change through one vendor is seen through the others
    let changed = call.tencent("modify_group_base_info", json!({"GroupId": "g1", "Name": "renamed"})).await;
    assert_eq!(changed[1]["ActionStatus"], "OK", "{changed}");
    let found = call.agora(Method::GET, "/chatgroups/g1", Value::Null).await;
    assert_eq!(found[1]["data"][0]["name"], "renamed");
    let changed = call.rong("group/refresh", "groupId=g1&groupName=again").await;
    assert_eq!(changed, json!([200, {"code": 200}]));
    let changed = call.agora(Method::POST, "/chatgroups/g1/disable", Value::Null).await;
    assert_eq!(changed[1]["data"]["disabled"], true, "{changed}");
    let found = call.agora(Method::GET, "/chatgroups/g1", Value::Null).await;
    assert_eq!((&found[1]["data"][0]["name"], &found[1]["data"][0]["disabled"]), (&json!("again"), &json!(true)));
    assert!(running.shutdown().await);
}

#[tokio::test]
async fn what_the_backend_does_not_offer_is_refused_in_each_vendors_words() {
    let (running, _) = gateway(|_| ()).await;
    let call = Caller::new(&running).await;

    // commands
    let muting = json!({"usernames": ["ben"], "mute_duration": 1000});
    insta::assert_json_snapshot!(call.agora(Method::POST, "/chatgroups/g1/mute", muting).await, @r#"
    [
      403,
      {
        "error": "forbidden_op",
        "error_description": "mute: service not open!",
        "exception": "com.easemob.group.exception.ForbiddenOpException",
        "properties": {}
      }
    ]
    "#);
    let muting = json!({"GroupId": "g1", "Members_Account": ["ben"], "MuteTime": 60});
    insta::assert_json_snapshot!(call.tencent("forbid_send_msg", muting).await, @r#"
    [
      200,
      {
        "ActionStatus": "FAIL",
        "ErrorCode": 10059,
        "ErrorInfo": "the plan does not include this feature"
      }
    ]
    "#);
    insta::assert_json_snapshot!(call.rong("group/user/gag/add", "groupId=g1&userId=ben&minute=1").await, @r#"
    [
      430,
      {
        "code": 1009,
        "errorMessage": "service not enabled"
      }
    ]
    "#);
    insta::assert_json_snapshot!(call.rong("entrust/group/quit", "groupId=g1&userIds=ben").await, @r#"
    [
      430,
      {
        "code": 1009,
        "errorMessage": "service not enabled"
      }
    ]
    "#);
    // reads
    insta::assert_json_snapshot!(call.agora(Method::GET, "/chatgroups/g1/blocks/users", Value::Null).await, @r#"
    [
      403,
      {
        "error": "forbidden_op",
        "error_description": "blocklist: service not open!",
        "exception": "com.easemob.group.exception.ForbiddenOpException",
        "properties": {}
      }
    ]
    "#);
    insta::assert_json_snapshot!(call.tencent("get_group_muted_account", json!({"GroupId": "g1"})).await, @r#"
    [
      200,
      {
        "ActionStatus": "FAIL",
        "ErrorCode": 10059,
        "ErrorInfo": "the plan does not include this feature"
      }
    ]
    "#);
    insta::assert_json_snapshot!(call.rong("group/user/gag/list", "groupId=g1").await, @r#"
    [
      430,
      {
        "code": 1009,
        "errorMessage": "service not enabled"
      }
    ]
    "#);
    assert!(running.shutdown().await);
}

#[tokio::test]
async fn what_happened_elsewhere_is_recorded_and_delivered() {
    let app = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", app.local_addr().unwrap());
    let (running, events) = gateway(|config| {
        config.realms[0].rong().webhooks.url = Some(url);
        config.realms[0].rong().webhooks.allow_private = true;
    })
    .await;
    let log = &running.backends["dev"].log;
    let mut signal = log.subscribe();
    let many = events.len() as u64;
    assert_eq!(log.record(events).await.unwrap(), many);
    assert!(signal.changed().await);
    assert_eq!((log.last().await.unwrap(), log.read(0, 100).await.unwrap().len() as u64), (many, many));

    let (mut delivered, _) = tokio::time::timeout(Duration::from_secs(30), app.accept()).await.unwrap().unwrap();
    let mut request = Vec::new();
    let whole = async {
        while !String::from_utf8_lossy(&request).contains("\"groupId\":\"g1\"") {
            assert_ne!(delivered.read_buf(&mut request).await.unwrap(), 0, "the webhook ends early");
        }
    };
    tokio::time::timeout(Duration::from_secs(30), whole).await.unwrap();
    let request = String::from_utf8_lossy(&request);
    assert!(request.starts_with("POST /?") && request.contains("\"groupId\":\"g1\""), "{request}");
    delivered.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    assert!(running.shutdown().await);
}
