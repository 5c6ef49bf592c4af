//! The SDK in a real browser: on a page of another origin, with everything that a browser requires.

use std::process::Command;

use conclave_tests::sdk::node::{chromium, packages};
use conclave_tests::sdk::page::Page;
use conclave_tests::sdk::unread;
use conclave_tests::vendor::Vendor;
use serde_json::{Value, json};

use crate::stage::{Stage, UNREAD};

#[tokio::test(flavor = "multi_thread")]
async fn a_page_in_chromium_lives_here() {
    let mut stage = Stage::with(&["bob"]).await;
    let modules = tokio::task::spawn_blocking(|| packages("rong/imlib-next/chromium")).await.unwrap();
    let mut driver = Command::new("node");
    driver.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/sdk/rong/imlib-next/browser.cjs")).arg(modules).arg(chromium());
    let page = Page::open(driver);
    let navigator = stage.setting("RONG_NAVI");
    page.call("init", json!([{"appkey": stage.setting("RONG_APPKEY"), "navigators": [navigator]}])).await;
    let token = stage.token("alice").await;
    assert_eq!(page.call("connect", json!([token])).await["data"]["userId"], "alice");
    page.event("PULL_OFFLINE_MESSAGE_FINISHED").await;

    let to_group = json!({"conversationType": 3, "targetId": "g1"});
    let info = json!({"groupId": "g1", "groupName": "First"});
    assert_eq!(page.call("createGroup", json!([info, ["bob"]])).await["code"], 0);
    let operations = page.take(2, |name| name == "GROUP_OPERATION").await;
    assert_eq!(operations.iter().map(|(_, data)| data["operation"].clone()).collect::<Vec<_>>(), [0, 1]);
    stage.receives(&[("bob", 1)]).await;
    let text = |content: &str| json!({"$text": {"content": content}});
    assert_eq!(page.call("sendMessage", json!([to_group, text("from a browser")])).await["code"], 0);
    stage.receives(&[("bob", 1)]).await;
    stage.does("bob", "sendMessage", json!([to_group, text("to a browser")]), &[]).await;
    assert_eq!(page.event("MESSAGES").await["messages"][0]["content"]["content"], "to a browser");
    let history = page.call("getHistoryMessages", json!([to_group, {"timestamp": 0, "count": 5}])).await;
    let said = history["data"]["list"].as_array().unwrap().iter().map(|message| message["content"]["content"].clone());
    assert_eq!(said.collect::<Vec<Value>>(), ["from a browser", "to a browser"]);

    let requests = page.call("requests", json!([])).await;
    let requests: Vec<&str> = requests.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let has = |begin: &str| requests.iter().any(|request| request.starts_with(begin));
    // the page has another origin than the gateway, so the browser sends a preflight
    assert!(has(&format!("OPTIONS {navigator}/v2/navi.json")), "{requests:#?}");
    assert!(has(&format!("POST {navigator}/v2/navi.json")), "{requests:#?}");
    assert!(has(&format!("SOCKET {}/websocket", navigator.replace("http", "ws"))), "{requests:#?}");
    unread::check(&stage.served, Vendor::Rong, UNREAD).await;
}
