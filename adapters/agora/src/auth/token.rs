//! The app's own tokens (`YWMt…`): they carry their claims and a seal, so nothing is stored for them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use conclave_core::model::{Millis, User, UserId};
use conclave_kit::Sealer;
use uuid::Uuid;

/// The prefix of the vendor's tokens.
const PREFIX: &str = "YWMt";
/// The number of the layout below; another layout gets another number.
const VERSION: u8 = 1;
/// Version, app, kind, issued, expires.
const HEAD: usize = 1 + 16 + 1 + 8 + 8;
/// Bytes of the seal in front of the payload.
const SEAL: usize = 16;

/// Who a token is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Subject {
    /// The app: it may do more than any role.
    App,
    User(UserId),
}

/// The claims of a valid token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claims {
    pub(crate) subject: Subject,
    pub(crate) issued: Millis,
    /// `None` means never.
    pub(crate) expires: Option<Millis>,
    /// Whether the time of issue is known to the millisecond.
    pub(crate) precise: bool,
}

impl Claims {
    /// Whether the token is valid for this account: it was issued for it, not for an earlier account with the same id,
    /// and was not revoked since.
    ///
    /// Tokens generated offline have their time of issue in seconds only. One from the second in which the account was
    /// created is valid; one from the second in which tokens were revoked is not.
    pub(crate) fn counts_for(&self, user: &User) -> bool {
        let made_for_it =
            if self.precise { self.issued >= user.created } else { self.issued.seconds() >= user.created.seconds() };
        made_for_it && self.issued >= user.tokens_revoked()
    }
}

/// Why a token is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenError {
    /// Not a token, not sealed by this app, or not valid for its account any more.
    Invalid,
    /// It names another app.
    Foreign,
    /// It has expired.
    Expired,
}

/// Seals and opens the tokens of one app.
pub(crate) struct Tokens {
    app: Uuid,
    sealer: Sealer,
}

impl Tokens {
    pub(crate) fn new(app: Uuid, sealer: Sealer) -> Self {
        Self { app, sealer }
    }

    /// A token with these claims. The layout has a fixed head, followed by the user.
    pub(crate) fn seal(&self, claims: &Claims) -> String {
        let (kind, user) = match &claims.subject {
            Subject::App => (0, ""),
            Subject::User(user) => (1, user.as_str()),
        };
        let mut payload = Vec::with_capacity(HEAD + user.len());
        payload.push(VERSION);
        payload.extend_from_slice(self.app.as_bytes());
        payload.push(kind);
        payload.extend_from_slice(&claims.issued.0.to_be_bytes());
        payload.extend_from_slice(&claims.expires.map_or(u64::MAX, |at| at.0).to_be_bytes());
        payload.extend_from_slice(user.as_bytes());
        format!("{PREFIX}{}", self.sealer.seal(&payload))
    }

    /// The claims of a token, if its seal is valid and it has not expired.
    pub(crate) fn open(&self, token: &str, now: Millis) -> Result<Claims, TokenError> {
        let sealed = token.strip_prefix(PREFIX).ok_or(TokenError::Invalid)?;
        let Some(payload) = self.sealer.open(sealed) else { return Err(self.unauthenticated(sealed)) };
        let claims = self.read(&payload).ok_or(TokenError::Invalid)?;
        match claims.expires {
            Some(at) if at <= now => Err(TokenError::Expired),
            _ => Ok(claims),
        }
    }

    /// The error for an invalid seal. The app that the token names is not authenticated; it only selects the error.
    fn unauthenticated(&self, sealed: &str) -> TokenError {
        let bytes = URL_SAFE_NO_PAD.decode(sealed).unwrap_or_default();
        match bytes.get(SEAL + 1..SEAL + 17) {
            Some(app) if bytes.get(SEAL) == Some(&VERSION) && app != self.app.as_bytes() => TokenError::Foreign,
            _ => TokenError::Invalid,
        }
    }

    fn read(&self, payload: &[u8]) -> Option<Claims> {
        let (head, user) = payload.split_at_checked(HEAD)?;
        if head[0] != VERSION || head[1..17] != *self.app.as_bytes() {
            return None;
        }
        let subject = match head[17] {
            0 if user.is_empty() => Subject::App,
            1 => Subject::User(UserId::new(std::str::from_utf8(user).ok()?).ok()?),
            _ => return None,
        };
        let issued = u64::from_be_bytes(head[18..26].try_into().ok()?);
        let expires = u64::from_be_bytes(head[26..34].try_into().ok()?);
        Some(Claims {
            subject,
            issued: Millis(issued),
            expires: (expires != u64::MAX).then_some(Millis(expires)),
            precise: true,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_700_000_000_000);

    fn tokens(key: &str, secret: &str) -> Tokens {
        Tokens::new(Uuid::new_v5(&Uuid::NAMESPACE_URL, key.as_bytes()), Sealer::new(secret.as_bytes(), key))
    }

    fn claims(subject: Subject, expires: Option<Millis>) -> Claims {
        Claims { subject, issued: NOW, expires, precise: true }
    }

    #[test]
    fn what_was_sealed_comes_out() {
        let tokens = tokens("acme#demo", "secret");
        for claims in [
            claims(Subject::App, None),
            claims(Subject::App, Some(NOW.plus(1))),
            claims(Subject::User(UserId::new("user1").unwrap()), Some(NOW.plus(1000))),
        ] {
            let token = tokens.seal(&claims);
            assert!(token.starts_with("YWMt"));
            assert_eq!(tokens.open(&token, NOW), Ok(claims));
        }
    }

    #[test]
    fn faults_are_distinguished() {
        let own = tokens("acme#demo", "secret");
        let token = own.seal(&claims(Subject::App, Some(NOW.plus(1000))));
        assert_eq!(own.open(&token, NOW.plus(1000)), Err(TokenError::Expired));
        assert_eq!(tokens("acme#other", "secret").open(&token, NOW), Err(TokenError::Foreign));
        assert_eq!(tokens("acme#demo", "wrong").open(&token, NOW), Err(TokenError::Invalid));
        for garbage in ["", "YWMt", "garbage", "YWMt!!", "YWMtAAAA", &token[..token.len() - 1], &token[4..]] {
            assert_eq!(own.open(garbage, NOW), Err(TokenError::Invalid), "{garbage}");
        }
    }

    #[test]
    fn no_changed_character_goes_unnoticed() {
        let tokens = tokens("acme#demo", "secret");
        let token = tokens.seal(&claims(Subject::User(UserId::new("user1").unwrap()), None));
        for at in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert!(tokens.open(&changed, NOW).is_err(), "{at}: {changed}");
        }
    }
}
