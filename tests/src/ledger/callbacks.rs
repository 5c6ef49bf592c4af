//! The callbacks in the vendors' documents, and the evidence for them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

use super::catalogue::{Catalogue, VENDORS};
use crate::fixture::root;

/// Callbacks of one section of the documents.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// Its subject.
    pub name: String,
    /// The source.
    pub source: String,
    /// The vendor's page, where it has one.
    pub url: Option<String>,
    /// The callbacks.
    pub list: Vec<Callback>,
}

/// A callback in the documents.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Callback {
    /// The vendor's name of it, as notifications are named here.
    pub name: String,
    /// Why it is not sent.
    pub declined: Option<String>,
}

/// A documented callback: `fixtures/<vendor>/webhooks/*.json`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// The vendor's name of it.
    pub callback: String,
    /// The source.
    pub source: String,
    /// Its certainty.
    pub certainty: String,
    /// Notes for readers.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Where a sent callback must have the same values; everywhere else it has members of the same types.
    pub same: Vec<String>,
    /// Members that are sent beyond the documented ones.
    #[serde(default)]
    pub adds: Vec<String>,
    /// The body.
    pub body: Value,
    /// The app server's answer, where it matters.
    #[serde(default)]
    pub answer: Option<Value>,
    /// The caller's outcome then.
    #[serde(default)]
    pub outcome: Option<Value>,
}

impl Sample {
    /// A vendor's samples, by the names of their files.
    pub fn all(vendor: &str) -> BTreeMap<String, Self> {
        let folder = root().join(vendor).join("webhooks");
        let read = |entry: std::io::Result<std::fs::DirEntry>| {
            let path = entry.expect("a file").path();
            let text = std::fs::read(&path).expect("a file");
            let sample = serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            (path.file_stem().expect("a name").to_string_lossy().into_owned(), sample)
        };
        std::fs::read_dir(folder).expect("a folder").map(read).collect()
    }
}

/// A callback: the vendor and its name.
type Key = (String, String);

/// The evidence.
#[derive(Debug, Default)]
pub struct Known {
    /// Documented callbacks with which sent ones are compared.
    pub samples: BTreeMap<Key, usize>,
    /// Pinned bodies.
    pub pinned: BTreeMap<Key, usize>,
}

impl Known {
    /// Collects the evidence.
    pub fn gather() -> Self {
        let mut known = Self::default();
        for vendor in VENDORS {
            for sample in Sample::all(vendor).into_values() {
                *known.samples.entry((vendor.to_owned(), sample.callback)).or_default() += 1;
            }
        }
        let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/webhooks/snapshots"));
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let text = std::fs::read_to_string(entry.expect("a file").path()).expect("a file");
            let pinned = text.splitn(3, "---\n").nth(2).expect("a snapshot has a head");
            let pinned: Value = serde_json::from_str(pinned).expect("pinned as JSON");
            for event in pinned.as_array().expect("a list of events") {
                for (vendor, notices) in event["sent"].as_object().into_iter().flatten() {
                    for notice in notices.as_array().into_iter().flatten() {
                        let name = notice["name"].as_str().expect("a name").to_owned();
                        *known.pinned.entry((vendor.clone(), name)).or_default() += 1;
                    }
                }
            }
        }
        known
    }
}

/// The evidence of each vendor's callbacks, in numbers.
pub fn summary(page: &mut String, catalogues: &[(&str, Catalogue)], known: &Known) {
    page.push_str("\nCallbacks to apps' servers (see [webhooks.md](webhooks.md)):\n\n");
    page.push_str("| | documented | sent | with samples | pinned |\n| --- | --- | --- | --- | --- |\n");
    for (vendor, catalogue) in catalogues {
        let sent = catalogue.all_callbacks().filter(|callback| callback.declined.is_none());
        let sent: Vec<Key> = sent.map(|callback| ((*vendor).to_owned(), callback.name.clone())).collect();
        let share = |of: &BTreeMap<Key, usize>| {
            let count = sent.iter().filter(|key| of.contains_key(*key)).count();
            format!("{count} ({} %)", count * 100 / sent.len().max(1))
        };
        let (all, samples, pinned) = (catalogue.all_callbacks().count(), share(&known.samples), share(&known.pinned));
        let _ = writeln!(page, "| {vendor} | {all} | {} | {samples} | {pinned} |", sent.len());
    }
}

/// The evidence of a vendor's callbacks.
pub fn sections(page: &mut String, vendor: &str, catalogue: &Catalogue, known: &Known) {
    for section in &catalogue.callbacks {
        let _ = write!(page, "\n### Callbacks: {}\n\n{}\n\n", section.name, section.source);
        page.push_str("| callback | samples | pinned |\n| --- | --- | --- |\n");
        for callback in &section.list {
            let key = (vendor.to_owned(), callback.name.clone());
            let number = |of: &BTreeMap<Key, usize>| of.get(&key).map(usize::to_string).unwrap_or_default();
            let _ = match &callback.declined {
                Some(_) => writeln!(page, "| {} | declined | |", callback.name),
                None => {
                    writeln!(page, "| {} | {} | {} |", callback.name, number(&known.samples), number(&known.pinned))
                }
            };
        }
    }
}

/// A vendor's callbacks for readers: the verdict on each.
pub fn verdicts(page: &mut String, catalogue: &Catalogue) {
    for section in &catalogue.callbacks {
        let source = super::page::source(&section.source, section.url.as_deref());
        let _ =
            write!(page, "\n### Callbacks: {}\n\n{source}\n\n| callback | verdict |\n| --- | --- |\n", section.name);
        for callback in &section.list {
            let verdict = callback.declined.as_ref().map_or("sent".to_owned(), |reason| format!("declined: {reason}"));
            let _ = writeln!(page, "| `{}` | {verdict} |", callback.name);
        }
    }
}
