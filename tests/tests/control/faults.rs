//! Fault rules: calls over HTTP and over sockets, logins, pushes and webhooks that fail or wait.

use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use http::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use crate::app::App;
use crate::house::{Control, PATIENCE, Realm, farewell, gateway};

const CREATE: &str = "/entrust/group/create.json";

async fn rule(control: &Control, realm: &Realm, body: Value) -> u64 {
    control.post(&realm.path("/faults"), body).await["id"].as_u64().unwrap()
}

/// Matches and hits of a rule.
async fn counts(control: &Control, realm: &Realm, id: u64) -> (u64, u64) {
    let listed = control.get(&realm.path("/faults")).await;
    let found = listed["faults"].as_array().unwrap().iter().find(|rule| rule["id"] == id).unwrap().clone();
    (found["matched"].as_u64().unwrap(), found["hits"].as_u64().unwrap())
}

async fn code(realm: &Realm, path: &str, form: &str) -> Value {
    realm.rong(path, form).await.json()["code"].clone()
}

/// The name of the operation of a path, as the gateway lists it.
fn operation(vendor: &str, path: &str) -> String {
    let routes = conclave::Gateway::routes(&conclave::Config::development().unwrap()).unwrap();
    let route = routes.iter().find(|(of, route)| *of == vendor && route.path == path);
    route.unwrap_or_else(|| panic!("{path} is not served")).1.operation.to_owned()
}

#[tokio::test]
async fn a_vendors_own_error_is_answered_so_often() {
    let gateway = gateway(|_| {}).await;
    let control = Control::of(&gateway);
    let (realm, other) = (control.realm(Value::Null).await, control.realm(Value::Null).await);
    let create = operation("rong", CREATE);
    let body =
        json!({ "on": "call", "vendor": "rong", "operation": create, "first": 2, "effect": { "error": "1008" } });
    let id = rule(&control, &realm, body).await;
    for (group, expected) in [("a", 1008), ("b", 1008), ("c", 200)] {
        assert_eq!(code(&realm, CREATE, &format!("groupId={group}&name=n&owner=o")).await, expected, "{group}");
    }
    // the refused calls did nothing, and other realms are not affected
    let joined = realm.tencent("group_open_http_svc/get_joined_group_list", &json!({ "Member_Account": "o" })).await;
    assert_eq!(joined["TotalCount"], 1, "{joined}");
    assert_eq!(code(&other, CREATE, "groupId=a&name=n&owner=o").await, 200);
    assert_eq!(counts(&control, &realm, id).await, (3, 2));
    control.call(Method::DELETE, &realm.path(&format!("/faults/{id}")), Value::Null).await;
    assert_eq!(control.get(&realm.path("/faults")).await, json!({ "faults": [] }));

    // each vendor in its own words
    rule(&control, &realm, json!({ "on": "call", "vendor": "tencent", "effect": { "error": "10002" } })).await;
    let refused = realm.tencent("group_open_http_svc/get_group_info", &json!({ "GroupIdList": ["c"] })).await;
    assert_eq!((&refused["ActionStatus"], &refused["ErrorCode"]), (&json!("FAIL"), &json!(10002)), "{refused}");
    let token = realm.agora_token().await;
    rule(&control, &realm, json!({ "on": "call", "vendor": "agora", "effect": { "error": "reach_limit" } })).await;
    let refused = realm.agora(Method::GET, "/chatgroups/c", &token, "").await;
    assert_eq!((refused.status.as_u16(), &refused.json()["error"]), (429, &json!("reach_limit")));
    control.call(Method::DELETE, &realm.path("/faults"), Value::Null).await;
    assert_eq!(realm.agora(Method::GET, "/chatgroups/c", &token, "").await.status, 200);
}

