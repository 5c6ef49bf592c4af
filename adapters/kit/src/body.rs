//! Bodies that travel whole, and bodies that travel in pieces.

use std::fmt;
use std::pin::Pin;

use bytes::Bytes;
use futures_core::Stream;

/// A body in pieces.
pub type ByteStream = Pin<Box<dyn Stream<Item = std::io::Result<Bytes>> + Send>>;

/// A request's or an answer's body.
pub enum Body {
    /// All of it.
    Whole(Bytes),
    /// In pieces, never whole in memory.
    Stream(ByteStream),
}

impl Body {
    /// Nothing.
    pub fn empty() -> Self {
        Self::Whole(Bytes::new())
    }

    /// The bytes, if the body was read as a whole.
    pub fn bytes(&self) -> Option<&Bytes> {
        match self {
            Self::Whole(bytes) => Some(bytes),
            Self::Stream(_) => None,
        }
    }
}

impl<B: Into<Bytes>> From<B> for Body {
    fn from(bytes: B) -> Self {
        Self::Whole(bytes.into())
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(bytes) => write!(f, "Body({} bytes)", bytes.len()),
            Self::Stream(_) => f.write_str("Body(stream)"),
        }
    }
}
