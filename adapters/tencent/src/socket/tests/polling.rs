//! Clients that poll: their sign-in, their polls, and what they are pushed.

use bytes::Bytes;
use conclave_core::ports::Log as _;
use conclave_kit::{ClientProtocol as _, DisconnectReason, Frame, OpenRequest, PathPattern, TestSession, Transport};
use http::Request;
use serde_json::{Value, json};

use super::{House, KEY, NOW, SDKAPPID, ask, command};
use crate::auth::user_sig;
use crate::calls::{Visit, VisitorCommand};
use crate::socket::Clients;
use crate::socket::client::TencentSession;

impl House {
    /// The key of a client that polls.
    async fn polling_key(&self, user: &str) -> String {
        let signature = user_sig(SDKAPPID, KEY, user, NOW.seconds() - 3600, 86_400);
        let visit = Visit { app: &self.app, identifier: user, usersig: &signature, body: b"{\"State\":\"Online\"}" };
        let answer = VisitorCommand::at("/v4/openim/login").unwrap().run(&visit).await.unwrap().into_bytes();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(answer["ErrorCode"], 0, "{answer}");
        answer["A2Key"].as_str().unwrap().to_owned()
    }

    /// The session of a poll, and the name under which the gateway keeps it.
    fn poll(&self, key: &str) -> (String, TencentSession) {
        let clients = Clients::new(std::sync::Arc::clone(&self.apps));
        let uri = format!("/v4/openim/longpolling?sdkappid={SDKAPPID}&a2={key}&tinyid=");
        let (parts, ()) = Request::post(uri).body(()).unwrap().into_parts();
        let request = OpenRequest { endpoint: "longpolling", parts: &parts, connection: "c1", peer: None };
        let name = clients.poll_key(&request, &Bytes::new()).map_err(|refusal| refusal.status());
        (name.unwrap_or_default(), clients.open(&request))
    }
}

fn poll(notice: u64) -> Frame {
    Frame::text(json!({"Cookie": {"NotifySeq": 0, "NoticeSeq": notice, "LongPollingId": 7}}).to_string())
}

fn read(frames: &[Frame]) -> Vec<Value> {
    frames.iter().map(|frame| serde_json::from_slice(frame.bytes()).unwrap()).collect()
}

