//! Bodies between hyper and a surface, within limits.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use conclave_kit::{Body, ByteStream, Fault};
use futures_core::Stream;
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, EXPECT};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use parking_lot::Mutex;
use tokio::time::{Instant, Sleep, sleep, sleep_until, timeout};

use crate::activity::{Activity, InFlight};
use crate::config::Limits;
use crate::operators::Busy;
use crate::quotas::Buffer;

/// A response's body for hyper. The request is in flight until the body has been written.
#[derive(Default)]
pub(crate) struct Payload {
    body: Option<Body>,
    in_flight: Option<InFlight>,
    /// Counts the bytes of the response until it has been written.
    _buffer: Option<Buffer>,
    /// The request to an operators' listener that it responds to.
    _busy: Option<Busy>,
}

/// Most bytes of a response written at once, so that bytes that a slow client has not read yet are still counted.
const PIECE: usize = 256 * 1024;

impl Payload {
    /// A surface's body, and the request it responds to.
    pub(crate) fn new(body: Body, in_flight: Option<InFlight>) -> Self {
        let body = match body {
            Body::Whole(bytes) if bytes.is_empty() => None,
            body => Some(body),
        };
        Self { body, in_flight, _buffer: None, _busy: None }
    }

    /// Counts the bytes that are kept in memory for it until it has been written.
    pub(crate) fn counted(self, buffer: Buffer) -> Self {
        Self { _buffer: Some(buffer), ..self }
    }

    /// Keeps the request to an operators' listener in flight until the body has been written.
    pub(crate) fn during(self, busy: Busy) -> Self {
        Self { _busy: Some(busy), ..self }
    }
}

impl HttpBody for Payload {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        if let Some(in_flight) = &this.in_flight {
            in_flight.touch();
        }
        match this.body.take() {
            None => Poll::Ready(None),
            Some(Body::Whole(mut bytes)) => {
                let piece = bytes.split_to(bytes.len().min(PIECE));
                this.body = (!bytes.is_empty()).then_some(Body::Whole(bytes));
                Poll::Ready(Some(Ok(Frame::data(piece))))
            }
            Some(Body::Stream(mut stream)) => {
                let part = stream.as_mut().poll_next(cx);
                if !matches!(part, Poll::Ready(None)) {
                    this.body = Some(Body::Stream(stream));
                }
                part.map_ok(Frame::data)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match &self.body {
            None => SizeHint::with_exact(0),
            Some(Body::Whole(bytes)) => SizeHint::with_exact(bytes.len() as u64),
            Some(Body::Stream(_)) => SizeHint::default(),
        }
    }
}

/// Whether the headers announce more than the limit.
pub(crate) fn announces_more(headers: &HeaderMap, limit: u64) -> bool {
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    length.is_some_and(|length| length > limit)
}

/// The whole body of a request, within its limits of size and time, while there is memory for it.
pub(crate) async fn whole(
    body: &mut Incoming,
    headers: &HeaderMap,
    limits: &Limits,
    most: usize,
    progress: &Progress,
    buffer: &mut Buffer,
) -> Result<Bytes, Fault> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    if announces_more(headers, most as u64) {
        return Err(Fault::TooLarge);
    }
    let collecting = collect(body, most, progress, buffer);
    progress.within(limits.body_time(), limits.body_total_time(), collecting).await.unwrap_or(Err(Fault::TimedOut))
}

/// The whole body with frames of a session, within the same limits.
pub(crate) async fn frames(
    body: &mut Incoming,
    headers: &HeaderMap,
    limits: &Limits,
    mut buffer: Buffer,
) -> Result<Bytes, Fault> {
    whole(body, headers, limits, limits.body_bytes, &Progress::new(Activity::new()), &mut buffer).await
}

async fn collect(body: &mut Incoming, most: usize, progress: &Progress, buffer: &mut Buffer) -> Result<Bytes, Fault> {
    let mut whole = Bytes::new();
    let mut parts = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            tracing::debug!(%error, "a request's body ended early");
            Fault::Malformed
        })?;
        progress.touch();
        // no vendor reads trailers
        let Ok(data) = frame.into_data() else { continue };
        if whole.len() + parts.len() + data.len() > most {
            return Err(Fault::TooLarge);
        }
        if !buffer.grow(data.len()) {
            return Err(Fault::Busy);
        }
        if whole.is_empty() && parts.is_empty() {
            // most bodies arrive in one part, which is not copied
            whole = data;
        } else {
            parts.extend_from_slice(&std::mem::take(&mut whole));
            parts.extend_from_slice(&data);
        }
    }
    Ok(if parts.is_empty() { whole } else { parts.freeze() })
}

