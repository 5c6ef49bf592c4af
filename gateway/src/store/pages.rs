//! A cache of pages and counts of ranges: the answers for lists and counts, until a row of the range changes.
//!
//! Every range has a stamp that changes when a row in it does. There is a fixed number of stamps, shared by ranges
//! whose prefixes hash alike; sharing one only makes an answer expire sooner.

use std::hash::BuildHasher as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use conclave_core::model::Row;
use conclave_core::ports::Span;
use foldhash::quality::RandomState;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{OptionsBuilder, Weighter};

const STAMPS: usize = 4096;

/// A question about a range of stored keys.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Question {
    /// Which rows.
    Page { prefix: Vec<u8>, after: Option<Vec<u8>>, descending: bool, skip: usize, limit: usize },
    /// How many rows.
    Count { prefix: Vec<u8> },
}

impl Question {
    /// The question for a span, whose stored prefix this is.
    pub(super) fn page(prefix: Vec<u8>, span: &Span) -> Self {
        let Span { after, descending, skip, limit, .. } = span;
        Self::Page { prefix, after: after.clone(), descending: *descending, skip: *skip, limit: *limit }
    }

    fn prefix(&self) -> &[u8] {
        match self {
            Self::Page { prefix, .. } | Self::Count { prefix } => prefix,
        }
    }
}

/// A cached answer.
#[derive(Clone)]
pub(super) enum CachedAnswer {
    Page(Arc<Vec<(Vec<u8>, Row)>>),
    Count(usize),
}

#[derive(Clone)]
struct Known {
    answer: CachedAnswer,
    /// The rows' bytes as stored.
    stored: usize,
    stamp: u64,
}

#[derive(Clone)]
struct Size;

impl Weighter<Question, Known> for Size {
    fn weight(&self, question: &Question, known: &Known) -> u64 {
        let rows = match &known.answer {
            CachedAnswer::Page(rows) => rows.iter().map(|(key, _)| key.len() + 160).sum(),
            CachedAnswer::Count(_) => 0,
        };
        (2 * question.prefix().len() + rows + 2 * known.stored + 160) as u64
    }
}

/// Answers by question, bounded by their size.
pub(super) struct Pages {
    known: Option<Cache<Question, Known, Size, RandomState>>,
    stamps: Vec<AtomicU64>,
    hasher: RandomState,
}

impl Pages {
    /// A cache of about this many bytes; 0 disables it.
    pub(super) fn new(bytes: u64) -> Self {
        let options = OptionsBuilder::new()
            .estimated_items_capacity(usize::try_from(bytes / 4096).unwrap_or(usize::MAX).max(1))
            .weight_capacity(bytes)
            .shards(4)
            .build();
        let known = match options {
            Ok(options) if bytes > 0 => {
                Some(Cache::with_options(options, Size, RandomState::default(), DefaultLifecycle::default()))
            }
            _ => None,
        };
        let stamps = (0..STAMPS).map(|_| AtomicU64::new(0)).collect();
        Self { known, stamps, hasher: RandomState::default() }
    }

    /// The answer, if it is cached and still valid.
    pub(super) fn get(&self, question: &Question) -> Option<CachedAnswer> {
        let known = self.known.as_ref()?.get(question)?;
        (known.stamp == self.stamp(question).load(Ordering::Acquire)).then_some(known.answer)
    }

    /// Caches an answer that is valid now; nothing may be published meanwhile.
    pub(super) fn learn(&self, question: Question, answer: CachedAnswer, stored: usize) {
        let Some(known) = &self.known else { return };
        let stamp = self.stamp(&question).load(Ordering::Acquire);
        known.insert(question, Known { answer, stored, stamp });
    }

    /// Invalidates the answers about the ranges that contain this stored key.
    pub(super) fn changed(&self, key: &[u8]) {
        let (table, run) = runs(key);
        for run in [table, run] {
            self.stamp_of(run).fetch_add(1, Ordering::AcqRel);
        }
    }

    fn stamp(&self, question: &Question) -> &AtomicU64 {
        let (table, run) = runs(question.prefix());
        self.stamp_of(if question.prefix().len() <= table.len() { table } else { run })
    }

    #[allow(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "a remainder is within")]
    fn stamp_of(&self, run: &[u8]) -> &AtomicU64 {
        &self.stamps[self.hasher.hash_one(run) as usize % STAMPS]
    }
}

/// The ranges that contain a stored key, or a longer prefix: its realm's whole table, and in it all keys with the same
/// first part, up to the zero byte that ends a text. Tables that begin with a number are only ever read as a whole, so
/// for them the position of the cut does not matter.
fn runs(key: &[u8]) -> (&[u8], &[u8]) {
    let end = |from: usize| {
        let rest = key.get(from..).unwrap_or_default();
        rest.iter().position(|byte| *byte == 0).map_or(key.len(), |at| from + at + 1)
    };
    // the realm, then one byte for the table
    let table = (end(0) + 1).min(key.len());
    (key.get(..table).unwrap_or(key), key.get(..end(table)).unwrap_or(key))
}

#[cfg(test)]
mod tests {
    use conclave_core::model::{GroupId, Key, Millis, Prefix, UserId};

    use super::super::rows::RealmPrefix;
    use super::*;

    #[test]
    #[allow(clippy::unwrap_used, reason = "tests")]
    fn a_change_forgets_every_run_it_is_in_and_few_others() {
        let realm = RealmPrefix::new("dev");
        let (group, other, user) = (GroupId::new("g").unwrap(), GroupId::new("h").unwrap(), UserId::new("u").unwrap());
        let cases = [
            (Key::Seat(group.clone(), 3), Prefix::seats(&group)),
            (Key::Created(Millis(u64::MAX), group.clone()), Prefix::created()),
            (Key::Created(Millis(0), group.clone()), Prefix::created()),
            (Key::Joined(user.clone(), Millis(7), group.clone()), Prefix::joined(&user)),
            (Key::Request(group.clone(), user.clone(), "x".to_owned()), Prefix::requests(&group)),
            (Key::Request(group.clone(), user.clone(), "x".to_owned()), Prefix::requests_for(&group, &user)),
            (Key::MuteEverywhere(user), Prefix::mutes_everywhere()),
            (Key::AllMuted(group), Prefix::all_muted()),
        ];
        for (key, prefix) in cases {
            let pages = Pages::new(1 << 20);
            let asked =
                |realm: &RealmPrefix, prefix: &Prefix| Question::Count { prefix: realm.join(prefix.as_bytes()) };
            let elsewhere = [asked(&realm, &Prefix::seats(&other)), asked(&RealmPrefix::new("other"), &prefix)];
            let question = asked(&realm, &prefix);
            for question in elsewhere.iter().chain([&question]) {
                pages.learn(question.clone(), CachedAnswer::Count(1), 0);
            }
            pages.changed(&realm.key(&key));
            assert!(pages.get(&question).is_none(), "{key:?}");
            // hashes are random, so one of them may share a stamp, but hardly both
            assert!(elsewhere.iter().any(|question| pages.get(question).is_some()), "{key:?}");
        }
    }
}
