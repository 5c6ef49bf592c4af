//! What exists before a documented exchange: the `given` of its fixture.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use conclave_core::event::{Actor, ProfileChange};
use conclave_core::memory::Memory;
use conclave_core::model::{
    Body, Circle, FileId, Join, Millis, Profile, Receive, Role, Sender, Settings as Plan, TopicId, Traits, Until,
    UserId,
};
use conclave_core::operation::{
    AddFile, AddMembers, Allow, Apply, Appoint, AttributeChange, Block, Broadcast, Cleanup, CounterChange,
    DeleteMessagesBySender, Disband, ExtensionChange, Follow, ImportMessages, MakeTopic, MarkMembers, Mute,
    MuteEverywhere, NewMember, OldMessage, OnBlocked, OnFull, OnMember, OnUnknown, PolicyChange, Quiet, ReadMessages,
    SendMessage, SetDisabled, SetPushName, SetRemark, SpeakCheck, Transfer, UpdateCounters, UpdateGroup, UpdateMember,
    UpdateUser, WriteAttributes, WriteExtensions, WriteMemberAttributes,
};
use conclave_core::ports::GroupsExt;
use conclave_kit::{Fault, Platform};
use futures_util::stream;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::world::{BEGINNING, World, group, user};

/// The state that an exchange requires. Steps are done in order, as the app.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Given {
    /// When it begins, in milliseconds; otherwise when worlds begin.
    pub time: Option<u64>,
    /// Most groups of the realm.
    pub groups: Option<u32>,
    /// Most groups of a user.
    pub groups_per_user: Option<u32>,
    /// Settings of the vendor that differ from the suite's.
    pub settings: Map<String, Value>,
    /// The user whose token is sent.
    pub caller: Option<String>,
    /// Messages that were sent to the group within the same second.
    pub messages_this_second: u32,
    /// The request fails outside of the surface.
    pub fault: Option<GivenFault>,
    /// Accounts that are registered through the vendor's API, before the steps.
    pub accounts: Vec<GivenAccount>,
    /// What exists and has happened.
    pub steps: Vec<Value>,
}

/// A fault outside of the surface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GivenFault {
    /// The process is at a limit.
    Busy,
    /// Something is broken.
    Broken,
    /// The request took too long.
    TimedOut,
}

impl From<GivenFault> for Fault {
    fn from(fault: GivenFault) -> Self {
        match fault {
            GivenFault::Busy => Self::Busy,
            GivenFault::Broken => Self::Broken,
            GivenFault::TimedOut => Self::TimedOut,
        }
    }
}

/// An account with a password.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenAccount {
    /// The user.
    pub user: String,
    /// The password.
    pub password: String,
    /// The nickname.
    #[serde(default)]
    pub nickname: String,
    /// How many milliseconds pass afterwards.
    #[serde(default)]
    pub wait: u64,
}

/// A group as a vendor's documents describe groups.
#[async_trait]
pub trait GivenGroup: DeserializeOwned + Send + Sync {
    /// Creates it, with its members.
    async fn create(&self, world: &World);
}

