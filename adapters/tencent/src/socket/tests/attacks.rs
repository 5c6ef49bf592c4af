//! What a client must not achieve: frames that are too large or malformed, other users' keys, and commands before it has
//! signed in.

use bytes::Bytes;
use conclave_kit::Frame;
use serde_json::{Value, json};

use super::{House, ask, command, login, said};

#[tokio::test]
async fn nothing_but_what_visitors_may_is_done_before_signing_in() {
    let house = House::new();
    let (mut alice, key) = house.signed_in("alice").await;
    let make = json!({"Type": "Public", "Name": "g", "GroupId": "g", "Owner_Account": "alice"});
    assert_eq!(ask(&mut alice, command(&key, "group_open_http_svc.create_group", make)).await["body"]["ErrorCode"], 0);
    let mut stranger = house.session("d2").await;
    for (name, body) in [
        ("group_open_http_svc.destroy_group", json!({"GroupId": "g"})),
        ("group_open_http_svc.get_group_member_info", json!({"GroupId": "g"})),
        ("group_open_http_svc.send_group_msg", json!({"GroupId": "g", "Random": 1})),
        ("group_open_http_svc.apply_join_group", json!({"GroupId": "g"})),
        ("openim.getmsg", json!({})),
        ("openim.logout", json!({})),
        ("im_open_login_svc.account_import", json!({"UserID": "mallory"})),
        ("nothing.at_all", json!({})),
    ] {
        let answer = ask(&mut stranger, command("", name, body.clone())).await;
        assert_eq!(answer["body"]["ErrorCode"], 70002, "{name}: {answer}");
        // nor with the names of an account in place of a key
        let mut named = command("", name, body);
        named["head"]["identifier"] = json!("alice");
        named["head"]["tinyid"] =
            json!(crate::dialect::tiny_id::of(&conclave_core::model::UserId::new("alice").unwrap()));
        assert_eq!(ask(&mut stranger, named).await["body"]["ErrorCode"], 70002, "{name}");
    }
    // a visitor's key is no user's, and the other way round
    let room = json!({"Type": "AVChatRoom", "Name": "r", "GroupId": "r", "Owner_Account": "alice"});
    let mut make = command(&key, "group_open_http_svc.create_group", room);
    make["head"]["seq"] = json!(9);
    assert_eq!(ask(&mut alice, make).await["body"]["ErrorCode"], 0);
    let enter = command("", "group_open_http_noauth_svc.apply_join_group", json!({"GroupId": "r"}));
    let entered = ask(&mut stranger, enter).await;
    let visitors = entered["body"]["LongPollingKey"].as_str().unwrap();
    let as_user = command(visitors, "group_open_http_svc.get_group_member_info", json!({"GroupId": "r"}));
    assert_eq!(ask(&mut stranger, as_user).await["body"]["ErrorCode"], 70001);
    for wrong in [key.as_str(), &visitors[1..], "", "AAAA"] {
        let watch =
            command("", "group_open_long_polling_http_noauth_svc.get_msg", json!({"Key": wrong, "StartSeq": 0}));
        assert_eq!(ask(&mut stranger, watch).await["body"]["ErrorCode"], 10007, "{wrong}");
    }
    let watch = |start: Value| {
        command("", "group_open_long_polling_http_noauth_svc.get_msg", json!({"Key": visitors, "StartSeq": start}))
    };
    assert_eq!(ask(&mut stranger, watch(json!(0))).await["body"]["RspMsgList"], json!([]), "nothing from before");
    let text = json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": "hello"}}]);
    let mut say =
        command(&key, "group_open_http_svc.send_group_msg", json!({"GroupId": "r", "Random": 1, "MsgBody": text}));
    say["head"]["seq"] = json!(10);
    let said = ask(&mut alice, say).await;
    assert_eq!(said["body"]["ErrorCode"], 0, "{said}");
    let seen = ask(&mut stranger, watch(json!(0))).await;
    let items = seen["body"]["RspMsgList"].as_array().unwrap();
    assert_eq!(items.len(), 1, "{seen}");
    assert_eq!((&items[0]["Event"], &items[0]["ToGroupId"], &items[0]["MsgBody"]), (&json!(3), &json!("r"), &text));
    let next = seen["body"]["NextSeq"].clone();
    assert_eq!(ask(&mut stranger, watch(next)).await["body"]["RspMsgList"], json!([]), "each once");
    assert_eq!(ask(&mut stranger, watch(json!(u64::MAX))).await["body"]["ErrorCode"], 0);
    assert_eq!(ask(&mut stranger, watch(json!(-1))).await["body"]["ErrorCode"], 10004);
}

