//! The life of a group, operation by operation.

use std::collections::BTreeMap;
use std::sync::Arc;

use conclave_core::event::ProfileChange;
use conclave_core::model::{
    Body, Labels, Mention, Message, Millis, Policy, Profile, Receive, Role, Sender, TopicId, Traits, Until, UserId,
};
use conclave_core::operation::{
    AddFile, AddMembers, Allow, AnswerInvitation, Apply, AttributeChange, Block, ChangeMessage, Cleanup, CreateGroup,
    DecideRequest, DeleteUser, Demote, Disallow, Disband, DropMessage, EndTopics, ExtensionChange, GiveNotice, Leave,
    MakeTopic, Mute, NewMember, OnBlocked, OnFull, OnMember, OnOutsider, OnUnknown, OwnedGroups, PolicyChange, Promote,
    Quiet, ReadMessages, RecallMessages, RemoveFile, RemoveMembers, SendMessage, SetDisabled, SpeakCheck, Transfer,
    Unblock, Unmute, UpdateGroup, UpdateMember, UpdateTopic, WriteAttributes, WriteExtensions, WriteMemberAttributes,
};
use conclave_kit::{Connection, ConnectionChange, ConnectionEvent, Device, DisconnectReason, Disconnection, Platform};
use conclave_tests::world::{group, user};

use super::Recorder;

pub(super) async fn beginning(recorder: &mut Recorder) {
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

pub(super) async fn coming(recorder: &mut Recorder) {
    recorder.done("add", add(&["jared", "tommy"], false)).await;
    let apply = Apply {
        group: group("g"),
        user: None,
        message: "let me in".to_owned(),
        labels: conclave_core::model::Labels::new(),
        most: None,
    };
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
            Apply {
                group: group("g"),
                user: None,
                message: "me too".to_owned(),
                labels: conclave_core::model::Labels::new(),
                most: None,
            },
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

pub(super) async fn changing(recorder: &mut Recorder) {
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

pub(super) async fn moderating(recorder: &mut Recorder) {
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

pub(super) async fn speaking(recorder: &mut Recorder) {
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
pub(super) async fn passing(recorder: &mut Recorder) {
    let mut room =
        CreateGroup::new(Some(user("abc")), Policy { join: conclave_core::model::Join::Open, ..Policy::standard() });
    room.id = Some(group("live"));
    room.labels = texts(&[("tencent.type", "AVChatRoom")]);
    recorder.done("live", room).await;
    let apply = Apply {
        group: group("live"),
        user: None,
        message: String::new(),
        labels: conclave_core::model::Labels::new(),
        most: None,
    };
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
pub(super) async fn afterwards(recorder: &mut Recorder) {
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
    let change = ChangeMessage {
        group: group("g"),
        sequence,
        body: Some(text("read that")),
        labels: BTreeMap::new(),
        edits: None,
    };
    recorder.done("message-changed", change).await;
    let changes = vec![ExtensionChange { key: "k".to_owned(), value: Some("v".to_owned()), seen: None }];
    let extend =
        WriteExtensions { group: group("g"), sequence, clear: false, changes, most: None, check: SpeakCheck::Skipped };
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
pub(super) async fn topics(recorder: &mut Recorder) {
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

pub(super) async fn ending(recorder: &mut Recorder) {
    recorder.done_as("transfer", "tst", Transfer { group: group("g"), to: user("abc"), leave: None }).await;
    recorder.done("account-deleted", DeleteUser { user: user("eve"), owned: OwnedGroups::Disband }).await;
    recorder.done_as("disband", "abc", Disband { group: group("g") }).await;
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
