//! Signed tokens, and comparison in constant time.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Whether two secrets are the same, in constant time for equal lengths.
pub fn same(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

/// Seals small payloads with a key: a payload that is returned with a valid seal is unchanged.
pub struct Sealer {
    mac: Hmac<Sha256>,
}

/// Bytes of the seal that are used: 128 bits.
const SEAL: usize = 16;

impl Sealer {
    /// A sealer for one purpose; two purposes never accept each other's tokens, even under one key.
    pub fn new(key: &[u8], purpose: &str) -> Self {
        // HMAC takes keys of any length, so this cannot fail
        let mut mac = match Hmac::<Sha256>::new_from_slice(key) {
            Ok(mac) => mac,
            Err(never) => unreachable!("hmac takes any key: {never}"),
        };
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        Self { mac }
    }

    /// The payload and its seal as text, safe in URLs and headers.
    pub fn seal(&self, payload: &[u8]) -> String {
        let mut bytes = self.mac_of(payload)[..SEAL].to_vec();
        bytes.extend_from_slice(payload);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The payload, when the seal is true.
    pub fn open(&self, text: &str) -> Option<Vec<u8>> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (seal, payload) = bytes.split_at_checked(SEAL)?;
        same(seal, &self.mac_of(payload)[..SEAL]).then(|| payload.to_vec())
    }

    fn mac_of(&self, payload: &[u8]) -> [u8; 32] {
        let mut mac = self.mac.clone();
        mac.update(payload);
        mac.finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_true_seal_opens() {
        let sealer = Sealer::new(b"key", "user");
        let token = sealer.seal(b"alice");
        assert_eq!(sealer.open(&token).as_deref(), Some(&b"alice"[..]));
        assert_eq!(Sealer::new(b"other", "user").open(&token), None);
        assert_eq!(Sealer::new(b"key", "app").open(&token), None);
        assert_eq!(sealer.open(&format!("{token}AA")), None);
        assert_eq!(sealer.open("not a token"), None);
        assert_eq!(sealer.open(""), None);
    }
}
