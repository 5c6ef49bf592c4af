//! The app's server is asked before users' operations through any vendor's client, and its answer applies to all
//! vendors.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use conclave_core::event::Actor;
use conclave_core::model::{Body, Join, Message, Millis, Policy, Sender, UserId};
use conclave_core::operation::{
    AddMembers, AddOutcome, Apply, CreateGroup, NewMember, OnBlocked, OnFull, OnMember, OnUnknown, Operation, Quiet,
    Reply, SendMessage,
};
use conclave_core::ports::{Groups, GroupsExt};
use conclave_core::query::{Answer, ListMembers, Messages, Query, Start};
use conclave_core::refusal::Refusal;
use conclave_kit::{Post, PostError, Question};
use conclave_tencent::webhooks::{WebhookSettings, guarded};
use conclave_tests::house::credentials as of;
use conclave_tests::world::{World, group, user};
use http::StatusCode;
use serde_json::{Value, json};

/// An app's server that gives one answer, and records the questions.
pub struct Server {
    pub says: Value,
    pub asked: Mutex<Vec<Value>>,
}

#[async_trait]
impl Post for Server {
    async fn post(&self, question: Question) -> Result<(StatusCode, Bytes), PostError> {
        let asked = serde_json::from_slice(&question.body).unwrap();
        self.asked.lock().unwrap().push(asked);
        Ok((StatusCode::OK, self.says.to_string().into()))
    }
}

/// A world with a group of ann with ben as a member, and such a server.
pub async fn street(says: Value) -> (World, Arc<Server>) {
    let world = World::new();
    world.users(&["ann", "ben", "cy", "dan"]).await;
    let mut create = CreateGroup::new(Some(user("ann")), Policy { join: Join::Open, ..Policy::standard() });
    create.id = Some(group("g"));
    create.members = vec![NewMember::now(user("ben"))];
    world.run(create).await;
    (world, Arc::new(Server { says, asked: Mutex::default() }))
}

/// The groups, while they cannot be read.
pub struct Unread(pub Arc<dyn Groups>);

#[async_trait]
impl Groups for Unread {
    async fn perform(&self, actor: &Actor, operation: Operation) -> Result<Reply, Refusal> {
        self.0.perform(actor, operation).await
    }

    async fn read(&self, _: &Actor, _: Query) -> Result<Answer, Refusal> {
        Err(unread())
    }

    fn now(&self) -> Millis {
        self.0.now()
    }
}

pub fn unread() -> Refusal {
    Refusal::Unavailable("the disk is away".to_owned())
}

/// The groups behind such a server.
async fn house(says: Value) -> (World, Arc<Server>, Arc<dyn Groups>) {
    let (world, server) = street(says).await;
    let groups = behind(&server, world.groups.clone());
    (world, server, groups)
}

fn behind(server: &Arc<Server>, groups: Arc<dyn Groups>) -> Arc<dyn Groups> {
    let commands = ["CreateGroup", "ApplyJoinGroup", "InviteJoinGroup", "SendMsg"];
    let hooks = WebhookSettings {
        url: Some("https://app.example.com/".to_owned()),
        commands: commands.iter().map(|command| format!("Group.CallbackBefore{command}")).collect(),
        ..WebhookSettings::default()
    };
    let credentials = conclave_tencent::Credentials {
        sdkappid: of::SDKAPPID,
        secret_key: of::SECRET_KEY.to_owned(),
        admins: vec![of::ADMIN.to_owned()],
    };
    let post: Arc<dyn Post> = server.clone();
    guarded(groups, &credentials, &hooks, &post)
}

pub fn by(id: &str) -> Actor {
    Actor::user(user(id))
}

fn create(id: &str, owner: &str) -> CreateGroup {
    let mut create = CreateGroup::new(Some(user(owner)), Policy::standard());
    create.id = Some(group(id));
    create
}

fn invite(ids: &[&str]) -> AddMembers {
    AddMembers {
        group: group("g"),
        members: ids.iter().map(|id| NewMember::now(user(id))).collect(),
        ask: false,
        message: String::new(),
        quiet: Quiet::Nobody,
        on_unknown: OnUnknown::Refuse,
        on_member: OnMember::Skip,
        on_blocked: OnBlocked::Refuse,
        on_full: OnFull::Refuse,
        most: None,
    }
}

pub fn say(id: &str, text: &str) -> SendMessage {
    let mut say = SendMessage::new(group("g"), Sender::User(user(id)), Body::Text(text.to_owned()));
    // as another vendor's client stores it beside the text
    say.labels.insert("rong.content".to_owned(), format!("{{\"content\":\"{text}\",\"extra\":\"x\"}}"));
    say.labels.insert("rong.pushContent".to_owned(), "ping".to_owned());
    say
}

fn apply() -> Apply {
    Apply {
        group: group("g"),
        user: None,
        message: String::new(),
        labels: conclave_core::model::Labels::new(),
        most: None,
    }
}

async fn members(world: &World) -> Vec<String> {
    let page = world.groups.ask(&Actor::app(), ListMembers::all(group("g"))).await.unwrap();
    page.members.iter().map(|member| member.user.to_string()).collect()
}

pub async fn said(world: &World) -> Vec<Arc<Message>> {
    let page = Messages { group: group("g"), start: Start::Edge, newest_first: false, limit: 10 };
    world.groups.ask(&Actor::app(), page).await.unwrap().messages
}

pub fn vetoed(code: Option<u32>, words: &str) -> Refusal {
    Refusal::Vetoed { code, words: words.to_owned() }
}