/// The kinds of notices in a response.
fn kinds(response: &Value) -> Vec<u64> {
    assert_eq!(response["ErrorCode"], 0, "{response}");
    let entries = response["EventArray"].as_array().unwrap().iter();
    entries.map(|entry| entry["GroupTips"][0]["MsgBody"]["ReportType"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn the_endpoint_is_behind_any_prefix() {
    let house = House::new();
    let clients = Clients::new(std::sync::Arc::clone(&house.apps));
    let endpoint = clients.endpoints().into_iter().find(|endpoint| endpoint.name == "longpolling").unwrap();
    assert!(matches!(endpoint.transport, Transport::LongPolling { .. }));
    assert_eq!(endpoint.path, PathPattern::EndsWith("/v4/openim/longpolling"));
}

#[tokio::test]
async fn a_poll_is_answered_by_what_is_pushed_and_in_the_end_by_nothing() {
    let house = House::new();
    house.signed_in("alice").await;
    let (mut alice, key) = house.signed_in("alice").await;
    let bobs = house.polling_key("bob").await;
    let (_, session) = house.poll(&bobs);
    let mut bob = TestSession::open(session).await.0;
    assert!(bob.receive(poll(0)).await.is_empty(), "nothing has happened");
    assert_eq!(bob.identity.as_ref().unwrap().user.as_str(), "bob");
    assert_eq!(
        read(&bob.wake().await),
        [json!({"ActionStatus": "OK", "ErrorInfo": "", "ErrorCode": 0, "EventArray": []})]
    );
    assert!(bob.wake().await.is_empty(), "no poll waits");

    let before = house.engine.last().await.unwrap();
    assert!(bob.receive(poll(0)).await.is_empty());
    let make = json!({"Type": "Public", "Name": "g", "GroupId": "g", "Owner_Account": "alice", "MemberList": [{"Member_Account": "bob"}]});
    assert_eq!(ask(&mut alice, command(&key, "group_open_http_svc.create_group", make)).await["body"]["ErrorCode"], 0);
    let mut pushed = Vec::new();
    for fact in house.facts_after(before).await {
        if fact.to.users.iter().any(|user| user.as_str() == "bob") {
            pushed.extend(read(&bob.deliver(&fact.content).await));
        }
    }
    assert_eq!(pushed.iter().flat_map(kinds).collect::<Vec<_>>(), [7]);
    assert_eq!(pushed[0]["EventArray"][0]["GroupTips"][0]["To_Account"], "bob");
}

#[tokio::test]
async fn notices_between_the_login_and_the_first_poll_are_not_lost_and_come_once() {
    let house = House::new();
    let (_, _) = house.signed_in("alice").await;
    let key = house.polling_key("bob").await;
    let create = |group: &str| {
        let json = json!({"Type": "Public", "Name": group, "GroupId": group, "Owner_Account": "alice", "MemberList": [{"Member_Account": "bob"}]});
        json
    };
    let (mut alice, alices) = house.signed_in("alice").await;
    let made = ask(&mut alice, command(&alices, "group_open_http_svc.create_group", create("one"))).await;
    assert_eq!(made["body"]["ErrorCode"], 0, "{made}");
    let (_, session) = house.poll(&key);
    let mut bob = TestSession::open(session).await.0;
    let first = read(&bob.receive(poll(0)).await);
    assert_eq!(kinds(&first[0]), [7]);
    let number = first[0]["EventArray"][0]["GroupTips"][0]["NoticeSeq"].as_u64().unwrap();
    // the session ends before the next poll: what was not confirmed comes again, what was does not
    let (_, again) = house.poll(&key);
    let mut bob = TestSession::open(again).await.0;
    assert_eq!(kinds(&read(&bob.receive(poll(0)).await)[0]), [7]);
    assert!(bob.receive(poll(number)).await.is_empty());
    let (_, last) = house.poll(&key);
    assert!(TestSession::open(last).await.0.receive(poll(number)).await.is_empty());
}

#[tokio::test]
async fn only_a_genuine_key_names_a_session() {
    let house = House::new();
    let (_, socket_key) = house.signed_in("alice").await;
    let key = house.polling_key("alice").await;
    let (name, session) = house.poll(&key);
    assert!(name.starts_with(&format!("{SDKAPPID}:")), "{name}");
    drop(session);
    let second = house.polling_key("alice").await;
    assert_ne!(house.poll(&second).0, name, "each login is a client of its own");
    // a key of a socket, a forged one, and none
    for key in [socket_key.as_str(), &format!("{key}AA"), &key[1..], ""] {
        let (name, session) = house.poll(key);
        assert_eq!(name, "", "{key}");
        let refused = read(&TestSession::open(session).await.0.receive(poll(0)).await);
        assert_eq!(refused[0]["ErrorCode"], 70001, "{key}");
    }
}

#[tokio::test]
async fn a_client_that_may_not_stay_gets_the_reason_with_its_poll() {
    let house = House::new();
    for (reason, code) in [
        (DisconnectReason::Replaced, Some(91101)),
        (DisconnectReason::ByApp, Some(91101)),
        (DisconnectReason::TokenExpired, Some(70001)),
        (DisconnectReason::Reconnected, None),
    ] {
        let key = house.polling_key("alice").await;
        let (_, session) = house.poll(&key);
        let mut alice = TestSession::open(session).await.0;
        assert!(alice.receive(poll(0)).await.is_empty());
        let sent = read(&alice.disconnect(reason).await);
        assert_eq!(sent.first().and_then(|sent| sent["ErrorCode"].as_u64()), code, "{reason:?}");
        assert!(alice.is_closed, "{reason:?}");
    }
}

#[tokio::test]
async fn a_poll_that_is_not_json_is_refused_and_the_session_lives_on() {
    let house = House::new();
    let key = house.polling_key("alice").await;
    let (_, session) = house.poll(&key);
    let mut alice = TestSession::open(session).await.0;
    for body in ["", "[]", "{\"Cookie\":7}", "\u{0}", "{\"Cookie\":{\"NoticeSeq\":-1}}"] {
        let refused = read(&alice.receive(Frame::text(body)).await);
        assert_eq!(refused[0]["ErrorCode"], 60003, "{body}");
    }
    assert!(alice.receive(poll(u64::MAX)).await.is_empty());
    assert!(alice.identity.is_some());
}
