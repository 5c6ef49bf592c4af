//! The journal: what realms were asked and what they sent, for tests that wait for it or ask about it.
//!
//! It is kept from the moment a test asks for it, bounded, and without bodies and queries: secrets are not in it. Realms
//! without a journal pay one atomic load.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use conclave_core::event::{Actor, Event};
use conclave_kit::VendorError;
use parking_lot::{Mutex, RwLock};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// The journals of all realms.
#[derive(Default)]
pub(crate) struct Journals {
    /// Whether there are any.
    any: AtomicBool,
    of: RwLock<HashMap<String, Arc<Journal>>>,
}

/// The journal of one realm.
pub(crate) struct Journal {
    state: Mutex<State>,
    /// The number of the last entry.
    last: watch::Sender<u64>,
}

struct State {
    entries: VecDeque<Entry>,
    most: usize,
    last: u64,
}

/// What an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// A request to a vendor's API.
    Request,
    /// A call over a vendor's client protocol.
    Call,
    /// An event that was delivered to a session.
    Push,
    /// An attempt to notify an app's server.
    Webhook,
}

/// One entry.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "JournalEntry")]
pub(crate) struct Entry {
    /// Counts the entries of the realm, from 1.
    pub(crate) number: u64,
    /// When it was answered, delivered or attempted, by the gateway's own clock, in milliseconds since 1970.
    pub(crate) at_ms: u64,
    pub(crate) kind: Kind,
    pub(crate) vendor: &'static str,
    /// The vendor's name of the operation or notification; of a push, the kind of event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) operation: Option<String>,
    /// The path of a request, without its query.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<String>,
    /// The caller: `app`, `app for USER`, `user USER`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) actor: Option<String>,
    /// The calling user, or the one who was pushed to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<String>,
    /// The group of a push or a notification.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) group: Option<String>,
    /// The HTTP status of the answer; not given when the client has disconnected before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<u16>,
    /// The vendor's error in the answer, or why a notification was not accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    /// Fields of the request that were not read: what is not supported.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) unread: Vec<String>,
}

/// Which entries are meant: those that match everything that is given.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    pub(crate) kind: Option<Kind>,
    pub(crate) vendor: Option<String>,
    pub(crate) operation: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) group: Option<String>,
    /// The vendor's error; "" is none.
    pub(crate) error: Option<String>,
    /// Only entries after this number.
    pub(crate) after: Option<u64>,
}

impl Entry {
    /// Without what only some have.
    pub(crate) fn new(kind: Kind, vendor: &'static str) -> Self {
        Self {
            number: 0,
            at_ms: 0,
            kind,
            vendor,
            operation: None,
            path: None,
            actor: None,
            user: None,
            group: None,
            status: None,
            error: None,
            unread: Vec::new(),
        }
    }

    /// A request or call that was answered.
    pub(crate) fn answered(
        kind: Kind,
        vendor: &'static str,
        operation: Option<&'static str>,
        caller: Option<&Actor>,
        (status, error): (Option<u16>, Option<VendorError>),
    ) -> Self {
        let user = caller.and_then(|caller| match caller {
            Actor::User { user, .. } => Some(user),
            Actor::App { for_user } => for_user.as_ref(),
            Actor::System => None,
        });
        Self {
            operation: operation.map(str::to_owned),
            actor: caller.map(|caller| crate::backend::Caller(caller).to_string()),
            user: user.map(ToString::to_string),
            status,
            error: error.map(|error| error.code.to_string()),
            ..Self::new(kind, vendor)
        }
    }

    /// An event that was delivered to sessions, without the user.
    pub(crate) fn pushed(vendor: &'static str, event: &Event) -> Self {
        Self {
            operation: kind_of(event),
            group: event.group.as_ref().map(ToString::to_string),
            ..Self::new(Kind::Push, vendor)
        }
    }
}

/// The kind of an event, as it is stored.
pub(crate) fn kind_of(event: &Event) -> Option<String> {
    match serde_json::to_value(&event.what).ok()? {
        serde_json::Value::String(kind) => Some(kind),
        serde_json::Value::Object(fields) => fields.keys().next().cloned(),
        _ => None,
    }
}

