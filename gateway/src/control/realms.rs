//! Realms at run time: created, listed and deleted.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::{Method, StatusCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Control;
use super::api::{Call, Endpoint, Json, Nothing, Optional};
use super::error::{Code, ControlError};
use super::words;
use crate::clients;
use crate::config::{RealmConfig, RealmLimits, check_realm_keys, fresh_sections, is_development, random_of};
use crate::realms::running::{Realm, RealmError};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            (Method::POST, "/v1/realms"),
            "create_realm",
            "Create a realm with random credentials. Its data is in memory.",
            create,
        )
        .status(StatusCode::CREATED),
        Endpoint::new((Method::GET, "/v1/realms"), "list_realms", "List all realms, by name.", list),
        Endpoint::new((Method::GET, "/v1/realms/{realm}"), "get_realm", "Get one realm.", get),
        Endpoint::new(
            (Method::DELETE, "/v1/realms/{realm}"),
            "delete_realm",
            "Delete a created realm with all its data, and disconnect its clients.",
            delete,
        ),
    ]
}

/// A realm to create.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewRealm {
    /// 1 to 40 of a-z, 0-9, - and _; random when not given.
    name: Option<String>,
    /// The vendors at which it has an app; all when not given.
    vendors: Option<Vec<String>>,
    /// Keys of `[realm.<name>.<vendor>]` in the configuration by the vendor's name, which replace those that are
    /// generated: settings, webhooks, or credentials.
    #[serde(default)]
    sections: BTreeMap<String, Map<String, Value>>,
    /// Keys of `[realm.<name>.limits]` in the configuration.
    #[serde(default)]
    limits: Map<String, Value>,
}

/// A realm.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Realm")]
struct RealmView {
    name: String,
    origin: Origin,
    /// Where its data is.
    data: DataKind,
    /// The vendors at which it has an app.
    vendors: Vec<String>,
    /// What clients and servers of each vendor are configured with, as `conclave env` prints it. Not given for realms
    /// whose credentials are secrets of the configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    settings: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Origin {
    /// In the gateway's configuration; it cannot be deleted.
    Configured,
    /// Created at run time.
    Created,
}

#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum DataKind {
    /// It can be reset, and ends with the process.
    Memory,
    /// It survives the process, and cannot be reset.
    Durable,
}

/// All realms.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Realms")]
struct RealmList {
    realms: Vec<RealmView>,
}

/// How often other random credentials are tried when a realm has the same identity.
const TRIES: usize = 5;

async fn create(call: Call, Optional(new): Optional<NewRealm>) -> Result<Json<RealmView>, ControlError> {
    let control = &call.control;
    for _ in 1..TRIES {
        match control.realms.create(control.new_realm(&new)?).await {
            // given credentials stay the same, however often they are tried
            Err(RealmError::Setup(conclave_kit::SetupError::SameApp { .. })) if new.sections.is_empty() => {}
            Err(RealmError::Exists(_)) if new.name.is_none() => {}
            created => return Ok(Json(control.view(&*created?))),
        }
    }
    Ok(Json(control.view(&*control.realms.create(control.new_realm(&new)?).await?)))
}

async fn list(call: Call, _: Nothing) -> Result<Json<RealmList>, ControlError> {
    let realms = call.control.realms.all().iter().map(|realm| call.control.view(realm)).collect();
    Ok(Json(RealmList { realms }))
}

async fn get(call: Call, _: Nothing) -> Result<Json<RealmView>, ControlError> {
    Ok(Json(call.control.view(&*call.realm()?)))
}

async fn delete(call: Call, _: Nothing) -> Result<Nothing, ControlError> {
    call.control.realms.delete(call.parameter("realm")).await?;
    Ok(Nothing)
}

impl Call {
    /// The realm in the path.
    pub(super) fn realm(&self) -> Result<Arc<Realm>, ControlError> {
        Ok(self.control.realms.get(self.parameter("realm"))?)
    }
}