#[tokio::test]
async fn what_is_refused_leaves_no_trace() {
    for (says, refusal) in [
        (json!({"ErrorCode": 1}), vetoed(None, "")),
        (json!({"ErrorCode": 10150, "ErrorInfo": "not you"}), vetoed(Some(10150), "not you")),
    ] {
        let (world, server, groups) = house(says).await;
        assert_eq!(groups.run(&by("cy"), create("new", "cy")).await.map(drop), Err(refusal.clone()));
        assert_eq!(groups.run(&by("cy"), apply()).await.map(drop), Err(refusal.clone()));
        assert_eq!(groups.run(&by("ann"), invite(&["cy", "dan"])).await.map(drop), Err(refusal.clone()));
        assert_eq!(groups.run(&by("ben"), say("ben", "hi")).await.map(drop), Err(refusal.clone()));
        assert_eq!((members(&world).await, said(&world).await.len()), (vec!["ann".to_owned(), "ben".to_owned()], 0));
        insta::assert_json_snapshot!(format!("asked-{:?}", refusal_code(&refusal)), *server.asked.lock().unwrap(), {
            "[].EventTime" => "[time]",
        });
    }
}

fn refusal_code(refusal: &Refusal) -> u32 {
    match refusal {
        Refusal::Vetoed { code, .. } => code.unwrap_or(10016),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn some_are_left_out_in_their_place() {
    let (world, server, groups) = house(json!({"ErrorCode": 0, "RefusedMembers_Account": ["cy"]})).await;
    let added = groups.run(&by("ann"), invite(&["ben", "cy", "dan"])).await.unwrap();
    let outcomes: Vec<(UserId, AddOutcome)> = vec![
        (user("ben"), AddOutcome::Already),
        (user("cy"), AddOutcome::LeftOut(vetoed(None, ""))),
        (user("dan"), AddOutcome::Joined),
    ];
    assert_eq!((added.outcomes, added.members), (outcomes, 3));
    assert_eq!(members(&world).await, ["ann", "ben", "dan"]);
    assert_eq!(groups.run(&by("ann"), invite(&["cy"])).await.map(drop), Err(vetoed(None, "")));
    assert_eq!(server.asked.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn another_message_says_it_in_every_vendors_words() {
    let element = json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": "better"}}]);
    let (world, _, groups) = house(json!({"ErrorCode": 0, "MsgBody": element, "CloudCustomData": "seen"})).await;
    let posted = groups.run(&by("ben"), say("ben", "rude")).await.unwrap();
    let [kept] = &said(&world).await[..] else { panic!("nothing was said") };
    assert_eq!(kept, &posted.message);
    assert_eq!(kept.body, Body::Text("better".to_owned()));
    let labels: Vec<&str> = kept.labels.keys().map(String::as_str).collect();
    assert_eq!(labels, ["rong.pushContent", "tencent.cloud-data"], "labels with the old body are kept");

    let (world, _, groups) = house(json!({"ErrorCode": 0, "MsgBody": [{"is": "none"}]})).await;
    groups.run(&by("ben"), say("ben", "rude")).await.unwrap();
    assert_eq!(said(&world).await[0].body, Body::Text("rude".to_owned()), "what cannot be sent changes nothing");
}

#[tokio::test]
async fn a_dropped_message_is_sent_as_far_as_its_sender_learns() {
    let (world, _, groups) = house(json!({"ErrorCode": 2})).await;
    let posted = groups.run(&by("ben"), say("ben", "spam")).await.unwrap();
    assert_eq!((posted.message.sequence, posted.repeated), (1, false));
    assert_eq!(posted.message.body, Body::Text("spam".to_owned()));
    assert_eq!(said(&world).await.len(), 0);
}

#[tokio::test]
async fn nobody_is_asked_about_what_is_refused_anyway_or_what_the_app_does() {
    let (world, server, groups) = house(json!({"ErrorCode": 1})).await;
    assert!(groups.run(&by("ben"), apply()).await.is_ok(), "in already");
    assert!(groups.run(&by("cy"), say("cy", "hi")).await.is_err());
    assert!(groups.run(&by("cy"), invite(&["dan"])).await.is_err());
    let nowhere = Apply { group: group("nowhere"), ..apply() };
    assert!(matches!(groups.run(&by("cy"), nowhere).await, Err(Refusal::GroupNotFound { .. })));
    for done in [
        groups.run(&Actor::app(), create("new", "cy")).await.map(drop),
        groups.run(&Actor::app(), invite(&["cy"])).await.map(drop),
        groups.run(&Actor::app(), say("ben", "hi")).await.map(drop),
        groups.run(&Actor::app(), Apply { user: Some(user("dan")), ..apply() }).await.map(drop),
    ] {
        assert_eq!(done, Ok(()));
    }
    assert_eq!(*server.asked.lock().unwrap(), <[Value; 0]>::default());
    assert_eq!(members(&world).await, ["ann", "ben", "cy", "dan"]);
}

#[tokio::test]
async fn nobody_comes_past_the_app_while_nothing_can_be_read() {
    let (world, server) = street(json!({"ErrorCode": 1})).await;
    let groups = behind(&server, Arc::new(Unread(world.groups.clone())));
    for done in [
        groups.run(&by("cy"), create("new", "cy")).await.map(drop),
        groups.run(&by("cy"), apply()).await.map(drop),
        groups.run(&by("ann"), invite(&["cy"])).await.map(drop),
        groups.run(&by("ben"), say("ben", "hi")).await.map(drop),
    ] {
        assert_eq!(done, Err(unread()));
    }
    assert_eq!((members(&world).await, said(&world).await.len()), (vec!["ann".to_owned(), "ben".to_owned()], 0));
    assert_eq!(server.asked.lock().unwrap().len(), 0);
}
