//! Maps six numeric permissions to a group's policy, and back.
//!
//! | key            | 0                      | 1              | 2                | 3      |
//! |----------------|------------------------|----------------|------------------|--------|
//! | joinPerm       | owner approves         | free           | managers approve | nobody |
//! | removePerm     | owner                  | managers       | everyone         |        |
//! | memInvitePerm  | owner                  | managers       | everyone         |        |
//! | invitePerm     | at once                | invitee agrees |                  |        |
//! | profilePerm    | owner                  | managers       | everyone         |        |
//! | memProfilePerm | owner, managers, self  | owner, self    | self             |        |
//!
//! A group created elsewhere is shown with the closest values: "by the app only" as by the owner, approval by any
//! member as by managers, cards edited by any member as by managers. There is no permission for muting: only the server
//! permission here: only the server API mutes, and owner and managers do through other vendors.

use conclave_core::model::{Circle, Join, Policy};
use conclave_core::operation::PolicyChange;
use serde::Serialize;
use serde_json::Value;

use crate::refusals::{Code, Failure};

/// A set of permissions; `None` means not given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Permissions {
    #[serde(rename = "joinPerm")]
    pub(crate) join: Option<u8>,
    #[serde(rename = "removePerm")]
    pub(crate) remove: Option<u8>,
    #[serde(rename = "memInvitePerm")]
    pub(crate) invite: Option<u8>,
    #[serde(rename = "invitePerm")]
    pub(crate) consent: Option<u8>,
    #[serde(rename = "profilePerm")]
    pub(crate) profile: Option<u8>,
    #[serde(rename = "memProfilePerm")]
    pub(crate) member_profile: Option<u8>,
}

impl Permissions {
    /// Reads the JSON text of a request. Unknown keys are ignored.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let Ok(Value::Object(object)) = serde_json::from_str(text) else {
            return Err(Code::BadFormat.saying("permissions must be a JSON object"));
        };
        let number = |key: &'static str, most: u8| -> Result<Option<u8>, Failure> {
            let number = match object.get(key) {
                None | Some(Value::Null) => return Ok(None),
                Some(Value::Number(number)) => number.as_u64(),
                // clients in languages without the distinction send digits
                Some(Value::String(digits)) => digits.parse().ok(),
                Some(_) => None,
            };
            let number = number.ok_or(Code::NotANumber)?;
            match u8::try_from(number) {
                Ok(number) if number <= most => Ok(Some(number)),
                _ => Err(Code::BadParameter.saying(format!("{key} must be 0..{most}"))),
            }
        };
        Ok(Self {
            join: number("joinPerm", 3)?,
            remove: number("removePerm", 2)?,
            invite: number("memInvitePerm", 2)?,
            consent: number("invitePerm", 1)?,
            profile: number("profilePerm", 2)?,
            member_profile: number("memProfilePerm", 2)?,
        })
    }

    /// The policy of a new group: permissions that are not given are 0, as the vendor documents.
    pub(crate) fn policy(self, capacity: u32) -> Policy {
        let all = Self {
            join: Some(self.join.unwrap_or(0)),
            remove: Some(self.remove.unwrap_or(0)),
            invite: Some(self.invite.unwrap_or(0)),
            consent: Some(self.consent.unwrap_or(0)),
            profile: Some(self.profile.unwrap_or(0)),
            member_profile: Some(self.member_profile.unwrap_or(0)),
        };
        let base = Policy {
            promote: Circle::Owner,
            // this vendor's clients cannot mute; owner and managers mute through the others, and may send whatever is muted
            moderate: Circle::Managers,
            exempt: Circle::Managers,
            // members' invitations wait for those who decide about requests
            invite_approval_as_join: true,
            transferable: true,
            owner_may_leave: false,
            needs_owner: true,
            owner_may_disband: true,
            found_while_closed: false,
            history: true,
            history_before_join: false,
            capacity: Some(capacity),
            ..Policy::standard()
        };
        all.change().applied_to(&base)
    }

    /// The policy changes for an existing group. Who may change the permissions is set by `profilePerm`.
    pub(crate) fn change(self) -> PolicyChange {
        PolicyChange {
            join: self.join.map(join),
            invite: self.invite.map(circle),
            invitee_consent: self.consent.map(|number| number == 1),
            remove: self.remove.map(circle),
            edit_profile: self.profile.map(circle),
            edit_policy: self.profile.map(circle),
            edit_member: self.member_profile.map(editors),
            ..PolicyChange::default()
        }
    }

    /// A group's policy, in the vendor's numbers.
    pub(crate) fn of(policy: &Policy) -> Self {
        Self {
            join: Some(match policy.join {
                Join::Approval(Circle::Owner | Circle::Nobody) => 0,
                Join::Open => 1,
                Join::Approval(Circle::Managers | Circle::Members) => 2,
                Join::Closed => 3,
            }),
            remove: Some(of_circle(policy.remove)),
            invite: Some(of_circle(policy.invite)),
            consent: Some(u8::from(policy.invitee_consent)),
            profile: Some(of_circle(policy.edit_profile)),
            member_profile: Some(match policy.edit_member {
                Circle::Managers | Circle::Members => 0,
                Circle::Owner => 1,
                Circle::Nobody => 2,
            }),
        }
    }
}

