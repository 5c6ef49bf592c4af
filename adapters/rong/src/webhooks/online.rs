//! Users who came online or went offline: one element for each connection, in order.

use conclave_core::model::{Millis, UserId};
use conclave_kit::{ConnectionChange, ConnectionEvent, Disconnection, Platform};
use serde::Serialize;

const ONLINE: &str = "0";
const OFFLINE: &str = "1";
const SIGNED_OUT: &str = "2";

/// A connection that was opened or closed.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OnlineStatus<'p> {
    /// In lower case at this vendor.
    #[serde(rename = "userid")]
    user_id: &'p UserId,
    status: &'static str,
    os: &'static str,
    time: Millis,
    /// Address and port.
    client_ip: String,
    session_id: &'p str,
}

/// The notification's body.
pub(super) fn of(event: &ConnectionEvent) -> OnlineStatus<'_> {
    let connection = &event.connection;
    OnlineStatus {
        user_id: &connection.user,
        status: match event.change {
            ConnectionChange::Connected => ONLINE,
            ConnectionChange::Disconnected(Disconnection::SignedOut) => SIGNED_OUT,
            ConnectionChange::Disconnected(Disconnection::Lost | Disconnection::Ended(_)) => OFFLINE,
        },
        os: match connection.platform {
            Platform::Ios => "iOS",
            Platform::Android => "Android",
            Platform::Harmony => "HarmonyOS",
            Platform::Desktop => "PC",
            Platform::MiniProgram => "MiniProgram",
            Platform::Web | Platform::Unknown => "Websocket",
        },
        time: event.at,
        client_ip: connection.address.map(|address| address.to_string()).unwrap_or_default(),
        session_id: &connection.id,
    }
}
