//! Tables of events and their operations: which, about whom, and who receives each.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use conclave_core::event::{Actor, Audience, CallPart};
use conclave_core::model::{GroupId, Millis, RequestKind, Stage, Verdict};
use conclave_kit::MemberFilter;

use super::*;

fn user(id: &str) -> UserId {
    UserId::new(id).unwrap()
}

fn users(ids: &[&str]) -> Vec<UserId> {
    ids.iter().map(|id| user(id)).collect()
}

fn group_of_ann() -> Group {
    Group {
        id: GroupId::new("1").unwrap(),
        revision: 1,
        profile: Profile::default(),
        announcement: None,
        owner: Some(user("ann")),
        creator: None,
        governed: true,
        policy: Policy::standard(),
        labels: BTreeMap::new(),
        created: Millis(1),
        changed: Millis(1),
        profile_changed: Millis(1),
        profile_revision: 0,
        members: 3,
        admins: 0,
        next_seat: 3,
        next_message: 1,
        first_message: 1,
        last_message: None,
        all_muted: false,
        disabled: false,
        active: true,
        asked: false,
        appointed: Vec::new(),
        marks: BTreeMap::new(),
        topics: 0,
        topic_messages: 0,
        pins: Vec::new(),
    }
}

/// An event caused by a user on their phone.
fn event(by: &str, what: Happening) -> Event {
    let group = group_of_ann().id;
    let named = what.about().into_iter().cloned().collect();
    Event {
        sequence: 7,
        part: CallPart::WHOLE,
        at: Millis(1),
        group: Some(group.clone()),
        number: None,
        actor: Actor::User { user: user(by), device: Some("phone".to_owned()) },
        audience: Audience { members_of: Some(group), users: named, silent: false },
        what,
    }
}

/// Short notation of recipients.
fn to(recipients: &Recipients) -> String {
    let mut parts = Vec::new();
    parts.extend(recipients.members.map(|members| match members {
        MemberFilter::All => "members".to_owned(),
        MemberFilter::Managers => "managers".to_owned(),
    }));
    parts.extend(recipients.users.iter().map(|user| format!("+{user}")));
    parts.extend(recipients.except_users.iter().map(|user| format!("-{user}")));
    parts.extend(recipients.except_acting_device.then(|| " (other devices)".to_owned()));
    parts.concat()
}

/// The operations of an event: name, from, about, recipients.
fn shown(event: &Event) -> Vec<String> {
    let group = group_of_ann();
    let facts = facts([event], &group, &Settings::default());
    let operations = facts.iter().flat_map(|fact| fact.operations(&group)).collect::<Vec<_>>();
    let push = |push: &Push<'_>| {
        let about: Vec<&str> = push.about.iter().map(|user| user.as_str()).collect();
        let from = push.from.map_or("-", UserId::as_str);
        format!("{} {from}>{} to {}", push.operation.word(), about.join(","), to(&push.to))
    };
    operations.iter().map(push).collect()
}

fn request(kind: RequestKind, stage: Stage) -> Happening {
    let verdict = (!stage.is_open()).then(|| Verdict { by: None, at: Millis(1), reason: String::new() });
    Happening::RequestChanged(Box::new(Request {
        group: group_of_ann().id,
        user: user("dan"),
        inviter: (kind == RequestKind::Invitation).then(|| user("ben")),
        kind,
        stage,
        message: String::new(),
        filed: Millis(1),
        expires: Millis(9),
        verdict,
        labels: conclave_core::model::Labels::new(),
    }))
}

/// An event about a request reaches the parties and those who decide.
fn request_event(by: &str, what: Happening) -> Event {
    let Happening::RequestChanged(request) = &what else { unreachable!("it is a request") };
    let unaware = request.inviter.is_some() && request.stage == Stage::AwaitsManagers;
    let invitee = (!unaware).then(|| request.user.clone());
    let users = request.inviter.clone().into_iter().chain(invitee).chain([user("ann")]).collect();
    let audience = Audience { members_of: None, users, silent: false };
    Event { audience, actor: Actor::user(user(by)), ..event(by, what) }
}

#[test]
fn coming_and_going_reach_those_whom_the_vendor_names() {
    let joined = |how| Happening::MembersJoined { users: users(&["dan", "eve"]), how, members: 5 };
    let left = |how| Happening::MembersLeft {
        users: users(&["ben"]),
        how,
        reason: String::new(),
        members: 2,
        were: Vec::new(),
    };
    let created =
        Happening::GroupCreated { profile: Profile::default(), owner: Some(user("ann")), members: Vec::new() };
    let invited = |agreed| Joining::Invited { by: Some(user("ann")), agreed };
    for (by, what, expected) in [
        ("ann", created, vec!["create ann>ann to +ann (other devices)"]),
        (
            "ann",
            joined(Joining::Added),
            vec!["direct_joined ann>dan,eve to +dan+eve", "presence ->dan,eve to members-dan-eve (other devices)"],
        ),
        (
            "ann",
            joined(invited(false)),
            vec![
                "direct_joined ann>dan,eve to +dan+eve",
                "presence ->dan,eve to members-dan-eve (other devices)",
                "invite_accept dan>ann to +ann (other devices)",
                "invite_accept eve>ann to +ann (other devices)",
            ],
        ),
        ("dan", joined(invited(true)), vec!["presence ->dan,eve to members-dan-eve (other devices)"]),
        (
            "dan",
            joined(Joining::Asked { approved_by: None }),
            vec!["presence ->dan,eve to members-dan-eve (other devices)"],
        ),
        ("ann", joined(Joining::Imported), vec![]),
        ("ben", left(Leaving::Left), vec!["absence ->ben to members (other devices)"]),
        ("ann", left(Leaving::Removed), vec!["kick ann>ben to +ben", "absence ->ben to members (other devices)"]),
        // blocking is not shown to the others
        ("ann", left(Leaving::Blocked), vec!["kick ann>ben to +ben", "absence ->ben to "]),
        (
            "ann",
            Happening::GroupDisbanded {
                owner: Some(user("ann")),
                profile: Profile::default(),
                members: users(&["ann", "ben"]),
                last: None,
                were: Vec::new(),
            },
            vec!["destroy ann> to +ann+ben (other devices)"],
        ),
    ] {
        assert_eq!(shown(&event(by, what)), expected);
    }
}

