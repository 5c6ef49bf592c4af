//! The clock and the randomness of the realms.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use conclave_core::model::Millis;
use conclave_core::ports::{Clock, Mint};

/// The system's time, except that it never runs backwards.
#[derive(Debug, Default)]
pub struct SystemClock {
    latest: AtomicU64,
}

impl SystemClock {
    /// Raises the minimum: from now on no earlier time is returned, whatever the system's clock says.
    pub fn raise_to(&self, at: Millis) {
        self.latest.fetch_max(at.0, Ordering::Relaxed);
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Millis {
        // a time before 1970 or after the year 584 million means that the clock is wrong; the latest returned time is
        // used instead
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok();
        let now = now.and_then(|since| u64::try_from(since.as_millis()).ok()).unwrap_or(0);
        Millis(self.latest.fetch_max(now, Ordering::Relaxed).max(now))
    }
}

/// Unpredictable numbers, seeded by the operating system.
#[derive(Debug, Default)]
pub struct RandomMint;

impl Mint for RandomMint {
    fn bits(&self) -> u64 {
        rand::random()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_never_runs_backwards() {
        let clock = SystemClock::default();
        let ahead = clock.now().plus(60_000);
        clock.latest.store(ahead.0, Ordering::Relaxed);
        assert_eq!(clock.now(), ahead);
    }

    #[test]
    fn no_number_comes_twice() {
        let numbers: std::collections::HashSet<u64> = (0..1000).map(|_| RandomMint.bits()).collect();
        assert_eq!(numbers.len(), 1000);
    }
}