#[tokio::test]
async fn users_and_groups_are_distinguished_and_turns_are_taken() {
    let gateway = gateway(|_| {}).await;
    let control = Control::of(&gateway);
    let realm = control.realm(Value::Null).await;
    for group in ["g", "h"] {
        realm.create_group(group, "alice").await;
    }
    let of_group = json!({ "on": "call", "vendor": "rong", "group": "g", "effect": { "error": "1000" } });
    let id = rule(&control, &realm, of_group).await;
    let join = "/entrust/group/join.json";
    assert_eq!(code(&realm, join, "groupId=g&userIds=bob").await, 1000);
    assert_eq!(code(&realm, join, "groupId=h&userIds=bob").await, 200);
    assert_eq!(counts(&control, &realm, id).await, (1, 1));
    let members = realm.tencent("group_open_http_svc/get_group_info", &json!({ "GroupIdList": ["g"] })).await;
    assert_eq!(members["GroupInfo"][0]["MemberNum"], 1, "the refused call did nothing: {members}");
    control.call(Method::DELETE, &realm.path("/faults"), Value::Null).await;

    let every = json!({ "on": "call", "vendor": "rong", "every": 2, "effect": { "error": "1008" } });
    rule(&control, &realm, every).await;
    let mut codes = Vec::new();
    for user in ["c", "d", "e", "f"] {
        codes.push(code(&realm, join, &format!("groupId=g&userIds={user}")).await.as_u64().unwrap());
    }
    assert_eq!(codes, [200, 1008, 200, 1008]);
}

/// Sends a request of `RongCloud`'s API by hand; what is received before the connection is closed.
async fn raw(realm: &Realm, path: &str, form: &str) -> String {
    let url = realm.setting("RONG_API").strip_prefix("http://").unwrap();
    let (address, below) = url.split_once('/').unwrap();
    let signature = conclave_tests::sign::rong_signature(realm.setting("RONG_APPSECRET"), "1", "2");
    let (key, length) = (realm.setting("RONG_APPKEY"), form.len());
    let head = format!(
        "POST /{below}{path} HTTP/1.1\r\nHost: localhost\r\nApp-Key: {key}\r\nNonce: 1\r\nTimestamp: 2\r\n\
         Signature: {signature}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{form}"
    );
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut received = Vec::new();
    // a reset counts as closed
    let _ = timeout(PATIENCE, socket.read_to_end(&mut received)).await.expect("the connection stays open");
    String::from_utf8(received).unwrap()
}

#[tokio::test]
async fn connections_are_dropped_before_the_commit_or_after_it() {
    let gateway = gateway(|_| {}).await;
    let control = Control::of(&gateway);
    let realm = control.realm(Value::Null).await;
    for (group, when, exists) in [("before", "before", false), ("after", "after", true)] {
        let body = json!({ "on": "call", "vendor": "rong", "when": when, "first": 1, "effect": { "drop": true } });
        rule(&control, &realm, body).await;
        let form = format!("groupId={group}&name=n&owner=o");
        assert_eq!(raw(&realm, CREATE, &form).await, "", "{when}");
        let found = realm.tencent("group_open_http_svc/get_group_info", &json!({ "GroupIdList": [group] })).await;
        assert_eq!(found["GroupInfo"][0]["ErrorCode"] == 0, exists, "{when}: {found}");
        // the client tries again
        let again = raw(&realm, CREATE, &form).await;
        assert!(again.starts_with("HTTP/1.1 "), "{again}");
        control.call(Method::DELETE, &realm.path("/faults"), Value::Null).await;
    }
    // done, but the answer is an error
    let body = json!({ "on": "call", "vendor": "rong", "when": "after", "first": 1, "effect": { "error": "1050" } });
    rule(&control, &realm, body).await;
    assert_eq!(code(&realm, CREATE, "groupId=lost&name=n&owner=o").await, 1050);
    let found = realm.tencent("group_open_http_svc/get_group_info", &json!({ "GroupIdList": ["lost"] })).await;
    assert_eq!(found["GroupInfo"][0]["ErrorCode"], 0, "{found}");
}

