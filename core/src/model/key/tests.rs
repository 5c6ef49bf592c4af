//! The keys of rows, and their order.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

#[test]
fn keys_of_one_group_share_its_prefix_and_no_other() {
    let (a, ab) = (GroupId::new("a").unwrap(), GroupId::new("ab").unwrap());
    let prefix = Prefix::seats(&a);
    assert!(Key::Seat(a, 7).encode().starts_with(prefix.as_bytes()));
    assert!(!Key::Seat(ab, 7).encode().starts_with(prefix.as_bytes()));
}

#[test]
fn numbers_sort_by_value() {
    let group = GroupId::new("g").unwrap();
    assert!(Key::Seat(group.clone(), 255).encode() < Key::Seat(group, 256).encode());
}

#[test]
fn a_prefix_ends_after_its_last_key() {
    let group = GroupId::new("g").unwrap();
    let prefix = Prefix::seats(&group);
    assert!(Key::Seat(group, u64::MAX).encode() < prefix.end());
}

#[test]
fn places_of_rows_that_can_be_outdated_are_read_back() {
    let (group, user) = (GroupId::new("g#1").unwrap(), UserId::new("ü").unwrap());
    let free = |text: &str| text.to_owned();
    for key in [
        Key::Mute(group.clone(), user.clone()),
        Key::Block(group.clone(), user.clone()),
        Key::Request(group.clone(), user.clone(), free("")),
        Key::Request(group.clone(), user.clone(), free("ann")),
        Key::File(group.clone(), FileId::new("f").unwrap()),
        Key::Sent(group.clone(), free(""), free("")),
        Key::TopicMute(group.clone(), TopicId::new("t").unwrap(), user.clone()),
        Key::Sent(group.clone(), free("a\0b"), free("\u{1}\u{2}\0")),
        Key::Note(free("a:\0b")),
        Key::Device(user.clone(), free("s"), free("a\0b")),
    ] {
        assert_eq!(Key::outdatable(&key.encode()).as_ref(), Some(&key));
        assert!(key.can_expire());
    }
    for other in [Key::Seat(group.clone(), 0), Key::Member(group.clone(), user), Key::Group(group)] {
        assert_eq!(Key::outdatable(&other.encode()), None);
        assert!(!other.can_expire());
    }
    for broken in [&[][..], &[9], &[9, 0], &[9, b'g', 0], &[20, b'g', 0, 1], &[20, b'g', 0, 1, 0, 0]] {
        assert_eq!(Key::outdatable(broken), None, "{broken:?}");
    }
}

#[test]
fn keys_are_written_behind_what_a_buffer_holds() {
    let key = Key::Sent(GroupId::new("g").unwrap(), "a\0b".into(), "plain".into());
    let mut buffer = b"before".to_vec();
    key.encode_into(&mut buffer);
    assert_eq!(buffer, [b"before", &*key.encode()].concat());
    assert_eq!(buffer, key.encode_behind(b"before"));
    assert_eq!(key.encode().first(), Some(&key.tag()));
    assert_eq!(key.encode(), b"\x14g\0a\x01\x01b\0plain\0");
}

#[test]
fn free_texts_never_end_early() {
    let group = GroupId::new("g").unwrap();
    let plain = Key::Sent(group.clone(), "a".into(), "b".into()).encode();
    let tricky = Key::Sent(group, "a\0b".into(), String::new()).encode();
    assert_ne!(plain, tricky);
}

#[test]
fn every_key_is_read_back() {
    let (group, user) = (GroupId::new("g#1").unwrap(), UserId::new("ü").unwrap());
    let free = |text: &str| text.to_owned();
    for key in [
        Key::Group(group.clone()),
        Key::Seat(group.clone(), u64::MAX),
        Key::Joined(user.clone(), Millis(1), group.clone()),
        Key::Request(group.clone(), user.clone(), free("")),
        Key::Sent(group.clone(), free("a\0b"), free("\u{1}\u{2}\0")),
        Key::Event(0),
        Key::HistoryEvent(group.clone(), 0x0100_0001, 1),
        Key::Position(user.clone(), free("s"), free("d"), Queue::Group(group.clone())),
        Key::Position(user.clone(), free("s"), free("d"), Queue::All(free("x"))),
        Key::Position(user.clone(), free("s"), free("d"), Queue::Own),
        Key::TopicMessage(group.clone(), TopicId::new("t").unwrap(), 3),
    ] {
        let bytes = key.encode();
        assert_eq!(Key::decode(&bytes).as_ref(), Some(&key));
        let parts = key.parts();
        let part = |name: &str| parts.iter().find(|(own, _)| *own == name).map(|(_, part)| part.clone());
        assert_eq!(Key::of_parts(key.table(), part).as_ref(), Some(&key));
        let known = Key::TABLES.iter().find(|(table, _)| *table == key.table()).unwrap().1;
        let is_number = |part: &KeyPart| matches!(part, KeyPart::Number(_));
        assert!(parts.iter().map(|(name, part)| (*name, is_number(part))).eq(known.iter().copied()), "{key:?}");
        assert_eq!(Key::of_parts(key.table(), |_| None), None);
        assert_eq!(Key::decode(&bytes[..bytes.len() - 1]), None, "{key:?}");
        assert_eq!(Key::decode(&[&bytes[..], &[0]].concat()), None, "{key:?}");
    }
    assert_eq!(Key::of_parts("nothing", |_| Some(KeyPart::Number(1))), None);
    assert_eq!(Key::decode(&[]), None);
    assert_eq!(Key::decode(&[200, b'g', 0]), None);
    assert_eq!(Key::Joined(user, Millis(7), group.clone()).group(), Some(&group));
    assert_eq!(Key::Event(1).group(), None);
}
