//! Authentication of calls: App-Key, Nonce, Timestamp and Signature.
//!
//! The signature is the hexadecimal SHA-1 of secret, nonce and timestamp, exactly as sent; its digits may be in either
//! case, as the vendor's .NET SDK sends upper case. Timestamps are not restricted and nonces not stored unless
//! configured: the vendor's Node SDK signs once per process and repeats that signature, and others send seconds,
//! milliseconds, decimals and nonces of any length (seen on the wire).

use std::sync::Arc;

use conclave_kit::{Apps, is_hex_of};
use http::HeaderMap;
use http::header::HeaderName;
use sha1::{Digest as _, Sha1};

use crate::auth::replay::Digest;
use crate::realm::App;
use crate::refusals::{Code, Failure};

/// The two names of each header.
static APP_KEY: [HeaderName; 2] = names("app-key", "rc-app-key");
static NONCE: [HeaderName; 2] = names("nonce", "rc-nonce");
static TIMESTAMP: [HeaderName; 2] = names("timestamp", "rc-timestamp");
static SIGNATURE: [HeaderName; 2] = names("signature", "rc-signature");

const fn names(name: &'static str, other: &'static str) -> [HeaderName; 2] {
    [HeaderName::from_static(name), HeaderName::from_static(other)]
}

/// The app that signed this request.
///
/// An unknown app key is 1001; a missing, empty or wrong signature is 1004, both with HTTP 401. So are the signature of
/// one of our own callbacks, and a replayed call, if that is configured.
pub(crate) fn caller(apps: &Apps<String, App>, headers: &HeaderMap) -> Result<Arc<App>, Failure> {
    let key = header(headers, &APP_KEY);
    let app = key.and_then(|key| std::str::from_utf8(key).ok()).and_then(|key| apps.get(key));
    let app = app.ok_or(Code::AppKey)?;
    let nonce = header(headers, &NONCE).ok_or(Code::Signature)?;
    let timestamp = header(headers, &TIMESTAMP).ok_or(Code::Signature)?;
    let signature = header(headers, &SIGNATURE).ok_or(Code::Signature)?;
    let signed = [nonce, timestamp].concat();
    let expected = digest(&app.realm.credentials.app_secret, &signed);
    let admitted = is_hex_of(signature, &expected)
        && !app.callback_nonces.made(&signed)
        && app.replay_guard.admits(expected, timestamp, app.realm.groups.now());
    if admitted { Ok(app) } else { Err(Code::Signature.into()) }
}

/// A header under either of its two names, unless empty.
fn header<'h>(headers: &'h HeaderMap, [name, other]: &[HeaderName; 2]) -> Option<&'h [u8]> {
    let value = headers.get(name).or_else(|| headers.get(other))?;
    Some(value.as_bytes()).filter(|bytes| !bytes.is_empty())
}

/// The signature of a nonce and a timestamp in lower-case hexadecimal, as callbacks carry it.
pub(crate) fn sign(secret: &str, nonce: &str, timestamp: &str) -> String {
    hex::encode(digest(secret, format!("{nonce}{timestamp}").as_bytes()))
}

fn digest(secret: &str, nonce_and_timestamp: &[u8]) -> Digest {
    let mut hash = Sha1::new();
    hash.update(secret.as_bytes());
    hash.update(nonce_and_timestamp);
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_example_signs_as_documented() {
        let signature = sign("Y1W2MeFwwwRxa0", "14314", "1408710653000");
        assert_eq!(signature, "30be0bbca9c9b2e27578701e9fda2358a814c88f");
    }
}
