//! `007` tokens (`AccessToken2`): generated offline, with the app certificate, by the customer's own server.
//!
//! `"007" + base64(zlib(str(signature) + info))`, integers little endian, `str` a 16-bit length and bytes;
//! `info = str(app_id) u32 issued u32 life u32 salt u16 services service*`, and each service a 16-bit type, its
//! privileges (16-bit id, 32-bit life) and a body of its own.

use std::io::Read;

use conclave_core::model::Millis;
use conclave_kit::{decode_base64, same};
use flate2::read::ZlibDecoder;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::token::{Claims, Subject, TokenError};
use super::{is_from_future, signed_user};

/// The prefix of these tokens.
pub(crate) const PREFIX: &str = "007";
/// Longest lifetime of a token, in seconds; a longer one is shortened to this.
const LONGEST: u64 = 24 * 3600;
/// Most bytes that a token may inflate to; valid ones are far smaller.
const LARGEST: u64 = 16 * 1024;
/// The service these tokens are read for.
const CHAT: u16 = 5;
/// The privilege to act as a user.
const USER: u16 = 1;
/// The privilege to act as the app.
const APP: u16 = 2;

/// The claims of a token of this app, if its signature is valid and it has not expired.
pub(crate) fn open(token: &str, app_id: &str, certificate: &str, now: Millis) -> Result<Claims, TokenError> {
    let bytes = inflate(token).ok_or(TokenError::Invalid)?;
    let mut reader = Reader(&bytes);
    let signature = reader.text().ok_or(TokenError::Invalid)?;
    let info = reader.0;
    let head = Head::read(&mut reader).ok_or(TokenError::Invalid)?;
    if head.app_id != app_id.as_bytes() {
        return Err(TokenError::Foreign);
    }
    if !same(signature, &head.signature(certificate, info)) {
        return Err(TokenError::Invalid);
    }
    let chat = chat_service(&mut reader).ok_or(TokenError::Invalid)?;
    let (subject, life) = chat.subject().ok_or(TokenError::Invalid)?;
    let life = u64::from(life).min(u64::from(head.life)).min(LONGEST);
    let issued = Millis::from_seconds(head.issued.into());
    if is_from_future(issued, now) {
        return Err(TokenError::Invalid);
    }
    let expires = issued.plus(life * 1000);
    if expires <= now {
        return Err(TokenError::Expired);
    }
    Ok(Claims { subject, issued, expires: Some(expires), precise: false })
}

fn inflate(token: &str) -> Option<Vec<u8>> {
    let packed = decode_base64(token.strip_prefix(PREFIX)?)?;
    let mut bytes = Vec::new();
    ZlibDecoder::new(&*packed).take(LARGEST).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

struct Head<'a> {
    app_id: &'a [u8],
    issued: u32,
    life: u32,
    salt: u32,
}

impl<'a> Head<'a> {
    fn read(reader: &mut Reader<'a>) -> Option<Self> {
        let app_id = reader.text()?;
        let (issued, life, salt) = (reader.u32()?, reader.u32()?, reader.u32()?);
        Some(Self { app_id, issued, life, salt })
    }

    fn signature(&self, certificate: &str, info: &[u8]) -> [u8; 32] {
        let inner = hmac(&self.issued.to_le_bytes(), certificate.as_bytes());
        hmac(&hmac(&self.salt.to_le_bytes(), &inner), info)
    }
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    // HMAC takes keys of any length, so this cannot fail
    let mut mac = match Hmac::<Sha256>::new_from_slice(key) {
        Ok(mac) => mac,
        Err(never) => unreachable!("hmac takes any key: {never}"),
    };
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// The chat service's part of a token.
struct Chat<'a> {
    user: &'a [u8],
    privileges: Vec<(u16, u32)>,
}

impl Chat<'_> {
    /// Who the token is for, and its lifetime in seconds.
    fn subject(&self) -> Option<(Subject, u32)> {
        let life = |wanted| self.privileges.iter().find(|(privilege, _)| *privilege == wanted).map(|(_, life)| *life);
        if self.user.is_empty() {
            return Some((Subject::App, life(APP)?));
        }
        let user = signed_user(std::str::from_utf8(self.user).ok()?)?;
        Some((Subject::User(user), life(USER)?))
    }
}

/// Finds the chat service. Each service has a body in its own format, so an unknown one ends the search.
fn chat_service<'a>(reader: &mut Reader<'a>) -> Option<Chat<'a>> {
    for _ in 0..reader.u16()? {
        let kind = reader.u16()?;
        let mut privileges = Vec::new();
        for _ in 0..reader.u16()? {
            privileges.push((reader.u16()?, reader.u32()?));
        }
        match kind {
            // calls: channel and user
            1 => {
                reader.text()?;
                reader.text()?;
            }
            // signalling: user
            2 => {
                reader.text()?;
            }
            // acceleration: nothing
            4 => {}
            CHAT => return Some(Chat { user: reader.text()?, privileges }),
            _ => return None,
        }
    }
    None
}

