//! Calls that are performed once, however often a client repeats them over new connections.
//!
//! What is kept is limited for each client, and for all together: a client that makes many calls, or calls with long
//! replies, makes its own older ones forgotten, and those of others only where it keeps the least itself.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use conclave_kit::{ErrorClass, Fault, FinishedCall, OnceKey};
use parking_lot::Mutex;
use tokio::sync::watch;

/// How long the reply of a call is kept for a client that repeats it: longer than clients retry.
const KEPT: Duration = Duration::from_mins(2);

/// The vendor, and its name for a client.
type Client = (&'static str, Arc<str>);

/// How much is kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct KeepLimits {
    /// Most calls of all clients.
    calls: usize,
    /// Most bytes of replies and keys of all clients.
    bytes: usize,
    /// Most calls of one client.
    client_calls: usize,
    /// Most bytes of one client.
    client_bytes: usize,
}

impl Default for KeepLimits {
    fn default() -> Self {
        // a client has some hundred requests on their way at most, see `SessionLimits`
        Self { calls: 20_000, bytes: 64 << 20, client_calls: 300, client_bytes: 1 << 20 }
    }
}

/// The calls of all sessions that are performed once.
#[derive(Default)]
pub(super) struct Repeats {
    limits: KeepLimits,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    clients: HashMap<Client, KeptOfClient>,
    /// Each client with the bytes and the number of its calls: those who keep the most are last.
    by_size: BTreeSet<(usize, usize, Client)>,
    calls: usize,
    bytes: usize,
    /// When the clients were last searched for calls that are kept for long enough.
    swept: Option<Instant>,
}

/// The calls of one client, oldest first.
#[derive(Default)]
struct KeptOfClient {
    calls: VecDeque<KeptCall>,
    bytes: usize,
}

impl KeptOfClient {
    /// Its place among those of all clients.
    fn size(&self, client: &Client) -> (usize, usize, Client) {
        (self.bytes, self.calls.len(), client.clone())
    }
}

struct KeptCall {
    request: String,
    began: Instant,
    /// Of the key, and of the reply once there is one.
    bytes: usize,
    once: Arc<Once>,
}

/// A call that is performed once.
pub(super) struct Once {
    /// Set when the call has ended.
    result: Mutex<Option<FinishedCall>>,
    ended: watch::Sender<bool>,
}

/// Whether a call is the first of its kind.
pub(super) enum Turn {
    /// It is, and is performed now.
    First(First),
    /// It repeats a call that is in progress or done.
    Repeated(Arc<Once>),
}

/// Approximate bytes that a kept call takes in addition to its key and its reply.
const ENTRY: usize = 256;

impl Repeats {
    /// Begins a call.
    pub(super) fn begin(self: &Arc<Self>, vendor: &'static str, key: OnceKey) -> Turn {
        let OnceKey { client, request } = key;
        let client: Client = (vendor, Arc::from(client));
        let now = Instant::now();
        let mut kept = self.kept.lock();
        kept.forget_old(now);
        if let Some(call) = kept.find(&client, &request) {
            return Turn::Repeated(Arc::clone(&call.once));
        }
        let once = Arc::new(Once { result: Mutex::new(None), ended: watch::Sender::new(false) });
        let bytes = ENTRY + client.1.len() + request.len();
        kept.add(&client, KeptCall { request, began: now, bytes, once: Arc::clone(&once) });
        kept.shrink(&client, &self.limits);
        Turn::First(First { repeats: Arc::clone(self), client, once, is_done: false })
    }
}

impl Kept {
    fn find(&self, client: &Client, request: &str) -> Option<&KeptCall> {
        self.clients.get(client)?.calls.iter().find(|call| call.request == request)
    }

    /// Changes what is kept of a client, and with it the sums and the order.
    fn change<T>(&mut self, client: &Client, change: impl FnOnce(&mut KeptOfClient) -> T) -> Option<T> {
        let of_client = self.clients.get_mut(client)?;
        self.by_size.remove(&of_client.size(client));
        let (bytes, calls) = (of_client.bytes, of_client.calls.len());
        let result = change(of_client);
        self.bytes = self.bytes - bytes + of_client.bytes;
        self.calls = self.calls - calls + of_client.calls.len();
        if of_client.calls.is_empty() {
            self.clients.remove(client);
        } else {
            self.by_size.insert(of_client.size(client));
        }
        Some(result)
    }

