//! Times: the server API uses whole seconds, with 0 for never.

use conclave_core::model::{Millis, Until};

/// The duration of something without an end.
pub(crate) const FOREVER: u64 = 4_294_967_295;

/// A point in time, or never.
pub(crate) fn seconds(moment: Option<Millis>) -> u64 {
    moment.map_or(0, Millis::seconds)
}

/// An end time.
pub(crate) fn end(until: Until) -> u64 {
    match until {
        // clients keep it in 32 bits; what ends later has no end for them
        Until::At(moment) => moment.seconds().min(FOREVER),
        Until::Forever => FOREVER,
    }
}

/// The time from a point until an end, in seconds, rounded up.
pub(crate) fn left(until: Until, from: Millis) -> u64 {
    match until {
        Until::At(end) => end.0.saturating_sub(from.0).div_ceil(1000).min(FOREVER),
        Until::Forever => FOREVER,
    }
}

/// The end of a duration from now, in seconds.
pub(crate) fn until(now: Millis, seconds: u64) -> Until {
    if seconds >= FOREVER { Until::Forever } else { Until::At(now.plus(seconds.saturating_mul(1000))) }
}
