//! Which notices a client has been given over its connection. A notice that is committed while the client fetches those
//! from while it was away may be both pushed and fetched; the client is given it once.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::calls::cookie_number;
use crate::push::{NOTICE_NUMBER, low};

/// Most notices that are remembered while the client fetches; of what is pushed beyond them, some may come twice.
const REMEMBERED: usize = 1000;

/// Notices that a client has been given since it signed in.
#[derive(Default)]
pub(super) struct Notices {
    /// Events whose notices were pushed before the client had fetched all.
    pushed: Vec<u64>,
    /// The last event whose notices were fetched.
    fetched: u64,
    /// Whether the client has fetched all that waited: what it confirms from then on is all there was.
    pub(super) are_complete: bool,
}

/// The answer to a fetch.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Fetched {
    cookie: String,
    sync_flag: u32,
    event_array: Vec<Value>,
    #[serde(flatten)]
    rest: serde_json::Map<String, Value>,
}

/// `SyncFlag` of the last answer.
const ALL: u32 = 2;

impl Notices {
    /// Whether a notice is to be pushed; it counts as pushed from now on.
    pub(super) fn is_new(&mut self, number: u64) -> bool {
        if number <= self.fetched {
            return false;
        }
        if !self.are_complete && self.pushed.len() < REMEMBERED {
            self.pushed.push(number);
        }
        true
    }

    /// The client fetches: the answer without what was pushed meanwhile.
    pub(super) fn fetched(&mut self, body: Bytes) -> Bytes {
        // a refusal has none of this
        let Ok(mut answer) = serde_json::from_slice::<Fetched>(&body) else { return body };
        self.fetched = self.fetched.max(cookie_number(&answer.cookie).unwrap_or_default());
        self.are_complete |= answer.sync_flag == ALL;
        let pushed = std::mem::take(&mut self.pushed);
        if pushed.is_empty() || answer.event_array.is_empty() {
            if !self.are_complete {
                self.pushed = pushed;
            }
            return body;
        }
        let number = |entry: &Value| entry["GroupTips"][0][NOTICE_NUMBER].as_u64();
        answer.event_array.retain(|entry| !pushed.iter().any(|pushed| number(entry) == Some(low(*pushed))));
        if !self.are_complete {
            self.pushed = pushed;
        }
        serde_json::to_vec(&answer).map_or(body, Bytes::from)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(cookie: u64, flag: u32, numbers: &[u64]) -> Bytes {
        let entries: Vec<Value> = numbers.iter().map(|number| json!({"GroupTips": [{"NoticeSeq": number}]})).collect();
        let body = json!({"ErrorCode": 0, "Cookie": format!("e{cookie}"), "SyncFlag": flag, "EventArray": entries});
        body.to_string().into()
    }

    fn numbers(body: &Bytes) -> Vec<u64> {
        let body: Value = serde_json::from_slice(body).unwrap();
        assert_eq!(body["ErrorCode"], 0);
        let entries = body["EventArray"].as_array().unwrap().iter();
        entries.map(|entry| entry["GroupTips"][0]["NoticeSeq"].as_u64().unwrap()).collect()
    }

    #[test]
    fn what_is_pushed_while_it_is_fetched_comes_once() {
        let mut notices = Notices::default();
        assert!(notices.is_new(7));
        assert_eq!(numbers(&notices.fetched(answer(6, 1, &[5, 6]))), [5, 6]);
        assert!(!notices.are_complete);
        assert!(!notices.is_new(6), "it was fetched, and is delivered late");
        assert!(notices.is_new(9));
        assert_eq!(numbers(&notices.fetched(answer(10, 2, &[7, 8, 9, 10]))), [8, 10]);
        assert!(notices.are_complete && !notices.is_new(10) && notices.is_new(11));
    }

    #[test]
    fn a_refusal_is_no_end_of_the_fetching() {
        let mut notices = Notices::default();
        assert!(notices.is_new(7));
        let refusal = Bytes::from_static(br#"{"ActionStatus":"FAIL","ErrorCode":10002}"#);
        assert_eq!(notices.fetched(refusal.clone()), refusal);
        assert!(!notices.are_complete);
        assert_eq!(numbers(&notices.fetched(answer(8, 2, &[7, 8]))), [8]);
    }
}
