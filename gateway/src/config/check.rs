//! What is refused before anything starts.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use conclave_kit::Destination;
use http::Uri;

use crate::vendors::{Vendor, asked, destinations};
use crate::webhooks::is_public;

use super::{Admin, Config, ConfigError, Tls, is_development};

/// Refuses what cannot work or would not be safe, and says what to do.
pub fn check(config: &Config) -> Result<(), ConfigError> {
    realms(config)?;
    credentials(config)?;
    addresses(config)?;
    hosts(config)?;
    limits(config)?;
    urls(config)?;
    webhooks(config)?;
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
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        if name.is_empty() || name.len() > 40 || !name.chars().all(plain) {
            return refuse(format!("realm {name:?}: a realm's name is 1 to 40 of a-z, 0-9, - and _: rename it"));
        }
        if !Vendor::ALL.into_iter().any(|vendor| realm.is_at(vendor)) {
            return refuse(format!("realm {name} is at no vendor: add [realm.{name}.agora], .tencent or .rong"));
        }
    }
    Ok(())
}

/// Every realm's credentials can be served, and its secrets protect something, wherever they come from.
fn credentials(config: &Config) -> Result<(), ConfigError> {
    for realm in &config.realms {
        let agora = realm.agora.as_ref().map(|(credentials, _)| credentials.check());
        let tencent = realm.tencent.as_ref().map(|(credentials, _)| credentials.check());
        let rong = realm.rong.as_ref().map(|(credentials, _)| credentials.check());
        if let Some(problem) = [agora, tencent, rong].into_iter().flatten().find_map(Result::err) {
            return refuse(format!("realm {}: {problem}", realm.name));
        }
    }
    Ok(())
}

/// Every address has one owner. Port 0 is a free one each time.
fn addresses(config: &Config) -> Result<(), ConfigError> {
    let mut owners: BTreeMap<SocketAddr, String> = BTreeMap::from([(config.listen, "listen".to_owned())]);
    let own = config
        .vendors
        .iter()
        .filter_map(|(vendor, section)| Some((section.listen?, format!("vendor.{vendor}.listen"))));
    let admin = match config.admin {
        Admin::Off | Admin::IfFree(_) => None,
        Admin::At(address) => Some((address, "admin".to_owned())),
    };
    for (address, key) in own.chain(admin) {
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
    let mut owners: BTreeMap<String, Vendor> = BTreeMap::new();
    for (vendor, section) in &config.vendors {
        for host in &section.hosts {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
            if host.is_empty() || !host.chars().all(plain) {
                return refuse(format!(
                    "vendor.{vendor}.hosts: {host:?} is not a host name; give a bare name without scheme, port or path"
                ));
            }
            match owners.insert(host.to_ascii_lowercase(), *vendor) {
                Some(other) if other != *vendor => {
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
        ("connections", limits.connections as u64),
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

/// Webhooks lead somewhere, and not into the network around us unless that is meant.
fn webhooks(config: &Config) -> Result<(), ConfigError> {
    for realm in &config.realms {
        let tencent = &realm.webhooks.tencent;
        if let Err(error) = tencent.check() {
            return refuse(format!("realm.{}.tencent.webhooks.{error}", realm.name));
        }
        if let Err(error) = realm.webhooks.agora.check() {
            return refuse(format!("realm.{}.agora.webhooks.{error}", realm.name));
        }
        if tencent.before_timeout_ms == 0 {
            return refuse(format!("realm.{}.tencent.webhooks.before_timeout_ms must not be 0", realm.name));
        }
        if realm.webhooks.agora.pre_timeout_ms == 0 {
            return refuse(format!("realm.{}.agora.webhooks.pre_timeout_ms must not be 0", realm.name));
        }
        for (vendor, url, allow_private) in asked(realm) {
            url_of_app(&format!("realm.{}.{vendor}.webhooks", realm.name), url, allow_private)?;
        }
        for vendor in Vendor::ALL {
            for Destination { url, allow_private, patience, .. } in destinations(vendor, realm) {
                let key = format!("realm.{}.{vendor}.webhooks", realm.name);
                url_of_app(&key, &url, allow_private)?;
                if patience.timeout.is_zero() || patience.longest_backoff.is_zero() {
                    return refuse(format!("{key}: timeout_ms and longest_backoff_ms must not be 0"));
                }
            }
        }
    }
    Ok(())
}

/// An app's server is at a plain URL, not at an address around us unless that is meant.
fn url_of_app(key: &str, url: &str, allow_private: bool) -> Result<(), ConfigError> {
    let uri: Option<Uri> = url.parse().ok();
    let plain = |uri: &&Uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
    };
    let Some(host) = uri.as_ref().filter(plain).and_then(Uri::host) else {
        // one that cannot be used may hold a password
        let shown = if url.contains('@') { "one with a user or a password".to_owned() } else { format!("{url:?}") };
        return refuse(format!("{key}: a url must be like https://app.example.com/hooks, not {shown}"));
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if !allow_private && bare.parse().is_ok_and(|address| !is_public(address)) {
        return refuse(format!("{key}: {host} is not a public address; set allow_private to allow it"));
    }
    Ok(())
}

/// Secrets that everybody knows stay on this machine.
fn development(config: &Config) -> Result<(), ConfigError> {
    let own = config.vendors.values().filter_map(|section| section.listen);
    let Some(open) = own.chain([config.listen]).find(|address| !address.ip().is_loopback()) else { return Ok(()) };
    if config.tls == Tls::Development {
        return refuse(format!(
            "the development certificate is for this machine only, not for {open}: give tls.cert and tls.key"
        ));
    }
    for realm in &config.realms {
        if let Some(vendor) = Vendor::ALL.into_iter().find(|vendor| is_development(realm, *vendor)) {
            let name = &realm.name;
            return refuse(format!(
                "realm {name} has development credentials at {vendor}, which everybody knows, so it cannot be served on {open}: \
                 give it its own in [realm.{name}.{vendor}], or listen on 127.0.0.1"
            ));
        }
    }
    Ok(())
}
