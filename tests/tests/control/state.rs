//! Data that is reset, kept in snapshots, and restored.

use conclave_core::event::Actor;
use conclave_core::model::{GroupId, UserId};
use conclave_core::operation::{AddMembers, NewMember, OnBlocked, OnFull, OnMember, OnUnknown, Quiet};
use conclave_core::ports::GroupsExt as _;
use http::Method;
use serde_json::{Value, json};

use crate::house::{Control, REDIRECT, Realm, farewell, gateway, gateway_over};

/// The number of a group's members as Tencent's API returns it; `None` when there is no such group.
async fn members(realm: &Realm, group: &str) -> Option<u64> {
    let found = realm.tencent("group_open_http_svc/get_group_info", &json!({ "GroupIdList": [group] })).await;
    found["GroupInfo"][0]["MemberNum"].as_u64()
}

#[tokio::test]
async fn a_reset_deletes_everything_and_clients_resync() {
    let gateway = gateway(|_| {}).await;
    let control = Control::of(&gateway);
    let (realm, other) = (control.realm(Value::Null).await, control.realm(Value::Null).await);
    for realm in [&realm, &other] {
        realm.create_group("g", "alice").await;
    }
    let (socket, _other) = (realm.connect("alice").await, other.connect("alice").await);
    let token = realm.agora_token().await;

    assert_eq!(control.post(&realm.path("/reset"), Value::Null).await, json!({ "disconnected": 1 }));
    assert_eq!(farewell(socket).await, REDIRECT);
    assert_eq!((members(&realm, "g").await, members(&other, "g").await), (None, Some(1)));
    // its credentials stay, and so do the app's tokens, which are not stored
    assert_eq!(realm.agora(Method::GET, "/chatgroups/g", &token, "").await.status, 404);
    // the same ids can be used again, and events are delivered
    realm.create_group("g", "alice").await;
    let mut socket = realm.connect("alice").await;
    realm.rong_call("/entrust/group/join.json", "groupId=g&userIds=bob").await;
    let next = tokio::time::timeout(crate::house::PATIENCE, futures_util::StreamExt::next(&mut socket)).await;
    assert!(next.unwrap().unwrap().unwrap().is_binary(), "alice is notified that bob has joined");
    assert_eq!(members(&realm, "g").await, Some(2));

    let all = control.post("/v1/reset", Value::Null).await;
    assert_eq!(all["realms"].as_object().unwrap().len(), 3, "{all}");
    assert_eq!((members(&realm, "g").await, members(&other, "g").await), (None, None));
}

#[tokio::test]
async fn a_group_is_reset_alone() {
    let gateway = gateway(|_| {}).await;
    let control = Control::of(&gateway);
    let realm = control.realm(Value::Null).await;
    for group in ["g", "h"] {
        realm.create_group(group, "alice").await;
        realm.rong_call("/entrust/group/join.json", &format!("groupId={group}&userIds=bob")).await;
        let content = "content=%7B%22content%22%3A%22hi%22%7D";
        let form = format!("fromUserId=bob&toGroupId={group}&objectName=RC%3ATxtMsg&{content}");
        realm.rong_call("/message/group/publish.json", &form).await;
    }
    assert_eq!(control.post(&realm.path("/groups/g/reset"), Value::Null).await["disconnected"], 0);
    assert_eq!((members(&realm, "g").await, members(&realm, "h").await), (None, Some(2)));
    let joined = realm.tencent("group_open_http_svc/get_joined_group_list", &json!({ "Member_Account": "bob" })).await;
    assert_eq!(joined["TotalCount"], 1, "{joined}");
    let wanted = json!({ "GroupId": "h", "ReqMsgNumber": 20 });
    let history = realm.tencent("group_open_http_svc/group_msg_get_simple", &wanted).await;
    assert!(history["RspMsgList"].to_string().contains("hi"), "{history}");
    let code = control.refused(Method::POST, &realm.path("/groups/g/reset"), Value::Null).await.1;
    assert_eq!(code, "no_such_group");
    // it can be created again, also with members who were in it
    realm.create_group("g", "bob").await;
    assert_eq!(members(&realm, "g").await, Some(1));
    // what is left is consistent
    let rows = gateway.realm(&realm.name).unwrap().rows.unwrap();
    let rows = conclave_core::invariants::everything(&*rows).await.unwrap();
    let broken = conclave_core::invariants::realm_broken(&rows, conclave_core::model::Millis(crate::house::wall()));
    assert_eq!(broken, None);
}

