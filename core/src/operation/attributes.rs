//! A group's free attributes and counters.

use std::collections::BTreeMap;

use crate::decision::Draft;
use crate::event::Happening;
use crate::facts::Stop;
use crate::model::{Attributes, Circle, Counters, GroupId, Key, Row};
use crate::refusal::{Limit, Refusal};

use super::Rule;

/// How attributes change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttributeChange {
    /// These values are written, all others stay.
    Set(BTreeMap<String, String>),
    /// These values are all there is.
    Replace(BTreeMap<String, String>),
    /// These keys go; refused with [`Refusal::KeyNotFound`] when one is not there, if that is wanted.
    Delete {
        /// The attributes' keys.
        keys: Vec<String>,
        /// Whether an unknown key is a refusal.
        must_exist: bool,
    },
    /// All are deleted.
    Clear,
}

/// Writes a group's attributes; for members and the app. Every write creates a new version, one higher than the last.
#[derive(Debug, Clone, PartialEq)]
pub struct WriteAttributes {
    /// The group whose attributes are written.
    pub group: GroupId,
    /// How they change.
    pub change: AttributeChange,
    /// The version the writer has seen; refused with [`Refusal::VersionConflict`] when there is another.
    pub expected: Option<u64>,
    /// Most attributes.
    pub most: Option<u32>,
    /// Most bytes of all keys and values together.
    pub most_bytes: Option<u64>,
}

/// The attributes after a write.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AttributesNow(pub Attributes);

impl Rule for WriteAttributes {
    type Output = AttributesNow;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<AttributesNow, Stop> {
        let group = draft.live_group(&self.group)?;
        draft.permitted(&group, Circle::Members)?;
        let key = Key::Attributes(self.group.clone());
        let mut attributes = draft.row(&key)?.as_ref().and_then(Row::attributes).map(|row| Attributes::clone(row));
        let attributes = attributes.get_or_insert_default();
        if self.expected.is_some_and(|expected| expected != attributes.version) {
            let current = attributes.version;
            return Err(Refusal::VersionConflict { group: group.id, current }.into());
        }
        attributes.version += 1;
        let what = self.apply(attributes)?;
        self.check_limits(attributes)?;
        draft.put(key, attributes.clone());
        draft.put_group(group);
        draft.emit_to_members(&self.group, what);
        Ok(AttributesNow(attributes.clone()))
    }
}

impl WriteAttributes {
    fn apply(&self, attributes: &mut Attributes) -> Result<Happening, Refusal> {
        let version = attributes.version;
        let mut changes = (BTreeMap::new(), Vec::new(), false);
        match &self.change {
            AttributeChange::Set(values) => {
                changes.0.clone_from(values);
                attributes.entries.extend(stamped(values, version));
            }
            AttributeChange::Replace(values) => {
                changes.0.clone_from(values);
                changes.2 = true;
                changes.1 = attributes.entries.keys().filter(|key| !values.contains_key(*key)).cloned().collect();
                attributes.entries = stamped(values, version).collect();
            }
            AttributeChange::Delete { keys, must_exist } => {
                for key in keys {
                    if attributes.entries.remove(key).is_some() {
                        changes.1.push(key.clone());
                    } else if *must_exist && !changes.1.contains(key) {
                        return Err(Refusal::KeyNotFound(key.clone()));
                    }
                }
            }
            AttributeChange::Clear => {
                changes.1 = std::mem::take(&mut attributes.entries).into_keys().collect();
                changes.2 = true;
            }
        }
        let (set, removed, replaced) = changes;
        Ok(Happening::AttributesChanged { version, set, removed, replaced })
    }

    fn check_limits(&self, attributes: &Attributes) -> Result<(), Refusal> {
        let now = attributes.entries.len() as u64;
        if let Some(most) = self.most.filter(|most| now > u64::from(*most)) {
            return Err(Refusal::LimitReached { limit: Limit::Attributes, most: most.into(), now });
        }
        let bytes = attributes.entries.iter().map(|(key, (value, _))| (key.len() + value.len()) as u64).sum::<u64>();
        if let Some(most) = self.most_bytes.filter(|most| bytes > *most) {
            return Err(Refusal::LimitReached { limit: Limit::AttributeBytes, most, now: bytes });
        }
        Ok(())
    }
}

fn stamped(values: &BTreeMap<String, String>, version: u64) -> impl Iterator<Item = (String, (String, u64))> {
    values.iter().map(move |(key, value)| (key.clone(), (value.clone(), version)))
}

/// How one counter changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CounterChange {
    /// Sets the value.
    Set(i64),
    /// Is increased by this, or decreased if it is negative; a counter that did not exist starts at 0.
    Add(i64),
}

/// Changes counters of a group, members and app alike; all of them or none.
#[derive(Debug, Clone, PartialEq)]
pub struct UpdateCounters {
    /// The group whose counters change.
    pub group: GroupId,
    /// The counters with their changes.
    pub changes: BTreeMap<String, CounterChange>,
    /// Most counters the group may have.
    pub most: Option<u32>,
}

/// The counters that were changed, as they are now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CountersNow(pub BTreeMap<String, i64>);

impl Rule for UpdateCounters {
    type Output = CountersNow;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<CountersNow, Stop> {
        let group = draft.live_group(&self.group)?;
        draft.permitted(&group, Circle::Members)?;
        let key = Key::Counters(self.group.clone());
        let mut counters = counters(draft, &key)?;
        let mut set = BTreeMap::new();
        for (name, change) in &self.changes {
            let old = counters.values.get(name).copied().unwrap_or(0);
            let new = match change {
                CounterChange::Set(value) => *value,
                CounterChange::Add(step) => {
                    old.checked_add(*step).ok_or(Refusal::InvalidValue("a counter would overflow"))?
                }
            };
            counters.values.insert(name.clone(), new);
            set.insert(name.clone(), new);
        }
        let now = counters.values.len() as u64;
        if let Some(most) = self.most.filter(|most| now > u64::from(*most)) {
            return Err(Refusal::LimitReached { limit: Limit::Counters, most: most.into(), now }.into());
        }
        if !set.is_empty() {
            draft.put(key, counters);
            draft.put_group(group);
            let what = Happening::CountersChanged { set: set.clone(), removed: Vec::new() };
            draft.emit_to_members(&self.group, what);
        }
        Ok(CountersNow(set))
    }
}

/// Takes counters of a group away, members and app alike. Those that are not there are left out.
#[derive(Debug, Clone, PartialEq)]
pub struct DeleteCounters {
    /// The group whose counters are deleted.
    pub group: GroupId,
    /// The attributes' keys.
    pub keys: Vec<String>,
}

impl Rule for DeleteCounters {
    type Output = ();

    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Stop> {
        let group = draft.live_group(&self.group)?;
        draft.permitted(&group, Circle::Members)?;
        let key = Key::Counters(self.group.clone());
        let mut counters = counters(draft, &key)?;
        let mut removed = self.keys.clone();
        removed.retain(|name| counters.values.remove(name).is_some());
        if removed.is_empty() {
            return Ok(());
        }
        if counters.values.is_empty() {
            draft.delete(key);
        } else {
            draft.put(key, counters);
        }
        draft.put_group(group);
        draft.emit_to_members(&self.group, Happening::CountersChanged { set: BTreeMap::new(), removed });
        Ok(())
    }
}

fn counters(draft: &Draft<'_>, key: &Key) -> Result<Counters, Stop> {
    Ok(draft.row(key)?.as_ref().and_then(Row::counters).map(|row| Counters::clone(row)).unwrap_or_default())
}
