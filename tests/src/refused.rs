//! The refusals of single operations in the vendors' error lists, as data: `fixtures/<vendor>/refusals.toml`.
//!
//! Documented exchanges are fixtures of their own; these are the rows of the vendors' tables, each as one request that
//! has to be refused in that way. They are tried by `tests/tests/refusals`, with the users and groups that are set up
//! there.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::client::Answer;
use crate::fixture::{self, Unlike, covers, redact};
use crate::world::World;

/// A vendor's table.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    section: Vec<Section>,
}

/// The rows from one source.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    source: String,
    certainty: String,
    refusals: Vec<Refused>,
}

/// A request that is refused.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// Method and target below the surface's root.
    pub call: String,
    /// The body, unchanged.
    #[serde(default)]
    pub body: String,
    /// The caller, if not the app.
    #[serde(default)]
    pub by: String,
    /// What is invalid about it.
    pub why: String,
    /// The status of the response.
    pub status: u16,
    /// The members that the response has at least.
    pub covers: Map<String, Value>,
}

impl Refused {
    /// A vendor's rows, in order.
    pub fn all(vendor: &str) -> Vec<Self> {
        let path = fixture::root().join(vendor).join("refusals.toml");
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let table: Table = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for section in &table.section {
            assert!(section.source.len() > 5 && !section.certainty.is_empty(), "{vendor}: {}", section.source);
            for refused in &section.refusals {
                assert!(!refused.covers.is_empty() && refused.why.len() > 5, "{vendor}: {}", refused.call);
            }
        }
        table.section.into_iter().flat_map(|section| section.refusals).collect()
    }

    /// The method.
    pub fn method(&self) -> &str {
        self.call.split_once(' ').expect("a method and a target").0
    }

    /// Path and query.
    pub fn target(&self) -> &str {
        self.call.split_once(' ').expect("a method and a target").1
    }

    /// Fails when a row of this vendor has no pinned answer.
    pub fn check_pinned(vendor: &str) {
        let path = format!("{}/tests/refusals/snapshots/refusals__{vendor}__{vendor}.snap", env!("CARGO_MANIFEST_DIR"));
        let pinned = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let pinned: HashSet<&str> = pinned.lines().collect();
        for refused in Self::all(vendor) {
            let sent = refused.sent();
            assert!(pinned.contains(sent.as_str()), "the refusal {sent} has no pinned answer");
        }
    }

    /// The request, and what is invalid about it.
    fn sent(&self) -> String {
        let by = if self.by.is_empty() { String::new() } else { format!(" by {}", self.by) };
        // bodies of forms have line ends of their own
        let body = self.body.replace(['\r', '\n'], "");
        format!("{}{by}: {} {body}", self.why, self.call).trim_end().to_owned()
    }

    /// The value to pin: the request with its response, which is checked to be the listed refusal.
    ///
    /// # Errors
    /// Says how the answer is another one.
    pub fn check(&self, answer: &Answer, volatile: &[&str]) -> Result<String, String> {
        let description = format!("{} {} ({})", self.call, self.body, self.why);
        let mut body = answer.json();
        if answer.status != self.status {
            return Err(format!("{description}: {} {body}", answer.status));
        }
        covers(&Value::from(self.covers.clone()), &body, "body")
            .map_err(|Unlike(how)| format!("{description}: {how}"))?;
        for path in volatile {
            redact(&mut body, path);
        }
        Ok(format!("{}\n{} {body}\n", self.sent(), answer.status.as_u16()))
    }
}

/// The number of the last event: refused calls add none.
pub async fn happenings(world: &World) -> u64 {
    world.log.last().await.expect("the log")
}
