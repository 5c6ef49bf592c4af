//! RongCloud's documented exchanges, replayed in the state that each requires: the response has everything the
//! documented one has, and what it has beyond that is pinned.

use std::collections::BTreeMap;

use async_trait::async_trait;
use conclave_core::model::{Circle, Join, Millis, Policy, Profile, Role};
use conclave_core::operation::{CreateGroup, NewMember, OnUnknown};
use conclave_kit::{Fault, Surface};
use conclave_tests::client::{Answer, Client};
use conclave_tests::fixture::Fixture;
use conclave_tests::given::GivenGroup;
use conclave_tests::house::{mounted, rong};
use conclave_tests::world::{World, group, user};
use http::Method;
use serde::Deserialize;
use serde_json::json;

async fn send(client: &Client, fixture: &Fixture) -> Answer {
    let headers: Vec<(&str, &str)> = fixture
        .request
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str().expect("a header is a text")))
        .collect();
    let method: Method = fixture.request.method.parse().expect("a method");
    let body = fixture.request.body.as_str().expect("a form").to_owned();
    client.send(method, &fixture.request.path, &headers, body).await
}

/// The response to a fault outside of the surface, as the gateway gives it.
fn failed(fault: Fault) -> Answer {
    let (parts, body) = rong(&World::new(), conclave_rong::Settings::default()).fault(fault).into_parts();
    Answer { status: parts.status, headers: parts.headers, body: body.bytes().expect("a whole body").clone() }
}

/// Replays one exchange in a world of its own.
async fn exchange(name: String) {
    let fixture = Fixture::read("rong", &name);
    let answer = match fixture.given.fault {
        Some(fault) => failed(fault.into()),
        None => replay(&name, &fixture).await,
    };
    fixture.assert_covers(&answer);
    assert_eq!(answer.headers["content-type"], "application/json; charset=utf-8");
    if let Some(body) = fixture.pinned(&answer) {
        insta::assert_json_snapshot!(name.as_str(), body);
    }
}

async fn replay(name: &str, fixture: &Fixture) -> Answer {
    let given = &fixture.given;
    let world = given.world();
    given.prepare::<RongGroup>(&world).await;
    let surface = rong(&world, given.settings(json!({"ext_keys": ["ext_k"]})));
    let before = world.commits();
    let answer = send(&mounted(surface), fixture).await;
    assert!(world.commits() <= before + 1, "{name}: what one call changes is one commit");
    answer
}

#[tokio::test]
async fn documented_exchanges() {
    let mut broken = Vec::new();
    for name in Fixture::names("rong") {
        // run separately, so that one run lists all failures
        if tokio::spawn(exchange(name.clone())).await.is_err() {
            broken.push(name);
        }
    }
    assert!(broken.is_empty(), "not as documented: {broken:#?}");
}

/// A group in a fixture.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RongGroup {
    id: String,
    /// Of a group without hosting; hosted ones have the documented profile.
    #[serde(default)]
    name: String,
    #[serde(default)]
    hosted: bool,
    owner: Option<String>,
    #[serde(default)]
    members: Vec<String>,
    #[serde(default)]
    admins: Vec<String>,
    capacity: Option<u32>,
    /// When it was created, in milliseconds.
    created: Option<u64>,
}

#[async_trait]
impl GivenGroup for RongGroup {
    async fn create(&self, world: &World) {
        let plain = self.members.iter().map(|id| NewMember::now(user(id)));
        let admins = self.admins.iter().map(|id| NewMember { role: Role::Admin, ..NewMember::now(user(id)) });
        let (profile, policy) = if self.hosted {
            (documented_profile(), Policy { capacity: self.capacity, ..hosted_policy() })
        } else {
            (Profile { name: self.name.clone(), ..Profile::default() }, Policy::standard())
        };
        let create = CreateGroup {
            id: Some(group(&self.id)),
            members: plain.chain(admins).collect(),
            profile,
            announcement: if self.hosted { "ann".to_owned() } else { String::new() },
            created: self.created.map(Millis),
            governed: self.hosted,
            on_unknown_owner: OnUnknown::Register,
            on_unknown_member: OnUnknown::Register,
            ..CreateGroup::new(self.owner.as_deref().map(user), policy)
        };
        world.run(create).await;
    }
}

/// A hosted group as the documentation describes it: `joinPerm` 1, `removePerm` 1, `memInvitePerm` 2.
fn hosted_policy() -> Policy {
    Policy {
        join: Join::Open,
        invite: Circle::Members,
        remove: Circle::Managers,
        edit_profile: Circle::Owner,
        edit_policy: Circle::Owner,
        ..Policy::standard()
    }
}

fn documented_profile() -> Profile {
    Profile {
        name: "group1".to_owned(),
        introduction: "intro".to_owned(),
        avatar: "http://example.com/g.png".to_owned(),
        fields: BTreeMap::from([("ext_k".to_owned(), "v".to_owned())]),
        ..Profile::default()
    }
}
