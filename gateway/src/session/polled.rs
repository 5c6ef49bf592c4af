//! A session whose frames are carried by HTTP requests, and which survives each of them.
//!
//! One request at a time receives what the session sends; others carry what the client sends. Frames wait, bounded,
//! while no request receives; when none has received for the endpoint's timeout, the session ends.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use conclave_kit::{Frame, OutFrame, SessionLimits};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout};

use super::line::{Code, Incoming, Lost};

/// Most bytes of frames from a client that wait for the session.
const INCOMING_BYTES: usize = 1024 * 1024;
/// Most frames from a client that wait.
const INCOMING: usize = 256;
/// Bytes waiting for the client at which the session gets nothing more to send until the client has received some.
const ROOM_BYTES: usize = 64 * 1024;
/// The same, in frames.
const ROOM: usize = 64;
/// How long the close reason of a session is kept for the client to receive.
const GOODBYE: Duration = Duration::from_secs(5);

/// All sessions of this kind, by their key in requests.
#[derive(Default)]
pub(super) struct PolledSessions(Mutex<HashMap<Key, Arc<Exchange>>>);

/// Identifies a session: its vendor, its endpoint, and an id in the request.
pub(super) type Key = (&'static str, &'static str, String);

/// The shared state of a session and its client's requests.
#[derive(Default)]
pub(super) struct Exchange {
    state: Mutex<State>,
    /// The client has sent something, or a request has begun or ended to receive.
    for_session: Notify,
    /// The session has sent something, or has ended.
    for_receiver: Notify,
    /// There is room again for frames of the client.
    for_sender: Notify,
}

#[derive(Default)]
struct State {
    incoming: VecDeque<Frame>,
    incoming_bytes: usize,
    outgoing: VecDeque<OutFrame>,
    outgoing_bytes: usize,
    /// The request that receives, by its number.
    receiving: Option<u64>,
    /// The number of requests that have received.
    receivers: u64,
    /// Since when no request receives.
    idle_since: Option<Instant>,
    /// The session sends nothing more.
    closed: bool,
    /// The client was notified of the end.
    notified: bool,
}

impl PolledSessions {
    /// The session with this key.
    pub(super) fn find(&self, key: &Key) -> Option<Arc<Exchange>> {
        self.0.lock().get(key).cloned()
    }

    /// The session with this key, or a new one; and whether it is new.
    pub(super) fn find_or_open(&self, key: &Key) -> (Arc<Exchange>, bool) {
        let mut sessions = self.0.lock();
        if let Some(exchange) = sessions.get(key) {
            return (Arc::clone(exchange), false);
        }
        let exchange = Arc::new(Exchange::default());
        exchange.state.lock().idle_since = Some(Instant::now());
        sessions.insert(key.clone(), Arc::clone(&exchange));
        (exchange, true)
    }

    /// Removes a session that has ended.
    pub(super) fn remove(&self, key: &Key) {
        self.0.lock().remove(key);
    }
}

/// A session has ended.
pub(super) struct Ended;

/// The result of a receiving request.
pub(super) enum Received {
    /// Frames, at least one.
    Frames(Vec<OutFrame>),
    /// Nothing within the timeout.
    Nothing,
    /// The session has ended, and everything it sent was received.
    Ended,
}

impl Exchange {
    /// Passes the client's frames to the session; waits while the session is busy with earlier ones.
    pub(super) async fn bring(&self, frames: Vec<Frame>) -> Result<(), Ended> {
        for frame in frames {
            let mut frame = Some(frame);
            while let Some(next) = frame.take() {
                {
                    let mut state = self.state.lock();
                    if state.closed {
                        return Err(Ended);
                    }
                    if state.incoming.len() < INCOMING && state.incoming_bytes <= INCOMING_BYTES {
                        state.incoming_bytes += next.bytes().len();
                        state.incoming.push_back(next);
                    } else {
                        frame = Some(next);
                    }
                }
                if frame.is_some() {
                    self.for_sender.notified().await;
                }
            }
            self.for_session.notify_one();
        }
        // other waiting requests may find room
        self.for_sender.notify_one();
        Ok(())
    }

    /// Begins to receive, unless another request does.
    pub(super) fn receive(self: &Arc<Self>) -> Option<Receiver> {
        let is_taken = self.state.lock().receiving.is_some();
        if is_taken { None } else { Some(self.take_over()) }
    }

    /// Begins to receive, replacing the current receiving request.
    pub(super) fn take_over(self: &Arc<Self>) -> Receiver {
        let mut state = self.state.lock();
        state.receivers += 1;
        let number = state.receivers;
        state.receiving = Some(number);
        state.idle_since = None;
        drop(state);
        self.for_session.notify_one();
        // a waiting request finds that it was replaced
        self.for_receiver.notify_one();
        Receiver { exchange: Arc::clone(self), number }
    }
}

