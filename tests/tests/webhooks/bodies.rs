//! The life of a group, and every vendor's notifications of its events: pinned with the event, and compared with the
//! documented samples in `fixtures/<vendor>/webhooks`.

use std::collections::BTreeMap;
use std::sync::Arc;

use conclave_core::event::{Actor, Event, ProfileChange};
use conclave_core::model::{
    Body, Labels, Mention, Message, Millis, Policy, Profile, Receive, Role, Sender, TopicId, Traits, Until, UserId,
};
use conclave_core::operation::{
    AddFile, AddMembers, Allow, AnswerInvitation, Apply, AttributeChange, Block, ChangeMessage, Cleanup, CreateGroup,
    DecideRequest, DeleteUser, Demote, Disallow, Disband, DropMessage, EndTopics, ExtensionChange, GiveNotice, Leave,
    MakeTopic, Mute, NewMember, OnBlocked, OnFull, OnMember, OnOutsider, OnUnknown, OwnedGroups, PolicyChange, Promote,
    Quiet, ReadMessages, RecallMessages, RemoveFile, RemoveMembers, SendMessage, SetDisabled, Transfer, Unblock,
    Unmute, UpdateGroup, UpdateMember, UpdateTopic, WriteAttributes, WriteExtensions, WriteMemberAttributes,
};
use conclave_core::ports::{GroupsExt, Typed};
use conclave_kit::{
    Connection, ConnectionChange, ConnectionEvent, Destination, Device, DisconnectReason, Disconnection, Notice,
    Platform, query_pairs,
};
use conclave_tests::house::credentials as of;
use conclave_tests::ledger::callbacks::Sample;
use conclave_tests::world::{World, group, user};
use md5::{Digest as _, Md5};
use serde_json::{Map, Value, json};

use crate::samples::is_as;

/// All notifications, by vendor.
type AllSent = BTreeMap<&'static str, Vec<Value>>;

/// A world whose events are sent to every vendor's destinations.
struct Recorder {
    world: World,
    destinations: Vec<(&'static str, Destination)>,
    after: u64,
    all: AllSent,
}

impl Recorder {
    async fn new() -> Self {
        let world = World::new();
        world.users(&["tst", "abc", "jared", "tommy", "dan", "eve", "fay"]).await;
        Self { after: 7, world, destinations: destinations(), all: AllSent::new() }
    }

    /// Performs an operation as the app.
    async fn done<O: Typed>(&mut self, name: &str, operation: O) -> O::Reply {
        self.done_by(name, &Actor::app(), operation).await
    }

    /// Performs an operation, and pins its events with their notifications.
    async fn done_by<O: Typed>(&mut self, name: &str, actor: &Actor, operation: O) -> O::Reply {
        self.world.clock.step(1000);
        let reply = self.world.groups.run(actor, operation).await.unwrap();
        self.pin(name).await;
        reply
    }

    /// The same in a topic, as the app.
    async fn done_in<O: Typed>(&mut self, name: &str, topic: &TopicId, operation: O) {
        self.world.clock.step(1000);
        self.world.groups.run_in(&Actor::app(), topic, operation).await.unwrap();
        self.pin(name).await;
    }

    /// Pins the events since the last call, with their notifications.
    async fn pin(&mut self, name: &str) {
        let events = self.world.log.read(self.after, 100).await.unwrap();
        assert!(!events.is_empty(), "{name}: nothing has happened");
        let mut pinned = Vec::new();
        for event in events {
            self.after = event.sequence;
            pinned.push(self.send(&event).await);
        }
        insta::assert_json_snapshot!(format!("body-{name}"), pinned);
    }

    /// The same, as a user.
    async fn done_as<O: Typed>(&mut self, name: &str, who: &str, operation: O) -> O::Reply {
        self.done_by(name, &Actor::user(user(who)), operation).await
    }

    async fn send(&mut self, event: &Arc<Event>) -> Value {
        let mut sent = BTreeMap::new();
        for (vendor, destination) in &self.destinations {
            let notices = destination.webhooks.notices(event, &*self.world.groups, &*self.world.log).await.unwrap();
            let again = destination.webhooks.notices(event, &*self.world.groups, &*self.world.log).await.unwrap();
            assert_eq!(notices, again, "worded otherwise the second time");
            pin(vendor, notices, &mut sent, &mut self.all);
        }
        json!({"event": event.what, "by": event.actor, "sent": sent})
    }

