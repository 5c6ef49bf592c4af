//! Every field of every documented request, every header, query parameter and path segment, far too large and of every other type: it is refused with the vendor's
//! error, no response is large, nothing large is stored, and no parser's text is returned.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a broken expectation is a panic")]

#[path = "../agora_support/mod.rs"]
mod agora_support;
#[path = "../tencent_support/mod.rs"]
mod tencent_support;

mod agora;
mod rong;
mod tencent;

use std::collections::HashSet;
use std::sync::Arc;

use conclave_core::model::Settings;
use conclave_tests::client::Answer;
use conclave_tests::walk::{InHead, Instead, parser_word};
use conclave_tests::weighed::Weighed;
use conclave_tests::world::World;

/// Most bytes of a response to a request with a field that is far too large.
const ANSWER: usize = 64 * 1024;
/// Most bytes that one such request may store, as JSON: a message and its labels.
const KEPT: usize = 300 * 1024;

/// A world whose store records how large rows are.
fn weighed() -> (World, Arc<Weighed>) {
    let store = Arc::new(Weighed::default());
    (World::with(store.clone(), Settings::default()), store)
}

/// Replaced fields, each of which is checked only once.
#[derive(Default)]
struct Walk {
    seen: HashSet<(String, String, String)>,
    broken: Vec<String>,
    tried: usize,
}

impl Walk {
    /// Whether this field was not replaced by this before.
    fn is_new(&mut self, call: &str, path: &str, instead: Instead) -> bool {
        // items and keys that differ by request count as one field
        let path: String = path.split('/').map(|part| if part.parse::<usize>().is_ok() { "*" } else { part }).collect();
        self.seen.insert((call.to_owned(), path, format!("{instead:?}")))
    }

    /// The same for a part of a request's head.
    fn is_new_part(&mut self, call: &str, place: &str, instead: InHead) -> bool {
        self.seen.insert((call.to_owned(), place.to_owned(), format!("{instead:?}")))
    }

    /// Checks what holds for every response.
    fn look(&mut self, what: &str, answer: &Answer, broken: bool) {
        self.tried += 1;
        let text = String::from_utf8_lossy(&answer.body);
        let beginning: String = text.chars().take(200).collect();
        if broken {
            self.broken.push(format!("{what}: broke: {beginning}"));
        }
        if answer.body.len() > ANSWER {
            self.broken.push(format!("{what}: {} bytes of answer: {beginning}", answer.body.len()));
        }
        if let Some(word) = parser_word(&text) {
            self.broken.push(format!("{what}: says {word:?}: {beginning}"));
        }
    }

    /// Checks the size of what was stored.
    fn weigh(&mut self, what: &str, store: &Weighed) {
        let (bytes, row) = store.largest();
        if bytes > KEPT {
            self.broken.push(format!("{what}: keeps {bytes} bytes: {row}"));
        }
    }

    fn end(self) {
        println!("{} requests", self.tried);
        assert!(self.tried > 100, "only {} requests were tried", self.tried);
        assert!(self.broken.is_empty(), "{} of {}:\n{}", self.broken.len(), self.tried, self.broken.join("\n"));
    }
}

/// All replacements of a field.
fn everything() -> impl Iterator<Item = Instead> {
    Instead::LARGE.into_iter().chain(Instead::wrong())
}
