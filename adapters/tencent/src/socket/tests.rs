//! Recorded frames, and sessions without a gateway.

mod attacks;
mod polling;

use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use conclave_core::engine::Engine;
use conclave_core::event::{Actor, Event};
use conclave_core::memory::Memory;
use conclave_core::model::{Millis, Settings as Limits, UserId};
use conclave_core::operation::{DeleteUser, OwnedGroups, UpdateUser};
use conclave_core::ports::{Clock, GroupsExt as _, Log as _, Mint};
use conclave_kit::{
    Apps, CallOutcome, ClientProtocol as _, Device, DisconnectReason, ErrorClass, Frame, Nobody, OutFrame, Platform,
    TestSession, VendorCode, VendorError,
};
use flate2::read::GzDecoder;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::Clients;
use super::client::TencentSession;
use super::frame::{self, Request};
use super::login::Kept;
use super::session::{Encoding, SocketSession};
use crate::realm::App;
use crate::{Credentials, Settings, TencentRealm, user_sig};

const SDKAPPID: u32 = 1_400_000_001;
const KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const NOW: Millis = Millis(1_795_291_200_000);

/// The recorded frames by name, with their sender.
fn captured() -> Vec<(String, String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/tencent/socket");
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let read: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, read["sender"].as_str().unwrap().to_owned(), read["frame"].clone())
        })
        .collect();
    found.sort_by(|(one, ..), (other, ..)| one.cmp(other));
    found
}

fn captured_as(wanted: &str) -> Value {
    captured().into_iter().find(|(name, ..)| name == wanted).unwrap().2
}

#[test]
fn captured_requests_are_read() {
    for (name, sender, frame) in captured() {
        if sender == "client" {
            let request = Request::decode(frame.to_string().as_bytes()).unwrap();
            assert_eq!(request.head.servcmd, frame["head"]["servcmd"].as_str().unwrap(), "{name}");
            assert_eq!(json!(request.head.seq), frame["head"]["seq"], "{name}");
            assert_eq!(request.head.a2, frame["head"]["a2"].as_str().unwrap_or_default(), "{name}");
            assert_eq!(serde_json::from_slice::<Value>(&request.body).unwrap(), frame["body"], "{name}");
        }
    }
}

#[test]
fn captured_answers_and_pushes_are_written_so() {
    for (name, sender, captured) in captured() {
        if sender == "server" {
            let written = if name.starts_with("push") {
                let entry = captured["body"]["EventArray"][0].to_string();
                frame::push(captured["head"]["seq"].as_u64().unwrap(), &[entry.as_bytes()], None)
            } else {
                let request = Request::decode(captured.to_string().as_bytes()).unwrap();
                frame::answer(&request.head, &request.body)
            };
            assert_eq!(serde_json::from_slice::<Value>(&written).unwrap(), captured, "{name}");
        }
    }
}

struct Stopped(AtomicU64);

impl Clock for Stopped {
    fn now(&self) -> Millis {
        NOW
    }
}

