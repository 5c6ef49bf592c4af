//! Devices of users, and their positions in queues.

use serde::{Deserialize, Serialize};

use super::{GroupId, Key, Millis, UserId};

/// One of a user's devices, as the surface it calls through names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DeviceId {
    /// The surface; ids of different surfaces are unrelated.
    pub surface: String,
    /// The id, assigned by the surface or given to it.
    pub id: String,
}

impl DeviceId {
    /// The device of this id at this surface.
    pub fn new(surface: impl Into<String>, id: impl Into<String>) -> Self {
        Self { surface: surface.into(), id: id.into() }
    }

    /// The key of this user's device.
    pub fn key(&self, user: &UserId) -> Key {
        Key::Device(user.clone(), self.surface.clone(), self.id.clone())
    }

    /// The key of its position in a queue.
    pub fn position_key(&self, user: &UserId, queue: Queue) -> Key {
        Key::Position(user.clone(), self.surface.clone(), self.id.clone(), queue)
    }
}

/// What a device reads in order, with a position of its own in each.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Queue {
    /// What names the user: messages to certain members, requests, what became of the user in groups, and what the
    /// user did on another device.
    Own,
    /// What all members of a group receive, as long as the user is one of them.
    Group(GroupId),
    /// All of these together, in the order of the realm, for a surface that has one position for everything, or one
    /// for each kind of things: the name is the surface's.
    All(String),
}

impl Queue {
    /// The part it has in a key.
    pub(super) fn part(&self) -> String {
        match self {
            Self::Own => String::new(),
            Self::Group(group) => format!("g{group}"),
            Self::All(name) => format!("a{name}"),
        }
    }

    /// The queue with this part in a key.
    pub(super) fn of_part(part: &str) -> Option<Self> {
        match part.split_at_checked(1) {
            None => Some(Self::Own),
            Some(("g", group)) => GroupId::new(group).ok().map(Self::Group),
            Some(("a", name)) => Some(Self::All(name.to_owned())),
            Some(_) => None,
        }
    }
}

/// A device with its positions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Whose device it is.
    pub user: UserId,
    /// The device's name, as its surface calls it.
    pub device: DeviceId,
    /// Its position in every queue it has acknowledged nothing of: the number of the last event before it came.
    pub since: u64,
    /// When it was last seen, to within a part of the time for which devices are remembered.
    pub seen: Millis,
    /// Guards commits; grows with every change.
    pub revision: u64,
}

impl Device {
    /// Its key.
    pub fn key(&self) -> Key {
        self.device.key(&self.user)
    }
}

/// How far a device has received one queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Whose device it is.
    pub user: UserId,
    /// The device whose position it is.
    pub device: DeviceId,
    /// The queue that was received so far.
    pub queue: Queue,
    /// The number of the last event that was acknowledged.
    pub after: u64,
    /// A number for the surface's own use, such as its clients' cursor at this position; 0 when there is none.
    pub stamp: u64,
    /// Guards commits; grows with every change.
    pub revision: u64,
}

impl Position {
    /// Its key.
    pub fn key(&self) -> Key {
        self.device.position_key(&self.user, self.queue.clone())
    }
}
