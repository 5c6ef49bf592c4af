//! Tencent asks before some operations: the app may refuse them, change them, or not answer.

mod callers;
mod receivers;

use callers::{BackEnd, Users, said, to};
use conclave::config;
use conclave_tests::ledger::callbacks::Sample;
use conclave_tests::vendor::Sections as _;
use http::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::app::{Answer, App};
use crate::house::gateway;
use crate::samples::is_as;

const APPLY: &str = "Group.CallbackBeforeApplyJoinGroup";
const CREATE: &str = "Group.CallbackBeforeCreateGroup";
const INVITE: &str = "Group.CallbackBeforeInviteJoinGroup";
const TOPIC: &str = "Group.CallbackBeforeCreateTopic";
const SEND: &str = "Group.CallbackBeforeSendMsg";

#[tokio::test]
async fn a_group_is_made_only_when_the_app_agrees() {
    let app = App::answering(|_, before| match before {
        0 => said(1, ""),
        1 => said(10101, "not allowed by policy"),
        _ => said(0, ""),
    })
    .await;
    let gateway = gateway(|config| config.realms[0].tencent().webhooks = to(app.url("/im"), &[CREATE])).await;
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

    let requests = app.requests();
    assert_eq!(requests.len(), 4, "asked again, or sent although that is switched off: {requests:#?}");
    let (query, body) = (&requests[3].query, &requests[3].body);
    let signed = format!("xxxxyyyy{}", query["RequestTime"]);
    assert_eq!(query["Sign"], hex::encode(Sha256::digest(signed.as_bytes())));
    let said = |key: &str| query[key].as_str();
    assert_eq!((said("SdkAppid"), said("CallbackCommand"), said("contenttype")), ("1400000000", CREATE, "json"));
    assert_eq!(said("OptPlatform"), "RESTAPI");
    assert_eq!((&body["Owner_Account"], &body["Operator_Account"]), (&json!("carol"), &json!("administrator")));
    // counts the existing ones
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
    let gateway = gateway(|config| config.realms[0].tencent().webhooks = to(app.url("/"), &[INVITE])).await;
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
    assert_eq!(app.requests()[0].body["DestinationMembers"], list);
    assert!(gateway.shutdown().await);
}

#[tokio::test]
async fn a_message_is_refused_dropped_or_changed() {
    let other = json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": "better"}}]);
    let body = other.clone();
    let app =
        App::answering(move |request, _| match request.body["MsgBody"][0]["MsgContent"]["Text"].as_str().unwrap() {
            "bad" => said(1, ""),
            "spam" => said(2, ""),
            "rude" => Answer::of(200).saying(json!({"ErrorCode": 0, "MsgBody": body}).to_string()),
            "odd" => Answer::of(200).saying(json!({"ErrorCode": 0, "MsgBody": [{"what": "is this"}]}).to_string()),
            _ => said(0, ""),
        })
        .await;
    let gateway = gateway(|config| config.realms[0].tencent().webhooks = to(app.url("/"), &[SEND])).await;
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

    // a message that forbids it is not asked about
    let asked = app.requests().len();
    let body = json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": "bad"}}]);
    let forbids = json!({"GroupId": "g", "Random": 5, "MsgBody": body,
        "ForbidCallbackControl": ["ForbidBeforeSendMsgCallback"]});
    assert_eq!(back_end.call("send_group_msg", forbids).await["ErrorCode"], 0);
    assert_eq!(app.requests().len(), asked);
    assert!(gateway.shutdown().await);
}

#[tokio::test]
async fn nobody_is_asked_about_a_message_there_is_no_room_for() {
    let app = App::answering(|_, _| said(0, "")).await;
    let gateway = gateway(|config| {
        config.realms[0].tencent().webhooks = to(app.url("/"), &[SEND]);
        config.realms[0].tencent().settings.messages_per_second = 1;
    })
    .await;
    let back_end = BackEnd::of(&gateway);
    back_end.accounts(&["carol"]).await;
    back_end.create("g").await;
    // each second has room for one
    for sent in 0..50 {
        match back_end.say("g", sent, "hi").await["ErrorCode"].as_u64() {
            Some(0) => {}
            Some(10023) => {
                assert_eq!(app.requests().len(), usize::try_from(sent).unwrap(), "asked about what was refused");
                assert!(gateway.shutdown().await);
                return;
            }
            other => panic!("{other:?}"),
        }
    }
    panic!("there is room for all");
}

