use std::collections::BTreeMap;

use conclave_core::model::{GroupId, Join, Millis, Profile};

use super::*;

/// A group of this policy with these labels.
fn group(policy: Policy, labels: Labels) -> Group {
    Group {
        id: GroupId::new("g").unwrap(),
        revision: 1,
        profile: Profile::default(),
        announcement: None,
        owner: None,
        creator: None,
        governed: true,
        policy,
        labels,
        created: Millis(0),
        changed: Millis(0),
        profile_changed: Millis(0),
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
        topics: 0,
        topic_messages: 0,
        pins: Vec::new(),
        appointed: Vec::new(),
        marks: BTreeMap::new(),
    }
}

fn made(kind: Kind) -> Group {
    group(kind.policy(&Settings::default(), None, None, None), kind.labels())
}

#[test]
fn types_survive_the_group() {
    for kind in Kind::ALL {
        assert_eq!(Kind::of(&made(kind)), kind);
        assert_eq!(Kind::named(kind.word()), Some(kind));
    }
    for no_type in ["Work", "Meeting", "BChatRoom", "public", ""] {
        assert_eq!(Kind::named(no_type), None, "{no_type}");
    }
}

#[test]
fn each_type_begins_with_its_own_options() {
    let options = |kind: Kind| {
        let policy = made(kind).policy;
        (JoinOption::of_join(&policy).apply_word(), JoinOption::of_invite(&policy).invite_word())
    };
    assert_eq!(options(Kind::Private), ("DisableApply", "FreeAccess"));
    assert_eq!(options(Kind::Public), ("NeedPermission", "DisableInvite"));
    assert_eq!(options(Kind::ChatRoom), ("FreeAccess", "DisableInvite"));
    assert_eq!(options(Kind::AvChatRoom), ("FreeAccess", "DisableInvite"));
    assert_eq!(options(Kind::Community), ("FreeAccess", "FreeAccess"));
}

#[test]
fn options_that_a_type_has_survive_the_policy() {
    let settings = Settings::default();
    for kind in Kind::ALL {
        for option in JoinOption::ALL {
            let policy = kind.policy(&settings, None, Some(option), Some(option));
            let (apply, invite) = (JoinOption::of_join(&policy), JoinOption::of_invite(&policy));
            if kind == Kind::AvChatRoom {
                assert_eq!((apply, invite), (JoinOption::Free, JoinOption::Disabled), "a live room has no options");
            } else {
                assert_eq!((apply, invite), (option, option), "{kind:?}");
            }
        }
    }
}

#[test]
fn capacities_are_the_plans_unless_less_is_requested() {
    let settings = Settings::default();
    let capacity = |kind: Kind, wanted| kind.policy(&settings, wanted, None, None).capacity;
    assert_eq!(capacity(Kind::Public, None), Some(6000));
    assert_eq!(capacity(Kind::Public, Some(50)), Some(50));
    assert_eq!(capacity(Kind::Community, None), Some(100_000));
    assert_eq!(capacity(Kind::AvChatRoom, Some(50)), None);
    assert_eq!(Kind::AvChatRoom.shown_capacity(&made(Kind::AvChatRoom), &settings), 0);
    let endless = group(Policy { capacity: None, ..Policy::standard() }, Labels::new());
    assert_eq!(Kind::of(&endless).shown_capacity(&endless, &settings), 6000);
}

/// The vendor's capability matrix, row by row; columns are [`Kind::ALL`].
#[test]
fn the_matrix_is_the_vendors() {
    let row = |read: fn(&Group, Capabilities) -> bool| {
        Kind::ALL.map(|kind| {
            let group = made(kind);
            read(&group, Capabilities::of(&group))
        })
    };
    assert_eq!(row(|_, can| can.admins), [false, true, true, false, true], "set an admin");
    assert_eq!(row(|_, can| can.mute), [false, true, true, true, true], "mute");
    assert_eq!(row(|_, can| can.transfer), [true, true, true, false, true], "transfer");
    assert_eq!(row(|_, can| can.members), [true, true, true, false, true], "add and list members");
    assert_eq!(row(|group, _| group.policy.owner_may_leave), [true, false, false, false, false], "owner leaves");
    assert_eq!(row(|group, _| group.policy.owner_may_disband), [false, true, true, true, true], "owner dissolves");
    assert_eq!(row(|group, _| group.policy.found_while_closed), [false, true, true, true, true], "found by strangers");
    assert_eq!(row(|group, _| group.policy.history), [true, true, true, false, true], "history");
    assert_eq!(row(|group, _| group.policy.history_before_join), [false, false, true, false, true], "history before");
    assert_eq!(row(|group, _| Kind::of(group).waits_for_message()), [true, false, false, false, false], "activation");
    assert_eq!(
        row(|group, _| group.policy.receive == Receive::Silent),
        [false, false, true, true, false],
        "new members are notified of messages without a sound"
    );
    assert_eq!(
        Kind::ALL.map(|kind| made(kind).policy.edit_profile),
        [Circle::Members, Circle::Managers, Circle::Managers, Circle::Owner, Circle::Managers],
    );
    assert_eq!(
        Kind::ALL.map(|kind| made(kind).policy.remove),
        [Circle::Owner, Circle::Managers, Circle::Managers, Circle::Nobody, Circle::Managers],
    );
}

#[test]
fn groups_made_elsewhere_read_as_what_they_are() {
    let of = |policy: Policy| Kind::of(&group(policy, Labels::new()));
    assert_eq!(of(Policy { capacity: Some(200), ..Policy::standard() }), Kind::Public);
    assert_eq!(of(Policy { capacity: Some(200), join: Join::Closed, ..Policy::standard() }), Kind::Public);
    assert_eq!(of(Policy { history: false, ..Policy::standard() }), Kind::AvChatRoom);
    assert_eq!(of(Policy { history: false, capacity: Some(9), ..Policy::standard() }), Kind::Public);
    assert_eq!(of(Policy { join: Join::Open, ..Policy::standard() }), Kind::Public);
}

#[test]
fn groups_made_elsewhere_can_what_they_permit() {
    let hidden = Policy { moderate: Circle::Nobody, found_while_closed: false, ..Policy::standard() };
    let other = group(hidden.clone(), Labels::new());
    assert_eq!(Kind::of(&other), Kind::Public);
    assert!(Capabilities::of(&other).admins, "its policy lets the owner make admins");
    assert!(Capabilities::of(&other).mute, "the app mutes wherever it may");
    let without_roles = Group { governed: false, ..group(hidden, BTreeMap::new()) };
    assert!(!Capabilities::of(&without_roles).admins && !Capabilities::of(&without_roles).transfer);
}
