//! Every row of the table, byte for byte.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use async_trait::async_trait;
use conclave_core::engine::Engine;
use conclave_core::memory::Memory;
use conclave_core::model::{Millis, UserId};
use conclave_core::ports::{Clock, Mint};
use conclave_kit::{BlobError, Blobs, ByteStream, Nobody, Stored};

use super::*;
use crate::auth::TokenError;
use crate::realm::{AgoraRealm, Credentials};
use crate::settings::Settings;

struct Still;

impl Clock for Still {
    fn now(&self) -> Millis {
        Millis(1_700_000_000_000)
    }
}

impl Mint for Still {
    fn bits(&self) -> u64 {
        0
    }
}

#[async_trait]
impl Blobs for Still {
    async fn put(&self, _: ByteStream, most: u64) -> Result<Stored, BlobError> {
        Err(BlobError::TooLarge { most })
    }

    async fn get(&self, _: &str) -> Result<Option<(u64, ByteStream)>, BlobError> {
        Ok(None)
    }

    async fn delete(&self, _: &str) -> Result<(), BlobError> {
        Ok(())
    }
}

pub(crate) fn app() -> App {
    let groups = Engine::new(
        Arc::new(Memory::new()),
        Arc::new(Still),
        Arc::new(Still),
        conclave_core::model::Settings::default(),
    );
    let credentials = Credentials {
        org: "acme".into(),
        app: "demo".into(),
        client_id: "id".into(),
        client_secret: "YXA6dGVzdC1jbGllbnQtc2VjcmV0LTE".into(),
        app_id: None,
        app_certificate: None,
    };
    let (settings, groups, blobs) = (Settings::default(), Arc::new(groups), Arc::new(Still));
    let (log, presence) = (groups.clone(), Arc::new(Nobody));
    let realm = AgoraRealm { name: "test".into(), credentials, settings, groups, log, blobs, presence };
    App::new(realm).unwrap()
}

fn group() -> GroupId {
    GroupId::new("1").unwrap()
}

fn ann() -> UserId {
    UserId::new("Ann").unwrap()
}