#[tokio::test]
async fn callbacks_follow_the_operation() {
    let app = App::willing().await;
    let gateway = gateway(|config| config.realms[0].tencent().webhooks = to(app.url("/"), &[])).await;
    let back_end = BackEnd::of(&gateway);
    back_end.accounts(&["carol", "jared"]).await;
    back_end.create("g").await;
    let list = json!([{"Member_Account": "jared"}]);
    back_end.call("add_group_member", json!({"GroupId": "g", "MemberList": list})).await;
    back_end.say("g", 7, "hi").await;
    back_end.call("destroy_group", json!({"GroupId": "g"})).await;
    let requests = app.until(|requests| requests.len() == 4).await;
    let commands: Vec<&str> = requests.iter().map(|request| request.query["CallbackCommand"].as_str()).collect();
    let wanted = ["AfterCreateGroup", "AfterNewMemberJoin", "AfterSendMsg", "AfterGroupDestroyed"];
    assert_eq!(commands, wanted.map(|command| format!("Group.Callback{command}")));
    let signed = format!("xxxxyyyy{}", requests[0].query["RequestTime"]);
    assert_eq!(requests[0].query["Sign"], hex::encode(Sha256::digest(signed.as_bytes())));
    assert!(gateway.shutdown().await);
}

#[test]
fn callbacks_that_do_not_exist_are_refused_before_anything_starts() {
    let mut config = conclave::Config::development().unwrap();
    config.realms[0].tencent().webhooks = to("https://app.example.com/".to_owned(), &["Group.CallbackBeforeTea"]);
    let refused = config::check(&config).unwrap_err().to_string();
    assert!(refused.contains("realm.dev.tencent.webhooks") && refused.contains("Group.CallbackBeforeTea"), "{refused}");
}

#[tokio::test]
async fn questions_are_asked_as_documented() {
    let app = App::answering(|_, _| said(0, "")).await;
    let commands = [CREATE, APPLY, INVITE, SEND];
    let gateway = gateway(|config| config.realms[0].tencent().webhooks = to(app.url("/im/callback"), &commands)).await;
    let back_end = BackEnd::of(&gateway);
    back_end.accounts(&["leckie", "bob", "peter", "tommy"]).await;
    let members = json!([{"Member_Account": "bob"}, {"Member_Account": "peter"}]);
    let create = json!({"GroupId": "g", "Name": "MyFirstGroup", "Type": "Public", "Owner_Account": "leckie",
        "MemberList": members});
    assert_eq!(back_end.call("create_group", create).await["ErrorCode"], 0);
    let users = Users::of(&gateway).await;
    let jared = users.token("jared").await;
    assert_eq!(users.apply("g", &jared).await.0, 200);
    let list = json!([{"Member_Account": "jared"}, {"Member_Account": "tommy"}]);
    back_end.call("add_group_member", json!({"GroupId": "g", "MemberList": list})).await;
    let body = json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": "red packet"}}]);
    let send = json!({"GroupId": "g", "Random": 123_456, "From_Account": "jared", "OnlineOnlyFlag": 1,
        "MsgBody": body, "CloudCustomData": "your cloud custom data"});
    assert_eq!(back_end.call("send_group_msg", send).await["ErrorCode"], 0);

    // shares the switch of groups; imports are not asked about
    let import = json!({"GroupId": "@TGS#_c", "Type": "Community", "Name": "n", "SupportTopic": 1});
    assert_eq!(back_end.call("import_group", import).await["ErrorCode"], 0);
    let topic = json!({"GroupId": "@TGS#_c", "TopicName": "MyFirstTopic", "From_Account": "leckie"});
    assert_eq!(back_end.call("create_topic", topic).await["ErrorCode"], 0);

    let requests = app.requests();
    let commands = [&commands[..], &[TOPIC]].concat();
    assert_eq!(requests.iter().map(|request| &*request.query["CallbackCommand"]).collect::<Vec<_>>(), commands);
    for request in &requests {
        let sample =
            Sample::all("tencent").into_values().find(|sample| sample.callback == request.body["CallbackCommand"]);
        let sample = sample.unwrap();
        assert!(is_as(&request.body, &sample), "{} is not asked as documented: {}", request.body, sample.body);
        let name = sample.callback.trim_start_matches("Group.Callback").to_owned();
        let notice = json!({"name": sample.callback, "query": request.query, "body": request.body});
        insta::assert_json_snapshot!(name, json!([{ "sent": { "tencent": [notice] } }]), {
            "[].sent.tencent[].query.RequestTime" => "[time]",
            "[].sent.tencent[].query.Sign" => "[signature]",
            "[].sent.tencent[].body.EventTime" => "[time]",
        });
    }
    assert!(gateway.shutdown().await);
}

/// Performs the operation that the app's server is asked about by this callback, and returns its outcome.
async fn asked_about(callback: &str, body: &Value, back_end: &BackEnd, users: &Users) -> Value {
    match callback {
        CREATE => {
            let create = json!({"GroupId": "new", "Type": "Public", "Owner_Account": "leckie", "Name": "TestGroup",
                "MemberList": [{"Member_Account": "bob"}]});
            back_end.call("create_group", create).await
        }
        APPLY => {
            let token = users.token("dave").await;
            let (status, answer) = users.apply("g", &token).await;
            json!({"status": status, "error": answer["error"], "description": answer["error_description"]})
        }
        INVITE => {
            let list = &body["DestinationMembers"];
            back_end.call("add_group_member", json!({"GroupId": "g", "MemberList": list})).await
        }
        SEND => {
            let send = json!({"GroupId": "g", "Random": 123_456, "From_Account": "leckie", "MsgBody": body["MsgBody"],
                "CloudCustomData": body["CloudCustomData"]});
            back_end.call("send_group_msg", send).await
        }
        other => panic!("nothing is done that {other} is about"),
    }
}

