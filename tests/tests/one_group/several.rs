//! One user with a client of each vendor is one member: what they do through one client is echoed to their others as
//! each vendor echoes it, and they are online as long as any of them is.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use conclave_tests::sdk::gateway::Served;
use conclave_tests::sdk::page::Page;
use conclave_tests::story::VendorApi as _;
use conclave_tests::vendor::Vendor;
use http::Method;
use serde_json::{Value, json};

use crate::clients::Reached;
use crate::steps::VENDORS;
use crate::{calls, events};

const PATIENCE: Duration = Duration::from_secs(40);
/// How long the absence of events is checked.
const QUIET: Duration = Duration::from_millis(400);

/// Clients by the vendor's name.
type Clients = BTreeMap<&'static str, Page>;

/// What this vendor's client receives, once there are so many lines, and then nothing more.
async fn received(page: &Page, vendor: Vendor, count: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut collect = || {
        for (event, data) in page.take_all(|event| events::is_received(vendor, event)) {
            lines.extend(events::lines(vendor, &event, &data, &[]));
        }
        lines.len()
    };
    let begun = Instant::now();
    while collect() < count && begun.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(QUIET).await;
    collect();
    lines
}

/// Whether a list of members, in which each has what else is known of them, has this one online.
fn is_online(list: &Value, user: &str) -> bool {
    let is_it = |row: &Value| row.as_object().is_some_and(|row| row.values().any(|value| value == user));
    list.as_array().into_iter().flatten().find(|row| is_it(row)).is_some_and(|row| row["online"] == true)
}

async fn online(reached: &Reached, user: &str) -> [bool; 3] {
    let apis = &reached.vendor_apis;
    let roles = apis.agora.call(Method::GET, "/chatgroups/g1/roles", None).await.expect("the members");
    let body = json!({"To_Account": [user]});
    let tencent = apis.tencent.call("openim/query_online_status", &body).await.expect("a status");
    let rong = apis.rong.call("/user/checkOnline.json", &[("userId", user)]).await.expect("a status");
    [is_online(&roles["data"], user), tencent["QueryResult"][0]["Status"] == "Online", rong["status"] == "1"]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_of_all_three_vendors_is_one_member() {
    let served = Served::start(|_| {}).await;
    let reached = Reached::within(&served).await;
    reached.vendor_apis.rong.register(&["ann", "ben"]).await.expect("accounts");
    let mut clients = Clients::new();
    for vendor in VENDORS {
        clients.insert(vendor.name(), reached.client(vendor, "ann").await);
    }
    let body = json!({"Type": "Public", "Name": "Mine", "Owner_Account": "ben", "GroupId": "g1",
        "ApplyJoinOption": "FreeAccess", "MemberList": [{"Member_Account": "ann"}]});
    reached.vendor_apis.tencent.group("create_group", &body).await.expect("a group");
    // each client receives it in its vendor's own way
    let mut events = BTreeMap::new();
    for (vendor, count) in [(Vendor::Agora, 1), (Vendor::Tencent, 1), (Vendor::Rong, 1)] {
        events.insert(vendor.name(), received(&clients[vendor.name()], vendor, count).await);
    }
    insta::assert_json_snapshot!("told_of_the_group", events);

    // one member at all vendors
    let apis = &reached.vendor_apis;
    let truth = apis.agora.truth("g1").await.expect("the group");
    assert_eq!(truth.members.keys().map(String::as_str).collect::<Vec<_>>(), ["ann", "ben"]);
    assert_eq!(Some(&truth), apis.tencent.truth("g1").await.as_ref());
    assert_eq!(Some(&truth), apis.rong.truth("g1").await.as_ref());

    // what is sent by one client is echoed to the user's others, once, and not to itself
    let mut echoed: BTreeMap<&str, BTreeMap<&str, Vec<String>>> = BTreeMap::new();
    for sending in VENDORS {
        let (method, args) = calls::attempt(sending, "g1");
        let answer = clients[sending.name()].call(method, args).await;
        assert_eq!(calls::refusal(sending, &answer), None, "{answer}");
        for vendor in VENDORS {
            let lines = received(&clients[vendor.name()], vendor, usize::from(vendor != sending)).await;
            echoed.entry(sending.name()).or_default().insert(vendor.name(), lines);
        }
    }
    insta::assert_json_snapshot!("echoes", echoed);

    // a mute by the owner applies to each client, in its vendor's words
    apis.rong
        .call("/group/user/gag/add.json", &[("groupId", "g1"), ("userId", "ann"), ("minute", "5")])
        .await
        .expect("muted");
    let mut refused = BTreeMap::new();
    for vendor in VENDORS {
        let (method, args) = calls::attempt(vendor, "g1");
        let answer = clients[vendor.name()].call(method, args).await;
        refused.insert(vendor.name(), calls::refusal(vendor, &answer));
    }
    assert_eq!(refused, [("agora", Some(507)), ("tencent", Some(10017)), ("rong", Some(22408))].into());

    // online until the last client is gone
    assert_eq!(online(&reached, "ann").await, [true; 3]);
    assert_eq!(online(&reached, "ben").await, [false; 3]);
    for (vendor, method) in [(Vendor::Tencent, "logout"), (Vendor::Agora, "close")] {
        clients[vendor.name()].call(method, json!([])).await;
        tokio::time::sleep(QUIET).await;
        assert_eq!(online(&reached, "ann").await, [true; 3], "{vendor}'s client is gone, others are there");
    }
    clients[Vendor::Rong.name()].call("disconnect", json!([])).await;
    let begun = Instant::now();
    while online(&reached, "ann").await != [false; 3] {
        assert!(begun.elapsed() < PATIENCE, "nobody is connected, and still {:?}", online(&reached, "ann").await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    // and leaving through one vendor is leaving
    let again = reached.client(Vendor::Rong, "ann").await;
    assert_eq!(again.call("quitGroup", json!(["g1"])).await["code"], 0);
    for vendor_api in served.vendor_apis().await.all() {
        let truth = vendor_api.truth("g1").await.expect("the group");
        assert!(!truth.members.contains_key("ann"), "{}: {truth:?}", vendor_api.name());
    }
}
