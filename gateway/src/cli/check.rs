//! `conclave check`.

use super::Failure;
use crate::config::{self, Config, ConfigError};
use crate::serve::{Gateway, StartError};
use crate::{store, tls};

/// Performs the checks of a start before it listens, and describes the result without secrets.
pub(super) fn check(config: &Config) -> Result<String, Failure> {
    // includes two realms with the same identity, and each vendor's own checks
    Gateway::routes(config)?;
    let mut lines = vec![format!("  {:<8} {}", "listen", config.listen)];
    for (vendor, section) in &config.vendors {
        lines.extend(section.listen.map(|address| format!("  {vendor:<8} {address}")));
    }
    lines.push(match config.admin {
        config::Admin::Off => format!("  {:<8} off", "admin"),
        config::Admin::At(address) => format!("  {:<8} {address}", "admin"),
        config::Admin::IfFree(address) => format!("  {:<8} {address}, if it is free", "admin"),
    });
    lines.push(match config.control {
        config::Admin::Off => format!("  {:<8} off", "control"),
        config::Admin::At(address) => format!("  {:<8} {address}", "control"),
        config::Admin::IfFree(address) => format!("  {:<8} {address}, if it is free", "control"),
    });
    lines.push(match &config.tls {
        config::Tls::Off => format!("  {:<8} off", "tls"),
        config::Tls::Development => format!("  {:<8} a development certificate", "tls"),
        config::Tls::Files { cert, key } => {
            tls::CertificateFiles::open(cert, key).map_err(StartError::from)?;
            format!("  {:<8} {} and its key", "tls", cert.display())
        }
    });
    lines.push(match &config.data {
        config::Data::Memory => format!("  {:<8} in memory: it ends with the process", "data"),
        config::Data::Folder(folder) => {
            let found = store::inspect(folder).map_err(|error| ConfigError(error.to_string()))?;
            format!("  {:<8} {}: {found}", "data", folder.display())
        }
    });
    for realm in &config.realms {
        let vendors: Vec<&str> = config.at(realm).map(|(vendor, _)| vendor.name()).collect();
        lines.push(format!("  {:<8} {}: {}", "realm", realm.name, vendors.join(", ")));
    }
    lines.extend(config::warnings(config).into_iter().map(|warning| format!("  {:<8} {warning}", "warning")));
    Ok(format!("the configuration is good\n{}\n", lines.join("\n")))
}
