//! Multipart forms within bounds: the bytes before a part's content are limited, however they arrive.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use conclave_kit::ByteStream;
use futures_util::Stream;
use multer::{Field, Multipart};

/// Most bytes of a boundary and the headers of one part.
const HEADER_BYTES: usize = 32 * 1024;
/// Most bytes the reader gets at once: it buffers all it can get, and scans its buffer again each time.
const PIECE: usize = 16 * 1024;

/// A form whose parts are read one after another.
pub(crate) struct Form {
    form: Multipart<'static>,
    /// How much more may be read before the next part's content begins.
    left: Arc<AtomicUsize>,
}

impl Form {
    /// The form in these bytes.
    pub(crate) fn new(content: ByteStream, boundary: String) -> Self {
        let left = Arc::new(AtomicUsize::new(0));
        let pieces = Pieces { content, rest: Bytes::new(), left: Arc::clone(&left), yielded: false };
        Self { form: Multipart::new(pieces, boundary), left }
    }

    /// The next part; `None` after the last one. The previous part has to be read to its end first.
    pub(crate) async fn next(&mut self) -> multer::Result<Option<Field<'static>>> {
        self.left.store(HEADER_BYTES, Ordering::Relaxed);
        let part = self.form.next_field().await;
        // the caller limits the content
        self.left.store(usize::MAX, Ordering::Relaxed);
        part
    }

    /// Reads the rest, so that the connection can be reused.
    pub(crate) async fn finish(mut self) {
        while let Ok(Some(part)) = self.next().await {
            if skip(part).await.is_err() {
                return;
            }
        }
    }
}

/// Reads a part to its end.
pub(crate) async fn skip(mut part: Field<'static>) -> multer::Result<()> {
    while part.chunk().await?.is_some() {}
    Ok(())
}

/// The content in small chunks with a pause after each, within the remaining bytes.
struct Pieces {
    content: ByteStream,
    rest: Bytes,
    left: Arc<AtomicUsize>,
    yielded: bool,
}

impl Stream for Pieces {
    type Item = io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.yielded {
            // the reader parses what it has before it gets more
            this.yielded = false;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if this.rest.is_empty() {
            match this.content.as_mut().poll_next(cx) {
                Poll::Ready(Some(Ok(bytes))) => this.rest = bytes,
                other => return other,
            }
        }
        let piece = this.rest.split_to(this.rest.len().min(PIECE));
        let left = this.left.load(Ordering::Relaxed);
        if left == 0 {
            return Poll::Ready(Some(Err(io::Error::new(io::ErrorKind::InvalidData, "a part's headers are too long"))));
        }
        this.left.store(left.saturating_sub(piece.len()), Ordering::Relaxed);
        this.yielded = true;
        Poll::Ready(Some(Ok(piece)))
    }
}
