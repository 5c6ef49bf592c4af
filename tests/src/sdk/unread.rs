//! What an SDK sent that no handler read.

use std::collections::BTreeSet;

use conclave::vendors::Vendor;
use http::Method;

use super::gateway::Served;
use crate::client::Client;

/// A field that is sent and rightly not read.
pub struct Explained {
    /// The operation; `*` is any.
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
    let any = |field: &String| ("*".to_owned(), field.clone());
    let silent: Vec<_> = found.difference(&known).filter(|(_, field)| !known.contains(&any(field))).collect();
    assert!(silent.is_empty(), "sent, but read by no handler, and not explained: {silent:#?}");
    let is_sent = |(operation, field): &&(String, String)| {
        found.iter().any(|(other, sent)| sent == field && (operation == "*" || operation == other))
    };
    let gone: Vec<_> = known.iter().filter(|known| !is_sent(known)).collect();
    assert!(gone.is_empty(), "explained, but not sent or read by now: {gone:#?}");
    assert!(explained.iter().all(|known| known.why.len() > 10), "an explanation says why");
}
