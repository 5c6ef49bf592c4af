#![doc = include_str!("../README.md")]

mod clock;
mod control;
mod credentials;
mod faults;
mod gateway;
mod journal;
mod realm;

pub use clock::{Clock, ClockState};
pub use control::Error;
pub use credentials::{Agora, Rong, Tencent};
pub use faults::{Effect, Fault, FaultRule, Faults, On};
pub use gateway::{Gateway, shared};
pub use journal::{Entry, Filter, Journal, Kind};
pub use realm::{Realm, RealmOptions, Session, Sessions, Snapshots};

/// What everything in this crate returns.
pub type Result<T> = std::result::Result<T, Error>;
