//! The frames of each event, pinned: every operation on a group, in a group's life, with who receives what.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use conclave_core::event::ProfileChange;
use conclave_core::model::{Body, Circle, Join, Receive, Sender, Traits, Until};
use conclave_core::operation::{
    AddFile, AddMembers, Allow, AnswerInvitation, Apply, Block, ChangeMessage, Cleanup, DecideRequest, Demote,
    Disallow, Disband, Leave, Mute, OnBlocked, OnFull, OnMember, OnOutsider, OnUnknown, PinMessage, PolicyChange,
    Promote, Quiet, ReadMessages, RecallMessages, RemoveFile, RemoveMembers, SendMessage, SetDisabled, Transfer,
    Unblock, Unmute, UpdateMember, WriteMemberAttributes,
};
use conclave_core::ports::Typed;
use conclave_kit::Recipients;
use serde_json::Value;

use super::*;

/// A house whose events are pinned as frames.
struct Film {
    house: House,
    after: u64,
    frames: Vec<String>,
}

impl Film {
    async fn by<O: Typed>(&mut self, name: &str, who: &str, operation: O) -> O::Reply {
        let actor = Actor::User { user: user(who), device: Some("agora:phone".to_owned()) };
        self.run(name, &actor, operation).await
    }

    async fn run<O: Typed>(&mut self, name: &str, actor: &Actor, operation: O) -> O::Reply {
        let reply = self.house.groups.run(actor, operation).await.unwrap();
        let events = Log::read(&*self.house.groups, self.after, 100).await.unwrap();
        let mut sent = Vec::new();
        for event in events {
            self.after = event.sequence;
            for fact in self.house.clients.project("test", &event).await.unwrap() {
                let news = &fact.content.news;
                sent.push(format!("  {} to {}", item(&news.meta), recipients(&fact.to)));
            }
        }
        if sent.is_empty() {
            sent.push("  nothing".to_owned());
        }
        self.frames.push(format!("{name}\n{}", sent.join("\n")));
        reply
    }
}

/// An item without what is the same in all: the group, and what is empty.
fn item(meta: &Meta) -> String {
    let mut out = format!("ns {}", meta.ns.unwrap());
    let payload = meta.payload.clone().unwrap();
    let jid = |jid: &Jid| {
        let resource = jid.client_resource.as_deref().map(|resource| format!("/{resource}")).unwrap_or_default();
        format!("{}{resource}", jid.name.as_deref().unwrap_or("-"))
    };
    let mut put = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            let _ = write!(out, " {name}={value}");
        }
    };
    put("from", meta.from.as_ref().map(jid));
    put("to", meta.to.as_ref().map(jid));
    put(
        "id",
        meta.id.map(|id| if id > 1 << 40 { "[id]".to_owned() } else { format!("{}.{}", id >> KEY_BITS, id & ITEM) }),
    );
    put("meta", meta.meta.as_ref().map(|meta| String::from_utf8(meta.to_vec()).unwrap()));
    if meta.ns == Some(ns::MUC) {
        let body = MucBody::decode(payload).unwrap();
        put("operation", body.operation.map(|operation| operation.to_string()));
        put("by", body.from.as_ref().map(jid));
        put("about", Some(body.to.iter().map(jid).collect::<Vec<_>>().join(",")).filter(|list| !list.is_empty()));
        put("members", Some(body.members.join(",")).filter(|list| !list.is_empty()));
        put("count", body.muc_member_count.map(|count| count.to_string()));
        put("name", body.muc_name);
        put("reason", body.reason);
        put("ext", body.ext);
        put("event_info", body.event_info.and_then(|info| info.ext));
    } else if meta.ns == Some(ns::NOTIFY) {
        let mut notice: Value = serde_json::from_slice(&payload).unwrap();
        notice["data"]["ext"] = "[id]".into();
        put("notice", Some(notice.to_string()));
    } else {
        let body = MessageBody::decode(payload).unwrap();
        put("type", body.r#type.map(|kind| kind.to_string()));
        put("by", body.from.as_ref().map(jid));
        put("text", body.contents.first().and_then(|content| content.text.clone()));
        put("about", body.ack_message_id.or(body.edit_message_id).map(|_| "[id]".to_owned()));
        put("says", body.ack_content);
        put("receipts", body.msg_config.map(|config| format!("{:?}", config.allow_group_ack)));
        put("edit", body.meta.map(|meta| meta.chars().take(40).collect()));
    }
    out
}

