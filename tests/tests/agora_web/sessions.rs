//! Signing in, and how sessions end.

use std::time::Duration;

use conclave_tests::client::Client;
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

/// Two tabs of a browser are one device: the later one ends the earlier one, which does not come back.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_tab_ends_the_first() {
    for package in [AGORA_CHAT, EASEMOB] {
        let mut stage = Stage::with(package, &["ann", "ben"]).await;
        let tab = stage.page_with("ann.tab", json!({"deviceId": "ann"})).await;
        assert!(open(&tab, "ann").await["accessToken"].is_string());
        assert_eq!(tab.call("resource", json!([])).await, stage.on("ann").call("resource", json!([])).await);
        let events = stage.on("ann").take(2, |event| is_recorded(event) || event == "onReconnecting").await;
        let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["onError", "onDisconnected"], "{package} {events:?}");
        assert_eq!(events[0].1["type"], 206, "{package} {events:?}");
        let group = json!({"groupname": "Talk", "owner": "ben", "members": ["ann"], "public": true, "maxusers": 50});
        stage.api(http::Method::POST, "/chatgroups", Some(group)).await;
        stage.receive(&[("ben", &["create", "memberPresence"])]).await;
        assert_eq!(tab.take(1, |event| event == "onGroupEvent").await[0].1["operation"], "directJoined");
        assert_eq!(stage.on("ann").take_all(|event| event == "onReconnecting" || event == "onGroupEvent"), []);
        assert_eq!(tab.take_all(|event| event == "onError" || event == "onDisconnected"), []);
    }
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
            let asked = json!({"grant_type": "password", "username": user, "password": "secret", "ttl": 20});
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

/// How often clients have asked for unread queues.
async fn heartbeats(stage: &Stage) -> u64 {
    let admin = Client::at(stage.served.running.addresses.admin.unwrap(), "");
    let answer = admin.send(http::Method::GET, "/metrics", &[], "").await;
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    let lines = text.lines().filter(|line| line.contains("conclave_requests_total") && line.contains("\"UNREAD\""));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

/// A connection on which nothing happens is kept by the SDKs' heartbeats, and what is sent later still arrives once.
#[tokio::test(flavor = "multi_thread")]
async fn heartbeats_keep_a_silent_connection() {
    // today's releases ask only after 30 seconds in which they received nothing, whatever the option
    for (package, beats) in [(AGORA_CHAT, 1), ("agora-chat-1.0.4", 4), ("easemob-websdk-3.6", 4)] {
        let stage = Stage::with(package, &[]).await;
        let page = stage.page_with("ann", json!({"heartBeatWait": 200})).await;
        open(&page, "ann").await;
        let beat = async {
            while heartbeats(&stage).await <= beats {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let in_time = tokio::time::timeout(Duration::from_mins(2), beat).await;
        assert!(in_time.is_ok(), "{package}: {} heartbeats", heartbeats(&stage).await);
        let group = json!({"groupname": "Talk", "owner": "ann", "members": [], "public": true, "maxusers": 50});
        let made = stage.api(http::Method::POST, "/chatgroups", Some(group)).await;
        let path = format!("/chatgroups/{}", made["data"]["groupid"].as_str().unwrap());
        stage.api(http::Method::PUT, &path, Some(json!({"groupname": "Second"}))).await;
        let is_update = |event: &str| event == "onGroupEvent" || event == "onPresence";
        let mut updates = 0;
        while updates == 0 {
            let (_, data) = page.take(1, is_update).await.pop().unwrap();
            updates += usize::from(data["operation"] == "updateInfo" || data["type"] == "update");
        }
        // as many heartbeats again bring nothing twice
        let before = heartbeats(&stage).await;
        while package != AGORA_CHAT && heartbeats(&stage).await <= before + beats {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(page.take_all(is_update), [], "{package}");
        assert_eq!(page.take_all(|event| event == "onDisconnected" || event == "onReconnecting"), [], "{package}");
    }
}

/// Each of a user's devices receives everything once, whether it was online or not.
#[tokio::test(flavor = "multi_thread")]
async fn each_device_receives_everything_once() {
    for package in [AGORA_CHAT, EASEMOB] {
        let mut stage = Stage::with(package, &["ann", "ann.pad", "ben"]).await;
        let group = json!({"groupname": "Talk", "owner": "ben", "members": ["ann"], "public": true, "maxusers": 50});
        let made = stage.api(http::Method::POST, "/chatgroups", Some(group)).await;
        let id = made["data"]["groupid"].as_str().unwrap().to_owned();
        stage
            .receive(&[
                ("ann", &["directJoined"]),
                ("ann.pad", &["directJoined"]),
                ("ben", &["create", "memberPresence"]),
            ])
            .await;
        stage.on("ann.pad").call("close", json!([])).await;
        stage.on("ann.pad").event("onDisconnected").await;
        for number in 0..30 {
            let text = json!({"chatType": "groupChat", "type": "txt", "to": id, "msg": number.to_string()});
            stage.does("ben", "say", text, &[("ann", &["onTextMessage"])]).await;
        }
        let name = json!({"groupId": id, "groupName": "Second"});
        stage.does("ben", "modifyGroup", name, &[("ann", &["updateInfo"])]).await;
        assert!(open(stage.on("ann.pad"), "ann").await["accessToken"].is_string());
        let expected: Vec<&str> = [["onTextMessage"; 30].as_slice(), &["updateInfo"]].concat();
        stage.receive(&[("ann.pad", &expected)]).await;
        let last = json!({"chatType": "groupChat", "type": "txt", "to": id, "msg": "last"});
        stage.does("ben", "say", last, &[("ann", &["onTextMessage"]), ("ann.pad", &["onTextMessage"])]).await;
        stage.records().await;
    }
}
