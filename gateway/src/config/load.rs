//! Merges file, environment and flags.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::vendors::Vendors;

use super::address::Address;
use super::file::{RealmSection, RootSection};
use super::reference::keys;
use super::{Admin, Config, ConfigError, ControlToken, Data, RealmConfig, Tls, dev, env, shape};

/// The address of the admin listener by default.
const ADMIN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9090);
/// The address of the control listener by default.
const CONTROL: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9091);
/// `--control` without an address.
pub(crate) const CONTROL_ON: &str = "on";
/// The address that all vendors share by default.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
/// The same where other machines are to reach the development realm.
const LISTEN_PUBLIC: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 8080);

/// The sources of the configuration.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The configuration file, if there is one.
    pub file: Option<PathBuf>,
    /// The environment.
    pub environment: BTreeMap<String, String>,
    /// The command line.
    pub flags: Flags,
}

/// The settings of the command line, which override file and environment.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// `--listen`
    pub listen: Option<SocketAddr>,
    /// `--data`
    pub data: Option<PathBuf>,
    /// `--memory`
    pub memory: bool,
    /// `--dev-tls`
    pub dev_tls: bool,
    /// `--admin`: an address or `off`.
    pub admin: Option<String>,
    /// `--control`: an address, `on` for the default one, or `off`.
    pub control: Option<String>,
    /// `--dev-public`
    pub dev_public: bool,
}

/// Reads and merges; the result is not checked yet.
pub(super) fn load(vendors: Vendors, sources: &Sources) -> Result<Config, ConfigError> {
    let mut table = match &sources.file {
        Some(path) => read(&vendors, path)?,
        None => Table::new(),
    };
    let named = realms(&table);
    let overrides = env::overrides(&vendors, sources.environment.clone(), &named)?;
    let mut is_dev = false;
    let dev_only = overrides.iter().all(|set| set.path[0] != "realm" || set.path[1] == "dev");
    if named.is_empty() && dev_only {
        is_dev = sources.file.is_none();
        table.extend(if sources.flags.dev_public { dev::random(&vendors)? } else { dev::table(&vendors)? });
    } else if sources.flags.dev_public {
        return Err(ConfigError(
            "--dev-public is for the development realm, which there is only when no realm is configured: leave it out"
                .to_owned(),
        ));
    }
    for set in overrides {
        env::set(&mut table, &set.path, set.value);
        // set one at a time, so that an error names the invalid one; missing keys may still follow
        if let Err(error) = parse(&vendors, &table)
            && !error.message().starts_with("missing field")
        {
            let variable = set.variable;
            return Err(ConfigError(format!("the environment variable {variable} is not accepted: {error}")));
        }
    }
    complete(&vendors, &table)?;
    let (top, realms) =
        parse(&vendors, &table).map_err(|error| ConfigError(format!("the configuration is not complete: {error}")))?;
    assemble(vendors, top, realms, &sources.flags, is_dev)
}

/// Refuses a realm's section without a required key.
fn complete(vendors: &Vendors, table: &Table) -> Result<(), ConfigError> {
    let required: Vec<_> = keys(vendors).into_iter().filter(|key| key.default.is_none()).collect();
    let Some(realms) = table.get("realm").and_then(Value::as_table) else { return Ok(()) };
    for (name, realm) in realms {
        for key in &required {
            let [_, _, below @ .., last] = &key.path[..] else { continue };
            let section = below.iter().try_fold(realm, |table, part| table.get(part));
            if section.and_then(Value::as_table).is_some_and(|section| !section.contains_key(*last)) {
                let path = format!("realm.{name}.{}.{last}", below.join("."));
                let variable = env::variable_of_realm(&key.path, name);
                return Err(ConfigError(format!(
                    "{path} is missing: it must be {}; add it to the file or set {variable}",
                    key.wanted()
                )));
            }
        }
    }
    Ok(())
}

/// The parsed table; the realms with the sections of these vendors.
fn parse(vendors: &Vendors, table: &Table) -> Result<(RootSection, Vec<RealmConfig>), toml::de::Error> {
    let mut top: RootSection = Value::Table(table.clone()).try_into()?;
    known(vendors, &top)?;
    let realms = std::mem::take(&mut top.realm).into_iter().map(|(name, section)| realm(vendors, name, section));
    let realms = realms.collect::<Result<_, _>>()?;
    Ok((top, realms))
}

/// Refuses keys that name no vendor.
fn known(vendors: &Vendors, top: &RootSection) -> Result<(), toml::de::Error> {
    let of_realms = top
        .realm
        .iter()
        .flat_map(|(realm, section)| section.vendors.keys().map(move |key| (format!("realm.{realm}.{key}"), key)));
    let named = top.vendor.keys().map(|key| (format!("vendor.{key}"), key)).chain(of_realms);
    for (path, key) in named {
        if vendors.get(key).is_none() {
            let names = vendors.names().join(", ");
            let error = format!("unknown key {path}: there are limits and the vendors {names}");
            return Err(serde::de::Error::custom(error));
        }
    }
    Ok(())
}

