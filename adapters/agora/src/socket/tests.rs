//! Tests of the engine by frames: what it sends for frames and events.

#![allow(clippy::unwrap_used, reason = "tests")]

mod frames;
mod hostile;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use conclave_core::engine::Engine;
use conclave_core::event::{Actor, ProfileChange};
use conclave_core::memory::Memory;
use conclave_core::model::{GroupId, Millis, Policy, Settings as Limits, UserId};
use conclave_core::operation::{CreateGroup, NewMember, NewUser, OnExisting, RegisterUsers, UpdateGroup};
use conclave_core::ports::{Clock, Groups as _, GroupsExt as _, Log, Mint};
use conclave_kit::{
    CallOutcome, ClientProtocol as _, DisconnectReason, ErrorClass, Frame, Nobody, OpenRequest, TestSession,
    VendorCode, VendorError,
};
use prost::Message;

use super::Apps;
use super::clients::Clients;
use super::news::KEY_BITS;
use super::session::AgoraSession;
use super::wire::*;
use crate::auth::{Claims, Subject};
use crate::realm::App;
use crate::{AgoraRealm, Credentials, Settings};

/// The bits of a key that number the item.
const ITEM: u64 = (1 << KEY_BITS) - 1;

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

struct NoBlobs;

/// Groups, and clients of an app.
struct House {
    groups: Arc<Engine>,
    app: Arc<App>,
    clients: Clients,
}

async fn house() -> House {
    let stopped = Arc::new(Stopped(AtomicU64::new(1)));
    let groups = Arc::new(Engine::new(Arc::new(Memory::new()), stopped.clone(), stopped, Limits::default()));
    let credentials = Credentials {
        org: "mockorg".to_owned(),
        app: "mockapp".to_owned(),
        client_id: "id".to_owned(),
        client_secret: "a-secret-of-the-tests-that-is-long-enough".to_owned(),
        app_id: None,
        app_certificate: None,
    };
    let realm = AgoraRealm {
        name: "test".to_owned(),
        credentials,
        settings: Settings::default(),
        groups: groups.clone(),
        log: groups.clone(),
        blobs: Arc::new(NoBlobs),
        presence: Arc::new(Nobody),
    };
    let apps = Apps::new();
    apps.add(App::new(realm).unwrap()).unwrap();
    let app = apps.of_realm("test").unwrap();
    let users = ["ann", "ben"].map(|id| NewUser::of(user(id)));
    let register = RegisterUsers { users: users.into(), on_existing: OnExisting::Skip, folded: false };
    groups.run(&Actor::app(), register).await.unwrap();
    let clients = Clients::new(Arc::new(apps));
    House { groups, app, clients }
}

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

fn user(id: &str) -> UserId {
    UserId::new(id).unwrap()
}

fn frame(command: i32, payload: &impl Message) -> Frame {
    let frame = MSync {
        version: Some(0),
        command: Some(command),
        payload: Some(payload.encode_to_vec().into()),
        ..MSync::default()
    };
    Frame::binary(frame.encode_to_vec())
}

/// A short description of a frame.
fn read(frame: &Frame) -> String {
    let frame = MSync::decode(frame.bytes().clone()).unwrap();
    let payload = frame.payload.unwrap_or_default();
    match frame.command.unwrap() {
        command::PROVISION => {
            let Provision { status, resource, .. } = Provision::decode(payload).unwrap();
            format!("provision {} {resource:?}", words(status))
        }
        command::UNREAD => {
            let unread = CommUnreadDl::decode(payload).unwrap().unread;
            let queue = |queue: &MetaQueue| format!("{}:{}", name(queue.queue.as_ref()), queue.n.unwrap());
            format!("unread [{}]", unread.iter().map(queue).collect::<Vec<_>>().join(" "))
        }
        command::NOTICE => format!("notice {}", name(CommNotice::decode(payload).unwrap().queue.as_ref())),
        command::SYNC => sync(&CommSyncDl::decode(payload).unwrap()),
        other => format!("command {other}"),
    }
}

fn sync(sync: &CommSyncDl) -> String {
    if let Some(id) = sync.meta_id {
        return format!("sent {id}: {}", words(sync.status.clone()));
    }
    let item = |meta: &Meta| match meta.ns.unwrap() {
        ns::MUC => {
            let body = MucBody::decode(meta.payload.clone().unwrap()).unwrap();
            format!("muc {} from {}", body.operation.unwrap(), name(body.from.as_ref()))
        }
        ns::STATISTIC => {
            let body = StatisticsBody::decode(meta.payload.clone().unwrap()).unwrap();
            format!("statistic {}", body.operation.unwrap())
        }
        _ => {
            let body = MessageBody::decode(meta.payload.clone().unwrap()).unwrap();
            format!(
                "message {} from {}",
                body.contents[0].text.as_deref().unwrap_or_default(),
                name(body.from.as_ref())
            )
        }
    };
    let items: Vec<String> = sync.metas.iter().map(item).collect();
    let key = sync.next_key.map(|key| format!(" key {}.{}", key >> KEY_BITS, key & ITEM)).unwrap_or_default();
    let last = if sync.is_last == Some(true) { " last" } else { "" };
    format!("{} [{}]{key}{last}", name(sync.queue.as_ref()), items.join(", "))
}

