//! Addresses as users write them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs as _};
use std::str::FromStr;

use serde::{Deserialize, Deserializer};

/// An address to listen on: `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`, a host name with a port, `:8080` or
/// `*:8080` for every IPv4 address of the machine, or only a port, which means loopback.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Address(pub SocketAddr);

/// Why a text is not an [`Address`], with an example of one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct AddressError(String);

/// Examples of addresses, for error messages.
pub(super) const EXAMPLES: &str = "127.0.0.1:8080, localhost:8080 or [::1]:8080";

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if let Ok(address) = text.parse() {
            return Ok(Self(address));
        }
        if let Ok(port) = text.parse() {
            return Ok(Self(SocketAddr::from((Ipv4Addr::LOCALHOST, port))));
        }
        let malformed = || AddressError(format!("{text:?} is not an address; write it like {EXAMPLES}"));
        let (host, port) = text.rsplit_once(':').ok_or_else(malformed)?;
        let port: u16 = port.parse().map_err(|_| malformed())?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        match host {
            "" | "*" => Ok(Self(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)))),
            host if host.bytes().all(plain) => {
                let unknown =
                    |why: &dyn fmt::Display| AddressError(format!("the host of {text:?} is not known: {why}"));
                let found: Vec<SocketAddr> = (host, port).to_socket_addrs().map_err(|error| unknown(&error))?.collect();
                // most clients try IPv4 first where a name has both, as `localhost` does
                let address = found.iter().find(|address| address.is_ipv4()).or_else(|| found.first());
                address.copied().map(Self).ok_or_else(|| unknown(&"it has no address"))
            }
            _ => Err(malformed()),
        }
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self(address)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Whether other machines can reach this address.
pub(crate) fn is_public(address: SocketAddr) -> bool {
    match address.ip() {
        IpAddr::V4(ip) => !ip.is_loopback(),
        IpAddr::V6(ip) => !ip.is_loopback() && !ip.to_ipv4_mapped().is_some_and(|ip| ip.is_loopback()),
    }
}
