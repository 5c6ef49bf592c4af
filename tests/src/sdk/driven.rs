//! What an SDK's suite drove, as the gateway counted it.

use std::collections::BTreeSet;

use conclave::vendors::Vendor;
use http::Method;

use super::gateway::Served;
use crate::client::Client;
use crate::ledger::check_fresh;
use crate::ledger::evidence::Driven;

/// The counter of requests, and the class of those that were answered.
const COUNTER: &str = "conclave_requests_total{";
const ANSWERED: &str = "class=\"Answered\"";

/// Holds what this suite drove against what is kept of it, `fixtures/coverage/<suite>.json`; `test` is the name of
/// the test binary. Nothing that is not served may have been asked for.
pub async fn check(served: &Served, vendor: Vendor, sdk: &str, suite: &str, test: &str) {
    let admin = served.running.addresses.admin.expect("an admin listener");
    let answer = Client::at(admin, "").send(Method::GET, "/metrics", &[], "").await;
    let text = String::from_utf8(answer.body.to_vec()).expect("text");
    let mut operations = BTreeSet::new();
    for line in text.lines().filter(|line| line.starts_with(COUNTER)) {
        let (labels, count) = line.rsplit_once("} ").expect("a count");
        if count == "0" || label(labels, "vendor") != vendor.name() {
            continue;
        }
        let operation = label(labels, "operation");
        assert_ne!(operation, "unknown", "{sdk} asked for something that is not served");
        if labels.contains(ANSWERED) {
            operations.insert(operation.to_owned());
        }
    }
    let driven = Driven { sdk: sdk.to_owned(), vendor: vendor.name().to_owned(), operations };
    check_fresh(&Driven::path(suite), &driven.text(), test);
}

fn label<'l>(labels: &'l str, name: &str) -> &'l str {
    let (_, rest) = labels.split_once(&format!("{name}=\"")).expect("a label");
    rest.split('"').next().unwrap_or_default()
}
