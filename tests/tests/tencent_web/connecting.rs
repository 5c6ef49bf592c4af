//! Signing in and out, by which users and for how long.

use serde_json::json;

use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn a_user_signs_in_and_is_ready() {
    let stage = Stage::with(&["alice"]).await;
    let page = stage.on("alice");
    let again = page.call("login", json!([{"userID": "alice", "userSig": stage.signature("alice", 0)}])).await;
    assert_eq!(again["data"]["repeatLogin"], true);
    assert_eq!(page.call("getGroupList", json!([])).await["data"], json!({"groupList": [], "isSyncCompleted": true}));
    assert_eq!(page.call("logout", json!([])).await["code"], 0);
    assert_eq!(stage.login(page, "alice").await["code"], 0, "and again");
    assert!(page.take_all(|event| event == "UNHANDLED_REJECTION").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_has_to_be_good() {
    let stage = Stage::with(&[]).await;
    let page = stage.page().await;
    for (user, signature, code) in [
        ("alice", "nonsense".to_owned(), 70003),
        ("alice", stage.signature("bob", 0), 70013),
        ("alice", stage.signature("alice", 90_000), 70001),
    ] {
        let answer = page.call("login", json!([{"userID": user, "userSig": signature}])).await;
        assert_eq!(answer["refused"]["code"], code, "{answer}");
    }
    // an account is created by its first sign-in, so the signature is older, and valid all the same
    let signature = stage.signature("alice", 3600);
    for page in [&page, &stage.page().await] {
        let answer = page.call("login", json!([{"userID": "alice", "userSig": signature}])).await;
        assert_eq!(answer["code"], 0, "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_signs_a_user_out() {
    let stage = Stage::with(&["alice", "bob"]).await;
    let vendor_api = stage.served.vendor_apis().await.tencent;
    let body = json!({"UserID": "alice"});
    let answer = vendor_api.call("im_open_login_svc/kick", &body).await;
    assert!(answer.is_ok(), "an admin may");
    assert_eq!(stage.on("alice").event("KICKED_OUT").await["type"], "REST_API_Kick");
    assert!(stage.on("bob").take_all(|event| event == "KICKED_OUT").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_login_too_many_signs_the_oldest_out() {
    use conclave_tests::vendor::Sections as _;
    let mut stage = Stage::of(&["alice"], |config| {
        config.realms[0].tencent().settings.web_logins = 1;
    })
    .await;
    stage.enter("alice.pad").await;
    assert_eq!(stage.on("alice").event("KICKED_OUT").await["type"], "multipleAccount");
    assert_eq!(stage.on("alice.pad").call("getGroupList", json!([])).await["code"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_when_the_network_went_away_is_done_once() {
    let mut stage = Stage::with(&["alice", "bob"]).await;
    let options = json!([{"name": "First", "type": "Public", "groupID": "g1", "memberList": [{"userID": "bob"}]}]);
    stage.does("alice", "createGroup", options, &[("bob", 2)]).await;
    // its requests are repeated over the new connection before it signs in there, and performed once
    let bob = stage.on("bob");
    let sending = bob.call("sendText", json!(["g1", "before"]));
    let (sent, _) = tokio::join!(sending, bob.call("cut", json!([])));
    assert_eq!(sent["flow"], "out", "{sent}");
    let received = stage.on("alice").take(1, |event| event == "MESSAGE_RECEIVED").await;
    assert_eq!(received[0].1[0]["payload"]["text"], "before");
    // events received before are not received again
    stage.receives(&[]).await;
    let list = stage.on("bob").call("getGroupList", json!([])).await;
    assert_eq!(list["data"]["groupList"][0]["groupID"], "g1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_in_development_speaks_in_text_frames() {
    let stage = Stage::with(&["alice"]).await;
    let page = stage.page_with(json!({"devMode": true})).await;
    assert_eq!(stage.login(&page, "bob").await["code"], 0);
    page.event("SDK_READY").await;
    page.event("GROUP_LIST_UPDATED").await;
    let paths = page.call("paths", json!([])).await;
    assert!(paths.as_array().unwrap().iter().all(|path| path.as_str().unwrap().ends_with("/info")), "{paths}");
    let options = json!({"name": "First", "type": "Public", "groupID": "g1", "inviteOption": "FreeAccess"});
    stage.group("alice", options).await;
    stage.calls("alice", "addGroupMember", json!([{"groupID": "g1", "userIDList": ["bob"]}])).await;
    assert_eq!(page.event("MESSAGE_RECEIVED").await[0]["payload"]["operationType"], 7);
    stage.calls("alice", "sendText", json!(["g1", "in text"])).await;
    while page.event("MESSAGE_RECEIVED").await[0]["payload"]["text"] != "in text" {}
    assert_eq!(page.call("sendText", json!(["g1", "and back"])).await["flow"], "out");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_signs_out_is_sent_nothing_more() {
    let stage = Stage::with(&["alice", "bob"]).await;
    let members = json!([{"userID": "bob"}]);
    stage.group("alice", json!({"name": "First", "type": "Public", "groupID": "g1", "memberList": members})).await;
    assert_eq!(stage.on("bob").call("logout", json!([])).await["code"], 0);
    stage.calls("alice", "sendText", json!(["g1", "one"])).await;
    assert_eq!(stage.on("bob").call("sendText", json!(["g1", "hm"])).await["refused"]["code"], 3005);
    // the next user of the same connection is sent nothing of the one before
    assert_eq!(stage.login(stage.on("bob"), "carol").await["code"], 0);
    stage.on("bob").event("SDK_READY").await;
    stage.calls("alice", "sendText", json!(["g1", "two"])).await;
    let list = stage.on("bob").call("getGroupList", json!([])).await;
    assert_eq!(list["data"]["groupList"], json!([]), "{list}");
    assert!(stage.on("bob").take_all(|event| event == "MESSAGE_RECEIVED").is_empty());
}