    fn add(&mut self, client: &Client, call: KeptCall) {
        self.clients.entry(client.clone()).or_default();
        self.change(client, |of| {
            of.bytes += call.bytes;
            of.calls.push_back(call);
        });
    }

    /// Forgets the oldest call of a client.
    fn forget_first(&mut self, client: &Client) {
        self.change(client, |of| of.bytes -= of.calls.pop_front().map_or(0, |call| call.bytes));
    }

    /// Forgets one call of a client.
    fn forget(&mut self, client: &Client, once: &Arc<Once>) {
        self.change(client, |of| {
            let place = of.calls.iter().position(|call| Arc::ptr_eq(&call.once, once));
            of.bytes -= place.and_then(|place| of.calls.remove(place)).map_or(0, |call| call.bytes);
        });
    }

    /// The reply of a call is kept from now on.
    fn grow(&mut self, client: &Client, once: &Arc<Once>, bytes: usize) {
        self.change(client, |of| {
            if let Some(call) = of.calls.iter_mut().find(|call| Arc::ptr_eq(&call.once, once)) {
                call.bytes += bytes;
                of.bytes += bytes;
            }
        });
    }

    /// Forgets calls of this client beyond its limits, and then calls of those who keep the most.
    fn shrink(&mut self, client: &Client, limits: &KeepLimits) {
        let exceeds = |of: &KeptOfClient| of.calls.len() > limits.client_calls || of.bytes > limits.client_bytes;
        while self.clients.get(client).is_some_and(exceeds) {
            self.forget_first(client);
        }
        while self.calls > limits.calls || self.bytes > limits.bytes {
            let Some((_, _, most)) = self.by_size.last().cloned() else { return };
            self.forget_first(&most);
        }
    }

    /// Forgets what was kept for long enough, at most once a second.
    fn forget_old(&mut self, now: Instant) {
        if self.swept.is_some_and(|swept| now.duration_since(swept) < Duration::from_secs(1)) {
            return;
        }
        self.swept = Some(now);
        let is_old = |call: &KeptCall| now.duration_since(call.began) >= KEPT;
        let old: Vec<Client> = self
            .clients
            .iter()
            .filter(|(_, of)| of.calls.front().is_some_and(is_old))
            .map(|(client, _)| client.clone())
            .collect();
        for client in old {
            while self.clients.get(&client).and_then(|of| of.calls.front()).is_some_and(is_old) {
                self.forget_first(&client);
            }
        }
    }
}

/// The first call of its kind. If it is dropped without an end, it may be performed again.
pub(super) struct First {
    repeats: Arc<Repeats>,
    client: Client,
    once: Arc<Once>,
    is_done: bool,
}

impl First {
    /// Ends the call and keeps its result for repeats, except after a failure of the server and for clients without valid
    /// credentials: repeats of these are performed.
    pub(super) fn end(mut self, result: &Result<FinishedCall, Fault>) {
        let Ok(finished) = result else { return };
        let is_stranger = finished.outcome.error().is_some_and(|error| error.class == ErrorClass::Unauthenticated);
        if is_stranger {
            return;
        }
        if let Some((copy, bytes)) = finished.copy_with_bytes() {
            *self.once.result.lock() = Some(copy);
            self.is_done = true;
            let mut kept = self.repeats.kept.lock();
            kept.grow(&self.client, &self.once, bytes);
            kept.shrink(&self.client, &self.repeats.limits);
        }
    }
}

impl Drop for First {
    fn drop(&mut self) {
        if !self.is_done {
            self.repeats.kept.lock().forget(&self.client, &self.once);
        }
        self.once.ended.send_replace(true);
    }
}

impl Once {
    /// Waits for the end of the repeated call.
    pub(super) async fn ended(&self) -> Result<FinishedCall, Fault> {
        let mut ended = self.ended.subscribe();
        if ended.wait_for(|ended| *ended).await.is_err() {
            return Err(Fault::Broken);
        }
        self.result.lock().as_ref().and_then(FinishedCall::copy).ok_or(Fault::Broken)
    }
}

#[cfg(test)]
#[allow(clippy::panic, reason = "tests")]
mod tests {
    use super::*;

    fn key(client: &str, request: usize) -> OnceKey {
        OnceKey { client: client.to_owned(), request: request.to_string() }
    }

    fn small() -> Arc<Repeats> {
        let limits = KeepLimits { calls: 20, bytes: 100_000, client_calls: 8, client_bytes: 10_000 };
        Arc::new(Repeats { limits, kept: Mutex::default() })
    }

