//! Configurations that are refused before anything starts.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use conclave_kit::{AppUrl, Destination, check_secret};
use http::Uri;

use crate::webhooks::is_public;

use super::address::is_public as is_open;
use super::file::RealmLimits;
use super::{Admin, Config, ConfigError, ControlToken, RealmConfig, Tls, has_development_credentials, is_development};

/// Refuses what cannot work or would not be safe; the error says what to do.
pub fn check(config: &Config) -> Result<(), ConfigError> {
    realms(config)?;
    addresses(config)?;
    hosts(config)?;
    limits(config)?;
    urls(config)?;
    traces(config)?;
    pages(config)?;
    sections(config)?;
    control(config)?;
    development(config)
}

fn refuse<T>(text: String) -> Result<T, ConfigError> {
    Err(ConfigError(text))
}

fn realms(config: &Config) -> Result<(), ConfigError> {
    if config.realms.is_empty() {
        return refuse("there is no realm: add a [realm.<name>] with a vendor's credentials".to_owned());
    }
    for realm in &config.realms {
        let name = &realm.name;
        name_of(realm)?;
        if realm.sections.is_empty() {
            let names = config.served.names().join("], .");
            return refuse(format!("realm {name} has no section of a vendor: add one of [realm.{name}.{names}]"));
        }
    }
    Ok(())
}

fn name_of(realm: &RealmConfig) -> Result<(), ConfigError> {
    let name = &realm.name;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if name.is_empty() || name.len() > 40 || !name.chars().all(plain) {
        return refuse(format!("realm {name:?}: a realm's name is 1 to 40 of a-z, 0-9, - and _: rename it"));
    }
    Ok(())
}

/// Refuses addresses that are used twice. Port 0 is a free one each time.
fn addresses(config: &Config) -> Result<(), ConfigError> {
    let mut owners: BTreeMap<SocketAddr, String> = BTreeMap::from([(config.listen, "listen".to_owned())]);
    let own = config
        .vendors
        .iter()
        .filter_map(|(vendor, section)| Some((section.listen?.0, format!("vendor.{vendor}.listen"))));
    let operators = [(config.admin, "admin"), (config.control, "control")];
    let operators = operators.into_iter().filter_map(|(listener, key)| match listener {
        Admin::Off | Admin::IfFree(_) => None,
        Admin::At(address) => Some((address, key.to_owned())),
    });
    for (address, key) in own.chain(operators) {
        if address.port() == 0 {
            continue;
        }
        if let Some(other) = owners.insert(address, key.clone()) {
            return refuse(format!("{other} and {key} both claim {address}: give one of them another address"));
        }
    }
    Ok(())
}

