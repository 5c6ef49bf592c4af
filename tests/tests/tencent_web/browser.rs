//! The SDK in a real browser, over an encrypted connection: on a page of another origin, in the worker that the SDK
//! connects from.

use std::process::Command;

use conclave::config::Tls;
use conclave_tests::sdk::node::{chromium, packages};
use conclave_tests::sdk::page::Page;
use conclave_tests::vendor::Sections as _;
use serde_json::json;

use crate::stage::{LATEST, Stage};

/// An SDK on a page: the folder of its lock file, its file, and its name on the page.
type OnPage = [&'static str; 3];

/// The one that the vendor publishes now.
const LATEST_ON_PAGE: OnPage = ["tencent/chat/chromium", "@tencentcloud/chat/index.js", "TencentCloudChat"];

/// One from before WebSocket: it polls.
pub(crate) const POLLING_ON_PAGE: OnPage = ["tencent/tim-js-sdk/2.10.2", "tim-js-sdk/tim-js.js", "TIM"];

/// A page in a browser in which the vendor's hosts lead here.
pub(crate) async fn browser(stage: &Stage, [folder, file, name]: OnPage) -> Page {
    let modules = tokio::task::spawn_blocking(|| packages(folder)).await.unwrap();
    let mut driver = Command::new("node");
    driver.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/sdk/tencent/chat/browser.cjs")).arg(modules).arg(chromium());
    let running = &stage.served.running;
    let authority = running.authority.as_ref().expect("an authority");
    driver.arg(running.addresses.shared.to_string()).arg(authority).arg(file).arg(name);
    Page::open(driver)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_in_chromium_needs_no_option_at_all() {
    let stage = Stage::by(LATEST, &[], |config| {
        config.tls = Tls::Development;
        let sdkappid = config.realms[0].tencent().credentials.sdkappid;
        // the first host that the SDK tries; with development credentials, the hosts that are served are named
        config.vendors.entry("tencent".to_owned()).or_default().hosts = vec![format!("{sdkappid}w4c.my-imcloud.com")];
    })
    .await;
    let sdkappid: u64 = stage.setting("TENCENT_SDKAPPID").parse().unwrap();
    let (alice, bob) = tokio::join!(browser(&stage, LATEST_ON_PAGE), browser(&stage, LATEST_ON_PAGE));
    // one with the option and one without
    let proxy = stage.setting("TENCENT_WS_URL").replace("127.0.0.1", "localhost");
    assert!(proxy.starts_with("wss://"), "{proxy}");
    for (page, user, options) in [
        (&alice, "alice", json!({"SDKAppID": sdkappid})),
        (&bob, "bob", json!({"SDKAppID": sdkappid, "proxyServer": proxy})),
    ] {
        page.call("create", json!([options])).await;
        let login = json!([{"userID": user, "userSig": stage.signature(user, 0)}]);
        assert_eq!(page.call("login", login).await["code"], 0, "{user}");
        page.event("SDK_READY").await;
        page.event("GROUP_LIST_UPDATED").await;
    }
    let options = json!([{"name": "First", "type": "Public", "groupID": "g1", "memberList": [{"userID": "bob"}]}]);
    assert_eq!(alice.call("createGroup", options).await["code"], 0);
    assert_eq!(bob.event("MESSAGE_RECEIVED").await[0]["payload"]["operationType"], 7);
    bob.event("MESSAGE_RECEIVED").await;
    for (from, to, text) in [(&alice, &bob, "from one browser"), (&bob, &alice, "to the other")] {
        let sent = from.call("sendText", json!(["g1", text])).await;
        let received = to.event("MESSAGE_RECEIVED").await;
        assert_eq!((&received[0]["ID"], &received[0]["payload"]["text"]), (&sent["ID"], &json!(text)));
    }
    for page in [&alice, &bob] {
        assert!(page.take_all(|event| event == "UNHANDLED_REJECTION").is_empty());
    }
}