fn recipients(to: &Recipients) -> String {
    let names = |users: &[UserId]| users.iter().map(UserId::as_str).collect::<Vec<_>>().join(",");
    let mut out = to.members.map(|members| format!("{members:?} ")).unwrap_or_default();
    if !to.users.is_empty() {
        let _ = write!(out, "users {} ", names(&to.users));
    }
    if !to.except_users.is_empty() {
        let _ = write!(out, "but {} ", names(&to.except_users));
    }
    if to.except_acting_device {
        out += "but the acting device";
    }
    out.trim_end().to_owned()
}

fn g() -> GroupId {
    GroupId::new("g").unwrap()
}

fn users(ids: &[&str]) -> Vec<UserId> {
    ids.iter().map(|id| user(id)).collect()
}

fn add(ids: &[&str], ask: bool) -> AddMembers {
    AddMembers {
        group: g(),
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
    UpdateGroup::of(g())
}

fn decide(who: &str, accept: bool) -> DecideRequest {
    DecideRequest { group: g(), user: user(who), inviter: None, accept, reason: "because".to_owned(), most: None }
}

fn answer(who: &str, accept: bool) -> AnswerInvitation {
    AnswerInvitation {
        group: g(),
        user: user(who),
        inviter: Some(user("ann")),
        accept,
        reason: String::new(),
        most: None,
    }
}

async fn coming(film: &mut Film) {
    let create = CreateGroup {
        id: Some(g()),
        members: vec![NewMember::now(user("ben"))],
        ..CreateGroup::new(Some(user("ann")), Policy::standard())
    };
    film.by("create", "ann", create).await;
    film.run("add two by the app", &Actor::app(), add(&["cid", "dee"], false)).await;
    let remove = RemoveMembers {
        group: g(),
        users: users(&["cid", "dee"]),
        reason: String::new(),
        cleanup: Cleanup::default(),
        quiet: Quiet::Nobody,
        on_outsider: OnOutsider::Refuse,
        skip_owner: false,
    };
    film.by("remove two", "ann", remove).await;
    let approval = PolicyChange {
        join: Some(Join::Approval(Circle::Managers)),
        invitee_consent: Some(true),
        ..PolicyChange::default()
    };
    film.by("flags", "ann", UpdateGroup { policy: approval, ..update() }).await;
    let apply = Apply {
        group: g(),
        user: None,
        message: "please".to_owned(),
        labels: conclave_core::model::Labels::new(),
        most: None,
    };
    film.by("apply", "cid", apply.clone()).await;
    film.by("refuse", "ann", decide("cid", false)).await;
    film.by("apply again", "cid", apply).await;
    film.by("accept", "ann", decide("cid", true)).await;
    film.by("invite", "ann", add(&["dee"], true)).await;
    film.by("decline", "dee", answer("dee", false)).await;
    film.by("invite again", "ann", add(&["dee"], true)).await;
    film.by("agree", "dee", answer("dee", true)).await;
    let leave = Leave {
        group: g(),
        users: users(&["dee"]),
        cleanup: Cleanup::default(),
        on_outsider: OnOutsider::Refuse,
        keep_owner: false,
    };
    film.by("leave", "dee", leave).await;
}

async fn changing(film: &mut Film) {
    let profile = ProfileChange {
        name: Some("Readers".to_owned()),
        introduction: Some("who read".to_owned()),
        avatar: Some("a".to_owned()),
        custom: Some("c".to_owned()),
        ..ProfileChange::default()
    };
    film.by("texts", "ann", UpdateGroup { profile, ..update() }).await;
    for (name, text) in [("announcement", "hello"), ("announcement removed", "")] {
        film.by(name, "ann", UpdateGroup { announcement: Some(text.to_owned()), ..update() }).await;
    }
    for (name, disabled) in [("disable", true), ("enable", false)] {
        film.run(name, &Actor::app(), SetDisabled { group: g(), disabled }).await;
    }
    let file = AddFile {
        group: g(),
        id: None,
        name: "minutes.txt".to_owned(),
        media_type: String::new(),
        size: 12,
        expires: None,
        secret: None,
        blob: "blob".to_owned(),
        most: None,
    };
    let file = film.by("share a file", "ben", file).await.0.id;
    film.by("delete the file", "ben", RemoveFile { group: g(), file }).await;
    let attributes = WriteMemberAttributes {
        group: g(),
        changes: vec![(user("ben"), [("mood".to_owned(), "good".to_owned())].into())],
        most: None,
        most_bytes: None,
    };
    film.by("attributes", "ben", attributes).await;
}

async fn moderating(film: &mut Film) {
    let promote = Promote { group: g(), users: users(&["ben"]), most: None, on_outsider: OnOutsider::Refuse };
    film.by("promote", "ann", promote).await;
    let mute =
        Mute { group: g(), users: users(&["cid"]), until: Until::Forever, members_only: true, spare_owner: true };
    film.by("mute", "ben", mute).await;
    film.by("unmute", "ben", Unmute { group: g(), users: users(&["cid"]) }).await;
    film.by("demote", "ann", Demote { group: g(), users: users(&["ben"]), skip_others: false }).await;
    for (name, muted) in [("mute all", true), ("unmute all", false)] {
        film.by(name, "ann", UpdateGroup { all_muted: Some(muted), ..update() }).await;
    }
    film.by("allow", "ann", Allow { group: g(), users: users(&["cid"]), members_only: true }).await;
    film.by("disallow", "ann", Disallow { group: g(), users: users(&["cid"]) }).await;
    let block = Block {
        group: g(),
        users: users(&["cid"]),
        until: Until::Forever,
        reason: String::new(),
        members_only: true,
        cleanup: Cleanup::default(),
    };
    film.by("block", "ann", block).await;
    film.by("unblock", "ann", Unblock { group: g(), users: users(&["cid"]) }).await;
    for (name, receive) in [("shield", Receive::Discard), ("unshield", Receive::Notify)] {
        let change = UpdateMember { receive: Some(receive), ..UpdateMember::of(g(), user("ben")) };
        film.by(name, "ben", change).await;
    }
}

async fn talking(film: &mut Film) {
    let text = |text: &str| SendMessage::new(g(), Sender::User(user("ann")), Body::Text(text.to_owned()));
    let traits = Traits { receipts: true, ..Traits::default() };
    let sent = film.by("message", "ann", SendMessage { traits, ..text("hello") }).await;
    let sequence = sent.message.sequence;
    film.by("message to those online", "ann", SendMessage { stored: false, ..text("now") }).await;
    film.by("message to some", "ann", SendMessage { targets: users(&["ben"]), ..text("only ben") }).await;
    let read = ReadMessages {
        group: g(),
        user: user("ben"),
        sequences: vec![sequence],
        note: "seen".to_owned(),
        most_members: None,
    };
    film.by("read", "ben", read).await;
    let change = ChangeMessage {
        group: g(),
        sequence,
        body: Some(Body::Text("again".to_owned())),
        labels: BTreeMap::new(),
        edits: None,
    };
    film.by("edit", "ann", change).await;
    for (name, pinned) in [("pin", true), ("unpin", false)] {
        film.by(name, "ben", PinMessage { group: g(), sequence, pinned, most: 20 }).await;
    }
    let recall = RecallMessages { group: g(), sequences: vec![sequence], reason: String::new() };
    film.by("recall", "ann", recall).await;
}

#[tokio::test]
async fn the_frames_of_every_event_are_these() {
    let house = house().await;
    let register = RegisterUsers {
        users: ["cid", "dee"].map(|id| NewUser::of(user(id))).into(),
        on_existing: OnExisting::Skip,
        folded: false,
    };
    house.groups.run(&Actor::app(), register).await.unwrap();
    let after = house.groups.last().await.unwrap();
    let mut film = Film { house, after, frames: Vec::new() };
    coming(&mut film).await;
    changing(&mut film).await;
    moderating(&mut film).await;
    talking(&mut film).await;
    film.by("transfer", "ann", Transfer { group: g(), to: user("ben"), leave: None }).await;
    film.by("destroy", "ben", Disband { group: g() }).await;
    insta::assert_snapshot!(film.frames.join("\n"));
}
