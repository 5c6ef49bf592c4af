//! Protection against replayed calls: callbacks' own credentials sent back to us, and, if configured, calls that were
//! seen before.
//!
//! A callback's query is signed with the same formula as a call, and receivers log it. So the nonces of our callbacks
//! contain a keyed hash, by which the server API recognizes and refuses them. A signature covers nonce and timestamp
//! concatenated; they are checked concatenated too, so that moving the boundary between them does not help.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use conclave_core::model::Millis;
use conclave_kit::same;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::realm::Credentials;
use crate::settings::Settings;

/// Digits of a callback's nonce: the vendor's documented maximum. Receivers may read it as a signed number of 64 bits.
const NONCE: usize = 18;
/// Digits of a callback's timestamp: milliseconds since 1970, until the year 2286.
const TIMESTAMP: usize = 13;
/// Random leading digits, so that callbacks of one millisecond differ; the keyed hash follows.
const CHANCE: usize = 6;
/// The smallest number of [`CHANCE`] digits.
const SMALLEST_CHANCE: u64 = 100_000;
/// The hash is taken modulo this number, which makes it the remaining 12 digits: of the nonces that SDKs generate, one
/// in a million millions is refused by accident.
const PROOFS: u64 = 1_000_000_000_000;

/// Generates and recognizes the nonces of an app's callbacks.
pub(crate) struct CallbackNonces {
    mac: Hmac<Sha256>,
}

impl CallbackNonces {
    pub(crate) fn new(credentials: &Credentials) -> Self {
        // HMAC takes keys of any length, so this cannot fail
        let mut mac = match Hmac::<Sha256>::new_from_slice(credentials.app_secret.as_bytes()) {
            Ok(mac) => mac,
            Err(never) => unreachable!("hmac takes any key: {never}"),
        };
        mac.update(format!("rong callback nonce of {}", credentials.app_key).as_bytes());
        mac.update(&[0]);
        Self { mac }
    }

    /// A nonce of 18 digits for a callback with this timestamp; `chance` differs for each callback.
    pub(crate) fn make(&self, timestamp: &str, chance: u64) -> String {
        let chance = (SMALLEST_CHANCE + chance % (9 * SMALLEST_CHANCE)).to_string();
        let proof = self.proof(chance.as_bytes(), timestamp.as_bytes());
        chance + &proof
    }

    /// Whether a concatenated nonce and timestamp are a callback's.
    pub(crate) fn made(&self, nonce_and_timestamp: &[u8]) -> bool {
        // most calls need no hash
        let is_like_ours = nonce_and_timestamp.len() == NONCE + TIMESTAMP;
        if !is_like_ours || !nonce_and_timestamp.iter().all(u8::is_ascii_digit) {
            return false;
        }
        let Some((nonce, timestamp)) = nonce_and_timestamp.split_at_checked(NONCE) else { return false };
        let (chance, proof) = nonce.split_at(CHANCE);
        same(proof, self.proof(chance, timestamp).as_bytes())
    }

    fn proof(&self, chance: &[u8], timestamp: &[u8]) -> String {
        let mut mac = self.mac.clone();
        // its length is fixed, so no separator is needed
        mac.update(chance);
        mac.update(timestamp);
        let [b0, b1, b2, b3, b4, b5, b6, b7, ..] = <[u8; 32]>::from(mac.finalize().into_bytes());
        format!("{:012}", u64::from_be_bytes([b0, b1, b2, b3, b4, b5, b6, b7]) % PROOFS)
    }
}

/// The signature of a call: SHA-1.
pub(crate) type Digest = [u8; 20];

/// Refuses calls with an old timestamp or a repeated signature, as configured.
pub(crate) struct ReplayGuard {
    /// How far a timestamp may be from now, in milliseconds; 0 is unlimited.
    window: u64,
    /// How many signatures are stored; 0 is none.
    most: usize,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    known: HashSet<Digest>,
    /// The same, oldest first, with the time of each.
    order: VecDeque<(Digest, Millis)>,
}

