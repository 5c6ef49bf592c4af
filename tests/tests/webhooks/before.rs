//! Tencent asks before some operations: the app may refuse them, change them, or not answer.

use std::time::{Duration, Instant, SystemTime};

use conclave::vendors::tencent::WebhookSettings;
use conclave::{Running, config};
use conclave_tests::client::Client;
use conclave_tests::sign::user_sig;
use http::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;

use crate::app::{Answer, App};
use crate::house::gateway;

const CREATE: &str = "Group.CallbackBeforeCreateGroup";
const INVITE: &str = "Group.CallbackBeforeInviteJoinGroup";
const SEND: &str = "Group.CallbackBeforeSendMsg";

/// Tells and asks here; asks by these callbacks only.
fn to(url: String, commands: &[&str]) -> WebhookSettings {
    WebhookSettings {
        url: Some(url),
        token: "xxxxyyyy".into(),
        commands: commands.iter().map(|&command| command.to_owned()).collect(),
        allow_private: true,
        backoff_ms: 20,
        ..WebhookSettings::default()
    }
}

/// A back end of Tencent's.
struct BackEnd {
    client: Client,
    login: String,
}

impl BackEnd {
    fn of(running: &Running) -> Self {
        let realm: &config::Realm = &running.config.realms[0];
        let (credentials, _) = realm.tencent.as_ref().unwrap();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let (id, key) = (credentials.sdkappid, &credentials.secret_key);
        let sig = user_sig(id, key, "administrator", now - 60, 86_400);
        let login = format!("sdkappid={id}&identifier=administrator&usersig={sig}&random=1&contenttype=json");
        Self { client: Client::at(running.addresses.shared, "/tencent"), login }
    }

    async fn call(&self, command: &str, body: Value) -> Value {
        let service = if command.starts_with("multiaccount") { "im_open_login_svc" } else { "group_open_http_svc" };
        let target = format!("/v4/{service}/{command}?{}", self.login);
        self.client.send(Method::POST, &target, &[], body.to_string()).await.json()
    }

    async fn accounts(&self, accounts: &[&str]) {
        let answer = self.call("multiaccount_import", json!({ "Accounts": accounts })).await;
        assert_eq!(answer["ErrorCode"], 0, "{answer}");
    }

    /// A public group of carol's.
    async fn create(&self, id: &str) -> Value {
        self.call("create_group", json!({"GroupId": id, "Name": "n", "Type": "Public", "Owner_Account": "carol"})).await
    }

    async fn members(&self, id: &str) -> Vec<String> {
        let answer = self.call("get_group_member_info", json!({ "GroupId": id })).await;
        let members = answer["MemberList"].as_array().unwrap();
        members.iter().map(|member| member["Member_Account"].as_str().unwrap().to_owned()).collect()
    }

    async fn say(&self, id: &str, random: u32, text: &str) -> Value {
        let body = json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": text}}]);
        self.call("send_group_msg", json!({"GroupId": id, "Random": random, "MsgBody": body})).await
    }

    async fn history(&self, id: &str) -> Vec<Value> {
        let answer = self.call("group_msg_get_simple", json!({"GroupId": id, "ReqMsgNumber": 20})).await;
        let list = answer["RspMsgList"].as_array().unwrap();
        list.iter().map(|message| message["MsgBody"].clone()).collect()
    }
}

fn said(code: u32, info: &str) -> Answer {
    Answer::of(200).saying(json!({"ActionStatus": "OK", "ErrorInfo": info, "ErrorCode": code}).to_string())
}

