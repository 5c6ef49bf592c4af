//! The coverage ledger: every operation in the vendors' documents, and what is known of it here.
//!
//! - [`catalogue`]: what the documents have, as data: `fixtures/<vendor>/catalogue.toml`.
//! - [`callbacks`]: the same for what apps' servers are told.
//! - [`evidence`]: what is pinned, driven and seen, found where it lies; nothing of it is claimed by hand.
//! - [`page`]: the whole as Markdown: `docs/coverage.md`.

pub mod callbacks;
pub mod catalogue;
pub mod evidence;
pub mod page;

use std::path::Path;

/// Set to write what is stale instead of failing on it.
const REFRESH: &str = "CONCLAVE_REFRESH";

/// Fails when a generated file is not as it would be generated now, with the command that refreshes it.
pub fn check_fresh(path: &Path, fresh: &str, test: &str) {
    if std::env::var_os(REFRESH).is_some() {
        std::fs::write(path, fresh).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        return;
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    let name = path.file_name().expect("a name").to_string_lossy();
    assert!(kept == fresh, "{name} is stale; refresh it with: {REFRESH}=1 cargo test -p conclave-tests --test {test}");
}
