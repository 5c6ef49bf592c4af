//! The evidence for each operation, collected from fixtures, snapshots and suites.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::catalogue::{Served, VENDORS};
use crate::effects::Story;
use crate::fixture::{Fixture, root};
use crate::refused::Refused;

/// An operation: the vendor and its name.
type Key = (String, String);

/// The evidence.
#[derive(Debug, Default)]
pub struct Evidence {
    /// Documented exchanges with a pinned answer.
    pub samples: BTreeMap<Key, usize>,
    /// Documented refusals with a pinned response: exchanges, and rows of the error lists.
    pub refusals: BTreeMap<Key, usize>,
    /// The SDKs that have a call of their own for it, and drive it by that.
    pub driven: BTreeMap<Key, BTreeSet<String>>,
    /// The SDKs that drive it by their call for operations without one of their own.
    pub driven_generally: BTreeMap<Key, BTreeSet<String>>,
    /// The other vendors through which its effect is read, or whose effects it reads.
    pub effects: BTreeMap<Key, BTreeSet<String>>,
}

/// The operations that an SDK's suite drives: `fixtures/coverage/<sdk>.json`, written by the suite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Driven {
    /// The SDK, its version and where it is published.
    pub sdk: String,
    /// Whose operations they are.
    pub vendor: String,
    /// Whether by the SDK's call for operations without one of their own: it takes a path and a body, and signs, sends
    /// and reads like all others.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub general: bool,
    /// The operations that were answered, sorted.
    pub operations: BTreeSet<String>,
}

impl Driven {
    /// The file of a suite.
    pub fn path(suite: &str) -> PathBuf {
        root().join("coverage").join(format!("{suite}.json"))
    }

    /// All files.
    pub fn all() -> Vec<Self> {
        let mut paths: Vec<PathBuf> = std::fs::read_dir(root().join("coverage"))
            .expect("a folder")
            .map(|entry| entry.expect("a file").path())
            .collect();
        paths.sort();
        let read = |path: &PathBuf| {
            let text = std::fs::read(path).expect("a file");
            serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        };
        paths.iter().map(read).collect()
    }

    /// The file's text.
    pub fn text(&self) -> String {
        serde_json::to_string_pretty(self).expect("json") + "\n"
    }
}

impl Evidence {
    /// Collects the evidence.
    pub fn gather(served: &Served) -> Self {
        let mut evidence = Self::default();
        for vendor in VENDORS {
            let names = Fixture::names(vendor);
            for pinned in pinned(vendor) {
                assert!(names.contains(&pinned), "the snapshot of {vendor}/{pinned} belongs to no exchange: delete it");
            }
            for name in names {
                let request = Fixture::read(vendor, &name).request;
                let Some(operation) = served.operation(vendor, &request.method, &request.path) else { continue };
                let kind = if name.starts_with("error") { &mut evidence.refusals } else { &mut evidence.samples };
                *kind.entry((vendor.to_owned(), operation.to_owned())).or_default() += 1;
            }
            evidence.tabulated(served, vendor);
        }
        for Driven { sdk, vendor, general, operations } in Driven::all() {
            let driven = if general { &mut evidence.driven_generally } else { &mut evidence.driven };
            for operation in operations {
                driven.entry((vendor.clone(), operation)).or_default().insert(sdk.clone());
            }
        }
        for story in Story::all() {
            story.check();
            for (step, others) in story.effects() {
                // a step on a page is not an operation, but its readers are
                if step.on_page().is_some() {
                    continue;
                }
                let operation = served.operation(&step.by, step.method(), &step.path());
                let operation = operation.unwrap_or_else(|| panic!("{}: {} is not served", story.name, step.call));
                evidence.effects.entry((step.by.clone(), operation.to_owned())).or_default().extend(others);
            }
        }
        evidence
    }

    /// Rows of a vendor's error lists, each of an operation that is served.
    fn tabulated(&mut self, served: &Served, vendor: &str) {
        Refused::check_pinned(vendor);
        for refused in Refused::all(vendor) {
            // Agora's targets are below its organisation and app
            let below = if vendor == "agora" { "/acme/demo" } else { "" };
            let operation = served.operation(vendor, refused.method(), &format!("{below}{}", refused.target()));
            let operation = operation.unwrap_or_else(|| panic!("{vendor}: {} is not served", refused.call));
            *self.refusals.entry((vendor.to_owned(), operation.to_owned())).or_default() += 1;
        }
    }
}

/// The names of a vendor's exchanges with snapshots: those whose responses have more than the documented ones.
fn pinned(vendor: &str) -> BTreeSet<String> {
    let tests = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests"));
    let places = [
        (tests.join("snapshots"), format!("{vendor}__")),
        (tests.join("snapshots").join(vendor), String::new()),
        (tests.join(vendor).join("snapshots"), format!("{vendor}__replay__")),
    ];
    places.iter().flat_map(|(folder, prefix)| snapshots(folder, prefix)).collect()
}

fn snapshots(folder: &Path, prefix: &str) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.filter_map(|name| Some(name.strip_suffix(".snap")?.strip_prefix(prefix)?.to_owned())).collect()
}
