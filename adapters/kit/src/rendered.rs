//! Keeps rendered responses together with the values that they were rendered from.
//!
//! A response is returned again only for the very same values: rows are immutable and shared with the store, so a changed
//! row is another one. Nothing has to be invalidated, and nothing out of date can be returned.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::RwLock;

/// The values that a response is rendered from, all of them. What is hashed chooses the response that is replaced when
/// the values differ: the request, and not the rows.
pub trait Inputs: Hash {
    /// Whether both are the same values; rows are compared by identity.
    fn is_same(&self, other: &Self) -> bool;

    /// How many rows are kept with the response.
    fn rows(&self) -> usize;
}

/// Whether two lists share all their rows.
pub fn same_rows<T>(one: &[Arc<T>], other: &[Arc<T>]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| Arc::ptr_eq(one, other))
}

/// Most responses that are kept.
const ENTRIES: usize = 1024;
/// What a row that is kept with a response counts, in bytes: it may be gone from the store.
const ROW: usize = 1024;
/// Most bytes of all responses that are kept, with their rows.
const BYTES: usize = 8 << 20;
/// A response that counts more is not kept.
const LONGEST: usize = 256 << 10;

/// Rendered responses of one app. When there are too many, all are dropped.
#[derive(Debug)]
pub struct RenderedResponses<I>(RwLock<Kept<I>>);

#[derive(Debug)]
struct Kept<I> {
    responses: std::collections::HashMap<u64, (I, Bytes), std::hash::BuildHasherDefault<Hashed>>,
    bytes: usize,
}

/// The keys are hashes already.
#[derive(Debug, Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

impl<I> Default for RenderedResponses<I> {
    fn default() -> Self {
        Self(RwLock::new(Kept { responses: std::collections::HashMap::default(), bytes: 0 }))
    }
}

impl<I: Inputs> RenderedResponses<I> {
    /// The response to these values: the one that was kept, or else a new one.
    ///
    /// # Errors
    /// It cannot be rendered.
    pub fn render<E>(&self, inputs: I, render: impl Fn(&I) -> Result<Bytes, E>) -> Result<Bytes, E> {
        let mut hasher = DefaultHasher::new();
        inputs.hash(&mut hasher);
        let key = hasher.finish();
        if let Some(kept) = self.kept(key, &inputs) {
            debug_assert!(render(&inputs).is_ok_and(|fresh| fresh == kept), "the inputs are not all that is rendered");
            return Ok(kept);
        }
        let response = render(&inputs)?;
        self.keep(key, inputs, &response);
        Ok(response)
    }

    fn kept(&self, key: u64, inputs: &I) -> Option<Bytes> {
        let kept = self.0.read();
        kept.responses.get(&key).filter(|(of, _)| of.is_same(inputs)).map(|(_, response)| response.clone())
    }

    fn keep(&self, key: u64, inputs: I, response: &Bytes) {
        let bytes = size(&inputs, response);
        if bytes > LONGEST {
            return;
        }
        let mut kept = self.0.write();
        if let Some((of, old)) = kept.responses.remove(&key) {
            kept.bytes -= size(&of, &old);
        }
        if kept.responses.len() >= ENTRIES || kept.bytes + bytes > BYTES {
            kept.responses.clear();
            kept.bytes = 0;
        }
        kept.bytes += bytes;
        kept.responses.insert(key, (inputs, response.clone()));
    }
}

/// What a response counts with its rows.
fn size(inputs: &impl Inputs, response: &Bytes) -> usize {
    response.len() + inputs.rows().saturating_mul(ROW)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    struct Of {
        request: u32,
        rows: Vec<Arc<String>>,
    }

    impl Hash for Of {
        fn hash<H: Hasher>(&self, hasher: &mut H) {
            self.request.hash(hasher);
        }
    }

    impl Inputs for Of {
        fn is_same(&self, other: &Self) -> bool {
            self.request == other.request && same_rows(&self.rows, &other.rows)
        }

        fn rows(&self) -> usize {
            self.rows.len()
        }
    }

    fn rendered(responses: &RenderedResponses<Of>, request: u32, rows: &[Arc<String>]) -> (Bytes, bool) {
        let kept = responses.kept(hash(request), &Of { request, rows: rows.to_vec() }).is_some();
        let render =
            |of: &Of| Ok::<_, ()>(Bytes::from(of.rows.iter().map(|row| row.as_str()).collect::<Vec<_>>().join(",")));
        (responses.render(Of { request, rows: rows.to_vec() }, render).unwrap(), kept)
    }

    fn hash(request: u32) -> u64 {
        let mut hasher = DefaultHasher::new();
        request.hash(&mut hasher);
        hasher.finish()
    }

    #[test]
    fn the_same_rows_are_rendered_once_and_others_again() {
        let responses = RenderedResponses::default();
        let (ann, ben) = (Arc::new("ann".to_owned()), Arc::new("ben".to_owned()));
        let both = [ann.clone(), ben];
        assert_eq!(rendered(&responses, 1, &both), ("ann,ben".into(), false));
        assert_eq!(rendered(&responses, 1, &both), ("ann,ben".into(), true));
        // an equal row that is another one may have changed in between
        let changed = [ann.clone(), Arc::new("ben".to_owned())];
        assert_eq!(rendered(&responses, 1, &changed), ("ann,ben".into(), false));
        assert_eq!(rendered(&responses, 1, &both), ("ann,ben".into(), false), "only the latest is kept");
        assert_eq!(rendered(&responses, 2, &both[..1]), ("ann".into(), false));
        assert_eq!(rendered(&responses, 2, &[ann]), ("ann".into(), true));
        assert_eq!(responses.0.read().responses.len(), 2);
    }

    #[test]
    fn their_number_and_size_are_bounded() {
        let responses = RenderedResponses::default();
        let row = [Arc::new("x".repeat(40_000))];
        for request in 0..3000 {
            rendered(&responses, request, &row);
            let kept = responses.0.read();
            assert!(kept.bytes <= BYTES && kept.responses.len() <= ENTRIES);
            assert_eq!(kept.bytes, kept.responses.values().map(|(of, response)| size(of, response)).sum::<usize>());
        }
        let huge = [Arc::new("x".repeat(LONGEST + 1))];
        rendered(&responses, 9000, &huge);
        assert!(!rendered(&responses, 9000, &huge).1);
        // short, with more rows than may be kept
        let many: Vec<Arc<String>> = (0..=LONGEST / ROW).map(|_| Arc::default()).collect();
        rendered(&responses, 9001, &many);
        assert!(!rendered(&responses, 9001, &many).1);
        for request in 0..3000 {
            rendered(&responses, request, &[]);
        }
        assert!(responses.0.read().responses.len() <= ENTRIES);
    }
}
