//! The operations that an SDK's suite drove, as the gateway counted them.

use std::collections::BTreeSet;

use crate::vendor::Vendor;
use conclave::Gateway;
use http::Method;

use super::gateway::Served;
use crate::client::Client;
use crate::ledger::check_fresh;
use crate::ledger::evidence::Driven;

/// The counter of requests, and the class of the answered ones.
const COUNTER: &str = "conclave_requests_total{";
const ANSWERED: &str = "class=\"answered\"";

/// An SDK, and how a suite drives it.
pub struct Driver {
    /// The vendor whose operations it calls.
    pub vendor: Vendor,
    /// Its name, version and where it is published.
    pub sdk: &'static str,
    /// The name of the file in `fixtures/coverage`.
    pub file: &'static str,
    /// Whether by its call for operations without one of their own.
    pub general: bool,
    /// Whether by its client protocol: HTTP calls of the suite itself do not count.
    pub client: bool,
    /// The operations that count; all if empty.
    pub only: &'static [&'static str],
}

impl Driver {
    /// An SDK that is driven by the calls it has for each operation.
    pub fn new(vendor: Vendor, sdk: &'static str, file: &'static str) -> Self {
        Self { vendor, sdk, file, general: false, client: false, only: &[] }
    }

    /// The same by its call for operations without one of their own.
    pub fn general(vendor: Vendor, sdk: &'static str, file: &'static str) -> Self {
        Self { general: true, ..Self::new(vendor, sdk, file) }
    }

    /// An SDK that connects and calls over its connection.
    pub fn client(vendor: Vendor, sdk: &'static str, file: &'static str) -> Self {
        Self { client: true, ..Self::new(vendor, sdk, file) }
    }

    /// Only these operations count.
    #[must_use]
    pub fn only(self, only: &'static [&'static str]) -> Self {
        Self { only, ..self }
    }

    /// Compares the driven operations with the stored file; `test` is the name of the test binary. No unknown operation
    /// may have been called.
    pub async fn check(&self, served: &Served, test: &str) {
        let driven = Driven {
            sdk: self.sdk.to_owned(),
            vendor: self.vendor.name().to_owned(),
            general: self.general,
            operations: self.operations(served).await,
        };
        check_fresh(&Driven::path(self.file), &driven.text(), test);
    }

    /// The operations that were answered.
    async fn operations(&self, served: &Served) -> BTreeSet<String> {
        let admin = served.running.addresses.admin.expect("an admin listener");
        let answer = Client::at(admin, "").send(Method::GET, "/metrics", &[], "").await;
        let text = String::from_utf8(answer.body.to_vec()).expect("text");
        let topics = Gateway::topics(&served.running.config).expect("topics");
        let topics: BTreeSet<&str> = topics.into_iter().map(|(_, topic)| topic).collect();
        let mut operations = BTreeSet::new();
        for line in text.lines().filter(|line| line.starts_with(COUNTER)) {
            let (labels, count) = line.rsplit_once("} ").expect("a count");
            if count == "0" || label(labels, "vendor") != self.vendor.name() {
                continue;
            }
            let operation = label(labels, "operation");
            assert_ne!(operation, "unknown", "{} asked for something that is not served", self.sdk);
            let counts = self.only.is_empty() || self.only.contains(&operation);
            if counts && labels.contains(ANSWERED) && (!self.client || topics.contains(operation)) {
                operations.insert(operation.to_owned());
            }
        }
        operations
    }
}

fn label<'l>(labels: &'l str, name: &str) -> &'l str {
    let (_, rest) = labels.split_once(&format!("{name}=\"")).expect("a label");
    rest.split('"').next().unwrap_or_default()
}
