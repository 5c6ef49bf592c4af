//! Agora's app is asked before a user's message is delivered, whichever client sends it.

use std::sync::Arc;
use std::time::Duration;

use conclave_agora::webhooks::{WebhookSettings, guarded};
use conclave_core::event::Actor;
use conclave_core::model::Body;
use conclave_core::ports::{Groups, GroupsExt};
use conclave_core::refusal::Refusal;
use conclave_kit::Post;
use conclave_tests::house::credentials as of;
use conclave_tests::ledger::callbacks::Sample;
use conclave_tests::vendor::Sections as _;
use conclave_tests::world::World;
use futures_util::{SinkExt as _, StreamExt as _};
use md5::{Digest as _, Md5};
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::app::{Answer, App};
use crate::asking::{Server, Unread, by, said, say, street, unread, vetoed};
use crate::connections::{Socket, come};
use crate::house::{BackEnd, gateway};
use crate::samples::is_as;

async fn house(says: Value, refuse: bool) -> (World, Arc<Server>, Arc<dyn Groups>) {
    let (world, server) = street(says).await;
    let groups = behind(&server, world.groups.clone(), refuse);
    (world, server, groups)
}

fn behind(server: &Arc<Server>, groups: Arc<dyn Groups>, refuse: bool) -> Arc<dyn Groups> {
    let credentials = conclave_agora::Credentials {
        org: of::ORG.to_owned(),
        app: of::APP.to_owned(),
        client_id: of::CLIENT_ID.to_owned(),
        client_secret: of::CLIENT_SECRET.to_owned(),
        app_id: None,
        app_certificate: None,
    };
    let hooks = WebhookSettings {
        pre_url: Some("https://app.example.com/".to_owned()),
        pre_refuse: refuse,
        secret: "secret123".into(),
        ..WebhookSettings::default()
    };
    let post: Arc<dyn Post> = server.clone();
    let settings = conclave_agora::Settings::default();
    guarded(groups, (&credentials, &settings), &hooks, &post)
}

#[tokio::test]
async fn a_message_is_asked_about_as_documented_and_keeps_its_id() {
    let sample = &Sample::all("agora")["message-pre"];
    let (world, server, groups) = house(sample.answer.clone().unwrap(), false).await;
    let posted = groups.run(&by("ben"), say("ben", "rr")).await.unwrap();
    let asked = server.asked.lock().unwrap().clone();
    let [body] = &asked[..] else { panic!("{asked:?}") };
    assert!(is_as(body, sample), "{body} is not asked as documented: {}", sample.body);
    assert_eq!(body["msg_id"], posted.message.id.as_str());
    assert_eq!(said(&world).await[0].id, posted.message.id);
    let signed = format!("{}secret123{}", body["callId"].as_str().unwrap(), body["timestamp"]);
    assert_eq!(body["security"], hex::encode(Md5::digest(signed.as_bytes())));
    let notice = json!({"name": "pre-delivery", "query": {}, "body": body});
    insta::assert_json_snapshot!("pre-delivery", json!([{ "sent": { "agora": [notice] } }]), {
        "[].sent.agora[].body.callId" => "[id]",
        "[].sent.agora[].body.msg_id" => "[id]",
        "[].sent.agora[].body.security" => "[signature]",
    });
}

#[tokio::test]
async fn a_refused_message_is_not_there() {
    for (says, words) in [
        (json!({"valid": false, "code": "no swearing"}), "no swearing"),
        (json!({"valid": false, "code": 17}), "17"),
        (json!({"valid": false}), ""),
        (json!({"valid": false, "code": "no", "payload": ""}), "no"),
        (json!({"valid": false, "code": "no", "payload": {"bodies": {}, "ext": []}}), "no"),
    ] {
        let (world, _, groups) = house(says, false).await;
        assert_eq!(groups.run(&by("ben"), say("ben", "damn")).await.map(drop), Err(vetoed(None, words)));
        assert_eq!(said(&world).await.len(), 0);
    }
}

#[tokio::test]
async fn another_payload_is_delivered_in_every_vendors_words() {
    let payload = json!({"ext": {"seen": 1}, "bodies": [{"type": "txt", "msg": "darn"}]});
    let (world, _, groups) = house(json!({"valid": true, "payload": payload}), false).await;
    groups.run(&by("ben"), say("ben", "damn")).await.unwrap();
    let kept = &said(&world).await[0];
    assert_eq!(kept.body, Body::Text("darn".to_owned()));
    let labels: Vec<(&str, &str)> = kept.labels.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(labels, [("agora.ext", "{\"seen\":1}"), ("rong.pushContent", "ping")]);
}

#[tokio::test]
async fn one_half_of_a_payload_that_cannot_be_used_leaves_the_other() {
    let payload = json!({"ext": "", "bodies": [{"type": "txt", "msg": "darn"}]});
    let (world, _, groups) = house(json!({"valid": true, "payload": payload}), false).await;
    groups.run(&by("ben"), say("ben", "damn")).await.unwrap();
    assert_eq!(said(&world).await[0].body, Body::Text("darn".to_owned()));
}

#[tokio::test]
async fn nobody_comes_past_the_app_while_nothing_can_be_read() {
    let (world, server) = street(json!({"valid": false})).await;
    let groups = behind(&server, Arc::new(Unread(world.groups.clone())), false);
    assert_eq!(groups.run(&by("ben"), say("ben", "damn")).await.map(drop), Err(unread()));
    assert_eq!((said(&world).await.len(), server.asked.lock().unwrap().len()), (0, 0));
}

