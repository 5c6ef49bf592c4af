//! Connecting: the endpoints, and authentication. The token is in the query; there is no sign-in frame.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use async_trait::async_trait;
use conclave_core::event::Event;
use conclave_core::refusal::Refusal;
use conclave_kit::{
    Apps, ClientProtocol, Device, Endpoint, Exceeding, Fact, FrameKind, Identity, LoginScope, OpenRequest, PathPattern,
    Platform, SessionLimits, Transport, query_pairs,
};
use http::header::HOST;
use http::uri::Authority;

use super::facts::{RongFact, facts};
use super::frame;
use super::navigator;
use super::session::{RongSession, SILENCE};
use super::topics;
use crate::VENDOR;
use crate::auth::token::{self, Claim, InvalidToken};
use crate::realm::{App, web_address};

/// The statuses in the first frame of a refused connection.
pub(super) mod status {
    pub(in super::super) const IDENTIFIER: u8 = 2;
    pub(in super::super) const UNAVAILABLE: u8 = 3;
    pub(in super::super) const TOKEN: u8 = 4;
    pub(in super::super) const REDIRECT: u8 = 6;
    pub(in super::super) const USER_BLOCKED: u8 = 9;
    pub(in super::super) const TOKEN_EXPIRED: u8 = 10;
    pub(in super::super) const ACCOUNT_CANCELLED: u8 = 19;
}

/// Longest device id that is kept; clients generate 22 characters.
const LONGEST_DEVICE: usize = 64;

/// The vendor's client protocol, for all realms with an app there.
pub(crate) struct Clients {
    /// The apps, by app key.
    apps: Arc<Apps<String, App>>,
}

#[async_trait]
impl ClientProtocol for Clients {
    type Session = RongSession;

    fn endpoints(&self) -> Vec<Endpoint> {
        let limits = SessionLimits { frame_bytes: frame::LONGEST, silence: SILENCE, ..SessionLimits::default() };
        vec![Endpoint {
            name: "websocket",
            path: PathPattern::Exact("/websocket"),
            transport: Transport::WebSocket(FrameKind::Binary),
            limits,
        }]
    }

    fn operations(&self) -> Vec<&'static str> {
        [&[navigator::OPERATION, topics::CONNECT], topics::QUESTIONS, topics::MESSAGES].concat()
    }

    fn open(&self, request: &OpenRequest<'_>) -> RongSession {
        RongSession::new(self.login_request(request))
    }

    async fn project(&self, realm: &str, event: &Arc<Event>) -> Result<Vec<Fact<RongFact>>, Refusal> {
        match self.apps.of_realm(realm) {
            Some(app) => facts(&app, event).await,
            None => Ok(Vec::new()),
        }
    }
}

/// A client that asks to be accepted.
#[derive(Clone)]
pub(crate) struct LoginRequest {
    app: Arc<App>,
    token: String,
    device: Device,
    platform: Platform,
    /// The version of the protocol.
    pub(super) version: u8,
    /// Unique among all connections.
    pub(super) connection: String,
}

/// An accepted client.
pub(crate) struct Login {
    pub(super) app: Arc<App>,
    pub(super) identity: Identity,
    /// The device as actors name it.
    pub(super) device: String,
    /// The claim of the client's token.
    pub(super) claim: Claim,
    /// The last stored position of the device in the group events.
    pub(super) kept: AtomicU64,
}

impl Clients {
    /// The client protocol of these apps, by app key.
    pub(crate) fn new(apps: Arc<Apps<String, App>>) -> Self {
        Self { apps }
    }

    /// The client's login request, or the status with which it is refused at once.
    fn login_request(&self, request: &OpenRequest<'_>) -> Result<LoginRequest, u8> {
        let query = query_pairs(request.parts.uri.query().unwrap_or_default());
        let value = |key: &str| query.iter().find(|(name, _)| name == key).map_or("", |(_, value)| value.as_str());
        let app = self.apps.get(value("appId")).ok_or(status::IDENTIFIER)?;
        if is_elsewhere(&app, request) {
            // it asks the navigator again, which returns the other address
            return Err(status::REDIRECT);
        }
        Ok(LoginRequest {
            app,
            token: value("token").to_owned(),
            device: device(value("deviceId"), request),
            platform: platform(value("apiVer")),
            version: value("protocolVer").parse().unwrap_or(3),
            connection: request.connection.to_owned(),
        })
    }
}

impl LoginRequest {
    /// Verifies the token.
    pub(super) async fn verify(self) -> Result<Login, u8> {
        let claim = token::verify(&self.app, &self.token).await.map_err(|invalid| refusal(&invalid))?;
        let realm = &self.app.realm;
        let identity = Identity::new(&*realm.name, claim.user.clone(), self.device).on(self.platform);
        let identity = match realm.settings.web_logins {
            0 => identity,
            most => identity.with_rule(LoginScope::Platform, most, Exceeding::ReplaceOldest),
        };
        let device = identity.device.to_string();
        Ok(Login { app: self.app, identity, device, claim, kept: AtomicU64::new(0) })
    }
}

/// Whether the app's clients connect elsewhere. A client that connected through that very address is in the right
/// place: one that is redirected in a loop retries without a pause.
fn is_elsewhere(app: &App, request: &OpenRequest<'_>) -> bool {
    let Some((there, secure)) = app.realm.settings.moved_to.as_deref().and_then(web_address) else { return false };
    let host = request.parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| request.parts.uri.authority().map(Authority::as_str));
    let there = there.split('/').next().unwrap_or_default();
    let plain = |place: &str| plain(place, secure);
    host.is_none_or(|host| plain(host) != plain(there))
}

/// A host without its protocol's default port: some clients include it, and some do not.
fn plain(place: &str, secure: bool) -> String {
    let port = if secure { ":443" } else { ":80" };
    place.strip_suffix(port).unwrap_or(place).to_ascii_lowercase()
}

/// A client's platform: `browser|Chrome|156.0.0.0`, and the like.
fn platform(version: &str) -> Platform {
    match version.split('|').next().unwrap_or_default() {
        "browser" => Platform::Web,
        other if other.to_ascii_lowercase().contains("mini") => Platform::MiniProgram,
        _ => Platform::Unknown,
    }
}

/// The client's device. A client without an id is a new device each time.
fn device(id: &str, request: &OpenRequest<'_>) -> Device {
    let plain = (1..=LONGEST_DEVICE).contains(&id.len()) && !id.chars().any(char::is_control);
    Device::new(VENDOR, if plain { id } else { request.connection })
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