/// The activity of one request.
#[derive(Debug)]
pub(crate) struct Progress {
    activity: Arc<Activity>,
    touched: Mutex<Instant>,
}

impl Progress {
    /// For a request that has just begun, on a connection with this activity.
    pub(crate) fn new(activity: Arc<Activity>) -> Arc<Self> {
        Arc::new(Self { activity, touched: Mutex::new(Instant::now()) })
    }

    /// Records activity.
    pub(crate) fn touch(&self) {
        self.activity.touch();
        *self.touched.lock() = Instant::now();
    }

    /// Waits for a future, at most for `silence` without activity, and for `whole` in total.
    pub(crate) async fn within<T>(
        &self,
        silence: Duration,
        whole: Duration,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        let end = Instant::now() + whole;
        let mut work = pin!(work);
        loop {
            let silent_at = *self.touched.lock() + silence;
            let wake = silent_at.min(end);
            if wake <= Instant::now() {
                return None;
            }
            tokio::select! {
                biased;
                done = work.as_mut() => return Some(done),
                () = sleep_until(wake) => {}
            }
        }
    }
}

/// Reads the rest of a refused body, so that the client gets the response before its connection closes: a client that
/// is still writing would see a reset.
pub(crate) fn drain(body: Incoming, headers: &HeaderMap) {
    // a client that sent Expect has not begun to write
    if !headers.contains_key(EXPECT) {
        take_rest(body);
    }
}

fn take_rest(mut body: Incoming) {
    /// Most bytes that are read, and the timeout: a client that still writes after that sees a reset.
    const BYTES: usize = 64 * 1024 * 1024;
    const TIME: Duration = Duration::from_secs(3);
    if body.is_end_stream() {
        return;
    }
    tokio::spawn(timeout(TIME, async move {
        let mut taken = 0;
        while let Some(Ok(frame)) = body.frame().await {
            taken += frame.data_ref().map_or(0, Bytes::len);
            if taken > BYTES {
                return;
            }
        }
    }));
}

/// A request's body as a stream, within its limits: on the total size, and on the time for each part.
///
/// If the surface does not read it to its end, because it has refused the request, the rest is drained.
pub(crate) fn parts(body: Incoming, headers: &HeaderMap, progress: Arc<Progress>, limits: &Limits) -> ByteStream {
    let pause = limits.body_time();
    Box::pin(Parts {
        body: Some(body),
        progress,
        left: limits.upload_bytes,
        pause,
        timer: Box::pin(sleep(pause)),
        waiting: false,
        over: false,
        asks_first: headers.contains_key(EXPECT),
    })
}

struct Parts {
    /// Set until it has ended or is drained.
    body: Option<Incoming>,
    progress: Arc<Progress>,
    left: u64,
    pause: Duration,
    timer: Pin<Box<Sleep>>,
    /// Whether the timer runs: a surface that reads slowly is not the client's fault.
    waiting: bool,
    over: bool,
    /// Whether the client waits for `100 Continue`.
    asks_first: bool,
}

impl Drop for Parts {
    fn drop(&mut self) {
        if let Some(body) = self.body.take().filter(|_| !self.over && !self.asks_first) {
            take_rest(body);
        }
    }
}

impl Parts {
    fn fail(&mut self, kind: io::ErrorKind, why: &'static str) -> Poll<Option<io::Result<Bytes>>> {
        self.over = true;
        Poll::Ready(Some(Err(io::Error::new(kind, why))))
    }
}

impl Stream for Parts {
    type Item = io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if this.over {
                return Poll::Ready(None);
            }
            let Some(body) = &mut this.body else { return Poll::Ready(None) };
            let Poll::Ready(frame) = Pin::new(body).poll_frame(cx) else {
                if !this.waiting {
                    this.waiting = true;
                    this.timer.as_mut().reset(Instant::now() + this.pause);
                }
                ready!(this.timer.as_mut().poll(cx));
                return this.fail(io::ErrorKind::TimedOut, "the body did not arrive in time");
            };
            this.progress.touch();
            this.waiting = false;
            match frame {
                None => this.over = true,
                Some(Err(_)) => return this.fail(io::ErrorKind::UnexpectedEof, "the body ended early"),
                Some(Ok(frame)) => {
                    // no vendor reads trailers
                    let Ok(data) = frame.into_data() else { continue };
                    let Some(left) = this.left.checked_sub(data.len() as u64) else {
                        return this.fail(io::ErrorKind::FileTooLarge, "the body is larger than the limit");
                    };
                    this.left = left;
                    return Poll::Ready(Some(Ok(data)));
                }
            }
        }
    }
}
