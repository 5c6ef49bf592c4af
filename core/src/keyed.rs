//! Values by key: a list that is searched while it is short, and indexed by a hash once it is not.

use foldhash::HashMap as Map;

use crate::model::Key;

/// Up to so many entries, comparing keys is faster than hashing one.
const FEW: usize = 24;

/// Values by key, in the order in which the keys were added.
#[derive(Debug)]
pub(crate) struct Keyed<V> {
    entries: Vec<(Key, V)>,
    /// The position of each key; empty while there are few.
    index: Map<Key, usize>,
}

impl<V> Default for Keyed<V> {
    fn default() -> Self {
        Self { entries: Vec::new(), index: Map::default() }
    }
}

impl<V> Keyed<V> {
    fn position(&self, key: &Key) -> Option<usize> {
        if self.index.is_empty() {
            self.entries.iter().position(|(other, _)| other == key)
        } else {
            self.index.get(key).copied()
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn contains(&self, key: &Key) -> bool {
        self.position(key).is_some()
    }

    pub(crate) fn get(&self, key: &Key) -> Option<&V> {
        self.position(key).map(|at| &self.entries[at].1)
    }

    pub(crate) fn get_mut(&mut self, key: &Key) -> Option<&mut V> {
        self.position(key).map(|at| &mut self.entries[at].1)
    }

    /// Sets the value of a key.
    pub(crate) fn insert(&mut self, key: Key, value: V) {
        if let Some(known) = self.get_mut(&key) {
            *known = value;
            return;
        }
        if self.entries.len() == FEW && self.index.is_empty() {
            self.index = self.entries.iter().enumerate().map(|(at, (key, _))| (key.clone(), at)).collect();
        }
        if !self.index.is_empty() {
            self.index.insert(key.clone(), self.entries.len());
        }
        self.entries.push((key, value));
    }

    /// Reserves capacity for this many more rows.
    pub(crate) fn reserve(&mut self, more: usize) {
        self.entries.reserve(more);
    }

    /// Removes a key; the last one takes its place in the order.
    pub(crate) fn remove(&mut self, key: &Key) {
        let Some(at) = self.position(key) else { return };
        self.entries.swap_remove(at);
        if self.index.is_empty() {
            return;
        }
        self.index.remove(key);
        if self.entries.is_empty() {
            return;
        }
        if let Some((moved, _)) = self.entries.get(at)
            && let Some(position) = self.index.get_mut(moved)
        {
            *position = at;
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Key, &V)> {
        self.entries.iter().map(|(key, value)| (key, value))
    }

    pub(crate) fn into_entries(self) -> impl ExactSizeIterator<Item = (Key, V)> {
        self.entries.into_iter()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;
    use crate::model::GroupId;

    fn key(number: u64) -> Key {
        Key::Seat(GroupId::new("g").unwrap(), number)
    }

    proptest! {
        #[test]
        fn it_is_a_map(steps in proptest::collection::vec((0_u64..60, any::<bool>()), 0..300)) {
            let (mut keyed, mut map) = (Keyed::default(), HashMap::new());
            for (value, (number, adds)) in steps.into_iter().enumerate() {
                if adds {
                    keyed.insert(key(number), value);
                    map.insert(number, value);
                } else {
                    keyed.remove(&key(number));
                    map.remove(&number);
                }
                for number in 0..60 {
                    prop_assert_eq!(keyed.get(&key(number)), map.get(&number));
                }
            }
            prop_assert_eq!(keyed.is_empty(), map.is_empty());
            prop_assert_eq!(keyed.into_entries().len(), map.len());
        }
    }
}
