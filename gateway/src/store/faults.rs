//! Fault injection for tests.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Makes parts of the store fail, for tests.
#[derive(Debug, Default)]
pub struct Faults {
    /// Rounds are written to the log, but their sync fails.
    pub sync: AtomicBool,
    /// The manifest cannot be written.
    pub manifest: AtomicBool,
    /// There is no room in the folder.
    pub room: AtomicBool,
    /// Syncs do not return.
    pub hang: AtomicBool,
    /// An upgrade stops at the point with this number, counted from 1; 0 is never.
    pub end: AtomicUsize,
    points: AtomicUsize,
}

impl Faults {
    pub(super) fn ends_here(&self) -> bool {
        let point = self.points.fetch_add(1, Ordering::SeqCst) + 1;
        self.end.load(Ordering::SeqCst) == point
    }
}

/// Whether one of the faults is switched on.
pub(super) fn wanted(faults: Option<&Faults>, which: impl FnOnce(&Faults) -> &AtomicBool) -> bool {
    faults.is_some_and(|faults| which(faults).load(Ordering::SeqCst))
}
