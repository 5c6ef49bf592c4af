//! Tables of events and their facts, with the recipients of each.

#![allow(clippy::unwrap_used, reason = "tests")]

use conclave_core::event::{Audience, CallPart};
use conclave_core::model::{GroupId, Join, MessageId, Millis, Until};

use super::*;

fn user(id: &str) -> UserId {
    UserId::new(id).unwrap()
}

fn users(ids: &[&str]) -> Vec<UserId> {
    ids.iter().map(|id| user(id)).collect()
}

/// An event caused by ann in a group, for its members and these users.
fn event(what: Happening, to: &[&str]) -> Event {
    let group = GroupId::new("g").unwrap();
    Event {
        sequence: 7,
        part: CallPart::WHOLE,
        at: Millis(1),
        group: Some(group.clone()),
        number: None,
        actor: Actor::User { user: user("ann"), device: Some("phone".to_owned()) },
        audience: Audience { members_of: Some(group), users: users(to), silent: false },
        what,
    }
}

/// Short notation of a fact: what, about whom, and who receives it.
fn shown(event: &Event) -> String {
    let Some(fact) = facts([event]).pop() else { return "nothing".to_owned() };
    let what = match &fact.what {
        What::Created { .. } => "created".to_owned(),
        What::Dismissed { .. } => "dismissed".to_owned(),
        What::Operation(operation) => {
            let users: Vec<&str> = operation.users.iter().map(|user| user.as_str()).collect();
            let by = operation.by.map_or("-", UserId::as_str);
            format!("{:?} {} by {by}", operation.kind, users.join(","))
        }
        What::Profile(parts) => format!("profile of {}", parts.len()),
        What::Member(user) => format!("member {user}"),
        What::Application(_) => "application".to_owned(),
        What::Remark(text) => format!("remark {text}"),
        What::Follows { .. } => "follows".to_owned(),
        What::Sent(number) => format!("sent {number}"),
        What::Passed(_) => "passed".to_owned(),
        What::Recalled(numbers) => format!("recalled {numbers:?}"),
        What::Edited(number) => format!("edited {number}"),
        What::Extended(extended) => format!("extended {} in {}", extended.sequence, extended.notices()),
        What::Read { user, sequences } => format!("read {sequences:?} by {user}"),
    };
    let mut to: Vec<String> = fact.to.users.iter().map(ToString::to_string).collect();
    if fact.to.members.is_some() {
        to.insert(0, "members".to_owned());
    }
    let acting = if fact.to.except_acting_device { " on other devices" } else { "" };
    format!("{what} -> {}{acting}", to.join("+"))
}

