//! Tests of the engine by bytes: recorded frames, decoded and encoded again; and invalid input.

mod bounds;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use conclave_core::engine::Engine;
use conclave_core::event::{Actor, ProfileChange};
use conclave_core::memory::Memory;
use conclave_core::model::{Body, GroupId, Millis, Policy, Sender, Settings as Limits, UserId};
use conclave_core::operation::{
    ChangeMessage, CreateGroup, ExtensionChange, NewMember, SendMessage, SpeakCheck, UpdateGroup, WriteExtensions,
};
use conclave_core::ports::{Clock, GroupsExt as _, Mint};
use conclave_core::query::{Messages, Start};
use conclave_kit::{ClientProtocol as _, Frame, Nobody, OpenRequest, TestSession};
use prost::Message;
use serde_json::json;

use super::frame::{self, Incoming, LONGEST, Mode};
use super::session::RongSession;
use super::topics;
use super::wire::{
    ChannelEventData, ChannelsInput, ChannelsMemberResponseInput, ChannelsMemberUpdateInput, ChannelsMembersInput,
    ChannelsOutput, ChannelsQueryInput, DownStreamMessages, EventChange, EventChangeList, HistoryMsgInput,
    HistoryMsgOuput, MessageQueryInfo, ModifyChannelsInput, ModifyMsgResp, MsgChangeReq, MsgQuery, MsgQueryAck,
    MultiChannels, NotifyMsg, ProfileInfo, PullModifyMsgReq, PullModifyMsgResp, QueryMsgChange, RelationDelBatchReq,
    RelationQryInput, SyncRequestMsg, UpStreamMessage,
};
use crate::dialect::message;
use crate::{Credentials, Rong, RongRealm, Settings};

/// The recorded frames by name, with their sender.
fn captured() -> Vec<(String, String, Bytes)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/rong/socket");
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let read: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            let bytes = hex::decode(read["hex"].as_str().unwrap()).unwrap();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, read["sender"].as_str().unwrap().to_owned(), Bytes::from(bytes))
        })
        .collect();
    found.sort();
    found
}

/// The same message, decoded and encoded again.
fn again<M: Message + Default>(body: &[u8]) -> Vec<u8> {
    M::decode(body).unwrap().encode_to_vec()
}

/// A time in whole seconds, as in frames.
fn seconds(bytes: &[u8]) -> Millis {
    Millis::from_seconds(u64::from(u32::from_be_bytes(bytes.try_into().unwrap())))
}

#[test]
fn what_servers_send_is_written_as_it_was_captured() {
    for (name, sender, bytes) in captured() {
        if sender != "server" {
            continue;
        }
        let number = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
        let written: Bytes = match name.as_str() {
            "connack.v3" => {
                let session = std::str::from_utf8(&bytes[12..48]).unwrap();
                frame::accepted(3, "alice", session, Millis(1_795_291_198_725))
            }
            "disconnect.kicked" => frame::disconnect(1),
            "pong" => frame::pong(),
            "puback.pgMsgP" => {
                let at = seconds(&bytes[3..7]).plus(63);
                frame::published(13, at, 0, "B54B-8002-5427-BE12")
            }
            "publish.s_cmd" | "publish.s_ntf" => {
                let (topic, id) = if name.ends_with("s_cmd") { ("s_cmd", 1) } else { ("s_ntf", 4) };
                let body = again::<NotifyMsg>(&bytes[21..]);
                frame::publish(Mode::Confirmed, seconds(&bytes[1..5]), topic, "alice", id, &body)
            }
            "event.follow" | "event.remark" => again::<EventChange>(&bytes).into(),
            _ => {
                let body = match name.as_str() {
                    "queryack.channelMemJoin.waiting" => again::<ChannelsOutput>(&bytes[9..]),
                    "queryack.pullEventChange" => again::<EventChangeList>(&bytes[9..]),
                    "queryack.pullMsg" => again::<DownStreamMessages>(&bytes[9..]),
                    "queryack.refused" => Vec::new(),
                    other => panic!("{other} is not looked at"),
                };
                frame::answered(number(1), seconds(&bytes[3..7]), number(7), &body)
            }
        };
        assert_eq!(hex::encode(written), hex::encode(&bytes), "{name}");
    }
}

struct Stopped(AtomicU64);

impl Clock for Stopped {
    fn now(&self) -> Millis {
        Millis(1_795_291_200_000)
    }
}

