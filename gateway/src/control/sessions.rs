//! The sessions of a realm: listed, and ended with a reason or by cutting the connection.

use conclave_core::model::UserId;
use conclave_kit::{Connection, DisconnectReason};
use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::api::{Call, Endpoint, Json, Nothing, Optional};
use super::clock::rfc3339;
use super::error::ControlError;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            (Method::GET, "/v1/realms/{realm}/sessions"),
            "list_sessions",
            "List the sessions of a realm's connected users.",
            list,
        ),
        Endpoint::new(
            (Method::POST, "/v1/realms/{realm}/sessions/disconnect"),
            "disconnect_sessions",
            "End sessions of a realm: with a reason that the clients are notified of, or by cutting the connection.",
            disconnect,
        ),
    ]
}

/// A session.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Session")]
struct SessionView {
    id: String,
    vendor: &'static str,
    user: String,
    device: String,
    platform: String,
    /// When the user signed in, by the realm's clock.
    since: String,
}

/// The sessions of a realm.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Sessions")]
struct SessionList {
    sessions: Vec<SessionView>,
}

/// Which sessions are ended: those that match everything that is given.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Disconnect {
    user: Option<String>,
    vendor: Option<String>,
    /// The id of one session.
    session: Option<String>,
    /// `shutting_down` when not given: clients reconnect by themselves.
    #[serde(default)]
    reason: Reason,
}

#[derive(Debug, Default, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Reason {
    /// The user signed in on another device.
    Replaced,
    /// The same device connected again.
    Reconnected,
    /// The token is no longer valid.
    TokenExpired,
    /// The account was deactivated.
    Deactivated,
    /// The account was deleted.
    AccountDeleted,
    /// The app's server ended the session.
    ByApp,
    /// The process shuts down.
    #[default]
    ShuttingDown,
    /// The connection is cut; the client is notified of nothing.
    Cut,
}

/// The result.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Disconnected")]
struct Disconnected {
    disconnected: usize,
}

async fn list(call: Call, _: Nothing) -> Result<Json<SessionList>, ControlError> {
    let mut sessions: Vec<SessionView> = call.realm()?.sessions.connected().iter().map(|one| view(one)).collect();
    sessions.sort_by(|one, other| (&one.user, &one.since, &one.id).cmp(&(&other.user, &other.since, &other.id)));
    Ok(Json(SessionList { sessions }))
}

async fn disconnect(call: Call, Optional(which): Optional<Disconnect>) -> Result<Json<Disconnected>, ControlError> {
    let realm = call.realm()?;
    let Disconnect { user, vendor, session, reason } = which;
    if let Some(vendor) = &vendor {
        call.control.host_of(vendor)?;
    }
    let user = user.map(UserId::new).transpose().map_err(|error| ControlError::bad(format!("user: {error}")))?;
    let matches = |connection: &Connection| {
        user.as_ref().is_none_or(|user| *user == connection.user)
            && vendor.as_deref().is_none_or(|vendor| vendor == connection.vendor)
            && session.as_deref().is_none_or(|session| session == connection.id)
    };
    let reason = match reason {
        Reason::Replaced => Some(DisconnectReason::Replaced),
        Reason::Reconnected => Some(DisconnectReason::Reconnected),
        Reason::TokenExpired => Some(DisconnectReason::TokenExpired),
        Reason::Deactivated => Some(DisconnectReason::Deactivated),
        Reason::AccountDeleted => Some(DisconnectReason::AccountDeleted),
        Reason::ByApp => Some(DisconnectReason::ByApp),
        Reason::ShuttingDown => Some(DisconnectReason::ShuttingDown),
        Reason::Cut => None,
    };
    Ok(Json(Disconnected { disconnected: realm.sessions.end_matching(matches, reason) }))
}

fn view(connection: &Connection) -> SessionView {
    SessionView {
        id: connection.id.clone(),
        vendor: connection.vendor,
        user: connection.user.to_string(),
        device: connection.device.id.clone(),
        platform: format!("{:?}", connection.platform).to_lowercase(),
        since: rfc3339(connection.since),
    }
}
