//! Signing in, and how sessions end.

use serde_json::json;

use crate::stage::{AGORA_CHAT, EASEMOB, Stage, is_recorded, open};

async fn refused(package: &'static str) {
    let stage = Stage::with(package, &[]).await;
    let page = stage.page("ann").await;
    let wrong = page.call("open", json!([{"user": "ann", "pwd": "wrong"}])).await;
    assert_eq!(wrong["refused"]["type"], 1, "{wrong}");
    let wrong = page.call("open", json!([{"user": "ann", "accessToken": "YWMtnothing"}])).await;
    assert_eq!(
        (&wrong["refused"]["type"], &wrong["refused"]["message"]),
        (&json!(2), &json!("Auth failed")),
        "{wrong}"
    );
    // another user's token
    let ben = stage.page("ben").await;
    let token = open(&ben, "ben").await["accessToken"].clone();
    let wrong = page.call("open", json!([{"user": "ann", "accessToken": token}])).await;
    assert_eq!(wrong["refused"]["type"], 28, "{wrong}");
    let wrong = page.call("open", json!([{"user": "nobody", "accessToken": "YWMtnothing"}])).await;
    assert_eq!(wrong["refused"]["type"], 204, "{wrong}");
    // and after all of these
    assert!(open(&page, "ann").await["accessToken"].is_string());
    assert_eq!(page.call("resource", json!([])).await, "webim_web_ann");
    let again = page.call("open", json!([{"user": "ann", "pwd": "secret"}])).await;
    assert_eq!(again["refused"]["type"], 208, "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_sign_in_learns_why_in_agora_chat() {
    refused(AGORA_CHAT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_sign_in_learns_why_in_easemob_websdk() {
    refused(EASEMOB).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_are_ended_say_why_and_do_not_come_back() {
    let stage = Stage::with(AGORA_CHAT, &["ann", "ben", "cid"]).await;
    for (user, method, path, body, reason) in [
        ("ann", http::Method::DELETE, "/users/ann", None, 207),
        ("ben", http::Method::PUT, "/users/ben/password", Some(json!({"newpassword": "other"})), 216),
        ("cid", http::Method::POST, "/users/cid/disconnect", None, 217),
    ] {
        stage.api(method, path, body).await;
        let events = stage.on(user).take(2, |event| is_recorded(event) || event == "onReconnecting").await;
        let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["onError", "onDisconnected"], "{user} {events:?}");
        assert_eq!(events[0].1["type"], reason, "{user} {events:?}");
        assert_eq!(events[1].1["type"], reason, "{user} {events:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_device_too_many_signs_the_oldest_out() {
    use conclave_tests::vendor::Sections as _;
    let mut stage = Stage::of(AGORA_CHAT, &["ann", "ann.pad"], |config| {
        config.realms[0].agora().settings.devices = 2;
    })
    .await;
    stage.enter("ann.phone").await;
    let events = stage.on("ann").take(2, is_recorded).await;
    assert_eq!(events[0].1["type"], 206, "{events:?}");
    assert_eq!(stage.on("ann.pad").take_all(is_recorded), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_signs_out_and_in_again() {
    for package in [AGORA_CHAT, EASEMOB] {
        let stage = Stage::with(package, &["ann"]).await;
        let page = stage.on("ann");
        page.call("close", json!([])).await;
        page.event("onDisconnected").await;
        let text = json!({"chatType": "groupChat", "type": "txt", "to": "1", "msg": "hi"});
        assert_eq!(page.call("say", json!([text])).await["refused"]["type"], 39);
        assert!(open(page, "ann").await["accessToken"].is_string());
    }
}

/// The SDK warns before a token expires, takes a new one, and ends the connection where it gets none.
#[tokio::test(flavor = "multi_thread")]
async fn tokens_expire_and_are_renewed() {
    for package in [AGORA_CHAT, EASEMOB] {
        let stage = Stage::with(package, &[]).await;
        let (renews, lapses) = (stage.page("ann").await, stage.page("ben").await);
        for (page, user) in [(&renews, "ann"), (&lapses, "ben")] {
            let asked = json!({"grant_type": "password", "username": user, "password": "secret", "ttl": 6});
            let token = stage.api(http::Method::POST, "/token", Some(asked)).await["access_token"].clone();
            let opened = page.call("open", json!([{"user": user, "accessToken": token}])).await;
            assert_eq!(opened["accessToken"], token, "{opened}");
        }
        renews.event("onTokenWillExpire").await;
        let renewed = renews.call("renewToken", json!([stage.token("ann").await])).await;
        assert_eq!(renewed["status"], true, "{renewed}");
        lapses.event("onTokenExpired").await;
        lapses.event("onDisconnected").await;
        assert_eq!(renews.call("getJoinedGroupsCount", json!([])).await["data"], 0);
        assert_eq!(renews.take_all(|event| event == "onTokenExpired" || event == "onDisconnected"), []);
    }
}
