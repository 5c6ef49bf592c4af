//! The journal of a realm: begun, read, and waited for.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::api::{Call, Endpoint, Json, Nothing, Optional};
use super::error::{Code, ControlError};
use crate::journal::{Entry, Filter, Journal};
use crate::unread::UnreadField;

/// Most entries of a journal.
const MOST: usize = 100_000;
/// Entries of a journal, unless a test wants another number.
const USUAL: usize = 10_000;
/// Most entries of an answer.
const PAGE: usize = 1000;
/// How long a wait may take.
const LONGEST: Duration = Duration::from_mins(1);
/// How long a wait takes unless a test says otherwise.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            (Method::POST, "/v1/realms/{realm}/journal"),
            "begin_journal",
            "Begin to keep a realm's journal, from the start where there is one.",
            begin,
        ),
        Endpoint::new(
            (Method::DELETE, "/v1/realms/{realm}/journal"),
            "end_journal",
            "Stop keeping a realm's journal, and delete it.",
            end,
        ),
        Endpoint::new(
            (Method::POST, "/v1/realms/{realm}/journal/query"),
            "query_journal",
            "Find entries of a realm's journal.",
            query,
        ),
        Endpoint::new(
            (Method::POST, "/v1/realms/{realm}/journal/wait"),
            "wait_for_journal",
            "Wait until a realm's journal has the entries that a test expects.",
            wait,
        ),
        Endpoint::new(
            (Method::GET, "/v1/unread-fields"),
            "list_unread_fields",
            "List the fields of requests to this gateway that nothing has read.",
            unread,
        ),
    ]
}

/// How a journal is kept.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Begin {
    /// Most entries: older ones are dropped. 10,000 when not given, 100,000 at most.
    entries: Option<usize>,
}

/// Entries of a journal.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "JournalEntries")]
struct Entries {
    /// Oldest first; 1,000 at most.
    entries: Vec<Entry>,
    /// The number of the last entry of all: where a next query may begin.
    last: u64,
}

/// What a test waits for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wait {
    /// Which entries.
    #[serde(default)]
    filter: Filter,
    /// How many of them; 1 when not given.
    count: Option<usize>,
    /// How long; 5,000 when not given, 60,000 at most.
    timeout_ms: Option<u64>,
}

/// Fields that were not read, in all realms.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "UnreadFields")]
struct UnreadView {
    fields: Vec<UnreadField>,
}

async fn unread(call: Call, _: Nothing) -> Result<Json<UnreadView>, ControlError> {
    Ok(Json(UnreadView { fields: call.control.realms.metrics().unread.all() }))
}

async fn begin(call: Call, Optional(how): Optional<Begin>) -> Result<Nothing, ControlError> {
    let entries = how.entries.unwrap_or(USUAL);
    if !(1..=MOST).contains(&entries) {
        return Err(ControlError::bad(format!("entries must be 1 to {MOST}")));
    }
    call.control.realms.journals().begin(call.realm()?.name(), entries);
    Ok(Nothing)
}

async fn end(call: Call, _: Nothing) -> Result<Nothing, ControlError> {
    call.control.realms.journals().end(call.realm()?.name());
    Ok(Nothing)
}

async fn query(call: Call, Optional(filter): Optional<Filter>) -> Result<Json<Entries>, ControlError> {
    let (entries, last) = journal(&call)?.find(&filter, PAGE);
    Ok(Json(Entries { entries, last }))
}

async fn wait(call: Call, Json(wait): Json<Wait>) -> Result<Json<Entries>, ControlError> {
    let journal = journal(&call)?;
    let time = wait.timeout_ms.map_or(PATIENCE, Duration::from_millis);
    let count = wait.count.unwrap_or(1);
    if time > LONGEST || !(1..=PAGE).contains(&count) {
        return Err(ControlError::bad(format!("timeout_ms is at most 60000, and count 1 to {PAGE}")));
    }
    let Ok(mut entries) = timeout(time, journal.wait(&wait.filter, count)).await else {
        let found = journal.find(&wait.filter, PAGE).0.len();
        let message = format!("{found} of {count} expected entries are in the journal after {} ms", time.as_millis());
        return Err(ControlError::new(Code::TimedOut, message));
    };
    entries.truncate(PAGE);
    let last = journal.find(&Filter::default(), 0).1;
    Ok(Json(Entries { entries, last }))
}

fn journal(call: &Call) -> Result<Arc<Journal>, ControlError> {
    let realm = call.realm()?;
    call.control.realms.journals().of(realm.name()).ok_or_else(|| {
        let message = format!("realm {} has no journal: begin one first", realm.name());
        ControlError::new(Code::NoJournal, message)
    })
}
