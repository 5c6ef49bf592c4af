//! The coverage ledger: every operation in the vendors' documents, with its evidence.
//!
//! - [`catalogue`]: the operations in the documents, as data: `fixtures/<vendor>/catalogue.toml`.
//! - [`callbacks`]: the same for callbacks to apps' servers.
//! - [`events`]: the same for what clients are sent.
//! - [`evidence`]: pinned, driven and observed operations, collected from where they are; none of it is written by
//!   hand.
//! - [`page`]: the ledger as Markdown: `docs/coverage.md` and `docs/evidence.md`.

pub mod callbacks;
pub mod catalogue;
pub mod events;
pub mod evidence;
pub mod page;

use std::path::Path;

/// Set it to write stale files instead of failing.
const REFRESH: &str = "CONCLAVE_REFRESH";

/// Fails when a generated file is stale, with the command that refreshes it.
pub fn check_fresh(path: &Path, fresh: &str, test: &str) {
    if std::env::var_os(REFRESH).is_some() {
        std::fs::write(path, fresh).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        return;
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    let name = path.file_name().expect("a name").to_string_lossy();
    assert!(kept == fresh, "{name} is stale; refresh it with: {REFRESH}=1 cargo test -p conclave-tests --test {test}");
}
