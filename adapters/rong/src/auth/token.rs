//! Tokens with which a user's client connects. They are sealed, so nothing is stored for them.
//!
//! A token ends in `@`: navigators would be listed after it, and without any the client SDK asks the navigator it was
//! configured with (source of the Web SDK).

use conclave_core::event::Actor;
use conclave_core::model::{Millis, UserId};
use conclave_core::ports::GroupsExt;
use conclave_core::query::FindUsers;
use conclave_core::refusal::Refusal;
use conclave_kit::Sealer;

use crate::realm::App;

/// Longest token the vendor issues, in bytes.
pub(crate) const MAX_TOKEN: usize = 256;

/// Why a token is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidToken {
    /// Not issued here, or not for this app.
    #[error("the token was not issued for this app")]
    Forged,
    /// Issued here, but expired or revoked.
    #[error("the token has expired")]
    Expired,
    /// The account was deleted.
    #[error("the token's user was deleted")]
    UserGone,
    /// The account is blocked.
    #[error("the user of the token may not connect")]
    UserBlocked,
    /// The account could not be looked up.
    #[error(transparent)]
    Unknown(#[from] Refusal),
}

/// The user of a token, and its time of issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) user: UserId,
    pub(crate) issued: Millis,
}

/// Issues and opens the tokens of one app.
pub(crate) struct Tokens {
    sealer: Sealer,
    /// Milliseconds; 0 is without end.
    lifetime: u64,
}

impl Tokens {
    pub(crate) fn new(app_key: &str, app_secret: &str, lifetime_seconds: u64) -> Self {
        let sealer = Sealer::new(app_secret.as_bytes(), &format!("rong user token of {app_key}"));
        Self { sealer, lifetime: lifetime_seconds.saturating_mul(1000) }
    }

    /// A token for this user, issued at this time. The time has a fixed width, followed by the user.
    pub(crate) fn issue(&self, user: &UserId, issued: Millis) -> String {
        let mut payload = issued.0.to_be_bytes().to_vec();
        payload.extend_from_slice(user.as_str().as_bytes());
        let token = self.sealer.seal(&payload) + "@";
        debug_assert!(token.len() <= MAX_TOKEN);
        token
    }

    /// The user of a token that was issued here, valid or not.
    pub(crate) fn whose(&self, token: &str) -> Option<UserId> {
        self.unseal(token).ok().map(|claim| claim.user)
    }

    /// The claim of a token. Clients send it whole or cut after the `@`.
    pub(crate) fn open(&self, token: &str, now: Millis) -> Result<Claim, InvalidToken> {
        let claim = self.unseal(token)?;
        self.check(&claim, now)?;
        Ok(claim)
    }

    fn unseal(&self, token: &str) -> Result<Claim, InvalidToken> {
        let sealed = token.split('@').next().unwrap_or_default();
        let payload = self.sealer.open(sealed).ok_or(InvalidToken::Forged)?;
        let (issued, user) = payload.split_first_chunk::<8>().ok_or(InvalidToken::Forged)?;
        let issued = Millis(u64::from_be_bytes(*issued));
        let user = std::str::from_utf8(user).map_err(|_| InvalidToken::Forged)?;
        let user = UserId::new(user).map_err(|_| InvalidToken::Forged)?;
        Ok(Claim { user, issued })
    }

    /// Whether a token is within its lifetime.
    fn check(&self, claim: &Claim, now: Millis) -> Result<(), InvalidToken> {
        if self.lifetime > 0 && claim.issued.plus(self.lifetime) <= now {
            return Err(InvalidToken::Expired);
        }
        Ok(())
    }
}

/// The claim of a token, if its seal is valid, and neither it nor its user's tokens were revoked.
pub(crate) async fn verify(app: &App, token: &str) -> Result<Claim, InvalidToken> {
    let claim = app.tokens.open(token, app.realm.groups.now())?;
    let user = check(app, &claim).await?;
    Ok(Claim { user, ..claim })
}

/// Whether a verified token is still valid: returns the user, as the account spells it.
pub(crate) async fn check(app: &App, claim: &Claim) -> Result<UserId, InvalidToken> {
    let groups = &app.realm.groups;
    app.tokens.check(claim, groups.now())?;
    let query = FindUsers { ids: vec![claim.user.clone()], folded: false };
    let found = groups.ask(&Actor::app(), query).await?.0.pop().flatten();
    let user = found.ok_or(InvalidToken::UserGone)?;
    if !user.active {
        return Err(InvalidToken::UserBlocked);
    }
    // issued for an earlier account of this id, or revoked
    if claim.issued < user.tokens_valid_from() {
        return Err(InvalidToken::Expired);
    }
    Ok(user.id.clone())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_token_tells_whose_it_is() {
        let tokens = Tokens::new("key", "secret", 0);
        let user = UserId::new("u".repeat(128)).unwrap();
        let token = tokens.issue(&user, Millis(5));
        assert!(token.len() <= MAX_TOKEN && token.ends_with('@'));
        let claim = Claim { user, issued: Millis(5) };
        assert_eq!(tokens.open(&token, Millis(u64::MAX)).unwrap(), claim);
        assert_eq!(tokens.open(&format!("{token}navi.example.com;b"), Millis(6)).unwrap(), claim);
        assert_eq!(tokens.open(token.trim_end_matches('@'), Millis(6)).unwrap(), claim);
    }

    #[test]
    fn tokens_of_other_apps_and_old_ones_are_refused() {
        let user = UserId::new("u1").unwrap();
        let tokens = Tokens::new("key", "secret", 60);
        let token = tokens.issue(&user, Millis(1000));
        assert!(tokens.open(&token, Millis(60_999)).is_ok());
        assert_eq!(tokens.open(&token, Millis(61_000)), Err(InvalidToken::Expired));
        assert_eq!(Tokens::new("key2", "secret", 0).open(&token, Millis(1000)), Err(InvalidToken::Forged));
        assert_eq!(Tokens::new("key", "secret2", 0).open(&token, Millis(1000)), Err(InvalidToken::Forged));
        assert_eq!(tokens.open("", Millis(1000)), Err(InvalidToken::Forged));
        assert_eq!(tokens.open("@", Millis(1000)), Err(InvalidToken::Forged));
    }
}
