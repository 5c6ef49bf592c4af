//! User signatures (`TLSSigAPI` version 2): they authenticate a caller by the app's key.
//!
//! A signature is a JSON document, deflated and written in an alphabet of its own. The SDKs order its members and
//! deflate differently, so its fields are read and the HMAC is computed again; texts are never compared.
//!
//! The signed text consists of lines, so no field may contain a line break: an identifier with one could be read as
//! another identifier and a `userbuf`.

use std::io::{Read as _, Write as _};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use conclave_core::model::{Labels, Millis, User};
use conclave_kit::{decode_base64, is_base64_of};
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use hmac::{Hmac, KeyInit, Mac};
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::refusals::Code;

/// Longest signature that is decoded, in characters. Real ones have some 250.
const LONGEST: usize = 8 * 1024;
/// Most bytes a signature may inflate to.
const INFLATED: u64 = 64 * 1024;
/// Verified signatures that are cached for each app, so that they are not computed again for each call of a busy
/// caller.
const REMEMBERED: usize = 1024;
/// How far the clock of the signing machine may be ahead, in seconds.
const SKEW: u64 = 15 * 60;
const VERSION: &str = "2.0";
/// The label with the time of the signature whose sign-in created the account, in Unix seconds.
const FIRST_SIGNATURE: &str = "tencent.first_signature";

/// The document inside a signature.
#[derive(Serialize, Deserialize)]
struct Document {
    #[serde(rename = "TLS.ver")]
    version: String,
    #[serde(rename = "TLS.identifier")]
    identifier: String,
    #[serde(rename = "TLS.sdkappid")]
    sdkappid: u32,
    #[serde(rename = "TLS.time")]
    time: u64,
    #[serde(rename = "TLS.expire")]
    expire: u64,
    #[serde(rename = "TLS.userbuf", default, skip_serializing_if = "Option::is_none")]
    userbuf: Option<String>,
    #[serde(rename = "TLS.sig")]
    sig: String,
}

impl Document {
    fn read(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let standard = text.replace('*', "+").replace('-', "/").replace('_', "=");
        let deflated = decode_base64(&standard)?;
        let mut json = Vec::new();
        let read = ZlibDecoder::new(&*deflated).take(INFLATED + 1).read_to_end(&mut json).ok()?;
        if read as u64 > INFLATED {
            return None;
        }
        serde_json::from_slice(&json).ok().filter(Self::is_well_formed)
    }

    /// Whether it has the version that is checked here, and no text in it can be read as several lines.
    fn is_well_formed(&self) -> bool {
        self.version == VERSION
            && !self.identifier.chars().any(char::is_control)
            && self.userbuf.as_deref().is_none_or(|buffer| STANDARD.decode(buffer).is_ok())
    }

    fn proof(&self, mut mac: Hmac<Sha256>) -> [u8; 32] {
        let Self { identifier, sdkappid, time, expire, .. } = self;
        let lines =
            format!("TLS.identifier:{identifier}\nTLS.sdkappid:{sdkappid}\nTLS.time:{time}\nTLS.expire:{expire}\n");
        mac.update(lines.as_bytes());
        if let Some(userbuf) = &self.userbuf {
            mac.update(format!("TLS.userbuf:{userbuf}\n").as_bytes());
        }
        mac.finalize().into_bytes().into()
    }
}

/// The claims of a verified signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    identifier: String,
    sdkappid: u32,
    /// Unix seconds.
    time: u64,
    /// Seconds.
    expire: u64,
}

impl Claims {
    /// Whether it was signed before this time.
    pub(crate) fn is_older_than(&self, moment: Millis) -> bool {
        Millis::from_seconds(self.time) < moment
    }

    /// Whether it is valid for this account: it was signed for it, not for an earlier account with the same id, and was
    /// not revoked since.
    ///
    /// A signature has its time of issue in seconds only. One from the second in which the account was created is
    /// valid; one from the second in which signatures were revoked is not. An account that was created by a sign-in is
    /// younger than the signature of that sign-in, which is valid all the same.
    pub(crate) fn counts_for(&self, account: &User) -> bool {
        let first = account.labels.get(FIRST_SIGNATURE).and_then(|seconds| seconds.parse().ok());
        let begin = first.unwrap_or(u64::MAX).min(account.created.seconds());
        self.time >= begin && !self.is_older_than(account.tokens_revoked())
    }

