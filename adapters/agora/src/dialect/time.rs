//! Times in milliseconds, with a constant for "never ends".

use conclave_core::model::{Millis, Until};

/// The vendor's value for "never ends": the first day of 2117.
pub(crate) const FOREVER: Millis = Millis(4_638_873_600_000);

/// An end time in the vendor's form.
pub(crate) fn end(until: Until) -> Millis {
    match until {
        Until::At(at) => at,
        Until::Forever => FOREVER,
    }
}
