//! Encryption: with given files, or with a certificate of a local development authority.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;

/// Why encryption could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file with a certificate or a key is invalid.
    #[error("tls: {path}: {why}")]
    File {
        /// The file.
        path: PathBuf,
        /// The error.
        why: String,
    },
    /// Certificate and key do not match.
    #[error("tls: the certificate and the key do not match: {0}")]
    Pair(#[from] rustls::Error),
    /// The development certificate could not be created.
    #[error("tls: cannot create the development certificate: {0}")]
    Make(#[from] rcgen::Error),
}

/// A certificate and its key in files, which are read again when they change.
#[derive(Debug)]
pub(crate) struct CertificateFiles {
    cert: PathBuf,
    key: PathBuf,
    current: Arc<Current>,
    /// The contents of the files when they were last read, valid or not.
    seen: Mutex<Option<[Vec<u8>; 2]>>,
}

/// The certificate for new connections.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read()))
    }
}

impl CertificateFiles {
    /// Reads both, and encrypts with them from now on.
    pub(crate) fn open(cert: &Path, key: &Path) -> Result<(TlsAcceptor, Self), TlsError> {
        let current = Arc::new(Current(RwLock::new(Arc::new(certified(cert, key)?))));
        let acceptor = acceptor_with(Arc::clone(&current) as Arc<dyn ResolvesServerCert>)?;
        let files = Self { cert: cert.to_owned(), key: key.to_owned(), current, seen: Mutex::default() };
        *files.seen.lock() = files.contents();
        Ok((acceptor, files))
    }

    /// Reads both again, for new connections; open ones keep theirs. On an error the previous certificate stays in use.
    pub(crate) fn reload(&self) -> Result<(), TlsError> {
        let seen = self.contents();
        let loaded = certified(&self.cert, &self.key);
        *self.seen.lock() = seen;
        *self.current.0.write() = Arc::new(loaded?);
        Ok(())
    }

    /// Whether the files exist and differ from when they were last read.
    pub(crate) fn have_changed(&self) -> bool {
        let found = self.contents();
        found.is_some() && found != *self.seen.lock()
    }

    fn contents(&self) -> Option<[Vec<u8>; 2]> {
        Some([fs::read(&self.cert).ok()?, fs::read(&self.key).ok()?])
    }
}

/// The chain and key in these files.
fn certified(cert: &Path, key: &Path) -> Result<CertifiedKey, TlsError> {
    let refuse = |path: &Path, why: String| TlsError::File { path: path.to_owned(), why };
    let chain = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| refuse(cert, format!("cannot read certificates in PEM: {error}")))?;
    if chain.is_empty() {
        return Err(refuse(cert, "there is no certificate in it".to_owned()));
    }
    let key = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| refuse(key, format!("cannot read a private key in PEM: {error}")))?;
    Ok(CertifiedKey::from_der(chain, key, &rustls::crypto::ring::default_provider())?)
}

fn acceptor(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<TlsAcceptor, TlsError> {
    let certified = CertifiedKey::from_der(chain, key, &rustls::crypto::ring::default_provider())?;
    acceptor_with(Arc::new(Current(RwLock::new(Arc::new(certified)))))
}

fn acceptor_with(certificates: Arc<dyn ResolvesServerCert>) -> Result<TlsAcceptor, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(certificates);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Encrypts with a certificate of the local authority in this folder, which is created if necessary.
///
/// The certificate is for this machine and the given host names, and new each time. Returns the file that clients need
/// to trust.
pub(crate) fn for_development(folder: &Path, hosts: &[String]) -> Result<(TlsAcceptor, PathBuf), TlsError> {
    let (cert_path, key_path) = (folder.join("ca.pem"), folder.join("ca.key"));
    let params = authority();
    let kept = fs::read_to_string(&key_path).ok().filter(|_| cert_path.exists());
    let key = if let Some(pem) = kept {
        KeyPair::from_pem(&pem).map_err(|error| TlsError::File {
            path: key_path,
            why: format!("is not the local authority's key ({error}): delete the folder, and trust the new one"),
        })?
    } else {
        let key = KeyPair::generate()?;
        fs::create_dir_all(folder).map_err(|error| unwritten(folder, &error))?;
        write_secret(&key_path, &key.serialize_pem()).map_err(|error| unwritten(&key_path, &error))?;
        let cert = params.self_signed(&key)?.pem();
        fs::write(&cert_path, cert).map_err(|error| unwritten(&cert_path, &error))?;
        key
    };
    let issuer = Issuer::new(params, key);
    let leaf_key = KeyPair::generate()?;
    let leaf = leaf(hosts)?.signed_by(&leaf_key, &issuer)?;
    let leaf_key = PrivateKeyDer::try_from(leaf_key.serialize_der())
        .map_err(|why| TlsError::File { path: folder.to_owned(), why: why.to_owned() })?;
    Ok((acceptor(vec![leaf.der().clone()], leaf_key)?, cert_path))
}

fn unwritten(path: &Path, error: &io::Error) -> TlsError {
    TlsError::File { path: path.to_owned(), why: format!("cannot be written: {error}") }
}

/// Writes a file that only its owner may read, replacing an existing one.
fn write_secret(path: &Path, text: &str) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    options.open(path)?.write_all(text.as_bytes())
}

/// The authority's certificate; apart from its key the same for every start.
fn authority() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = named("Conclave development authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = date_time_ymd(2025, 1, 1);
    params.not_after = date_time_ymd(2045, 1, 1);
    params
}

fn leaf(hosts: &[String]) -> Result<CertificateParams, rcgen::Error> {
    let here = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let mut params = CertificateParams::new([&here, hosts].concat())?;
    params.distinguished_name = named("Conclave");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    // some clients accept no certificate with a lifetime of more than 825 days
    let year = i32::from(jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::now()).year());
    params.not_before = date_time_ymd(year - 1, 12, 1);
    params.not_after = date_time_ymd(year + 1, 2, 1);
    Ok(params)
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}
