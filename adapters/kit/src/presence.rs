//! Who is connected, as adapters see it: through any vendor's protocol, as an account is one for all of them.

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use conclave_core::model::{GroupId, Millis, UserId};

use crate::Dismissal;

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
    /// It does not say.
    #[default]
    Unknown,
}

/// A live connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Through whose protocol.
    pub vendor: &'static str,
    /// Who.
    pub user: UserId,
    /// From which device, as in [`crate::Connected`].
    pub device: String,
    /// On what.
    pub platform: Platform,
    /// Tells it apart from every other one.
    pub id: String,
    /// Where the client's end is, when known.
    pub address: Option<SocketAddr>,
    /// Since when.
    pub since: Millis,
}

/// A connection came or went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// Which.
    pub connection: Arc<Connection>,
    /// When.
    pub at: Millis,
    /// Whether it came, or how it went.
    pub way: Way,
    /// How many other connections the user had at that moment: with none, the user came online or went offline.
    pub others: usize,
}

/// Which way a connection passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Way {
    /// It came.
    In,
    /// It went.
    Out(Departure),
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Departure {
    /// The client went away, or was silent too long.
    Lost,
    /// The client said that its user signs out.
    SignedOut,
    /// This side ended it.
    Dismissed(Dismissal),
}

/// Who is online in one realm. Lent to adapters by the gateway, which has the sockets.
#[async_trait]
pub trait Presence: Send + Sync {
    /// The live connections of each of these users, in the order asked, oldest first; whoever is offline has none.
    fn connections(&self, users: &[UserId]) -> Vec<Vec<Arc<Connection>>>;

    /// The members of a group who are online, in no order, after everything that was committed before the call.
    ///
    /// Costs as much as there are of them, however large the group is. A group that is not there has none.
    async fn online_in(&self, group: &GroupId) -> Vec<UserId>;

    /// Ends those connections of a user that `which` names, and says how many. From here on they no longer count as
    /// online; the clients are told why.
    fn end(&self, user: &UserId, why: Dismissal, which: &(dyn Fn(&Connection) -> bool + Sync)) -> usize;
}

/// Nobody is ever online: for surfaces that stand alone.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nobody;

#[async_trait]
impl Presence for Nobody {
    fn connections(&self, users: &[UserId]) -> Vec<Vec<Arc<Connection>>> {
        users.iter().map(|_| Vec::new()).collect()
    }

    async fn online_in(&self, _: &GroupId) -> Vec<UserId> {
        Vec::new()
    }

    fn end(&self, _: &UserId, _: Dismissal, _: &(dyn Fn(&Connection) -> bool + Sync)) -> usize {
        0
    }
}
