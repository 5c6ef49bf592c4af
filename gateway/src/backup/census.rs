//! Checks and counts rows.

use std::fmt;
use std::sync::Arc;

use conclave_core::model::{Prefix, Row, SharedFile};
use serde::{Deserialize, Serialize};

use crate::store::{RealmPrefix, decode, is_mark};

/// The counts of a data folder or a backup.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counts {
    pub(crate) realms: u64,
    pub(crate) accounts: u64,
    pub(crate) groups: u64,
    pub(crate) members: u64,
    pub(crate) messages: u64,
    pub(crate) events: u64,
    pub(crate) files: u64,
    /// All rows, those of indexes too.
    pub(crate) rows: u64,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { realms, accounts, groups, members, messages, events, files, rows } = self;
        write!(
            f,
            "  realms    {realms}\n  accounts  {accounts}\n  groups    {groups}\n  members   {members}\n  messages  {messages}\n  \
             events    {events}\n  files     {files}\n  rows      {rows}"
        )
    }
}

/// Counts rows in the order of their keys, and checks what one row at a time can show: that each can be
/// read, that keys ascend, and that each realm's log has no gap and ends at the number that the realm has stored.
#[derive(Debug)]
pub(crate) struct Census {
    counts: Counts,
    last_key: Vec<u8>,
    realm: Option<RealmPrefix>,
    /// The number of the realm's last event, as the realm has it stored.
    last_event: u64,
    event: Option<u64>,
    members: Prefix,
    events: Prefix,
}

impl Default for Census {
    fn default() -> Self {
        Self {
            counts: Counts::default(),
            last_key: Vec::new(),
            realm: None,
            last_event: 0,
            event: None,
            members: Prefix::all_members(),
            events: Prefix::events(),
        }
    }
}

impl Census {
    /// Counts a row; returns the shared file that it is about, if any. The error says what is wrong with it.
    pub(crate) fn add(&mut self, key: &[u8], value: &[u8]) -> Result<Option<Arc<SharedFile>>, String> {
        if self.counts.rows > 0 && key <= self.last_key.as_slice() {
            return Err("rows are not in the order of their keys".to_owned());
        }
        key.clone_into(&mut self.last_key);
        self.counts.rows += 1;
        if is_mark(key) {
            return Ok(None);
        }
        let prefix = RealmPrefix::of(key).ok_or("a row belongs to no realm")?;
        if self.realm.as_ref() != Some(&prefix) {
            self.end_realm()?;
            self.counts.realms += 1;
            (self.last_event, self.event) = (0, None);
        }
        let row = decode(value).map_err(|error| error.0)?;
        let rest = prefix.strip(key);
        if rest == [0] {
            let last = row.text().and_then(|text| text.parse().ok());
            self.last_event = last.ok_or("the number of the last event cannot be read")?;
        }
        self.realm = Some(prefix);
        let file = self.count(&row, key)?;
        Ok(file)
    }

    fn count(&mut self, row: &Row, key: &[u8]) -> Result<Option<Arc<SharedFile>>, String> {
        let rest = self.realm.as_ref().map(|realm| realm.strip(key)).unwrap_or_default();
        match row {
            Row::User(_) => self.counts.accounts += 1,
            Row::Group(_) => self.counts.groups += 1,
            Row::Member(_) if rest.starts_with(self.members.as_bytes()) => self.counts.members += 1,
            Row::Message(_) => self.counts.messages += 1,
            Row::Event(event) if rest.starts_with(self.events.as_bytes()) => {
                if self.event.is_some_and(|before| event.sequence != before + 1) {
                    return Err(format!("event {} follows event {}", event.sequence, self.event.unwrap_or_default()));
                }
                self.event = Some(event.sequence);
                self.counts.events += 1;
            }
            Row::File(file) => {
                self.counts.files += 1;
                return Ok(Some(Arc::clone(file)));
            }
            _ => {}
        }
        Ok(None)
    }

    fn end_realm(&self) -> Result<(), String> {
        match self.event {
            Some(event) if event != self.last_event => {
                Err(format!("a realm's log ends with event {event} instead of {}", self.last_event))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn end(self) -> Result<Counts, String> {
        self.end_realm()?;
        Ok(self.counts)
    }
}
