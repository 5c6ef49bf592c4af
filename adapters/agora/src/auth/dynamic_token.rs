//! Dynamic tokens of users: generated offline, with the app's client secret, by the customer's own server.
//!
//! `base64url("dt-" + json)`, where the JSON has `appkey`, `userId`, `curTime` and `ttl` (both in seconds) and
//! `signature`: the hexadecimal SHA-256 of client id, app key, user, time, lifetime and client secret, concatenated
//! without separators (the vendor's documentation of user tokens).
//!
//! Without separators one signature covers every way to split the same text into user, time and lifetime. So the fields
//! must have the form in which the vendor's instructions generate them: a time of ten digits that is not in the future,
//! a lifetime of one second to [`LONGEST`], both without leading zeros. If the text can still be split in another such
//! way, the users of those [`Reading`]s are returned, and the token is refused if one of them could hold it.

use conclave_core::model::{Millis, User, UserId};
use conclave_kit::{decode_base64, is_hex_of};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::token::{Claims, Subject, TokenError};
use super::{is_from_future, signed_user};
use crate::realm::Credentials;

/// The prefix of these tokens: "dt-" in base64.
pub(crate) const PREFIX: &str = "ZHQt";
/// The longest lifetime of a token, in seconds: 60 days, which is the vendor's default for the user tokens that it
/// issues itself. For these it documents no maximum, and recommends short lifetimes.
pub(crate) const LONGEST: u64 = 60 * 24 * 3600;
/// Digits of a time in seconds, from 2001 until 2286.
const TIME_DIGITS: usize = 10;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TokenJson {
    signature: String,
    appkey: String,
    user_id: String,
    cur_time: Number,
    ttl: Number,
}

/// A number, or a text with one.
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
}

/// One way to split a signed text into its fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reading {
    user: UserId,
    /// Unix seconds.
    issued: u64,
    /// Seconds.
    life: u64,
}

impl Reading {
    /// The fields, if the vendor's instructions could have generated them and the time is not in the future.
    fn of(user: &str, time: &str, life: &str, now: Millis) -> Option<Self> {
        let issued = canonical(time).filter(|_| time.len() == TIME_DIGITS)?;
        let life = canonical(life).filter(|life| (1..=LONGEST).contains(life))?;
        if is_from_future(Millis::from_seconds(issued), now) {
            return None;
        }
        Some(Self { user: signed_user(user)?, issued, life })
    }

    pub(crate) fn user(&self) -> &UserId {
        &self.user
    }

    /// Whether the token could have been generated for this account: not if the account was created later.
    pub(crate) fn could_be_of(&self, account: &User) -> bool {
        self.issued >= account.created.seconds()
    }
}

/// A token's claims, and the other readings of its signed text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Opened {
    pub(crate) claims: Claims,
    /// The other ways to split the signed text, expired or not.
    pub(crate) others: Vec<Reading>,
}

/// The claims of a token of this app, if its signature is valid and it has not expired.
pub(crate) fn open(token: &str, credentials: &Credentials, now: Millis) -> Result<Opened, TokenError> {
    let bytes = decode_base64(token).ok_or(TokenError::Invalid)?;
    let json = bytes.strip_prefix(b"dt-").ok_or(TokenError::Invalid)?;
    let wire: TokenJson = serde_json::from_slice(json).map_err(|_| TokenError::Invalid)?;
    let key = format!("{}#{}", credentials.org, credentials.app);
    if wire.appkey != key {
        return Err(TokenError::Foreign);
    }
    let (time, life) = (wire.cur_time.text(), wire.ttl.text());
    let signed = format!("{}{time}{life}", wire.user_id);
    if !is_hex_of(wire.signature.as_bytes(), &sign(&key, &signed, credentials)) {
        return Err(TokenError::Invalid);
    }
    let reading = Reading::of(&wire.user_id, &time, &life, now).ok_or(TokenError::Invalid)?;
    let issued = Millis::from_seconds(reading.issued);
    let expires = issued.plus(reading.life * 1000);
    if expires <= now {
        return Err(TokenError::Expired);
    }
    let others = readings(&signed, now).filter(|other| *other != reading).collect();
    let claims = Claims { subject: Subject::User(reading.user), issued, expires: Some(expires), precise: false };
    Ok(Opened { claims, others })
}

/// Every way in which the vendor's instructions could have generated this text of user, time and lifetime.
fn readings(signed: &str, now: Millis) -> impl Iterator<Item = Reading> {
    let longest_life = LONGEST.to_string().len();
    (1..=longest_life).filter_map(move |life| {
        let (rest, life) = signed.split_at_checked(signed.len().checked_sub(life)?)?;
        let (user, time) = rest.split_at_checked(rest.len().checked_sub(TIME_DIGITS)?)?;
        Reading::of(user, time, life, now)
    })
}

