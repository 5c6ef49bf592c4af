//! An SDK from before WebSocket (`tim-js-sdk` up to 2.10.2): requests over HTTP, and a poll that is held until there is
//! something to receive. In a real browser, with the vendor's host leading here; the other user has the latest SDK.

use std::time::Duration;

use conclave::config::Tls;
use conclave_tests::sdk::driven::Driver;
use conclave_tests::sdk::page::Page;
use conclave_tests::vendor::Vendor;
use serde_json::{Value, json};

use crate::browser::{POLLING_ON_PAGE, browser};
use crate::stage::{LATEST, Stage};

async fn stage(users: &[&'static str]) -> Stage {
    Stage::by(LATEST, users, |config| {
        config.tls = Tls::Development;
        config.vendors.entry("tencent".to_owned()).or_default().hosts =
            vec!["localhost".to_owned(), "webim.tim.qq.com".to_owned()];
    })
    .await
}

/// A page on which a user has signed in by the old SDK.
async fn old_page(stage: &Stage, user: &str) -> Page {
    let page = browser(stage, POLLING_ON_PAGE).await;
    let sdkappid: u64 = stage.setting("TENCENT_SDKAPPID").parse().unwrap();
    page.call("create", json!([{"SDKAppID": sdkappid}])).await;
    sign_in(stage, &page, user).await;
    page
}

async fn sign_in(stage: &Stage, page: &Page, user: &str) {
    let login = json!([{"userID": user, "userSig": stage.signature(user, 0)}]);
    let answer = page.call("login", login).await;
    assert_eq!(answer["code"], 0, "{user}: {answer}");
    page.event("SDK_READY").await;
}

async fn called(page: &Page, method: &str, args: Value) -> Value {
    let answer = page.call(method, args.clone()).await;
    assert!(answer["refused"].is_null(), "{method} {args}: {answer}");
    answer
}

/// The next message of a kind of notice or tip that a page receives.
async fn operation(page: &Page, kind: u64) -> Value {
    loop {
        let received = page.event("MESSAGE_RECEIVED").await;
        let found = received.as_array().unwrap().iter().find(|one| one["payload"]["operationType"] == kind);
        if let Some(found) = found {
            return found.clone();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_polls_lives_in_a_group() {
    let stage = stage(&["bob"]).await;
    let alice = old_page(&stage, "alice").await;
    let options = json!([{"name": "First", "type": "Public", "groupID": "g1", "joinOption": "NeedPermission"}]);
    assert_eq!(called(&alice, "createGroup", options).await["data"]["group"]["groupID"], "g1");
    // an application is polled, and decided
    stage.calls("bob", "joinGroup", json!([{"groupID": "g1", "applyMessage": "please"}])).await;
    let notice = operation(&alice, 1).await;
    let decision = json!([notice["ID"], {"handleAction": "Agree", "handleMessage": "welcome"}]);
    called(&alice, "handleNotice", decision).await;
    assert_eq!(operation(stage.on("bob"), 2).await["payload"]["handleMessage"], "welcome");
    assert_eq!(operation(&alice, 1).await["payload"]["userIDList"], json!(["bob"]));
    // messages both ways, several at once, each received once and in order
    let texts: Vec<String> = (0..12).map(|number| format!("text {number}")).collect();
    for text in &texts {
        stage.calls("bob", "sendText", json!(["g1", text])).await;
    }
    let mut received = Vec::new();
    while received.len() < texts.len() {
        let messages = alice.event("MESSAGE_RECEIVED").await;
        received.extend(
            messages.as_array().unwrap().iter().filter_map(|one| one["payload"]["text"].as_str().map(str::to_owned)),
        );
    }
    assert_eq!(received, texts);
    called(&alice, "sendText", json!(["g1", "thanks"])).await;
    while stage.messages("bob", 1).await[0]["payload"]["text"] != "thanks" {}
    // tips and notices
    called(&alice, "updateGroupProfile", json!([{"groupID": "g1", "name": "Second"}])).await;
    assert_eq!(operation(stage.on("bob"), 6).await["payload"]["newGroupProfile"]["groupName"], "Second");
    stage.calls("bob", "quitGroup", json!(["g1"])).await;
    assert_eq!(operation(&alice, 2).await["payload"]["userIDList"], json!(["bob"]));
    let list = called(&alice, "getGroupList", json!([])).await;
    assert_eq!(list["data"]["groupList"][0]["name"], "Second", "{list}");
    assert!(alice.take_all(|event| event == "UNHANDLED_REJECTION").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_polls_signs_out_and_is_signed_out() {
    // both have the old SDK, with the fields that it requests
    let stage = stage(&[]).await;
    let (alice, bob) = tokio::join!(old_page(&stage, "alice"), old_page(&stage, "bob"));
    let members = json!([{"userID": "alice"}]);
    called(&bob, "createGroup", json!([{"name": "First", "type": "Public", "groupID": "g1", "memberList": members}]))
        .await;
    operation(&alice, 7).await;
    assert_eq!(called(&alice, "logout", json!([])).await["code"], 0);
    // what happens while nobody is signed in is in the list of the next one
    called(&bob, "sendText", json!(["g1", "one"])).await;
    sign_in(&stage, &alice, "alice").await;
    // this release is not sent what is said after it has read its lists and before its first poll: repeat until it polls
    let mut received: Vec<String> = Vec::new();
    for number in 0..100 {
        called(&bob, "sendText", json!(["g1", format!("two {number}")])).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        for (_, messages) in alice.take_all(|event| event == "MESSAGE_RECEIVED") {
            let texts = messages.as_array().unwrap().iter().filter_map(|one| one["payload"]["text"].as_str());
            received.extend(texts.map(str::to_owned));
        }
        if !received.is_empty() {
            break;
        }
    }
    assert!(!received.is_empty() && received.iter().all(|text| text.starts_with("two")), "{received:?}");
    let vendor_api = stage.served.vendor_apis().await.tencent;
    assert!(vendor_api.call("im_open_login_svc/kick", &json!({"UserID": "alice"})).await.is_ok());
    assert_eq!(alice.event("KICKED_OUT").await["type"], "multipleAccount");
    // it reports statistics now and then
    stage.answers("tim_web_report").await;
    let sdk = "tim-js-sdk 2.10.2 (npm)";
    Driver::client(Vendor::Tencent, sdk, "tencent-tim-polling").check(&stage.served, "tencent_web").await;
}