impl Control {
    /// The configuration of a new realm: the development one with random credentials, and what was given.
    fn new_realm(&self, new: &NewRealm) -> Result<RealmConfig, ControlError> {
        let served = &self.realms.config().served;
        let names = served.names();
        let wanted = new.vendors.clone().unwrap_or_else(|| names.iter().map(|name| (*name).to_owned()).collect());
        if let Some(unknown) = wanted.iter().chain(new.sections.keys()).find(|vendor| !names.contains(&vendor.as_str()))
        {
            let message = format!("there is no vendor {unknown}: there are {}", names.join(", "));
            return Err(ControlError::bad(message));
        }
        if wanted.is_empty() {
            return Err(ControlError::bad("vendors must not be empty"));
        }
        let internal = |error: crate::config::ConfigError| ControlError::new(Code::Internal, error.to_string());
        let mut generated = fresh_sections(served).map_err(internal)?;
        self.check_keys(new)?;
        let mut sections = BTreeMap::new();
        for vendor in served.iter().filter(|vendor| wanted.iter().any(|wanted| wanted == vendor.name())) {
            let mut section = generated.remove(vendor.name()).unwrap_or_else(|| toml::Table::new().into());
            if let Some(given) = new.sections.get(vendor.name()) {
                merge(&mut section, toml_of(given, vendor.name())?);
            }
            let refused = |error: toml::de::Error| {
                ControlError::bad(words::plain(error.message(), &format!("sections.{}", vendor.name())))
            };
            sections.insert(vendor.name(), vendor.parse(section).map_err(refused)?);
        }
        let limits: RealmLimits = toml_of(&new.limits, "limits")?
            .try_into()
            .map_err(|error: toml::de::Error| ControlError::bad(words::plain(error.message(), "limits")))?;
        let name = new.name.clone().unwrap_or_else(|| {
            let random = random_of(b"0123456789abcdefghijklmnopqrstuvwxyz", 12);
            format!("realm-{random}")
        });
        Ok(RealmConfig { name, limits, sections })
    }

    /// Refuses keys that the configuration does not have, and values of another type, by the configuration's reference.
    fn check_keys(&self, new: &NewRealm) -> Result<(), ControlError> {
        let mut realm = toml::Table::new();
        for (vendor, section) in &new.sections {
            realm.insert(vendor.clone(), toml_of(section, &format!("sections.{vendor}"))?);
        }
        if !new.limits.is_empty() {
            realm.insert("limits".to_owned(), toml_of(&new.limits, "limits")?);
        }
        check_realm_keys(&self.realms.config().served, realm).map_err(|error| ControlError::bad(error.to_string()))
    }

    fn view(&self, realm: &Realm) -> RealmView {
        let config = self.realms.config();
        let is_public = |vendor: &&str| is_development(&config.served, &realm.config, vendor);
        let vendors: Vec<&str> = config.at(&realm.config).map(|(vendor, _)| vendor.name()).collect();
        let is_shown = !realm.is_configured || config.dev_public || vendors.iter().all(is_public);
        RealmView {
            name: realm.name().to_owned(),
            origin: if realm.is_configured { Origin::Configured } else { Origin::Created },
            data: if realm.opened.in_memory.is_some() { DataKind::Memory } else { DataKind::Durable },
            settings: is_shown.then(|| self.settings(&realm.config)),
            vendors: vendors.into_iter().map(str::to_owned).collect(),
        }
    }

    /// What clients are configured with, as `conclave env` prints it.
    fn settings(&self, realm: &RealmConfig) -> BTreeMap<String, String> {
        let (config, addresses) = (self.realms.config(), Some(&self.addresses));
        let of = |host: &crate::registry::Host| {
            let pairs = clients::pairs(config, addresses, realm, host.vendor)?;
            let protocol = host.surface.client_protocol();
            let endpoints = protocol.map(conclave_kit::AnyProtocol::endpoints).unwrap_or_default();
            Some(clients::answered(pairs, &clients::base_url(config, addresses, host.vendor), &endpoints))
        };
        let pairs = self.realms.hosts().iter().filter_map(of).flatten();
        pairs.map(|(key, value)| (key.to_owned(), value)).collect()
    }
}

/// JSON as the configuration's tables have it.
fn toml_of(given: &Map<String, Value>, name: &str) -> Result<toml::Value, ControlError> {
    toml::Value::try_from(given)
        .map_err(|_| ControlError::bad(format!("{name} must not have null, or numbers beyond 64 bits")))
}

/// Sets the keys of a table to those of another one, also in the tables below.
fn merge(into: &mut toml::Value, from: toml::Value) {
    match (into, from) {
        (toml::Value::Table(into), toml::Value::Table(from)) => {
            for (key, value) in from {
                match into.get_mut(&key) {
                    Some(known) => merge(known, value),
                    None => drop(into.insert(key, value)),
                }
            }
        }
        (into, from) => *into = from,
    }
}
