//! Order, retries, and receivers that misbehave.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use conclave_agora::webhooks::WebhookSettings as AgoraWebhooks;
use conclave_rong::webhooks::WebhookSettings as RongWebhooks;
use conclave_tests::client::Client;
use conclave_tests::sign::rong_signature;
use conclave_tests::vendor::Sections as _;
use http::Method;
use md5::{Digest as _, Md5};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::app::{Answer, App, PATIENCE, Received};
use crate::house::{BackEnd, RONG, SECRET, gateway, metric, to_agora, to_rong};

/// The joins by group, in the order of the notifications.
fn joined(requests: &[Received]) -> BTreeMap<String, Vec<String>> {
    let mut joined: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for request in requests {
        for operation in request.body.as_array().unwrap() {
            if operation["eventType"] == 2 {
                let group = operation["groupId"].as_str().unwrap().to_owned();
                joined.entry(group).or_default().push(operation["userIds"][0].as_str().unwrap().to_owned());
            }
        }
    }
    joined
}

fn is_of(request: &Received, group: &str) -> bool {
    request.body[0]["groupId"] == group
}

#[tokio::test]
async fn one_change_has_each_vendors_own_callback() {
    let app = App::willing().await;
    let gateway = gateway(|config| {
        config.realms[0].rong().webhooks = to_rong(app.url("/rong?own=1"));
        config.realms[0].rong().webhooks.profile_url = Some(app.url("/profile"));
        config.realms[0].agora().webhooks = to_agora(app.url("/agora"));
    })
    .await;
    let back_end = BackEnd::of(&gateway);
    back_end.create("readers").await;
    back_end.call("/entrust/group/profile/update.json", "groupId=readers&name=Writers").await;
    let requests = app.until(|requests| requests.len() == 4).await;
    let at = |path: &str| requests.iter().filter(|request| request.path == path).cloned().collect::<Vec<_>>();

    let [rong] = &at("/rong")[..] else { panic!("{requests:#?}") };
    let (nonce, timestamp) = (&rong.query["nonce"], &rong.query["timestamp"]);
    assert_eq!(rong.query["signature"], rong_signature(RONG.1, nonce, timestamp));
    assert_eq!((&*rong.query["appKey"], &*rong.query["own"]), (RONG.0, "1"));
    assert_eq!(rong.headers["content-type"], "application/json");
    assert_eq!((&rong.body[0]["groupId"], &rong.body[0]["eventType"]), (&json!("readers"), &json!(1)));
    let [profile] = &at("/profile")[..] else { panic!("{requests:#?}") };
    assert_eq!(profile.body[0]["groupName"], "Writers");

    let [create, update] = &at("/agora")[..] else { panic!("{requests:#?}") };
    for request in [create, update] {
        let text = |key: &str| request.body[key].as_str().unwrap().to_owned();
        let signed = format!("{}{SECRET}{}", text("callId"), request.body["timestamp"]);
        assert_eq!(text("security"), hex::encode(Md5::digest(signed.as_bytes())));
        assert_eq!((&*text("id"), &*text("event")), ("readers", "group_op_event"));
    }
    assert_eq!((&create.body["operation"], &update.body["operation"]), (&json!("CREATE"), &json!("UPDATE")));
    assert_ne!(create.body["callId"], update.body["callId"]);

    for (labels, sent) in [("rong\",destination=\"operations", 1.0), ("agora", 2.0)] {
        let begun = Instant::now();
        while metric(&gateway, "conclave_webhooks_sent_total", labels).await < sent {
            assert!(begun.elapsed() < Duration::from_secs(5), "not counted");
        }
    }
    assert!(gateway.shutdown().await);
}

