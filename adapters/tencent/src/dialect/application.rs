//! Requests to join and invitations in the client protocol: a number (`MsgKey`, `AddTime`) and an opaque text
//! (`Authentication`), which the deciding client sends back.

use conclave_core::model::{Request, RequestKind, UserId};
use sha2::{Digest, Sha256};

/// The label of an application with its `UserDefinedField`: a text for the app, beside that for the managers.
pub(crate) const USER_FIELD: &str = "tencent.user_field";

/// `PendencyType`: what is decided, and by whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pendency {
    /// An application; the group's managers decide.
    Application = 0,
    /// An invitation; the invited user decides.
    Invitation = 1,
    /// An invitation; the group's managers decide.
    InvitationByMember = 2,
}

impl Pendency {
    /// The type of a request for a user who decides it.
    pub(crate) fn of(request: &Request, decider: &UserId) -> Self {
        match request.kind {
            RequestKind::Application => Self::Application,
            RequestKind::Invitation if request.user == *decider => Self::Invitation,
            RequestKind::Invitation => Self::InvitationByMember,
        }
    }
}

/// The number of a request: microseconds since 1970, the last three digits from its user, as several requests may be
/// created in the same millisecond.
pub(crate) fn number(request: &Request) -> u64 {
    let digest = digest(&[], request);
    let fraction = u64::from(u16::from_be_bytes([digest[0], digest[1]])) % 1000;
    request.filed.0.saturating_mul(1000) + fraction
}

/// The text of a request: 24 hexadecimal digits that only this app can compute.
pub(crate) fn authentication(secret_key: &str, request: &Request) -> String {
    hex::encode(&digest(secret_key.as_bytes(), request)[..12])
}

fn digest(key: &[u8], request: &Request) -> [u8; 32] {
    let inviter = request.inviter.as_ref().map_or("", UserId::as_str);
    let filed = request.filed.0.to_be_bytes();
    let mut hash = Sha256::new();
    // each part with its length, so that no two requests have the same text
    for part in [b"request".as_slice(), key, request.group.as_str().as_bytes(), request.user.as_str().as_bytes()] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.update(inviter.as_bytes());
    hash.update(filed);
    hash.finalize().into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use conclave_core::model::{GroupId, Millis, Stage};

    use super::*;

    fn request(user: &str, inviter: Option<&str>) -> Request {
        Request {
            group: GroupId::new("g").unwrap(),
            user: UserId::new(user).unwrap(),
            inviter: inviter.map(|inviter| UserId::new(inviter).unwrap()),
            kind: if inviter.is_some() { RequestKind::Invitation } else { RequestKind::Application },
            stage: Stage::AwaitsManagers,
            message: String::new(),
            filed: Millis(1_795_291_358_187),
            expires: Millis(u64::MAX),
            verdict: None,
            labels: conclave_core::model::Labels::new(),
        }
    }

    #[test]
    fn numbers_are_microseconds_that_tell_requests_apart() {
        let (carol, dave) = (request("carol", None), request("dave", None));
        assert_eq!(number(&carol) / 1000, 1_795_291_358_187);
        assert_ne!(number(&carol), number(&dave));
        assert!(number(&carol) < 1 << 53, "clients hold it as a double");
    }

    #[test]
    fn texts_are_the_apps_own() {
        let carol = request("carol", None);
        assert_eq!(authentication("key", &carol).len(), 24);
        assert_ne!(authentication("key", &carol), authentication("other", &carol));
        assert_ne!(authentication("key", &carol), authentication("key", &request("carol", Some("bob"))));
    }

    #[test]
    fn invited_users_decide_for_themselves() {
        let invited = request("carol", Some("bob"));
        assert_eq!(Pendency::of(&invited, &invited.user), Pendency::Invitation);
        assert_eq!(Pendency::of(&invited, &UserId::new("alice").unwrap()), Pendency::InvitationByMember);
        assert_eq!(Pendency::of(&request("carol", None), &invited.user), Pendency::Application);
    }
}
