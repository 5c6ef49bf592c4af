//! Passwords are stored as argon2id hashes. They are hashed and checked outside the async threads, a few at a time.

use std::net::IpAddr;
use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use conclave_core::model::Millis;
use conclave_core::refusal::Refusal;

use super::attempts::{Attempt, Attempts};
use super::turns::Turns;

/// Memory of one hash in KiB, passes over it, lanes: one of the equivalent settings that OWASP recommends, chosen
/// because many concurrent logins need little memory.
const COST: (u32, u32, u32) = (7 * 1024, 5, 1);

/// Hashes and checks passwords, at most as many at a time as there are processors.
pub(crate) struct Passwords {
    turns: Arc<Turns>,
    attempts: Attempts,
}

/// Why a password was not checked.
#[derive(Debug)]
pub(crate) enum CheckError {
    /// Too many others are waiting.
    Crowded,
    /// An internal error.
    Failed(Refusal),
}

impl Passwords {
    pub(crate) fn new() -> Self {
        let turns = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { turns: Turns::new(turns), attempts: Attempts::default() }
    }

    /// The hash to store for a password.
    pub(crate) async fn hash(&self, password: String) -> Result<String, Refusal> {
        self.beside(None, move || {
            let hash: PasswordHash = hasher()?.hash_password(password.as_bytes()).map_err(|error| broken(&error))?;
            Ok(hash.to_string())
        })
        .await
    }

    /// Whether the password matches the stored hash.
    pub(crate) async fn check(&self, password: String, kept: String, attempt: Attempt<'_>) -> Result<bool, CheckError> {
        let _waiting = self.attempts.wait(attempt).ok_or(CheckError::Crowded)?;
        let checked = self.beside(attempt.address, move || {
            // a secret that another surface stored in another format is not a password
            let Ok(hash) = PasswordHash::new(&kept) else { return Ok(false) };
            Ok(hasher()?.verify_password(password.as_bytes(), &hash).is_ok())
        });
        checked.await.map_err(CheckError::Failed)
    }

    /// Whether a password may be checked; not after many wrong ones.
    pub(crate) fn may_try(&self, attempt: Attempt<'_>, now: Millis) -> bool {
        self.attempts.may_try(attempt, now)
    }

    /// Records a wrong password.
    pub(crate) fn was_wrong(&self, attempt: Attempt<'_>, now: Millis) {
        self.attempts.was_wrong(attempt, now);
    }

    async fn beside<T: Send + 'static>(
        &self,
        address: Option<IpAddr>,
        work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let turn = self.turns.take(address).await;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        done.await.map_err(|error| broken(&error))?
    }
}

fn hasher() -> Result<Argon2<'static>, Refusal> {
    let (memory, passes, lanes) = COST;
    let params = Params::new(memory, passes, lanes, None).map_err(|error| broken(&error))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn broken(error: &dyn std::fmt::Display) -> Refusal {
    Refusal::Unavailable(format!("a password could not be hashed: {error}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_password_that_was_kept_is_right() {
        let passwords = Passwords::new();
        let kept = passwords.hash("123".to_owned()).await.unwrap();
        assert!(kept.starts_with("$argon2id$") && !kept.contains("123$"), "{kept}");
        let attempt = Attempt { account: "a", address: None };
        assert!(passwords.check("123".to_owned(), kept.clone(), attempt).await.unwrap());
        assert!(!passwords.check("124".to_owned(), kept, attempt).await.unwrap());
        assert!(!passwords.check("x".to_owned(), "x".to_owned(), attempt).await.unwrap());
    }

    /// Guesses wait behind each other, not before a user who knows the password.
    #[tokio::test(flavor = "multi_thread")]
    async fn many_attempts_from_one_address_delay_another_by_few() {
        let passwords = Passwords::new();
        let kept = passwords.hash("123".to_owned()).await.unwrap();
        let done = parking_lot::Mutex::new(Vec::new());
        let check = async |password: &str, last: u8| {
            let attempt = Attempt { account: "a", address: Some(IpAddr::from([1, 1, 1, last])) };
            let is_right = passwords.check(password.to_owned(), kept.clone(), attempt).await.unwrap();
            done.lock().push(is_right);
        };
        let guesses = futures_util::future::join_all((0..16).map(|_| check("124", 1)));
        futures_util::future::join(guesses, check("123", 2)).await;
        let place = done.lock().iter().position(|is_right| *is_right).unwrap();
        let at_once = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        assert!(place <= 2 * at_once, "{place} guesses were checked before, of 16");
    }
}
