//! Messages, as each vendor shows them.

use conclave_tests::house::credentials::{ADMIN, SDKAPPID, SECRET_KEY};
use conclave_tests::house::mounted;
use conclave_tests::sign::user_sig;
use conclave_tests::story::TencentApi;
use conclave_tests::world::BEGINNING;
use http::Method;
use serde_json::json;

use super::House;

/// Messages of the app itself have one sender, for every admin who reads them.
#[tokio::test]
async fn messages_of_the_app_have_one_sender() {
    let house = House::of_agora("g", true).await;
    let said = json!({"to": ["g"], "type": "txt", "body": {"msg": "hi"}});
    house.agora(Method::POST, "/messages/chatgroups", said).await;
    let world = &house.0.world;
    let admins = [ADMIN, "second"];
    let realm = conclave_tencent::TencentRealm {
        name: "test".to_owned(),
        credentials: conclave_tencent::Credentials {
            sdkappid: SDKAPPID,
            secret_key: SECRET_KEY.to_owned(),
            admins: admins.map(str::to_owned).to_vec(),
        },
        settings: conclave_tencent::Settings::default(),
        groups: world.groups.clone(),
        log: world.log.clone(),
        blobs: world.blobs.clone(),
        presence: std::sync::Arc::new(conclave_kit::Nobody),
    };
    let surface = mounted(conclave_tencent::Tencent::new(vec![realm]).unwrap());
    let mut senders = Vec::new();
    for admin in admins {
        let sig = user_sig(SDKAPPID, SECRET_KEY, admin, BEGINNING.seconds(), 86_400);
        let vendor_api = TencentApi::new(surface.clone(), SDKAPPID, admin, &sig);
        let page = vendor_api.answer("group_msg_get_simple", &json!({"GroupId": "g", "ReqMsgNumber": 5})).await;
        senders.push(page["RspMsgList"][0]["From_Account"].clone());
    }
    assert_eq!(senders, [ADMIN, ADMIN]);
}

/// More messages may be asked for than a page has.
#[tokio::test]
async fn a_page_of_history_has_at_most_twenty_messages() {
    let house = House::of_tencent("g", "Public").await;
    for number in 0..25 {
        let said = json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": number.to_string()}}]);
        house.tencent("send_group_msg", json!({"GroupId": "g", "Random": number, "MsgBody": said})).await;
    }
    for (wanted, rows) in [(5, 5), (20, 20), (21, 20), (100, 20), (1_000_000, 20)] {
        let page = house.tencent("group_msg_get_simple", json!({"GroupId": "g", "ReqMsgNumber": wanted})).await;
        assert_eq!(page["RspMsgList"].as_array().unwrap().len(), rows, "{wanted}");
        assert_eq!(page["IsFinished"], 0);
    }
    assert_eq!(house.code("group_msg_get_simple", json!({"GroupId": "g", "ReqMsgNumber": 0})).await, 10004);
}

