//! The frames of a backup's stream.
//!
//! A frame is its kind (1 byte), the length of its content (4 bytes, little endian), the content, and the xxh3-64
//! checksum of all of that (8 bytes, little endian). The file of rows in a backup consists of frames of rows, as received.

use std::io::{self, Read};

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

/// An upper bound of a frame's length: a row is at most a few megabytes.
const LARGEST: usize = 64 << 20;
/// Kind and length.
const HEAD: usize = 5;
/// The checksum.
const SUM: usize = 8;

/// The first frame of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    /// The version of the stream.
    pub(crate) stream: u32,
    /// The version of conclave that writes it.
    pub(crate) written_by: String,
    /// The format of the data folder's rows.
    pub(crate) data_format: u32,
    /// The data folder's id, in hexadecimal digits.
    pub(crate) store: String,
    /// The last acknowledged round.
    pub(crate) round: u64,
    /// The time of the backup, in Unix milliseconds.
    pub(crate) taken_at_ms: u64,
}

/// The version of the stream that this version writes and reads.
pub(crate) const STREAM: u32 = 1;

/// The last frame of a stream: its counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Totals {
    pub(crate) rows: u64,
    pub(crate) blobs: u64,
    pub(crate) blob_bytes: u64,
    pub(crate) webhooks: u64,
}

/// One part of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Frame {
    Head(Head),
    /// Rows one after the other: lengths of key and value (4 bytes each, little endian), key, value.
    Rows(Bytes),
    /// A webhook's delivery position: the file's name and content.
    Webhook(String, Bytes),
    /// The bytes of a shared file follow: its id and size.
    Blob(String, u64),
    /// A part of those bytes.
    Piece(Bytes),
    /// The end of the stream, with counts of what was sent.
    End(Totals),
    /// The sender has failed.
    Failed(String),
}

impl Frame {
    fn kind(&self) -> u8 {
        match self {
            Self::Head(_) => 1,
            Self::Rows(_) => 2,
            Self::Webhook(..) => 3,
            Self::Blob(..) => 4,
            Self::Piece(_) => 5,
            Self::End(_) => 6,
            Self::Failed(_) => 7,
        }
    }

    /// Encodes the frame.
    pub(crate) fn encode(&self) -> Bytes {
        let content = match self {
            Self::Head(head) => json(head),
            Self::Rows(bytes) | Self::Piece(bytes) => bytes.clone(),
            Self::Webhook(name, content) => json(&(name, &content[..])),
            Self::Blob(id, size) => json(&(id, size)),
            Self::End(totals) => json(totals),
            Self::Failed(why) => json(why),
        };
        let mut out = BytesMut::with_capacity(HEAD + content.len() + SUM);
        out.put_u8(self.kind());
        // rows and pieces are cut far below 4 GB
        out.put_u32_le(u32::try_from(content.len()).unwrap_or(u32::MAX));
        out.put(content);
        let sum = xxh3_64(&out);
        out.put_u64_le(sum);
        out.freeze()
    }

    fn decode(kind: u8, content: Bytes) -> Option<Self> {
        Some(match kind {
            1 => Self::Head(serde_json::from_slice(&content).ok()?),
            2 => Self::Rows(content),
            3 => {
                let (name, content): (String, Vec<u8>) = serde_json::from_slice(&content).ok()?;
                Self::Webhook(name, content.into())
            }
            4 => {
                let (id, size) = serde_json::from_slice(&content).ok()?;
                Self::Blob(id, size)
            }
            5 => Self::Piece(content),
            6 => Self::End(serde_json::from_slice(&content).ok()?),
            7 => Self::Failed(serde_json::from_slice(&content).ok()?),
            _ => return None,
        })
    }
}

fn json(value: &impl Serialize) -> Bytes {
    // texts and numbers can always be written as JSON
    serde_json::to_vec(value).unwrap_or_default().into()
}

/// Decodes frames from bytes as they arrive.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    bytes: BytesMut,
}

/// The bytes are not a stream of frames, or are damaged.
#[derive(Debug, thiserror::Error)]
#[error("a part of the backup's data does not have the checksum it was written with")]
pub(crate) struct BadFrame;