    /// Opens and closes connections; pins their notifications.
    async fn passed(&mut self, name: &str, events: &[ConnectionEvent]) {
        let events: Vec<_> = events.iter().cloned().map(Arc::new).collect();
        let mut sent = BTreeMap::new();
        for (vendor, destination) in &self.destinations {
            let notices = destination.webhooks.connection_notices(&events, &*self.world.groups).await.unwrap();
            assert!(notices.is_empty() || destination.webhooks.wants_connection_events());
            pin(vendor, notices, &mut sent, &mut self.all);
        }
        let changes: Vec<String> =
            events.iter().map(|one| format!("{} {:?}", one.connection.user, one.change)).collect();
        insta::assert_json_snapshot!(format!("body-{name}"), [json!({"connections": changes, "sent": sent})]);
    }
}

/// Records the notifications of one destination.
fn pin(vendor: &'static str, notices: Vec<Notice>, sent: &mut BTreeMap<&str, Vec<Value>>, all: &mut AllSent) {
    for notice in notices {
        let body = body(vendor, &notice);
        all.entry(vendor).or_default().push(body.clone());
        let query: Map<String, Value> =
            notice.query.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
        sent.entry(vendor).or_default().push(json!({"name": notice.name, "query": query, "body": body}));
    }
}

/// A body, in the vendor's order of keys.
fn body(vendor: &str, notice: &Notice) -> Value {
    let text = std::str::from_utf8(&notice.body).unwrap();
    if notice.name == "message route" {
        let pairs = query_pairs(text).into_iter().map(|(key, value)| (key, Value::from(value)));
        return Value::Object(pairs.collect());
    }
    let value: Value = serde_json::from_str(text).unwrap();
    match vendor {
        "agora" => assert_eq!(value["security"], signed(&value), "{text}"),
        // alphabetical
        "tencent" => assert_eq!(text, value.to_string()),
        _ if notice.name == "user online status" => assert!(text.starts_with("[{\"userid\":"), "{text}"),
        _ => assert!(text.starts_with("[{\"groupId\":"), "{text}"),
    }
    value
}

/// Agora's signature of a body.
fn signed(body: &Value) -> String {
    let text = format!("{}secret123{}", body["callId"].as_str().unwrap(), body["timestamp"]);
    hex::encode(Md5::digest(text.as_bytes()))
}

pub(crate) fn destinations() -> Vec<(&'static str, Destination)> {
    let url = || Some("https://app.example.com/".to_owned());
    let agora = conclave_agora::Credentials {
        org: of::ORG.to_owned(),
        app: of::APP.to_owned(),
        client_id: of::CLIENT_ID.to_owned(),
        client_secret: of::CLIENT_SECRET.to_owned(),
        app_id: None,
        app_certificate: None,
    };
    let hooks = conclave_agora::webhooks::WebhookSettings {
        url: url(),
        muc_url: url(),
        message_url: url(),
        secret: "secret123".into(),
        ..conclave_agora::webhooks::WebhookSettings::default()
    };
    let agora = conclave_agora::webhooks::destinations(&agora, &conclave_agora::Settings::default(), &hooks);

    let rong = conclave_rong::Credentials { app_key: of::APP_KEY.to_owned(), app_secret: of::APP_SECRET.to_owned() };
    let hooks = conclave_rong::webhooks::WebhookSettings {
        url: url(),
        profile_url: url(),
        message_url: url(),
        online_url: url(),
        ..conclave_rong::webhooks::WebhookSettings::default()
    };
    let rong = conclave_rong::webhooks::destinations(&rong, &hooks);

    let credentials = conclave_tencent::Credentials {
        sdkappid: of::SDKAPPID,
        secret_key: of::SECRET_KEY.to_owned(),
        admins: vec![of::ADMIN.to_owned()],
    };
    let settings = conclave_tencent::Settings {
        group_keys: vec!["UserDefined1".to_owned(), "UserDefined2".to_owned()],
        ..conclave_tencent::Settings::default()
    };
    let hooks = conclave_tencent::webhooks::WebhookSettings {
        url: url(),
        ..conclave_tencent::webhooks::WebhookSettings::default()
    };
    let tencent = conclave_tencent::webhooks::destinations(&credentials, &settings, &hooks);

    let named = |vendor| move |destination| (vendor, destination);
    let all = agora.into_iter().map(named("agora")).chain(rong.into_iter().map(named("rong")));
    let hooks = conclave_tencent::webhooks::WebhookSettings {
        commands: vec!["Group.CallbackOnMemberStateChange".to_owned()],
        ..hooks
    };
    let state = conclave_tencent::webhooks::destinations(&credentials, &settings, &hooks);
    all.chain(tencent.into_iter().chain(state).map(named("tencent"))).collect()
}

fn users(ids: &[&str]) -> Vec<UserId> {
    ids.iter().map(|id| user(id)).collect()
}

fn texts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect()
}