#[tokio::test]
async fn calls_wait() {
    let gateway = gateway(|_| {}).await;
    let control = Control::of(&gateway);
    let realm = control.realm(Value::Null).await;
    for when in ["before", "after"] {
        let body = json!({ "on": "call", "vendor": "rong", "when": when, "first": 1, "effect": { "delay_ms": 300 } });
        let id = rule(&control, &realm, body).await;
        let begun = Instant::now();
        assert_eq!(code(&realm, CREATE, &format!("groupId={when}&name=n&owner=o")).await, 200);
        assert!(begun.elapsed() >= Duration::from_millis(300), "{:?}", begun.elapsed());
        assert_eq!(counts(&control, &realm, id).await, (1, 1));
    }
}

#[tokio::test]
async fn what_a_rule_cannot_match_is_refused() {
    let gateway = gateway(|_| {}).await;
    let control = Control::of(&gateway);
    let realm = control.realm(Value::Null).await;
    let drop = json!({ "drop": true });
    let cases = [
        (json!({ "on": "call", "vendor": "aws", "effect": drop }), "no_such_vendor"),
        (json!({ "on": "call", "vendor": "rong", "operation": "nothing", "effect": drop }), "no_such_operation"),
        (json!({ "on": "call", "operation": "nothing", "effect": drop }), "bad_request"),
        (json!({ "on": "call", "vendor": "rong", "effect": { "error": "77" } }), "no_such_error"),
        (json!({ "on": "call", "effect": { "error": "1008" } }), "bad_request"),
        (json!({ "on": "call", "vendor": "rong", "effect": { "error": "22408" } }), "bad_request"),
        (json!({ "on": "call", "effect": { "duplicate": true } }), "bad_request"),
        (json!({ "on": "call", "effect": { "drop": false } }), "bad_request"),
        (json!({ "on": "call", "first": 1, "every": 2, "effect": drop }), "bad_request"),
        (json!({ "on": "call", "every": 0, "effect": drop }), "bad_request"),
        (json!({ "on": "call", "probability": 1.5, "effect": drop }), "bad_request"),
        (json!({ "on": "call", "seed": 1, "effect": drop }), "bad_request"),
        (json!({ "on": "call", "user": "", "effect": drop }), "bad_request"),
        (json!({ "on": "push", "when": "after", "effect": drop }), "bad_request"),
        (json!({ "on": "sign_in", "group": "g", "effect": drop }), "bad_request"),
        (json!({ "on": "webhook", "user": "u", "effect": drop }), "bad_request"),
        (json!({ "on": "call", "effect": { "delay_ms": 700_000 } }), "bad_request"),
        (json!({ "on": "call", "vendor": "rong" }), "bad_request"),
    ];
    for (body, expected) in cases {
        let (_, code, message) = control.refused(Method::POST, &realm.path("/faults"), body.clone()).await;
        assert_eq!(code, expected, "{body}: {message}");
    }
    assert_eq!(control.refused(Method::DELETE, &realm.path("/faults/99"), Value::Null).await.1, "no_such_fault");
    // every error that is listed can be asked for
    for vendor in ["agora", "tencent", "rong"] {
        let errors = control.get(&format!("/v1/vendors/{vendor}/errors")).await;
        let errors = errors["errors"].as_array().unwrap().clone();
        assert!(errors.len() > 10, "{vendor}");
        for error in errors.iter().filter(|error| error.get("status").is_some()) {
            let body = json!({ "on": "call", "vendor": vendor, "effect": { "error": error["code"] } });
            rule(&control, &realm, body).await;
        }
    }
}

/// The next binary frame, if one comes within this time.
async fn frame(socket: &mut crate::house::Socket, within: Duration) -> Option<Vec<u8>> {
    timeout(within, socket.next()).await.ok().map(|frame| frame.unwrap().unwrap().into_data().to_vec())
}

