//! The client's address for limits: behind a trusted proxy it is the one that the proxy names.

use std::net::IpAddr;

use http::HeaderMap;
use http::header::HeaderName;
use ipnet::IpNet;

static FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The trusted proxies.
#[derive(Debug, Clone, Default)]
pub(crate) struct Proxies(Vec<IpNet>);

impl Proxies {
    /// From the configuration, which was checked before.
    pub(crate) fn of(configured: &[String]) -> Self {
        Self(configured.iter().filter_map(|text| network(text)).collect())
    }

    /// Whether this address is a trusted proxy.
    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The client's address: if a trusted proxy sends the request, the last one in `X-Forwarded-For` that is not a
    /// trusted proxy itself.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.trusts(peer) {
            return peer;
        }
        let lines = headers.get_all(&FORWARDED_FOR).into_iter().filter_map(|line| line.to_str().ok());
        let hops: Vec<&str> = lines.flat_map(|line| line.split(',')).map(str::trim).collect();
        let addresses = hops.into_iter().rev().map_while(|hop| hop.parse::<IpAddr>().ok());
        addresses.into_iter().find(|address| !self.trusts(*address)).unwrap_or(peer)
    }
}

/// An address or a network.
pub(crate) fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse().ok().map(|address: IpAddr| IpNet::from(address)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn only_trusted_proxies_say_who_is_behind_them() {
        let proxies = Proxies::of(&["10.0.0.0/8".to_owned(), "::1".to_owned()]);
        let of = |peer: &str, forwarded: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(&FORWARDED_FOR, HeaderValue::try_from(forwarded).unwrap());
            proxies.client(peer.parse().unwrap(), &headers).to_string()
        };
        assert_eq!(of("10.1.2.3", "6.6.6.6, 1.2.3.4"), "1.2.3.4");
        assert_eq!(of("10.1.2.3", "1.2.3.4, 10.9.9.9"), "1.2.3.4");
        assert_eq!(of("::1", "1.2.3.4"), "1.2.3.4");
        assert_eq!(of("9.9.9.9", "1.2.3.4"), "9.9.9.9");
        assert_eq!(of("10.1.2.3", "1.2.3.4, unknown"), "10.1.2.3");
        assert_eq!(of("10.1.2.3", ""), "10.1.2.3");
    }
}