fn add(ids: &[&str], ask: bool) -> AddMembers {
    AddMembers {
        group: group("g"),
        members: ids.iter().map(|id| NewMember::now(user(id))).collect(),
        ask,
        message: String::new(),
        quiet: Quiet::Nobody,
        on_unknown: OnUnknown::Refuse,
        on_member: OnMember::Refuse,
        on_blocked: OnBlocked::Refuse,
        on_full: OnFull::Refuse,
        most: None,
    }
}

fn update() -> UpdateGroup {
    UpdateGroup::of(group("g"))
}

fn attributes(change: AttributeChange) -> WriteAttributes {
    WriteAttributes { group: group("g"), change, expected: None, most: None, most_bytes: None }
}

#[tokio::test]
async fn a_groups_callbacks_are_as_documented() {
    let mut recorder = Recorder::new().await;
    beginning(&mut recorder).await;
    coming(&mut recorder).await;
    changing(&mut recorder).await;
    moderating(&mut recorder).await;
    speaking(&mut recorder).await;
    afterwards(&mut recorder).await;
    topics(&mut recorder).await;
    passing(&mut recorder).await;
    ending(&mut recorder).await;
    let missing: Vec<String> =
        ["agora", "rong", "tencent"].into_iter().flat_map(|vendor| missing(vendor, &recorder.all[vendor])).collect();
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

async fn beginning(recorder: &mut Recorder) {
    let mut create = CreateGroup::new(Some(user("tst")), Policy::standard());
    create.id = Some(group("g"));
    create.members = vec![NewMember { role: Role::Admin, ..NewMember::now(user("abc")) }];
    create.profile = Profile {
        name: "test01".to_owned(),
        introduction: "desc".to_owned(),
        avatar: "https://www.example.com/image".to_owned(),
        custom: String::new(),
        fields: texts(&[("UserDefined1", "hello"), ("UserDefined2", "world"), ("ext_k", "v")]),
    };
    recorder.done_as("create", "tst", create).await;
    // without an acting user, and hidden from clients
    let mut quiet = CreateGroup::new(None, Policy::standard());
    quiet.id = Some(group("quiet"));
    quiet.profile = Profile { name: "quiet".to_owned(), ..Profile::default() };
    quiet.quiet = Quiet::Clients;
    recorder.done("create-quiet", quiet).await;
}

async fn coming(recorder: &mut Recorder) {
    recorder.done("add", add(&["jared", "tommy"], false)).await;
    let apply = Apply { group: group("g"), user: None, message: "let me in".to_owned(), most: None };
    recorder.done_as("apply", "dan", apply).await;
    let accept = DecideRequest {
        group: group("g"),
        user: user("dan"),
        inviter: None,
        accept: true,
        reason: String::new(),
        most: None,
    };
    recorder.done_as("apply-accepted", "abc", accept).await;
    recorder
        .done_as(
            "apply-again",
            "eve",
            Apply { group: group("g"), user: None, message: "me too".to_owned(), most: None },
        )
        .await;
    let refuse = DecideRequest {
        group: group("g"),
        user: user("eve"),
        inviter: None,
        accept: false,
        reason: "not yet".to_owned(),
        most: None,
    };
    recorder.done_as("apply-refused", "abc", refuse).await;
    let consent = PolicyChange { invitee_consent: Some(true), ..PolicyChange::default() };
    recorder.done("policy", UpdateGroup { policy: consent, ..update() }).await;
    recorder.done_as("invite", "tst", add(&["eve"], true)).await;
    let agree = AnswerInvitation {
        group: group("g"),
        user: user("eve"),
        inviter: Some(user("tst")),
        accept: true,
        reason: String::new(),
        most: None,
    };
    recorder.done_as("invite-accepted", "eve", agree).await;
    recorder.done_as("invite-again", "tst", add(&["fay"], true)).await;
    let decline = AnswerInvitation {
        group: group("g"),
        user: user("fay"),
        inviter: Some(user("tst")),
        accept: false,
        reason: "no time".to_owned(),
        most: None,
    };
    recorder.done_as("invite-declined", "fay", decline).await;
    let capacity = PolicyChange { capacity: Some(Some(7)), ..PolicyChange::default() };
    recorder.done("policy-capacity", UpdateGroup { policy: capacity, ..update() }).await;
    recorder.done("add-until-full", add(&["fay"], false)).await;
    let remove = RemoveMembers {
        group: group("g"),
        users: users(&["fay"]),
        reason: "no reason".to_owned(),
        cleanup: Cleanup::default(),
        quiet: Quiet::Nobody,
        on_outsider: OnOutsider::Refuse,
        skip_owner: false,
    };
    recorder.done_as("remove", "abc", remove).await;
    let leave = Leave {
        group: group("g"),
        users: users(&["dan"]),
        cleanup: Cleanup::default(),
        on_outsider: OnOutsider::Refuse,
        keep_owner: false,
    };
    recorder.done_as("leave", "dan", leave).await;
}

async fn changing(recorder: &mut Recorder) {
    let profile = ProfileChange {
        name: Some("Writers".to_owned()),
        introduction: Some("who write".to_owned()),
        ..ProfileChange::default()
    };
    recorder.done_as("profile", "tst", UpdateGroup { profile: profile.clone(), ..update() }).await;
    let both = UpdateGroup {
        profile: ProfileChange { name: Some("Readers".to_owned()), ..profile },
        announcement: Some("welcome".to_owned()),
        ..update()
    };
    recorder.done("profile-and-announcement", both).await;
    let custom = ProfileChange {
        introduction: Some("new intro".to_owned()),
        fields: texts(&[("ext_k", "w")]),
        ..ProfileChange::default()
    };
    recorder.done_as("profile-custom", "tst", UpdateGroup { profile: custom, ..update() }).await;
    let fields = ProfileChange { fields: texts(&[("UserDefined1", "bye")]), ..ProfileChange::default() };
    recorder.done("profile-fields", UpdateGroup { profile: fields, ..update() }).await;
    recorder.done_as("announcement", "tst", UpdateGroup { announcement: Some("hello".to_owned()), ..update() }).await;
    recorder
        .done_as("announcement-removed", "tst", UpdateGroup { announcement: Some(String::new()), ..update() })
        .await;
    let join = PolicyChange { join: Some(conclave_core::model::Join::Open), ..PolicyChange::default() };
    recorder.done_as("policy-join", "tst", UpdateGroup { policy: join, ..update() }).await;
    for (name, disabled) in [("disable", true), ("enable", false)] {
        recorder.done(name, SetDisabled { group: group("g"), disabled }).await;
    }
    let (set, modify) = (texts(&[("attr_key", "attr_val"), ("b", "c")]), texts(&[("b", "d")]));
    recorder.done_as("attributes-set", "tst", attributes(AttributeChange::Replace(set))).await;
    recorder.done("attributes-modify", attributes(AttributeChange::Set(modify))).await;
    let delete = AttributeChange::Delete { keys: vec!["b".to_owned()], must_exist: true };
    recorder.done("attributes-delete", attributes(delete)).await;
    recorder.done("attributes-clear", attributes(AttributeChange::Clear)).await;
    let file = AddFile {
        group: group("g"),
        id: None,
        name: "minutes.txt".to_owned(),
        media_type: "text/plain".to_owned(),
        size: 12,
        expires: None,
        secret: None,
        blob: "blob".to_owned(),
        most: None,
    };
    let file = recorder.done("file-add", file).await;
    recorder.done("file-remove", RemoveFile { group: group("g"), file: file.0.id.clone() }).await;
}

async fn moderating(recorder: &mut Recorder) {
    let promote = Promote { group: group("g"), users: users(&["eve"]), most: None, on_outsider: OnOutsider::Refuse };
    recorder.done_as("promote", "tst", promote).await;
    let demote = Demote { group: group("g"), users: users(&["eve"]), skip_others: false };
    recorder.done_as("demote", "tst", demote).await;
    let jared = || users(&["jared"]);
    let until = Until::At(Millis(1_729_585_614_955));
    let mute = Mute { group: group("g"), users: jared(), until, members_only: true, spare_owner: false };
    recorder.done("mute", mute).await;
    recorder.done("unmute", Unmute { group: group("g"), users: jared() }).await;
    for (name, muted) in [("mute-all", true), ("unmute-all", false)] {
        recorder.done(name, UpdateGroup { all_muted: Some(muted), ..update() }).await;
    }
    recorder.done("allow", Allow { group: group("g"), users: jared(), members_only: true }).await;
    recorder.done("disallow", Disallow { group: group("g"), users: jared() }).await;
    let block = Block {
        group: group("g"),
        users: jared(),
        until: Until::Forever,
        reason: "spam".to_owned(),
        members_only: false,
        cleanup: Cleanup::default(),
    };
    recorder.done_as("block", "tst", block).await;
    recorder.done("unblock", Unblock { group: group("g"), users: jared() }).await;
    let own = |receive| UpdateMember { receive: Some(receive), ..UpdateMember::of(group("g"), user("tommy")) };
    recorder.done_as("shield", "tommy", own(Receive::Discard)).await;
    recorder.done_as("shield-off", "tommy", own(Receive::Notify)).await;
    let card = UpdateMember { card: Some("Tom".to_owned()), ..UpdateMember::of(group("g"), user("tommy")) };
    recorder.done("card", card).await;
    let attributes = WriteMemberAttributes {
        group: group("g"),
        changes: vec![(user("tommy"), texts(&[("colour", "red")]))],
        most: None,
        most_bytes: None,
    };
    recorder.done_as("member-attributes", "tommy", attributes).await;
}

async fn speaking(recorder: &mut Recorder) {
    let labels: Labels = texts(&[
        ("tencent.random", "123456"),
        ("tencent.cloud-data", "your cloud custom data"),
        ("tencent.at", r#"[{"GroupAtAllFlag":1}]"#),
    ]);
    let text = |text: &str| Body::Text(text.to_owned());
    let sent = SendMessage {
        labels: labels.clone(),
        ..SendMessage::new(group("g"), Sender::User(user("tst")), text("red packet"))
    };
    let sent = recorder.done("message", sent).await;
    let mention = Some(Mention::Users(users(&["tommy"])));
    recorder
        .done("message-of-app", SendMessage { mention, ..SendMessage::new(group("g"), Sender::App, text("hi")) })
        .await;
    let passing = SendMessage {
        labels,
        stored: false,
        ..SendMessage::new(group("g"), Sender::User(user("tst")), text("gone soon"))
    };
    recorder.done("message-passing", passing).await;
    let forbidden = SendMessage {
        labels: texts(&[("tencent.no-callback", "ForbidAfterSendMsgCallback")]),
        ..SendMessage::new(group("g"), Sender::App, text("without callback"))
    };
    recorder.done("message-without-callback", forbidden).await;
    let Message { sequence, .. } = *sent.message;
    let recall = RecallMessages { group: group("g"), sequences: vec![sequence], reason: "oops".to_owned() };
    recorder.done("recall", recall).await;
}

/// A member connects from a phone and a browser, and disconnects in all possible ways.
async fn passing(recorder: &mut Recorder) {
    let mut room =
        CreateGroup::new(Some(user("abc")), Policy { join: conclave_core::model::Join::Open, ..Policy::standard() });
    room.id = Some(group("live"));
    room.labels = texts(&[("tencent.type", "AVChatRoom")]);
    recorder.done("live", room).await;
    let apply = Apply { group: group("live"), user: None, message: String::new(), most: None };
    recorder.done_as("live-join", "tommy", apply).await;
    let connection = |id: &str, platform| {
        let address = Some("119.0.0.1:8080".parse().unwrap());
        let (vendor, since) = ("rong", Millis(1_437_982_698_186));
        let (user, device) = (user("tommy"), Device::new("rong", id));
        Arc::new(Connection { vendor, user, device, platform, id: id.to_owned(), address, since })
    };
    let (phone, page) = (connection("s1", Platform::Ios), connection("s2", Platform::Web));
    let event = |connection: &Arc<Connection>, change, others, at: u64| {
        let connection = Arc::clone(connection);
        ConnectionEvent { connection, at: Millis(1_437_982_698_186 + at), change, others }
    };
    let (came, lost) = (ConnectionChange::Connected, ConnectionChange::Disconnected(Disconnection::Lost));
    let ended = |how| ConnectionChange::Disconnected(how);
    recorder.passed("online", &[event(&phone, came, 0, 0)]).await;
    let ways = [
        event(&page, came, 1, 1),
        event(&phone, lost, 1, 2),
        event(&page, ended(Disconnection::SignedOut), 0, 3),
        event(&page, came, 0, 4),
        event(&page, ended(Disconnection::Ended(DisconnectReason::ByApp)), 0, 5),
    ];
    recorder.passed("online-and-offline", &ways).await;
    recorder.passed("lost", &[event(&phone, came, 0, 6), event(&phone, lost, 0, 7)]).await;
    let leave = Leave {
        group: group("live"),
        users: users(&["tommy"]),
        cleanup: Cleanup::default(),
        on_outsider: OnOutsider::Refuse,
        keep_owner: false,
    };
    recorder.done_as("live-leave", "tommy", leave).await;
}

/// Later changes of a message, and items beside messages.
async fn afterwards(recorder: &mut Recorder) {
    let text = |text: &str| Body::Text(text.to_owned());
    let traits = Traits { receipts: true, extensible: true, ..Traits::default() };
    let asking = SendMessage::new(group("g"), Sender::User(user("tst")), text("read this"));
    let sent = recorder.done("message-asking", SendMessage { traits, ..asking }).await;
    let sequence = sent.message.sequence;
    let read = ReadMessages {
        group: group("g"),
        user: user("tommy"),
        sequences: vec![sequence],
        note: String::new(),
        most_members: Some(200),
    };
    recorder.done_as("message-read", "tommy", read).await;
    let change = ChangeMessage { group: group("g"), sequence, body: Some(text("read that")), labels: BTreeMap::new() };
    recorder.done("message-changed", change).await;
    let changes = vec![ExtensionChange { key: "k".to_owned(), value: Some("v".to_owned()), seen: None }];
    let extend = WriteExtensions { group: group("g"), sequence, clear: false, changes, most: None };
    recorder.done("message-extended", extend).await;
    recorder.done("notice", GiveNotice { group: group("g"), content: "hear".to_owned(), targets: Vec::new() }).await;
    let message = SendMessage {
        labels: texts(&[("tencent.random", "123456"), ("tencent.cloud-data", "your cloud custom data")]),
        stored: false,
        ..SendMessage::new(group("g"), Sender::User(user("tst")), text("red packet"))
    };
    recorder.done("message-dropped", DropMessage { message }).await;
}

/// A community's topics, and messages in one.
async fn topics(recorder: &mut Recorder) {
    let mut create = CreateGroup::new(Some(user("tst")), Policy::standard());
    create.id = Some(group("community"));
    create.labels = texts(&[("tencent.type", "Community")]);
    recorder.done("topics-community", create).await;
    let topic = TopicId::new("community@TOPIC#_1").unwrap();
    let make = MakeTopic {
        group: group("community"),
        id: Some(topic.clone()),
        prefix: String::new(),
        profile: Profile { name: "MyFirstTopic".to_owned(), ..Profile::default() },
        announcement: String::new(),
        created: None,
    };
    recorder.done("topic-made", make).await;
    let profile = ProfileChange { custom: Some("without callback".to_owned()), ..ProfileChange::default() };
    let change = UpdateTopic {
        group: group("community"),
        topic: topic.clone(),
        profile,
        announcement: Some("NewNotification".to_owned()),
        all_muted: None,
    };
    recorder.done("topic-changed", change.clone()).await;
    recorder.done("topic-muted", UpdateTopic { all_muted: Some(true), ..change }).await;
    let send = SendMessage::new(group("community"), Sender::App, Body::Text("red packet".to_owned()));
    recorder.done_in("topic-message", &topic, send).await;
    let recall = RecallMessages { group: group("community"), sequences: vec![1], reason: String::new() };
    recorder.done_in("topic-recall", &topic, recall).await;
    recorder.done("topic-ended", EndTopics { group: group("community"), topics: vec![topic] }).await;
}

async fn ending(recorder: &mut Recorder) {
    recorder.done_as("transfer", "tst", Transfer { group: group("g"), to: user("abc"), leave: None }).await;
    recorder.done("account-deleted", DeleteUser { user: user("eve"), owned: OwnedGroups::Disband }).await;
    recorder.done_as("disband", "abc", Disband { group: group("g") }).await;
}

/// The vendor's documented callbacks that were not sent.
fn missing(vendor: &str, sent: &[Value]) -> Vec<String> {
    let mut missing = Vec::new();
    for (name, sample) in Sample::all(vendor) {
        // questions are not notifications
        let is_question = sample.callback.contains("CallbackBefore") || sample.callback == "pre-delivery";
        if !is_question && !sent.iter().any(|notice| is_as(notice, &sample)) {
            missing.push(format!("{vendor}/webhooks/{name} is not sent as documented: {}", sample.body));
        }
    }
    missing
}