fn words(status: Option<Status>) -> String {
    let Status { error_code, reason } = status.unwrap();
    format!("{}{}", error_code.unwrap(), reason.map(|reason| format!(" {reason}")).unwrap_or_default())
}

fn name(jid: Option<&Jid>) -> &str {
    jid.and_then(|jid| jid.name.as_deref()).unwrap_or("-")
}

impl House {
    fn open(&self) -> AgoraSession {
        let (parts, ()) = http::Request::builder().uri("/websocket").body(()).unwrap().into_parts();
        self.clients.open(&OpenRequest { endpoint: "websocket", parts: &parts, connection: "c", peer: None })
    }

    fn provision(id: &str, token: &str, resource: &str) -> Frame {
        Self::provision_of("v5.1", id, token, resource)
    }

    /// The sign-in of an SDK with this version of the protocol.
    fn provision_of(action_version: &str, id: &str, token: &str, resource: &str) -> Frame {
        let guid = Jid {
            app_key: Some("mockorg#mockapp".to_owned()),
            name: Some(id.to_owned()),
            domain: Some("easemob.com".to_owned()),
            client_resource: Some(resource.to_owned()),
        };
        let provision = Provision {
            os_type: Some(16),
            resource: Some(resource.to_owned()),
            action_version: Some(action_version.to_owned()),
            ..Provision::default()
        };
        let frame = MSync {
            guid: Some(guid),
            auth: Some(format!("$t${token}")),
            command: Some(command::PROVISION),
            payload: Some(provision.encode_to_vec().into()),
            ..MSync::default()
        };
        Frame::binary(frame.encode_to_vec())
    }

    fn token(&self, id: &str) -> String {
        let now = self.groups.now();
        let subject = Subject::User(user(id));
        self.app.tokens.seal(&Claims { subject, issued: now, expires: Some(now.plus(60_000)), precise: true })
    }

