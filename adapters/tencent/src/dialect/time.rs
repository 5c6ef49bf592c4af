//! Times: the server API counts in whole seconds, 0 is never.

use conclave_core::model::{Millis, Until};

/// How long something lasts that has no end.
pub(crate) const FOREVER: u64 = 4_294_967_295;

/// A moment, or never.
pub(crate) fn seconds(moment: Option<Millis>) -> u64 {
    moment.map_or(0, Millis::seconds)
}

/// An end.
pub(crate) fn end(until: Until) -> u64 {
    match until {
        Until::At(moment) => moment.seconds(),
        Until::Forever => FOREVER,
    }
}

/// The end of what lasts so many seconds from now.
pub(crate) fn until(now: Millis, seconds: u64) -> Until {
    if seconds >= FOREVER { Until::Forever } else { Until::At(now.plus(seconds.saturating_mul(1000))) }
}
