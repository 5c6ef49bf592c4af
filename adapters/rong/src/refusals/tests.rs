//! Pins every row: codes with their HTTP status, and the code of each refusal of the core.

#![allow(clippy::unwrap_used, reason = "tests")]

use conclave_core::model::{FileId, GroupId, InvalidId, MessageId, TopicId, UserId};

use super::*;

#[test]
fn every_code_has_its_documented_status() {
    let rows: Vec<(u32, u16)> = Code::ALL.iter().map(|code| (code.row().0, code.row().1)).collect();
    let documented = [
        (404, 404),
        (405, 405),
        (405, 405),
        (403, 403),
        (1000, 500),
        (1001, 401),
        (1002, 400),
        (1004, 401),
        (1005, 400),
        (1008, 429),
        (1009, 430),
        (1015, 200),
        (1050, 504),
        (2007, 403),
    ];
    let hosted = [
        25403, 25404, 25405, 25406, 25407, 25408, 25409, 25410, 25411, 25412, 25414, 25415, 25417, 25418, 25419, 25420,
        25421, 25422, 25423, 25425, 25426, 25428, 25429, 25430, 25432,
    ];
    let wanted: Vec<(u32, u16)> = documented.into_iter().chain(hosted.map(|number| (number, 0))).collect();
    assert_eq!(rows, wanted);
}

#[test]
fn the_status_of_hosting_codes_is_configured() {
    for status in [200, 400] {
        assert_eq!(Failure::from(Code::NoGroup).into_response(status).status(), status);
        assert_eq!(Failure::from(Code::Signature).into_response(status).status(), 401);
    }
}

#[test]
fn failures_are_returned_as_numbers_and_texts() {
    let failure = Failure { manager_count: Some(10), ..Code::TooMany.into() };
    let (_, body) = failure.into_response(400).into_parts();
    let body: serde_json::Value = serde_json::from_slice(body.bytes().unwrap()).unwrap();
    let wanted = serde_json::json!({"code": 25419, "errorMessage": "managers exceed the limit", "managerCount": 10});
    assert_eq!(body, wanted);
}

fn group() -> GroupId {
    GroupId::new("g1").unwrap()
}

fn topic() -> TopicId {
    TopicId::new("t").unwrap()
}

fn user() -> UserId {
    UserId::new("u1").unwrap()
}

fn reached(limit: Limit) -> Refusal {
    Refusal::LimitReached { limit, most: 2, now: 2 }
}