/// The receiving request; releases its role on drop.
pub(super) struct Receiver {
    exchange: Arc<Exchange>,
    number: u64,
}

impl Receiver {
    /// Whether no later request has taken over.
    pub(super) fn is_current(&self) -> bool {
        self.exchange.state.lock().receiving == Some(self.number)
    }

    /// Waits for frames: at most so many, and until then.
    pub(super) async fn next(&mut self, most: usize, until: Instant) -> Received {
        loop {
            {
                let mut state = self.exchange.state.lock();
                if state.receiving != Some(self.number) {
                    self.exchange.for_receiver.notify_one();
                    return Received::Nothing;
                }
                if !state.outgoing.is_empty() {
                    let count = state.outgoing.len().min(most.max(1));
                    let frames: Vec<OutFrame> = state.outgoing.drain(..count).collect();
                    state.outgoing_bytes -= frames.iter().map(|frame| frame.frame().bytes().len()).sum::<usize>();
                    self.exchange.for_session.notify_one();
                    return Received::Frames(frames);
                }
                if state.closed {
                    state.notified = true;
                    self.exchange.for_session.notify_one();
                    return Received::Ended;
                }
            }
            tokio::select! {
                () = self.exchange.for_receiver.notified() => {}
                () = sleep_until(until) => return Received::Nothing,
            }
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let mut state = self.exchange.state.lock();
        if state.receiving == Some(self.number) {
            state.receiving = None;
            state.idle_since = Some(Instant::now());
            self.exchange.for_session.notify_one();
        }
    }
}

/// The session's side.
pub(super) struct Polled {
    exchange: Arc<Exchange>,
    limits: SessionLimits,
}

impl Polled {
    pub(super) fn new(exchange: Arc<Exchange>, limits: SessionLimits) -> Self {
        Self { exchange, limits }
    }

    /// Waits for frames of the client, or until it has received nothing for too long.
    pub(super) async fn next(&mut self) -> Incoming {
        loop {
            let dead_at = {
                let mut state = self.exchange.state.lock();
                if let Some(frame) = state.incoming.pop_front() {
                    state.incoming_bytes -= frame.bytes().len();
                    self.exchange.for_sender.notify_one();
                    return Incoming::Frame(frame);
                }
                state.idle_since.map(|since| since + self.limits.linger)
            };
            let dead = async {
                match dead_at {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.exchange.for_session.notified() => {}
                () = dead => return Incoming::Gone,
            }
        }
    }

    /// Queues frames for the client. Fails when more are waiting than permitted.
    pub(super) fn send(&mut self, frames: &mut Vec<OutFrame>) -> Result<(), Lost> {
        let mut state = self.exchange.state.lock();
        for frame in frames.drain(..) {
            state.outgoing_bytes += frame.frame().bytes().len();
            state.outgoing.push_back(frame);
        }
        let is_full = state.outgoing_bytes > self.limits.output_bytes;
        drop(state);
        self.exchange.for_receiver.notify_one();
        if is_full { Err(Lost) } else { Ok(()) }
    }

    /// Whether the session may be given more to send.
    pub(super) fn has_room(&self) -> bool {
        let state = self.exchange.state.lock();
        state.outgoing.len() < ROOM && state.outgoing_bytes < ROOM_BYTES
    }

    /// Waits until it may, or until the client has received nothing for too long.
    pub(super) async fn room(&mut self) -> Result<(), Lost> {
        loop {
            if self.has_room() {
                return Ok(());
            }
            let dead_at = self.exchange.state.lock().idle_since.map(|since| since + self.limits.linger);
            let dead = async {
                match dead_at {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.exchange.for_session.notified() => {}
                () = dead => return Err(Lost),
            }
        }
    }

    /// Ends the session for its client, and waits briefly until it has received everything.
    pub(super) async fn close(&mut self, _: Option<Code>) {
        self.exchange.state.lock().closed = true;
        self.exchange.for_receiver.notify_one();
        self.exchange.for_sender.notify_one();
        let received = async {
            while !self.exchange.state.lock().notified {
                self.exchange.for_session.notified().await;
            }
        };
        let _slow = timeout(GOODBYE, received).await;
    }
}

impl Drop for Polled {
    /// Wakes the waiting requests, however the session has ended.
    fn drop(&mut self) {
        self.exchange.state.lock().closed = true;
        self.exchange.for_receiver.notify_one();
        self.exchange.for_sender.notify_one();
    }
}
