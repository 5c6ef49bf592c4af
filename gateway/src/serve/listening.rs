//! Binding the addresses of a start, or taking the sockets that a service manager passes.

use std::net::{SocketAddr, TcpListener as StdListener};

use tokio::net::TcpListener;

use super::StartError;
use crate::config::Admin;
use crate::descriptors::Budget;

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

pub(super) async fn admin_listener(
    admin: Admin,
    inherited: &mut Vec<StdListener>,
    remarks: &mut Vec<String>,
) -> Result<Option<TcpListener>, StartError> {
    match admin {
        Admin::Off => Ok(None),
        Admin::At(address) => bind("admin", address, inherited).await.map(Some),
        Admin::IfFree(address) => match bind("admin", address, inherited).await {
            Ok(listener) => Ok(Some(listener)),
            Err(error) => {
                remarks.push(format!("metrics and health are not served: {error}; give --admin ADDRESS"));
                Ok(None)
            }
        },
    }
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
