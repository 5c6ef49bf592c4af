//! The app's server is asked once before a user's operation, and its answer is applied.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use conclave_kit::{Post, PostError, Question};
use conclave_tencent::webhooks::{WebhookSettings, guarded};
use conclave_tencent::{Settings, Tencent, TencentRealm};
use conclave_tests::house::credentials::SDKAPPID;
use conclave_tests::world::World;
use http::StatusCode;
use serde_json::{Value, json};

use crate::tencent_support::{call as call_as_app, realm};
use crate::{COMMUNITIES, House};

/// An app's server that gives one answer, and records the questions.
struct Server {
    says: Value,
    asked: Mutex<Vec<Value>>,
}

#[async_trait]
impl Post for Server {
    async fn post(&self, question: Question) -> Result<(StatusCode, Bytes), PostError> {
        self.asked.lock().unwrap().push(serde_json::from_slice(&question.body).unwrap());
        Ok((StatusCode::OK, self.says.to_string().into()))
    }
}

impl Server {
    fn take(&self) -> Vec<Value> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

/// A realm as the gateway builds it: the layer around the groups asks about users, and the surface about the app's
/// calls.
async fn asked(says: Value) -> (House, Arc<Server>, Arc<dyn Post>, WebhookSettings) {
    let world = World::new();
    world.users(&["alice", "bob", "carol"]).await;
    let server = Arc::new(Server { says, asked: Mutex::default() });
    let post: Arc<dyn Post> = server.clone();
    let before = ["CreateGroup", "ApplyJoinGroup", "InviteJoinGroup", "SendMsg"];
    let hooks = WebhookSettings {
        url: Some("https://app.example.com/".to_owned()),
        commands: before.iter().map(|command| format!("Group.CallbackBefore{command}")).collect(),
        ..WebhookSettings::default()
    };
    let plain = realm(&world, SDKAPPID, Settings::default());
    let groups = guarded(plain.groups.clone(), &plain.credentials, &hooks, &post);
    let realm = TencentRealm { groups, ..plain };
    let tencent = Tencent::new(Vec::new()).unwrap();
    tencent.add(realm, Some((hooks.clone(), post.clone()))).unwrap();
    (House { world, tencent }, server, post, hooks)
}

fn message(group: &str) -> Value {
    json!({"GroupId": group, "Random": 1, "MsgBody": [{"MsgType": "TIMTextElem", "MsgContent": {"Text": "hi"}}]})
}

#[tokio::test]
async fn each_call_of_a_user_is_asked_about_once() {
    let (house, server, ..) = asked(json!({"ActionStatus": "OK", "ErrorInfo": "", "ErrorCode": 0})).await;
    let mut questions = Vec::new();
    let mut once = |what: &str| {
        let asked = server.take();
        assert_eq!(asked.len(), 1, "{what}: {asked:?}");
        questions.extend(asked);
    };
    let create = json!({"Type": "Public", "Name": "g", "GroupId": "g", "InviteJoinOption": "FreeAccess"});
    house.done("alice", "create_group", create).await;
    once("create_group");
    house.done("alice", "add_group_member", json!({"GroupId": "g", "MemberList": [{"Member_Account": "bob"}]})).await;
    once("add_group_member");
    house.done("carol", "apply_join_group", json!({"GroupId": "g"})).await;
    once("apply_join_group");
    house.done("bob", "send_group_msg", message("g")).await;
    once("send_group_msg");
    let community = json!({"Type": "Community", "Name": "c", "GroupId": "@TGS#_c", "SupportTopic": 1});
    house.done("alice", "create_group", community).await;
    once("create_group of a community");
    let topic = json!({"GroupId": "@TGS#_c", "TopicName": "news", "TopicId": "@TGS#_c@TOPIC#_news"});
    assert_eq!(house.call("alice", &format!("{COMMUNITIES}.create_topic"), &topic).await["ErrorCode"], 0);
    once("create_topic");
    let mut said = message("@TGS#_c");
    said["TopicId"] = json!("@TGS#_c@TOPIC#_news");
    house.done("alice", "send_group_msg", said).await;
    once("send_group_msg in a topic");
    insta::assert_json_snapshot!("questions", questions);

    // operations that are refused anyway are not asked about
    assert_eq!(house.code("carol", "send_group_msg", message("g")).await, 10007);
    assert_eq!(
        house
            .code("carol", "add_group_member", json!({"GroupId": "g", "MemberList": [{"Member_Account": "bob"}]}))
            .await,
        10007
    );
    assert_eq!(server.take(), Vec::<Value>::new());
}

#[tokio::test]
async fn what_it_refuses_is_refused_and_leaves_nothing() {
    let (house, server, ..) = asked(json!({"ActionStatus": "OK", "ErrorInfo": "not today", "ErrorCode": 10101})).await;
    let create = json!({"Type": "Public", "Name": "g", "GroupId": "g"});
    let answer = house.call("alice", "group_open_http_svc.create_group", &create).await;
    assert_eq!((&answer["ErrorCode"], &answer["ErrorInfo"]), (&json!(10101), &json!("not today")));
    assert_eq!(server.take().len(), 1);
    assert_eq!(house.code("alice", "get_group_member_info", json!({"GroupId": "g"})).await, 10015);
}

#[tokio::test]
async fn the_apps_own_calls_are_asked_about_once_too() {
    let (house, server, post, hooks) = asked(json!({"ActionStatus": "OK", "ErrorInfo": "", "ErrorCode": 0})).await;
    let plain = realm(&house.world, SDKAPPID, Settings::default());
    let groups = guarded(plain.groups.clone(), &plain.credentials, &hooks, &post);
    let surface = Tencent::new(Vec::new()).unwrap();
    surface.add(TencentRealm { groups, ..plain }, Some((hooks, post))).unwrap();
    let client = conclave_tests::house::mounted(surface);
    let create = json!({"Type": "Public", "Name": "g", "GroupId": "g", "Owner_Account": "alice"});
    call_as_app(&client, "group_open_http_svc/create_group", &create).await;
    assert_eq!(server.take().len(), 1);
    call_as_app(&client, "group_open_http_svc/send_group_msg", &message("g")).await;
    assert_eq!(server.take().len(), 1);
}
