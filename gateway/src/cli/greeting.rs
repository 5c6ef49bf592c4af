//! The text printed at the start.

use crate::clients;
use crate::config::{self, is_development};
use crate::serve::{Gateway, Running};

/// The text printed at the start: where clients connect, and the credentials if they are not secret.
pub(super) fn greeting(running: &Running) -> String {
    let (config, addresses) = (&running.config, &running.addresses);
    let mut lines = vec![format!("conclave {} is listening on {}", env!("CARGO_PKG_VERSION"), addresses.shared)];
    for vendor in config.served.names() {
        if config.realms.iter().any(|realm| realm.is_at(vendor)) {
            lines.push(format!("  {vendor:<8} {}", clients::base_url(config, Some(addresses), vendor)));
        }
    }
    match addresses.admin {
        Some(address) => lines.push(format!("  {:<8} http://{address}/metrics /healthz /readyz", "admin")),
        None => lines.push(format!("  {:<8} off", "admin")),
    }
    if let Some(address) = addresses.control {
        lines.push(format!("  {:<8} http://{address}/v1/realms", "control"));
    }
    lines.push(match &config.data {
        config::Data::Memory => format!("  {:<8} in memory: it ends with the process", "data"),
        config::Data::Folder(folder) => format!("  {:<8} {}", "data", folder.display()),
    });
    if let Some(authority) = &running.authority {
        lines.push(format!("  {:<8} clients are to trust {}", "tls", authority.display()));
    }
    lines.extend(running.remarks.iter().map(|remark| format!("  {:<8} {remark}", "note")));
    // the surfaces have been built already, so this cannot fail
    let endpoints = Gateway::endpoints(config).unwrap_or_default();
    for realm in &config.realms {
        let names = config.served.names().into_iter();
        let known: Vec<String> = names
            .filter(|vendor| config.dev_public || is_development(&config.served, realm, vendor))
            .filter_map(|vendor| {
                let pairs = clients::pairs(config, Some(addresses), realm, vendor)?;
                let endpoints = endpoints.get(vendor).map_or(&[][..], Vec::as_slice);
                Some(clients::answered(pairs, &clients::base_url(config, Some(addresses), vendor), endpoints))
            })
            .flatten()
            .map(|(key, value)| format!("  {key}={value}"))
            .collect();
        if !known.is_empty() {
            let whose = if config.dev_public {
                "random credentials until it ends"
            } else {
                "development credentials, which everybody knows"
            };
            lines.push(format!("realm {} has {whose}:", realm.name));
            lines.extend(known);
        }
    }
    lines.join("\n") + "\n"
}
