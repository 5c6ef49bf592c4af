//! `conclave env`: the settings of vendors' clients, from the running gateway or from the configuration.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::time::Duration;

use http::Method;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::args::ServeArgs;
use super::{Failure, client_settings, ctl};
use crate::clients::{self, Format, Pairs};
use crate::config::{Admin, Config, ConfigError, ControlToken};
use crate::vendors::Vendors;

/// How long the control listener may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// The realms of a running gateway, as its control API lists them.
#[derive(Deserialize)]
struct Realms {
    realms: Vec<Realm>,
}

#[derive(Deserialize)]
struct Realm {
    name: String,
    origin: String,
    vendors: Vec<String>,
    settings: Option<Map<String, Value>>,
}

/// Why the configuration is used instead.
enum Unanswered {
    /// Nothing was to be asked.
    NotAsked,
    /// The running gateway did not give the settings.
    Because(String),
}

/// The settings in this format. Where they come from the configuration although a gateway was asked, standard error says
/// why.
pub(super) fn run(
    vendors: &Vendors,
    vendor: Option<&str>,
    realm: Option<&str>,
    format: Format,
    serve: ServeArgs,
) -> Result<String, Failure> {
    let (dev_public, is_elsewhere) = (serve.dev_public, serve.names_address());
    let config = serve.load(vendors)?;
    let names = config.served.names();
    if let Some(unknown) = vendor.filter(|vendor| !names.contains(vendor)) {
        return Err(ConfigError(format!("there is no vendor {unknown}: it is one of {}", names.join(", "))).into());
    }
    let asked = if is_elsewhere { Err(Unanswered::NotAsked) } else { ask(&config, realm) };
    let why = match asked {
        Ok(found) => return Ok(format.write(&pairs_of(vendors, found, vendor)?)),
        Err(why) => why,
    };
    if dev_public {
        let why = "the credentials of --dev-public are new at each start: the gateway prints them when it starts, and they \
                   are read from it while its control API is on";
        return Err(ConfigError(why.to_owned()).into());
    }
    let pairs = client_settings(&config, realm, vendor);
    if let Unanswered::Because(why) = why {
        if pairs.is_err() && realm.is_some() {
            return Err(ConfigError(format!("{why}; it is not in the configuration either")).into());
        }
        writeln!(io::stderr(), "conclave: {why}: these settings are from the configuration")?;
    }
    Ok(format.write(&pairs?))
}

/// The realm of the gateway that runs with this configuration.
fn ask(config: &Config, realm: Option<&str>) -> Result<Realm, Unanswered> {
    let (Admin::At(address) | Admin::IfFree(address)) = config.control else { return Err(Unanswered::NotAsked) };
    let because = |why: String| Unanswered::Because(why);
    let Realms { realms } = list(address, config.control_token.as_ref()).map_err(because)?;
    let names = realms.iter().map(|realm| realm.name.clone()).collect::<Vec<_>>().join(", ");
    let is_wanted = |found: &Realm| realm.map_or(found.origin == "configured", |name| found.name == name);
    let mut wanted: Vec<Realm> = realms.into_iter().filter(is_wanted).collect();
    let (Some(found), true) = (wanted.pop(), wanted.is_empty()) else {
        return Err(because(match realm {
            Some(name) => format!("the gateway at {address} has no realm {name}: it has {names}"),
            None => format!("the gateway at {address} has several realms ({names})"),
        }));
    };
    if found.settings.is_none() {
        let name = &found.name;
        return Err(because(format!("the gateway at {address} does not show the secrets of its realm {name}")));
    }
    Ok(found)
}

fn list(address: SocketAddr, token: Option<&ControlToken>) -> Result<Realms, String> {
    let token = token.map(|ControlToken(token)| token.as_str());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let asked = runtime.block_on(async {
        tokio::time::timeout(PATIENCE, ctl::send(address, &Method::GET, "/v1/realms", None, token)).await
    });
    let Ok(Ok((status, answer))) = asked else {
        return Err(format!("no gateway's control API answers at {address}"));
    };
    if !status.is_success() {
        return Err(format!("the control API at {address} refuses the request ({status})"));
    }
    serde_json::from_slice(&answer).map_err(|_| format!("what answers at {address} is not a gateway's control API"))
}

/// The settings at one vendor or at all, in the order in which the vendors have them.
fn pairs_of(vendors: &Vendors, realm: Realm, vendor: Option<&str>) -> Result<Pairs, ConfigError> {
    if let Some(vendor) = vendor.filter(|vendor| !realm.vendors.iter().any(|of| of == vendor)) {
        return Err(ConfigError(format!("realm {} of the running gateway is not at {vendor}", realm.name)));
    }
    // the development realm is at every vendor, and names every setting
    let development = Config::development_with(vendors.clone())?;
    let of = |name: &&str| development.realms.iter().find_map(|realm| clients::pairs(&development, None, realm, name));
    let wanted = development.served.names().into_iter().filter(|name| vendor.is_none_or(|vendor| vendor == *name));
    let keys: Vec<&'static str> = wanted.filter_map(|name| of(&name)).flatten().map(|(key, _)| key).collect();
    let settings = realm.settings.unwrap_or_default();
    Ok(keys.into_iter().filter_map(|key| Some((key, settings.get(key)?.as_str()?.to_owned()))).collect())
}
