//! The gateway under a service manager: readiness, reloading, and sockets that outlive the process.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use conclave::config::Tls;
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::client::{Client, request};
use crate::probe::start;
use crate::process::{Served, conclave};

/// How long anything is waited for.
const PATIENCE: Duration = Duration::from_mins(1);

fn signal(served: &Served, name: &str) {
    assert!(Command::new("kill").args([name, &served.child.id().to_string()]).status().unwrap().success());
}

/// Writes a new self-signed certificate where the gateway reads it.
fn write_certificate(folder: &Path) -> CertificateDer<'static> {
    let key = KeyPair::generate().unwrap();
    let cert = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    std::fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
    std::fs::write(folder.join("chain.pem"), cert.pem()).unwrap();
    CertificateDer::from_pem_slice(cert.pem().as_bytes()).unwrap()
}

/// Whether a client that trusts only this certificate is served.
async fn serves_with(at: SocketAddr, certificate: &CertificateDer<'static>) -> bool {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = builder.with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(at).await.unwrap();
    TlsConnector::from(Arc::new(config)).connect("localhost".try_into().unwrap(), stream).await.is_ok()
}

async fn until_served_with(at: SocketAddr, certificate: &CertificateDer<'static>) {
    let began = Instant::now();
    while !serves_with(at, certificate).await {
        assert!(began.elapsed() < PATIENCE, "the new certificate is not used");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_certificate_is_used_as_soon_as_its_files_have_changed() {
    let folder = tempfile::tempdir().unwrap();
    let first = write_certificate(folder.path());
    let gateway = start(|config| {
        config.tls = Tls::Files { cert: folder.path().join("chain.pem"), key: folder.path().join("key.pem") };
    })
    .await;
    let at = gateway.addresses.shared;
    assert!(serves_with(at, &first).await);
    // replacing only one of the two files changes nothing
    let whole = std::fs::read(folder.path().join("key.pem")).unwrap();
    std::fs::write(folder.path().join("key.pem"), "no key").unwrap();
    gateway.reload("a test");
    assert!(serves_with(at, &first).await);
    std::fs::write(folder.path().join("key.pem"), whole).unwrap();
    let second = write_certificate(folder.path());
    until_served_with(at, &second).await;
    assert!(!serves_with(at, &first).await);
}

#[tokio::test]
async fn a_hangup_reloads_and_does_not_end_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let first = write_certificate(folder.path());
    let mut command = conclave(&["--memory", "--listen", "127.0.0.1:0", "--admin", "off"]);
    command
        .env("CONCLAVE_TLS_CERT", folder.path().join("chain.pem"))
        .env("CONCLAVE_TLS_KEY", folder.path().join("key.pem"));
    let served = Served::start(command);
    assert!(serves_with(served.at, &first).await);
    let second = write_certificate(folder.path());
    signal(&served, "-HUP");
    until_served_with(served.at, &second).await;
    signal(&served, "-HUP");
    let (code, log) = served.end();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("SIGHUP"), "{log}");
}

#[test]
fn the_service_manager_is_notified() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let received = || {
        let mut bytes = [0; 1024];
        let length = socket.recv(&mut bytes).unwrap();
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    };
    let mut command = conclave(&["--memory", "--listen", "127.0.0.1:0", "--admin", "off"]);
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "200000");
    let served = Served::start(command);
    let reported = received();
    assert!(reported.contains("READY=1") && reported.contains(&served.at.to_string()), "{reported}");
    assert!(received().contains("WATCHDOG=1"));
    signal(&served, "-TERM");
    while !received().contains("STOPPING=1") {}
    let (code, log) = served.end();
    assert_eq!(code, Some(0), "{log}");
}

/// A process that gets the socket as the third descriptor, as a service manager passes it.
fn with_socket(listener: &std::net::TcpListener, data: &Path) -> Served {
    let at = listener.local_addr().unwrap().to_string();
    let mut direct = conclave(&[]);
    let mut command = Command::new("sh");
    command
        .args(["-c", r#"exec 3<&0 </dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec "$@""#, "sh"])
        .arg(direct.get_program())
        .args(["--listen", &at, "--admin", "off", "--data"])
        .arg(data)
        .stdin(Stdio::from(OwnedFd::from(listener.try_clone().unwrap())))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    direct.env_clear();
    Served::start(command)
}

/// Connections that are opened while no process is running wait for the next one, on the same data.
#[tokio::test]
async fn no_connection_is_refused_over_a_restart_with_passed_sockets() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    let first = with_socket(&listener, &data);
    assert_eq!(first.at, at);
    assert_eq!(crate::client::ask(at, "GET", "/", &[], "").await.status, 404);
    let (code, log) = first.end();
    assert_eq!(code, Some(0), "{log}");
    let mut waiting = Client::connect(at).await;
    waiting.say(request("GET", "/", &[], "")).await;
    let second = with_socket(&listener, &data);
    assert_eq!(waiting.answer().await.status, 404);
    drop(second);
}

#[test]
fn a_passed_socket_that_no_setting_names_is_refused() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let direct = conclave(&[]);
    let output = Command::new("sh")
        .args(["-c", r#"exec 3<&0 </dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec "$@""#, "sh"])
        .arg(direct.get_program())
        .args(["--listen", "127.0.0.1:0", "--admin", "off", "--memory"])
        .stdin(Stdio::from(OwnedFd::from(listener.try_clone().unwrap())))
        .output()
        .unwrap();
    let reported = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{reported}");
    assert!(reported.contains(&listener.local_addr().unwrap().to_string()), "{reported}");
}