#[tokio::test]
async fn a_group_is_made_only_when_the_app_agrees() {
    let app = App::answering(|_, before| match before {
        0 => said(1, ""),
        1 => said(10101, "not allowed by policy"),
        _ => said(0, ""),
    })
    .await;
    let gateway = gateway(|config| config.realms[0].webhooks.tencent = to(app.url("/im"), &[CREATE])).await;
    let back_end = BackEnd::of(&gateway);
    back_end.accounts(&["carol"]).await;

    let refused = back_end.create("g").await;
    assert_eq!(refused, json!({"ActionStatus": "FAIL", "ErrorCode": 10016, "ErrorInfo": "rejected by callback"}));
    let refused = back_end.create("g").await;
    assert_eq!(refused, json!({"ActionStatus": "FAIL", "ErrorCode": 10101, "ErrorInfo": "not allowed by policy"}));
    let info = back_end.call("get_group_info", json!({"GroupIdList": ["g"]})).await;
    assert_eq!(info["GroupInfo"][0]["ErrorCode"], 10015, "a refused group is there: {info}");
    assert_eq!(back_end.create("g").await["ErrorCode"], 0);
    assert_eq!(back_end.create("h").await["ErrorCode"], 0);

    let told = app.told();
    assert_eq!(told.len(), 4, "asked again, or told although that is switched off: {told:#?}");
    let (query, body) = (&told[3].query, &told[3].body);
    let signed = format!("xxxxyyyy{}", query["RequestTime"]);
    assert_eq!(query["Sign"], hex::encode(Sha256::digest(signed.as_bytes())));
    let said = |key: &str| query[key].as_str();
    assert_eq!((said("SdkAppid"), said("CallbackCommand"), said("contenttype")), ("1400000000", CREATE, "json"));
    assert_eq!(said("OptPlatform"), "RESTAPI");
    assert_eq!((&body["Owner_Account"], &body["Operator_Account"]), (&json!("carol"), &json!("administrator")));
    // of those made before
    assert_eq!((&body["CreatedGroupNum"], &body["CreateGroupNum"]), (&json!({"Public": 1}), &json!(1)));
    assert!(gateway.shutdown().await);
}

#[tokio::test]
async fn some_may_come_and_others_not() {
    let app = App::answering(|_, before| match before {
        0 => {
            let some =
                json!({"ActionStatus": "OK", "ErrorInfo": "", "ErrorCode": 0, "RefusedMembers_Account": ["jared"]});
            Answer::of(200).saying(some.to_string())
        }
        _ => said(1, ""),
    })
    .await;
    let gateway = gateway(|config| config.realms[0].webhooks.tencent = to(app.url("/"), &[INVITE])).await;
    let back_end = BackEnd::of(&gateway);
    back_end.accounts(&["carol", "jared", "tommy"]).await;
    back_end.create("g").await;
    let list = json!([{"Member_Account": "jared"}, {"Member_Account": "tommy"}]);
    let added = back_end.call("add_group_member", json!({"GroupId": "g", "MemberList": list})).await;
    let result = json!([{"Member_Account": "jared", "Result": 0}, {"Member_Account": "tommy", "Result": 1}]);
    assert_eq!(added["MemberList"], result);
    assert_eq!(back_end.members("g").await, ["carol", "tommy"]);
    let refused = back_end.call("add_group_member", json!({"GroupId": "g", "MemberList": list})).await;
    assert_eq!(refused["ErrorCode"], 10016);
    assert_eq!(app.told()[0].body["DestinationMembers"], list);
    assert!(gateway.shutdown().await);
}

#[tokio::test]
async fn a_message_is_refused_dropped_or_changed() {
    let other = json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": "better"}}]);
    let body = other.clone();
    let app = App::answering(move |told, _| match told.body["MsgBody"][0]["MsgContent"]["Text"].as_str().unwrap() {
        "bad" => said(1, ""),
        "spam" => said(2, ""),
        "rude" => Answer::of(200).saying(json!({"ErrorCode": 0, "MsgBody": body}).to_string()),
        "odd" => Answer::of(200).saying(json!({"ErrorCode": 0, "MsgBody": [{"what": "is this"}]}).to_string()),
        _ => said(0, ""),
    })
    .await;
    let gateway = gateway(|config| config.realms[0].webhooks.tencent = to(app.url("/"), &[SEND])).await;
    let back_end = BackEnd::of(&gateway);
    back_end.accounts(&["carol"]).await;
    back_end.create("g").await;
    assert_eq!(back_end.say("g", 1, "bad").await["ErrorCode"], 10016);
    let dropped = back_end.say("g", 2, "spam").await;
    assert_eq!((&dropped["ErrorCode"], &dropped["MsgSeq"]), (&json!(0), &json!(1)));
    assert!(back_end.history("g").await.is_empty(), "what was dropped is there");
    assert_eq!(back_end.say("g", 3, "rude").await["ErrorCode"], 0);
    assert_eq!(back_end.say("g", 4, "odd").await["ErrorCode"], 0);
    let odd = json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": "odd"}}]);
    assert_eq!(back_end.history("g").await, [odd, other], "an answer that cannot be used changes nothing");

    // who forbids it is not asked
    let asked = app.told().len();
    let body = json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": "bad"}}]);
    let forbids = json!({"GroupId": "g", "Random": 5, "MsgBody": body,
        "ForbidCallbackControl": ["ForbidBeforeSendMsgCallback"]});
    assert_eq!(back_end.call("send_group_msg", forbids).await["ErrorCode"], 0);
    assert_eq!(app.told().len(), asked);
    assert!(gateway.shutdown().await);
}

