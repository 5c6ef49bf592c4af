//! Every promise of the SDKs is settled, whichever call is refused and for whatever reason. Some of the SDKs' calls stay
//! pending for ever if the response lacks a field they look at.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::stage::{AGORA_CHAT, EASEMOB, Stage};

/// Longest that a call may take, on a busy machine. The SDKs that have a limit themselves give up after 15 seconds.
const LIMIT_MS: u32 = 10_000;

/// Every method that may be called while signed in, with arguments for which most of them are refused.
fn calls() -> Vec<(String, Value)> {
    let text = include_str!("../../sdk/agora/websdk/calls.json");
    serde_json::from_str(text).unwrap()
}

/// The arguments with `$group` and `$user` replaced by these.
fn filled(args: &Value, group: &str, user: &str) -> Value {
    let text = args.to_string().replace("$group", group).replace("$user", user);
    serde_json::from_str(&text).unwrap()
}

/// Each user calls every method, on groups in which they are refused for different reasons. Returns the outcome of each
/// call in each of the situations.
async fn walk(package: &'static str) -> Value {
    let stage = Stage::with(package, &["ann", "ben", "cid"]).await;
    stage.account("dee").await;
    let group = async |stage: &Stage, members: &[&str]| {
        let data = json!({"groupname": "Walk", "owner": "ann", "members": members, "public": false, "maxusers": 10});
        let made = stage.api(http::Method::POST, "/chatgroups", Some(data)).await;
        made["data"]["groupid"].as_str().unwrap().to_owned()
    };
    let (own, other, disabled) =
        (group(&stage, &["ben"]).await, group(&stage, &["ben"]).await, group(&stage, &["ben"]).await);
    stage.api(http::Method::POST, &format!("/chatgroups/{disabled}/disable"), None).await;
    let methods: Value = stage.on("ann").call("methods", json!([])).await;
    let methods: BTreeSet<&str> = methods.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let calls: Vec<(String, Value)> = calls()
        .into_iter()
        .filter(|(method, _)| {
            methods.contains(&**method) || method == "say" || (method == "edit" && methods.contains("modifyMessage"))
        })
        .collect();

    let mut by_call: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (situation, caller, group, user) in [
        ("a group that is not there", "cid", "404", "ben"),
        ("a stranger to the group", "cid", &*other, "ben"),
        ("about somebody who is not in the group", "ann", &other, "dee"),
        ("about somebody without an account", "ann", &other, "ghost"),
        ("a member", "ben", &own, "ann"),
        ("a disabled group", "ann", &disabled, "ben"),
        ("the owner about the owner", "ann", &own, "ann"),
    ] {
        let args = calls.iter().map(|(method, args)| json!([method, filled(args, group, user)]));
        let args: Vec<Value> = args.collect();
        let outcomes = stage.on(caller).call("settle", json!([args, LIMIT_MS])).await;
        let outcomes = outcomes.as_array().unwrap();
        let pending = outcomes.iter().zip(&args).filter(|(outcome, _)| outcome[1] == "PENDING");
        let pending: Vec<&Value> = pending.map(|(_, asked)| asked).collect();
        assert!(pending.is_empty(), "{package}, {situation}: {pending:?}");
        for (outcome, asked) in outcomes.iter().zip(&args) {
            by_call.entry(name(asked)).or_default().push(word(&outcome[1]));
        }
        // changes made by this situation's calls, such as who is a member, do not matter to the next
        stage.forget();
    }
    let lines = by_call.into_iter().map(|(call, came)| (call, Value::from(came.join(" "))));
    lines.collect::<serde_json::Map<_, _>>().into()
}

/// The name of a call, with its arguments where they matter.
fn name(asked: &Value) -> String {
    let (method, args) = (asked[0].as_str().unwrap(), &asked[1]);
    if method != "say" {
        return method.to_owned();
    }
    let about = if args["msg"].as_str().is_some_and(|text| text.len() > 1000) { " (large)" } else { "" };
    let some = if args["receiverList"].is_array() { " (to some)" } else { "" };
    format!("say {} {}{about}{some}", args["chatType"].as_str().unwrap(), args["type"].as_str().unwrap())
}

/// The outcome of a call: `answered`, or the type of the refusal.
fn word(came: &Value) -> String {
    match (came.as_str(), &came["type"]) {
        (Some(text), _) => text.replace(' ', "-"),
        (None, kind) => kind.to_string(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_promise_settles_in_agora_chat() {
    insta::assert_json_snapshot!(walk(AGORA_CHAT).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_promise_settles_in_easemob_websdk() {
    insta::assert_json_snapshot!(walk(EASEMOB).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_promise_settles_in_older_sdks() {
    for package in ["agora-chat-1.3", "agora-chat-1.0.4", "easemob-websdk-4.0.1", "easemob-websdk-3.6"] {
        walk(package).await;
    }
}

/// The calls of these releases whose promises stay pending if the app passes no callbacks: their code has no other way to
/// report such a refusal, whatever a server answers within the vendor's documented errors.
///
/// `agora-chat` 1.0.4 rejects a 401 only if it has the `error_code` 40001, which the vendor's documented errors of missing
/// rights do not have. All but 1.3.1 report refused reads of the history to `onError` alone; here these get an empty page.
#[tokio::test(flavor = "multi_thread")]
async fn without_callbacks_only_one_older_sdk_leaves_promises_pending() {
    const PATIENCE_MS: u32 = 1_500;
    const AT_ONCE: usize = 12;
    for package in ["agora-chat-1.3", "agora-chat-1.0.4", "easemob-websdk-4.0.1", "easemob-websdk-3.6"] {
        let stage = Stage::with(package, &["ann", "ben"]).await;
        let data = json!({"groupname": "Walk", "owner": "ann", "members": ["ben"], "public": false, "maxusers": 10});
        let made = stage.api(http::Method::POST, "/chatgroups", Some(data)).await;
        let group = made["data"]["groupid"].as_str().unwrap().to_owned();
        let methods: Value = stage.on("ben").call("methods", json!([])).await;
        let methods: BTreeSet<&str> = methods.as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let calls: Vec<Value> = calls()
            .into_iter()
            .filter(|(method, _)| methods.contains(&**method))
            .map(|(method, args)| json!([method, filled(&args, &group, "ann")]))
            .collect();
        let mut pending = BTreeSet::new();
        for calls in calls.chunks(AT_ONCE) {
            let outcomes = stage.on("ben").call("settle", json!([calls, PATIENCE_MS, true])).await;
            let outcomes = outcomes.as_array().unwrap().iter().filter(|outcome| outcome[1] == "PENDING");
            pending.extend(outcomes.map(|outcome| outcome[0].as_str().unwrap().to_owned()));
        }
        if package == "agora-chat-1.0.4" {
            insta::assert_json_snapshot!("agora-chat-1.0.4-pending", pending);
        } else {
            assert_eq!(pending, BTreeSet::new(), "{package}");
        }
    }
}
