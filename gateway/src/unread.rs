//! Request fields that no handler read, counted for the admin listener.

use std::collections::BTreeMap;

use conclave_kit::Unread;
use parking_lot::Mutex;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use schemars::JsonSchema;
use serde::Serialize;

/// Most names that are counted separately for one operation: clients choose them.
const MOST: usize = 64;
/// The label of all other names.
const OTHERS: &str = "(others)";

/// Vendor and operation.
type Key = (&'static str, &'static str);

/// Counts by vendor, operation and field.
#[derive(Default)]
pub(crate) struct UnreadFields {
    by_name: Mutex<BTreeMap<Key, BTreeMap<String, u64>>>,
    counted: Family<Labels, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Labels {
    vendor: &'static str,
    operation: &'static str,
}

/// A field that was not read, and how often.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct UnreadField {
    vendor: &'static str,
    operation: &'static str,
    field: String,
    count: u64,
}

impl UnreadFields {
    /// The counts, without the names of fields.
    pub(crate) fn counted(&self) -> Family<Labels, Counter> {
        self.counted.clone()
    }

    /// Counts the unread fields of an answered request.
    pub(crate) fn count(&self, vendor: &'static str, operation: &'static str, unread: &Unread) {
        self.counted.get_or_create(&Labels { vendor, operation }).inc_by(unread.names().len() as u64);
        let mut counts = self.by_name.lock();
        let fields = counts.entry((vendor, operation)).or_default();
        for name in unread.names() {
            if let Some(count) = fields.get_mut(name) {
                *count += 1;
            } else {
                let name = if fields.len() < MOST { name.as_str() } else { OTHERS };
                *fields.entry(name.to_owned()).or_default() += 1;
            }
        }
    }

    /// All counts.
    pub(crate) fn all(&self) -> Vec<UnreadField> {
        let counts = self.by_name.lock();
        counts
            .iter()
            .flat_map(|((vendor, operation), fields)| {
                fields.iter().map(|(field, count)| UnreadField {
                    vendor,
                    operation,
                    field: field.clone(),
                    count: *count,
                })
            })
            .collect()
    }

    /// All counts as JSON: an array of objects with `vendor`, `operation`, `field` and `count`.
    pub(crate) fn json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(&self.all())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn clients_cannot_make_the_counts_grow_without_bound() {
        let unread = UnreadFields::default();
        for number in 0..10_000 {
            unread.count("probe", "see", &Unread::of([format!("field{number}").as_str(), "again"].into_iter()));
        }
        let lines: Vec<serde_json::Value> = serde_json::from_str(&unread.json().unwrap()).unwrap();
        assert_eq!(lines.len(), MOST + 1);
        let count = |field: &str| lines.iter().find(|line| line["field"] == field).unwrap()["count"].as_u64();
        assert_eq!((count("again"), count("field0"), count(OTHERS)), (Some(10_000), Some(1), Some(10_000 - 63)));
    }
}
