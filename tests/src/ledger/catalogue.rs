//! The operations in the vendors' documents.

use conclave::{Config, Gateway};
use conclave_kit::RouteInfo;
use http::Method;
use serde::Deserialize;

use super::{callbacks, events};
use crate::fixture;

/// The vendors, in the order of the ledger.
pub const VENDORS: [&str; 3] = ["agora", "tencent", "rong"];

/// Placeholder for the method of a topic of a client protocol.
const CLIENT: &[u8] = b"CLIENT";

/// A vendor's operations.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// In the order of the documents.
    pub section: Vec<Section>,
    /// What clients are sent, in the same order.
    #[serde(default)]
    pub events: Vec<events::Section>,
    /// The callbacks to an app's server, in the same order.
    pub callbacks: Vec<callbacks::Section>,
}

/// Operations of one section of the documents.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// Its subject.
    pub name: String,
    /// The source.
    pub source: String,
    /// The vendor's page, where it has one.
    pub url: Option<String>,
    /// Why no SDK has a call of its own for any of them.
    pub reach: Option<String>,
    /// Why no effect of any of them is seen through another vendor.
    pub alone: Option<String>,
    /// The operations.
    pub operations: Vec<Documented>,
}

/// An operation in the documents.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Documented {
    /// The vendor's name of it, or a description where the vendor has none.
    pub name: String,
    /// Method and path, parts in braces.
    pub call: String,
    /// The vendor's public page about it, where one is known.
    pub page: Option<String>,
    /// Other paths of it.
    #[serde(default)]
    pub also: Vec<String>,
    /// Why it is not served.
    pub declined: Option<String>,
    /// Why no SDK has a call of its own for it.
    pub reach: Option<String>,
    /// Why no effect of it is seen through another vendor.
    pub alone: Option<String>,
}

/// An operation that is served, with the reasons given for it or for its section.
pub struct ServedOperation<'c> {
    /// The operation.
    pub operation: &'c Documented,
    /// Why no SDK has a call of its own for it.
    pub reach: Option<&'c str>,
    /// Why no effect of it is seen through another vendor.
    pub alone: Option<&'c str>,
}

impl Documented {
    /// Whether it belongs to the client protocol.
    pub fn is_of_clients(&self) -> bool {
        self.call.split(' ').next().is_some_and(|method| method.as_bytes() == CLIENT)
    }
}

impl Catalogue {
    /// Reads a vendor's catalogue.
    pub fn read(vendor: &str) -> Self {
        let path = fixture::root().join(vendor).join("catalogue.toml");
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The operations that are served.
    pub fn served(&self) -> impl Iterator<Item = ServedOperation<'_>> {
        let all = self.section.iter().flat_map(|section| section.operations.iter().map(move |one| (section, one)));
        all.filter(|(_, one)| one.declined.is_none()).map(|(section, operation)| ServedOperation {
            operation,
            reach: operation.reach.as_deref().or(section.reach.as_deref()),
            alone: operation.alone.as_deref().or(section.alone.as_deref()),
        })
    }

    /// All operations.
    pub fn operations(&self) -> impl Iterator<Item = &Documented> {
        self.section.iter().flat_map(|section| &section.operations)
    }

    /// All callbacks.
    pub fn all_callbacks(&self) -> impl Iterator<Item = &callbacks::Callback> {
        self.callbacks.iter().flat_map(|section| &section.list)
    }
}

/// The gateway's routes and topics.
pub struct Served(Vec<(&'static str, RouteInfo)>);

impl Served {
    /// Reads them from the gateway.
    pub fn ask() -> Self {
        let config = Config::development().expect("the development configuration");
        let mut routes = Gateway::routes(&config).expect("routes");
        let method = Method::from_bytes(CLIENT).expect("a method");
        routes.extend(Gateway::topics(&config).expect("topics").into_iter().map(|(vendor, topic)| {
            let method = method.clone();
            (vendor, RouteInfo { method, path: topic, operation: topic })
        }));
        Self(routes)
    }

    /// A vendor's routes.
    pub fn of(&self, vendor: &str) -> impl Iterator<Item = &RouteInfo> {
        self.0.iter().filter(move |(of, _)| *of == vendor).map(|(_, route)| route)
    }

    /// The operation of a request; literal parts of a path are preferred over those in braces.
    pub fn operation(&self, vendor: &str, method: &str, path: &str) -> Option<&'static str> {
        let path = path.split('?').next().unwrap_or_default();
        let answers = self.of(vendor).filter(|route| route.method == method && matches(route.path, path));
        answers.min_by_key(|route| route.path.matches('{').count()).map(|route| route.operation)
    }
}

fn matches(template: &str, path: &str) -> bool {
    let (template, path): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template.iter().zip(path).all(|(wanted, found)| wanted.starts_with('{') || *wanted == found)
}