impl ReplayGuard {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self { window: settings.signature_window_ms, most: settings.remembered_signatures, seen: Mutex::default() }
    }

    /// Whether a correctly signed call may be answered, because it is not a replay.
    pub(crate) fn admits(&self, digest: Digest, timestamp: &[u8], now: Millis) -> bool {
        let in_time = self.window == 0 || moment(timestamp).is_some_and(|at| at.0.abs_diff(now.0) <= self.window);
        in_time && (self.most == 0 || self.is_new(digest, now))
    }

    fn is_new(&self, digest: Digest, now: Millis) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let Seen { known, order } = &mut *seen;
        if !known.insert(digest) {
            return false;
        }
        order.push_back((digest, now));
        // the timestamp of a signature from two windows ago is refused by itself
        let over = |came: Millis| self.window > 0 && came.plus(self.window.saturating_mul(2)) < now;
        while order.len() > self.most || order.front().is_some_and(|(_, came)| over(*came)) {
            let Some((oldest, _)) = order.pop_front() else { break };
            known.remove(&oldest);
        }
        true
    }
}

/// A timestamp as SDKs send it: digits only, in seconds or milliseconds.
fn moment(timestamp: &[u8]) -> Option<Millis> {
    /// Smaller numbers are seconds, until the year 5138; larger ones milliseconds, since 1973.
    const MILLISECONDS: u64 = 100_000_000_000;
    let digits = std::str::from_utf8(timestamp).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    let number: u64 = digits.parse().ok()?;
    Some(if number < MILLISECONDS { Millis::from_seconds(number) } else { Millis(number) })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn nonces(secret: &str) -> CallbackNonces {
        CallbackNonces::new(&Credentials { app_key: "key".to_owned(), app_secret: secret.to_owned() })
    }

    #[test]
    fn a_callbacks_nonce_is_known_however_it_is_cut() {
        let nonces = nonces("secret");
        for chance in [0, 1, 899_999, 900_000, u64::MAX] {
            let nonce = nonces.make("1408710653000", chance);
            assert_eq!(nonce.len(), NONCE);
            assert!(nonce.parse::<i64>().is_ok_and(|number| number.to_string() == nonce), "{nonce}");
            assert!(nonces.made(format!("{nonce}1408710653000").as_bytes()));
            assert!(!nonces.made(format!("{nonce}1408710653001").as_bytes()));
            assert!(!super::tests::nonces("other").made(format!("{nonce}1408710653000").as_bytes()));
        }
        assert_ne!(nonces.make("1408710653000", 1), nonces.make("1408710653000", 2));
        for others in [
            "",
            "14314",
            "55770067919477794101408710653",
            "0.44324001810889881408710653",
            "531234.12345671408710653000",
        ] {
            assert!(!nonces.made(others.as_bytes()), "{others}");
        }
    }

    fn guard(window: u64, most: usize) -> ReplayGuard {
        let settings = Settings { signature_window_ms: window, remembered_signatures: most, ..Settings::default() };
        ReplayGuard::new(&settings)
    }

    #[test]
    fn without_settings_every_call_is_admitted_again_and_again() {
        let guard = guard(0, 0);
        for _ in 0..3 {
            assert!(guard.admits([1; 20], b"now", Millis(5)));
        }
    }

    #[test]
    fn a_window_takes_seconds_and_milliseconds() {
        let (guard, now) = (guard(10_000, 0), Millis(1_700_000_000_000));
        for near in ["1700000000", "1700000010", "1699999990", "1700000010000", "1699999990000"] {
            assert!(guard.admits([1; 20], near.as_bytes(), now), "{near}");
        }
        for far in [
            "1700000011",
            "1699999989",
            "1700000010001",
            "1699999989999",
            "",
            "now",
            "-1",
            "+1700000000",
            "1700000000.0",
            "99999999999999999999",
        ] {
            assert!(!guard.admits([1; 20], far.as_bytes(), now), "{far}");
        }
    }

    #[test]
    fn the_memory_has_a_bound_and_forgets_what_the_window_refuses() {
        let bounded = guard(0, 2);
        for (digest, admitted) in [(1, true), (1, false), (2, true), (3, true), (2, false), (1, true)] {
            assert_eq!(bounded.admits([digest; 20], b"", Millis(0)), admitted, "{digest}");
            assert!(bounded.seen.lock().unwrap().order.len() <= 2);
        }
        let windowed = guard(1000, 100);
        for digest in 0..50 {
            let now = Millis(1_700_000_000_000 + u64::from(digest) * 1000);
            assert!(windowed.admits([digest; 20], now.0.to_string().as_bytes(), now));
        }
        let seen = windowed.seen.lock().unwrap();
        assert!(seen.order.len() <= 3 && seen.known.len() == seen.order.len());
    }
}