/// The policy of a group without hosting: only the app changes anything.
pub(crate) fn unhosted(capacity: u32) -> Policy {
    Policy {
        join: Join::Closed,
        invite: Circle::Nobody,
        invitee_consent: false,
        invite_approval: None,
        remove: Circle::Nobody,
        edit_profile: Circle::Nobody,
        edit_policy: Circle::Nobody,
        edit_member: Circle::Nobody,
        promote: Circle::Nobody,
        moderate: Circle::Nobody,
        transferable: false,
        owner_may_leave: true,
        owner_may_disband: false,
        found_while_closed: false,
        history: true,
        history_before_join: false,
        capacity: Some(capacity),
        ..Policy::standard()
    }
}

fn join(number: u8) -> Join {
    match number {
        1 => Join::Open,
        2 => Join::Approval(Circle::Managers),
        3 => Join::Closed,
        _ => Join::Approval(Circle::Owner),
    }
}

fn circle(number: u8) -> Circle {
    match number {
        1 => Circle::Managers,
        2 => Circle::Members,
        _ => Circle::Owner,
    }
}

fn of_circle(circle: Circle) -> u8 {
    match circle {
        Circle::Nobody | Circle::Owner => 0,
        Circle::Managers => 1,
        Circle::Members => 2,
    }
}

/// Who may change another member's card.
fn editors(number: u8) -> Circle {
    match number {
        1 => Circle::Owner,
        2 => Circle::Nobody,
        _ => Circle::Managers,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn every_set_of_permissions_survives_the_round_trip() {
        for code in 0..4 * 3 * 3 * 2 * 3 * 3_u32 {
            let mut rest = code;
            let mut digit = |base: u32| {
                let digit = rest % base;
                rest /= base;
                Some(u8::try_from(digit).unwrap())
            };
            let permissions = Permissions {
                join: digit(4),
                remove: digit(3),
                invite: digit(3),
                consent: digit(2),
                profile: digit(3),
                member_profile: digit(3),
            };
            let policy = permissions.policy(3000);
            assert_eq!(Permissions::of(&policy), permissions);
            assert_eq!(policy.is_found(), permissions.join != Some(3));
            let text = serde_json::to_string(&permissions).unwrap();
            assert_eq!(Permissions::parse(&text).unwrap(), permissions);
            // changing one permission keeps the others
            let change = Permissions { join: Some(1), ..Permissions::default() };
            let changed = Permissions::of(&change.change().applied_to(&policy));
            assert_eq!(changed, Permissions { join: Some(1), ..permissions });
        }
    }

    #[test]
    fn what_is_not_given_is_zero() {
        let zero = Permissions::of(&Permissions::default().policy(3000));
        assert_eq!(
            zero,
            Permissions::parse(
                r#"{"joinPerm":0,"removePerm":0,"memInvitePerm":0,"invitePerm":0,"profilePerm":0,"memProfilePerm":0}"#
            )
            .unwrap()
        );
    }

    #[test]
    fn groups_made_elsewhere_read_as_the_nearest() {
        let read = |policy: Policy| Permissions::of(&policy);
        let base = Policy::standard();
        assert_eq!(read(Policy { join: Join::Approval(Circle::Members), ..base.clone() }).join, Some(2));
        assert_eq!(read(Policy { join: Join::Approval(Circle::Nobody), ..base.clone() }).join, Some(0));
        assert_eq!(read(Policy { remove: Circle::Nobody, ..base.clone() }).remove, Some(0));
        assert_eq!(read(Policy { invite: Circle::Nobody, ..base.clone() }).invite, Some(0));
        assert_eq!(read(Policy { edit_profile: Circle::Nobody, ..base.clone() }).profile, Some(0));
        assert_eq!(read(Policy { edit_member: Circle::Members, ..base }).member_profile, Some(0));
    }

    #[test]
    fn wrong_values_have_their_own_codes() {
        let code = |text: &str| Permissions::parse(text).unwrap_err().code;
        assert_eq!(code("[]"), Code::BadFormat);
        assert_eq!(code("{"), Code::BadFormat);
        assert_eq!(code(r#"{"joinPerm":"a"}"#), Code::NotANumber);
        assert_eq!(code(r#"{"joinPerm":1.5}"#), Code::NotANumber);
        assert_eq!(code(r#"{"joinPerm":true}"#), Code::NotANumber);
        assert_eq!(code(r#"{"joinPerm":-1}"#), Code::NotANumber);
        assert_eq!(code(r#"{"joinPerm":4}"#), Code::BadParameter);
        assert_eq!(code(r#"{"removePerm":300}"#), Code::BadParameter);
        assert_eq!(Permissions::parse(r#"{"joinPerm":"1"}"#).unwrap().join, Some(1));
        assert_eq!(Permissions::parse(r#"{"joinPerm":null,"other":[]}"#).unwrap(), Permissions::default());
    }
}
