//! What travels between a client and a session.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;

/// One frame.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Frame {
    /// Bytes.
    Binary(Bytes),
    /// Text, in UTF-8. A text frame that is not UTF-8 is never received, and is not sent.
    Text(Bytes),
}

/// A frame that many sessions receive: encoded once, and wrapped once for each transport that has a wrapping.
#[derive(Debug)]
pub struct SharedFrame {
    frame: Frame,
    wrapped: OnceLock<Bytes>,
}

/// A frame on its way to a client.
#[derive(Debug, Clone)]
pub enum OutFrame {
    /// A frame for one session.
    Own(Frame),
    /// A frame that was encoded once for many sessions.
    Shared(Arc<SharedFrame>),
}

impl Frame {
    /// A text frame.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(Bytes::from(text.into()))
    }

    /// A binary frame.
    pub fn binary(bytes: impl Into<Bytes>) -> Self {
        Self::Binary(bytes.into())
    }

    /// Its payload.
    pub fn bytes(&self) -> &Bytes {
        match self {
            Self::Binary(bytes) | Self::Text(bytes) => bytes,
        }
    }

    /// Its payload.
    pub fn into_bytes(self) -> Bytes {
        match self {
            Self::Binary(bytes) | Self::Text(bytes) => bytes,
        }
    }
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Binary(bytes) => f.debug_tuple("Binary").field(bytes).finish(),
            Self::Text(bytes) => f.debug_tuple("Text").field(&String::from_utf8_lossy(bytes)).finish(),
        }
    }
}

impl SharedFrame {
    /// A frame for many sessions.
    pub fn new(frame: Frame) -> Arc<Self> {
        Arc::new(Self { frame, wrapped: OnceLock::new() })
    }

    /// The frame as the vendor's protocol has it.
    pub fn frame(&self) -> &Frame {
        &self.frame
    }

    /// The frame as a transport wraps it; wrapped at most once, whatever the number of sessions. For transports.
    pub fn wrapped(&self, wrap: impl FnOnce(&Frame) -> Bytes) -> Bytes {
        self.wrapped.get_or_init(|| wrap(&self.frame)).clone()
    }
}

impl OutFrame {
    /// The frame as the vendor's protocol has it.
    pub fn frame(&self) -> &Frame {
        match self {
            Self::Own(frame) => frame,
            Self::Shared(shared) => shared.frame(),
        }
    }

    /// The frame as a transport wraps it.
    pub fn wrapped(&self, wrap: impl FnOnce(&Frame) -> Bytes) -> Bytes {
        match self {
            Self::Own(frame) => wrap(frame),
            Self::Shared(shared) => shared.wrapped(wrap),
        }
    }
}

impl From<Frame> for OutFrame {
    fn from(frame: Frame) -> Self {
        Self::Own(frame)
    }
}

impl From<Arc<SharedFrame>> for OutFrame {
    fn from(shared: Arc<SharedFrame>) -> Self {
        Self::Shared(shared)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_frame_is_wrapped_once() {
        let shared = SharedFrame::new(Frame::text("x"));
        let mut wrappings = 0;
        for _ in 0..3 {
            let wrapped = OutFrame::from(Arc::clone(&shared)).wrapped(|frame| {
                wrappings += 1;
                frame.bytes().clone()
            });
            assert_eq!(wrapped, "x");
        }
        assert_eq!(wrappings, 1);
    }
}
