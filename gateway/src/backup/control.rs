//! The control socket of a running gateway: `conclave-control` in its data folder.
//!
//! It speaks HTTP/1.1 over a Unix socket that only the gateway's user and root may connect to (mode 0600, in a folder of
//! mode 0700, and the other end's user is checked). The admin listener has no password, so it does not serve all
//! data. The response to `POST /backup` is a stream of frames.

use std::convert::Infallible;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Either, Empty, Full};
use hyper::body::{Frame as HttpFrame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::timeout;

use super::folder::Writer;
use super::frame::{Decoder, Frame};
use super::manifest::Manifest;
use super::{BackupError, source};
use crate::listener::Phase;
use crate::metrics::Metrics;
use crate::store::Database;

/// The socket's name in the data folder.
const SOCKET: &str = "conclave-control";
/// The longest path of a socket that every system accepts.
const LONGEST_PATH: usize = 100;
/// Most concurrent connections.
const CONNECTIONS: usize = 8;
/// Frames that wait for the client.
const WAITING: usize = 4;
/// A client that reads nothing for this long is disconnected, so that the engine can release its snapshot.
const STALLED: Duration = Duration::from_mins(1);
/// How long a client has to read the last frame when the process shuts down.
const GOODBYE: Duration = Duration::from_secs(1);
/// How often a backup that waits for its client checks whether the process is shutting down.
const LOOK: Duration = Duration::from_millis(100);

/// The path of a data folder's socket as the system accepts it. A socket's path may be about 100 bytes long; a longer one is
/// reached through the open folder, which has to stay open meanwhile.
fn socket_path(folder: &Path) -> io::Result<(PathBuf, Option<File>)> {
    let path = folder.join(SOCKET);
    if path.as_os_str().len() <= LONGEST_PATH || !cfg!(target_os = "linux") {
        return Ok((path, None));
    }
    let open = File::open(folder)?;
    let descriptor = std::os::fd::AsRawFd::as_raw_fd(&open);
    Ok((PathBuf::from(format!("/proc/self/fd/{descriptor}/{SOCKET}")), Some(open)))
}

/// The gateway's end of the socket.
pub(crate) struct Control {
    listener: UnixListener,
    path: PathBuf,
    database: Database,
    metrics: Arc<Metrics>,
}

impl Drop for Control {
    fn drop(&mut self) {
        // if it stays, connecting to it fails, as nothing listens
        let _gone = fs::remove_file(&self.path);
    }
}

impl Control {
    /// Listens in the data folder of this database, whose lock ensures that no other process does.
    pub(crate) fn listen(database: Database, metrics: &Arc<Metrics>) -> io::Result<Self> {
        let path = database.path().join(SOCKET);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let (bound, _open) = socket_path(database.path())?;
        let listener = UnixListener::bind(bound)?;
        // no other user can enter the folder meanwhile
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        Ok(Self { listener, path, database, metrics: Arc::clone(metrics) })
    }

    /// Serves requests until the process ends.
    pub(crate) async fn run(self, phase: watch::Receiver<Phase>) {
        let (places, one) = (Arc::new(Semaphore::new(CONNECTIONS)), Arc::new(Semaphore::new(1)));
        let mut ends = phase.clone();
        loop {
            let accept = async {
                let place = Arc::clone(&places).acquire_owned().await.ok()?;
                Some((place, self.listener.accept().await))
            };
            let accepted = tokio::select! {
                accepted = accept => accepted,
                _ = ends.changed() => return,
            };
            let (place, stream) = match accepted {
                None => return,
                Some((place, Ok((stream, _)))) => (place, stream),
                Some((_, Err(error))) => {
                    tracing::warn!(%error, "a connection to the control socket cannot be accepted");
                    tokio::time::sleep(LOOK).await;
                    continue;
                }
            };
            if !is_permitted(&stream) {
                tracing::warn!("a connection to the control socket by another user is closed");
                continue;
            }
            let asked = Asked {
                database: self.database.clone(),
                metrics: Arc::clone(&self.metrics),
                one: Arc::clone(&one),
                phase: phase.clone(),
            };
            let phase = phase.clone();
            tokio::spawn(async move {
                let _place = place;
                let service = service_fn(|request: Request<Incoming>| {
                    let answer = asked.answer(&request);
                    async move { Ok::<_, Infallible>(answer) }
                });
                let mut builder = hyper::server::conn::http1::Builder::new();
                builder.timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(15)).max_buf_size(16 * 1024);
                let served = builder.keep_alive(false).serve_connection(TokioIo::new(stream), service);
                tokio::select! {
                    served = served => if let Err(error) = served {
                        tracing::debug!(%error, "a connection to the control socket broke");
                    },
                    // a backup in progress reports to its client why it ends
                    () = after(phase, GOODBYE) => {}
                }
            });
        }
    }
}

/// Returns this long after shutdown has begun.
async fn after(mut phase: watch::Receiver<Phase>, time: Duration) {
    // any phase after serving; an error means that the sender was dropped
    let _changed = phase.changed().await;
    drop(phase);
    tokio::time::sleep(time).await;
}

/// Whether the other end is this process's user, or root.
fn is_permitted(stream: &UnixStream) -> bool {
    let own = rustix::process::geteuid().as_raw();
    stream.peer_cred().is_ok_and(|peer| peer.uid() == own || peer.uid() == 0)
}

