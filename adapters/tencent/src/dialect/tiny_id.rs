//! `TinyId`: a user's number in the client protocol. It is part of message ids, so it never changes.

use conclave_core::model::UserId;
use sha2::{Digest, Sha256};

/// The first of the vendor's numbers.
const BASE: u64 = 1 << 57;

/// A user's number, as the decimal text clients expect: a JSON number of this size would lose digits.
pub(crate) fn of(user: &UserId) -> String {
    let digest = Sha256::digest(user.as_str().as_bytes());
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&digest[..8]);
    (BASE + (u64::from_be_bytes(bytes) >> 8)).to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_eighteen_digits_and_stay() {
        let alice = of(&UserId::new("alice").unwrap());
        assert_eq!(alice.len(), 18);
        assert_eq!(alice, of(&UserId::new("alice").unwrap()));
        assert_ne!(alice, of(&UserId::new("bob").unwrap()));
    }
}