/// Agora's server API recalls, changes and imports messages, and the others read the outcome.
#[tokio::test]
async fn agora_recalls_changes_and_imports_messages_for_all() {
    let house = House::of_agora("g", true).await;
    let said = json!({"to": ["g"], "from": "ben", "type": "txt", "body": {"msg": "one"}, "ext": {"k": 1}});
    let id = house.agora(Method::POST, "/messages/chatgroups", said.clone()).await["g"].clone();
    let new = json!({"user": "ben", "new_msg": {"type": "txt", "msg": "two"}, "new_ext": {"l": 2}});
    let path = format!("/messages/rewrite/{}", id.as_str().unwrap());
    assert_eq!(house.agora(Method::PUT, &path, new.clone()).await, "success");
    let page = house.tencent("group_msg_get_simple", json!({"GroupId": "g", "ReqMsgNumber": 5})).await;
    assert_eq!(page["RspMsgList"][0]["MsgBody"][0]["MsgContent"]["Text"], "two", "{page}");
    let why = house.refused(Method::PUT, "/messages/rewrite/x", new.clone()).await;
    assert!(why.starts_with("400") && why.contains("InvalidMessageIdException"), "{why}");
    let why = house.refused(Method::PUT, "/messages/rewrite/7", new.clone()).await;
    assert!(why.starts_with("404") && why.contains("MessageUnavailableException"), "{why}");
    for _ in 1..10 {
        house.agora(Method::PUT, &path, new.clone()).await;
    }
    let why = house.refused(Method::PUT, &path, new).await;
    assert!(why.starts_with("403") && why.contains("EditLimitExceededException"), "{why}");

    let recall = |to: &str| json!({"msg_id": id, "to": to, "chat_type": "groupchat", "from": "ben", "force": true});
    let why = house.refused(Method::POST, "/messages/msg_recall", recall("h")).await;
    assert!(why.starts_with("400") && why.contains("can't find msg to"), "{why}");
    let recalled = house.agora(Method::POST, "/messages/msg_recall", recall("g")).await;
    let wanted = json!({"msg_id": id, "recalled": "yes", "chattype": "groupchat", "from": "ben", "to": "g"});
    assert_eq!(recalled, wanted);
    // once more, by each of the vendor's paths
    for path in ["/messages/msg_recall", "/messages/recall"] {
        let why = house.refused(Method::POST, path, recall("g")).await;
        assert!(why.starts_with("403") && why.contains("not_found msg"), "{why}");
        let why = house.refused(Method::POST, path, json!({"to": "g", "chat_type": "groupchat"})).await;
        assert!(why.starts_with("400") && why.contains("param msg_id can't be empty"), "{why}");
    }
    let again = house.agora(Method::POST, "/messages/recall", json!({"msgs": [recall("g"), recall("g")]})).await;
    assert_eq!(again["msgs"][1]["recalled"], "not_found msg");
    let again = house.agora(Method::POST, "/messages/recall", json!({"msgs": recall("g")})).await;
    assert_eq!(again["msgs"][0]["recalled"], "not_found msg");
    let more = house.agora(Method::POST, "/messages/chatgroups", said.clone()).await["g"].clone();
    let more = json!({"msg_id": more, "to": "g", "chat_type": "groupchat", "force": false});
    let both = house.agora(Method::POST, "/messages/batch_recall", json!({"msgs": [more, recall("g")]})).await;
    assert_eq!((&both[0]["recalled"], &both[1]["recalled"]), (&json!("yes"), &json!("not_found msg")));
    let many = json!({"msgs": vec![recall("g"); 31]});
    let why = house.refused(Method::POST, "/messages/batch_recall", many).await;
    assert!(why.starts_with("400") && why.contains("max limit : 30"), "{why}");
    let body = json!({"GroupId": "g", "ReqMsgNumber": 5, "WithRecalledMsg": 1});
    let page = house.tencent("group_msg_get_simple", body).await;
    assert_eq!(page["RspMsgList"][1]["IsPlaceMsg"], 2, "{page}");

    let at = house.0.world.groups.now().0;
    for import in [
        json!({"from": "cy", "target": "g", "type": "txt", "body": {"msg": "old"}, "msg_timestamp": at, "is_ack_read": true}),
        json!({"from": "cy", "target": "g", "msg": {"type": "txt", "msg": "old"}, "msg_timestamp": at}),
    ] {
        let imported = house.agora(Method::POST, "/messages/chatgroups/import", import).await;
        assert!(imported["msg_id"].is_string(), "{imported}");
        let page = house.tencent("group_msg_get_simple", json!({"GroupId": "g", "ReqMsgNumber": 1})).await;
        let row = &page["RspMsgList"][0];
        assert_eq!((&row["From_Account"], &row["MsgBody"][0]["MsgContent"]["Text"]), (&json!("cy"), &json!("old")));
    }
}

