//! The input of a step: the rows of one realm before it, and a target for its changes.

use std::collections::BTreeMap;

use conclave_core::model::{Key, Prefix, Row};
use conclave_core::ports::StoreError;
use fjall::{PersistMode, Readable as _};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::super::engine::{Engine, Mark};
use super::super::failed;
use super::super::rows::{RealmPrefix, encode};
use super::steps::Step;

/// Changes in one round.
const ROUND: usize = if cfg!(test) { 100 } else { 10_000 };

/// The rows of one realm: read as they were before the step, and changed by it.
pub(super) struct RealmRows<'u> {
    engine: &'u Engine,
    before: &'u fjall::Snapshot,
    realm: RealmPrefix,
    changes: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    mark: &'u mut Mark,
}

/// A row as an earlier version wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OldRow(Vec<u8>);

#[allow(dead_code, reason = "steps use what they need")]
impl<'u> RealmRows<'u> {
    /// The rows of a range with their keys, in the order of the keys, as they were before the step.
    pub(super) fn rows(
        &self,
        prefix: &Prefix,
    ) -> impl Iterator<Item = Result<(Vec<u8>, OldRow), StoreError>> + use<'u> {
        self.rows_below(prefix.as_bytes())
    }

    /// The same for all keys with this prefix: `&[tag]` is a whole table.
    pub(super) fn rows_below(
        &self,
        prefix: &[u8],
    ) -> impl Iterator<Item = Result<(Vec<u8>, OldRow), StoreError>> + use<'u> {
        let realm = self.realm.clone();
        let found = self.before.prefix(&self.engine.table, realm.join(prefix));
        found.map(move |row| {
            let (key, row) = row.into_inner().map_err(failed)?;
            Ok((realm.strip(&key).to_vec(), OldRow(row.to_vec())))
        })
    }

    /// The row with a key as it was before the step.
    pub(super) fn row(&self, key: &Key) -> Result<Option<OldRow>, StoreError> {
        let row = self.before.get(&self.engine.table, self.realm.key(key)).map_err(failed)?;
        Ok(row.map(|row| OldRow(row.to_vec())))
    }

    /// Writes this row.
    pub(super) fn put(&mut self, key: &Key, row: &Row) -> Result<(), StoreError> {
        self.put_at(&key.encode(), row)
    }

    /// The same, by the key's bytes as [`Self::rows`] returns them.
    pub(super) fn put_at(&mut self, key: &[u8], row: &Row) -> Result<(), StoreError> {
        self.change(key, Some(encode(row)?))
    }

    /// Writes an old row under another key.
    pub(super) fn put_old(&mut self, key: &[u8], row: OldRow) -> Result<(), StoreError> {
        self.change(key, Some(row.0))
    }

    /// Deletes the row with this key.
    pub(super) fn delete_at(&mut self, key: &[u8]) -> Result<(), StoreError> {
        self.change(key, None)
    }

    fn change(&mut self, key: &[u8], row: Option<Vec<u8>>) -> Result<(), StoreError> {
        self.changes.insert(self.realm.join(key), row);
        if self.changes.len() < ROUND { Ok(()) } else { self.write() }
    }

    fn write(&mut self) -> Result<(), StoreError> {
        if self.changes.is_empty() {
            return Ok(());
        }
        let mark = Mark { round: self.mark.round + 1, ..*self.mark };
        let mut batch = self.engine.round(mark).durability(Some(PersistMode::Buffer));
        for (key, row) in std::mem::take(&mut self.changes) {
            match row {
                Some(row) => batch.insert(&self.engine.table, key, row),
                None => batch.remove(&self.engine.table, key),
            }
        }
        batch.commit().map_err(failed)?;
        *self.mark = mark;
        Ok(())
    }
}

#[allow(dead_code, reason = "steps use what they need")]
impl OldRow {
    /// A row of this kind (the name of its variant of [`Row`]) in the form of an earlier version.
    pub(super) fn of(kind: &str, value: &impl Serialize) -> Result<Self, StoreError> {
        let row = BTreeMap::from([(kind, value)]);
        rmp_serde::to_vec_named(&row).map(Self).map_err(failed_to_encode)
    }

    /// The row if it is of this kind (the name of its variant of [`Row`] when it was written), parsed as a type of the
    /// step's own.
    pub(super) fn read<T: DeserializeOwned>(&self, kind: &str) -> Result<Option<T>, StoreError> {
        // a map of one entry, the kind's name, the value
        let Some(rest) = self.0.strip_prefix(&[0x81]) else { return Ok(None) };
        let mut name = rest;
        let length = rmp_serde::decode::from_read::<_, String>(&mut name).map_err(unreadable)?;
        if length != kind {
            return Ok(None);
        }
        rmp_serde::from_slice(name).map(Some).map_err(unreadable)
    }
}

fn failed_to_encode(error: impl std::fmt::Display) -> StoreError {
    StoreError(format!("a row cannot be encoded: {error}"))
}

fn unreadable(error: impl std::fmt::Display) -> StoreError {
    StoreError(format!("an old row cannot be read: {error}"))
}

/// The first round of a database without one.
pub(super) fn begin(engine: &Engine, store: [u8; 16]) -> Result<Mark, StoreError> {
    let mark = Mark { round: 1, store };
    engine.round(mark).durability(Some(PersistMode::Buffer)).commit().map_err(failed)?;
    Ok(mark)
}

/// Runs a step over all realms.
pub(super) fn apply(engine: &Engine, mut mark: Mark, step: &Step) -> Result<Mark, StoreError> {
    let before = engine.database.snapshot();
    let mut from = RealmPrefix::new("").end();
    while let Some(first) = before.range(&engine.table, from.clone()..).next() {
        let key = first.key().map_err(failed)?;
        let Some(realm) = RealmPrefix::of(&key) else { break };
        from = realm.end();
        let mut rows = RealmRows { engine, before: &before, realm, changes: BTreeMap::new(), mark: &mut mark };
        (step.realm)(&mut rows)?;
        rows.write()?;
    }
    Ok(mark)
}