impl Mint for Stopped {
    fn bits(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

/// A session of alice.
async fn session() -> TestSession<RongSession> {
    house().await.1
}

/// The groups, and a session of alice.
async fn house() -> (Arc<Engine>, TestSession<RongSession>) {
    let stopped = Arc::new(Stopped(AtomicU64::new(1)));
    let store = Arc::new(Memory::new());
    let groups = Arc::new(Engine::new(store, stopped.clone(), stopped, Limits::default()));
    let credentials = Credentials { app_key: "key".to_owned(), app_secret: "secret-of-test".to_owned() };
    let realm = RongRealm {
        name: "test".to_owned(),
        credentials,
        settings: Settings::default(),
        groups: groups.clone(),
        log: groups.clone(),
        presence: Arc::new(Nobody),
    };
    let rong = Rong::new(vec![realm]).unwrap();
    let users = ["alice", "bob"].map(|id| conclave_core::operation::NewUser::of(UserId::new(id).unwrap()));
    let register = conclave_core::operation::RegisterUsers {
        users: users.into(),
        on_existing: conclave_core::operation::OnExisting::Skip,
        folded: false,
    };
    conclave_core::ports::GroupsExt::run(&*groups, &conclave_core::event::Actor::app(), register).await.unwrap();
    let app = rong.app("key").unwrap();
    let token = app.tokens.issue(&UserId::new("alice").unwrap(), conclave_core::ports::Groups::now(&*groups));
    let uri = format!("/websocket?appId=key&token={token}&protocolVer=3&deviceId=phone");
    let (parts, ()) = http::Request::builder().uri(uri).body(()).unwrap().into_parts();
    let request = OpenRequest { endpoint: "websocket", parts: &parts, connection: "c", peer: None };
    let (session, hello) = TestSession::open(rong.clients.open(&request)).await;
    assert_eq!(&hello[0].bytes()[..10], b"\x20\x00\x00\x00\x05alice");
    (groups, session)
}

/// A frame with a header as clients write it.
fn framed(first: u8, topic: &str, target: &str, body: &[u8]) -> Bytes {
    let mut bytes = vec![first];
    for text in [topic, target] {
        bytes.extend_from_slice(&u16::try_from(text.len()).unwrap().to_be_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes.extend_from_slice(&[0, 9]);
    bytes.extend_from_slice(body);
    bytes.into()
}

/// The replies.
async fn said(session: &mut TestSession<RongSession>, frame: Bytes) -> Vec<Bytes> {
    session.receive(Frame::Binary(frame)).await.into_iter().map(Frame::into_bytes).collect()
}

#[tokio::test]
async fn what_clients_send_is_answered() {
    let frames: Vec<_> = captured().into_iter().filter(|(_, sender, _)| sender == "client").collect();
    let mut session = session().await;
    // those about the group come after its creation; bob is kicked last
    let order = |name: &str| match name {
        "query.channelCreate" => 0,
        "query.channelMemKick" => 2,
        _ => 1,
    };
    let mut ordered = frames;
    ordered.sort_by_key(|(name, ..)| order(name));
    for (name, _, mut bytes) in ordered {
        if name == "query.channelCreate" {
            // it has a field that is not configured for this app: refused by its key, and accepted without it
            let answers = said(&mut session, bytes.clone()).await;
            let refusal = ChannelsOutput::decode(&answers[0][9..]).unwrap();
            assert_eq!(
                (u16::from_be_bytes([answers[0][7], answers[0][8]]), &*refusal.censor_failed_fields[0]),
                (25415, "category")
            );
            let mut asked = ChannelsInput::decode(&bytes[22..]).unwrap();
            asked.ext_profile.clear();
            bytes = [&bytes[..22], &asked.encode_to_vec()].concat().into();
        }
        let answers = said(&mut session, bytes.clone()).await;
        match Incoming::decode(&bytes).unwrap() {
            Incoming::Ping => assert_eq!(answers, [frame::pong()]),
            Incoming::Confirmed(_) => assert!(answers.is_empty()),
            // the session has ended, but the test continues
            Incoming::Disconnect(status) => assert_eq!((status, answers.len()), (4, 0)),
            Incoming::Publish(request) => {
                assert_eq!((&*request.topic, &*request.target), ("pgMsgP", "g1"));
                let status = u16::from_be_bytes([answers[0][7], answers[0][8]]);
                assert_eq!((answers[0][0], &answers[0][1..3], status), (0x40, &request.id.to_be_bytes()[..], 0));
            }
            Incoming::Query(request) => {
                assert_eq!(answers.len(), 1, "{name}");
                let status = u16::from_be_bytes([answers[0][7], answers[0][8]]);
                assert_eq!((answers[0][0], &answers[0][1..3]), (0x62, &request.id.to_be_bytes()[..]), "{name}");
                assert_eq!(status, 0, "{name}");
            }
        }
    }
}

#[tokio::test]
async fn history_tells_a_message_as_it_is_now() {
    let (groups, mut session) = house().await;
    let (app, group) = (Actor::app(), GroupId::new("g1").unwrap());
    let alice = UserId::new("alice").unwrap();
    let create = CreateGroup { id: Some(group.clone()), ..CreateGroup::new(Some(alice.clone()), Policy::standard()) };
    groups.run(&app, create).await.unwrap();
    let up = UpStreamMessage {
        session_id: 67,
        classname: "RC:TxtMsg".to_owned(),
        content: r#"{"content":"vote","extra":"x"}"#.to_owned(),
        extra_content: Some(r#"{"alice":{"v":"yes"}}"#.to_owned()),
        ..UpStreamMessage::default()
    };
    said(&mut session, framed(0x32, "pgMsgP", "g1", &up.encode_to_vec())).await;
    let asked = HistoryMsgInput { target_id: Some("g1".to_owned()), count: Some(5), ..HistoryMsgInput::default() };
    let replies = async |session: &mut TestSession<RongSession>| {
        let answers = said(session, framed(0x50, "qryGMsg", "alice", &asked.encode_to_vec())).await;
        let sent = HistoryMsgOuput::decode(&answers[0][9..]).unwrap().list.remove(0);
        (sent.content, sent.extra_content.unwrap_or_default(), sent.ext_status)
    };
    let vote = (up.content.clone(), r#"{"alice":{"v":"yes"}}"#.to_owned(), None);
    assert_eq!(replies(&mut session).await, vote);
    let changes = ["alice", "bob"].map(|key| ExtensionChange {
        key: key.to_owned(),
        value: (key == "bob").then(|| "no".to_owned()),
        seen: None,
    });
    let extend = WriteExtensions {
        group: group.clone(),
        sequence: 1,
        clear: false,
        changes: changes.into(),
        most: None,
        check: SpeakCheck::Skipped,
    };
    groups.run(&app, extend).await.unwrap();
    let body = Some(Body::Text("vote again".to_owned()));
    groups.run(&app, ChangeMessage { group, sequence: 1, body, labels: BTreeMap::new(), edits: None }).await.unwrap();
    let now = (r#"{"content":"vote again"}"#.to_owned(), r#"{"bob":{"v":"no"}}"#.to_owned(), Some(4));
    assert_eq!(replies(&mut session).await, now);

    // and a client that is connected fetches the extensions as notices, and the message again
    let asked = SyncRequestMsg { sync_time: 1_795_291_199_999, ..SyncRequestMsg::default() };
    let answers = said(&mut session, framed(0x50, "pullMsg", "alice", &asked.encode_to_vec())).await;
    let notices = DownStreamMessages::decode(&answers[0][9..]).unwrap().list;
    let notices: Vec<(&str, serde_json::Value)> = notices
        .iter()
        .filter(|notice| notice.classname != "RC:TxtMsg")
        .map(|notice| (&*notice.classname, serde_json::from_str(&notice.content).unwrap()))
        .collect();
    let mid = &notices[0].1["mid"];
    let expected = [json!({"mid": mid, "put": {"bob": "no"}}), json!({"mid": mid, "del": ["alice"]})];
    assert_eq!(notices, expected.map(|content| ("RC:MsgExMsg", content)));
    let asked = PullModifyMsgReq { pull_version: Some(1_795_291_199_999) };
    let answers = said(&mut session, framed(0x50, "pullModifyMsg", "alice", &asked.encode_to_vec())).await;
    let edits = PullModifyMsgResp::decode(&answers[0][9..]).unwrap();
    assert_eq!((edits.msg.len(), edits.msg[0].modify_type, edits.finished), (1, Some(1), Some(true)));
    let edited = edits.msg[0].msg.as_ref().unwrap();
    assert_eq!((&*edited.content, edited.ext_status), (r#"{"content":"vote again"}"#, Some(4)));
    assert_eq!(mid, edited.msg_id.as_deref().unwrap());
    let asked = PullModifyMsgReq { pull_version: edits.next_version };
    let answers = said(&mut session, framed(0x50, "pullModifyMsg", "alice", &asked.encode_to_vec())).await;
    assert!(PullModifyMsgResp::decode(&answers[0][9..]).unwrap().msg.is_empty());
}

#[tokio::test]
async fn senders_edit_their_own_messages() {
    let (groups, mut session) = house().await;
    let group = GroupId::new("g1").unwrap();
    let [alice, bob] = ["alice", "bob"].map(|id| UserId::new(id).unwrap());
    let create = CreateGroup {
        id: Some(group.clone()),
        members: vec![NewMember::now(bob.clone())],
        ..CreateGroup::new(Some(alice.clone()), Policy::standard())
    };
    groups.run(&Actor::app(), create).await.unwrap();
    let mut uids = Vec::new();
    for sender in [&alice, &bob] {
        let body = Body::Text("before".to_owned());
        let sent = SendMessage::new(group.clone(), Sender::User(sender.clone()), body);
        uids.push(message::uid(&groups.run(&Actor::user(sender.clone()), sent).await.unwrap().message.id));
    }
    let mut edit = async |uid: &str, to: &str, content: &str| {
        let asked = MsgChangeReq {
            from_user_id: String::new(),
            target_id: to.to_owned(),
            kind: 3,
            msg_uid: uid.to_owned(),
            msg_time: 0,
            bus_channel: None,
            content: Some(content.to_owned()),
        };
        let answers = said(&mut session, framed(0x50, "modifyMsg", "alice", &asked.encode_to_vec())).await;
        let status = u16::from_be_bytes([answers[0][7], answers[0][8]]);
        (status, ModifyMsgResp::decode(&answers[0][9..]).unwrap().msg.map(|edited| edited.content))
    };
    let after = r#"{"content":"after"}"#;
    assert_eq!(edit(&uids[0], "g1", after).await, (0, Some(after.to_owned())));
    // another's, of another group, without content, and one that is not there
    for (uid, to, content) in
        [(&*uids[1], "g1", after), (&uids[0], "g2", after), (&uids[0], "g1", ""), ("x", "g1", after)]
    {
        assert_eq!(edit(uid, to, content).await, (20116, None), "{uid} {to} {content}");
    }
    let page = Messages { group, start: Start::Edge, newest_first: false, limit: 9 };
    let bodies = groups.ask(&Actor::app(), page).await.unwrap().messages;
    let bodies: Vec<&Body> = bodies.iter().map(|message| &message.body).collect();
    assert_eq!(bodies, [&Body::Text("after".to_owned()), &Body::Text("before".to_owned())]);
}

/// A message for certain members is never one for all, even if nobody can have these ids.
#[tokio::test]
async fn a_message_for_nobody_is_not_for_everybody() {
    let (groups, mut session) = house().await;
    let group = GroupId::new("g1").unwrap();
    let [alice, bob] = ["alice", "bob"].map(|id| UserId::new(id).unwrap());
    let create = CreateGroup {
        id: Some(group.clone()),
        members: vec![NewMember::now(bob)],
        ..CreateGroup::new(Some(alice), Policy::standard())
    };
    groups.run(&Actor::app(), create).await.unwrap();
    let too_long = "x".repeat(300);
    for to in [vec![""], vec![&too_long], vec!["", &too_long], vec!["nobody"]] {
        let sent = UpStreamMessage {
            session_id: 3,
            classname: "RC:TxtMsg".to_owned(),
            content: r#"{"content":"secret"}"#.to_owned(),
            to_user_ids: to.iter().map(|id| (*id).to_owned()).collect(),
            ..UpStreamMessage::default()
        };
        let answers = said(&mut session, framed(0x32, "pgMsgP", "g1", &sent.encode_to_vec())).await;
        assert_eq!(answers.len(), 1, "{to:?}");
        let page = Messages { group: group.clone(), start: Start::Edge, newest_first: false, limit: 9 };
        assert_eq!(groups.ask(&Actor::app(), page).await.unwrap().messages.len(), 0, "{to:?}");
    }
}

#[tokio::test]
async fn changes_of_one_call_are_one_change_and_those_of_two_are_two() {
    let update = |name: Option<&str>, announcement: Option<&str>| UpdateGroup {
        profile: ProfileChange { name: name.map(str::to_owned), ..ProfileChange::default() },
        announcement: announcement.map(str::to_owned),
        ..UpdateGroup::of(GroupId::new("g1").unwrap())
    };
    // the clock does not advance: only the log distinguishes these calls
    for (operations, expected) in [
        (vec![update(Some("a"), None), update(None, Some("b"))], vec!["name=a", "announcement=b"]),
        (vec![update(Some("a"), Some("b"))], vec!["name=a announcement=b"]),
    ] {
        let (groups, mut session) = house().await;
        let alice = UserId::new("alice").unwrap();
        let create = CreateGroup {
            id: Some(GroupId::new("g1").unwrap()),
            ..CreateGroup::new(Some(alice.clone()), Policy::standard())
        };
        groups.run(&Actor::app(), create).await.unwrap();
        for operation in operations {
            groups.run(&Actor::user(alice.clone()), operation).await.unwrap();
        }
        let asked = QueryMsgChange { sync_time: 1 };
        let answers = said(&mut session, framed(0x50, "pullEventChange", "alice", &asked.encode_to_vec())).await;
        let changes = EventChangeList::decode(&answers[0][9..]).unwrap().list;
        let profiles = changes.iter().filter(|change| change.change_type == Some(12));
        let shown = profiles.map(|change| {
            let data = ChannelEventData::decode(change.event_data.as_deref().unwrap()).unwrap();
            let pairs = data.channel_info.unwrap().setting_profile;
            let pairs = pairs.iter().map(|pair| format!("{}={}", pair.key(), pair.value()));
            pairs.collect::<Vec<_>>().join(" ")
        });
        assert_eq!(shown.collect::<Vec<_>>(), expected);
    }
}