impl Mint for Stopped {
    fn bits(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

struct House {
    engine: Arc<Engine>,
    app: Arc<App>,
    apps: Arc<Apps<u32, App>>,
}

/// Stores no files.
struct NoBlobs;

#[async_trait::async_trait]
impl conclave_kit::Blobs for NoBlobs {
    async fn put(
        &self,
        _: conclave_kit::ByteStream,
        most: u64,
    ) -> Result<conclave_kit::Stored, conclave_kit::BlobError> {
        Err(conclave_kit::BlobError::TooLarge { most })
    }

    async fn get(&self, _: &str) -> Result<Option<(u64, conclave_kit::ByteStream)>, conclave_kit::BlobError> {
        Ok(None)
    }

    async fn delete(&self, _: &str) -> Result<(), conclave_kit::BlobError> {
        Ok(())
    }
}

impl House {
    fn new() -> Self {
        let stopped = Arc::new(Stopped(AtomicU64::new(1)));
        let engine = Arc::new(Engine::new(Arc::new(Memory::new()), stopped.clone(), stopped, Limits::default()));
        let realm = TencentRealm {
            name: "test".to_owned(),
            credentials: Credentials {
                sdkappid: SDKAPPID,
                secret_key: KEY.to_owned(),
                admins: vec!["admin".to_owned()],
            },
            settings: Settings::default(),
            groups: engine.clone(),
            log: engine.clone(),
            blobs: Arc::new(NoBlobs),
            presence: Arc::new(Nobody),
        };
        let apps = Apps::new(|sdkappid: &u32| format!("app {sdkappid}"));
        apps.add("test", &SDKAPPID, App::new(realm, None).unwrap()).unwrap();
        Self { engine, app: apps.get(&SDKAPPID).unwrap(), apps: Arc::new(apps) }
    }

    async fn session(&self, device: &str) -> TestSession<TencentSession> {
        let device = Device::new(crate::VENDOR, device);
        let session = SocketSession::new(
            Some(Arc::clone(&self.app)),
            (device, Platform::Web),
            Encoding::Binary,
            "https://chat.example.com".into(),
        );
        let session = TencentSession::Socket(session);
        TestSession::open(session).await.0
    }

    /// A session of a user, and its key.
    async fn signed_in(&self, user: &str) -> (TestSession<TencentSession>, String) {
        let mut session = self.session(user).await;
        let answer = ask(&mut session, login(user)).await;
        assert_eq!(answer["body"]["ErrorCode"], 0, "{answer}");
        let key = answer["body"]["A2Key"].as_str().unwrap().to_owned();
        (session, key)
    }

    /// The pushes of the latest events, and their recipients.
    async fn facts_after(&self, sequence: u64) -> Vec<conclave_kit::Fact<super::facts::TencentFact>> {
        let clients = Clients::new(Arc::clone(&self.apps));
        let events: Vec<Arc<Event>> = self.engine.read(sequence, 100).await.unwrap();
        let mut facts = Vec::new();
        for event in &events {
            facts.extend(clients.project("test", event).await.unwrap());
        }
        facts
    }
}

/// A signature from an hour ago: older than any account here.
fn login(user: &str) -> Value {
    let signature = user_sig(SDKAPPID, KEY, user, NOW.seconds() - 3600, 86_400);
    json!({"head": {"servcmd": "im_open_status.wslogin", "seq": 7, "identifier": user, "usersig": signature}, "body": {}})
}

#[allow(clippy::needless_pass_by_value, reason = "bodies are written in place")]
fn command(key: &str, name: &str, body: Value) -> Value {
    json!({"head": {"servcmd": name, "seq": 8, "a2": key}, "body": body})
}

async fn ask(session: &mut TestSession<TencentSession>, request: Value) -> Value {
    let answers = said(session, request.to_string().into_bytes()).await;
    assert_eq!(answers.len(), 1, "{request} is answered {answers:?}");
    answers[0].clone()
}

async fn said(session: &mut TestSession<TencentSession>, frame: Vec<u8>) -> Vec<Value> {
    read(session.receive(Frame::binary(Bytes::from(frame))).await)
}

fn read(frames: Vec<Frame>) -> Vec<Value> {
    frames.into_iter().map(|frame| serde_json::from_slice(frame.bytes()).unwrap()).collect()
}

/// All paths of fields, without values.
fn fields(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(key, value)| fields(value, &format!("{path}.{key}"), found));
        }
        Value::Array(items) => items.iter().for_each(|item| fields(item, &format!("{path}[]"), found)),
        _ => found.push(path.to_owned()),
    }
}

fn sorted_fields(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    fields(value, "", &mut found);
    found.sort();
    found
}

/// There are many sessions, and most of them wait: what each takes of the heap for itself, beside its texts.
#[test]
fn an_idle_session_is_small() {
    assert!(size_of::<TencentSession>() <= 152, "{}", size_of::<TencentSession>());
    assert!(size_of::<Kept>() <= 80, "{}", size_of::<Kept>());
}

#[tokio::test]
async fn a_sign_in_is_answered_as_it_was_captured() {
    let house = House::new();
    let mut session = house.session("d1").await;
    let answer = ask(&mut session, login("alice")).await;
    assert_eq!(sorted_fields(&answer), sorted_fields(&captured_as("wslogin.answer")));
    assert_eq!(session.identity.as_ref().unwrap().user.as_str(), "alice");
    let (number, id) = (&answer["body"]["TinyId"], &answer["body"]["InstId"]);
    assert!(number.is_string() && id.as_u64().unwrap() > 0);
    // the account is younger than the signature, which is valid again
    assert_eq!(ask(&mut house.session("d2").await, login("alice")).await["body"]["ErrorCode"], 0);
}