    /// Performs a call whose reply has so many bytes, and keeps it.
    fn perform(repeats: &Arc<Repeats>, client: &str, request: usize, bytes: usize) {
        let Turn::First(mut first) = repeats.begin("a vendor", key(client, request)) else {
            panic!("{client} {request} was kept");
        };
        first.is_done = true;
        let mut kept = repeats.kept.lock();
        kept.grow(&first.client, &first.once, bytes);
        kept.shrink(&first.client, &repeats.limits);
    }

    fn is_kept(repeats: &Arc<Repeats>, client: &str, request: usize) -> bool {
        let kept = repeats.kept.lock();
        kept.find(&("a vendor", Arc::from(client)), &request.to_string()).is_some()
    }

    fn count(repeats: &Arc<Repeats>) -> (usize, usize) {
        let kept = repeats.kept.lock();
        let calls = kept.clients.values().map(|of| of.calls.len()).sum::<usize>();
        let bytes = kept.clients.values().flat_map(|of| &of.calls).map(|call| call.bytes).sum::<usize>();
        assert_eq!((kept.calls, kept.bytes), (calls, bytes));
        let sizes: BTreeSet<_> = kept.clients.iter().map(|(client, of)| of.size(client)).collect();
        assert_eq!(kept.by_size, sizes);
        (calls, bytes)
    }

    #[test]
    fn a_client_that_calls_often_forgets_its_own_calls_only() {
        let repeats = small();
        perform(&repeats, "alice", 0, 10);
        for request in 0..100 {
            perform(&repeats, "mallory", request, 10);
        }
        assert!(is_kept(&repeats, "alice", 0));
        assert!(is_kept(&repeats, "mallory", 99) && !is_kept(&repeats, "mallory", 91));
        assert_eq!(count(&repeats).0, 9);
    }

    #[test]
    fn long_replies_count_by_their_bytes() {
        let repeats = small();
        perform(&repeats, "alice", 0, 10);
        for request in 0..5 {
            perform(&repeats, "mallory", request, 4000);
        }
        assert!(is_kept(&repeats, "alice", 0) && is_kept(&repeats, "mallory", 4));
        assert!(!is_kept(&repeats, "mallory", 2), "three are more than a client may keep");
        // one that is larger than everything is not kept
        perform(&repeats, "mallory", 5, 1_000_000);
        assert!(!is_kept(&repeats, "mallory", 5) && is_kept(&repeats, "alice", 0));
        assert!(count(&repeats).1 <= 100_000);
    }

    #[test]
    fn when_all_is_full_those_who_keep_the_most_forget_first() {
        let repeats = small();
        perform(&repeats, "alice", 0, 10);
        for client in ["m1", "m2", "m3", "m4"] {
            for request in 0..8 {
                perform(&repeats, client, request, 10);
            }
        }
        assert_eq!(count(&repeats).0, 20);
        assert!(is_kept(&repeats, "alice", 0) && is_kept(&repeats, "m4", 7));
    }

    /// Who keeps the most is found by the order, which holds also when there are as many clients as there may be.
    #[test]
    fn clients_are_ordered_by_what_they_keep() {
        let repeats = Arc::<Repeats>::default();
        for client in 0..21_000 {
            perform(&repeats, &client.to_string(), 0, 10);
        }
        assert_eq!(count(&repeats).0, 20_000);
        perform(&repeats, "greedy", 0, 1000);
        let kept = repeats.kept.lock();
        assert_eq!(kept.by_size.last().map(|(_, calls, (_, client))| (*calls, &**client)), Some((1, "greedy")));
    }

    #[test]
    fn a_call_that_did_not_end_is_performed_again() {
        let repeats = small();
        let Turn::First(first) = repeats.begin("a vendor", key("alice", 0)) else { panic!("nothing was kept") };
        assert!(matches!(repeats.begin("a vendor", key("alice", 0)), Turn::Repeated(_)));
        // the same request of another client, or of another vendor's, is another one
        for (vendor, client) in [("a vendor", "bob"), ("another", "alice")] {
            assert!(matches!(repeats.begin(vendor, key(client, 0)), Turn::First(_)));
        }
        drop(first);
        assert!(matches!(repeats.begin("a vendor", key("alice", 0)), Turn::First(_)));
        assert_eq!(count(&repeats), (0, 0));
    }
}