#[test]
#[allow(clippy::too_many_lines, reason = "one row each")]
fn refusals_of_the_core_have_the_vendors_texts() {
    use ErrorContext::{AddOne, Admin, Attributes, Group, Members, Modify, Token, Transfer, User};
    let app = app();
    let (group, users) = (group(), vec![ann()]);
    let limit = |limit| Refusal::LimitReached { limit, most: 99, now: 99 };
    let needs = |needs| Refusal::NotPermitted { group: group.clone(), needs };
    let not_found = Refusal::GroupNotFound { group: group.clone(), disbanded: true };
    let not_members = Refusal::NotMembers { group: group.clone(), users: users.clone() };
    let full = Refusal::GroupFull { group: group.clone(), capacity: 3 };
    let duplicate = format!(
        "Application {} Entity user requires that property named username be unique, value of ann exists",
        app.uuid
    );
    let rows: Vec<(Refusal, ErrorContext, u16, &str, &str)> = vec![
        (not_found.clone(), Group, 404, "resource_not_found", "grpID 1 does not exist!"),
        (not_found.clone(), Attributes, 404, "metadata_error", "group not exists"),
        (not_found, Members, 404, "service_resource_not_found", "do not find this group:1"),
        (
            Refusal::GroupExists { group: group.clone(), yours: true },
            Group,
            400,
            "illegal_argument",
            "group ID 1 already exists!",
        ),
        (Refusal::UserNotFound(ann()), Group, 404, "resource_not_found", "username ann doesn't exist!"),
        (Refusal::UserNotFound(ann()), User, 404, "service_resource_not_found", "Service resource not found"),
        (Refusal::UserNotFound(ann()), Token, 404, "invalid_grant", "user not found"),
        (Refusal::UserExists(ann()), User, 400, "duplicate_unique_property_exists", &duplicate),
        (Refusal::UserDeactivated(ann()), Token, 400, "invalid_grant", "user not activated"),
        (
            needs(Needs::Management),
            Modify,
            401,
            "group_authorization",
            "you have no permission to do this,group fields require group admin privileges to be modified",
        ),
        (
            needs(Needs::Management),
            Group,
            401,
            "group_authorization",
            "you have no permission to do this, group admin permission is required",
        ),
        (
            needs(Needs::Ownership),
            Modify,
            401,
            "group_authorization",
            "you have no permission to do this, group owner permission is required",
        ),
        (
            needs(Needs::Inviting),
            AddOne,
            401,
            "group_authorization",
            "you have no permission to do this, group admin permission is required",
        ),
        (
            Refusal::AppOnly,
            Group,
            401,
            "group_authorization",
            "you have no permission to do this, app admin permission is required",
        ),
        (Refusal::AppOnly, User, 401, "auth_bad_access_token", "Unable to authenticate due to corrupt access token"),
        (not_members.clone(), Group, 403, "forbidden_op", "users [ann] are not members of this group!"),
        (not_members.clone(), Transfer, 403, "forbidden_op", "user: ann doesn't exist in group: 1"),
        (not_members.clone(), Attributes, 400, "metadata_error", "Some users are not in the group: ann"),
        (not_members, Admin, 404, "resource_not_found", "user: ann doesn't exist in group: 1"),
        (
            Refusal::AlreadyMembers { group: group.clone(), users: users.clone() },
            AddOne,
            403,
            "forbidden_op",
            "can not join this group, reason:user: ann already in group: 1\n",
        ),
        (
            Refusal::OwnerProtected { group: group.clone(), owner: ann() },
            Group,
            403,
            "forbidden_op",
            "forbidden operation on group owner!",
        ),
        (Refusal::OwnerCannotLeave(group.clone()), Group, 403, "forbidden_op", "owner can not quit group"),
        (
            Refusal::SameOwner { group: group.clone(), owner: ann() },
            Transfer,
            403,
            "forbidden_op",
            "new owner and old owner are the same",
        ),
        (
            Refusal::NotAdmin { group: group.clone(), user: ann() },
            Admin,
            403,
            "forbidden_op",
            "user:ann is not admin of group:1",
        ),
        (full.clone(), AddOne, 403, "exceed_limit", "group member list is full!"),
        (full, Group, 403, "exceed_limit", "members size is greater than max user size !"),
        (
            Refusal::CapacityTooLow { group: group.clone(), members: 3 },
            Modify,
            403,
            "forbidden_op",
            "current user count is larger than the maxUsers that you want to update !",
        ),
        (Refusal::TooManyGroupsOfUser(ann()), AddOne, 403, "exceed_limit", "user ann has joined too many groups!"),
        (limit(Limit::Groups), Group, 403, "exceed_limit", "appKey:acme#demo has create too many groups!"),
        (
            limit(Limit::Users),
            User,
            429,
            "resource_limited",
            "You have exceeded the limit of the community edition,Please upgrade to the enterprise edition",
        ),
        (limit(Limit::Admins), Admin, 403, "exceed_limit", "group admin size is more than max limit : 99"),
        (
            limit(Limit::AttributeBytes),
            Attributes,
            400,
            "metadata_error",
            "exceeds chatgroup user metadata total limit",
        ),
        (limit(Limit::Files), Group, 403, "exceed_limit", "files size is more than max limit : 99"),
        (
            Refusal::GroupDisabled(group.clone()),
            Group,
            403,
            "forbidden_op",
            "can not operate this group, reason: group is disabled",
        ),
        (
            Refusal::Blocked { group: group.clone(), users },
            AddOne,
            403,
            "forbidden_op",
            "can not join this group, reason:user ann is in the blacklist of group 1",
        ),
        (
            Refusal::JoinClosed(group.clone()),
            Group,
            403,
            "forbidden_op",
            "can not join this group, reason:group 1 is not public",
        ),
        (
            Refusal::RequestNotFound(group.clone()),
            Group,
            403,
            "forbidden_op",
            "no request or invitation is waiting in group: 1",
        ),
        (
            Refusal::RequestDecided(group.clone()),
            Group,
            403,
            "forbidden_op",
            "this request or invitation is decided already in group: 1",
        ),
        (
            Refusal::NotGoverned(group.clone()),
            Group,
            403,
            "forbidden_op",
            "can not operate this group, reason: group 1 has no owner and no roles",
        ),
        (
            Refusal::Unsupported { group: group.clone(), what: "admins" },
            Admin,
            403,
            "forbidden_op",
            "can not operate this group, reason: group 1 does not support admins",
        ),
        (Refusal::InvalidValue("no"), Group, 400, "invalid_parameter", "no"),
        // the store's error text is logged only
        (
            Refusal::Vetoed { code: Some(10101), words: "not you".into() },
            Group,
            403,
            "forbidden_op",
            "refused by the app's server: not you",
        ),
        (Refusal::NotOffered { what: "mute" }, Group, 403, "forbidden_op", "mute: service not open!"),
        (Refusal::Unavailable("disk".into()), Group, 500, "web_application", "Internal Server Error"),
    ];
    for (refusal, place, status, error, description) in rows {
        let failure = word(&app, place, &refusal);
        assert_eq!(
            (failure.status.as_u16(), failure.error, failure.description.as_str()),
            (status, error, description),
            "{refusal:?} at {place:?}"
        );
    }
}

#[test]
fn bad_tokens_get_each_services_error() {
    let oauth = (401, "unauthorized", "Unable to authenticate (OAuth)");
    let long = (401, "unauthorized", "Unable to authenticate due to expired access token");
    let corrupt = (401, "auth_bad_access_token", "Unable to authenticate due to corrupt access token");
    for (place, error, wanted) in [
        (ErrorContext::Group, TokenError::Invalid, oauth),
        (ErrorContext::User, TokenError::Invalid, oauth),
        (ErrorContext::Group, TokenError::Expired, oauth),
        (ErrorContext::User, TokenError::Expired, long),
        (ErrorContext::Group, TokenError::Foreign, corrupt),
        (ErrorContext::User, TokenError::Foreign, corrupt),
    ] {
        let failure = bad_token(place, error);
        assert_eq!(
            (failure.status.as_u16(), failure.error, failure.description.as_str()),
            wanted,
            "{place:?} {error:?}"
        );
    }
    assert_eq!(no_token(ErrorContext::Group).description, "token is blank!");
}

#[test]
fn faults_have_the_vendors_errors() {
    use conclave_kit::Fault;
    for (kind, status, description) in [
        (Fault::TooLarge, 413, "Request Entity Too Large"),
        (Fault::TimedOut, 503, "Request Timeout"),
        (Fault::Busy, 429, "This request has reached api limit"),
        (Fault::Broken, 500, "Internal Server Error"),
    ] {
        let failure = fault(kind);
        assert_eq!((failure.status.as_u16(), failure.description.as_str()), (status, description));
    }
}