/// Something that exists, or has happened.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Step<G> {
    /// A group.
    Group(Box<G>),
    /// Accounts.
    Users(Vec<String>),
    /// An account's nickname and avatar.
    Profile { user: String, nick: String, avatar: String },
    /// So many milliseconds pass.
    Wait(u64),
    /// Users are connected.
    Online(Vec<String>),
    /// A group was disbanded.
    Disbanded(String),
    /// A group is banned by the app.
    Disabled(String),
    /// A topic of a group, with this behind its prefix.
    Topic { group: String, part: String },
    /// A user joined, as a member or an admin.
    Joined {
        group: String,
        user: String,
        #[serde(default)]
        admin: bool,
    },
    /// A user was invited, and has not answered.
    Invited { group: String, user: String, by: String },
    /// A user asked to join.
    Applied { group: String, user: String, message: String },
    /// The group has another owner.
    Transferred { group: String, to: String },
    /// Admins, also while they are no members.
    Appointed { group: String, users: Vec<String> },
    /// Marks of a member.
    Marked { group: String, user: String, mark: u32 },
    /// Members are muted, for so many milliseconds or for ever.
    Muted { group: String, users: Vec<String>, millis: Option<u64> },
    /// All members are muted.
    AllMuted(String),
    /// Users are muted in all groups, for so many milliseconds.
    MutedEverywhere { users: Vec<String>, millis: u64 },
    /// Users are blocked for ever.
    Blocked { group: String, users: Vec<String> },
    /// Members are on the allowlist.
    Allowed { group: String, users: Vec<String> },
    /// The group has an announcement.
    Announced { group: String, text: String },
    /// The group was renamed.
    Renamed { group: String, name: String },
    /// Managers decide who joins.
    Approving(String),
    /// A member receives messages in this way.
    Receives { group: String, user: String, how: Way },
    /// A member's card, and the string beside it.
    Card {
        group: String,
        user: String,
        card: String,
        #[serde(default)]
        extra: Option<String>,
    },
    /// A member's custom fields.
    Fields { group: String, user: String, fields: BTreeMap<String, String> },
    /// Members' free attributes.
    MemberAttributes { group: String, users: Vec<String>, attributes: BTreeMap<String, String> },
    /// The group's attributes.
    Attributes { group: String, values: BTreeMap<String, String> },
    /// The group's counters.
    Counters { group: String, values: BTreeMap<String, i64> },
    /// A message was sent.
    Sent {
        group: String,
        by: String,
        text: String,
        #[serde(default)]
        topic: Option<String>,
        #[serde(default)]
        receipts: bool,
        #[serde(default)]
        extensible: bool,
    },
    /// Messages were imported.
    Imported { group: String, messages: Vec<Old> },
    /// All messages of a sender were deleted.
    Deleted { group: String, sender: String },
    /// A message was read.
    Read { group: String, user: String, sequence: u64 },
    /// Keys and values of a message were written at once.
    Extended { group: String, sequence: u64, pairs: BTreeMap<String, String> },
    /// So many broadcasts were sent.
    Broadcasts(u64),
    /// A file was shared; by the app, unless by a user.
    File {
        group: String,
        #[serde(default)]
        by: Option<String>,
        #[serde(default)]
        id: Option<String>,
        name: String,
        bytes: usize,
    },
    /// A member's name in push notifications.
    PushName { group: String, user: String, name: String },
    /// A user's name for the group.
    Remark { group: String, user: String, text: String },
    /// A member follows others.
    Follows { group: String, user: String, users: Vec<String> },
}

/// How a member receives messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Way {
    /// Without a notification.
    Silent,
    /// Not at all.
    Discard,
}

/// An imported message, so many times.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Old {
    by: String,
    /// In seconds.
    at: u64,
    #[serde(default)]
    text: String,
    /// The body as its vendor stores it, instead of a text.
    #[serde(default)]
    stored: Option<Stored>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default = "once")]
    times: usize,
}

fn once() -> usize {
    1
}

/// A body that only one vendor can read.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    vendor: String,
    content: Value,
}

impl Given {
    /// The world before the steps.
    pub fn world(&self) -> World {
        let plan = Plan { groups: self.groups, groups_per_user: self.groups_per_user, ..Plan::default() };
        World::at(self.time.map_or(BEGINNING, Millis), Arc::new(Memory::new()), plan)
    }

    /// The vendor's settings: the suite's, with the fixture's.
    pub fn settings<S: DeserializeOwned>(&self, of_suite: Value) -> S {
        let Value::Object(mut settings) = of_suite else { panic!("the suite's settings are an object") };
        settings.extend(self.settings.clone());
        serde_json::from_value(settings.into()).expect("settings of the vendor")
    }

    /// Performs the steps.
    pub async fn prepare<G: GivenGroup>(&self, world: &World) {
        for step in &self.steps {
            let parsed: Step<G> =
                serde_json::from_value(step.clone()).unwrap_or_else(|error| panic!("{step}: {error}"));
            perform(parsed, world).await;
        }
    }
}

fn users(ids: &[String]) -> Vec<UserId> {
    ids.iter().map(|id| user(id)).collect()
}