/// Handles the requests of one connection.
struct Asked {
    database: Database,
    metrics: Arc<Metrics>,
    one: Arc<Semaphore>,
    phase: watch::Receiver<Phase>,
}

type Answer = Response<Either<Full<Bytes>, Pieces>>;

impl Asked {
    fn answer(&self, request: &Request<Incoming>) -> Answer {
        if request.uri().path() != "/backup" {
            return contents(StatusCode::NOT_FOUND, "only /backup is served here");
        }
        if request.method() != Method::POST {
            return contents(StatusCode::METHOD_NOT_ALLOWED, "use POST to request a backup");
        }
        let Ok(place) = Arc::clone(&self.one).try_acquire_owned() else {
            return contents(StatusCode::CONFLICT, "another backup of this gateway is in progress; wait until it ends");
        };
        let (sender, receiver) = mpsc::channel(WAITING);
        let (database, metrics, phase) = (self.database.clone(), Arc::clone(&self.metrics), self.phase.clone());
        let runtime = tokio::runtime::Handle::current();
        tokio::task::spawn_blocking(move || {
            let _place = place;
            let mut out = Out { sender, phase, runtime };
            tracing::info!("backup started");
            match source::of_open(&database, &mut |frame| out.send(frame.encode())) {
                Ok(totals) => {
                    metrics.backups.completed();
                    tracing::info!(rows = totals.rows, files = totals.blobs, "backup sent");
                }
                Err(error) => {
                    metrics.backups.failed();
                    tracing::error!(%error, "backup failed");
                    out.end(Frame::Failed(error.to_string()).encode());
                }
            }
        });
        Response::new(Either::Right(Pieces(receiver)))
    }
}

fn contents(status: StatusCode, text: &'static str) -> Answer {
    let mut answer = Response::new(Either::Left(Full::new(Bytes::from_static(text.as_bytes()))));
    *answer.status_mut() = status;
    answer
}

/// Sends frames to the connection as fast as the client reads them.
struct Out {
    sender: mpsc::Sender<Bytes>,
    phase: watch::Receiver<Phase>,
    runtime: tokio::runtime::Handle,
}

impl Out {
    fn send(&mut self, bytes: Bytes) -> Result<(), BackupError> {
        let refused = |why: &str| Err(BackupError::Refused(why.to_owned()));
        let mut waited = Duration::ZERO;
        loop {
            if *self.phase.borrow() != Phase::Serving {
                return refused("the gateway is shutting down");
            }
            match self.runtime.block_on(async { timeout(LOOK, self.sender.reserve()).await }) {
                Ok(Ok(place)) => {
                    place.send(bytes);
                    return Ok(());
                }
                Ok(Err(_)) => return refused("the client has disconnected"),
                Err(_) => waited += LOOK,
            }
            if waited >= STALLED {
                return refused("the client did not read for a minute");
            }
        }
    }
}

impl Out {
    /// Sends the last frame, unless the client has disconnected or does not read it soon.
    fn end(self, bytes: Bytes) {
        let Self { sender, phase, runtime } = self;
        // the process need not wait for this
        drop(phase);
        let _gone = runtime.block_on(async { timeout(GOODBYE, sender.send(bytes)).await });
    }
}

/// A response body of frames.
struct Pieces(mpsc::Receiver<Bytes>);

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<HttpFrame<Bytes>, Infallible>>> {
        self.0.poll_recv(cx).map(|bytes| bytes.map(|bytes| Ok(HttpFrame::data(bytes))))
    }
}

/// Requests a backup from the gateway that has this data folder open, and writes it; `None` when no gateway has.
pub(crate) async fn ask(folder: &Path, to: &Path) -> Result<Option<Manifest>, BackupError> {
    let socket = folder.join(SOCKET);
    let connected = async {
        let (path, _open) = socket_path(folder)?;
        UnixStream::connect(path).await
    };
    let stream = match connected.await {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => return Ok(None),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            return Err(BackupError::Refused(format!(
                "{} may be used by the gateway's own user and by root only; run this as one of them",
                socket.display()
            )));
        }
        Err(error) => return Err(BackupError::io(&socket)(error)),
    };
    let broken = |error: hyper::Error| {
        BackupError::Refused(format!("the connection to the gateway broke: {error}; see the gateway's log"))
    };
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let connection = tokio::spawn(connection);
    let request = Request::post("/backup").header("host", "localhost").body(Empty::<Bytes>::new());
    let request = request.map_err(|error| BackupError::Refused(error.to_string()))?;
    let mut answer = sender.send_request(request).await.map_err(broken)?;
    if answer.status() != StatusCode::OK {
        let status = answer.status();
        let text = answer.into_body().collect().await.map_err(broken)?.to_bytes();
        let text = format!("the gateway refuses: {}", String::from_utf8_lossy(&text));
        return Err(if status == StatusCode::CONFLICT { BackupError::Busy(text) } else { BackupError::Refused(text) });
    }
    let mut writer = Writer::begin(to)?;
    let mut decoder = Decoder::default();
    while let Some(part) = answer.frame().await {
        let Ok(bytes) = part.map_err(broken)?.into_data() else { continue };
        decoder.push(&bytes);
        while let Some(frame) = decoder.next().map_err(|error| BackupError::Damaged(error.to_string()))? {
            writer.take(frame)?;
        }
    }
    connection.abort();
    writer.finish().map(Some)
}
