//! Letting clients in: the token travels in the query, and there is no frame to ask for admission.

use std::sync::Arc;

use async_trait::async_trait;
use conclave_kit::{Caller, Connected, Door, Outbox, Platform, Session, query_pairs};

use http::header::HOST;
use http::uri::Authority;

use super::frame;
use super::navigator;
use super::session::RongSession;
use super::topics;
use crate::Rong;
use crate::realm::{App, web_address};
use crate::token::{self, InvalidToken};

/// Why a client is not let in, as the first frame says it.
mod status {
    pub(super) const IDENTIFIER: u8 = 2;
    pub(super) const UNAVAILABLE: u8 = 3;
    pub(super) const TOKEN: u8 = 4;
    pub(super) const REDIRECT: u8 = 6;
    pub(super) const USER_BLOCKED: u8 = 9;
    pub(super) const TOKEN_EXPIRED: u8 = 10;
    pub(super) const ACCOUNT_CANCELLED: u8 = 19;
}

/// Longest device id that is kept as it came; clients make 22 characters.
const LONGEST_DEVICE: usize = 64;

#[async_trait]
impl Door for Rong {
    fn path(&self) -> &'static str {
        "/websocket"
    }

    fn operations(&self) -> Vec<&'static str> {
        [&[navigator::OPERATION], topics::QUESTIONS, topics::MESSAGES].concat()
    }

    fn longest_frame(&self) -> usize {
        frame::LONGEST
    }

    async fn open(&self, caller: Caller<'_>, out: &mut Outbox) -> Option<Box<dyn Session>> {
        let query = query_pairs(caller.parts.uri.query().unwrap_or_default());
        let value = |key: &str| query.iter().find(|(name, _)| name == key).map_or("", |(_, value)| value.as_str());
        let Some(app) = self.app(value("appId")) else {
            out.send(frame::refused(status::IDENTIFIER));
            out.close();
            return None;
        };
        if is_elsewhere(&app, caller) {
            // it asks the navigator again, which names the other place
            out.send(frame::refused(status::REDIRECT));
            out.close();
            return None;
        }
        let claim = match token::verify(&app, value("token")).await {
            Ok(claim) => claim,
            Err(invalid) => {
                out.send(frame::refused(refusal(&invalid)));
                out.close();
                return None;
            }
        };
        let version = value("protocolVer").parse().unwrap_or(3);
        out.send(frame::accepted(version, claim.user.as_str(), caller.connection, app.realm.groups.now()));
        let device = device(value("deviceId"), caller);
        let connected = Connected::new(&*app.realm.name, claim.user, device)
            .on(platform(value("apiVer")))
            .at_most(app.realm.settings.web_logins);
        Some(Box::new(RongSession::new(Arc::clone(&app), connected, claim.issued)))
    }
}

/// Whether the app's clients connect elsewhere. Whoever came by that very name is where they should be: a client
/// that is redirected for ever asks without a pause.
fn is_elsewhere(app: &App, caller: Caller<'_>) -> bool {
    let Some((there, secure)) = app.realm.settings.moved_to.as_deref().and_then(web_address) else { return false };
    let host = caller.parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| caller.parts.uri.authority().map(Authority::as_str));
    let there = there.split('/').next().unwrap_or_default();
    let plain = |place: &str| plain(place, secure);
    host.is_none_or(|host| plain(host) != plain(there))
}

/// A place without the port that its protocol has by itself: some clients name it, and some do not.
fn plain(place: &str, secure: bool) -> String {
    let port = if secure { ":443" } else { ":80" };
    place.strip_suffix(port).unwrap_or(place).to_ascii_lowercase()
}

/// What a client runs on: `browser|Chrome|156.0.0.0`, and the like.
fn platform(version: &str) -> Platform {
    match version.split('|').next().unwrap_or_default() {
        "browser" => Platform::Web,
        other if other.to_ascii_lowercase().contains("mini") => Platform::MiniProgram,
        _ => Platform::Unknown,
    }
}

/// The device as it is named among all surfaces' devices. Without an id of its own a client is a new device each
/// time.
fn device(id: &str, caller: Caller<'_>) -> String {
    let plain = (1..=LONGEST_DEVICE).contains(&id.len()) && !id.chars().any(char::is_control);
    format!("rong:{}", if plain { id } else { caller.connection })
}

fn refusal(invalid: &InvalidToken) -> u8 {
    match invalid {
        InvalidToken::Forged => status::TOKEN,
        InvalidToken::Expired => status::TOKEN_EXPIRED,
        InvalidToken::UserBlocked => status::USER_BLOCKED,
        InvalidToken::UserGone => status::ACCOUNT_CANCELLED,
        InvalidToken::Unknown(_) => status::UNAVAILABLE,
    }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn a_place_is_the_same_with_and_without_its_usual_port() {
        assert_eq!(plain("Chat.example.com:443", true), plain("chat.example.com", true));
        assert_eq!(plain("chat.example.com:80", false), plain("chat.example.com", false));
        assert_ne!(plain("chat.example.com:80", true), plain("chat.example.com", true));
        assert_ne!(plain("chat.example.com:8443", true), plain("chat.example.com", true));
    }
}
