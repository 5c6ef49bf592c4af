//! An app at Agora over a world, its tokens, and the groups that the documented exchanges require.

#![allow(dead_code, unreachable_pub, reason = "each suite uses its own part")]

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use conclave_agora::{Agora, AgoraRealm, Credentials, Settings};
use conclave_core::model::{Circle, Group, Join, Millis, Policy, Profile};
use conclave_core::operation::{
    AddMembers, CreateGroup, NewMember, OnBlocked, OnFull, OnMember, OnOutsider, OnUnknown, Promote, Quiet, Transfer,
};
use conclave_tests::client::{Answer, Client};
use conclave_tests::world::{World, group, user};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use serde_json::{Value, json};
use sha2::Sha256;

/// Where the surface is mounted: the host of the documented examples.
pub const BASE: &str = "https://chat.example.com";
/// The id of `007` tokens.
pub const APP_ID: &str = "970CA35de60c44645bbae8a215061b33";
/// The certificate of `007` tokens.
pub const CERTIFICATE: &str = "5CFd2fd1755d40ecb72977518be15d3b";

/// The client secret of the other app.
pub const OTHER_SECRET: &str = "YXA6_CLIENT_SECRET_OF_ANOTHER_APP";

/// The app of the documented examples.
pub fn realm(world: &World, settings: Settings) -> AgoraRealm {
    AgoraRealm {
        name: "test".to_owned(),
        credentials: Credentials {
            org: "acme".to_owned(),
            app: "demo".to_owned(),
            client_id: "YXA6_CLIENT_ID".to_owned(),
            client_secret: "YXA6_CLIENT_SECRET_OF_THE_VENDOR".to_owned(),
            app_id: Some(APP_ID.to_owned()),
            app_certificate: Some(CERTIFICATE.to_owned()),
        },
        settings,
        groups: world.groups.clone(),
        log: world.log.clone(),
        blobs: world.blobs.clone(),
        presence: world.attendance.clone(),
    }
}

/// Another app over the same groups.
pub fn other_realm(world: &World) -> AgoraRealm {
    let mut realm = realm(world, Settings::default());
    "other".clone_into(&mut realm.name);
    "other".clone_into(&mut realm.credentials.app);
    OTHER_SECRET.clone_into(&mut realm.credentials.client_secret);
    realm
}

/// A client of both apps.
pub fn client(world: &World, settings: Settings) -> Client {
    let agora = Agora::new(vec![realm(world, settings), other_realm(world)]).expect("a surface");
    Client::of(agora, BASE)
}

/// Sends a JSON body (none when `null`) with a bearer token (none when "").
pub async fn call(client: &Client, method: Method, target: &str, token: &str, body: Value) -> Answer {
    let bearer = format!("Bearer {token}");
    let mut headers = vec![("content-type", "application/json")];
    if !token.is_empty() {
        headers.push(("authorization", bearer.as_str()));
    }
    let body = if body.is_null() { String::new() } else { body.to_string() };
    client.send(method, target, &headers, body).await
}

/// An app token of `acme/demo`.
pub async fn app_token(client: &Client) -> String {
    token(client, "demo", "YXA6_CLIENT_SECRET_OF_THE_VENDOR", json!(0)).await
}

/// An app token of this app of `acme`.
pub async fn token(client: &Client, app: &str, secret: &str, ttl: Value) -> String {
    let body = json!({
        "grant_type": "client_credentials", "client_id": "YXA6_CLIENT_ID", "client_secret": secret, "ttl": ttl,
    });
    let answer = call(client, Method::POST, &format!("/acme/{app}/token"), "", body).await;
    answer.json()["access_token"].as_str().expect("a token").to_owned()
}

/// A token of this user of `acme/demo`.
pub async fn user_token(client: &Client, name: &str) -> String {
    let app = app_token(client).await;
    let body = json!({"grant_type": "inherit", "username": name, "autoCreateUser": true});
    let answer = call(client, Method::POST, "/acme/demo/token", &app, body).await;
    answer.json()["access_token"].as_str().expect("a token").to_owned()
}