    /// The signed account.
    pub(crate) fn identifier(&self) -> &str {
        &self.identifier
    }

    /// The labels of an account that is created by signing in with this.
    pub(crate) fn first_labels(&self) -> Labels {
        [(FIRST_SIGNATURE.to_owned(), self.time.to_string())].into()
    }

    fn check_named(&self, identifier: &str, sdkappid: u32) -> Result<(), Code> {
        if self.identifier != identifier {
            return Err(Code::SigIdentifier);
        }
        if self.sdkappid != sdkappid {
            return Err(Code::SigApp);
        }
        Ok(())
    }

    /// Refuses a signature that has expired or is not valid yet.
    pub(crate) fn check_time(&self, now: Millis) -> Result<(), Code> {
        let now = now.seconds();
        if now > self.time.saturating_add(self.expire) {
            return Err(Code::SigExpired);
        }
        if self.time > now.saturating_add(SKEW) {
            return Err(Code::SigIllegal);
        }
        Ok(())
    }
}

/// Verifies the signatures of one app.
pub(crate) struct Verifier {
    sdkappid: u32,
    mac: Hmac<Sha256>,
    proven: Cache<String, Arc<Claims>>,
}

impl Verifier {
    pub(crate) fn new(sdkappid: u32, key: &str) -> Self {
        Self { sdkappid, mac: keyed(key), proven: Cache::new(REMEMBERED) }
    }

    /// The claims of a signature, if it is this caller's, valid, and has not expired. Revocation is checked with the
    /// account.
    pub(crate) fn verify(&self, signature: &str, identifier: &str, now: Millis) -> Result<Arc<Claims>, Code> {
        if signature.is_empty() {
            return Err(Code::SigEmpty);
        }
        let claims = match self.proven.get(signature) {
            Some(claims) => {
                claims.check_named(identifier, self.sdkappid)?;
                claims
            }
            None => self.prove(signature, identifier)?,
        };
        claims.check_time(now)?;
        Ok(claims)
    }

    fn prove(&self, signature: &str, identifier: &str) -> Result<Arc<Claims>, Code> {
        let document = Document::read(signature).ok_or(Code::SigIllegal)?;
        let proof = document.proof(self.mac.clone());
        let claims = Claims {
            identifier: document.identifier,
            sdkappid: document.sdkappid,
            time: document.time,
            expire: document.expire,
        };
        claims.check_named(identifier, self.sdkappid)?;
        if !is_base64_of(&document.sig, &proof) {
            return Err(Code::SigForged);
        }
        let claims = Arc::new(claims);
        self.proven.insert(signature.to_owned(), claims.clone());
        Ok(claims)
    }
}

fn keyed(key: &str) -> Hmac<Sha256> {
    match Hmac::new_from_slice(key.as_bytes()) {
        Ok(mac) => mac,
        Err(never) => unreachable!("hmac takes any key: {never}"),
    }
}

/// Signs for a user of an app, valid from `time` (Unix seconds) for `expire` seconds: for tests and tools, like the
/// vendor's own generators.
pub fn user_sig(sdkappid: u32, key: &str, identifier: &str, time: u64, expire: u64) -> String {
    let mut document = Document {
        version: VERSION.to_owned(),
        identifier: identifier.to_owned(),
        sdkappid,
        time,
        expire,
        userbuf: None,
        sig: String::new(),
    };
    document.sig = STANDARD.encode(document.proof(keyed(key)));
    let json = serde_json::to_vec(&document).unwrap_or_default();
    in_signature_alphabet(&json)
}

/// Deflates a document and writes it in the alphabet of signatures.
fn in_signature_alphabet(json: &[u8]) -> String {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
    // writing to a vector cannot fail
    let deflated = zlib.write_all(json).and_then(|()| zlib.finish()).unwrap_or_default();
    STANDARD.encode(deflated).replace('+', "*").replace('/', "-").replace('=', "_")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests;