#[tokio::test]
async fn requests_are_answered_by_their_key_whatever_their_connection() {
    let house = House::new();
    let (_, key) = house.signed_in("alice").await;
    let mut other = house.session("d2").await;
    let list =
        |key: &str| command(key, "group_open_http_svc.get_joined_group_list", json!({"Member_Account": "alice"}));
    assert_eq!(ask(&mut other, list(&key)).await["body"]["ErrorCode"], 0);
    assert_eq!(ask(&mut other, list("")).await["body"]["ErrorCode"], 70002);
    assert_eq!(ask(&mut other, list(&format!("{key}AA"))).await["body"]["ErrorCode"], 70001);
    // a key of somebody else's number is nobody's
    let mut mixed = list(&key);
    mixed["head"]["tinyid"] = json!("144115188075855873");
    assert_eq!(ask(&mut other, mixed).await["body"]["ErrorCode"], 70001);
    assert!(other.identity.is_none(), "nobody has signed in there");
}

#[tokio::test]
async fn a_key_ends_with_its_signature_and_with_its_account() {
    let house = House::new();
    let list =
        |key: &str| command(key, "group_open_http_svc.get_joined_group_list", json!({"Member_Account": "alice"}));
    let (session, key) = house.signed_in("alice").await;
    assert_eq!(session.recheck().await, None);
    let alice = UserId::new("alice").unwrap();
    let off = UpdateUser { active: Some(false), ..UpdateUser::of(alice.clone()) };
    house.engine.run(&Actor::app(), off).await.unwrap();
    assert_eq!(session.recheck().await, Some(DisconnectReason::Deactivated));
    assert_eq!(ask(&mut house.session("d2").await, list(&key)).await["body"]["ErrorCode"], 70051);
    let revoked = UpdateUser { active: Some(true), tokens_from: Some(NOW), ..UpdateUser::of(alice.clone()) };
    house.engine.run(&Actor::app(), revoked).await.unwrap();
    assert_eq!(session.recheck().await, Some(DisconnectReason::TokenExpired));
    assert_eq!(ask(&mut house.session("d2").await, list(&key)).await["body"]["ErrorCode"], 70001);
    let delete = DeleteUser { user: alice, owned: OwnedGroups::Disband };
    let _ = house.engine.run(&Actor::app(), delete).await;
    assert_eq!(ask(&mut house.session("d2").await, list(&key)).await["body"]["ErrorCode"], 70001);
}

#[tokio::test]
async fn heartbeats_are_answered_before_signing_in_and_unknown_commands_are_refused() {
    let house = House::new();
    let mut session = house.session("d1").await;
    assert_eq!(ask(&mut session, captured_as("alive")).await["body"]["ErrorCode"], 0);
    let (mut session, key) = house.signed_in("alice").await;
    assert_eq!(
        ask(&mut session, command(&key, "group_open_http_svc.nothing", json!({}))).await["body"]["ErrorCode"],
        10003
    );
    let only_for_apps = command(&key, "im_open_login_svc.kick", json!({"UserID": "bob"}));
    assert_ne!(ask(&mut session, only_for_apps).await["body"]["ErrorCode"], 0);
    let logout = json!({"head": {"servcmd": "im_open_status.wslogout", "seq": 9, "a2": key}, "body": {}});
    assert_eq!(ask(&mut session, logout).await["body"]["ErrorCode"], 0);
    assert!(session.identity.is_none());
}

#[tokio::test]
async fn refusals_are_counted_by_the_vendors_codes() {
    let house = House::new();
    let error = |number, class| CallOutcome::Error(VendorError { code: VendorCode::Number(number), class });
    let mut stranger = house.session("d1").await;
    let mut forged = login("alice");
    forged["head"]["usersig"] = login("bob")["head"]["usersig"].clone();
    let code = ask(&mut stranger, forged).await["body"]["ErrorCode"].as_u64().unwrap();
    let code = u32::try_from(code).unwrap();
    assert_eq!(stranger.counted, [error(code, ErrorClass::Unauthenticated)], "a failed sign-in");
    let (mut session, key) = house.signed_in("alice").await;
    assert_eq!(session.counted, [CallOutcome::Answered]);
    ask(&mut session, command(&key, "group_open_http_svc.nothing", json!({}))).await;
    assert_eq!(session.counted.last(), Some(&error(10003, ErrorClass::Refused)));
}

