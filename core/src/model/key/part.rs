//! The parts of keys: how they are written as bytes, and by people.

use super::super::{FileId, GroupId, MessageId, Millis, Queue, TopicId, UserId};

/// A text as it was before it was written into a key. Ids hold nothing that is escaped.
pub(super) fn unescaped(part: &[u8]) -> Option<String> {
    let mut text = Vec::with_capacity(part.len());
    let mut bytes = part.iter();
    while let Some(byte) = bytes.next() {
        text.push(match byte {
            1 => bytes.next()?.checked_sub(1)?,
            other => *other,
        });
    }
    String::from_utf8(text).ok()
}

/// Writes the parts of a key.
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(super) fn new(tag: u8) -> Self {
        let mut writer = Self::behind(&[]);
        writer.tag(tag);
        writer
    }

    pub(super) fn behind(prefix: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(prefix.len() + 48);
        bytes.extend_from_slice(prefix);
        Self(bytes)
    }

    /// Writes behind what a buffer holds.
    pub(super) fn over(buffer: Vec<u8>) -> Self {
        Self(buffer)
    }

    pub(super) fn tag(&mut self, tag: u8) {
        self.0.push(tag);
    }

    pub(super) fn part(&mut self, part: &impl Part) {
        part.write(&mut self.0);
    }

    pub(super) fn done(self) -> Vec<u8> {
        self.0
    }
}

/// What is left of a key that is read.
pub(super) struct Reader<'b>(pub(super) &'b [u8]);

impl Reader<'_> {
    /// The next text, as it was before it was escaped.
    fn text(&mut self) -> Option<String> {
        let end = self.0.iter().position(|byte| *byte == 0)?;
        let text = unescaped(&self.0[..end])?;
        self.0 = &self.0[end + 1..];
        Some(text)
    }
}

/// A part of a key as people write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyPart {
    /// An id, a queue, or a text that a client chose.
    Text(String),
    /// A number, or a time in milliseconds since 1970.
    Number(u64),
}

pub(super) trait Part: Sized {
    const IS_NUMBER: bool = false;
    fn write(&self, out: &mut Vec<u8>);
    fn read(from: &mut Reader<'_>) -> Option<Self>;
    fn shown(&self) -> KeyPart;
    fn of(part: KeyPart) -> Option<Self>;
}

impl KeyPart {
    fn text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            Self::Number(_) => None,
        }
    }
}

impl Part for u64 {
    const IS_NUMBER: bool = true;

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_be_bytes());
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        let (number, rest) = from.0.split_first_chunk::<8>()?;
        from.0 = rest;
        Some(Self::from_be_bytes(*number))
    }

    fn shown(&self) -> KeyPart {
        KeyPart::Number(*self)
    }

    fn of(part: KeyPart) -> Option<Self> {
        match part {
            KeyPart::Number(number) => Some(number),
            KeyPart::Text(_) => None,
        }
    }
}

impl Part for Millis {
    const IS_NUMBER: bool = true;

    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        u64::read(from).map(Self)
    }

    fn shown(&self) -> KeyPart {
        KeyPart::Number(self.0)
    }

    fn of(part: KeyPart) -> Option<Self> {
        u64::of(part).map(Self)
    }
}

impl Part for String {
    /// Texts that clients choose freely may hold zero bytes; they are escaped so that order and prefixes hold.
    fn write(&self, out: &mut Vec<u8>) {
        if self.bytes().fold(0, |found, byte| found | u8::from(byte <= 1)) == 0 {
            out.extend_from_slice(self.as_bytes());
            out.push(0);
            return;
        }
        for byte in self.bytes() {
            match byte {
                0 => out.extend_from_slice(&[1, 1]),
                1 => out.extend_from_slice(&[1, 2]),
                other => out.push(other),
            }
        }
        out.push(0);
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        from.text()
    }

    fn shown(&self) -> KeyPart {
        KeyPart::Text(self.clone())
    }

    fn of(part: KeyPart) -> Option<Self> {
        part.text()
    }
}

impl Part for Queue {
    fn write(&self, out: &mut Vec<u8>) {
        self.part().write(out);
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        Self::of_part(&from.text()?)
    }

    fn shown(&self) -> KeyPart {
        KeyPart::Text(self.part())
    }

    fn of(part: KeyPart) -> Option<Self> {
        Self::of_part(&part.text()?)
    }
}

macro_rules! id_part {
    ($($id:ty),*) => {
        $(impl Part for $id {
            fn write(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(self.as_str().as_bytes());
                out.push(0);
            }

            fn read(from: &mut Reader<'_>) -> Option<Self> {
                Self::new(from.text()?).ok()
            }

            fn shown(&self) -> KeyPart {
                KeyPart::Text(self.as_str().to_owned())
            }

            fn of(part: KeyPart) -> Option<Self> {
                Self::new(part.text()?).ok()
            }
        })*
    };
}

id_part!(GroupId, UserId, FileId, MessageId, TopicId);
