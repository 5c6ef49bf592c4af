//! The console: the page in a browser, and what it is served with. With `CONCLAVE_REFRESH=1` its picture in `docs` is taken again.

use conclave::config::ControlToken;
use conclave_tests::sdk::node;
use conclave_tests::sdk::script::Script;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::house::{Control, Realm, gateway};

const PICTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/console.png");

async fn readers(control: &Control) -> Realm {
    let realm = control.realm(json!({ "name": "shop" })).await;
    realm.create_group("readers", "ann").await;
    realm.rong_call("/entrust/group/join.json", "groupId=readers&userIds=bob,cat").await;
    let profile = "groupProfile=%7B%22name%22%3A%22Readers%22%7D";
    realm.rong_call("/entrust/group/profile/update.json", &format!("groupId=readers&{profile}")).await;
    realm
}

#[tokio::test(flavor = "multi_thread")]
async fn people_see_and_do_everything_in_it() {
    let gateway = gateway(|_| {}).await;
    let control = Control::of(&gateway);
    let realm = readers(&control).await;
    let _ann = realm.connect("ann").await;
    let url = format!("http://{}", gateway.addresses.control.unwrap());
    let mut command = tokio::task::spawn_blocking(|| node::command("console.cjs")).await.unwrap();
    command.arg(&url).arg(node::chromium());
    if std::env::var_os("CONCLAVE_REFRESH").is_some() {
        command.arg(PICTURE);
    }
    let mut script = Script::start(command, &[]);
    script.until("journal").await;
    realm.rong_call("/entrust/group/create.json", "groupId=writers&name=Writers&owner=bob&nonsense=1").await;
    realm.rong_call("/entrust/group/join.json", "groupId=readers&userIds=dan").await;
    script.go_on().await;
    script.until("fault").await;
    let refused = realm.rong("/group/create.json", "groupId=other&groupName=Other&userId=bob").await.json();
    assert_eq!(refused["code"], 1008);
    script.go_on().await;
    let reports = script.finish().await;

    let of_agora: Vec<&str> =
        reports["group"]["vendor-agora"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(of_agora[0].ends_with("/chatgroups/readers 200"), "{of_agora:?}");
    let of_tencent =
        ["POST /v4/group_open_http_svc/get_group_info 200", "POST /v4/group_open_http_svc/get_group_member_info 200"];
    assert_eq!(reports["group"]["vendor-tencent"], json!(of_tencent));
    let of_rong = ["/entrust/group/profile/query.json", "/entrust/group/member/query.json", "/group/user/query.json"];
    assert_eq!(reports["group"]["vendor-rong"], json!(of_rong.map(|path| format!("POST {path} 200"))));
    assert_eq!(reports["members"], json!(["annownerrong", "bobmemberno", "catmemberno"]));
    assert_eq!(reports["sessions"], json!(["ann"]));
    assert_eq!(reports["unnamed"], json!([]));
    assert_eq!(reports["kinds"], json!(["push"]));
    assert_eq!(reports["advanced"], 600_000);
    assert_eq!(reports["contrast in light"], json!(["light", true]));
    assert_eq!(reports["contrast in dark"], json!(["dark", true]));
    assert_eq!(reports["wrong"], json!([]), "errors, or a breach of the page's policy");
    assert_eq!(reports["requested"], json!([url]), "nothing but the listener itself");
    assert!(std::path::Path::new(PICTURE).exists(), "docs/console.png is missing: run with CONCLAVE_REFRESH=1");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_is_entered_where_there_is_one() {
    let token = "a-long-enough-token";
    let gateway = gateway(|config| config.control_token = Some(ControlToken(token.to_owned()))).await;
    let mut command = tokio::task::spawn_blocking(|| node::command("console_token.cjs")).await.unwrap();
    command.arg(format!("http://{}", gateway.addresses.control.unwrap())).arg(node::chromium()).arg(token);
    let reports = Script::start(command, &[]).finish().await;
    assert!(reports["refused"].as_str().unwrap().contains("token"), "{reports:?}");
    assert_eq!((&reports["realms"], &reports["asked again"]), (&json!(["dev"]), &json!(false)));
}

#[tokio::test]
async fn it_is_one_page_that_loads_nothing_else() {
    let gateway = gateway(|config| config.control_token = Some(ControlToken("a-long-enough-token".to_owned()))).await;
    let control = Control::of(&gateway);
    for (path, kind) in [("/", "text/html"), ("/console.css", "text/css"), ("/console.js", "text/javascript")] {
        let answer = control.0.send(Method::GET, path, &[], "").await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        let header = |name: &str| answer.headers[name].to_str().unwrap().to_owned();
        assert!(header("content-type").starts_with(kind), "{path}");
        let policy = header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"));
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(header("x-content-type-options"), "nosniff");
        let text = String::from_utf8(answer.body.to_vec()).unwrap();
        for other in ["http://", "https://", "innerHTML", "eval("] {
            assert!(!text.contains(other), "{path} has {other}");
        }
    }
    // what it shows needs the token
    assert_eq!(control.0.send(Method::GET, "/v1/realms", &[], "").await.status, StatusCode::UNAUTHORIZED);
    let evil = control.0.send(Method::GET, "/", &[("host", "evil.example")], "").await;
    assert_eq!(evil.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn groups_events_and_unread_fields_are_read_through_the_control_api() {
    let gateway = gateway(|_| {}).await;
    let control = Control::of(&gateway);
    let realm = readers(&control).await;
    let groups = control.get(&realm.path("/groups")).await;
    let readers = json!({ "id": "readers", "name": "Readers", "owner": "ann", "members": 3 });
    assert_eq!(groups, json!({ "groups": [readers], "more": false }));
    let (_, code, _) = control.refused(Method::GET, &realm.path("/groups/none"), Value::Null).await;
    assert_eq!(code, "no_such_group");

    // what is read for people is in no journal, and no fault applies to it
    control.post(&realm.path("/journal"), Value::Null).await;
    control.post(&realm.path("/faults"), json!({ "on": "call", "effect": { "drop": true } })).await;
    let group = control.get(&realm.path("/groups/readers")).await;
    assert_eq!(group["list"][0], json!({ "user": "ann", "role": "owner" }));
    let answers: Vec<(&Value, &Value)> =
        group["vendors"].as_array().unwrap().iter().map(|view| (&view["vendor"], &view["reads"][0]["body"])).collect();
    let [(_, agora), (_, tencent), (_, rong)] = answers[..] else { panic!("{group}") };
    assert_eq!(agora["data"][0]["name"], "Readers");
    assert_eq!(tencent["GroupInfo"][0]["Name"], "Readers");
    assert_eq!(rong["profiles"][0]["groupName"], "Readers");
    let journal = control.post(&realm.path("/journal/query"), Value::Null).await;
    assert_eq!(journal["entries"], json!([]));
    assert_eq!(control.get(&realm.path("/faults")).await["faults"][0]["matched"], 0);
    control.call(Method::DELETE, &realm.path("/faults"), Value::Null).await;

    let events = control.post(&realm.path("/events"), Value::Null).await;
    let last = events["last"].as_u64().unwrap();
    assert_eq!(events["events"].as_array().unwrap().last().unwrap()["number"], last);
    assert_eq!(events["events"][0]["actor"], "app", "{events}");
    let none = control.post(&realm.path("/events"), json!({ "after": last })).await;
    assert_eq!(none, json!({ "events": [], "last": last }));
    let waiting = json!({ "after": last, "timeout_ms": 30_000 });
    let path = realm.path("/events");
    let (news, ()) = tokio::join!(control.post(&path, waiting), async {
        realm.rong_call("/entrust/group/join.json", "groupId=readers&userIds=dan&nonsense=1").await;
    });
    assert_eq!((&news["events"][0]["group"], news["last"].as_u64() > Some(last)), (&json!("readers"), true), "{news}");
    // numbers begin again after a reset
    control.post(&realm.path("/reset"), Value::Null).await;
    assert_eq!(control.post(&path, json!({ "after": last })).await, json!({ "events": [], "last": 0 }));
    let (_, code, _) = control.refused(Method::POST, &path, json!({ "timeout_ms": 60_001 })).await;
    assert_eq!(code, "bad_request");

    let unread = control.get("/v1/unread-fields").await;
    let field = json!({ "vendor": "rong", "operation": "entrust/group/join", "field": "nonsense", "count": 1 });
    assert!(unread["fields"].as_array().unwrap().contains(&field), "{unread}");
}