impl Journals {
    /// Whether any realm has one.
    #[inline]
    pub(crate) fn is_any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// Begins the journal of a realm, empty, with so many entries at most.
    pub(crate) fn begin(&self, realm: &str, most: usize) -> Arc<Journal> {
        let journal = Arc::new(Journal::new(most));
        self.of.write().insert(realm.to_owned(), Arc::clone(&journal));
        self.any.store(true, Ordering::Release);
        journal
    }

    /// Ends the journal of a realm; a wait for its entries does not see later ones.
    pub(crate) fn end(&self, realm: &str) {
        let mut of = self.of.write();
        of.remove(realm);
        self.any.store(!of.is_empty(), Ordering::Release);
    }

    /// The journal of a realm, if it has one.
    pub(crate) fn of(&self, realm: &str) -> Option<Arc<Journal>> {
        if self.is_any() { self.of.read().get(realm).cloned() } else { None }
    }
}

impl Journal {
    fn new(most: usize) -> Self {
        let state = State { entries: VecDeque::new(), most, last: 0 };
        Self { state: Mutex::new(state), last: watch::Sender::new(0) }
    }

    /// Adds an entry; a full journal drops its oldest one.
    pub(crate) fn add(&self, mut entry: Entry) {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        entry.at_ms = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        let mut state = self.state.lock();
        state.last += 1;
        entry.number = state.last;
        if state.entries.len() >= state.most {
            state.entries.pop_front();
        }
        state.entries.push_back(entry);
        let last = state.last;
        drop(state);
        self.last.send_replace(last);
    }

    /// The entries that match, oldest first, and the number of the last entry of all.
    pub(crate) fn find(&self, filter: &Filter, most: usize) -> (Vec<Entry>, u64) {
        let state = self.state.lock();
        let found = state.entries.iter().filter(|entry| filter.matches(entry)).take(most).cloned().collect();
        (found, state.last)
    }

    /// Waits until at least so many entries match.
    pub(crate) async fn wait(&self, filter: &Filter, count: usize) -> Vec<Entry> {
        let mut last = self.last.subscribe();
        loop {
            last.borrow_and_update();
            let (found, _) = self.find(filter, usize::MAX);
            if found.len() >= count || last.changed().await.is_err() {
                return found;
            }
        }
    }
}

impl Filter {
    fn matches(&self, entry: &Entry) -> bool {
        let is = |wanted: &Option<String>, has: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| has.unwrap_or_default() == wanted)
        };
        self.kind.is_none_or(|kind| kind == entry.kind)
            && is(&self.vendor, Some(entry.vendor))
            && is(&self.operation, entry.operation.as_deref())
            && is(&self.user, entry.user.as_deref())
            && is(&self.group, entry.group.as_deref())
            && is(&self.error, entry.error.as_deref())
            && self.after.is_none_or(|after| entry.number > after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_oldest_entries_are_dropped_and_waits_end() {
        let journals = Journals::default();
        assert!(!journals.is_any() && journals.of("r").is_none());
        let journal = journals.begin("r", 2);
        let entry = |user: &str| Entry { user: Some(user.to_owned()), ..Entry::new(Kind::Push, "v") };
        for user in ["a", "b", "c"] {
            journal.add(entry(user));
        }
        let (found, last) = journal.find(&Filter::default(), 10);
        assert_eq!((found.len(), last, found[0].number), (2, 3, 2));
        let of_d = Filter { user: Some("d".to_owned()), ..Filter::default() };
        let waiting = tokio::spawn({
            let journal = Arc::clone(&journal);
            async move { journal.wait(&of_d, 1).await }
        });
        journal.add(entry("d"));
        assert_eq!(waiting.await.map(|found| found.len()).ok(), Some(1));
        let after = Filter { after: Some(3), ..Filter::default() };
        assert_eq!(journal.find(&after, 10).0.len(), 1);
        journals.end("r");
        assert!(!journals.is_any());
    }
}
