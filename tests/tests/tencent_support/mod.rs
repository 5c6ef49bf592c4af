//! Shared by the suites of Tencent's server API: a surface over a world, calls, and the groups that exchanges require.

#![allow(dead_code, reason = "each suite uses its own part")]

use std::collections::BTreeMap;

use conclave_core::event::Actor;
use conclave_core::model::{Labels, Millis, Policy, Profile, Role};
use conclave_core::operation::{CreateGroup, NewMember};
use conclave_core::ports::GroupsExt;
use conclave_tencent::{Credentials, Settings, Tencent, TencentRealm, user_sig};
use conclave_tests::client::{Answer, Client};
use conclave_tests::house::credentials::{ADMIN, SDKAPPID, SECRET_KEY};
use conclave_tests::house::mounted;
use conclave_tests::world::{BEGINNING, World, group, user};
use http::Method;
use serde_json::Value;

/// One app of the vendor over a world.
pub fn realm(world: &World, sdkappid: u32, settings: Settings) -> TencentRealm {
    let credentials = Credentials { sdkappid, secret_key: SECRET_KEY.to_owned(), admins: vec![ADMIN.to_owned()] };
    let (groups, log, presence) = (world.groups.clone(), world.log.clone(), world.attendance.clone());
    let (name, blobs) = (format!("realm-{sdkappid}"), world.blobs.clone());
    TencentRealm { name, credentials, settings, groups, log, blobs, presence }
}

/// A client of the app, and of a second app with the next id.
pub fn client(world: &World, settings: Settings) -> Client {
    let other = World::new();
    let realms = vec![realm(world, SDKAPPID, settings), realm(&other, SDKAPPID + 1, Settings::default())];
    mounted(Tencent::new(realms).expect("a surface"))
}

/// The settings under which the custom fields of the documented exchanges are configured.
pub fn with_custom_keys() -> Settings {
    let keys = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
    Settings {
        group_keys: keys(&["GroupTestData1", "GroupTestData2"]),
        member_keys: keys(&["MemberDefined1", "MemberDefined2", "MemberDefined3"]),
        ..Settings::default()
    }
}

/// The query of a call by the admin.
pub fn query() -> String {
    let sig = user_sig(SDKAPPID, SECRET_KEY, ADMIN, BEGINNING.seconds(), 86_400);
    format!("sdkappid={SDKAPPID}&identifier={ADMIN}&usersig={sig}&random=1&contenttype=json")
}

/// One command by the admin, e.g. `group_open_http_svc/create_group`.
pub async fn call(client: &Client, command: &str, body: &Value) -> Value {
    let target = format!("/v4/{command}?{}", query());
    let answer = client.send(Method::POST, &target, &[("content-type", "application/json")], body.to_string()).await;
    body_of(&answer)
}

/// A command of the group service.
pub async fn group_call(client: &Client, command: &str, body: Value) -> Value {
    call(client, &format!("group_open_http_svc/{command}"), &body).await
}

/// The body of a response, after checking its envelope.
pub fn body_of(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "every answer of this vendor is http 200");
    assert_eq!(answer.headers["content-type"], "application/json");
    let body = answer.json();
    let good = body["ErrorCode"] == 0;
    assert_eq!(body["ActionStatus"], if good { "OK" } else { "FAIL" }, "{body}");
    assert!(body["ErrorInfo"].is_string(), "{body}");
    // some services have an `ErrorInfo` for success
    assert_eq!(["", "ok", "succeed"].iter().any(|word| body["ErrorInfo"] == *word), good, "{body}");
    body
}

/// A group that exists before the first call.
pub struct Given {
    make: CreateGroup,
}

impl Given {
    /// With this type (as the vendor names it) and owner ("" is none).
    pub fn new(id: &str, kind: &str, owner: &str) -> Self {
        let owner = (!owner.is_empty()).then(|| user(owner));
        let mut make = CreateGroup::new(owner, Policy { capacity: Some(200), ..Policy::standard() });
        make.id = Some(group(id));
        make.labels = Labels::from([("tencent.type".to_owned(), kind.to_owned())]);
        Self { make }.named("TestGroup")
    }

    /// With this name.
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.make.profile.name);
        self
    }

    /// With these members.
    pub fn members(mut self, ids: &[&str]) -> Self {
        self.make.members.extend(ids.iter().map(|id| NewMember::now(user(id))));
        self
    }

    /// With this admin.
    pub fn admin(mut self, id: &str) -> Self {
        self.make.members.push(NewMember { role: Role::Admin, ..NewMember::now(user(id)) });
        self
    }

    /// Created at this Unix second, with all members joined then.
    pub fn made(mut self, second: u64) -> Self {
        let at = Millis::from_seconds(second);
        self.make.created = Some(at);
        for member in &mut self.make.members {
            member.joined = Some(at);
        }
        self
    }

    /// With these custom fields of every member except the owner.
    pub fn member_fields(mut self, fields: &[(&str, &str)]) -> Self {
        for member in &mut self.make.members {
            member.fields = pairs(fields);
        }
        self
    }

    /// With a changed profile.
    pub fn profile(mut self, change: impl FnOnce(&mut Profile)) -> Self {
        change(&mut self.make.profile);
        self
    }

    /// With a changed policy.
    pub fn policy(mut self, change: impl FnOnce(&mut Policy)) -> Self {
        change(&mut self.make.policy);
        self
    }

    /// With any other change.
    pub fn with(mut self, change: impl FnOnce(&mut CreateGroup)) -> Self {
        change(&mut self.make);
        self
    }

    /// Creates it.
    pub async fn make(self, world: &World) {
        world.groups.run(&Actor::app(), self.make).await.expect("a group");
    }
}

/// Fields by key.
pub fn pairs(fields: &[(&str, &str)]) -> BTreeMap<String, String> {
    fields.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}
