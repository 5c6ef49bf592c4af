//! Binding the addresses of a start, or taking the sockets that a service manager passes.

use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;

use tokio::net::TcpListener;

use super::{Addresses, StartError};
use crate::config::{Address, Admin, Config};
use crate::descriptors::Budget;
use crate::surface_table::{Mounted, SurfaceTable};

/// Listens on an address, with the service manager's socket if it has passed one for it.
pub(super) async fn bind(
    key: &str,
    address: SocketAddr,
    inherited: &mut Vec<StdListener>,
) -> Result<TcpListener, StartError> {
    let refused = |error| StartError::Bind { key: key.to_owned(), address, error };
    let passed = inherited.iter().position(|listener| listener.local_addr().is_ok_and(|own| own == address));
    match passed {
        Some(at) => {
            let listener = inherited.swap_remove(at);
            listener.set_nonblocking(true).map_err(refused)?;
            TcpListener::from_std(listener).map_err(refused)
        }
        None => TcpListener::bind(address).await.map_err(refused),
    }
}

/// The actual address of a listener, which differs from the configured one for port 0.
pub(super) fn address_of(listener: &TcpListener, asked: SocketAddr) -> SocketAddr {
    listener.local_addr().unwrap_or(asked)
}

/// A listener for operators.
pub(super) struct OperatorsListener {
    /// Its key in the configuration.
    key: &'static str,
    /// What it serves.
    serves: &'static str,
}

/// Metrics and health.
pub(super) const ADMIN: OperatorsListener = OperatorsListener { key: "admin", serves: "metrics and health are" };
/// The control API.
pub(super) const CONTROL: OperatorsListener = OperatorsListener { key: "control", serves: "the control API is" };

pub(super) async fn operators_listener(
    OperatorsListener { key, serves }: &OperatorsListener,
    configured: Admin,
    inherited: &mut Vec<StdListener>,
    remarks: &mut Vec<String>,
) -> Result<Option<TcpListener>, StartError> {
    match configured {
        Admin::Off => Ok(None),
        Admin::At(address) => bind(key, address, inherited).await.map(Some),
        Admin::IfFree(address) => match bind(key, address, inherited).await {
            Ok(listener) => Ok(Some(listener)),
            Err(error) => {
                remarks.push(format!("{serves} not served: {error}; give --{key} ADDRESS"));
                Ok(None)
            }
        },
    }
}

/// Listens on the vendors' own addresses.
pub(super) async fn bind_vendors(
    config: &Config,
    mounted: &[Arc<Mounted>],
    inherited: &mut Vec<StdListener>,
    addresses: &mut Addresses,
    bound: &mut Vec<(String, TcpListener, SurfaceTable)>,
) -> Result<(), StartError> {
    for (vendor, section) in &config.vendors {
        let Some(Address(address)) = section.listen else { continue };
        let key = format!("vendor.{vendor}.listen");
        let Some(mounted) = mounted.iter().find(|mounted| mounted.vendor == vendor) else {
            return Err(StartError::Surface(format!("{key}: no realm is at {vendor}: give one its credentials")));
        };
        let listener = bind(&key, address, inherited).await?;
        addresses.vendors.insert(vendor.clone(), address_of(&listener, address));
        bound.push((key, listener, SurfaceTable::of_one(Arc::clone(mounted))));
    }
    Ok(())
}

/// The configured number of connections, or as many as there are descriptors for.
pub(super) fn most_connections(wanted: usize, budget: Option<Budget>, remarks: &mut Vec<String>) -> usize {
    match budget {
        Some(Budget { limit, connections, .. }) if connections < wanted => {
            remarks.push(format!(
                "at most {connections} connections are accepted, not {wanted}, as the process may open {limit} files: raise that limit (ulimit -n, LimitNOFILE=)"
            ));
            connections
        }
        _ => wanted,
    }
}