#[tokio::test]
async fn messages_and_older_events_have_urls_of_their_own() {
    let app = App::willing().await;
    let gateway = gateway(|config| {
        let realm = &mut config.realms[0];
        realm.rong().webhooks = RongWebhooks { message_url: Some(app.url("/route")), ..to_rong(String::new()) };
        realm.agora().webhooks = AgoraWebhooks {
            message_url: Some(app.url("/chat")),
            muc_url: Some(app.url("/muc")),
            ..to_agora(String::new())
        };
        realm.rong().webhooks.url = None;
        realm.agora().webhooks.url = None;
    })
    .await;
    let back_end = BackEnd::of(&gateway);
    // unhosted groups have messages too
    back_end.call("/group/create.json", "userId=alice&groupId=g&groupName=g").await;
    for word in ["one", "two", "three"] {
        let content = format!("content=%7B%22content%22%3A%22{word}+%26+more%22%7D");
        let form = format!("fromUserId=alice&toGroupId=g&objectName=RC%3ATxtMsg&{content}");
        back_end.call("/message/group/publish.json", &form).await;
    }
    let at = |requests: &[Received], path: &str| {
        requests.iter().filter(|request| request.path == path).cloned().collect::<Vec<_>>()
    };
    let requests = app.until(|requests| ["/route", "/chat"].iter().all(|path| at(requests, path).len() == 3)).await;

    let route = at(&requests, "/route");
    for (request, word) in route.iter().zip(["one", "two", "three"]) {
        let (nonce, timestamp) = (&request.query["nonce"], &request.query["timestamp"]);
        assert_eq!(request.query["signature"], rong_signature(RONG.1, nonce, timestamp));
        assert_eq!(request.headers["content-type"], "application/x-www-form-urlencoded");
        assert_eq!(request.body["content"], format!("{{\"content\":\"{word} & more\"}}"));
        assert_eq!((&request.body["fromUserId"], &request.body["toUserId"]), (&json!("alice"), &json!("g")));
    }
    let chat = at(&requests, "/chat");
    let said: Vec<&Value> = chat.iter().map(|request| &request.body["payload"]["bodies"][0]["msg"]).collect();
    assert_eq!(said, ["one & more", "two & more", "three & more"]);
    assert_eq!(at(&requests, "/muc")[0].body["payload"]["operation"], "create");
    assert_eq!(requests.len(), 6 + at(&requests, "/muc").len(), "sent elsewhere: {requests:#?}");
    assert!(gateway.shutdown().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn order_is_kept_in_a_group_and_groups_do_not_wait_for_each_other() {
    // every third attempt is refused, and responses are slow; one group's are refused for long
    let stubborn = Duration::from_millis(1500);
    let begun = Instant::now();
    let app = App::answering(move |request, before| {
        let refuses = before % 3 == 2 || (is_of(request, "stuck") && begun.elapsed() < stubborn);
        Answer::of(if refuses { 503 } else { 200 }).after(Duration::from_millis((before % 4) as u64 * 5))
    })
    .await;
    let gateway = gateway(|config| {
        config.realms[0].rong().webhooks = to_rong(app.url("/"));
        config.realms[0].rong().webhooks.retries = -1;
    })
    .await;
    let back_end = BackEnd::of(&gateway);
    let groups = ["a", "b", "c", "stuck"];
    for group in groups {
        back_end.create(group).await;
    }
    let users: Vec<String> = (0..15).map(|user| format!("u{user}")).collect();
    for user in &users {
        for group in groups {
            back_end.join(group, user).await;
        }
    }
    app.until(|requests| requests.iter().filter(|request| request.status == 200).count() == groups.len() * 16).await;
    let taken = app.taken();
    let joined = joined(&taken);
    for group in groups {
        assert_eq!(joined[group], users, "{group}");
    }
    let last = |group: &str| taken.iter().rposition(|request| is_of(request, group)).unwrap();
    let stuck = taken.iter().position(|request| is_of(request, "stuck")).unwrap();
    for group in ["a", "b", "c"] {
        assert!(last(group) < stuck, "{group} waited for another group");
    }
    assert!(gateway.shutdown().await);
}

#[tokio::test]
async fn tries_are_further_and_further_apart_and_then_given_up() {
    let app = App::answering(|request, _| Answer::of(if is_of(request, "poison") { 500 } else { 200 })).await;
    let gateway = gateway(|config| {
        config.realms[0].rong().webhooks = to_rong(app.url("/"));
        config.realms[0].rong().webhooks.retries = 3;
        config.realms[0].rong().webhooks.backoff_ms = 100;
        config.realms[0].rong().webhooks.longest_backoff_ms = 300;
    })
    .await;
    let back_end = BackEnd::of(&gateway);
    back_end.create("poison").await;
    let requests = app.until(|requests| requests.len() == 4).await;
    for (pair, wait) in requests.windows(2).zip([100, 200, 300]) {
        let gap = pair[1].at - pair[0].at;
        assert!(gap >= Duration::from_millis(wait), "{gap:?} instead of {wait} ms");
        assert_eq!(pair[0].body, pair[1].body, "another body in another try");
    }
    // each attempt has a signature of its own
    let nonces: std::collections::BTreeSet<_> = requests.iter().map(|request| &request.query["nonce"]).collect();
    assert_eq!(nonces.len(), 4);
    back_end.create("good").await;
    app.until(|requests| requests.iter().any(|request| request.status == 200)).await;
    assert_eq!(app.requests().len(), 5, "tried again after it was given up");
    let labels = "rong";
    assert!((metric(&gateway, "conclave_webhooks_dropped_total", labels).await - 1.0).abs() < 0.1);
    assert!((metric(&gateway, "conclave_webhooks_retried_total", labels).await - 3.0).abs() < 0.1);
    assert!(gateway.shutdown().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_receiver_slows_nothing_down() {
    // one accepts connections and never responds, one does not exist
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent_url = format!("http://{}/", silent.local_addr().unwrap());
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let gateway = gateway(|config| {
        config.realms[0].rong().webhooks = to_rong(silent_url);
        config.realms[0].rong().webhooks.retries = -1;
        config.realms[0].agora().webhooks = to_agora(format!("http://{gone}/"));
        config.realms[0].agora().webhooks.retries = -1;
    })
    .await;
    let back_end = BackEnd::of(&gateway);
    let begun = Instant::now();
    let mut slowest = Duration::ZERO;
    for number in 0..40 {
        let one = Instant::now();
        back_end.create(&format!("g{number}")).await;
        slowest = slowest.max(one.elapsed());
    }
    // an attempt takes five seconds to fail
    assert!(slowest < Duration::from_secs(1), "an operation took {slowest:?}");
    assert!(begun.elapsed() < Duration::from_secs(5));
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert!(metric(&gateway, "conclave_webhooks_pending", "rong").await > 39.0);
    assert!(metric(&gateway, "conclave_webhooks_lag_seconds", "agora").await > 0.5);
    let ending = Instant::now();
    assert!(gateway.shutdown().await, "webhooks made the end unclean");
    assert!(ending.elapsed() < Duration::from_secs(5), "the end took {:?}", ending.elapsed());
}

#[tokio::test]
async fn late_odd_and_huge_answers_are_no_harm() {
    let app = App::answering(|request, before| match before {
        // later than the timeout
        0 => Answer::of(200).after(Duration::from_millis(600)),
        // a redirect: not followed
        1 => Answer { headers: vec![("location", "/elsewhere".to_owned())], ..Answer::of(302) },
        2 => Answer::of(204),
        // Agora accepts a response of at most 1000 characters
        3 => Answer::of(200).saying("x".repeat(1001)),
        4 => Answer::of(200).saying(vec![b'x'; 20 << 20]),
        5 => Answer::of(200).saying(vec![0xff; 1000]),
        _ => Answer::of(if request.path == "/" { 200 } else { 500 }),
    })
    .await;
    let gateway = gateway(|config| {
        config.realms[0].agora().webhooks = to_agora(app.url("/"));
        config.realms[0].agora().webhooks.retries = -1;
        config.realms[0].agora().webhooks.timeout_ms = 300;
    })
    .await;
    let back_end = BackEnd::of(&gateway);
    back_end.create("g").await;
    back_end.join("g", "bob").await;
    let requests = app.until(|requests| requests.len() == 7).await;
    assert!(requests.iter().all(|request| request.path == "/"), "a redirect was followed");
    let operations: Vec<&Value> = requests.iter().map(|request| &request.body["operation"]).collect();
    assert_eq!(operations, ["CREATE", "CREATE", "CREATE", "CREATE", "CREATE", "CREATE", "JOIN"]);
    let ids: std::collections::BTreeSet<_> =
        requests[..6].iter().map(|request| request.body["callId"].to_string()).collect();
    assert_eq!(ids.len(), 1, "another id in another try");
    assert!(gateway.shutdown().await);
}

#[tokio::test]
async fn a_webhook_that_makes_no_progress_is_reported_until_it_does() {
    let willing = Arc::new(AtomicBool::new(false));
    let accepts = Arc::clone(&willing);
    let app = App::answering(move |_, _| Answer::of(if accepts.load(Ordering::SeqCst) { 200 } else { 503 })).await;
    let gateway = gateway(|config| {
        config.limits.webhook_lag_ms = 50;
        config.realms[0].rong().webhooks = to_rong(app.url("/"));
        config.realms[0].rong().webhooks.retries = -1;
    })
    .await;
    let admin = Client::at(gateway.addresses.admin.unwrap(), "");
    let readiness = async || {
        let answer = admin.send(Method::GET, "/readyz", &[], "").await;
        (answer.status.as_u16(), String::from_utf8(answer.body.to_vec()).unwrap())
    };
    let stuck = async || {
        let text = admin.send(Method::GET, "/metrics", &[], "").await.body;
        String::from_utf8(text.to_vec()).unwrap().contains("\nconclave_webhooks_stuck 1\n")
    };
    assert_eq!(readiness().await, (200, "ready\n".to_owned()));
    BackEnd::of(&gateway).create("g").await;
    let begun = Instant::now();
    let (status, text) = loop {
        let found = readiness().await;
        if found.1.contains("is stuck") {
            break found;
        }
        assert!(begun.elapsed() < PATIENCE, "it is not reported: {found:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    // requests can be answered all the same
    assert_eq!(status, 200);
    assert!(text.starts_with("ready\nwebhook ") && text.contains("rong"), "{text}");
    assert!(stuck().await);
    willing.store(true, Ordering::SeqCst);
    while readiness().await.1 != "ready\n" || stuck().await {
        assert!(begun.elapsed() < 2 * PATIENCE, "it is still reported");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(gateway.shutdown().await);
}
