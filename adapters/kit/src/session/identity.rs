//! Who is signed in, and from where.

use std::fmt;

use conclave_core::event::Actor;
use conclave_core::model::{DeviceId, UserId};

use crate::Platform;

/// A device, as one vendor's clients name it. Its id means nothing to other vendors and is shown to none of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Device {
    /// The vendor whose client names it.
    pub vendor: &'static str,
    /// The id that the vendor's client gives the device.
    pub id: String,
}

/// The device under which positions in queues are stored.
impl From<&Device> for DeviceId {
    fn from(device: &Device) -> Self {
        Self::new(device.vendor, &*device.id)
    }
}

/// Who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// In which realm, by its name in the configuration.
    pub realm: String,
    /// The user.
    pub user: UserId,
    /// The device.
    pub device: Device,
    /// What the client runs on.
    pub platform: Platform,
    /// How many logins of the user there may be; all rules apply.
    pub rules: Vec<LoginRule>,
}

/// How many sessions of one vendor a user may have. Other vendors' sessions are not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LoginRule {
    /// Which of the user's sessions are counted together with the new one.
    pub scope: LoginScope,
    /// How many there may be, the new one included; at least one.
    pub most: usize,
    /// What happens when the limit is exceeded.
    pub exceeding: Exceeding,
}

/// Which of a user's sessions are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LoginScope {
    /// Those of the same device: the same client that has connected again.
    Device,
    /// Those on the same platform.
    Platform,
    /// All of them.
    User,
}

/// What happens when there is one session too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exceeding {
    /// The oldest is signed out.
    ReplaceOldest,
    /// The new one is refused.
    RefuseNewest,
}

impl Device {
    /// The device that this vendor's client names so.
    pub fn new(vendor: &'static str, id: impl Into<String>) -> Self {
        Self { vendor, id: id.into() }
    }

    /// The vendor's own id of a device that is named in an actor; `None` for another vendor's.
    pub fn id_of<'a>(vendor: &str, device: &'a str) -> Option<&'a str> {
        device.strip_prefix(vendor)?.strip_prefix(':')
    }

    /// Whether this device did something.
    pub fn is_actor(&self, actor: &Actor) -> bool {
        let Actor::User { device: Some(device), .. } = actor else { return false };
        Self::id_of(self.vendor, device).is_some_and(|id| id == self.id)
    }
}

/// The device as actors name it: unique over all vendors.
impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.vendor, self.id)
    }
}

impl Identity {
    /// A user on a device whose platform is not known, with any number of logins.
    pub fn new(realm: impl Into<String>, user: UserId, device: Device) -> Self {
        Self { realm: realm.into(), user, device, platform: Platform::Unknown, rules: Vec::new() }
    }

    /// The same, on this platform.
    #[must_use]
    pub fn on(self, platform: Platform) -> Self {
        Self { platform, ..self }
    }

    /// The same, with one rule more.
    #[must_use]
    pub fn with_rule(mut self, scope: LoginScope, most: usize, exceeding: Exceeding) -> Self {
        self.rules.push(LoginRule { scope, most, exceeding });
        self
    }

    /// The actor of what this user does from this device.
    pub fn actor(&self) -> Actor {
        Actor::User { user: self.user.clone(), device: Some(self.device.to_string()) }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_known_by_its_vendor_and_its_id() {
        let user = UserId::new("u").unwrap();
        let identity = Identity::new("r", user.clone(), Device::new("one", "d:1"));
        assert!(identity.device.is_actor(&identity.actor()));
        assert_eq!(Device::id_of("one", "one:d:1"), Some("d:1"));
        assert_eq!(Device::id_of("two", "one:d:1"), None);
        let other = Identity::new("r", user, Device::new("two", "d:1"));
        assert!(!identity.device.is_actor(&other.actor()));
        assert!(!identity.device.is_actor(&Actor::app()));
    }
}