#[tokio::test]
async fn pushes_have_the_captured_fields() {
    let house = House::new();
    let (mut alice, key) = house.signed_in("alice").await;
    let (mut bob, _) = house.signed_in("bob").await;
    let before = house.engine.last().await.unwrap();
    let make =
        json!({"Type": "Public", "Name": "g-one", "Owner_Account": "alice", "MemberList": [{"Member_Account": "bob"}]});
    let made = ask(&mut alice, command(&key, "group_open_http_svc.create_group", make)).await;
    let mut captured = captured_as("push.added");
    captured["body"]["NeedAck"] = json!(1);
    let mut notices = Vec::new();
    for fact in house.facts_after(before).await {
        notices.extend(read(bob.deliver(&fact.content).await).into_iter().map(|push| (fact.to.users.clone(), push)));
    }
    let added =
        notices.iter().find(|(_, push)| push["body"]["EventArray"][0]["GroupTips"][0]["MsgBody"]["ReportType"] == 7);
    let (to, added) = added.unwrap();
    assert_eq!(to.iter().map(UserId::as_str).collect::<Vec<_>>(), ["bob"]);
    assert_eq!(sorted_fields(added), sorted_fields(&captured));
    assert_eq!(added["body"]["EventArray"][0]["GroupTips"][0]["GroupInfo"]["To_Account"], "bob");

    let before = house.engine.last().await.unwrap();
    let change = json!({"GroupId": made["body"]["GroupId"], "Name": "g-two"});
    let mut change = command(&key, "group_open_http_svc.modify_group_base_info", change);
    change["head"]["seq"] = json!(9);
    assert_eq!(ask(&mut alice, change).await["body"]["ErrorCode"], 0);
    let facts = house.facts_after(before).await;
    assert_eq!(facts.len(), 1);
    let tip = read(bob.deliver(&facts[0].content).await).remove(0);
    assert_eq!(sorted_fields(&tip), sorted_fields(&captured_as("push.profile")));
    assert_eq!(tip["body"]["EventArray"][0]["Event"], 4);
    assert_eq!(
        tip["body"]["EventArray"][0]["GroupTips"][0]["MsgBody"]["MsgGroupNewInfo"],
        json!({"GroupName": "g-two"})
    );
}

#[tokio::test]
async fn what_all_members_receive_is_encoded_once() {
    let house = House::new();
    let (mut alice, key) = house.signed_in("alice").await;
    let make = json!({"Type": "Public", "Name": "g-one", "Owner_Account": "alice"});
    let made = ask(&mut alice, command(&key, "group_open_http_svc.create_group", make)).await;
    let before = house.engine.last().await.unwrap();
    let mut change = command(
        &key,
        "group_open_http_svc.modify_group_base_info",
        json!({"GroupId": made["body"]["GroupId"], "Name": "g-two"}),
    );
    change["head"]["seq"] = json!(9);
    ask(&mut alice, change).await;
    let facts = house.facts_after(before).await;
    for encoding in [Encoding::Binary, Encoding::Compressed, Encoding::Text] {
        let first = facts[0].content.frame(&UserId::new("u0").unwrap(), encoding);
        let OutFrame::Shared(first) = first else { panic!("a tip is the same for all") };
        for number in 0..50_000 {
            let frame = facts[0].content.frame(&UserId::new(format!("u{number}")).unwrap(), encoding);
            assert!(matches!(frame, OutFrame::Shared(frame) if Arc::ptr_eq(&frame, &first)));
        }
        // this one, the fact's own, and none for any of the users
        assert_eq!(Arc::strong_count(&first), 2, "{encoding:?}");
    }
}

#[test]
fn long_frames_are_compressed_for_clients_that_take_it() {
    let short = Bytes::from_static(b"{}");
    assert_eq!(frame::compressed(short.clone()), short);
    let long = Bytes::from(json!({"text": "x".repeat(4000)}).to_string());
    let compressed = frame::compressed(long.clone());
    assert!(compressed.starts_with(b"COMP") && compressed.len() < long.len() / 10);
    let mut read = Vec::new();
    GzDecoder::new(&compressed[4..]).read_to_end(&mut read).unwrap();
    assert_eq!(read, long);
}

