//! Encryption with the development authority.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use conclave::Running;
use conclave::config::{Config, Data, Tls, VendorSection};
use http::{Request, Version};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::probe::start;

async fn connect(
    gateway: &Running,
    authority: &Path,
    name: &str,
    alpn: &[u8],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![alpn.to_vec()];
    let stream = TcpStream::connect(gateway.addresses.shared).await?;
    TlsConnector::from(Arc::new(config)).connect(name.to_owned().try_into().unwrap(), stream).await
}

fn encrypted(config: &mut Config, folder: &Path) {
    config.tls = Tls::Development;
    config.data = Data::Folder(folder.to_owned());
    let section = VendorSection { hosts: vec!["console.tim.example".to_owned()], ..VendorSection::default() };
    config.vendors.insert("tencent".to_owned(), section);
}

#[tokio::test]
async fn clients_that_trust_the_development_authority_are_served() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = start(|config| encrypted(config, folder.path())).await;
    let authority = gateway.authority.clone().unwrap();
    for name in ["localhost", "127.0.0.1", "console.tim.example"] {
        connect(&gateway, &authority, name, b"h2").await.unwrap();
    }
    assert!(connect(&gateway, &authority, "another.example", b"h2").await.is_err());

    let asked =
        || Request::post("https://localhost/probe/seen").header("host", "localhost").body(Full::<Bytes>::default());
    let stream = connect(&gateway, &authority, "localhost", b"h2").await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let answer = sender.send_request(asked().unwrap()).await.unwrap();
    assert_eq!(answer.version(), Version::HTTP_2);
    let text = answer.into_body().collect().await.unwrap().to_bytes();
    assert!(text.starts_with(b"https://localhost/probe /seen"), "{text:?}");

    let stream = connect(&gateway, &authority, "localhost", b"http/1.1").await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let answer = sender.send_request(asked().unwrap()).await.unwrap();
    assert_eq!((answer.version(), answer.status().as_u16()), (Version::HTTP_11, 200));
}

#[tokio::test]
async fn the_authority_stays_and_its_key_is_its_owners() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = start(|config| encrypted(config, folder.path())).await;
    let authority = gateway.authority.clone().unwrap();
    let before = std::fs::read(&authority).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let key = std::fs::metadata(authority.with_extension("key")).unwrap();
        assert_eq!(key.permissions().mode() & 0o777, 0o600);
    }
    gateway.shutdown().await;
    let gateway = start(|config| encrypted(config, folder.path())).await;
    assert_eq!(std::fs::read(&authority).unwrap(), before);
    connect(&gateway, &authority, "localhost", b"h2").await.unwrap();
}

#[tokio::test]
async fn with_data_in_memory_the_authority_goes_with_the_process() {
    let gateway = start(|config| config.tls = Tls::Development).await;
    let authority = gateway.authority.clone().unwrap();
    connect(&gateway, &authority, "localhost", b"h2").await.unwrap();
    gateway.shutdown().await;
    assert!(!authority.exists());
}

#[tokio::test]
async fn a_silent_handshake_is_cut_off() {
    let gateway = start(|config| {
        config.tls = Tls::Development;
        config.limits.header_ms = 200;
    })
    .await;
    let mut client = crate::client::Client::connect(gateway.addresses.shared).await;
    client.closed().await;
    let mut client = crate::client::Client::connect(gateway.addresses.shared).await;
    client.say("GET / HTTP/1.1\r\n\r\n").await;
    let mut rest = Vec::new();
    let _ = tokio::io::AsyncReadExt::read_to_end(&mut client.0, &mut rest).await;
    assert!(!rest.starts_with(b"HTTP"), "{rest:?}");
}

#[tokio::test]
async fn files_that_are_no_certificates_are_named() {
    let mut config = Config::development().unwrap();
    config.tls = Tls::Files { cert: "/no/such/chain.pem".into(), key: "/no/such/key.pem".into() };
    let error = conclave::Gateway::start(config).await.err().unwrap().to_string();
    assert!(error.contains("/no/such/chain.pem"), "{error}");
}
