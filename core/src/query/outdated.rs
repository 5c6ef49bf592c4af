//! Looking for rows that time has passed by.

use crate::model::{Key, Prefix};
use crate::operation::is_outdated;
use crate::ports::Span;
use crate::refusal::Refusal;

use super::{Cursor, Reader};

/// Where rows are whose time is over, a bounded number of rows at a time. For the app only.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outdated {
    /// Where to go on.
    pub after: Option<Cursor>,
    /// Look at so many rows at most.
    pub limit: usize,
}

/// Places to sweep.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OutdatedRows {
    /// Where they are.
    pub places: Vec<Key>,
    /// Where to go on, unless everything was looked at.
    pub next: Option<Cursor>,
}

impl Outdated {
    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<OutdatedRows, Refusal> {
        reader.check_app()?;
        let mut found = OutdatedRows::default();
        let mut left = self.limit;
        let after = self.after.map(|cursor| cursor.0).unwrap_or_default();
        for table in Prefix::outdatable().filter(|table| table.end() > after) {
            let begun = after.starts_with(table.as_bytes()).then(|| after.clone());
            let rows = reader.store.scan(&Span::first(table, left).after(begun)).await?;
            left -= rows.len();
            let last = rows.last().map(|(key, _)| Cursor(key.clone()));
            let over = rows.into_iter().filter(|(_, row)| is_outdated(row, reader.now, reader.settings));
            found.places.extend(over.filter_map(|(key, _)| Key::outdatable(&key)));
            if left == 0 {
                found.next = last;
                break;
            }
        }
        Ok(found)
    }
}