#[tokio::test]
async fn a_client_fetches_the_notices_that_it_has_missed() {
    let house = House::new();
    let (mut alice, key) = house.signed_in("alice").await;
    let (mut bob, bobs) = house.signed_in("bob").await;
    let make =
        json!({"Type": "Public", "Name": "g-one", "Owner_Account": "alice", "MemberList": [{"Member_Account": "bob"}]});
    let made = ask(&mut alice, command(&key, "group_open_http_svc.create_group", make)).await;
    let first = ask(&mut bob, command(&bobs, "openim.getmsg", json!({"Cookie": ""}))).await;
    let waited = &first["body"]["EventArray"][0]["GroupTips"][0]["MsgBody"]["ReportType"];
    assert_eq!((&first["body"]["SyncFlag"], waited), (&json!(2), &json!(7)), "from before its first command");
    let end = json!({"GroupId": made["body"]["GroupId"]});
    assert_eq!(ask(&mut alice, command(&key, "group_open_http_svc.destroy_group", end)).await["body"]["ErrorCode"], 0);
    let again = command(&bobs, "openim.getmsg", json!({"Cookie": first["body"]["Cookie"]}));
    let missed = ask(&mut bob, again.clone()).await;
    let notice = &missed["body"]["EventArray"][0]["GroupTips"][0];
    assert_eq!((&notice["MsgBody"]["ReportType"], &notice["To_Account"]), (&json!(5), &json!("bob")), "{missed}");
    // notices that were confirmed meanwhile are not returned again
    let confirmed = json!({"SessionData": missed["body"]["Cookie"]});
    ask(&mut bob, command(&bobs, "openim.ws_msg_push_ack", confirmed)).await;
    assert_eq!(ask(&mut bob, again).await["body"]["EventArray"], json!([]));
}

#[tokio::test]
async fn an_application_carries_the_apps_own_text() {
    let house = House::new();
    let (mut alice, key) = house.signed_in("alice").await;
    let (mut bob, bobs) = house.signed_in("bob").await;
    let make = json!({"Type": "Public", "Name": "g", "GroupId": "g", "Owner_Account": "alice", "ApplyJoinOption": "NeedPermission"});
    assert_eq!(ask(&mut alice, command(&key, "group_open_http_svc.create_group", make)).await["body"]["ErrorCode"], 0);
    let before = house.engine.last().await.unwrap();
    let apply = json!({"GroupId": "g", "ApplyMsg": "please", "UserDefinedField": "from the store"});
    let applied = ask(&mut bob, command(&bobs, "group_open_http_svc.apply_join_group", apply)).await;
    assert_eq!(applied["body"]["JoinedStatus"], "WaitAdminApproval");
    let facts = house.facts_after(before).await;
    let notice = read(alice.deliver(&facts[0].content).await).remove(0);
    let body = &notice["body"]["EventArray"][0]["GroupTips"][0]["MsgBody"];
    assert_eq!(
        (&body["ReportType"], &body["RemarkInfo"], &body["UserDefinedField"]),
        (&json!(1), &json!("please"), &json!("from the store"))
    );
}

#[tokio::test]
async fn users_who_may_not_stay_get_the_reason() {
    let house = House::new();
    for (reason, kind) in [(DisconnectReason::Replaced, 1), (DisconnectReason::ByApp, 3)] {
        let (mut session, _) = house.signed_in("alice").await;
        let sent = read(session.disconnect(reason).await);
        let notice = &sent[0]["body"]["EventArray"][0]["C2cNotifyMsgArray"][0]["KickoutMsgNotify"];
        assert_eq!((notice["KickType"].as_u64(), session.is_closed), (Some(kind), false), "{reason:?}");
    }
    let (mut session, _) = house.signed_in("alice").await;
    assert_eq!(
        read(session.disconnect(DisconnectReason::TokenExpired).await)[0]["head"]["servcmd"],
        "StatSvc.KickOther"
    );
    let (mut session, _) = house.signed_in("alice").await;
    assert!(session.disconnect(DisconnectReason::Reconnected).await.is_empty() && session.is_closed);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_passed_over(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Request::decode(&bytes);
    }

    #[test]
    fn a_garbled_request_is_answered_once_at_most(
        which in any::<prop::sample::Index>(),
        garbled in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let requests: Vec<Value> =
                captured().into_iter().filter(|(_, sender, _)| sender == "client").map(|(.., frame)| frame).collect();
            let mut bytes = which.get(&requests).to_string().into_bytes();
            for (at, value) in &garbled {
                let at = at.index(bytes.len());
                bytes[at] = *value;
            }
            let mut session = House::new().session("d1").await;
            assert!(said(&mut session, bytes).await.len() <= 1);
            // it still replies
            assert_eq!(ask(&mut session, captured_as("alive")).await["body"]["ErrorCode"], 0);
        });
    }
}
