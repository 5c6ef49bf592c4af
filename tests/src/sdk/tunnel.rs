//! Connections to an encrypted gateway, for clients that cannot make them themselves.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;

/// The longest head of a request to a proxy.
const LONGEST_HEAD: usize = 4096;

/// A proxy that leads to the gateway whatever host is requested, for `HTTPS_PROXY`: for clients with a constant host.
pub async fn proxy(gateway: SocketAddr) -> SocketAddr {
    serve(move |mut client| async move {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") && head.len() < LONGEST_HEAD {
            head.push(client.read_u8().await?);
        }
        assert!(head.starts_with(b"CONNECT "), "only CONNECT is expected: {}", String::from_utf8_lossy(&head));
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
        let mut gateway = TcpStream::connect(gateway).await?;
        copy_bidirectional(&mut client, &mut gateway).await
    })
    .await
}

/// An address without encryption that leads to the gateway, whose authority is trusted.
pub async fn plain(gateway: SocketAddr, authority: &Path) -> SocketAddr {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority).expect("a certificate")).expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("tls");
    let connector = TlsConnector::from(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()));
    serve(move |mut client| {
        let connector = connector.clone();
        async move {
            let stream = TcpStream::connect(gateway).await?;
            let mut gateway = connector.connect("localhost".try_into().expect("a name"), stream).await?;
            copy_bidirectional(&mut client, &mut gateway).await
        }
    })
    .await
}

/// Listens on a free port as long as the test runs.
async fn serve<F>(lead: impl Fn(TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = std::io::Result<(u64, u64)>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(lead(client));
        }
    });
    address
}