    /// A signed-in session of this user.
    async fn session(&self, id: &str) -> TestSession<AgoraSession> {
        let (mut session, sent) = TestSession::open(self.open()).await;
        assert!(sent.is_empty());
        let sent = session.receive(Self::provision(id, &self.token(id), "phone")).await;
        assert_eq!(sent.iter().map(read).collect::<Vec<_>>(), [r#"provision 0 Some("phone")"#]);
        session
    }

    /// Delivers new events, to the sessions that the gateway would deliver them to.
    async fn deliver(&self, session: &mut TestSession<AgoraSession>, after: u64) -> Vec<String> {
        let mut sent = Vec::new();
        for event in Log::read(&*self.groups, after, 100).await.unwrap() {
            for fact in self.clients.project("test", &event).await.unwrap() {
                let me = &session.identity.as_ref().unwrap().user;
                let named = fact.to.members.is_some() || fact.to.users.contains(me);
                if named && !fact.to.except_users.contains(me) {
                    sent.extend(session.deliver(&fact.content).await.iter().map(read));
                }
            }
        }
        sent
    }

    async fn group(&self) -> GroupId {
        let id = GroupId::new("g").unwrap();
        let create = CreateGroup {
            id: Some(id.clone()),
            members: vec![NewMember::now(user("ben"))],
            ..CreateGroup::new(Some(user("ann")), Policy::standard())
        };
        self.groups.run(&Actor::app(), create).await.unwrap();
        id
    }

    async fn rename(&self, group: &GroupId, name: &str) {
        let profile = ProfileChange { name: Some(name.to_owned()), ..ProfileChange::default() };
        let update = UpdateGroup { profile, ..UpdateGroup::of(group.clone()) };
        self.groups.run(&Actor::app(), update).await.unwrap();
    }
}

fn queue(name: &str, group: bool, key: Option<u64>) -> Frame {
    let jid = Jid {
        app_key: Some("mockorg#mockapp".to_owned()),
        name: Some(name.to_owned()),
        domain: Some(if group { "conference.easemob.com" } else { "easemob.com" }.to_owned()),
        client_resource: None,
    };
    frame(command::SYNC, &CommSyncUl { queue: Some(jid), key, meta: None })
}

async fn answers(session: &mut TestSession<AgoraSession>, frame: Frame) -> Vec<String> {
    session.receive(frame).await.iter().map(read).collect()
}

fn unread() -> Frame {
    frame(command::UNREAD, &CommNotice::default())
}

fn statistics() -> Frame {
    let meta = Meta { id: Some(1), ns: Some(ns::STATISTIC), ..Meta::default() };
    frame(command::SYNC, &CommSyncUl { queue: None, key: None, meta: Some(meta) })
}

#[tokio::test]
async fn what_waits_is_read_and_what_comes_then_is_pushed() {
    let house = house().await;
    let group = house.group().await;
    let mut ben = house.session("ben").await;
    let waiting = answers(&mut ben, unread()).await;
    assert_eq!(waiting, ["unread [ben@easemob.com:1]"]);
    let read = answers(&mut ben, queue("ben@easemob.com", false, None)).await;
    assert_eq!(read.len(), 1, "{read:?}");
    assert!(read[0].starts_with("ben@easemob.com [muc 19 from @ppAdmin] key "), "{read:?}");
    let last = house.groups.last().await.unwrap();
    let key = (last << KEY_BITS) | ITEM;
    assert_eq!(answers(&mut ben, queue("ben@easemob.com", false, Some(key))).await, ["ben@easemob.com [] last"]);
    assert_eq!(house.deliver(&mut ben, 0).await, Vec::<String>::new(), "it has all of this");

    house.rename(&group, "one").await;
    house.rename(&group, "two").await;
    let pushed = house.deliver(&mut ben, last).await;
    let expected = [1, 2].map(|next| format!("g [muc 14 from @ppAdmin] key {}.1", last + next));
    assert_eq!(pushed, expected);
    assert_eq!(answers(&mut ben, queue("g", true, Some(((last + 1) << KEY_BITS) | 1))).await, Vec::<String>::new());
    assert_eq!(answers(&mut ben, queue("g", true, Some(((last + 2) << KEY_BITS) | 1))).await, ["g [] last"]);

    // another connection of the device has nothing to receive
    let mut again = house.session("ben").await;
    assert_eq!(answers(&mut again, unread()).await, ["unread []"]);
    // a connection that acknowledged nothing receives it again
    house.rename(&group, "three").await;
    assert_eq!(house.deliver(&mut again, last + 2).await, [format!("g [muc 14 from @ppAdmin] key {}.1", last + 3)]);
    let mut third = house.session("ben").await;
    assert_eq!(answers(&mut third, unread()).await, ["unread [g:1]"]);
    let read = answers(&mut third, queue("g", true, None)).await;
    assert_eq!(read, [format!("g [muc 14 from @ppAdmin] key {}.{ITEM}", last + 3)]);
}

#[tokio::test]
async fn who_is_not_let_in_learns_why_and_is_disconnected() {
    let house = house().await;
    for (id, token, expected) in [
        ("ann", house.token("ben"), "provision 1 Sorry, token or password does not match login info None"),
        ("ann", "YWMtx".to_owned(), "provision 2 Sorry, unauthorized None"),
        ("nobody", "YWMtx".to_owned(), "provision 1 Sorry, user not found None"),
        ("", house.token("ann"), "provision 4 Sorry, parameter is invalid None"),
        ("ann", String::new(), "provision 4 Sorry, parameter is invalid None"),
    ] {
        let (mut session, _) = TestSession::open(house.open()).await;
        let sent = answers(&mut session, House::provision(id, &token, "phone")).await;
        assert_eq!(sent, [expected]);
        assert!(session.is_closed);
        // counted by the vendor's code, and as a failed sign-in where it is one
        let code: u32 = expected.split(' ').nth(1).unwrap().parse().unwrap();
        let class = if code == 4 { ErrorClass::Refused } else { ErrorClass::Unauthenticated };
        let error = VendorError { code: VendorCode::Number(code), class };
        assert_eq!(session.counted, [CallOutcome::Error(error)], "{expected}");
    }
    let now = house.groups.now();
    let claims =
        Claims { subject: Subject::User(user("ann")), issued: Millis(now.0 - 9), expires: Some(now), precise: true };
    let (mut session, _) = TestSession::open(house.open()).await;
    let sent = answers(&mut session, House::provision("ann", &house.app.tokens.seal(&claims), "phone")).await;
    assert_eq!(sent, ["provision 1 Sorry, token expired None"]);
}

#[tokio::test]
async fn sessions_end_with_the_reason_that_sdks_know() {
    let house = house().await;
    for (reason, expected) in [
        (DisconnectReason::AccountDeleted, Some(1)),
        (DisconnectReason::Replaced, Some(2)),
        (DisconnectReason::TokenExpired, Some(3)),
        (DisconnectReason::ByApp, Some(4)),
        (DisconnectReason::Deactivated, Some(4)),
        (DisconnectReason::Reconnected, Some(2)),
        (DisconnectReason::ShuttingDown, None),
    ] {
        let mut session = house.session("ann").await;
        let sent: Vec<String> = session.disconnect(reason).await.iter().map(read).collect();
        let expected: Vec<String> =
            expected.into_iter().map(|operation| format!("ann [statistic {operation}] last")).collect();
        assert_eq!(sent, expected, "{reason:?}");
        assert!(session.is_closed);
        assert_eq!(answers(&mut session, unread()).await, Vec::<String>::new(), "nothing after the end");
    }
}

#[tokio::test]
async fn what_is_no_frame_ends_the_connection_and_what_comes_too_early_is_passed_over() {
    let house = house().await;
    let (mut session, _) = TestSession::open(house.open()).await;
    assert_eq!(answers(&mut session, unread()).await, Vec::<String>::new());
    assert!(!session.is_closed);
    assert_eq!(answers(&mut session, Frame::binary(vec![0xff; 9])).await, Vec::<String>::new());
    assert!(session.is_closed);
    // a queue that does not exist is empty
    let mut ann = house.session("ann").await;
    assert_eq!(answers(&mut ann, queue("nowhere", true, Some(7))).await, ["nowhere [] last"]);
    assert_eq!(answers(&mut ann, queue("ben@easemob.com", false, None)).await, ["ben@easemob.com [] last"]);
}

#[tokio::test]
async fn a_client_that_missed_events_is_notified_and_reads_them() {
    let house = house().await;
    let group = house.group().await;
    let mut ben = house.session("ben").await;
    answers(&mut ben, unread()).await;
    answers(&mut ben, queue("ben@easemob.com", false, None)).await;
    let last = house.groups.last().await.unwrap();
    let key = (last << KEY_BITS) | ITEM;
    assert_eq!(answers(&mut ben, queue("ben@easemob.com", false, Some(key))).await, ["ben@easemob.com [] last"]);
    house.rename(&group, "one").await;
    let sent: Vec<String> = ben.miss().await.iter().map(read).collect();
    assert_eq!(sent, ["notice g"]);
    let read = answers(&mut ben, queue("g", true, None)).await;
    assert_eq!(read, [format!("g [muc 14 from @ppAdmin] key {}.{ITEM}", last + 1)]);
}

/// `agora-chat` 1.3 does not ask for a queue if its last connection ended before the end of that queue.
#[tokio::test]
async fn what_a_client_does_not_ask_for_is_sent_when_it_has_handled_the_list() {
    let house = house().await;
    let group = house.group().await;
    let key = (house.groups.last().await.unwrap() << KEY_BITS) | ITEM;
    let own = |key| queue("ben@easemob.com", false, key);
    let list = ["unread [ben@easemob.com:1]"];

    // as SDKs that ask do: statistics when they sign in, and after their requests
    let mut ben = house.session("ben").await;
    assert_eq!(answers(&mut ben, unread()).await, list);
    assert_eq!(answers(&mut ben, statistics()).await, Vec::<String>::new());
    assert_eq!(answers(&mut ben, own(None)).await.len(), 1);
    for _ in 0..3 {
        assert_eq!(answers(&mut ben, statistics()).await, Vec::<String>::new());
    }

    let mut ben = house.session("ben").await;
    assert_eq!(answers(&mut ben, unread()).await, list);
    assert_eq!(answers(&mut ben, statistics()).await, Vec::<String>::new());
    let item = format!("ben@easemob.com [muc 19 from @ppAdmin] key {}.{ITEM}", key >> KEY_BITS);
    assert_eq!(answers(&mut ben, statistics()).await, [item]);
    assert_eq!(answers(&mut ben, unread()).await, list);
    assert_eq!(answers(&mut ben, statistics()).await, Vec::<String>::new(), "it is sent once");
    assert_eq!(answers(&mut ben, own(Some(key))).await, ["ben@easemob.com [] last"]);

    // the same with a later list, after one statistics frame
    house.rename(&group, "other").await;
    assert_eq!(answers(&mut ben, unread()).await, ["unread [g:1]"]);
    let item = format!("g [muc 14 from @ppAdmin] key {}.{ITEM}", (key >> KEY_BITS) + 1);
    assert_eq!(answers(&mut ben, statistics()).await, [item]);
}

#[tokio::test]
async fn a_client_signs_out() {
    let house = house().await;
    let mut ann = house.session("ann").await;
    assert_eq!(answers(&mut ann, frame(command::LOGOUT, &Logout::default())).await, ["command 4"]);
    assert!(ann.is_closed && ann.identity.is_none());
}