/// A `007` token as the vendor's published generator builds it: for a user, or ("") for the app.
pub fn access_token(user: &str, issued: Millis, life: u32) -> String {
    fn text(out: &mut Vec<u8>, bytes: &[u8]) {
        out.extend_from_slice(&u16::try_from(bytes.len()).expect("short").to_le_bytes());
        out.extend_from_slice(bytes);
    }
    fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any key");
        mac.update(message);
        mac.finalize().into_bytes().to_vec()
    }
    let issued = u32::try_from(issued.seconds()).expect("before 2106");
    let mut info = Vec::new();
    text(&mut info, APP_ID.as_bytes());
    for number in [issued, life, 1] {
        info.extend_from_slice(&number.to_le_bytes());
    }
    let privilege: u16 = if user.is_empty() { 2 } else { 1 };
    for number in [1, 5, 1, privilege] {
        info.extend_from_slice(&number.to_le_bytes());
    }
    info.extend_from_slice(&life.to_le_bytes());
    text(&mut info, user.as_bytes());
    let inner = hmac(&issued.to_le_bytes(), CERTIFICATE.as_bytes());
    let mut bytes = Vec::new();
    text(&mut bytes, &hmac(&hmac(&1_u32.to_le_bytes(), &inner), &info));
    bytes.extend_from_slice(&info);
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
    zlib.write_all(&bytes).expect("memory");
    format!("007{}", STANDARD.encode(zlib.finish().expect("memory")))
}

/// An addition by the app, refused as a whole if any user is refused.
pub fn adding(id: &str, members: Vec<NewMember>) -> AddMembers {
    AddMembers {
        group: group(id),
        members,
        ask: false,
        message: String::new(),
        quiet: Quiet::Nobody,
        on_unknown: OnUnknown::Refuse,
        on_member: OnMember::Refuse,
        on_blocked: OnBlocked::Refuse,
        on_full: OnFull::Refuse,
        most: None,
    }
}

/// A group to begin a test with.
#[derive(Debug, Clone)]
pub struct Setting<'s> {
    /// Its id.
    pub id: &'s str,
    /// Its name.
    pub name: &'s str,
    /// Its final owner.
    pub owner: &'s str,
    /// All members, in the order of joining; the first creates it.
    pub members: &'s [&'s str],
    /// Its admins.
    pub admins: &'s [&'s str],
    /// Its avatar.
    pub avatar: &'s str,
    /// Whether it is in public lists.
    pub public: bool,
    /// Most members.
    pub capacity: u32,
}

impl Setting<'_> {
    /// The group of the documented examples: owned by user1, with user2 and user3.
    pub fn documented() -> Self {
        Self {
            id: "66016455491585",
            name: "testgroup1",
            owner: "user1",
            members: &["user1", "user2", "user3"],
            admins: &[],
            avatar: "https://www.example.com/image",
            public: true,
            capacity: 200,
        }
    }

    /// Creates it through the core, advancing the clock by a second for each step.
    pub async fn make(&self, world: &World) -> Group {
        let policy = Policy {
            join: if self.public { Join::Open } else { Join::Closed },
            invite: if self.public { Circle::Managers } else { Circle::Members },
            invitee_consent: true,
            found_while_closed: false,
            capacity: Some(self.capacity),
            ..Policy::standard()
        };
        let profile = Profile {
            name: self.name.to_owned(),
            introduction: self.name.to_owned(),
            avatar: self.avatar.to_owned(),
            ..Profile::default()
        };
        world.users(self.members).await;
        let (maker, others) = self.members.split_first().expect("a first member");
        // the stored flag of a private group, which has no effect on it
        let labels = [("agora.membersonly".to_owned(), "false".to_owned())];
        let create = CreateGroup {
            id: Some(group(self.id)),
            profile,
            labels: labels.into_iter().filter(|_| !self.public).collect(),
            ..CreateGroup::new(Some(user(maker)), policy)
        };
        let made = world.run(create).await.group;
        for other in others {
            world.clock.step(1000);
            let members = vec![NewMember::now(user(other))];
            world.run(adding(self.id, members)).await;
        }
        if self.owner != *maker {
            world.run(Transfer { group: group(self.id), to: user(self.owner), leave: None }).await;
        }
        if !self.admins.is_empty() {
            let users = self.admins.iter().map(|id| user(id)).collect();
            world.run(Promote { group: group(self.id), users, most: None, on_outsider: OnOutsider::Refuse }).await;
        }
        world.clock.step(1000);
        made
    }
}