/// The file as a table, with keys and values checked: errors name the line.
fn read(vendors: &Vendors, path: &Path) -> Result<Table, ConfigError> {
    let refuse = |why: &dyn std::fmt::Display| ConfigError(format!("configuration file {}: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| refuse(&error))?;
    shape::check(vendors, &text).map_err(|error| refuse(&error))?;
    let top = toml::from_str::<RootSection>(&text).and_then(|top| known(vendors, &top));
    let sections = vendors.iter().map(|vendor| vendor.check_text(&text));
    // a secret may be set by the environment
    let wrong = |error: &toml::de::Error| !error.message().starts_with("missing field");
    if let Some(error) = std::iter::once(top).chain(sections).filter_map(Result::err).find(wrong) {
        return Err(refuse(&quoted(&text, &error)));
    }
    text.parse().map_err(|error: toml::de::Error| refuse(&quoted(&text, &error)))
}

/// An error with its line number, but without the line: it may contain a secret.
fn quoted(text: &str, error: &toml::de::Error) -> String {
    let line = error.span().map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
    line.map_or_else(|| error.message().to_owned(), |line| format!("line {line}: {}", error.message()))
}

/// The names of the realms in a table.
fn realms(table: &Table) -> Vec<String> {
    let realms = table.get("realm").and_then(Value::as_table);
    realms.map(|realms| realms.keys().cloned().collect()).unwrap_or_default()
}

fn assemble(
    vendors: Vendors,
    top: RootSection,
    realms: Vec<RealmConfig>,
    flags: &Flags,
    is_dev: bool,
) -> Result<Config, ConfigError> {
    let data = if flags.memory || (top.memory && flags.data.is_none()) {
        Data::Memory
    } else {
        Data::Folder(flags.data.clone().unwrap_or(top.data))
    };
    let tls = match (top.tls.cert, top.tls.key) {
        (Some(_), Some(_)) if top.tls.dev || flags.dev_tls => {
            return Err(ConfigError("tls is configured twice: leave out either cert and key, or dev".to_owned()));
        }
        (Some(cert), Some(key)) => Tls::Files { cert, key },
        (None, None) if top.tls.dev || flags.dev_tls => Tls::Development,
        (None, None) => Tls::Off,
        _ => return Err(ConfigError("tls needs both cert and key: give the one that is missing".to_owned())),
    };
    Ok(Config {
        listen: flags.listen.or(top.listen.map(|address| address.0)).unwrap_or(if flags.dev_public {
            LISTEN_PUBLIC
        } else {
            LISTEN
        }),
        data,
        admin: admin(flags.admin.as_ref().or(top.admin.as_ref()))?,
        control: control(flags.control.as_ref().or(top.control.as_ref()), is_dev)?,
        control_token: top.control_token.map(ControlToken),
        control_hosts: top.control_hosts,
        public_url: top.public_url,
        cors_origins: top.cors_origins,
        trusted_proxies: top.trusted_proxies,
        admin_hosts: top.admin_hosts,
        tls,
        log: top.log,
        traces: top.traces,
        limits: top.limits,
        served: vendors,
        vendors: top.vendor,
        realms,
        dev_public: flags.dev_public,
    })
}

fn realm(vendors: &Vendors, name: String, section: RealmSection) -> Result<RealmConfig, toml::de::Error> {
    let RealmSection { limits, vendors: mut given } = section;
    let mut sections = std::collections::BTreeMap::new();
    for vendor in vendors.iter() {
        if let Some(table) = given.remove(vendor.name()) {
            sections.insert(vendor.name(), vendor.parse(table)?);
        }
    }
    Ok(RealmConfig { name, limits, sections })
}

/// The control API is on without being configured only for the development realm: it changes and deletes data.
fn control(text: Option<&String>, is_dev: bool) -> Result<Admin, ConfigError> {
    match text.map(String::as_str) {
        None if is_dev => Ok(Admin::IfFree(CONTROL)),
        None | Some("off") => Ok(Admin::Off),
        Some(CONTROL_ON) => Ok(Admin::At(CONTROL)),
        Some(text) => text
            .parse::<Address>()
            .map(|address| Admin::At(address.0))
            .map_err(|error| ConfigError(format!("control must be an address like {CONTROL}, or off: {error}"))),
    }
}

fn admin(text: Option<&String>) -> Result<Admin, ConfigError> {
    match text.map(String::as_str) {
        None => Ok(Admin::IfFree(ADMIN)),
        Some("off") => Ok(Admin::Off),
        Some(text) => text
            .parse::<Address>()
            .map(|address| Admin::At(address.0))
            .map_err(|error| ConfigError(format!("admin must be an address like {ADMIN}, or off: {error}"))),
    }
}
