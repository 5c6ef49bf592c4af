//! What an SDK sent that no handler read.

use std::collections::BTreeSet;

use conclave::vendors::Vendor;
use http::Method;

use super::gateway::Served;
use crate::client::Client;

/// A field that is sent and rightly not read.
pub struct Explained {
    /// The operation.
    pub operation: &'static str,
    /// The field.
    pub field: &'static str,
    /// Why nothing is lost by not reading it.
    pub why: &'static str,
}

/// Holds what was left unread against what is explained: nothing else, and nothing less.
pub async fn check(served: &Served, vendor: Vendor, explained: &[Explained]) {
    let admin = served.running.addresses.admin.expect("an admin listener");
    let lines = Client::at(admin, "").send(Method::GET, "/unread-fields", &[], "").await.json();
    let lines = lines.as_array().expect("an array").iter().filter(|line| line["vendor"] == vendor.name());
    let text = |line: &serde_json::Value, key: &str| line[key].as_str().expect("a text").to_owned();
    let found: BTreeSet<(String, String)> = lines.map(|line| (text(line, "operation"), text(line, "field"))).collect();
    let known: BTreeSet<(String, String)> =
        explained.iter().map(|known| (known.operation.to_owned(), known.field.to_owned())).collect();
    let silent: Vec<_> = found.difference(&known).collect();
    assert!(silent.is_empty(), "sent, but read by no handler, and not explained: {silent:#?}");
    let gone: Vec<_> = known.difference(&found).collect();
    assert!(gone.is_empty(), "explained, but not sent or read by now: {gone:#?}");
    assert!(explained.iter().all(|known| known.why.len() > 10), "an explanation says why");
}