/// Each refusal, with its code in legacy calls, hosted calls and calls about managers.
#[allow(clippy::too_many_lines, reason = "one row a reason")]
fn rows() -> Vec<(Refusal, u32, u32, u32)> {
    let all = |refusal, legacy, hosted| (refusal, legacy, hosted, hosted);
    vec![
        all(Refusal::GroupNotFound { group: group(), disbanded: true }, 1002, 25410),
        all(Refusal::GroupNotFound { group: GroupId::new("a b/c").unwrap(), disbanded: false }, 1002, 25430),
        all(Refusal::GroupExists { group: group(), yours: true }, 1002, 25409),
        all(Refusal::UserNotFound(user()), 1002, 25418),
        all(Refusal::UserExists(user()), 1002, 25403),
        all(Refusal::UserDeactivated(user()), 403, 25405),
        all(Refusal::NotPermitted { group: group(), needs: Needs::Ownership }, 403, 25405),
        all(Refusal::NotPermitted { group: group(), needs: Needs::Inviting }, 403, 25426),
        all(Refusal::AppOnly, 403, 25405),
        all(Refusal::NotMembers { group: group(), users: vec![user()] }, 1002, 25418),
        all(Refusal::AlreadyMembers { group: group(), users: vec![user()] }, 1002, 25412),
        (Refusal::OwnerProtected { group: group(), owner: user() }, 25417, 25417, 25425),
        all(Refusal::OwnerCannotLeave(group()), 25417, 25417),
        all(Refusal::SameOwner { group: group(), owner: user() }, 1002, 25403),
        all(Refusal::NotAdmin { group: group(), user: user() }, 1002, 25420),
        all(Refusal::GroupFull { group: group(), capacity: 1 }, 405, 25411),
        all(Refusal::CapacityTooLow { group: group(), members: 1 }, 1002, 25403),
        all(Refusal::TooManyGroupsOfUser(user()), 403, 25405),
        all(reached(Limit::Users), 2007, 2007),
        all(reached(Limit::Admins), 25419, 25419),
        all(reached(Limit::Follows), 25419, 25419),
        all(reached(Limit::Groups), 403, 25405),
        all(reached(Limit::Fields), 1002, 25406),
        all(reached(Limit::Attributes), 1002, 25406),
        all(reached(Limit::AttributeBytes), 1002, 25403),
        all(reached(Limit::Counters), 1002, 25403),
        all(reached(Limit::MutedEverywhere), 1002, 25403),
        all(reached(Limit::Files), 1002, 25403),
        all(reached(Limit::Targets), 1002, 25403),
        all(reached(Limit::Readers), 1002, 25403),
        all(reached(Limit::Extensions), 1002, 25403),
        all(Refusal::GroupDisabled(group()), 403, 25405),
        all(Refusal::Blocked { group: group(), users: vec![user()] }, 403, 25405),
        all(Refusal::Muted { group: group(), everybody: true }, 403, 25405),
        all(Refusal::JoinClosed(group()), 403, 25414),
        all(Refusal::RequestNotFound(group()), 1015, 25421),
        all(Refusal::RequestDecided(group()), 403, 25428),
        all(Refusal::NotGoverned(group()), 403, 25429),
        all(Refusal::AlreadyGoverned(group()), 1002, 25409),
        all(Refusal::Unsupported { group: group(), what: "admins" }, 403, 25404),
        all(Refusal::VersionConflict { group: group(), current: 2 }, 1000, 1000),
        all(Refusal::KeyNotFound("k".to_owned()), 1015, 25415),
        all(Refusal::MessageNotFound { group: group(), sequence: 1 }, 1015, 1015),
        all(Refusal::MessageRecalled { group: group(), sequence: 1 }, 1015, 1015),
        all(Refusal::MessageIdNotFound(MessageId::new("1").unwrap()), 1015, 1015),
        all(Refusal::RecallTooLate { group: group(), sequence: 1 }, 403, 25404),
        all(Refusal::TopicNotFound { group: group(), topic: topic(), ended: true }, 1015, 1015),
        all(Refusal::TopicExists { group: group(), topic: topic() }, 1002, 25403),
        all(Refusal::NoReceipts { group: group(), sequence: 1 }, 1015, 1015),
        all(Refusal::NotExtensible { group: group(), sequence: 1 }, 1015, 1015),
        all(Refusal::FileNotFound { group: group(), file: FileId::new("1").unwrap() }, 1015, 1015),
        all(Refusal::InvalidId(InvalidId::Empty), 1002, 25430),
        all(Refusal::InvalidValue("wrong"), 1002, 25403),
        all(Refusal::Vetoed { code: Some(10101), words: "no".to_owned() }, 403, 25405),
        all(Refusal::NotOffered { what: "mute" }, 1009, 1009),
        all(Refusal::Unavailable("disk on fire".to_owned()), 1000, 1000),
    ]
}

#[test]
fn every_reason_has_its_code() {
    for (refusal, legacy, hosted, managers) in rows() {
        let code = |family: Family| family.failure(&refusal).code.row().0;
        assert_eq!(code(Family::Legacy), legacy, "legacy: {refusal}");
        assert_eq!(code(Family::Hosted), hosted, "hosted: {refusal}");
        assert_eq!(code(Family::Managers), managers, "managers: {refusal}");
    }
}

#[test]
fn what_the_store_said_stays_inside() {
    let failure = Family::Legacy.failure(&Refusal::Unavailable("disk on fire".to_owned()));
    assert_eq!(failure.text, "internal error");
}

#[test]
fn the_limit_of_managers_reports_their_number() {
    let failure = Family::Managers.failure(&reached(Limit::Admins));
    assert_eq!(failure.manager_count, Some(2));
    assert_eq!(Family::Hosted.failure(&reached(Limit::Follows)).manager_count, None);
}

#[test]
fn paths_belong_to_their_family() {
    assert_eq!(Family::of("/group/create.json"), Family::Legacy);
    assert_eq!(Family::of("/user/getToken.json"), Family::Legacy);
    assert_eq!(Family::of("/entrust/group/create.json"), Family::Hosted);
    assert_eq!(Family::of("/entrust/joined/group/query.json"), Family::Hosted);
    assert_eq!(Family::of("/entrust/group/manager/add.json"), Family::Managers);
}