#[tokio::test]
async fn a_key_of_another_user_acts_for_that_user_alone() {
    let house = House::new();
    let (mut alice, alices) = house.signed_in("alice").await;
    let (mut mallory, mallorys) = house.signed_in("mallory").await;
    let make = json!({"Type": "Public", "Name": "g", "GroupId": "g", "Owner_Account": "alice"});
    assert_eq!(
        ask(&mut alice, command(&alices, "group_open_http_svc.create_group", make)).await["body"]["ErrorCode"],
        0
    );
    // in another user's name
    let posing = json!({"Type": "Public", "Name": "g2", "Owner_Account": "alice"});
    assert_eq!(
        ask(&mut mallory, command(&mallorys, "group_open_http_svc.create_group", posing)).await["body"]["ErrorCode"],
        10007
    );
    let destroy = command(&mallorys, "group_open_http_svc.destroy_group", json!({"GroupId": "g"}));
    assert_eq!(ask(&mut mallory, destroy).await["body"]["ErrorCode"], 10007);
    // the same number and body as a request of somebody else is no repetition of it
    let list = |key: &str| command(key, "group_open_http_svc.quit_group", json!({"GroupId": "g"}));
    let of_alice = ask(&mut alice, list(&alices)).await;
    let of_mallory = ask(&mut mallory, list(&mallorys)).await;
    assert_eq!(
        (of_alice["body"]["ErrorCode"].as_u64(), of_mallory["body"]["ErrorCode"].as_u64()),
        (Some(10009), Some(10007))
    );
}

#[tokio::test]
async fn frames_that_are_no_requests_are_dropped_and_others_answered() {
    let house = House::new();
    let (mut session, key) = house.signed_in("alice").await;
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    let frames: Vec<Vec<u8>> = vec![
        Vec::new(),
        b"null".to_vec(),
        b"[]".to_vec(),
        b"{}".to_vec(),
        br#"{"head":null,"body":{}}"#.to_vec(),
        br#"{"head":{"servcmd":"heartbeat.alive"},"body":{}}"#.to_vec(),
        br#"{"head":{"servcmd":"heartbeat.alive","seq":"7"},"body":{}}"#.to_vec(),
        br#"{"head":{"servcmd":7,"seq":7},"body":{}}"#.to_vec(),
        br#"{"head":{"servcmd":"heartbeat.alive","seq":7},"body":{}} and more"#.to_vec(),
        deep.into_bytes(),
        b"\xff\xfe{}".to_vec(),
        json!({"head": {"servcmd": "x".repeat(200), "seq": 7}, "body": {}}).to_string().into_bytes(),
    ];
    for frame in frames {
        let shown = String::from_utf8_lossy(&frame[..frame.len().min(60)]).into_owned();
        assert!(said(&mut session, frame).await.is_empty(), "{shown}");
    }
    // numbers of any kind are repeated as they are, and used twice they answer twice
    for number in ["0", "-1", "1.5", "18446744073709551615", "1e300"] {
        let frame = format!(r#"{{"head":{{"servcmd":"heartbeat.alive","seq":{number}}},"body":{{}}}}"#);
        for _ in 0..2 {
            let answers = session.receive(Frame::binary(Bytes::from(frame.clone()))).await;
            assert_eq!(answers.len(), 1, "{number}");
        }
    }
    // a body that is no object
    for body in [json!(null), json!([]), json!("text"), json!(7)] {
        let request =
            json!({"head": {"servcmd": "group_open_http_svc.destroy_group", "seq": 8, "a2": key}, "body": body});
        assert_ne!(ask(&mut session, request).await["body"]["ErrorCode"], 0, "{body}");
    }
    // a key that is long, or no text
    for key in [json!("A".repeat(50_000)), json!({"a": [1]}), json!(7), json!(true)] {
        let request = json!({"head": {"servcmd": "openim.getmsg", "seq": 8, "a2": key}, "body": {}});
        let code = ask(&mut session, request).await["body"]["ErrorCode"].as_u64().unwrap();
        assert!([70001, 70002].contains(&code), "{code}");
    }
    // it has stayed signed in through all of it
    assert_eq!(ask(&mut session, command(&key, "openim.getmsg", json!({}))).await["body"]["ErrorCode"], 0);
    assert_eq!(ask(&mut session, login("alice")).await["body"]["ErrorCode"], 0, "and may sign in again");
}