/// RongCloud's server API adds to messages, changes and reads them; including messages sent through the others.
#[tokio::test]
async fn rong_adds_to_changes_and_reads_messages_of_all() {
    let house = House::of_agora("g", true).await;
    let send = "fromUserId=ben&objectName=RC:TxtMsg&content={\"content\":\"one\"}&toGroupId=g&expansion=true";
    let sent = house.rong("message/group/publish", send).await;
    let uid = sent["messageUIDs"][0]["messageUID"].as_str().unwrap().to_owned();
    let about = format!("msgUID={uid}&userId=ben&conversationType=3&targetId=g");
    house
        .rong("message/expansion/set", &format!("{about}&extraKeyVal={{\"a\":\"1\",\"b\":\"2\"}}&isSyncSender=1"))
        .await;
    house.rong("message/expansion/delete", &format!("{about}&extraKey=[\"a\"]&isSyncSender=0")).await;
    let found = house.rong("message/expansion/query", &format!("msgUID={uid}&pageNo=1")).await;
    assert_eq!(found["extraContent"]["b"]["v"], "2");
    assert_eq!(found["extraContent"].as_object().unwrap().len(), 1);
    assert_eq!(house.rong_code("message/expansion/set", &format!("{about}&extraKeyVal=x")).await, 1002);

    let change = format!("fromUserId=ben&groupId=g&msgUID={uid}&objectName=RC:TxtMsg&content={{\"content\":\"two\"}}");
    house.rong("message/group/modify", &change).await;
    let foreign = change.replace("fromUserId=ben", "fromUserId=cy");
    assert_eq!(house.rong_code("message/group/modify", &foreign).await, 1002);
    let page = house.tencent("group_msg_get_simple", json!({"GroupId": "g", "ReqMsgNumber": 1})).await;
    assert_eq!(page["RspMsgList"][0]["MsgBody"][0]["MsgContent"]["Text"], "two");

    house.0.world.clock.step(1000);
    let said = json!({"to": ["g"], "from": "cy", "type": "txt", "body": {"msg": "three"}});
    house.agora(Method::POST, "/messages/chatgroups", said).await;
    let now = house.0.world.groups.now().0;
    let form = format!("userId=ben&targetId=g&startTime={}&endTime={now}&includeStart=true&pageSize=10", now - 1000);
    let found = house.rong("v3/message/group/query", &form).await;
    let rows = found["data"].as_array().unwrap();
    assert_eq!(rows.len(), 2, "{found}");
    assert_eq!((&rows[0]["content"], &rows[0]["expansion"]), (&json!("{\"content\":\"two\"}"), &json!(true)));
    assert_eq!((&rows[1]["fromUserId"], &rows[1]["msgTime"]), (&json!("cy"), &json!(now)));
    let first = form.replace("includeStart=true", "includeStart=false");
    assert_eq!(house.rong("v3/message/group/query", &first).await["data"].as_array().unwrap().len(), 1);
}

/// Long messages make shorter pages, which are continued, instead of an answer that is refused.
#[tokio::test]
async fn pages_of_long_messages_are_shorter_and_go_on() {
    let house = House::of_tencent("g", "Public").await;
    let (count, length) = (30, 100_000);
    for _ in 0..count {
        let content = json!({"content": "x".repeat(length)}).to_string();
        let form = format!("fromUserId=ben&toGroupId=g&objectName=RC:TxtMsg&content={content}");
        house.rong("message/group/publish", &form).await;
        house.0.world.clock.step(1);
    }
    // Tencent: newest first
    let (mut numbers, mut from) = (Vec::new(), None);
    loop {
        let mut ask = json!({"GroupId": "g", "ReqMsgNumber": 20});
        if let Some(from) = from {
            ask["ReqMsgSeq"] = json!(from);
        }
        let page = house.tencent("group_msg_get_simple", ask).await;
        let list = page["RspMsgList"].as_array().unwrap();
        assert!((1..20).contains(&list.len()), "{}", list.len());
        assert!(page.to_string().len() <= 1 << 20);
        numbers.extend(list.iter().map(|message| message["MsgSeq"].as_u64().unwrap()));
        if page["IsFinished"] == 1 {
            break;
        }
        from = numbers.last().map(|number| number - 1);
    }
    assert_eq!(numbers, (1..=count).rev().collect::<Vec<u64>>());
    // RongCloud: oldest first, from a time
    let (mut found, mut start) = (0, 0);
    loop {
        let form = format!("userId=ben&targetId=g&startTime={start}&endTime={}&pageSize=100", u64::MAX);
        let page = house.rong("v3/message/group/query", &form).await;
        let list = page["data"].as_array().unwrap();
        assert!(page.to_string().len() < 1 << 20);
        let Some(last) = list.last() else { break };
        found += list.len() as u64;
        start = last["msgTime"].as_u64().unwrap();
    }
    assert_eq!(found, count);
}

/// The members of many groups are not read when the answer cannot hold them.
#[tokio::test]
async fn an_answer_with_more_members_than_fit_is_refused_before_it_is_built() {
    let house = House::new().await;
    let users: Vec<String> = (0..2000).map(|at| format!("&userId=u{at:0>60}")).collect();
    let (first, second) = users.split_at(1000);
    house.rong("group/create", &format!("groupId=g&groupName=n{}", first.concat())).await;
    house.rong("group/join", &format!("groupId=g&groupName=n{}", second.concat())).await;
    let filter = json!({"MemberInfoFilter": ["Member_Account"]});
    let read = async |ids: &[&str]| {
        let before = house.0.world.rows_read();
        let code = house.code("get_group_info", json!({"GroupIdList": ids, "ResponseFilter": filter})).await;
        (code, house.0.world.rows_read() - before)
    };
    let (code, one) = read(&["g"]).await;
    assert_eq!(code, 0);
    let (code, many) = read(&["g"; 50]).await;
    assert_eq!(code, 10018);
    // a megabyte holds seven of them
    assert!(many < 10 * one, "{many} rows were read, and {one} for one group");
}
