//! The engines, each behind the same three calls.

use std::path::Path;

use fjall::{KeyspaceCreateOptions, PersistMode};
use redb::{ReadableDatabase, TableDefinition};

use crate::load::{Engine, Open, Outcome, Write};

/// Name and way to open, in the order of measuring.
pub(crate) const ALL: &[(&str, Open)] = &[("fjall", open_fjall), ("redb", open_redb)];

struct Fjall {
    database: fjall::Database,
    rows: fjall::Keyspace,
}

fn open_fjall(folder: &Path) -> Outcome<Box<dyn Engine>> {
    let database =
        fjall::Database::builder(folder).worker_threads(1).cache_size(16 << 20).manual_journal_persist(true).open()?;
    let rows = database.keyspace("rows", || KeyspaceCreateOptions::default().max_memtable_size(8 << 20))?;
    Ok(Box::new(Fjall { database, rows }))
}

impl Engine for Fjall {
    fn write(&self, writes: Vec<Write>) -> Outcome<()> {
        let mut batch = self.database.batch().durability(Some(PersistMode::SyncData));
        for (key, value) in writes {
            match value {
                Some(value) => batch.insert(&self.rows, key, value),
                None => batch.remove(&self.rows, key),
            }
        }
        Ok(batch.commit()?)
    }

    fn get(&self, key: &[u8]) -> Outcome<Option<Vec<u8>>> {
        Ok(self.rows.get(key)?.map(|value| value.to_vec()))
    }

    fn scan(&self, prefix: &[u8], limit: usize) -> Outcome<usize> {
        let mut bytes = 0;
        for row in self.rows.prefix(prefix).take(limit) {
            let (key, value) = row.into_inner()?;
            bytes += key.to_vec().len() + value.to_vec().len();
        }
        Ok(bytes)
    }
}

const ROWS: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("rows");

struct Redb(redb::Database);

fn open_redb(folder: &Path) -> Outcome<Box<dyn Engine>> {
    let database = redb::Builder::new().set_cache_size(16 << 20).create(folder.join("rows.redb"))?;
    let first = database.begin_write()?;
    first.open_table(ROWS)?;
    first.commit()?;
    Ok(Box::new(Redb(database)))
}

impl Engine for Redb {
    fn write(&self, writes: Vec<Write>) -> Outcome<()> {
        let transaction = self.0.begin_write()?;
        {
            let mut rows = transaction.open_table(ROWS)?;
            for (key, value) in writes {
                match value {
                    Some(value) => drop(rows.insert(key.as_slice(), value.as_slice())?),
                    None => drop(rows.remove(key.as_slice())?),
                }
            }
        }
        Ok(transaction.commit()?)
    }

    fn get(&self, key: &[u8]) -> Outcome<Option<Vec<u8>>> {
        let rows = self.0.begin_read()?.open_table(ROWS)?;
        Ok(rows.get(key)?.map(|value| value.value().to_vec()))
    }

    fn scan(&self, prefix: &[u8], limit: usize) -> Outcome<usize> {
        let rows = self.0.begin_read()?.open_table(ROWS)?;
        let mut bytes = 0;
        for row in rows.range(prefix..)?.take(limit) {
            let (key, value) = row?;
            if !key.value().starts_with(prefix) {
                break;
            }
            bytes += key.value().to_vec().len() + value.value().to_vec().len();
        }
        Ok(bytes)
    }
}
