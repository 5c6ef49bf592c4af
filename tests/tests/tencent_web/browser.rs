//! The SDK in a real browser, over an encrypted connection: on a page of another origin, in the worker that the SDK
//! connects from.

use std::process::Command;

use base64::Engine as _;
use conclave::Config;
use conclave::config::Tls;
use conclave_tests::sdk::driven::Driver;
use conclave_tests::sdk::node::{chromium, packages};
use conclave_tests::sdk::page::Page;
use conclave_tests::vendor::{Sections as _, Vendor};
use serde_json::json;

use crate::stage::{LATEST, Stage};

/// An SDK on a page: the folder of its lock file, its file, and its name on the page.
type OnPage = [&'static str; 3];

/// The one that the vendor publishes now.
pub(crate) const LATEST_ON_PAGE: OnPage = ["tencent/chat/chromium", "@tencentcloud/chat/index.js", "TencentCloudChat"];

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
    if folder == LATEST_ON_PAGE[0] {
        driver.arg("tim-upload-plugin/index.js");
    }
    Page::open(driver)
}

/// Two pages, with `alice` and `bob` signed in: one without any option, so that the vendor's hosts lead here, and one with
/// `proxyServer`.
async fn two_pages(change: impl FnOnce(&mut Config)) -> (Stage, Page, Page) {
    let stage = Stage::by(LATEST, &[], |config| {
        config.tls = Tls::Development;
        let sdkappid = config.realms[0].tencent().credentials.sdkappid;
        // the first host that the SDK tries; with development credentials, the hosts that are served are named
        config.vendors.entry("tencent".to_owned()).or_default().hosts = vec![format!("{sdkappid}w4c.my-imcloud.com")];
        change(config);
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
    (stage, alice, bob)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_in_chromium_needs_no_option_at_all() {
    let (_stage, alice, bob) = two_pages(|_| {}).await;
    for (from, to, text) in [(&alice, &bob, "from one browser"), (&bob, &alice, "to the other")] {
        let sent = from.call("sendText", json!(["g1", text])).await;
        let received = to.event("MESSAGE_RECEIVED").await;
        assert_eq!((&received[0]["ID"], &received[0]["payload"]["text"]), (&sent["ID"], &json!(text)));
    }
    for page in [&alice, &bob] {
        assert!(page.take_all(|event| event == "UNHANDLED_REJECTION").is_empty());
    }
}

/// A picture of one point.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

#[tokio::test(flavor = "multi_thread")]
async fn files_of_messages_are_uploaded_here() {
    let (stage, alice, bob) = two_pages(|config| config.realms[0].tencent().settings.file_bytes = 1000).await;
    for (from, to) in [(&alice, &bob), (&bob, &alice)] {
        for (kind, name, media_type, content) in [
            ("Image", "dot.png", "image/png", PNG),
            ("File", "ä b.html", "text/html", "PHA+aGk8L3A+"),
            ("Audio", "a.mp3", "audio/mpeg", "AAAA"),
            ("Video", "a.mp4", "video/mp4", "AAAA"),
        ] {
            let file = json!({"name": name, "type": media_type, "base64": content});
            let sent = from.call("sendFile", json!([kind, "g1", file])).await;
            assert_eq!(sent["progress"], 1, "{sent}");
            let received = to.event("MESSAGE_RECEIVED").await[0].clone();
            assert_eq!((&received["ID"], &received["type"]), (&sent["ID"], &sent["type"]), "{received}");
            let payload = &received["payload"];
            let url = match kind {
                "Image" => {
                    let whole = &payload["imageInfoArray"][0];
                    assert_eq!((&whole["width"], &whole["height"]), (&json!(1), &json!(1)), "{whole}");
                    // smaller copies are the image itself
                    let small = to.call("fetch", json!([payload["imageInfoArray"][1]["imageUrl"]])).await;
                    assert_eq!(small[2], content);
                    &whole["imageUrl"]
                }
                "File" => &payload["fileUrl"],
                "Audio" => &payload["url"],
                _ => &payload["videoUrl"],
            };
            let fetched = to.call("fetch", json!([url])).await;
            // what could run scripts is not shown as such
            let shown = if kind == "File" { "application/octet-stream" } else { media_type };
            assert_eq!(fetched, json!([200, shown, content]), "{url}");
            if kind == "File" {
                assert_eq!(payload["fileName"], name);
            }
        }
    }
    // a file that is too large is refused, with the SDK's own code for an upload that failed
    let large = base64::engine::general_purpose::STANDARD.encode([0; 2000]);
    let file = json!({"name": "large.bin", "type": "application/zip", "base64": large});
    for page in [&alice, &bob] {
        let refused = page.call("sendFile", json!(["File", "g1", file])).await;
        assert_eq!(refused["refused"]["code"], UPLOAD_FAILED, "{refused}");
        assert!(page.take_all(|event| event == "UNHANDLED_REJECTION").is_empty());
    }
    let sdk = "@tencentcloud/chat 3.6.6 with tim-upload-plugin 1.4.3, in Chromium (npm)";
    let driver = Driver::new(Vendor::Tencent, sdk, "tencent-chat-uploads").only(UPLOADS);
    driver.check(&stage.served, "tencent_web").await;
    // clients of another vendor have the same addresses
    let fields = [("userId", "bob"), ("targetId", "g1"), ("startTime", "0"), ("endTime", "9999999999999")];
    let rong = stage.served.vendor_apis().await.rong;
    let history = rong.call("/v3/message/group/query.json", &fields).await.unwrap();
    let sent = history["data"].as_array().unwrap().iter();
    let kinds: Vec<_> = sent.clone().map(|message| message["objectName"].as_str().unwrap()).collect();
    let of_one = ["RC:ImgMsg", "RC:FileMsg", "RC:HQVCMsg", "RC:SightMsg"];
    assert!(kinds.ends_with(&[of_one, of_one].concat()), "{kinds:?}");
    let content = sent.clone().next_back().unwrap()["content"].as_str().unwrap();
    let content: serde_json::Value = serde_json::from_str(content).unwrap();
    let fetched = alice.call("fetch", json!([content["sightUrl"]])).await;
    assert_eq!(fetched, json!([200, "video/mp4", "AAAA"]), "{content}");
}

/// What the SDK calls to upload files.
const UPLOADS: &[&str] = &["pre_sig", "simple_sig", "get_imageinfo", "upload_file", "download_file"];

/// The SDK's code for an upload that failed.
const UPLOAD_FAILED: i64 = 2400;
