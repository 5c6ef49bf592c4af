//! Dynamic tokens of users: made offline with the app's client secret, by the customer's own server.
//!
//! `base64url("dt-" + json)`, where the JSON has `appkey`, `userId`, `curTime`, `ttl` (seconds) and `signature`: the
//! lower-case hexadecimal SHA-256 of client id, app key, user, time, life and client secret, written one after the
//! other.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use conclave_core::model::{Millis, UserId};
use conclave_kit::same;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::token::{Claims, Subject, TokenError};
use crate::dialect::ids::fold;
use crate::realm::Credentials;

/// What these tokens begin with: "dt-" in base 64.
pub(crate) const PREFIX: &str = "ZHQt";
/// With padding or without.
const BASE: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    signature: String,
    appkey: String,
    user_id: String,
    cur_time: Number,
    ttl: Number,
}

/// A number, or the text of one.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Number(u64),
    Text(String),
}

impl Number {
    fn text(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        }
    }

    fn value(&self) -> Option<u64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.parse().ok(),
        }
    }
}

/// What a token says, when it is of this app, truly signed and its time not over.
pub(crate) fn open(token: &str, credentials: &Credentials, now: Millis) -> Result<Claims, TokenError> {
    let bytes = BASE.decode(token).map_err(|_| TokenError::Invalid)?;
    let json = bytes.strip_prefix(b"dt-").ok_or(TokenError::Invalid)?;
    let wire: Wire = serde_json::from_slice(json).map_err(|_| TokenError::Invalid)?;
    let key = format!("{}#{}", credentials.org, credentials.app);
    if wire.appkey != key {
        return Err(TokenError::Foreign);
    }
    if !same(wire.signature.as_bytes(), sign(&wire, credentials).as_bytes()) {
        return Err(TokenError::Invalid);
    }
    let user = UserId::new(fold(&wire.user_id)).map_err(|_| TokenError::Invalid)?;
    let (issued, life) = wire.cur_time.value().zip(wire.ttl.value()).ok_or(TokenError::Invalid)?;
    let expires = Millis::from_seconds(issued.saturating_add(life));
    if expires <= now {
        return Err(TokenError::Expired);
    }
    let issued = Millis::from_seconds(issued);
    Ok(Claims { subject: Subject::User(user), issued, expires: Some(expires), precise: false })
}

fn sign(wire: &Wire, credentials: &Credentials) -> String {
    let Wire { appkey, user_id, cur_time, ttl, .. } = wire;
    let (id, secret) = (&credentials.client_id, &credentials.client_secret);
    let signed = format!("{id}{appkey}{user_id}{}{}{secret}", cur_time.text(), ttl.text());
    hex::encode(Sha256::digest(signed.as_bytes()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};

    use super::*;

    const NOW: Millis = Millis(1_700_000_000_000);

    fn credentials() -> Credentials {
        Credentials {
            org: "acme".into(),
            app: "demo".into(),
            client_id: "id".into(),
            client_secret: "secret".into(),
            app_id: None,
            app_certificate: None,
        }
    }

    fn json(appkey: &str, secret: &str, issued: u64) -> String {
        let signature = hex::encode(Sha256::digest(format!("id{appkey}Ann{issued}600{secret}").as_bytes()));
        format!(r#"dt-{{"signature":"{signature}","appkey":"{appkey}","userId":"Ann","curTime":{issued},"ttl":"600"}}"#)
    }

    fn opened(json: &str) -> Result<Claims, TokenError> {
        open(&URL_SAFE_NO_PAD.encode(json), &credentials(), NOW)
    }

    #[test]
    fn a_true_token_opens_until_its_end() {
        let json = json("acme#demo", "secret", 1_699_999_401);
        let claims = opened(&json).unwrap();
        assert_eq!(claims.subject, Subject::User(UserId::new("ann").unwrap()));
        assert_eq!(claims.expires, Some(Millis(1_700_000_001_000)));
        let padded = URL_SAFE.encode(&json);
        assert!(padded.starts_with(PREFIX));
        assert_eq!(open(&padded, &credentials(), NOW), Ok(claims));
        assert_eq!(open(&padded, &credentials(), NOW.plus(1000)), Err(TokenError::Expired));
    }

    #[test]
    fn every_other_is_turned_away() {
        assert_eq!(opened(&json("acme#other", "secret", 1_700_000_000)), Err(TokenError::Foreign));
        assert_eq!(opened(&json("acme#demo", "guess", 1_700_000_000)), Err(TokenError::Invalid));
        let true_one = json("acme#demo", "secret", 1_700_000_000);
        assert_eq!(opened(&true_one.replace("Ann", "Bob")), Err(TokenError::Invalid));
        assert_eq!(opened(&true_one.replace("\"600\"", "\"6000\"")), Err(TokenError::Invalid));
        for garbage in ["dt-", "dt-{}", "x"] {
            assert_eq!(opened(garbage), Err(TokenError::Invalid), "{garbage}");
        }
        assert_eq!(open("ZHQt!", &credentials(), NOW), Err(TokenError::Invalid));
    }
}