#[tokio::test]
async fn without_an_answer_it_goes_ahead_after_the_time_out() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let gateway = gateway(|config| {
        config.realms[0].webhooks.tencent = to(url, &[CREATE]);
        config.realms[0].webhooks.tencent.before_timeout_ms = 400;
    })
    .await;
    let back_end = BackEnd::of(&gateway);
    back_end.accounts(&["carol"]).await;
    let begun = Instant::now();
    assert_eq!(back_end.create("g").await["ErrorCode"], 0);
    let took = begun.elapsed();
    assert!(took >= Duration::from_millis(400) && took < Duration::from_secs(2), "{took:?}");
    // others are not asked about, and do not wait
    let begun = Instant::now();
    assert_eq!(back_end.say("g", 1, "hi").await["ErrorCode"], 0);
    assert!(begun.elapsed() < Duration::from_millis(300));
    assert!(gateway.shutdown().await);
}

#[tokio::test]
async fn answers_that_cannot_be_used_let_it_go_ahead_unless_the_app_wants_otherwise() {
    let answers = || {
        App::answering(|_, before| match before % 4 {
            0 => Answer::of(500),
            1 => Answer::of(200).saying("<html>"),
            2 => Answer::of(200).saying("x".repeat(1 << 20)),
            _ => said(99, ""),
        })
    };
    for (refuses, code) in [(false, 0), (true, 80003)] {
        let app = answers().await;
        let gateway = gateway(|config| {
            config.realms[0].webhooks.tencent = to(app.url("/"), &[SEND, CREATE]);
            config.realms[0].webhooks.tencent.before_refuse = refuses;
        })
        .await;
        let back_end = BackEnd::of(&gateway);
        back_end.accounts(&["carol"]).await;
        let created = back_end.create("g").await;
        assert_eq!(created["ErrorCode"], if refuses { 10016 } else { 0 });
        if refuses {
            // made by another way in, which is not asked about
            crate::house::BackEnd::of(&gateway).create("g").await;
        }
        for random in 0..4 {
            assert_eq!(back_end.say("g", random, "hi").await["ErrorCode"], code, "{random}");
        }
        assert!(gateway.shutdown().await);
    }
}

#[tokio::test]
async fn what_was_done_is_told_after_it() {
    let app = App::willing().await;
    let gateway = gateway(|config| config.realms[0].webhooks.tencent = to(app.url("/"), &[])).await;
    let back_end = BackEnd::of(&gateway);
    back_end.accounts(&["carol", "jared"]).await;
    back_end.create("g").await;
    let list = json!([{"Member_Account": "jared"}]);
    back_end.call("add_group_member", json!({"GroupId": "g", "MemberList": list})).await;
    back_end.say("g", 7, "hi").await;
    back_end.call("destroy_group", json!({"GroupId": "g"})).await;
    let told = app.until(|told| told.len() == 4).await;
    let commands: Vec<&str> = told.iter().map(|told| told.query["CallbackCommand"].as_str()).collect();
    let wanted = ["AfterCreateGroup", "AfterNewMemberJoin", "AfterSendMsg", "AfterGroupDestroyed"];
    assert_eq!(commands, wanted.map(|command| format!("Group.Callback{command}")));
    let signed = format!("xxxxyyyy{}", told[0].query["RequestTime"]);
    assert_eq!(told[0].query["Sign"], hex::encode(Sha256::digest(signed.as_bytes())));
    assert!(gateway.shutdown().await);
}

#[test]
fn callbacks_that_do_not_exist_are_refused_before_anything_starts() {
    let mut config = conclave::Config::development().unwrap();
    config.realms[0].webhooks.tencent = to("https://app.example.com/".to_owned(), &["Group.CallbackBeforeTea"]);
    let refused = config::check(&config).unwrap_err().to_string();
    assert!(refused.contains("realm.dev.tencent.webhooks") && refused.contains("Group.CallbackBeforeTea"), "{refused}");
}