#[allow(clippy::too_many_lines, reason = "one arm for each step")]
async fn perform<G: GivenGroup>(step: Step<G>, world: &World) {
    match step {
        Step::Group(made) => made.create(world).await,
        Step::Users(ids) => world.users(&ids.iter().map(String::as_str).collect::<Vec<_>>()).await,
        Step::Profile { user: id, nick, avatar } => {
            world.run(UpdateUser { nick: Some(nick), avatar: Some(avatar), ..UpdateUser::of(user(&id)) }).await;
        }
        Step::Wait(millis) => world.clock.step(millis),
        Step::Online(ids) => ids.iter().for_each(|id| world.attendance.comes(id, Platform::Web)),
        Step::Disbanded(id) => drop(world.run(Disband { group: group(&id) }).await),
        Step::Disabled(id) => world.run(SetDisabled { group: group(&id), disabled: true }).await,
        Step::Topic { group: id, part } => {
            let make = MakeTopic {
                group: group(&id),
                id: Some(TopicId::new(format!("{id}@TOPIC#_{part}")).expect("an id")),
                prefix: String::new(),
                profile: Profile {
                    name: part,
                    introduction: "i".to_owned(),
                    avatar: "http://this.is.face.url".to_owned(),
                    custom: "custom".to_owned(),
                    ..Profile::default()
                },
                announcement: "n".to_owned(),
                created: Some(Millis::from_seconds(1_650_000_000)),
            };
            world.run(make).await;
        }
        Step::Joined { group: id, user: joined, admin } => {
            let role = if admin { Role::Admin } else { Role::Member };
            let member = NewMember { role, ..NewMember::now(user(&joined)) };
            let add = AddMembers { quiet: Quiet::Everybody, on_unknown: OnUnknown::Register, ..adding(&id, member) };
            world.run(add).await;
        }
        Step::Invited { group: id, user: invited, by } => {
            let invite = AddMembers { ask: true, ..adding(&id, NewMember::now(user(&invited))) };
            world.groups.run(&Actor::user(user(&by)), invite).await.expect("an invitation");
        }
        Step::Applied { group: id, user: by, message } => {
            world
                .run(Apply {
                    group: group(&id),
                    user: Some(user(&by)),
                    message,
                    labels: conclave_core::model::Labels::new(),
                    most: None,
                })
                .await;
        }
        Step::Transferred { group: id, to } => {
            world.run(Transfer { group: group(&id), to: user(&to), leave: None }).await;
        }
        Step::Appointed { group: id, users: ids } => {
            let (users, on_unknown) = (users(&ids), OnUnknown::Refuse);
            world.run(Appoint { group: group(&id), users, on_unknown, most: None }).await;
        }
        Step::Marked { group: id, user: marked, mark } => {
            let members = vec![(user(&marked), vec![mark])];
            world.run(MarkMembers { group: group(&id), members, on: true, most_kinds: None }).await;
        }
        Step::Muted { group: id, users: ids, millis } => {
            let until = millis.map_or(Until::Forever, |millis| Until::At(world.groups.now().plus(millis)));
            let (group, users) = (group(&id), users(&ids));
            world.run(Mute { group, users, until, members_only: false, spare_owner: false }).await;
        }
        Step::AllMuted(id) => {
            world.run(UpdateGroup { all_muted: Some(true), ..UpdateGroup::of(group(&id)) }).await;
        }
        Step::MutedEverywhere { users: ids, millis } => {
            let until = Some(Until::At(world.groups.now().plus(millis)));
            world.run(MuteEverywhere { users: users(&ids), until, most: None }).await;
        }
        Step::Blocked { group: id, users: ids } => {
            let (group, users, cleanup) = (group(&id), users(&ids), Cleanup::default());
            let (until, reason) = (Until::Forever, String::new());
            world.run(Block { group, users, until, reason, members_only: false, cleanup }).await;
        }
        Step::Allowed { group: id, users: ids } => {
            world.run(Allow { group: group(&id), users: users(&ids), members_only: false }).await;
        }
        Step::Announced { group: id, text } => {
            world.run(UpdateGroup { announcement: Some(text), ..UpdateGroup::of(group(&id)) }).await;
        }
        Step::Renamed { group: id, name } => {
            let profile = ProfileChange { name: Some(name), ..ProfileChange::default() };
            world.run(UpdateGroup { profile, ..UpdateGroup::of(group(&id)) }).await;
        }
        Step::Approving(id) => {
            let join = Some(Join::Approval(Circle::Managers));
            let policy = PolicyChange { join, ..PolicyChange::default() };
            world.run(UpdateGroup { policy, ..UpdateGroup::of(group(&id)) }).await;
        }
        other => member_or_message(other, world).await,
    }
}