#[test]
fn requests_reach_those_whom_the_vendor_names() {
    let (application, invitation) = (RequestKind::Application, RequestKind::Invitation);
    for (by, what, expected) in [
        ("dan", request(application, Stage::AwaitsManagers), vec!["apply dan>ann to +dan+ann-dan (other devices)"]),
        ("ann", request(application, Stage::Joined), vec!["apply_accept ann>dan to +dan (other devices)"]),
        ("ann", request(application, Stage::RefusedByManagers), vec!["apply_decline ann>dan to +dan (other devices)"]),
        ("ben", request(invitation, Stage::AwaitsInvitee), vec!["invite ben>dan to +dan (other devices)"]),
        ("dan", request(invitation, Stage::Joined), vec!["invite_accept dan>ben to +ben (other devices)"]),
        ("dan", request(invitation, Stage::Declined), vec!["invite_decline dan>ben to +ben (other devices)"]),
        ("ann", request(invitation, Stage::Joined), vec![]),
        ("ben", request(invitation, Stage::AwaitsManagers), vec![]),
    ] {
        assert_eq!(shown(&request_event(by, what)), expected);
    }
}

#[test]
fn changes_reach_those_whom_the_vendor_names() {
    let ben = || users(&["ben"]);
    let managed = |operation: &str| vec![format!("{operation} ann>ben to managers+ben-ann")];
    let all = |operation: &str| vec![format!("{operation} ann> to members (other devices)")];
    let but_operator = |operation: &str| vec![format!("{operation} ann> to members-ann")];
    let named = ProfileChange { name: Some("n".to_owned()), ..ProfileChange::default() };
    let fields = ProfileChange { fields: [("k".to_owned(), "v".to_owned())].into(), ..ProfileChange::default() };
    let shielded = |receive, before| Happening::ReceiveChanged { user: user("ann"), receive, before: Some(before) };
    for (what, expected) in [
        (Happening::AdminsAdded(ben()), managed("add_admin")),
        (Happening::AdminsRemoved(ben()), managed("remove_admin")),
        (Happening::Muted { users: ben(), until: Until::Forever }, managed("add_mute")),
        (Happening::Unmuted(ben()), managed("remove_mute")),
        (Happening::Allowed(ben()), managed("add_user_white_list")),
        (Happening::Disallowed(ben()), managed("remove_user_white_list")),
        (
            Happening::Blocked { users: ben(), until: Until::Forever, reason: String::new() },
            vec!["ban ann>ben to ".to_owned()],
        ),
        (Happening::Unblocked(ben()), vec!["allow ann>ben to +ben (other devices)".to_owned()]),
        (
            Happening::OwnerChanged { from: Some(user("ann")), to: Some(user("ben")), left: false, was: None },
            vec!["assing_owner ann>ben to members (other devices)".to_owned()],
        ),
        (Happening::ProfileChanged(named), all("update")),
        (Happening::ProfileChanged(fields), vec![]),
        (Happening::AnnouncementChanged("a".to_owned()), all("update_announcement")),
        (Happening::AnnouncementChanged(String::new()), all("delete_announcement")),
        (Happening::AllMutedChanged(true), but_operator("ban_group")),
        (Happening::AllMutedChanged(false), but_operator("remove_ban_group")),
        (Happening::DisabledChanged(true), vec!["disable_group ann> to members".to_owned()]),
        (shielded(Receive::Discard, Receive::Notify), vec!["block ann> to +ann (other devices)".to_owned()]),
        (shielded(Receive::Notify, Receive::Silent), vec![]),
        (
            Happening::MemberAttributesChanged { user: user("ann"), attributes: BTreeMap::new() },
            all("group_member_metadata_update"),
        ),
        (Happening::MessagesRecalled { sequences: vec![1], reason: String::new() }, vec![]),
    ] {
        assert_eq!(shown(&event("ann", what)), expected);
    }
}

#[test]
fn one_call_has_one_info() {
    let named = ProfileChange { name: Some("n".to_owned()), ..ProfileChange::default() };
    let policy = |capacity| Box::new(Policy { capacity: Some(capacity), ..Policy::standard() });
    let mut call = [
        event("ann", Happening::ProfileChanged(named)),
        event("ann", Happening::AnnouncementChanged("a".to_owned())),
        event("ann", Happening::PolicyChanged { before: policy(5), after: policy(6) }),
        event("ann", Happening::PolicyChanged { before: policy(6), after: policy(6) }),
    ];
    Event::mark_call(&mut call);
    for (sequence, event) in (7..).zip(&mut call) {
        event.sequence = sequence;
    }
    let (group, settings) = (group_of_ann(), Settings::default());
    let of_call = facts(&call, &group, &settings);
    assert_eq!(of_call.iter().map(|fact| fact.event.sequence).collect::<Vec<_>>(), [7, 8]);
    let What::Info(info) = &of_call[0].what else { unreachable!("the first is info") };
    assert!(info.profile.is_some() && info.policy.is_some());
    for event in &mut call {
        event.part = CallPart::WHOLE;
    }
    assert_eq!(facts(&call, &group, &settings).len(), 3);
}
