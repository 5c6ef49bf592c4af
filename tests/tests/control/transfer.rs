//! Data as a file: exported, and seeded from one.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::house::{Control, Realm, gateway, gateway_over};

/// A realm with something of almost everything.
async fn lived_in(control: &Control) -> Realm {
    let realm = control.realm(Value::Null).await;
    realm.create_group("g", "alice").await;
    realm.rong_call("/entrust/group/join.json", "groupId=g&userIds=bob,carol").await;
    realm.rong_call("/group/user/gag/add.json", "groupId=g&userId=bob&minute=10").await;
    let content = "content=%7B%22content%22%3A%22hi%22%7D";
    let form = format!("fromUserId=alice&toGroupId=g&objectName=RC%3ATxtMsg&{content}");
    realm.rong_call("/message/group/publish.json", &form).await;
    let token = realm.agora_token().await;
    realm.agora(Method::POST, "/chatgroups/g/blocks/users/carol", &token, "").await;
    let message = json!({ "from": "alice", "to": ["g"], "type": "txt", "body": { "msg": "hello \u{1f600}" } });
    realm.agora(Method::POST, "/messages/chatgroups", &token, &message.to_string()).await;
    let create = json!({ "Owner_Account": "tim", "Type": "Public", "Name": "öffentlich", "GroupId": "p" });
    realm.tencent("im_open_login_svc/account_import", &json!({ "UserID": "tim" })).await;
    realm.tencent("group_open_http_svc/create_group", &create).await;
    let _socket = realm.connect("alice").await;
    realm
}

async fn exported(control: &Control, realm: &Realm) -> String {
    let answer = control.send(Method::GET, &realm.path("/export"), Value::Null).await;
    assert_eq!(
        (answer.status, &answer.headers["content-type"]),
        (StatusCode::OK, &"application/jsonl".parse().unwrap())
    );
    String::from_utf8(answer.body.to_vec()).unwrap()
}

async fn seeded(control: &Control, realm: &Realm, file: &str) -> conclave_tests::client::Answer {
    control.0.send(Method::POST, &realm.path("/seed"), &[], file.to_owned()).await
}

#[tokio::test]
async fn a_seed_gives_back_what_was_exported_byte_by_byte() {
    let gateway = gateway(|_| {}).await;
    let control = Control::of(&gateway);
    let realm = lived_in(&control).await;
    let blobs = gateway.realm(&realm.name).unwrap().blobs;
    let content = Box::pin(futures_util::stream::iter([Ok(bytes::Bytes::from_static(b"some bytes"))]));
    let stored = blobs.put(content, 100).await.unwrap();
    let file = exported(&control, &realm).await;
    assert!(file.starts_with("{\"version\":1}\n"), "{file}");
    assert!(file.lines().count() > 40, "{file}");
    assert_eq!(exported(&control, &realm).await, file, "the same data gives the same bytes");

    control.post(&realm.path("/reset"), Value::Null).await;
    assert_eq!(exported(&control, &realm).await, "{\"version\":1}\n");
    assert!(blobs.get(&stored.id).await.unwrap().is_none());
    let answer = seeded(&control, &realm, &file).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    assert_eq!(answer.json()["files"], 1);
    assert_eq!(exported(&control, &realm).await, file);
    assert_eq!(blobs.get(&stored.id).await.unwrap().unwrap().0, 10);

    // another realm, with other credentials, can have the same data, and goes on from there
    let other = control.realm(Value::Null).await;
    assert_eq!(seeded(&control, &other, &file).await.status, 200);
    assert_eq!(exported(&control, &other).await, file);
    other.rong_call("/entrust/group/join.json", "groupId=g&userIds=dan").await;
    let found = other.tencent("group_open_http_svc/get_group_info", &json!({ "GroupIdList": ["g", "p"] })).await;
    assert_eq!(found["GroupInfo"][0]["MemberNum"], 3, "{found}");
    assert_eq!(found["GroupInfo"][1]["Name"], "öffentlich", "{found}");
    let rows = gateway.realm(&other.name).unwrap().rows.unwrap();
    let rows = conclave_core::invariants::everything(&*rows).await.unwrap();
    let now = conclave_core::model::Millis(crate::house::wall());
    assert_eq!(conclave_core::invariants::realm_broken(&rows, now), None);
}