fn hosts(config: &Config) -> Result<(), ConfigError> {
    let mut owners: BTreeMap<String, &str> = BTreeMap::new();
    for (vendor, section) in &config.vendors {
        for host in &section.hosts {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
            if host.is_empty() || !host.chars().all(plain) {
                return refuse(format!(
                    "vendor.{vendor}.hosts: {host:?} is not a host name; give a bare name without scheme, port or path"
                ));
            }
            match owners.insert(host.to_ascii_lowercase(), vendor) {
                Some(other) if other != vendor => {
                    return refuse(format!("the host {host} is claimed by {other} and by {vendor}: leave it to one"));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

fn limits(config: &Config) -> Result<(), ConfigError> {
    let limits = &config.limits;
    if limits.header_bytes < 8192 {
        return refuse(format!("limits.header_bytes must be at least 8192, not {}", limits.header_bytes));
    }
    let positive = [
        ("body_bytes", limits.body_bytes as u64),
        ("upload_bytes", limits.upload_bytes),
        ("headers", limits.headers as u64),
        ("header_ms", limits.header_ms),
        ("body_ms", limits.body_ms),
        ("request_ms", limits.request_ms),
        ("body_total_ms", limits.body_total_ms),
        ("upload_ms", limits.upload_ms),
        ("connections", limits.connections as u64),
        ("connections_per_address", limits.connections_per_address as u64),
        ("requests", limits.requests as u64),
        ("requests_per_address", limits.requests_per_address as u64),
        ("requests_per_realm", limits.requests_per_realm as u64),
        ("requests_per_user", limits.requests_per_user as u64),
        ("buffered_bytes", limits.buffered_bytes as u64),
        ("buffered_bytes_per_address", limits.buffered_bytes_per_address as u64),
        ("sessions_per_user", limits.sessions_per_user as u64),
        ("sessions_per_realm", limits.sessions_per_realm.unwrap_or(1) as u64),
        ("write_ms", limits.write_ms),
        ("streams", u64::from(limits.streams)),
    ];
    match positive.into_iter().find(|(_, value)| *value == 0) {
        Some((key, _)) => refuse(format!("limits.{key} must not be 0: nothing could be served")),
        None => Ok(()),
    }
}

fn urls(config: &Config) -> Result<(), ConfigError> {
    let own =
        config.vendors.iter().map(|(vendor, section)| (format!("vendor.{vendor}.public_url"), &section.public_url));
    for (key, url) in own.chain([("public_url".to_owned(), &config.public_url)]) {
        let Some(url) = url else { continue };
        let good = (url.starts_with("http://") || url.starts_with("https://"))
            && url.parse::<http::Uri>().is_ok_and(|uri| uri.host().is_some() && uri.query().is_none());
        if !good || url.ends_with('/') {
            return refuse(format!(
                "{key} must be like https://chat.example.com, without a slash at the end, not {url:?}"
            ));
        }
    }
    Ok(())
}

fn traces(config: &Config) -> Result<(), ConfigError> {
    let Some(endpoint) = &config.traces.endpoint else { return Ok(()) };
    if crate::traces::endpoint(endpoint).is_none() {
        // one with a password is not shown
        let shown =
            if endpoint.contains('@') { "one with a user or a password".to_owned() } else { format!("{endpoint:?}") };
        return refuse(format!("traces.endpoint must be like http://127.0.0.1:4318, not {shown}"));
    }
    if config.traces.one_in == 0 {
        return refuse("traces.one_in must not be 0: remove traces.endpoint to trace nothing".to_owned());
    }
    if !cfg!(feature = "traces") {
        return refuse(
            "traces.endpoint is set, but this binary was built without traces: build it with --features traces, or remove \
             the setting"
                .to_owned(),
        );
    }
    Ok(())
}

/// Checks origins and proxies.
fn pages(config: &Config) -> Result<(), ConfigError> {
    for origin in config.cors_origins.iter().filter(|origin| *origin != "*") {
        let uri: Option<Uri> = origin.parse().ok();
        let good = uri.is_some_and(|uri| uri.scheme().is_some() && uri.host().is_some() && uri.path() == "/");
        if !good || origin.ends_with('/') {
            return refuse(format!(
                "cors_origins: an origin is like https://app.example.com, without a path or a slash at the end, not {origin:?}"
            ));
        }
    }
    for proxy in &config.trusted_proxies {
        if crate::client_address::network(proxy).is_none() {
            return refuse(format!("trusted_proxies: {proxy:?} is no address or network; give one like 10.0.0.0/8"));
        }
    }
    Ok(())
}

/// Runs the vendors' checks of their sections, and checks webhook URLs, including for private addresses unless these
/// are permitted.
fn sections(config: &Config) -> Result<(), ConfigError> {
    config.realms.iter().try_for_each(|realm| sections_of(config, realm))
}

fn sections_of(config: &Config, realm: &RealmConfig) -> Result<(), ConfigError> {
    let RealmLimits { event_lifetime_ms, device_lifetime_ms, .. } = realm.limits;
    if event_lifetime_ms > 0 && event_lifetime_ms < device_lifetime_ms {
        return refuse(format!(
            "realm.{}.limits.event_lifetime_ms must be 0 or at least device_lifetime_ms, which is {device_lifetime_ms}, \
             not {event_lifetime_ms}: devices would miss events",
            realm.name
        ));
    }
    for (vendor, section) in config.at(realm) {
        vendor.check(&realm.name, section).map_err(ConfigError)?;
        let key = format!("realm.{}.{}.webhooks", realm.name, vendor.name());
        for AppUrl { url, allow_private } in vendor.questions(section) {
            url_of_app(&key, &url, allow_private)?;
        }
        for Destination { url, allow_private, retry_policy, .. } in vendor.destinations(section) {
            url_of_app(&key, &url, allow_private)?;
            if retry_policy.timeout.is_zero() || retry_policy.longest_backoff.is_zero() {
                return refuse(format!("{key}: timeout_ms and longest_backoff_ms must not be 0"));
            }
        }
    }
    Ok(())
}

/// Fewest characters of the control API's token.
const CONTROL_TOKEN: usize = 16;

/// Refuses a control API that anyone could call who reaches it.
fn control(config: &Config) -> Result<(), ConfigError> {
    match (&config.control_token, config.control) {
        (Some(ControlToken(token)), _) => check_secret("control_token", token, CONTROL_TOKEN).map_err(ConfigError),
        (None, Admin::At(address)) if is_open(address) => refuse(format!(
            "control is {address}, which other machines reach, and changes and deletes data: set control_token to a random \
             text, or bind control to 127.0.0.1"
        )),
        _ => Ok(()),
    }
}

/// Checks a realm that is created while the gateway runs.
pub(crate) fn check_realm(config: &Config, realm: &RealmConfig) -> Result<(), ConfigError> {
    name_of(realm)?;
    sections_of(config, realm)
}

/// Checks an app server's URL, including for private addresses unless these are permitted.
fn url_of_app(key: &str, url: &str, allow_private: bool) -> Result<(), ConfigError> {
    let uri: Option<Uri> = url.parse().ok();
    let plain = |uri: &&Uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
    };
    let Some(host) = uri.as_ref().filter(plain).and_then(Uri::host) else {
        // an invalid one may contain a password
        let shown = if url.contains('@') { "one with a user or a password".to_owned() } else { format!("{url:?}") };
        return refuse(format!("{key}: a url must be like https://app.example.com/hooks, not {shown}"));
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if !allow_private && bare.parse().is_ok_and(|address| !is_public(address)) {
        return refuse(format!("{key}: {host} is not a public address; set allow_private to allow it"));
    }
    Ok(())
}

/// Every address that clients of vendors connect to.
fn listeners(config: &Config) -> impl Iterator<Item = SocketAddr> {
    config.vendors.values().filter_map(|section| section.listen).map(|address| address.0).chain([config.listen])
}

/// Warnings about what is allowed but may not be intended.
pub fn warnings(config: &Config) -> Vec<String> {
    let mut warnings = Vec::new();
    let behind_proxy = config.public_url.as_ref().is_some_and(|url| url.starts_with("https://"));
    if let Some(open) = listeners(config).find(|address| is_open(*address))
        && config.tls == Tls::Off
        && !behind_proxy
    {
        warnings.push(format!(
            "{open} is served without encryption: tokens and secrets can be read on the way; set tls.cert and tls.key, or let a \
             proxy encrypt and set public_url to its https URL"
        ));
    }
    if let Admin::At(address) = config.admin
        && is_open(address)
    {
        warnings.push(format!(
            "metrics and health on {address} are readable by every machine that reaches it, without a password: bind admin to \
             127.0.0.1 or let a firewall restrict it"
        ));
    }
    if config.dev_public {
        warnings.push(
            "the development realm is reachable from other machines: its credentials are random, printed at the start and new \
             after each; for production configure a realm"
                .to_owned(),
        );
    }
    warnings
}

/// Refuses development secrets, which are public, on addresses that other machines reach.
fn development(config: &Config) -> Result<(), ConfigError> {
    let of_vendors = config
        .vendors
        .iter()
        .map(|(vendor, section)| (format!("vendor.{vendor}.public_url"), section.public_url.as_deref()));
    for (key, url) in of_vendors.chain([("public_url".to_owned(), config.public_url.as_deref())]) {
        if let Some(url) = url
            && !is_local_url(url)
            && has_development_credentials(config)
        {
            return refuse(format!(
                "{key} is {url}, but a realm has development credentials, which everybody knows: \
                 give every realm its own credentials, or a {key} on this machine such as http://localhost:8080"
            ));
        }
    }
    let Some(open) = listeners(config).find(|address| is_open(*address)) else { return Ok(()) };
    if config.tls == Tls::Development {
        return refuse(format!(
            "the development certificate is for this machine only, not for {open}: give tls.cert and tls.key"
        ));
    }
    for realm in &config.realms {
        let known = config.served.names().into_iter().find(|vendor| is_development(&config.served, realm, vendor));
        if let Some(vendor) = known {
            let name = &realm.name;
            return refuse(format!(
                "realm {name} has development credentials at {vendor}, which everybody knows, so it cannot be served on {open}: \
                 give it its own in [realm.{name}.{vendor}], listen on 127.0.0.1, or use --dev-public for random ones"
            ));
        }
    }
    Ok(())
}

/// Whether a URL is on this machine.
fn is_local_url(url: &str) -> bool {
    let uri: Option<Uri> = url.parse().ok();
    uri.as_ref().and_then(Uri::host).is_some_and(|host| {
        let bare = crate::origin::bare_host(host);
        crate::origin::is_local_name(&bare) || bare.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
    })
}