impl Decoder {
    /// Appends received bytes.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole frame.
    pub(crate) fn next(&mut self) -> Result<Option<Frame>, BadFrame> {
        let Some((head, rest)) = self.bytes.split_first_chunk::<HEAD>() else { return Ok(None) };
        let [kind, length @ ..] = *head;
        let length = u32::from_le_bytes(length) as usize;
        if length > LARGEST {
            return Err(BadFrame);
        }
        if rest.len() < length + SUM {
            return Ok(None);
        }
        let mut frame = self.bytes.split_to(HEAD + length + SUM).freeze();
        let sum = frame.split_off(HEAD + length).get_u64_le();
        if xxh3_64(&frame) != sum {
            return Err(BadFrame);
        }
        frame.advance(HEAD);
        Frame::decode(kind, frame).map(Some).ok_or(BadFrame)
    }

    /// Whether no bytes are left.
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// Reads frames from a file.
pub(crate) struct Frames<R> {
    reader: R,
    decoder: Decoder,
}

impl<R: Read> Frames<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self { reader, decoder: Decoder::default() }
    }

    /// The next frame; `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Result<Option<Frame>, BadFrame>> {
        let mut piece = vec![0; 1 << 16];
        loop {
            match self.decoder.next() {
                Ok(None) => {}
                found => return Ok(found),
            }
            match self.reader.read(&mut piece) {
                Ok(0) => return Ok(if self.decoder.is_empty() { Ok(None) } else { Err(BadFrame) }),
                Ok(read) => self.decoder.push(piece.get(..read).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Collects rows for one frame.
#[derive(Debug, Default)]
pub(crate) struct RowsBuffer(BytesMut);

impl RowsBuffer {
    /// Adds a row.
    pub(crate) fn add(&mut self, key: &[u8], value: &[u8]) {
        for part in [key, value] {
            self.0.put_u32_le(u32::try_from(part.len()).unwrap_or(u32::MAX));
        }
        self.0.put_slice(key);
        self.0.put_slice(value);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The collected rows as a frame; `None` if there are none.
    pub(crate) fn take(&mut self) -> Option<Frame> {
        (!self.0.is_empty()).then(|| Frame::Rows(self.0.split().freeze()))
    }
}

/// The rows in a frame's content: key and value.
pub(crate) fn rows(content: &[u8]) -> impl Iterator<Item = Result<(&[u8], &[u8]), BadFrame>> {
    let mut rest = content;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let row = split_row(rest);
        rest = row.map_or(&[], |(_, _, after)| after);
        Some(row.map(|(key, value, _)| (key, value)).ok_or(BadFrame))
    })
}

fn split_row(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (key, rest) = bytes.split_first_chunk::<4>()?;
    let (value, rest) = rest.split_first_chunk::<4>()?;
    let (key, rest) = rest.split_at_checked(u32::from_le_bytes(*key) as usize)?;
    let (value, rest) = rest.split_at_checked(u32::from_le_bytes(*value) as usize)?;
    Some((key, value, rest))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_as_written_in_pieces_of_any_size() {
        let mut buffer = RowsBuffer::default();
        buffer.add(b"key", b"value");
        buffer.add(b"", b"");
        let head = Head {
            stream: STREAM,
            written_by: "0".to_owned(),
            data_format: 2,
            store: "00".to_owned(),
            round: 7,
            taken_at_ms: 1,
        };
        let frames = [
            Frame::Head(head),
            buffer.take().unwrap(),
            Frame::Webhook("a.json".to_owned(), Bytes::from_static(b"{}")),
            Frame::Blob("id".to_owned(), 3),
            Frame::Piece(Bytes::from_static(b"abc")),
            Frame::End(Totals { rows: 2, blobs: 1, blob_bytes: 3, webhooks: 1 }),
            Frame::Failed("why".to_owned()),
        ];
        let bytes: Vec<u8> = frames.iter().flat_map(|frame| frame.encode().to_vec()).collect();
        for size in [1, 7, bytes.len()] {
            let (mut decoder, mut found) = (Decoder::default(), Vec::new());
            for piece in bytes.chunks(size) {
                decoder.push(piece);
                while let Some(frame) = decoder.next().unwrap() {
                    found.push(frame);
                }
            }
            assert_eq!(found, frames);
            assert!(decoder.is_empty());
        }
        let Frame::Rows(content) = &frames[1] else { panic!("rows") };
        let found: Vec<_> = rows(content).map(Result::unwrap).collect();
        assert_eq!(found, [(&b"key"[..], &b"value"[..]), (&b""[..], &b""[..])]);
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let bytes = Frame::Piece(Bytes::from_static(b"some bytes")).encode();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut damaged = bytes.to_vec();
                damaged[at] ^= 1 << bit;
                let found = Frames::new(&damaged[..]).next().unwrap();
                assert!(!matches!(found, Ok(Some(_))), "byte {at}, bit {bit}");
            }
        }
    }
}
