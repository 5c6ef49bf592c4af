//! Frames: one binary WebSocket message each, with an MQTT-like first byte, no length field, integers big endian.
//!
//! ```text
//! byte 0: type (4 bits) | DUP | QoS (2 bits) | RETAIN
//! byte 1..: body; a text is its length in two bytes and then its bytes
//! ```

use bytes::{BufMut, Bytes, BytesMut};
use conclave_core::model::Millis;

use super::text;

/// Longest frame of a client, in bytes: the longest content of a message, escaped, and everything around it.
pub(crate) const LONGEST: usize = 512 * 1024;

/// First bytes of frames, in both directions.
mod kind {
    pub(super) const CONNACK: u8 = 2;
    pub(super) const PUBLISH: u8 = 3;
    pub(super) const PUBACK: u8 = 4;
    pub(super) const QUERY: u8 = 5;
    pub(super) const QUERYACK: u8 = 6;
    pub(super) const QUERYCON: u8 = 7;
    pub(super) const PINGREQ: u8 = 12;
    pub(super) const PINGRESP: u8 = 13;
    pub(super) const DISCONNECT: u8 = 14;
}

/// Frames of clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Incoming {
    /// A heartbeat.
    Ping,
    /// A message to deliver; answered by [`published`].
    Publish(Request),
    /// A query.
    Query(Request),
    /// The client has received what was published or answered under this id.
    Confirmed(u16),
    /// The client disconnects.
    Disconnect(u8),
}

/// A client's request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    /// Its kind.
    pub(crate) topic: String,
    /// The user or group it concerns; the body repeats it where it matters.
    pub(crate) target: String,
    /// The client's number for it.
    pub(crate) id: u16,
    /// The protobuf message.
    pub(crate) body: Bytes,
}

/// Why bytes are not a valid frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadFrame {
    /// Incomplete.
    #[error("the frame ends too early")]
    Short,
    /// Longer than permitted.
    #[error("the frame is longer than {LONGEST} bytes")]
    TooLong,
    /// Not a kind that clients send.
    #[error("clients do not send frames of type {0}")]
    Kind(u8),
}

impl Incoming {
    /// Decodes a frame. Bytes after a complete frame of fixed length are ignored.
    pub(crate) fn decode(frame: &Bytes) -> Result<Self, BadFrame> {
        if frame.len() > LONGEST {
            return Err(BadFrame::TooLong);
        }
        let mut rest = Rest(frame.clone());
        let kind = rest.u8()? >> 4;
        Ok(match kind {
            kind::PINGREQ => Self::Ping,
            kind::PUBLISH => Self::Publish(rest.request()?),
            kind::QUERY => Self::Query(rest.request()?),
            kind::PUBACK | kind::QUERYCON => Self::Confirmed(rest.u16()?),
            kind::DISCONNECT => {
                rest.u8()?;
                Self::Disconnect(rest.u8()?)
            }
            other => return Err(BadFrame::Kind(other)),
        })
    }
}

/// The remaining bytes.
struct Rest(Bytes);

impl Rest {
    fn take(&mut self, length: usize) -> Result<Bytes, BadFrame> {
        if self.0.len() < length {
            return Err(BadFrame::Short);
        }
        Ok(self.0.split_to(length))
    }

    fn u8(&mut self) -> Result<u8, BadFrame> {
        Ok(self.take(1)?[0])
    }

    fn u16(&mut self) -> Result<u16, BadFrame> {
        let bytes = self.take(2)?;
        Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    fn text(&mut self) -> Result<String, BadFrame> {
        let length = self.u16()?;
        Ok(text::lenient(&self.take(usize::from(length))?))
    }

    fn request(&mut self) -> Result<Request, BadFrame> {
        let (topic, target, id) = (self.text()?, self.text()?, self.u16()?);
        Ok(Request { topic, target, id, body: std::mem::take(&mut self.0) })
    }
}

/// Whether the client confirms a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It does.
    Confirmed,
    /// It does not: the user sent this on another device.
    Echo,
}

impl Mode {
    fn bits(self) -> u8 {
        match self {
            Self::Confirmed => 0x2,
            Self::Echo => 0xA,
        }
    }
}

/// The reply to an accepted connection, as the client of this protocol version expects it.
pub(crate) fn accepted(version: u8, user: &str, session: &str, now: Millis) -> Bytes {
    let mut out = head(kind::CONNACK, 0, 16 + user.len() + session.len());
    out.put_u8(0);
    out.put_u8(0);
    if version >= 4 {
        // the bits of the fields that follow: user, session, time, first message id
        out.put_u8(0x0F);
    }
    put_text(&mut out, user);
    put_text(&mut out, session);
    out.put_u64(now.0);
    if version >= 4 {
        out.put_u16(0);
    }
    out.freeze()
}

