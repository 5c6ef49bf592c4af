//! Tables of events and their pushes: which tips and notices, about whom, and who receives each.

#![allow(clippy::unwrap_used, reason = "tests")]

use conclave_core::event::{Actor, Audience, CallPart};
use conclave_core::model::{Group, GroupId, MessageId, Millis, Policy, RequestKind, Stage};
use conclave_kit::{MemberFilter, Recipients};

use super::*;
use crate::dialect::kind::Kind;

fn user(id: &str) -> UserId {
    UserId::new(id).unwrap()
}

fn users(ids: &[&str]) -> Vec<UserId> {
    ids.iter().map(|id| user(id)).collect()
}

fn group(kind: Kind) -> Group {
    Group {
        id: GroupId::new("g").unwrap(),
        revision: 1,
        profile: Profile::default(),
        announcement: None,
        owner: Some(user("ann")),
        creator: None,
        governed: true,
        policy: Policy::standard(),
        labels: kind.labels(),
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

/// An event caused by ann on her phone, with this number in the group's history.
fn event(what: Happening, number: Option<u64>) -> Event {
    let group = group(Kind::Public).id;
    let named = what.about().into_iter().cloned().collect();
    Event {
        sequence: 7,
        part: CallPart::WHOLE,
        at: Millis(1),
        group: Some(group.clone()),
        number,
        actor: Actor::User { user: user("ann"), device: Some("phone".to_owned()) },
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
    parts.extend(recipients.except_discarding.then(|| " who receive".to_owned()));
    parts.concat()
}

/// The pushes of an event in a group of this type.
fn shown(kind: Kind, event: &Event) -> Vec<String> {
    let group = group(kind);
    let facts = facts([event]);
    let deliveries = facts.iter().flat_map(|fact| fact.deliveries(&group)).collect::<Vec<Delivery<'_>>>();
    let names = |about: &[&UserId]| about.iter().map(|user| user.as_str()).collect::<Vec<_>>().join(",");
    let push = |delivery: &Delivery<'_>| {
        let push = match &delivery.push {
            Push::Tip { tip, about, number } => {
                let number = number.map_or("passing".to_owned(), |number| format!("#{number}"));
                format!("tip {} {tip:?}({}) {number}", *tip as u8, names(about))
            }
            Push::Notice { notice, about } => format!("notice {} {notice:?}({})", *notice as u8, names(about)),
            other => format!("{other:?}").to_lowercase(),
        };
        format!("{push} to {}", to(&delivery.to))
    };
    deliveries.iter().map(push).collect()
}

fn joined(how: Joining) -> Happening {
    Happening::MembersJoined { users: users(&["dan"]), how, members: 4 }
}

fn left(how: Leaving) -> Happening {
    Happening::MembersLeft { users: users(&["ben"]), how, reason: String::new(), members: 2, were: Vec::new() }
}

fn request(kind: RequestKind, stage: Stage) -> Happening {
    Happening::RequestChanged(Box::new(Request {
        group: group(Kind::Public).id,
        user: user("dan"),
        inviter: (kind == RequestKind::Invitation).then(|| user("ben")),
        kind,
        stage,
        message: String::new(),
        filed: Millis(1),
        expires: Millis(9),
        verdict: None,
        labels: conclave_core::model::Labels::new(),
    }))
}

fn named() -> Happening {
    Happening::ProfileChanged(ProfileChange { name: Some("n".to_owned()), ..ProfileChange::default() })
}

/// An event about a request reaches the parties and those who decide.
fn request_event(by: &str, what: Happening) -> Event {
    let Happening::RequestChanged(request) = &what else { unreachable!("it is a request") };
    let unaware = request.inviter.is_some() && request.stage == Stage::AwaitsManagers;
    let invitee = (!unaware).then(|| request.user.clone());
    let users = request.inviter.clone().into_iter().chain(invitee).chain([user("ann")]).collect();
    let audience = Audience { members_of: None, users, silent: false };
    Event { audience, actor: Actor::user(user(by)), ..event(what, None) }
}

#[test]
fn members_learn_by_tips_and_users_by_notices() {
    for (what, expected) in [
        (joined(Joining::Added), vec!["notice 7 Added(dan) to +dan", "tip 1 Joined(dan) #5 to members"]),
        (joined(Joining::Asked { approved_by: None }), vec!["tip 1 Joined(dan) #5 to members"]),
        (joined(Joining::Invited { by: Some(user("ann")), agreed: true }), vec!["tip 1 Joined(dan) #5 to members"]),
        (joined(Joining::Created), vec!["notice 7 Added(dan) to +dan"]),
        (joined(Joining::Imported), vec![]),
        (left(Leaving::Left), vec!["notice 8 Quit(ben) to +ben (other devices)", "tip 2 Quit(ben) #5 to members"]),
        (left(Leaving::Removed), vec!["notice 4 Kicked(ben) to +ben", "tip 3 Kicked(ben) #5 to members"]),
        (left(Leaving::Blocked), vec![]),
        (left(Leaving::AccountDeleted), vec!["tip 2 Quit(ben) #5 to members"]),
        (
            Happening::AdminsAdded(users(&["ben"])),
            vec!["notice 9 AdminSet(ben) to +ben", "tip 4 AdminSet(ben) #5 to members"],
        ),
        (
            Happening::AdminsRemoved(users(&["ben"])),
            vec!["notice 10 AdminUnset(ben) to +ben", "tip 5 AdminUnset(ben) #5 to members"],
        ),
        (
            Happening::Muted { users: users(&["ben"]), until: Until::Forever },
            vec!["notice 16 Muted(ben) to +ben", "tip 7 Member(ben) #5 to members"],
        ),
        (Happening::Unmuted(users(&["ben"])), vec!["notice 16 Muted(ben) to +ben", "tip 7 Member(ben) #5 to members"]),
        (named(), vec!["tip 6 Profile() #5 to members"]),
        (Happening::AnnouncementChanged("a".to_owned()), vec!["tip 6 Profile() #5 to members"]),
        (
            Happening::OwnerChanged { from: Some(user("ann")), to: Some(user("ben")), left: false, was: None },
            vec!["tip 6 Profile(ben) #5 to members"],
        ),
        (Happening::AllMutedChanged(true), vec!["options to members"]),
        (Happening::MarksChanged { added: Vec::new(), removed: Vec::new() }, vec![]),
    ] {
        let event = event(what, Some(5));
        assert_eq!(shown(Kind::Public, &event), expected, "{:?}", event.what);
    }
}

#[test]
fn what_has_no_number_is_no_part_of_the_history() {
    let fields = ProfileChange { fields: [("k".to_owned(), "v".to_owned())].into(), ..ProfileChange::default() };
    let disbanded = Happening::GroupDisbanded {
        owner: Some(user("ann")),
        profile: Profile::default(),
        members: users(&["ann", "ben"]),
        last: None,
        were: Vec::new(),
    };
    let blocked = Happening::Blocked { users: users(&["ben"]), until: Until::Forever, reason: String::new() };
    let created =
        Happening::GroupCreated { profile: Profile::default(), owner: Some(user("ann")), members: Vec::new() };
    let topic = TopicId::new("t").unwrap();
    let recall = || Happening::MessagesRecalled { sequences: vec![1], reason: String::new() };
    for (what, expected) in [
        (created, "notice 6 Created(ann) to +ann (other devices)"),
        (disbanded, "notice 5 Dissolved() to +ann+ben (other devices)"),
        (Happening::GroupActivated, "notice 7 Added() to members-ann"),
        (Happening::ProfileChanged(fields), "tip 6 Profile() passing to members"),
        (blocked, "notice 21 Banned(ben) to +ben"),
        (Happening::Unblocked(users(&["ben"])), "notice 22 Unbanned(ben) to +ben"),
        (
            Happening::ReceiveChanged { user: user("ann"), receive: Receive::Silent, before: None },
            "notice 20 Receive(ann) to +ann (other devices)",
        ),
        (
            Happening::ReadMarkChanged { user: user("ann"), sequence: 3 },
            "notice 15 ReadUpTo(ann) to +ann (other devices)",
        ),
        (
            Happening::AttributesChanged { version: 1, set: BTreeMap::new(), removed: Vec::new(), replaced: false },
            "attributes to members",
        ),
        (Happening::CountersChanged { set: BTreeMap::new(), removed: Vec::new() }, "counters to members"),
        (
            Happening::MessageChanged { sequence: 1, id: MessageId::new("7").unwrap() },
            "edit to members (other devices)",
        ),
        (
            Happening::ExtensionsChanged {
                sequence: 1,
                version: 2,
                set: [("k".to_owned(), "v".to_owned())].into(),
                removed: Vec::new(),
                cleared: false,
            },
            "extensions to members (other devices)",
        ),
        (Happening::PinChanged { sequence: 1, pinned: true }, "pin(pinned) to members"),
        (Happening::PinChanged { sequence: 1, pinned: false }, "pin(unpinned) to members"),
        (Happening::Noticed { content: "x".to_owned() }, "notice 255 Custom() to members"),
        (
            Happening::TopicMade { topic: topic.clone(), profile: Profile::default() },
            "notice 17 TopicCreated() to members (other devices)",
        ),
        (Happening::TopicsEnded(vec![topic.clone()]), "notice 18 TopicsDestroyed() to members (other devices)"),
        (
            Happening::MessageSent { sequence: 1, id: MessageId::new("1").unwrap() },
            "message to members (other devices) who receive",
        ),
        (recall(), "recall to members (other devices)"),
        (
            Happening::TopicChanged {
                topic: topic.clone(),
                profile: ProfileChange::default(),
                announcement: None,
                all_muted: Some(true),
            },
            "tip 8 Topic() passing to members",
        ),
        (Happening::InTopic { topic, what: Box::new(recall()) }, "recall to members (other devices)"),
    ] {
        let event = event(what, None);
        assert_eq!(shown(Kind::Public, &event), [expected], "{:?}", event.what);
    }
    // receipts are for the sender, not for the reader
    let mut read = event(Happening::MessagesRead { sequences: vec![1], user: user("ann"), note: String::new() }, None);
    read.audience.users.push(user("ben"));
    assert_eq!(shown(Kind::Public, &read), ["notice 19 Receipts(ann) to +ben"]);
}

#[test]
fn requests_reach_those_who_decide_and_those_who_are_answered() {
    let (application, invitation) = (RequestKind::Application, RequestKind::Invitation);
    for (id, what, expected) in [
        ("dan", request(application, Stage::AwaitsManagers), vec!["notice 1 Application(dan) to +dan+ann-dan"]),
        ("ann", request(application, Stage::Joined), vec!["notice 2 Accepted(dan) to +dan"]),
        ("ann", request(application, Stage::RefusedByManagers), vec!["notice 3 Refused(dan) to +dan"]),
        (
            "ben",
            request(invitation, Stage::AwaitsManagers),
            vec!["notice 23 InvitationToApprove(dan) to +ben+ann-dan-ben"],
        ),
        ("ben", request(invitation, Stage::AwaitsInvitee), vec!["notice 12 Invited(dan) to +dan"]),
        ("dan", request(invitation, Stage::Joined), vec!["notice 13 InvitationAccepted(dan) to +ben"]),
        ("dan", request(invitation, Stage::Declined), vec!["notice 14 InvitationRefused(dan) to +ben"]),
        ("ann", request(invitation, Stage::Joined), vec![]),
        ("ann", request(invitation, Stage::RefusedByManagers), vec![]),
    ] {
        assert_eq!(shown(Kind::Public, &request_event(id, what)), expected);
    }
}

#[test]
fn each_type_has_its_own_tips() {
    // without a number: meetings have no tips about members, live rooms do not store them
    let joining = event(joined(Joining::Asked { approved_by: None }), None);
    assert_eq!(shown(Kind::ChatRoom, &joining), Vec::<String>::new());
    assert_eq!(shown(Kind::AvChatRoom, &joining), ["tip 1 Joined(dan) passing to members"]);
    assert_eq!(shown(Kind::AvChatRoom, &event(named(), None)), ["tip 6 Profile() passing to members"]);
    let promoted = event(Happening::AdminsAdded(users(&["ben"])), None);
    for kind in [Kind::ChatRoom, Kind::AvChatRoom] {
        assert_eq!(shown(kind, &promoted), ["notice 9 AdminSet(ben) to +ben"]);
    }
    // a group that waits for its first message is not shown to other members before
    assert_eq!(shown(Kind::Private, &event(joined(Joining::Created), None)), Vec::<String>::new());
    // silent events reach no client
    let mut silent = event(joined(Joining::Added), None);
    silent.audience.silent = true;
    assert_eq!(shown(Kind::Public, &silent), Vec::<String>::new());
}

#[test]
fn what_one_call_changes_of_a_profile_is_one_tip() {
    let mut call = [event(named(), Some(5)), event(Happening::AnnouncementChanged("a".to_owned()), Some(5))];
    Event::mark_call(&mut call);
    call[1].sequence = 8;
    let of_call = facts(&call);
    assert_eq!(of_call.len(), 1);
    let What::Info(info) = &of_call[0].what else { unreachable!("it is a change of the profile") };
    assert!(info.profile.is_some() && info.announcement.is_some());
    assert_eq!(info.number, Some(5));
    for event in &mut call {
        event.part = CallPart::WHOLE;
    }
    assert_eq!(facts(&call).len(), 2);
}
