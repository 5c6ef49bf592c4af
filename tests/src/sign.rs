//! Credentials as the vendors' own tools generate them.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha1::Digest as _;
use sha1::Sha1;
use sha2::Sha256;

/// A TIM user signature (version 2.0) for this user, valid from `time` for `expire` seconds.
pub fn user_sig(sdkappid: u32, key: &str, identifier: &str, time: u64, expire: u64) -> String {
    let content =
        format!("TLS.identifier:{identifier}\nTLS.sdkappid:{sdkappid}\nTLS.time:{time}\nTLS.expire:{expire}\n");
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("any key");
    mac.update(content.as_bytes());
    let document = json!({
        "TLS.ver": "2.0",
        "TLS.identifier": identifier,
        "TLS.sdkappid": sdkappid,
        "TLS.time": time,
        "TLS.expire": expire,
        "TLS.sig": STANDARD.encode(mac.finalize().into_bytes()),
    });
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
    zlib.write_all(document.to_string().as_bytes()).expect("memory");
    STANDARD.encode(zlib.finish().expect("memory")).replace('+', "*").replace('/', "-").replace('=', "_")
}

/// The signature header of a RongCloud request.
pub fn rong_signature(secret: &str, nonce: &str, timestamp: &str) -> String {
    let digest = Sha1::digest(format!("{secret}{nonce}{timestamp}").as_bytes());
    hex::encode(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_rong_example_comes_out() {
        let signature = rong_signature("Y1W2MeFwwwRxa0", "14314", "1408710653000");
        assert_eq!(signature, "30be0bbca9c9b2e27578701e9fda2358a814c88f");
    }
}
