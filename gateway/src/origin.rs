//! Which web pages may call: checked by the `Origin` that their browser sends, and by the `Host` they were loaded from.

use std::net::IpAddr;

use http::HeaderMap;
use http::header::{HeaderValue, ORIGIN};

use crate::config::{Config, has_development_credentials};

/// Who may call from a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pages {
    origins: Origins,
    /// Hosts that requests may name, unless any: with public credentials, a page of any site could reach this machine
    /// under a name of its own.
    hosts: Option<Vec<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Origins {
    /// Any page: credentials are in headers and queries, never in cookies.
    Any,
    /// Pages of these origins.
    These(Vec<String>),
    /// Pages of this machine.
    Local,
}

/// The result for a request's `Origin`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Page {
    /// It may call, and read the response under this origin.
    Allowed(HeaderValue),
    /// It may not.
    Refused,
}

impl Pages {
    /// From the configuration.
    pub(crate) fn of(config: &Config) -> Self {
        let development = has_development_credentials(config);
        let origins = match &config.cors_origins {
            none if none.is_empty() && development => Origins::Local,
            none if none.is_empty() => Origins::Any,
            some if some.iter().any(|origin| origin == "*") => Origins::Any,
            some => Origins::These(some.iter().map(|origin| origin.to_ascii_lowercase()).collect()),
        };
        let hosts = development.then(|| {
            let of_vendors = config.vendors.values().flat_map(|section| section.hosts.clone());
            of_vendors.map(|host| host.to_ascii_lowercase()).collect()
        });
        Self { origins, hosts }
    }

    /// Checks a request by its `Origin`; one without is not from a page, or from the page's own host.
    pub(crate) fn page(&self, headers: &HeaderMap) -> Page {
        const ANYBODY: HeaderValue = HeaderValue::from_static("*");
        let Some(origin) = headers.get(ORIGIN) else { return Page::Allowed(ANYBODY) };
        let text = origin.to_str().unwrap_or_default().to_ascii_lowercase();
        let allowed = match &self.origins {
            Origins::Any => return Page::Allowed(ANYBODY),
            Origins::These(origins) => origins.contains(&text),
            Origins::Local => is_local_origin(&text),
        };
        if allowed { Page::Allowed(origin.clone()) } else { Page::Refused }
    }

    /// Whether a request may name this host.
    pub(crate) fn knows_host(&self, host: Option<&str>) -> bool {
        let (Some(known), Some(host)) = (&self.hosts, host) else { return true };
        let bare = bare_host(host);
        is_local_name(&bare) || bare.parse::<IpAddr>().is_ok() || known.contains(&bare)
    }
}

/// A host without its port and brackets, in lower case.
pub(crate) fn bare_host(host: &str) -> String {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    };
    name.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_ascii_lowercase()
}

/// Whether a page of this origin was loaded from this machine.
fn is_local_origin(origin: &str) -> bool {
    let host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    host.is_some_and(|host| {
        let bare = bare_host(host);
        is_local_name(&bare) || bare.parse().is_ok_and(|address: IpAddr| address.is_loopback())
    })
}

/// Whether a name always means this machine: `localhost`, and names that cannot be registered (RFC 6761).
pub(crate) fn is_local_name(name: &str) -> bool {
    let is_under = |domain: &str| name == domain || name.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
    is_under("localhost") || is_under("test")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn from(pages: &Pages, origin: &str) -> Page {
        let mut headers = HeaderMap::new();
        headers.insert(ORIGIN, HeaderValue::try_from(origin).unwrap());
        pages.page(&headers)
    }

    #[test]
    fn with_known_credentials_only_pages_of_this_machine_may_call() {
        let pages = Pages::of(&Config::development().unwrap());
        for local in
            ["http://localhost", "http://localhost:3000", "https://127.0.0.1:1", "http://[::1]:8", "http://app.test"]
        {
            assert_eq!(from(&pages, local), Page::Allowed(HeaderValue::try_from(local).unwrap()));
        }
        for other in ["https://evil.example", "null", "http://localhost.evil.example", "http://10.0.0.1", "file://", ""]
        {
            assert_eq!(from(&pages, other), Page::Refused, "{other}");
        }
        assert_eq!(pages.page(&HeaderMap::new()), Page::Allowed(HeaderValue::from_static("*")));
        for host in ["localhost:80", "127.0.0.1", "[::1]:9", "192.168.0.7:8080", "gateway.test"] {
            assert!(pages.knows_host(Some(host)), "{host}");
        }
        for host in ["evil.example:8080", "localhost.evil.example"] {
            assert!(!pages.knows_host(Some(host)), "{host}");
        }
    }

    #[test]
    fn origins_can_be_configured() {
        let mut config = Config::development().unwrap();
        config.cors_origins = vec!["https://App.example".to_owned()];
        let pages = Pages::of(&config);
        assert_ne!(from(&pages, "https://app.example"), Page::Refused);
        assert_eq!(from(&pages, "http://localhost"), Page::Refused);
        config.cors_origins = vec!["*".to_owned()];
        assert_eq!(from(&Pages::of(&config), "https://any.example"), Page::Allowed(HeaderValue::from_static("*")));
    }
}