/// The number, if the text is its one canonical spelling.
fn canonical(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

fn sign(key: &str, signed: &str, credentials: &Credentials) -> [u8; 32] {
    let (id, secret) = (&credentials.client_id, &credentials.client_secret);
    Sha256::digest(format!("{id}{key}{signed}{secret}").as_bytes()).into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};

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

    /// A token that signs these fields unchanged.
    fn token(user: &str, time: &str, life: &str) -> String {
        let signature = hex::encode(Sha256::digest(format!("idacme#demo{user}{time}{life}secret").as_bytes()));
        let json = serde_json::json!({
            "signature": signature, "appkey": "acme#demo", "userId": user, "curTime": time, "ttl": life,
        });
        URL_SAFE.encode(format!("dt-{json}"))
    }

    fn opened(json: &str) -> Result<Claims, TokenError> {
        open(&URL_SAFE_NO_PAD.encode(json), &credentials(), NOW).map(|opened| opened.claims)
    }

    #[test]
    fn a_true_token_opens_until_its_end() {
        let json = json("acme#demo", "secret", 1_699_999_401);
        let claims = opened(&json).unwrap();
        assert_eq!(claims.subject, Subject::User(UserId::new("ann").unwrap()));
        assert_eq!(claims.expires, Some(Millis(1_700_000_001_000)));
        let padded = URL_SAFE.encode(&json);
        assert!(padded.starts_with(PREFIX));
        let whole = Opened { claims: claims.clone(), others: Vec::new() };
        assert_eq!(open(&padded, &credentials(), NOW), Ok(whole.clone()));
        assert_eq!(open(&STANDARD.encode(&json), &credentials(), NOW), Ok(whole));
        assert_eq!(open(&padded, &credentials(), NOW.plus(1000)), Err(TokenError::Expired));
        // a signature is compared as a number, so its digits may be in either case
        let (start, rest) = json.split_at(r#"dt-{"signature":""#.len());
        let upper = format!("{start}{}{}", rest[..64].to_uppercase(), &rest[64..]);
        assert_ne!(upper, json);
        assert_eq!(opened(&upper), Ok(claims));
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

    #[test]
    fn only_numbers_as_the_vendor_writes_them_are_taken() {
        let check = |user, time: &str, life: &str| open(&token(user, time, life), &credentials(), NOW).map(|_| ());
        assert_eq!(check("ann12", "1700000000", "600"), Ok(()));
        assert_eq!(check("ann12", "1700000300", "600"), Ok(()), "a clock that is five minutes ahead");
        let longest = LONGEST.to_string();
        assert_eq!(check("ann12", "1699999999", &longest), Ok(()));
        for (time, life) in [
            ("1700000301", "600"),
            ("21700000000", "600"),
            ("170000000060", "0"),
            ("1700000000600", "60"),
            ("1700000000", "0"),
            ("1700000000", "0600"),
            ("1700000000", "+600"),
            ("1700000000", " 600"),
            ("1700000000", "600 "),
            ("1700000000", "6e2"),
            ("1700000000", "-600"),
            ("1700000000", ""),
            ("01700000000", "600"),
            ("+1700000000", "600"),
            ("", "1700000000600"),
            ("1700000000", "5184001"),
            ("1700000000", "18446744073709551616"),
        ] {
            assert_eq!(check("ann12", time, life), Err(TokenError::Invalid), "{time} {life}");
        }
        assert_eq!(check("", "1700000000", "600"), Err(TokenError::Invalid));
    }

    #[test]
    fn another_way_to_cut_the_signed_text_is_found() {
        let others = |user: &str, time: &str, life: &str, now: Millis| {
            let others = open(&token(user, time, life), &credentials(), now).unwrap().others;
            others.into_iter().map(|other| (other.user.to_string(), other.issued, other.life)).collect::<Vec<_>>()
        };
        for user in ["ann", "user1", "user12", "10017", "8613912345678", "x179", "1700000000", "700"] {
            assert_eq!(others(user, "1700000000", "86400", NOW), [], "{user}");
        }
        // times whose first digits repeat
        let now = Millis(1_717_171_720_000);
        let reading = |user: &str, issued, life| (user.to_owned(), issued, life);
        let (short, long) = (reading("bob", 1_717_171_717, 1_786_400), reading("bob17", 1_717_171_717, 86_400));
        let longest = reading("bob1717", 1_717_171_786, 400);
        assert_eq!(others("bob17", "1717171717", "86400", now), [longest.clone(), short]);
        assert_eq!(others("bob", "1717171717", "1786400", now), [longest, long]);
    }

    proptest::proptest! {
        /// However a signed text is split a second time, the readings of the new split include the original one.
        #[test]
        fn a_cut_of_a_true_token_always_finds_the_true_one(
            user in "[a-z0-9]{1,3}[0-9]{0,12}",
            ago in 0_u64..200_000_000,
            life in 1_u64..=LONGEST,
            shift in 1_usize..8,
        ) {
            let now = Millis::from_seconds(1_900_000_000);
            let signed = format!("{user}{}{life}", 1_900_000_000 - ago);
            let cut = |user: usize| {
                let (user, rest) = signed.split_at_checked(user)?;
                let (time, life) = rest.split_at_checked(TIME_DIGITS)?;
                Some(token(user, time, life))
            };
            for end in [user.len().checked_sub(shift), user.len().checked_add(shift)].into_iter().flatten() {
                let Some(forged) = cut(end) else { continue };
                if let Ok(opened) = open(&forged, &credentials(), now) {
                    let truth = Reading { user: UserId::new(&*user).unwrap(), issued: 1_900_000_000 - ago, life };
                    proptest::prop_assert!(opened.others.contains(&truth), "{forged}");
                }
            }
        }
    }
}