/// The steps about single members and messages.
#[allow(clippy::too_many_lines, reason = "one arm for each step")]
async fn member_or_message<G: GivenGroup>(step: Step<G>, world: &World) {
    match step {
        Step::Receives { group: id, user: member, how } => {
            let receive = match how {
                Way::Silent => Receive::Silent,
                Way::Discard => Receive::Discard,
            };
            let update = UpdateMember { receive: Some(receive), ..UpdateMember::of(group(&id), user(&member)) };
            world.run(update).await;
        }
        Step::Card { group: id, user: member, card, extra } => {
            world.run(UpdateMember { card: Some(card), extra, ..UpdateMember::of(group(&id), user(&member)) }).await;
        }
        Step::Fields { group: id, user: member, fields } => {
            world.run(UpdateMember { fields, ..UpdateMember::of(group(&id), user(&member)) }).await;
        }
        Step::MemberAttributes { group: id, users: ids, attributes } => {
            let changes = users(&ids).into_iter().map(|user| (user, attributes.clone())).collect();
            let write = WriteMemberAttributes { group: group(&id), changes, most: None, most_bytes: None };
            world.run(write).await;
        }
        Step::Attributes { group: id, values } => {
            let (group, change) = (group(&id), AttributeChange::Set(values));
            world.run(WriteAttributes { group, change, expected: None, most: None, most_bytes: None }).await;
        }
        Step::Counters { group: id, values } => {
            let changes = values.into_iter().map(|(key, value)| (key, CounterChange::Set(value))).collect();
            world.run(UpdateCounters { group: group(&id), changes, most: None }).await;
        }
        Step::Sent { group: id, by, text, topic, receipts, extensible } => {
            let traits = Traits { receipts, extensible, ..Traits::default() };
            let send = SendMessage::new(group(&id), Sender::User(user(&by)), Body::Text(text));
            let send = SendMessage { traits, ..send };
            match topic {
                None => drop(world.run(send).await),
                Some(part) => {
                    let topic = TopicId::new(format!("{id}@TOPIC#_{part}")).expect("an id");
                    world.groups.run_in(&Actor::app(), &topic, send).await.expect("a message");
                }
            }
        }
        Step::Imported { group: id, messages } => {
            let messages = messages.iter().flat_map(|old| std::iter::repeat_n(old.message(), old.times)).collect();
            world.run(ImportMessages { group: group(&id), messages }).await;
        }
        Step::Deleted { group: id, sender } => {
            world.run(DeleteMessagesBySender { group: group(&id), sender: user(&sender), among: 1000 }).await;
        }
        Step::Read { group: id, user: reader, sequence } => {
            let (group, user, sequences) = (group(&id), user(&reader), vec![sequence]);
            world.run(ReadMessages { group, user, sequences, note: String::new(), most_members: None }).await;
        }
        Step::Extended { group: id, sequence, pairs } => {
            let change = |(key, value)| ExtensionChange { key, value: Some(value), seen: None };
            let changes = pairs.into_iter().map(change).collect();
            world
                .run(WriteExtensions {
                    group: group(&id),
                    sequence,
                    clear: false,
                    changes,
                    most: None,
                    check: SpeakCheck::Skipped,
                })
                .await;
        }
        Step::Broadcasts(number) => {
            for token in 0..number {
                let broadcast = Broadcast {
                    groups: Vec::new(),
                    sender: Sender::App,
                    body: Body::Text("to all".to_owned()),
                    token: token.to_string(),
                    labels: BTreeMap::new(),
                    part: None,
                    next: None,
                };
                world.run(broadcast).await;
            }
        }
        Step::File { group: id, by, id: file, name, bytes } => {
            let content = Box::pin(stream::iter([Ok(vec![b'x'; bytes].into())]));
            let blob = world.blobs.put(content, u64::MAX).await.expect("kept bytes").id;
            let add = AddFile {
                group: group(&id),
                id: file.map(|file| FileId::new(file).expect("an id")),
                name,
                media_type: "image/jpeg".to_owned(),
                size: bytes as u64,
                expires: None,
                secret: None,
                blob,
                most: None,
            };
            let actor = by.map_or_else(Actor::app, |by| Actor::user(user(&by)));
            world.groups.run(&actor, add).await.expect("a shared file");
        }
        Step::PushName { group: id, user: member, name } => {
            world.run(SetPushName { group: group(&id), user: user(&member), name }).await;
        }
        Step::Remark { group: id, user: member, text } => {
            world.run(SetRemark { group: group(&id), user: user(&member), text }).await;
        }
        Step::Follows { group: id, user: member, users: ids } => {
            world.run(Follow { group: group(&id), user: user(&member), users: users(&ids), most: None }).await;
        }
        _ => unreachable!("steps about groups are performed before"),
    }
}

/// An addition of one member, refused if anything is in the way.
fn adding(id: &str, member: NewMember) -> AddMembers {
    AddMembers {
        group: group(id),
        members: vec![member],
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

impl Old {
    fn message(&self) -> OldMessage {
        let body = match &self.stored {
            None => Body::Text(self.text.clone()),
            Some(Stored { vendor, content }) => Body::Foreign {
                label: vendor.clone(),
                raw: content.to_string(),
                fallback: String::new(),
                content: None,
            },
        };
        let (sender, at) = (Sender::User(user(&self.by)), Millis::from_seconds(self.at));
        OldMessage { sender, at, body, labels: self.labels.clone() }
    }
}
