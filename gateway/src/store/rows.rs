//! Keys and values as bytes.
//!
//! A key is the realm's name, escaped and ended by a zero byte, then the core's key. A value is `MessagePack` with the
//! names of fields, so that a later version can add a field with `#[serde(default)]` and read what an older one wrote.

use std::ops::Bound;

use conclave_core::memory;
use conclave_core::model::{Key, Row};
use conclave_core::ports::{Span, StoreError};
use serde::Serialize as _;

/// The prefix of all keys of one realm.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct RealmPrefix(Vec<u8>);

impl RealmPrefix {
    /// No realm's prefix is a prefix of another's.
    pub(super) fn new(realm: &str) -> Self {
        let mut bytes = Vec::with_capacity(realm.len() + 1);
        for byte in realm.bytes() {
            match byte {
                0 => bytes.extend_from_slice(&[1, 1]),
                1 => bytes.extend_from_slice(&[1, 2]),
                other => bytes.push(other),
            }
        }
        bytes.push(0);
        Self(bytes)
    }

    /// The prefix a stored key begins with.
    pub(crate) fn of(key: &[u8]) -> Option<Self> {
        let end = key.iter().position(|byte| *byte == 0)?;
        Some(Self(key.get(..=end)?.to_vec()))
    }

    /// The first key after all keys of the realm.
    pub(super) fn end(&self) -> Vec<u8> {
        let mut end = self.0.clone();
        if let Some(last) = end.last_mut() {
            *last = 1;
        }
        end
    }

    /// The stored form of a key.
    pub(super) fn key(&self, key: &Key) -> Vec<u8> {
        key.encode_behind(&self.0)
    }

    /// The key of the number of the realm's last event. No table of the core has the tag 0.
    pub(super) fn sequence(&self) -> Vec<u8> {
        self.join(&[0])
    }

    pub(super) fn join(&self, rest: &[u8]) -> Vec<u8> {
        [&self.0, rest].concat()
    }

    /// The core's key in a stored one.
    pub(crate) fn strip<'k>(&self, key: &'k [u8]) -> &'k [u8] {
        key.get(self.0.len()..).unwrap_or_default()
    }

    /// The range of stored keys that a span reads; `None` when it is empty.
    pub(super) fn bounds(&self, span: &Span) -> Option<Range> {
        let (low, high) = memory::bounds(span)?;
        Some((low.map(|low| self.join(&low)), high.map(|high| self.join(&high))))
    }
}

/// A range of stored keys.
pub(super) type Range = (Bound<Vec<u8>>, Bound<Vec<u8>>);

pub(super) fn encode(row: &Row) -> Result<Vec<u8>, StoreError> {
    /// Enough for most rows.
    const ROOM: usize = 512;
    let mut bytes = Vec::with_capacity(ROOM);
    let mut writer = rmp_serde::Serializer::new(&mut bytes).with_struct_map();
    row.serialize(&mut writer).map_err(|error| StoreError(format!("a row cannot be written: {error}")))?;
    Ok(bytes)
}

pub(crate) fn decode(bytes: &[u8]) -> Result<Row, StoreError> {
    rmp_serde::from_slice(bytes).map_err(|error| {
        StoreError(format!("a row cannot be read: {error}; was the data folder written by a newer conclave?"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_realm_begins_with_another() {
        for (one, other) in [("a", "ab"), ("a", "a\0"), ("a\0b", "a"), ("a\u{1}", "a\0"), ("", "a")] {
            let (one, other) = (RealmPrefix::new(one), RealmPrefix::new(other));
            assert!(!other.0.starts_with(&one.0) && !one.0.starts_with(&other.0));
        }
    }

    #[test]
    fn a_realm_ends_after_its_last_key() {
        let prefix = RealmPrefix::new("dev");
        assert!(prefix.join(&[u8::MAX; 40]) < prefix.end());
        assert_eq!(RealmPrefix::of(&prefix.join(&[0, 1, 2])), Some(prefix));
    }
}