#[tokio::test]
async fn snapshots_are_taken_restored_and_deleted() {
    let gateway = gateway(|_| {}).await;
    let control = Control::of(&gateway);
    let realm = control.realm(Value::Null).await;
    realm.create_group("g", "alice").await;
    let taken = control.post(&realm.path("/snapshots/one%20member"), Value::Null).await;
    assert_eq!(taken["name"], "one member");
    assert!(taken["rows"].as_u64().unwrap() > 3, "{taken}");
    realm.rong_call("/entrust/group/join.json", "groupId=g&userIds=bob").await;
    control.post(&realm.path("/snapshots/two"), Value::Null).await;
    control.post(&realm.path("/reset"), Value::Null).await;
    assert_eq!(members(&realm, "g").await, None);

    for (name, count) in [("two", 2), ("one%20member", 1), ("two", 2)] {
        control.post(&realm.path(&format!("/snapshots/{name}/restore")), Value::Null).await;
        assert_eq!(members(&realm, "g").await, Some(count), "{name}");
        // a snapshot is not changed by what follows
        realm.rong_call("/entrust/group/join.json", "groupId=g&userIds=carol").await;
        assert_eq!(members(&realm, "g").await, Some(count + 1), "{name}");
    }
    let listed = control.get(&realm.path("/snapshots")).await;
    let names: Vec<&str> =
        listed["snapshots"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["one member", "two"]);
    assert_eq!(control.refused(Method::POST, &realm.path("/snapshots/two"), Value::Null).await.1, "snapshot_exists");
    control.post(&realm.path("/snapshots/two"), json!({ "replace": true })).await;
    control.post(&realm.path("/reset"), Value::Null).await;
    control.post(&realm.path("/snapshots/two/restore"), Value::Null).await;
    assert_eq!(members(&realm, "g").await, Some(3));
    control.call(Method::DELETE, &realm.path("/snapshots/two"), Value::Null).await;
    let restore = realm.path("/snapshots/two/restore");
    assert_eq!(control.refused(Method::POST, &restore, Value::Null).await.1, "no_such_snapshot");
}

#[tokio::test]
async fn shared_files_are_restored_with_their_bytes() {
    let gateway = gateway(|_| {}).await;
    let control = Control::of(&gateway);
    let realm = control.realm(Value::Null).await;
    let token = realm.agora_token().await;
    realm.create_group("g", "alice").await;
    let blobs = gateway.realm(&realm.name).unwrap().blobs;
    let content = || Box::pin(futures_util::stream::iter([Ok(bytes::Bytes::from_static(b"bytes"))]));
    let stored = blobs.put(content(), 100).await.unwrap();
    control.post(&realm.path("/snapshots/with"), Value::Null).await;
    blobs.delete(&stored.id).await.unwrap();
    assert!(blobs.get(&stored.id).await.unwrap().is_none());
    control.post(&realm.path("/snapshots/with/restore"), Value::Null).await;
    assert_eq!(blobs.get(&stored.id).await.unwrap().unwrap().0, 5);
    assert_eq!(realm.agora(Method::GET, "/chatgroups/g", &token, "").await.status, 200);
}

#[tokio::test]
async fn ten_thousand_members_are_restored_in_a_moment() {
    let gateway = gateway(|_| {}).await;
    let control = Control::of(&gateway);
    let realm = control.realm(json!({ "sections": { "rong": {} } })).await;
    let token = realm.agora_token().await;
    let create = json!({ "groupname": "big", "description": "", "public": true, "maxusers": 20_000, "owner": "owner" });
    realm.agora(Method::POST, "/users", &token, r#"{"username":"owner","password":"p"}"#).await;
    let created = realm.agora(Method::POST, "/chatgroups", &token, &create.to_string()).await.json();
    let group = created["data"]["groupid"].as_str().unwrap_or_else(|| panic!("{created}")).to_owned();
    let count = async || {
        let found = realm.agora(Method::GET, &format!("/chatgroups/{group}"), &token, "").await.json();
        found["data"][0]["affiliations_count"].as_u64().unwrap_or_else(|| panic!("{found}"))
    };
    // through the neutral interface: ten thousand members in a few commits
    let groups = gateway.realm(&realm.name).unwrap().backend.groups;
    for chunk in (0..10_000).collect::<Vec<u32>>().chunks(1000) {
        let member = |number: &u32| NewMember::now(UserId::new(format!("u{number}")).unwrap());
        let add = AddMembers {
            group: GroupId::new(&group).unwrap(),
            members: chunk.iter().map(member).collect(),
            ask: false,
            message: String::new(),
            quiet: Quiet::Everybody,
            on_unknown: OnUnknown::Register,
            on_member: OnMember::Refuse,
            on_blocked: OnBlocked::Refuse,
            on_full: OnFull::Refuse,
            most: None,
        };
        groups.run(&Actor::app(), add).await.unwrap();
    }
    assert_eq!(count().await, 10_001);
    control.post(&realm.path("/snapshots/big"), Value::Null).await;
    control.post(&realm.path("/reset"), Value::Null).await;
    control.post(&realm.path("/snapshots/big/restore"), Value::Null).await;
    assert_eq!(count().await, 10_001);
}

#[tokio::test]
async fn a_durable_realm_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = gateway_over(folder.path()).await;
    let control = Control::of(&gateway);
    let dev = Realm::of(&control.get("/v1/realms/dev").await);
    dev.create_group("g", "alice").await;
    for path in ["/reset", "/groups/g/reset", "/snapshots/a", "/clock/freeze", "/clock/resume"] {
        let (status, code, message) = control.refused(Method::POST, &dev.path(path), Value::Null).await;
        assert_eq!((status.as_u16(), &*code), (409, "durable_realm"), "{path}: {message}");
    }
    let all = control.post("/v1/reset", Value::Null).await;
    assert_eq!(all, json!({ "realms": {}, "unchanged": ["dev"] }));
    assert_eq!(members(&dev, "g").await, Some(1));
    // a realm that is created here is in memory
    let realm = control.realm(Value::Null).await;
    control.post(&realm.path("/reset"), Value::Null).await;
}