/// Reads values from the front of a byte slice.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.take(2)?.try_into().ok()?))
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let length = self.u16()?;
        self.take(length.into())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::io::Write;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use conclave_core::model::UserId;
    use flate2::Compression;
    use flate2::write::ZlibEncoder;

    use super::*;

    const ID: &str = "970CA35de60c44645bbae8a215061b33";
    const CERTIFICATE: &str = "5CFd2fd1755d40ecb72977518be15d3b";
    const ISSUED: u32 = 1_111_111;
    const NOW: Millis = Millis(1_111_200_000);
    /// From the vendor's published generator: user 2882341273, lifetime 600, salt 1.
    const OF_USER: &str = "007eJxTYNAIsnbS3v/A5t2TC6feR15r+6cq8bqAvfaW+tk/Vzz+p6xTYLA0N3B2NDZNSTUzSDYxMTMxTUpKTLVINDI0NTAzTDI2dv8iwBDBxMDAyADCrAyMDIxgPheDkYWFkbGJoZG5MQAfpR64";
    /// The same for the app.
    const OF_APP: &str = "007eJxTYNDNaz3snC8huEfHWdz6s98qltq4zqy9fl99Uh0FDvy6F6DAYGlu4OxobJqSamaQbGJiZmKalJSYapFoZGhqYGaYZGzs/kWAIYKJgYGRAYRZGRgZmMB8BgYArfIYaw==";

    fn text(out: &mut Vec<u8>, bytes: &[u8]) {
        out.extend_from_slice(&u16::try_from(bytes.len()).unwrap().to_le_bytes());
        out.extend_from_slice(bytes);
    }

    /// A token as the vendor's generator builds it; `services` is everything after the number of services.
    fn make(certificate: &str, life: u32, count: u16, services: &[u8]) -> String {
        let mut info = Vec::new();
        text(&mut info, ID.as_bytes());
        for number in [ISSUED, life, 1] {
            info.extend_from_slice(&number.to_le_bytes());
        }
        let head = Head { app_id: ID.as_bytes(), issued: ISSUED, life, salt: 1 };
        info.extend_from_slice(&count.to_le_bytes());
        info.extend_from_slice(services);
        let mut bytes = Vec::new();
        text(&mut bytes, &head.signature(certificate, &info));
        bytes.extend_from_slice(&info);
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(&bytes).unwrap();
        format!("{PREFIX}{}", STANDARD.encode(zlib.finish().unwrap()))
    }

    fn service(kind: u16, privilege: u16, life: u32, texts: &[&str]) -> Vec<u8> {
        let mut out = kind.to_le_bytes().to_vec();
        out.extend_from_slice(&1_u16.to_le_bytes());
        out.extend_from_slice(&privilege.to_le_bytes());
        out.extend_from_slice(&life.to_le_bytes());
        for body in texts {
            text(&mut out, body.as_bytes());
        }
        out
    }

    #[test]
    fn the_published_tokens_are_good() {
        let claims = open(OF_USER, ID, CERTIFICATE, NOW).unwrap();
        assert_eq!(claims.subject, Subject::User(UserId::new("2882341273").unwrap()));
        assert_eq!(claims.expires, Some(Millis(1_111_711_000)));
        assert_eq!(open(OF_APP, ID, CERTIFICATE, NOW).unwrap().subject, Subject::App);
    }

    #[test]
    fn faults_are_distinguished() {
        assert_eq!(open(OF_USER, ID, CERTIFICATE, Millis(1_111_711_000)), Err(TokenError::Expired));
        assert_eq!(open(OF_USER, ID, "another certificate", NOW), Err(TokenError::Invalid));
        assert_eq!(open(OF_USER, "another app", CERTIFICATE, NOW), Err(TokenError::Foreign));
        let ahead = Millis(u64::from(ISSUED) * 1000 - super::super::MAX_SKEW);
        assert!(open(OF_USER, ID, CERTIFICATE, ahead).is_ok());
        assert_eq!(open(OF_USER, ID, CERTIFICATE, Millis(ahead.0 - 1)), Err(TokenError::Invalid), "from the future");
        for garbage in ["", "007", "007AAAA", "006eJx", &OF_USER[..60]] {
            assert_eq!(open(garbage, ID, CERTIFICATE, NOW), Err(TokenError::Invalid), "{garbage}");
        }
    }

    #[test]
    fn services_before_chat_are_read_over_and_unknown_ones_end_the_search() {
        let mut services = service(1, 1, 600, &["channel", "uid"]);
        services.extend(service(2, 1, 600, &["uid"]));
        services.extend(service(CHAT, USER, 600, &["Ann"]));
        let claims = open(&make(CERTIFICATE, 600, 3, &services), ID, CERTIFICATE, NOW).unwrap();
        assert_eq!(claims.subject, Subject::User(UserId::new("ann").unwrap()));
        let mut services = service(99, 1, 600, &["what is this"]);
        services.extend(service(CHAT, USER, 600, &["ann"]));
        let token = make(CERTIFICATE, 600, 2, &services);
        assert_eq!(open(&token, ID, CERTIFICATE, NOW), Err(TokenError::Invalid));
    }

    #[test]
    fn a_privilege_ends_by_itself_and_must_fit_its_bearer() {
        let short = make(CERTIFICATE, 600, 1, &service(CHAT, USER, 10, &["ann"]));
        assert_eq!(open(&short, ID, CERTIFICATE, NOW), Err(TokenError::Expired));
        let app_with_user = make(CERTIFICATE, 600, 1, &service(CHAT, APP, 600, &["ann"]));
        assert_eq!(open(&app_with_user, ID, CERTIFICATE, NOW), Err(TokenError::Invalid));
        let user_without = make(CERTIFICATE, 600, 1, &service(CHAT, USER, 600, &[""]));
        assert_eq!(open(&user_without, ID, CERTIFICATE, NOW), Err(TokenError::Invalid));
        let long = make(CERTIFICATE, u32::MAX, 1, &service(CHAT, APP, u32::MAX, &[""]));
        let claims = open(&long, ID, CERTIFICATE, NOW).unwrap();
        assert_eq!(claims.expires, Some(Millis(1_111_111_000 + 24 * 3600 * 1000)));
    }

    #[test]
    fn a_bomb_does_not_go_off() {
        let token = make(CERTIFICATE, 600, 1, &vec![0; 50_000_000]);
        assert_eq!(open(&token, ID, CERTIFICATE, NOW), Err(TokenError::Invalid));
    }
}
