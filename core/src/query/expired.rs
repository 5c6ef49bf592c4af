//! Looking for rows that time has passed by.

use crate::model::{Key, Prefix};
use crate::operation::is_outdated;
use crate::ports::Span;
use crate::refusal::Refusal;

use super::{Cursor, Reader};

/// Places to sweep.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ExpiredRows {
    /// The keys of the expired rows.
    pub places: Vec<Key>,
    /// The cursor, unless everything was checked.
    pub next: Option<Cursor>,
}

/// [`Maintenance::expired`](crate::ports::Maintenance::expired).
pub(crate) async fn expired(reader: &Reader<'_>, after: Option<Cursor>, limit: usize) -> Result<ExpiredRows, Refusal> {
    let mut found = ExpiredRows::default();
    let mut left = limit;
    let after = after.map(|cursor| cursor.0).unwrap_or_default();
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