#[tokio::test]
async fn files_that_are_no_realm_are_refused_and_change_nothing() {
    let gateway = gateway(|_| {}).await;
    let control = Control::of(&gateway);
    let realm = lived_in(&control).await;
    let file = exported(&control, &realm).await;
    let without = |table: &str| -> String {
        let start = format!("{{\"table\":\"{table}\"");
        let mut dropped = false;
        let keep = |line: &&str| line.starts_with(&start) && !std::mem::replace(&mut dropped, true);
        let gone: Vec<&str> = file.lines().filter(keep).collect();
        assert_eq!(gone.len(), 1, "{table}");
        file.lines().filter(|line| *line != gone[0]).map(|line| format!("{line}\n")).collect()
    };
    let twice = format!("{file}{}\n", file.lines().nth(1).unwrap());
    for (name, bad) in [
        ("no version", "{}".to_owned()),
        ("a row twice", twice),
        ("a member without a seat", without("seat")),
        ("an account without its index", without("user_created")),
        ("no text", "\u{0}".to_owned()),
        // what a failed export leaves must not delete everything
        ("nothing", String::new()),
        ("blank lines", "\n\n".to_owned()),
        ("a list as the version", "[1]\n".to_owned()),
        ("the version in the second line", "\n{\"version\":1}\n".to_owned()),
    ] {
        let answer = seeded(&control, &realm, &bad).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["error"]["code"]), (422, &json!("bad_seed")), "{name}");
    }
    assert_eq!(exported(&control, &realm).await, file);
    let folder = tempfile::tempdir().unwrap();
    let durable = gateway_over(folder.path()).await;
    let control = Control::of(&durable);
    let dev = Realm::of(&control.get("/v1/realms/dev").await);
    let refused = seeded(&control, &dev, &file).await;
    assert_eq!(refused.json()["error"]["code"], "durable_realm");
    assert_eq!(control.refused(Method::GET, &dev.path("/export"), Value::Null).await.1, "durable_realm");
}

#[tokio::test]
async fn the_schema_is_pinned_and_describes_every_line() {
    let gateway = gateway(|_| {}).await;
    let control = Control::of(&gateway);
    let served = control.0.send(Method::GET, "/seed.schema.json", &[], "").await;
    let served = String::from_utf8(served.body.to_vec()).unwrap();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/control.seed.schema.json");
    if std::env::var_os("CONCLAVE_REFRESH").is_some() {
        std::fs::write(path, &served).unwrap();
    }
    let command = "CONCLAVE_REFRESH=1 cargo test -p conclave-tests --test control the_schema_is_pinned";
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(kept == served, "docs/control.seed.schema.json is stale; refresh it with: {command}");

    let schema: Value = serde_json::from_str(&served).unwrap();
    let tables = schema["oneOf"].as_array().unwrap();
    let realm = lived_in(&control).await;
    for line in exported(&control, &realm).await.lines().skip(1) {
        let line: Value = serde_json::from_str(line).unwrap();
        let of = |table: &&Value| table["properties"]["table"]["const"] == line["table"];
        let table = tables.iter().find(of).unwrap_or_else(|| panic!("{line}"));
        let key = &table["properties"]["key"];
        let given = line["key"].as_object().unwrap();
        assert_eq!(given.len(), key["required"].as_array().unwrap().len(), "{line}");
        for (name, value) in given {
            let kind = if value.is_u64() { "integer" } else { "string" };
            assert_eq!(key["properties"][name]["type"], kind, "{line}");
        }
    }
}
