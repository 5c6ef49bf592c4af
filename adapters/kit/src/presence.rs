//! Who is connected, as adapters see it: through any vendor's protocol, as an account is one for all of them.

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use conclave_core::model::{GroupId, Millis, Role, UserId};

use crate::{Device, DisconnectReason};

/// What a client runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Platform {
    /// An Apple phone or tablet.
    Ios,
    /// An Android device.
    Android,
    /// A `HarmonyOS` device.
    Harmony,
    /// A browser.
    Web,
    /// A computer, outside a browser.
    Desktop,
    /// A program within another app.
    MiniProgram,
    /// Unknown.
    #[default]
    Unknown,
}

/// A connection with a user signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// The vendor whose protocol the client speaks.
    pub vendor: &'static str,
    /// Who is signed in.
    pub user: UserId,
    /// From which device.
    pub device: Device,
    /// On which platform.
    pub platform: Platform,
    /// Unique among all connections.
    pub id: String,
    /// The client's address, when known.
    pub address: Option<SocketAddr>,
    /// When the user signed in.
    pub since: Millis,
}

/// A user signed in on a connection, or is no longer signed in on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionEvent {
    /// The connection.
    pub connection: Arc<Connection>,
    /// The time.
    pub at: Millis,
    /// The change.
    pub change: ConnectionChange,
    /// The number of the user's other connections at that time: with none, the user came online or went offline.
    pub others: usize,
}

/// A change of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConnectionChange {
    /// Its user signed in.
    Connected,
    /// Its user is no longer signed in.
    Disconnected(Disconnection),
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Disconnection {
    /// The client went away, or sent nothing for too long.
    Lost,
    /// The client has signed its user out.
    SignedOut,
    /// This side ended it.
    Ended(DisconnectReason),
}

/// Selects connections of a user: those that match every field that is `Some`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConnectionFilter {
    /// Only connections of this vendor.
    pub vendor: Option<&'static str>,
    /// Only connections of this device.
    pub device: Option<Device>,
    /// Only connections on this platform.
    pub platform: Option<Platform>,
    /// Only the connection with this id.
    pub id: Option<String>,
}

impl ConnectionFilter {
    /// Matches all connections of the user.
    pub fn all() -> Self {
        Self::default()
    }

    /// Matches connections through this vendor's protocol.
    pub fn of_vendor(vendor: &'static str) -> Self {
        Self { vendor: Some(vendor), ..Self::default() }
    }

    /// Matches connections of this device.
    pub fn of_device(device: Device) -> Self {
        Self { device: Some(device), ..Self::default() }
    }

    /// Matches the connection with this id.
    pub fn with_id(id: impl Into<String>) -> Self {
        Self { id: Some(id.into()), ..Self::default() }
    }

    /// Whether a connection is meant.
    pub fn includes(&self, connection: &Connection) -> bool {
        self.vendor.is_none_or(|vendor| vendor == connection.vendor)
            && self.device.as_ref().is_none_or(|device| *device == connection.device)
            && self.platform.is_none_or(|platform| platform == connection.platform)
            && self.id.as_ref().is_none_or(|id| *id == connection.id)
    }
}

/// Who is online in one realm. Provided to adapters by the gateway, which has the connections.
#[async_trait]
pub trait Presence: Send + Sync {
    /// The connections of each of these users, in the requested order, oldest first; empty for a user who is offline.
    async fn connections(&self, users: &[UserId]) -> Vec<Vec<Arc<Connection>>>;

    /// The members of a group who are online, with their roles, in no order, after everything that was committed before
    /// the call.
    ///
    /// Costs as much as there are of them, however large the group is. A group that does not exist has none.
    async fn members_online(&self, group: &GroupId) -> Vec<(UserId, Role)>;

    /// The same without the roles.
    async fn online_in(&self, group: &GroupId) -> Vec<UserId> {
        self.members_online(group).await.into_iter().map(|(user, _)| user).collect()
    }

    /// Disconnects a user's connections that match the filter, and returns their number. They no longer count as online
    /// when this returns; their clients are notified of the reason.
    async fn disconnect(&self, user: &UserId, which: &ConnectionFilter, reason: DisconnectReason) -> usize;
}

/// Nobody is ever online: for surfaces without a gateway.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nobody;

#[async_trait]
impl Presence for Nobody {
    async fn connections(&self, users: &[UserId]) -> Vec<Vec<Arc<Connection>>> {
        users.iter().map(|_| Vec::new()).collect()
    }

    async fn members_online(&self, _: &GroupId) -> Vec<(UserId, Role)> {
        Vec::new()
    }

    async fn disconnect(&self, _: &UserId, _: &ConnectionFilter, _: DisconnectReason) -> usize {
        0
    }
}
