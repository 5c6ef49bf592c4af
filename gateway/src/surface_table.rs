//! Selects the surface: by the listener, the host name, or the first part of the path.

use std::collections::HashMap;
use std::sync::Arc;

use conclave_kit::{AnyProtocol, Endpoint, Surface};
use http::Uri;
use http::uri::PathAndQuery;

use crate::cors::Cors;
use crate::metrics::{Metrics, VendorMetrics};

/// A surface, and its data in the process.
pub(crate) struct Mounted {
    /// The vendor's name, which is also its path on the shared address.
    pub(crate) vendor: &'static str,
    pub(crate) surface: Arc<dyn Surface>,
    /// Its endpoints for clients.
    pub(crate) endpoints: Vec<Endpoint>,
    /// The CORS headers for browsers.
    pub(crate) cors: Cors,
    pub(crate) metrics: VendorMetrics,
    /// How clients reach its root, if not directly.
    pub(crate) public_url: Option<Arc<str>>,
}

impl Mounted {
    /// Prepares a surface's data.
    pub(crate) fn new(surface: Arc<dyn Surface>, public_url: Option<String>, metrics: &Metrics) -> Self {
        let vendor = surface.vendor();
        let operations = surface.routes().into_iter().map(|route| route.operation);
        let protocol = surface.client_protocol();
        let calls = protocol.map(AnyProtocol::operations).unwrap_or_default();
        let endpoints = protocol.map(AnyProtocol::endpoints).unwrap_or_default();
        let metrics = metrics.of_vendor(vendor, operations.chain(calls));
        Self { vendor, cors: surface.cors().into(), metrics, public_url: public_url.map(Arc::from), endpoints, surface }
    }
}

/// The surfaces on one listener.
#[derive(Default)]
pub(crate) struct SurfaceTable {
    /// The surface at the root of the listener, whatever the host.
    root: Option<Arc<Mounted>>,
    /// The surfaces at the root of a host name.
    hosts: HashMap<String, Arc<Mounted>>,
    /// The surfaces below a path of their name.
    paths: Vec<Arc<Mounted>>,
}

/// The selected surface, and the position of its root.
pub(crate) struct MountPoint<'a> {
    /// The surface.
    pub(crate) mounted: &'a Arc<Mounted>,
    /// The length of the path to the surface's root.
    pub(crate) prefix: usize,
}

impl SurfaceTable {
    /// A listener with one surface only.
    pub(crate) fn of_one(mounted: Arc<Mounted>) -> Self {
        Self { root: Some(mounted), ..Self::default() }
    }

    /// A listener that all surfaces share, with host names for some.
    pub(crate) fn shared(paths: Vec<Arc<Mounted>>, hosts: HashMap<String, Arc<Mounted>>) -> Self {
        Self { root: None, hosts, paths }
    }

    /// The surface for a host and a path.
    pub(crate) fn find(&self, host: Option<&str>, path: &str) -> Option<MountPoint<'_>> {
        if let Some(mounted) = &self.root {
            return Some(MountPoint { mounted, prefix: 0 });
        }
        if !self.hosts.is_empty()
            && let Some(mounted) = host.and_then(|host| self.hosts.get(&bare(host)))
        {
            return Some(MountPoint { mounted, prefix: 0 });
        }
        let first = path.strip_prefix('/')?.split('/').next()?;
        let mounted = self.paths.iter().find(|mounted| mounted.vendor == first)?;
        Some(MountPoint { mounted, prefix: first.len() + 1 })
    }

    /// The response to requests for any other path.
    pub(crate) fn index(&self) -> String {
        let served: Vec<String> = self.paths.iter().map(|mounted| format!("/{}/", mounted.vendor)).collect();
        serde_json::json!({
            "error": "not_found",
            "message": "nothing is served at this path; each vendor's API is below a path of its own",
            "served": served,
        })
        .to_string()
    }
}

/// A host without its port, in lower case.
fn bare(host: &str) -> String {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    name.trim_end_matches('.').to_ascii_lowercase()
}

/// The URI below a surface's root: only path and query, the path without its first `prefix` bytes.
pub(crate) fn below(uri: &Uri, prefix: usize) -> Uri {
    let whole = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let rest = whole.get(prefix..).unwrap_or("/");
    let parsed = if rest.starts_with('/') { rest.parse() } else { format!("/{rest}").parse::<PathAndQuery>() };
    // a valid path stays valid without its first part
    parsed.map(Uri::from).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_taken_off_and_all_else_is_kept() {
        let at = |uri: &str, prefix| below(&uri.parse().unwrap(), prefix).to_string();
        assert_eq!(at("/agora/org/app?x=%2f&y", 6), "/org/app?x=%2f&y");
        assert_eq!(at("/agora", 6), "/");
        assert_eq!(at("/agora?x", 6), "/?x");
        assert_eq!(at("/agora//x", 6), "//x");
        assert_eq!(at("http://host/agora/x", 6), "/x");
        assert_eq!(at("/v4/x", 0), "/v4/x");
        assert_eq!(at("*", 0), "/*");
    }

    #[test]
    fn hosts_are_compared_bare() {
        assert_eq!(bare("Console.TIM.qq.com:443"), "console.tim.qq.com");
        assert_eq!(bare("console.tim.qq.com."), "console.tim.qq.com");
        assert_eq!(bare("[::1]:80"), "[::1]");
    }
}
