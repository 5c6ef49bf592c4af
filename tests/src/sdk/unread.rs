//! The request fields of an SDK that no handler read.

use std::collections::BTreeSet;

use crate::vendor::Vendor;
use http::Method;

use super::gateway::Served;
use crate::client::Client;

/// A field that is sent and intentionally not read.
pub struct Explained {
    /// The operations that may get it, at least one of which does; `*` is any.
    pub operations: &'static [&'static str],
    /// The field.
    pub field: &'static str,
    /// Why ignoring it loses nothing.
    pub why: &'static str,
}

impl Explained {
    fn is(&self, operation: &str, field: &str) -> bool {
        self.field == field && (self.operations == ["*"] || self.operations.contains(&operation))
    }
}

/// Compares the unread fields with the explained ones: there must be no others, and none missing.
pub async fn check(served: &Served, vendor: Vendor, explained: &[Explained]) {
    let admin = served.running.addresses.admin.expect("an admin listener");
    let lines = Client::at(admin, "").send(Method::GET, "/unread-fields", &[], "").await.json();
    let lines = lines.as_array().expect("an array").iter().filter(|line| line["vendor"] == vendor.name());
    let text = |line: &serde_json::Value, key: &str| line[key].as_str().expect("a text").to_owned();
    let found: BTreeSet<(String, String)> = lines.map(|line| (text(line, "operation"), text(line, "field"))).collect();
    let silent: Vec<_> =
        found.iter().filter(|(operation, field)| !explained.iter().any(|known| known.is(operation, field))).collect();
    assert!(silent.is_empty(), "sent, but read by no handler, and not explained: {silent:#?}");
    for known in explained {
        let is_sent = found.iter().any(|(operation, field)| known.is(operation, field));
        assert!(is_sent, "{} is explained for {:?}, but not sent or read by now", known.field, known.operations);
        assert!(known.why.len() > 10, "an explanation says why");
    }
}