#[tokio::test]
async fn logins_are_refused_and_sessions_are_ended() {
    let gateway = gateway(|_| {}).await;
    let control = Control::of(&gateway);
    let realm = control.realm(Value::Null).await;
    let id = rule(&control, &realm, json!({ "on": "sign_in", "user": "alice", "effect": { "drop": true } })).await;
    let refused = realm.connect_raw("alice").await;
    assert_eq!(farewell(refused).await[..3], [0x20, 0, 3], "the vendor's status for an unavailable server");
    let bob = realm.connect("bob").await;
    assert_eq!(counts(&control, &realm, id).await, (1, 1));
    control.call(Method::DELETE, &realm.path("/faults"), Value::Null).await;
    let alice = realm.connect("alice").await;
    let sessions = control.get(&realm.path("/sessions")).await;
    let users: Vec<&str> =
        sessions["sessions"].as_array().unwrap().iter().map(|one| one["user"].as_str().unwrap()).collect();
    assert_eq!(users, ["alice", "bob"]);

    let disconnect = realm.path("/sessions/disconnect");
    let ended = control.post(&disconnect, json!({ "user": "bob", "reason": "account_deleted" })).await;
    assert_eq!(ended["disconnected"], 1);
    assert_eq!(farewell(bob).await[0], 0xe0);
    assert_eq!(control.post(&disconnect, json!({ "reason": "cut", "vendor": "rong" })).await["disconnected"], 1);
    assert_eq!(farewell(alice).await, [0; 0], "a cut connection gets no frame");
    // a call of the client protocol fails in the vendor's own way
    let connect = json!({ "on": "call", "vendor": "rong", "operation": "connect", "effect": { "drop": true } });
    let id = rule(&control, &realm, connect).await;
    assert_eq!(farewell(realm.connect_raw("alice").await).await, [0; 0]);
    assert_eq!(counts(&control, &realm, id).await, (1, 1));
}

#[tokio::test]
async fn pushes_are_dropped_and_delayed() {
    let gateway = gateway(|_| {}).await;
    let control = Control::of(&gateway);
    let realm = control.realm(Value::Null).await;
    for group in ["g", "h"] {
        realm.create_group(group, "alice").await;
    }
    let mut alice = realm.connect("alice").await;
    let push = json!({ "on": "push", "user": "alice", "group": "g", "first": 1, "effect": { "drop": true } });
    let id = rule(&control, &realm, push).await;
    realm.rong_call("/entrust/group/join.json", "groupId=g&userIds=bob").await;
    let begun = Instant::now();
    while counts(&control, &realm, id).await.1 == 0 {
        assert!(begun.elapsed() < PATIENCE, "nothing was pushed");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(frame(&mut alice, Duration::from_millis(200)).await, None, "the event is not delivered");
    realm.rong_call("/entrust/group/join.json", "groupId=h&userIds=bob").await;
    assert!(frame(&mut alice, PATIENCE).await.is_some());
}

#[tokio::test]
async fn webhooks_fail_wait_and_come_twice() {
    let app = App::willing().await;
    let gateway = gateway(|_| {}).await;
    let control = Control::of(&gateway);
    let webhooks = json!({ "url": app.url("/hook"), "allow_private": true, "retries": 5, "backoff_ms": 20 });
    let realm = control.realm(json!({ "sections": { "rong": { "webhooks": webhooks } } })).await;
    let fail = json!({ "on": "webhook", "vendor": "rong", "first": 1, "effect": { "drop": true } });
    let id = rule(&control, &realm, fail).await;
    realm.create_group("g", "alice").await;
    app.until(|requests| requests.len() == 1).await;
    assert_eq!(counts(&control, &realm, id).await, (2, 1), "the first attempt failed, the second was sent");
    control.call(Method::DELETE, &realm.path("/faults"), Value::Null).await;
    rule(&control, &realm, json!({ "on": "webhook", "first": 1, "group": "h", "effect": { "duplicate": true } })).await;
    realm.create_group("h", "alice").await;
    let all = app.until(|requests| requests.len() == 3).await;
    assert_eq!(all[1].body, all[2].body);
}
