//! The number of files and connections that the process may have open, and its distribution.

/// Reserved for the store, shared files, logs and everything that is not a connection: a quarter, within these bounds.
const LEAST_RESERVE: u64 = 96;
const MOST_RESERVE: u64 = 512;
/// Reserved for each webhook destination.
const PER_DESTINATION: u64 = 16;

/// The distribution of descriptors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Budget {
    /// The total.
    pub(crate) limit: u64,
    /// Most connections of clients at once.
    pub(crate) connections: usize,
    /// Most tables of the store that are kept open.
    pub(crate) tables: usize,
}

/// Raises the limit as far as the system permits. `None` where there is no such limit.
pub(crate) fn raise() -> Option<u64> {
    // more than this is never needed, and some systems report everything as unlimited
    const ENOUGH: u64 = 1 << 20;
    match rlimit::increase_nofile_limit(ENOUGH) {
        Ok(limit) => Some(limit),
        Err(error) => {
            tracing::warn!(%error, "the limit of open files cannot be raised");
            limit()
        }
    }
}

/// The current limit. `None` where there is no such limit.
pub(crate) fn limit() -> Option<u64> {
    #[cfg(unix)]
    return rlimit::getrlimit(rlimit::Resource::NOFILE).ok().map(|(soft, _)| soft);
    #[cfg(not(unix))]
    return None;
}

impl Budget {
    /// Distributes `limit` descriptors; each webhook destination gets some.
    pub(crate) fn of(limit: u64, destinations: usize) -> Self {
        let reserve = (limit / 4).clamp(LEAST_RESERVE, MOST_RESERVE);
        let outgoing = (destinations as u64).saturating_mul(PER_DESTINATION).min(limit / 4);
        // a tenth and some more connections are accepted only to be answered that there are too many
        let left = limit.saturating_sub(reserve).saturating_sub(outgoing).saturating_sub(16);
        let connections = usize::try_from(left - left / 10).unwrap_or(usize::MAX).max(1);
        Self { limit, connections, tables: usize::try_from(reserve / 4).unwrap_or(usize::MAX) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_enough_for_everything_else() {
        for limit in [128, 256, 1024, 4096, 1 << 20, u64::MAX] {
            for destinations in [0, 3, 100] {
                let Budget { connections, tables, .. } = Budget::of(limit, destinations);
                let taken = connections.saturating_add(connections / 10).saturating_add(16);
                assert!(limit == 128 || (taken as u64) <= limit - limit / 4 + 64 || limit > 2048, "{limit}: {taken}");
                assert!((taken as u64).saturating_add(64) <= limit.max(192), "{limit}: {taken}");
                assert!((16..=128).contains(&tables));
            }
        }
        assert_eq!(Budget::of(1024, 0), Budget { limit: 1024, connections: 677, tables: 64 });
    }
}