#[tokio::test]
async fn answers_that_cannot_be_used_count_as_the_app_is_set_up() {
    for says in [
        json!("what"),
        json!({"valid": "yes"}),
        json!({"valid": true, "payload": {"bodies": [{"type": "tune", "msg": "la"}]}}),
        json!({"valid": true, "payload": {"bodies": []}}),
        json!({"valid": true, "payload": {"bodies": {"type": "txt", "msg": "la"}}}),
        json!({"valid": true, "payload": {"ext": "seen"}}),
        json!({"valid": true, "payload": []}),
    ] {
        let (world, _, groups) = house(says.clone(), false).await;
        groups.run(&by("ben"), say("ben", "hi")).await.unwrap();
        assert_eq!(said(&world).await[0].body, Body::Text("hi".to_owned()), "{says}");
        let (world, _, groups) = house(says.clone(), true).await;
        assert_eq!(groups.run(&by("ben"), say("ben", "hi")).await.map(drop), Err(vetoed(None, "")), "{says}");
        assert_eq!(said(&world).await.len(), 0, "{says}");
    }
}

#[tokio::test]
async fn neither_non_members_nor_the_app_are_asked_about() {
    let (world, server, groups) = house(json!({"valid": false}), true).await;
    let stranger = groups.run(&by("cy"), say("cy", "hi")).await;
    assert!(matches!(stranger, Err(Refusal::NotMembers { .. })), "{stranger:?}");
    groups.run(&Actor::app(), say("ben", "hi")).await.unwrap();
    assert_eq!((said(&world).await.len(), server.asked.lock().unwrap().len()), (1, 0));
}

/// A client of `RongCloud` sends a message to the group "g": returns the status.
async fn says(socket: &mut Socket, text: &str) -> u16 {
    let content = format!("{{\"content\":\"{text}\"}}");
    let mut frame = vec![0x32];
    for text in ["pgMsgP", "g"] {
        frame.extend_from_slice(&u16::try_from(text.len()).unwrap().to_be_bytes());
        frame.extend_from_slice(text.as_bytes());
    }
    // number 9; then flags, type and content
    frame.extend_from_slice(&[0, 9, 0x08, 3]);
    for (field, text) in [(0x12, "RC:TxtMsg"), (0x1a, &*content)] {
        frame.extend_from_slice(&[field, u8::try_from(text.len()).unwrap()]);
        frame.extend_from_slice(text.as_bytes());
    }
    socket.send(Message::Binary(frame.into())).await.unwrap();
    loop {
        match timeout(Duration::from_secs(10), socket.next()).await.unwrap() {
            // the reply to number 9: its time, and the status
            Some(Ok(Message::Binary(frame))) if frame[0] >> 4 == 4 => return u16::from_be_bytes([frame[7], frame[8]]),
            Some(Ok(_)) => {}
            other => panic!("no answer: {other:?}"),
        }
    }
}

#[tokio::test]
async fn clients_of_any_vendor_are_asked_about_over_the_wire() {
    let app = App::answering(|request, _| {
        let text = request.body.to_string();
        let answer = match request.path.as_str() {
            "/pre" => json!({"valid": !text.contains("bad for agora"), "code": "no"}),
            _ => json!({"ErrorCode": u32::from(text.contains("bad for tencent"))}),
        };
        Answer::of(200).saying(answer.to_string())
    })
    .await;
    let gateway = gateway(|config| {
        let realm = &mut config.realms[0];
        realm.agora().webhooks.pre_url = Some(app.url("/pre"));
        realm.agora().webhooks.secret = crate::house::SECRET.into();
        realm.agora().webhooks.pre_timeout_ms = 5000;
        realm.agora().webhooks.allow_private = true;
    })
    .await;
    let back_end = BackEnd::of(&gateway);
    back_end.call("/group/create.json", "userId=alice&groupId=g&groupName=g").await;
    let mut alice = come(&gateway, "alice").await;
    assert_eq!(says(&mut alice, "fine").await, 0);
    assert_eq!(says(&mut alice, "bad for agora").await, 25405);
    assert_eq!(says(&mut alice, "bad for tencent").await, 0, "who is not named is not asked");
    assert_eq!(app.requests().len(), 3);
    assert!(gateway.shutdown().await);

    let gateway = crate::house::gateway(|config| {
        let realm = &mut config.realms[0];
        realm.agora().webhooks.pre_url = Some(app.url("/pre"));
        realm.agora().webhooks.secret = crate::house::SECRET.into();
        realm.agora().webhooks.pre_timeout_ms = 5000;
        realm.agora().webhooks.allow_private = true;
        realm.tencent().webhooks.url = Some(app.url("/im"));
        realm.tencent().webhooks.allow_private = true;
        realm.tencent().webhooks.commands = vec!["Group.CallbackBeforeSendMsg".to_owned()];
    })
    .await;
    let back_end = BackEnd::of(&gateway);
    back_end.call("/group/create.json", "userId=alice&groupId=g&groupName=g").await;
    let mut alice = come(&gateway, "alice").await;
    for (text, status) in [("fine", 0), ("bad for agora", 25405), ("bad for tencent", 25405)] {
        assert_eq!(says(&mut alice, text).await, status, "{text}");
    }
    assert!(gateway.shutdown().await);
}
