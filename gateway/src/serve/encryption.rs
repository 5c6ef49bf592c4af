//! The encryption of connections: certificate files, which are read again when they change, or a development certificate.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::StartError;
use crate::config::{Config, Data, Tls};
use crate::listener::Phase;
use crate::tls::{self, CertificateFiles};

/// How often certificate files are compared with those in use.
const CERTIFICATES: Duration = Duration::from_secs(5);

/// The encryption of connections, if any.
#[derive(Default)]
pub(super) struct Encryption {
    pub(super) acceptor: Option<TlsAcceptor>,
    pub(super) files: Option<Arc<CertificateFiles>>,
    /// The certificate that clients need to trust.
    pub(super) authority: Option<PathBuf>,
    pub(super) scratch: Option<Scratch>,
}

pub(super) fn encryption(config: &Config) -> Result<Encryption, StartError> {
    match &config.tls {
        Tls::Off => Ok(Encryption::default()),
        Tls::Files { cert, key } => {
            let (acceptor, files) = CertificateFiles::open(cert, key)?;
            Ok(Encryption { acceptor: Some(acceptor), files: Some(Arc::new(files)), ..Encryption::default() })
        }
        Tls::Development => {
            let hosts: Vec<String> = config.vendors.values().flat_map(|section| section.hosts.clone()).collect();
            let (folder, scratch) = match &config.data {
                Data::Folder(folder) => (folder.join("dev-tls"), None),
                Data::Memory => {
                    let folder = std::env::temp_dir().join(format!("conclave-dev-tls-{}", uuid::Uuid::new_v4()));
                    (folder.clone(), Some(Scratch(folder)))
                }
            };
            let (acceptor, authority) = tls::for_development(&folder, &hosts)?;
            Ok(Encryption { acceptor: Some(acceptor), authority: Some(authority), scratch, files: None })
        }
    }
}

/// A folder that is deleted on drop.
pub(super) struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, folder = %self.0.display(), "a temporary folder could not be removed");
        }
    }
}

pub(super) fn reload(files: &CertificateFiles, why: &str) {
    match files.reload() {
        Ok(()) => tracing::info!(why, "the certificate is reloaded; new connections use it"),
        Err(error) => {
            tracing::error!(why, %error, "the new certificate cannot be loaded; the previous one stays in use");
        }
    }
}

/// Reads the certificate files again whenever they change, until the process ends. They are compared by content, so it
/// does not matter how they are replaced.
pub(super) async fn reload_on_change(files: Arc<CertificateFiles>, mut phase: watch::Receiver<Phase>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(CERTIFICATES) => {}
            _ = phase.changed() => return,
        }
        let changed = Arc::clone(&files);
        let looked = tokio::task::spawn_blocking(move || {
            if changed.have_changed() {
                reload(&changed, "the files have changed");
            }
        });
        if let Err(error) = looked.await {
            tracing::error!(%error, "the certificate files cannot be checked for changes; they are checked again later");
        }
    }
}
