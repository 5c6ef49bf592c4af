//! Tencent Chat's documented exchanges, replayed in the state that each requires: the response has everything the
//! documented one has, and what it has beyond that is pinned.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a broken expectation is a panic")]

mod tencent_support;

use std::collections::BTreeMap;

use async_trait::async_trait;
use conclave_core::model::{Circle, Join, Millis};
use conclave_tests::client::{Answer, Client};
use conclave_tests::fixture::Fixture;
use conclave_tests::given::GivenGroup;
use conclave_tests::world::World;
use serde::Deserialize;
use serde_json::{Value, json};
use tencent_support::{Given, body_of, client, group_call};

#[tokio::test]
async fn documented_exchanges() {
    for name in Fixture::names("tencent") {
        println!("{name}");
        let fixture = Fixture::read("tencent", &name);
        let answer = replay(&name, &fixture).await;
        body_of(&answer);
        fixture.assert_covers(&answer);
        let Some(body) = fixture.pinned(&answer) else { continue };
        insta::with_settings!({ snapshot_path => "snapshots/tencent", prepend_module_to_snapshot => false }, {
            insta::assert_json_snapshot!(name.as_str(), body);
        });
    }
}

async fn replay(name: &str, fixture: &Fixture) -> Answer {
    let (given, request) = (&fixture.given, &fixture.request);
    let world = given.world();
    world.users(USERS).await;
    given.prepare::<GroupOfType>(&world).await;
    let keys = json!({
        "group_keys": ["GroupTestData1", "GroupTestData2"],
        "member_keys": ["MemberDefined1", "MemberDefined2", "MemberDefined3"],
    });
    let client = client(&world, given.settings(keys));
    crowd(&client, &request.body["GroupId"], given.messages_this_second).await;
    let query: Vec<String> =
        request.query.iter().map(|(key, value)| format!("{key}={}", value.as_str().unwrap())).collect();
    let target = format!("{}?{}", request.path, query.join("&"));
    let body = match &request.body {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        body => body.to_string(),
    };
    let before = world.commits();
    let answer = client.send(request.method.parse().unwrap(), &target, &[], body).await;
    assert!(world.commits() <= before + 1, "{name}: what one call changes is one commit");
    answer
}

/// Sends so many messages to a group; they are not stored and take no numbers.
async fn crowd(client: &Client, group: &Value, messages: u32) {
    for random in 100..100 + messages {
        let text = json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": "hi"}}]);
        let body = json!({"GroupId": group, "Random": random, "MsgBody": text, "OnlineOnlyFlag": 1});
        assert_eq!(group_call(client, "send_group_msg", body).await["ErrorCode"], 0);
    }
}

/// The accounts of the documented examples.
const USERS: &[&str] = &[
    "leckie",
    "bob",
    "peter",
    "tommy",
    "jared",
    "wesley",
    "needsconsent",
    "Test_1",
    "Test_2",
    "Test_3",
    "Test_4",
    "Test_5",
    "Test_6",
    "Test_7",
    "Test_8",
    "dear",
    "test",
    "brennanli",
    "brennanli2",
    "brennanli3",
    "brennanli12",
    "brennanli1",
];

/// A group in a fixture.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts of a fixture, as the file names them")]
struct GroupOfType {
    id: String,
    /// As the vendor names it.
    r#type: String,
    #[serde(default)]
    owner: String,
    name: Option<String>,
    #[serde(default)]
    members: Vec<String>,
    #[serde(default)]
    admins: Vec<String>,
    /// Custom fields of every member except the owner.
    #[serde(default)]
    member_fields: BTreeMap<String, String>,
    /// When it was created, in seconds.
    created: Option<u64>,
    /// When its members joined, in seconds; otherwise when it was created.
    joined: Option<u64>,
    introduction: Option<String>,
    avatar: Option<String>,
    #[serde(default)]
    fields: BTreeMap<String, String>,
    #[serde(default)]
    announcement: String,
    #[serde(default)]
    all_muted: bool,
    capacity: Option<u32>,
    /// Whether anybody joins, or nobody.
    open: Option<bool>,
    /// Whether members invite.
    #[serde(default)]
    members_invite: bool,
    /// A group that is shown from its first message on.
    #[serde(default)]
    inactive: bool,
    #[serde(default)]
    topics: bool,
}

#[async_trait]
impl GivenGroup for GroupOfType {
    async fn create(&self, world: &World) {
        let members: Vec<&str> = self.members.iter().map(String::as_str).collect();
        let fields: Vec<(&str, &str)> =
            self.member_fields.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let mut given = Given::new(&self.id, &self.r#type, &self.owner).members(&members);
        for admin in &self.admins {
            given = given.admin(admin);
        }
        if let Some(name) = &self.name {
            given = given.named(name);
        }
        if !fields.is_empty() {
            given = given.member_fields(&fields);
        }
        if let Some(at) = self.joined.or(self.created) {
            given = given.made(at);
        }
        let given = given.profile(|profile| {
            profile.introduction = self.introduction.clone().unwrap_or_default();
            profile.avatar = self.avatar.clone().unwrap_or_default();
            profile.fields = self.fields.clone();
        });
        let given = given.policy(|policy| {
            policy.capacity = self.capacity.or(policy.capacity);
            if let Some(open) = self.open {
                policy.join = if open { Join::Open } else { Join::Closed };
            }
            if self.members_invite {
                policy.invite = Circle::Members;
            }
        });
        let given = given.with(|make| {
            make.created = self.created.map(Millis::from_seconds);
            make.announcement.clone_from(&self.announcement);
            make.all_muted = self.all_muted;
            make.active = !self.inactive;
            if self.topics {
                make.labels.insert("tencent.support-topic".to_owned(), "1".to_owned());
            }
        });
        given.make(world).await;
    }
}
