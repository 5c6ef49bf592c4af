use std::collections::HashSet;

use conclave_core::model::{FileId, GroupId, InvalidId, MessageId, TopicId, UserId};
use conclave_core::refusal::Needs;

use super::*;

fn group() -> GroupId {
    GroupId::new("g").unwrap()
}

fn user() -> UserId {
    UserId::new("u").unwrap()
}

fn topic() -> TopicId {
    TopicId::new("t").unwrap()
}

fn limited(limit: Limit) -> Refusal {
    Refusal::LimitReached { limit, most: 1, now: 1 }
}

fn number(family: Family, refusal: &Refusal) -> u32 {
    family.code(refusal).row().0
}

/// Every row of the table, with the vendor's documented number.
#[test]
fn every_reason_has_its_code() {
    let users = vec![user()];
    let rows = [
        (Refusal::GroupNotFound { group: group(), disbanded: true }, 10010),
        (Refusal::GroupNotFound { group: group(), disbanded: false }, 10015),
        (Refusal::GroupExists { group: group(), yours: true }, 10025),
        (Refusal::GroupExists { group: group(), yours: false }, 10021),
        (Refusal::UserNotFound(user()), 10019),
        (Refusal::UserExists(user()), 10004),
        (Refusal::UserDeactivated(user()), 10007),
        (Refusal::NotPermitted { group: group(), needs: Needs::Ownership }, 10007),
        (Refusal::AppOnly, 10007),
        (Refusal::NotMembers { group: group(), users: users.clone() }, 10004),
        (Refusal::AlreadyMembers { group: group(), users: users.clone() }, 10013),
        (Refusal::OwnerProtected { group: group(), owner: user() }, 10007),
        (Refusal::OwnerCannotLeave(group()), 10009),
        (Refusal::SameOwner { group: group(), owner: user() }, 10004),
        (Refusal::NotAdmin { group: group(), user: user() }, 10004),
        (Refusal::GroupFull { group: group(), capacity: 1 }, 10014),
        (Refusal::CapacityTooLow { group: group(), members: 2 }, 10004),
        (Refusal::TooManyGroupsOfUser(user()), 10037),
        (limited(Limit::Groups), 10058),
        (limited(Limit::Users), 70398),
        (limited(Limit::Attributes), 10047),
        (limited(Limit::AttributeBytes), 10048),
        (limited(Limit::Counters), 10063),
        (limited(Limit::Admins), 10004),
        (limited(Limit::Follows), 10004),
        (limited(Limit::MutedEverywhere), 10004),
        (limited(Limit::Files), 10004),
        (limited(Limit::Fields), 10004),
        (limited(Limit::Targets), 10004),
        (limited(Limit::Readers), 10060),
        (limited(Limit::Extensions), 10004),
        (Refusal::GroupDisabled(group()), 10007),
        (Refusal::Blocked { group: group(), users }, 10007),
        (Refusal::Muted { group: group(), everybody: false }, 10017),
        (Refusal::JoinClosed(group()), 10007),
        (Refusal::RequestNotFound(group()), 10004),
        (Refusal::RequestDecided(group()), 10024),
        (Refusal::NotGoverned(group()), 10007),
        (Refusal::AlreadyGoverned(group()), 10007),
        (Refusal::Unsupported { group: group(), what: "admins" }, 10007),
        (Refusal::VersionConflict { group: group(), current: 2 }, 10056),
        (Refusal::KeyNotFound("k".to_owned()), 10050),
        (Refusal::MessageNotFound { group: group(), sequence: 1 }, 10030),
        (Refusal::MessageIdNotFound(MessageId::new("m").unwrap()), 10030),
        (Refusal::MessageRecalled { group: group(), sequence: 1 }, 10032),
        (Refusal::RecallTooLate { group: group(), sequence: 1 }, 10031),
        (Refusal::TopicNotFound { group: group(), topic: topic(), ended: true }, 110_003),
        (Refusal::TopicNotFound { group: group(), topic: topic(), ended: false }, 110_003),
        (Refusal::TopicExists { group: group(), topic: topic() }, 10021),
        (Refusal::NoReceipts { group: group(), sequence: 1 }, 10062),
        (Refusal::NotExtensible { group: group(), sequence: 1 }, 10004),
        (Refusal::FileNotFound { group: group(), file: FileId::new("f").unwrap() }, 10004),
        (Refusal::InvalidId(InvalidId::Empty), 10004),
        (Refusal::InvalidValue("x"), 10004),
        (Refusal::Vetoed { code: None, words: String::new() }, 10016),
        (Refusal::NotOffered { what: "mute" }, 10059),
        (Refusal::Unavailable("disk".to_owned()), 10002),
    ];
    for (refusal, code) in &rows {
        assert_eq!(number(Family::Groups, refusal), *code, "{refusal}");
    }
}

#[test]
fn some_commands_have_codes_of_their_own() {
    let full = Refusal::GroupFull { group: group(), capacity: 1 };
    assert_eq!(number(Family::Creation, &full), 10038);
    assert_eq!(number(Family::Creation, &Refusal::UserNotFound(user())), 10019);
    assert_eq!(number(Family::Accounts, &Refusal::UserNotFound(user())), 70107);
    assert_eq!(number(Family::Accounts, &Refusal::Unavailable(String::new())), 70500);
    assert_eq!(number(Family::Accounts, &Refusal::InvalidId(InvalidId::TooLong)), 70402);
    assert_eq!(Family::Accounts.parameter().row().0, 70402);
    assert_eq!(Family::Groups.parameter().row().0, 10004);
    assert_eq!((Family::Groups.misshapen().row().0, Family::Messages.misshapen().row().0), (10004, 90001));
    assert_eq!(number(Family::Messages, &Refusal::Unavailable(String::new())), 20005);
    assert_eq!(number(Family::Messages, &Refusal::InvalidValue("x")), 20001);
    assert_eq!(Family::Messages.parameter().row().0, 20001);
}

/// Every code has a number of its own and a text. The pairs below were seen from the vendor's service and must stay as
/// they are.
#[test]
fn codes_are_as_the_vendor_publishes_them() {
    let all: Vec<(u32, &str)> = Code::ALL.iter().map(|code| code.row()).collect();
    let distinct: HashSet<u32> = all.iter().map(|(number, _)| *number).collect();
    assert_eq!(distinct.len(), all.len(), "every code has a number of its own");
    for known in [
        (60002, "HTTP parse Error"),
        (60008, "service timeout or request format error,please check and try again"),
        (70107, "Err_TLS_PT_Open_Login_Account_Not_Exist"),
        (10010, "this group does not exist"),
        (10015, "invalid group id"),
        (10021, "group id has be used!"),
        (10025, "group id has be used by youself!"),
    ] {
        assert!(all.contains(&known), "{known:?}");
    }
    assert!(
        all.iter().all(|(number, text)| *number != 0 && !text.is_empty()),
        "a failure is never reported as success"
    );
}

#[test]
fn what_failed_in_the_store_stays_inside() {
    let failure = Family::Groups.failure(&Refusal::Unavailable("/var/lib/secret is full".to_owned()));
    assert_eq!(failure, Failure::from(Code::Internal));
}

#[test]
fn the_app_servers_own_number_and_text_are_returned() {
    let failure = Family::Groups.failure(&Refusal::Vetoed { code: Some(10101), words: "not you".to_owned() });
    assert_eq!((failure.number(), &*failure.text), (10101, "not you"));
}
