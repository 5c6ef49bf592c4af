//! The settings with which clients connect to this gateway.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use clap::ValueEnum;
use conclave_kit::{Endpoint, Transport};
use serde_json::{Map, Value};

use crate::config::{Config, RealmConfig, Tls};
use crate::serve::Addresses;

/// `http` or `https`.
pub fn scheme(config: &Config) -> &'static str {
    if config.tls == Tls::Off { "http" } else { "https" }
}

/// How clients reach a vendor's surface, if the configuration says that they do not reach it directly.
pub fn public_url(config: &Config, vendor: &str) -> Option<String> {
    config.vendor(vendor).public_url.or_else(|| config.public_url.as_ref().map(|url| format!("{url}/{vendor}")))
}

/// The URL of a vendor's surface, without a trailing slash.
///
/// `addresses` are those of a running gateway; without them, those in the configuration.
pub fn base_url(config: &Config, addresses: Option<&Addresses>, vendor: &str) -> String {
    if let Some(url) = public_url(config, vendor) {
        return url;
    }
    let own = match addresses {
        Some(addresses) => addresses.vendors.get(vendor).copied(),
        None => config.vendor(vendor).listen.map(|address| address.0),
    };
    let shared = addresses.map_or(config.listen, |addresses| addresses.shared);
    match own {
        Some(address) => format!("{}://{}", scheme(config), reachable(address)),
        None => format!("{}://{}/{vendor}", scheme(config), reachable(shared)),
    }
}

/// An address that a client on this machine can connect to.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    address
}

/// `KEY=value` lines for a vendor's clients; `None` when the realm has no app at this vendor.
pub fn settings(config: &Config, addresses: Option<&Addresses>, realm: &RealmConfig, vendor: &str) -> Option<String> {
    let pairs = pairs(config, addresses, realm, vendor)?;
    let lines: Vec<String> = pairs.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
    Some(lines.join("\n") + "\n")
}

/// The settings of a vendor's clients.
pub(crate) type Pairs = Vec<(&'static str, String)>;

/// The settings of a vendor's clients in one realm; `None` if the realm is not served by the vendor.
pub(crate) fn pairs(
    config: &Config,
    addresses: Option<&Addresses>,
    realm: &RealmConfig,
    vendor: &str,
) -> Option<Pairs> {
    let (of, section) = config.at(realm).find(|(of, _)| of.name() == vendor)?;
    Some(of.client_settings(section, &base_url(config, addresses, vendor)))
}

/// The pairs without the URLs below `base` that are not an endpoint of the vendor's client protocol.
pub(crate) fn answered(pairs: Pairs, base: &str, endpoints: &[Endpoint]) -> Pairs {
    let root = base.split_once("://").map_or(base, |(_, root)| root);
    let is_answered = |value: &str| {
        let Some((scheme, rest)) = value.split_once("://") else { return true };
        let Some(path) = rest.strip_prefix(root) else { return true };
        let is_socket = matches!(scheme, "ws" | "wss");
        if path.is_empty() {
            return !is_socket
                || endpoints.iter().any(|endpoint| matches!(endpoint.transport, Transport::WebSocket(_)));
        }
        endpoints.iter().any(|endpoint| endpoint.path.matches(path))
    };
    pairs.into_iter().filter(|(_, value)| is_answered(value)).collect()
}

/// The output formats of settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// `KEY=value` lines for files named `.env`, which a POSIX shell can read too; values with special characters are
    /// quoted.
    #[default]
    Dotenv,
    /// `export KEY='value'` lines for any POSIX shell.
    Shell,
    /// One JSON object.
    Json,
}

impl Format {
    /// The settings in this format.
    pub(crate) fn write(self, pairs: &[(&'static str, String)]) -> String {
        let lines = |line: &dyn Fn(&str, &str) -> String| {
            pairs.iter().fold(String::new(), |mut text, (key, value)| {
                let _infallible = writeln!(text, "{}", line(key, value));
                text
            })
        };
        match self {
            Self::Dotenv => lines(&|key, value| format!("{key}={}", dotenv_value(value))),
            Self::Shell => lines(&|key, value| format!("export {key}='{}'", value.replace('\'', r"'\''"))),
            Self::Json => {
                let object = pairs.iter().map(|(key, value)| ((*key).to_owned(), Value::from(value.as_str())));
                format!("{:#}\n", Value::Object(object.collect::<Map<_, _>>()))
            }
        }
    }
}

/// A value in the format of `.env` files. Quotes are used only if necessary, as `docker run --env-file` keeps them.
fn dotenv_value(value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.,:/@+=%?".contains(&byte);
    if value.bytes().all(plain) {
        value.to_owned()
    } else if !value.contains(['\'', '\n', '\r']) {
        // single quotes are literal for every tool
        format!("'{value}'")
    } else {
        let escaped = value.replace('\\', r"\\").replace('"', "\\\"").replace('$', r"\$");
        format!("\"{}\"", escaped.replace('\n', r"\n").replace('\r', r"\r"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::config::{Flags, Sources};

    fn keys(vendor: &str) -> Vec<String> {
        let config = Config::development().unwrap();
        let text = settings(&config, None, &config.realms[0], vendor).unwrap();
        text.lines().map(|line| line.split_once('=').unwrap().0.to_owned()).collect()
    }

    #[test]
    fn clients_settings_have_the_documented_keys() {
        let agora = "AGORA_API_URL AGORA_WS_URL AGORA_SOCKJS_URL AGORA_APPKEY AGORA_CLIENT_ID AGORA_CLIENT_SECRET";
        let tencent = "TENCENT_API_URL TENCENT_WS_URL TENCENT_SDKAPPID TENCENT_SECRET_KEY TENCENT_ADMIN";
        assert_eq!(keys("agora").join(" "), agora);
        assert_eq!(keys("tencent").join(" "), tencent);
        assert_eq!(keys("rong").join(" "), "RONG_API RONG_NAVI RONG_APPKEY RONG_APPSECRET");
    }

    #[test]
    fn urls_follow_the_listeners_and_the_proxies_before_them() {
        let mut config = Config::load(&Sources { flags: Flags::default(), ..Sources::default() }).unwrap();
        assert_eq!(base_url(&config, None, "agora"), "http://127.0.0.1:8080/agora");
        let mut tencent = config.vendor("tencent");
        tencent.listen = Some("0.0.0.0:81".parse().unwrap());
        config.vendors.insert("tencent".to_owned(), tencent.clone());
        assert_eq!(base_url(&config, None, "tencent"), "http://127.0.0.1:81");
        config.public_url = Some("https://chat.example.com".to_owned());
        assert_eq!(base_url(&config, None, "rong"), "https://chat.example.com/rong");
        tencent.public_url = Some("https://im.example.com".to_owned());
        config.vendors.insert("tencent".to_owned(), tencent);
        assert_eq!(base_url(&config, None, "tencent"), "https://im.example.com");
    }
}