/// The reply to a refused connection.
pub(crate) fn refused(status: u8) -> Bytes {
    Bytes::copy_from_slice(&[kind::CONNACK << 4, 0, status])
}

/// A frame that is pushed to the client.
pub(crate) fn publish(mode: Mode, now: Millis, topic: &str, target: &str, id: u16, body: &[u8]) -> Bytes {
    let mut out = head(kind::PUBLISH, mode.bits(), 10 + topic.len() + target.len() + body.len());
    put_seconds(&mut out, now);
    put_text(&mut out, topic);
    put_text(&mut out, target);
    out.put_u16(id);
    out.put_slice(body);
    out.freeze()
}

/// The outcome of a message that a client published.
pub(crate) fn published(id: u16, at: Millis, status: u16, uid: &str) -> Bytes {
    let mut out = head(kind::PUBACK, 0, 12 + uid.len());
    out.put_u16(id);
    put_seconds(&mut out, at);
    out.put_u16(status);
    out.put_u16(u16::try_from(at.0 % 1000).unwrap_or(0));
    put_text(&mut out, uid);
    out.freeze()
}

/// The reply to a query; the client confirms it.
pub(crate) fn answered(id: u16, now: Millis, status: u16, body: &[u8]) -> Bytes {
    let mut out = head(kind::QUERYACK, Mode::Confirmed.bits(), 8 + body.len());
    out.put_u16(id);
    put_seconds(&mut out, now);
    out.put_u16(status);
    out.put_slice(body);
    out.freeze()
}

/// The reply to a ping.
pub(crate) fn pong() -> Bytes {
    Bytes::from_static(&[kind::PINGRESP << 4])
}

/// The end of the connection, with the reason.
pub(crate) fn disconnect(status: u8) -> Bytes {
    Bytes::copy_from_slice(&[kind::DISCONNECT << 4, 0, status])
}

fn head(kind: u8, bits: u8, capacity: usize) -> BytesMut {
    let mut out = BytesMut::with_capacity(1 + capacity);
    out.put_u8(kind << 4 | bits);
    out
}

/// Four bytes of seconds; clients read them signed, which holds until 2038.
fn put_seconds(out: &mut BytesMut, at: Millis) {
    out.put_u32(u32::try_from(at.seconds()).unwrap_or(u32::MAX));
}

/// A text, truncated to the maximum of its length field.
fn put_text(out: &mut BytesMut, text: &str) {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    let end = text.floor_char_boundary(usize::from(length));
    out.put_u16(u16::try_from(end).unwrap_or(u16::MAX));
    out.put_slice(&text.as_bytes()[..end]);
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn decode(hex: &str) -> Result<Incoming, BadFrame> {
        Incoming::decode(&Bytes::from(hex::decode(hex.replace(' ', "")).unwrap()))
    }

    #[test]
    fn frames_are_read() {
        assert_eq!(decode("c0").unwrap(), Incoming::Ping);
        assert_eq!(decode("400001").unwrap(), Incoming::Confirmed(1));
        assert_eq!(decode("700002").unwrap(), Incoming::Confirmed(2));
        assert_eq!(decode("e00004").unwrap(), Incoming::Disconnect(4));
        let query = decode("50 0001 61 0002 6731 0009 0800").unwrap();
        let request =
            Request { topic: "a".to_owned(), target: "g1".to_owned(), id: 9, body: Bytes::from_static(&[8, 0]) };
        assert_eq!(query, Incoming::Query(request));
    }

    #[test]
    fn what_is_cut_or_strange_is_refused() {
        for cut in ["", "40", "4000", "e000", "50", "500005", "50000561", "500001610001", "5000016100016200"] {
            assert_eq!(decode(cut), Err(BadFrame::Short), "{cut}");
        }
        for strange in ["00", "10", "20", "60", "80", "90", "a0", "b0", "d0", "f0"] {
            assert!(matches!(decode(strange), Err(BadFrame::Kind(_))), "{strange}");
        }
        assert_eq!(Incoming::decode(&Bytes::from(vec![0x50; LONGEST + 1])), Err(BadFrame::TooLong));
    }

    #[test]
    fn characters_beyond_two_bytes_are_read_as_clients_write_them() {
        let query = decode("50 0001 61 0007 75 eda0bd edb880 0001").unwrap();
        assert!(matches!(query, Incoming::Query(request) if request.target == "u\u{1F600}"));
    }
}