#[test]
fn events_are_facts_with_recipients() {
    let joined = |how| Happening::MembersJoined { users: users(&["ben"]), how, members: 2 };
    let left = |how| Happening::MembersLeft {
        users: users(&["ben"]),
        how,
        reason: String::new(),
        members: 1,
        were: Vec::new(),
    };
    let named = ProfileChange { name: Some("n".to_owned()), ..ProfileChange::default() };
    let labels = ProfileChange { labels: [("x".to_owned(), None)].into(), ..ProfileChange::default() };
    let policy = Policy::standard();
    let open = Policy { join: Join::Open, ..Policy::standard() };
    let changed = |after: &Policy| Happening::PolicyChanged {
        before: Box::new(Policy::standard()),
        after: Box::new(after.clone()),
    };
    let extended = |set: &[&str], removed: &[&str]| Happening::ExtensionsChanged {
        sequence: 3,
        version: 2,
        set: set.iter().map(|key| ((*key).to_owned(), "v".to_owned())).collect(),
        removed: removed.iter().map(|key| (*key).to_owned()).collect(),
        cleared: false,
    };
    for (what, to, expected) in [
        (
            Happening::GroupCreated { profile: Profile::default(), owner: Some(user("ann")), members: users(&["ben"]) },
            &["ann"][..],
            "created -> ann",
        ),
        (Happening::GroupCreated { profile: Profile::default(), owner: None, members: Vec::new() }, &[], "created -> "),
        (joined(Joining::Added), &["ben"], "Joined ben by ann -> members+ben"),
        (joined(Joining::Asked { approved_by: None }), &["ben"], "Joined ben by ben -> members+ben"),
        (joined(Joining::Asked { approved_by: Some(user("cy")) }), &["ben"], "Joined ben by cy -> members+ben"),
        (joined(Joining::Imported), &["ben"], "nothing"),
        (left(Leaving::Removed), &["ben"], "Kicked ben by ann -> members+ben"),
        (left(Leaving::Blocked), &["ben"], "Kicked ben by ann -> members+ben"),
        (left(Leaving::Left), &["ben"], "Quit ben by ann -> members+ben"),
        (Happening::AdminsAdded(users(&["ben"])), &["ben"], "ManagersAdded ben by ann -> members+ben"),
        (Happening::AdminsRemoved(users(&["ben"])), &["ben"], "ManagersRemoved ben by ann -> members+ben"),
        (
            Happening::OwnerChanged { from: Some(user("ann")), to: Some(user("ben")), left: false, was: None },
            &["ann", "ben"],
            "Transferred ben by ann -> members+ann+ben",
        ),
        (Happening::OwnerChanged { from: Some(user("ann")), to: None, left: true, was: None }, &[], "nothing"),
        (Happening::ProfileChanged(named), &[], "profile of 1 -> members"),
        (Happening::ProfileChanged(labels), &[], "nothing"),
        (Happening::AnnouncementChanged("a".to_owned()), &[], "profile of 1 -> members"),
        (changed(&policy), &[], "nothing"),
        (changed(&open), &[], "profile of 1 -> members"),
        (
            Happening::RemarkChanged { user: user("ann"), text: "mine".to_owned() },
            &["ann"],
            "remark mine -> members+ann on other devices",
        ),
        (Happening::MessagesRecalled { sequences: vec![3], reason: String::new() }, &[], "recalled [3] -> members"),
        (
            Happening::MessageChanged { sequence: 3, id: MessageId::new("7").unwrap() },
            &[],
            "edited 3 -> members on other devices",
        ),
        (extended(&["k"], &["x"]), &[], "extended 3 in 2 -> members on other devices"),
        (extended(&["k"], &[]), &[], "extended 3 in 1 -> members on other devices"),
        (
            Happening::MessagesRead { sequences: vec![3], user: user("ben"), note: String::new() },
            &["ann"],
            "read [3] by ben -> members+ann",
        ),
        (Happening::Muted { users: users(&["ben"]), until: Until::Forever }, &["ben"], "nothing"),
        (Happening::Allowed(users(&["ben"])), &["ben"], "nothing"),
        (Happening::AllMutedChanged(true), &[], "nothing"),
    ] {
        let event = event(what, to);
        assert_eq!(shown(&event), expected, "{:?}", event.what);
    }
}

#[test]
fn parts_of_a_profile_that_one_call_changes_are_one_fact() {
    let named = ProfileChange { name: Some("n".to_owned()), ..ProfileChange::default() };
    let mut call = [
        event(Happening::ProfileChanged(named), &[]),
        event(Happening::AnnouncementChanged("a".to_owned()), &[]),
        event(Happening::AdminsAdded(users(&["ben"])), &["ben"]),
    ];
    Event::mark_call(&mut call);
    for (sequence, event) in (7..).zip(&mut call) {
        event.sequence = sequence;
    }
    let of_call: Vec<u64> = facts(&call).iter().map(|fact| fact.event.sequence).collect();
    assert_eq!(of_call, [8, 9]);
    // the same events, each in a call of its own
    for event in &mut call {
        event.part = CallPart::WHOLE;
    }
    assert_eq!(facts(&call).len(), 3);
}