#[tokio::test]
async fn answers_have_their_documented_effect() {
    for (name, sample) in Sample::all("tencent") {
        let Some(answer) = sample.answer.clone() else { continue };
        let app = App::answering(move |_, _| Answer::of(200).saying(answer.to_string())).await;
        let command = sample.callback.clone();
        let gateway = gateway(|config| config.realms[0].tencent().webhooks = to(app.url("/"), &[&command])).await;
        let back_end = BackEnd::of(&gateway);
        back_end.accounts(&["leckie", "bob", "jared", "tommy"]).await;
        // created by imports, which are not asked about
        for (id, kind) in [("g", "Public"), ("p", "Private")] {
            let import = json!({"GroupId": id, "Type": kind, "Owner_Account": "leckie", "Name": "n"});
            assert_eq!(back_end.call("import_group", import).await["ErrorCode"], 0);
        }
        let users = Users::of(&gateway).await;
        let outcome = asked_about(&command, &sample.body, &back_end, &users).await;
        let [asked] = &app.requests()[..] else { panic!("{name}: {:#?}", app.requests()) };
        assert!(is_as(&asked.body, &sample), "{name}: {} is not asked as documented: {}", asked.body, sample.body);
        if let Some(wanted) = &sample.outcome {
            assert_eq!(
                (&outcome["ErrorCode"], &outcome["ErrorInfo"]),
                (&wanted["ErrorCode"], &wanted["ErrorInfo"]),
                "{name}"
            );
        }
        let there = back_end.call("get_group_info", json!({"GroupIdList": ["new"]})).await;
        let history = back_end.call("group_msg_get_simple", json!({"GroupId": "g", "ReqMsgNumber": 20})).await;
        let said = history["RspMsgList"].as_array().unwrap().iter();
        let said: Vec<Value> = said.map(|said| json!([said["MsgBody"], said["CloudCustomData"]])).collect();
        let after = json!({"outcome": outcome, "new": there["GroupInfo"][0]["ErrorCode"], "in g": back_end.members("g").await,
            "said in g": said});
        insta::assert_json_snapshot!(format!("answer-{name}"), [after], { "[].outcome.MsgTime" => "[time]" });
        assert!(gateway.shutdown().await);
    }
}

#[tokio::test]
async fn an_applicant_is_refused_through_whichever_vendors_client() {
    let app = App::answering(|_, before| match before {
        0 => said(1, ""),
        1 => said(10101, "not before noon"),
        2 => Answer::of(500),
        _ => said(0, ""),
    })
    .await;
    let gateway = gateway(|config| config.realms[0].tencent().webhooks = to(app.url("/"), &[APPLY])).await;
    let back_end = BackEnd::of(&gateway);
    back_end.accounts(&["carol"]).await;
    back_end.create("g").await;
    let users = Users::of(&gateway).await;
    let jared = users.token("jared").await;
    for words in ["refused by the app's server", "refused by the app's server: not before noon"] {
        let (status, refused) = users.apply("g", &jared).await;
        assert_eq!(
            (status, &refused["error"], &refused["error_description"]),
            (403, &json!("forbidden_op"), &json!(words))
        );
    }
    // a refused operation has no effect
    let decide = json!({"applicant": "jared", "verifyResult": true, "reason": ""});
    let (status, none) = users.call(Method::POST, "/chatgroups/g/apply_verify", &users.app, decide.clone()).await;
    assert_eq!(status, 403, "{none}");
    // without an answer it proceeds: the managers decide as usual
    let (status, waits) = users.apply("g", &jared).await;
    assert_eq!((status, &waits["data"]["result"]), (200, &json!(true)), "{waits}");
    let (status, decided) = users.call(Method::POST, "/chatgroups/g/apply_verify", &users.app, decide).await;
    assert_eq!(status, 200, "{decided}");
    assert_eq!(back_end.members("g").await, ["carol", "jared"]);
    let asked = app.requests().len();
    assert_eq!(asked, 3, "{:#?}", app.requests());

    // where the group refuses anyway, or there is nothing to refuse, the server is not asked
    users.apply("g", &jared).await;
    users.apply("nowhere", &jared).await;
    let private = json!({"GroupId": "p", "Name": "n", "Type": "Private", "Owner_Account": "carol"});
    assert_eq!(back_end.call("create_group", private).await["ErrorCode"], 0);
    users.apply("p", &jared).await;
    assert_eq!(app.requests().len(), asked, "{:#?}", app.requests());
    assert!(gateway.shutdown().await);
}
