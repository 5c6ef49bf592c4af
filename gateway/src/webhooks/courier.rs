//! Delivers to one destination: reads the log, sends, retries, and stores its position.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use conclave_core::event::Event;
use conclave_core::model::Millis;
use conclave_core::ports::{Groups, Log, Subscription};
use conclave_core::refusal::Refusal;
use conclave_kit::{Destination, Notice, PostError, RetryPolicy};
use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::client::{Client, OutgoingRequest, ReceiverResponse};
use super::counted::Counted;
use super::lanes::{Job, Lane, Lanes};
use super::position_store::{PositionStore, Progress, State};
use super::time::{DeliveryState, Time, millis};
use crate::faults::{Faults, WebhookEffect};
use crate::journal::{Entry, Journals, Kind};
use crate::traces::Trace;

/// Most events of the log read at once.
const PAGE: usize = 256;
/// Most events that wait to be accepted; beyond that the log is not read until there is room.
pub(super) const MAX_WAITING_EVENTS: usize = 1024;
/// Most bytes of notifications that wait; a single event may exceed it.
pub(super) const MAX_WAITING_BYTES: usize = 16 * 1024 * 1024;
/// Most notifications that are sent at once.
pub(super) const MAX_CONCURRENT: usize = 16;
/// How old the stored position may be while notifications are accepted.
const SAVE_AFTER: Duration = Duration::from_millis(200);
/// How old it may be while the log has nothing for the destination.
const SAVE_AFTER_IDLE: Duration = Duration::from_secs(5);
/// How long the log is not read after an error.
const PAUSE_AFTER_ERROR: Duration = Duration::from_secs(1);
/// How often the log is read without its signal, for commits whose caller had disconnected.
const READ_LOG_EVERY: Duration = Duration::from_secs(2);
/// How often the lag is measured while something is waiting.
const MEASURE: Duration = Duration::from_secs(1);
/// The shortest delay before a second retry and later ones.
const SHORTEST_DELAY: Duration = Duration::from_secs(1);
/// How long a stopping courier waits for notifications that are being sent.
const STOP_WAIT: Duration = Duration::from_secs(2);

/// Delivers to one destination.
pub(super) struct Courier {
    pub(super) realm: String,
    pub(super) vendor: &'static str,
    pub(super) destination: Destination,
    pub(super) groups: Arc<dyn Groups>,
    pub(super) log: Arc<dyn Log>,
    pub(super) client: Arc<Client>,
    /// Signals when events were appended to the log.
    pub(super) appended: Subscription,
    pub(super) metrics: Counted,
    pub(super) position_store: PositionStore,
    pub(super) state: State,
    pub(super) time: Time,
    /// The fault rules of all realms.
    pub(super) faults: Arc<Faults>,
    /// The journals of all realms.
    pub(super) journals: Arc<Journals>,
    /// How far it is, for those who wait until everything that is due was sent.
    pub(super) delivery_state: watch::Sender<DeliveryState>,
}

/// The result of one attempt.
type Attempted = Result<ReceiverResponse, PostError>;

/// The state of a running courier.
struct RunningCourier {
    courier: Courier,
    lanes: Lanes,
    /// The events that were pending when the last process ended, and have not been read again yet.
    recover: VecDeque<(u64, Progress)>,
    /// Whether there may be more in the log.
    more: bool,
    /// When the log is read without its signal.
    look: Instant,
    /// The log is not read until then.
    rest: Option<Instant>,
    sending: JoinSet<Attempted>,
    /// The lanes of the running attempts.
    senders: HashMap<Id, Lane>,
    /// When the state is stored; `None` while the stored one is current.
    save: Option<Instant>,
    /// Whether the last notification was not accepted.
    failing: bool,
}

impl Courier {
    /// Runs until stopped, or until the sender of the stop signal is dropped.
    pub(super) async fn run(self, mut stop: watch::Receiver<bool>) {
        let recover = self.state.pending.clone().into_iter().collect();
        let mut round = RunningCourier {
            courier: self,
            lanes: Lanes::default(),
            recover,
            more: true,
            look: Instant::now() + READ_LOG_EVERY,
            rest: None,
            sending: JoinSet::new(),
            senders: HashMap::new(),
            save: None,
            failing: false,
        };
        loop {
            round.read().await;
            round.send();
            round.measure();
            round.report_delivery_state();
            let wake = round.wake();
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => break,
                Some(sent) = round.sending.join_next_with_id() => round.sent(sent),
                alive = round.courier.appended.changed(), if !round.more => {
                    if !alive {
                        break;
                    }
                    round.more = true;
                }
                () = round.courier.time.changed() => {}
                () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => {}
            }
            if round.save.is_some_and(|save| save <= Instant::now()) {
                round.keep().await;
            }
        }
        round.end().await;
    }
}

impl RunningCourier {
    /// Reads some of the log, if there is room.
    async fn read(&mut self) {
        if !self.has_room() || self.rest.is_some_and(|rest| rest > Instant::now()) {
            return;
        }
        self.rest = None;
        self.more |= self.look <= Instant::now();
        let read = if let Some((sequence, progress)) = self.recover.front().cloned() {
            self.read_again(sequence, progress).await
        } else if self.more {
            self.read_on().await
        } else {
            Ok(())
        };
        if let Err(refusal) = read {
            let Courier { realm, vendor, destination, .. } = &self.courier;
            let name = destination.name;
            tracing::error!(realm, vendor, destination = name, %refusal, "the log cannot be read for a webhook: it is tried again");
            self.rest = Some(Instant::now() + PAUSE_AFTER_ERROR);
        }
    }

    /// Reads an event that was pending when the last process ended.
    async fn read_again(&mut self, sequence: u64, progress: Progress) -> Result<(), Refusal> {
        let found = self.courier.log.read(sequence.saturating_sub(1), 1).await?;
        if let Some(event) = found.into_iter().find(|event| event.sequence == sequence) {
            let notices = self.encode_notices(&event).await?;
            self.take_in(&event, notices, progress);
        } else {
            self.courier.state.pending.remove(&sequence);
        }
        self.recover.pop_front();
        Ok(())
    }

    /// Reads the next page.
    async fn read_on(&mut self) -> Result<(), Refusal> {
        let page = self.courier.log.read(self.courier.state.through, PAGE).await?;
        self.more = page.len() == PAGE;
        self.look = Instant::now() + READ_LOG_EVERY;
        for event in page {
            if !self.has_room() {
                // the rest of the page is read again
                self.more = true;
                return Ok(());
            }
            let notices = match self.encode_notices(&event).await {
                Ok(notices) => notices,
                Err(refusal) => {
                    self.more = true;
                    return Err(refusal);
                }
            };
            self.courier.state.through = event.sequence;
            self.save_within(SAVE_AFTER_IDLE);
            self.take_in(&event, notices, Progress::default());
        }
        Ok(())
    }

    async fn encode_notices(&self, event: &Arc<Event>) -> Result<Vec<Notice>, Refusal> {
        self.courier.destination.webhooks.notices(event, &*self.courier.groups, &*self.courier.log).await
    }

    fn take_in(&mut self, event: &Event, notices: Vec<Notice>, progress: Progress) {
        let Progress { done, tries, due } = progress.clone();
        if done >= notices.len() {
            self.courier.state.pending.remove(&event.sequence);
            return;
        }
        self.courier.state.pending.insert(event.sequence, progress);
        // if the clock was set meanwhile, the wait must not become endless
        let now = self.courier.time.now();
        let wait = due.map(|due| since(due, now).min(self.courier.destination.retry_policy.longest_backoff));
        let due = wait.map(|wait| now.plus(millis(wait).0));
        let job = Job { sequence: event.sequence, at: event.at, notices, done, tries, due };
        self.lanes.push(event.group.clone(), job);
    }

    /// Sends the notifications that are due.
    fn send(&mut self) {
        let now = self.courier.time.now();
        while self.sending.len() < MAX_CONCURRENT {
            let Some((lane, notice)) = self.lanes.next(now) else { break };
            let Destination { url, allow_private, retry_policy, webhooks, .. } = &self.courier.destination;
            let envelope = webhooks.envelope(&notice, self.courier.groups.now(), rand::random());
            let attempt = self.lanes.underway(&lane).map_or((None, 0), |job| (Some(job.sequence), job.tries));
            let trace = Trace::of_webhook(self.courier.vendor, &self.courier.realm, notice.name, attempt);
            let outgoing = OutgoingRequest {
                url: url.clone(),
                query: [notice.query, envelope.query].concat(),
                headers: envelope.headers,
                body: notice.body,
                timeout: retry_policy.timeout,
                allow_private: *allow_private,
            };
            let client = Arc::clone(&self.courier.client);
            let webhooks = Arc::clone(webhooks);
            let Courier { realm, vendor, faults, .. } = &self.courier;
            let fault = faults.for_webhook(realm, vendor, notice.name, lane.as_ref());
            let task = self.sending.spawn(async move {
                match fault {
                    Some(WebhookEffect::Fail) => return Err(PostError::Failed("a fault rule prevents it".to_owned())),
                    Some(WebhookEffect::Delay(time)) => sleep(time).await,
                    // the first response counts for nothing
                    Some(WebhookEffect::Duplicate) => drop(client.send(outgoing.clone()).await),
                    None => {}
                }
                client.deliver(outgoing, &*webhooks, trace).await
            });
            self.senders.insert(task.id(), lane);
        }
    }

    /// Handles the end of an attempt.
    fn sent(&mut self, sent: Result<(Id, Attempted), JoinError>) {
        let (id, outcome) = match sent {
            Ok(sent) => sent,
            Err(error) => (error.id(), Err(PostError::Failed(error.to_string()))),
        };
        let Some(lane) = self.senders.remove(&id) else { return };
        let why = match outcome {
            Ok(answer) if self.courier.destination.webhooks.is_accepted(answer.status, &answer.body) => {
                self.note(&lane, None);
                self.courier.metrics.sent.inc();
                self.failing = false;
                return self.pass(lane);
            }
            Ok(answer) => format!("it was answered {}", answer.status),
            Err(error) => error.to_string(),
        };
        self.note(&lane, Some(&why));
        let Some(job) = self.lanes.underway(&lane) else { return };
        let (tried, retry_policy) = (job.tries.saturating_add(1), &self.courier.destination.retry_policy);
        let is_last = retry_policy.retries.is_some_and(|retries| tried > retries);
        let is_first = !std::mem::replace(&mut self.failing, true);
        report(&self.courier, job, &lane, (tried, &why), (is_first, is_last));
        if is_last {
            self.courier.metrics.dropped.inc();
            self.pass(lane);
        } else {
            self.courier.metrics.retried.inc();
            let wait = backoff(retry_policy, tried);
            let due = self.courier.time.now().plus(millis(wait).0);
            if let Some(job) = self.lanes.wait(lane, due) {
                self.set_pending(job.sequence, Progress { done: job.done, tries: job.tries, due: Some(due) });
            }
        }
    }

    /// Adds an attempt to the realm's journal, if there is one.
    fn note(&self, lane: &Lane, error: Option<&str>) {
        let Courier { realm, vendor, journals, .. } = &self.courier;
        let Some(journal) = journals.of(realm) else { return };
        let notice = self.lanes.underway(lane).and_then(|job| job.notices.get(job.done));
        journal.add(Entry {
            operation: notice.map(|notice| notice.name.to_owned()),
            group: lane.as_ref().map(ToString::to_string),
            error: error.map(str::to_owned),
            ..Entry::new(Kind::Webhook, vendor)
        });
    }

    /// Finishes a lane's notification.
    fn pass(&mut self, lane: Lane) {
        let Some(job) = self.lanes.pass(lane) else { return };
        if job.done < job.notices.len() {
            self.set_pending(job.sequence, Progress { done: job.done, ..Progress::default() });
        } else {
            self.courier.state.pending.remove(&job.sequence);
            self.save_within(SAVE_AFTER);
        }
    }

    fn set_pending(&mut self, sequence: u64, progress: Progress) {
        self.courier.state.pending.insert(sequence, progress);
        self.save_within(SAVE_AFTER);
    }

    fn save_within(&mut self, retry_policy: Duration) {
        let by = Instant::now() + retry_policy;
        self.save = Some(self.save.map_or(by, |save| save.min(by)));
    }

    /// Whether there is room for more.
    fn has_room(&self) -> bool {
        self.lanes.len() < MAX_WAITING_EVENTS && self.lanes.bytes() < MAX_WAITING_BYTES
    }

    /// Whether there is something to read at once.
    fn may_read(&self) -> bool {
        self.more || !self.recover.is_empty()
    }

    /// When to wake up, if nothing happens before.
    fn wake(&self) -> Option<Instant> {
        let now = Instant::now();
        let look = if self.may_read() { now } else { self.look };
        let read = self.has_room().then(|| self.rest.unwrap_or(look));
        let due = (self.sending.len() < MAX_CONCURRENT).then(|| self.lanes.next_due()).flatten();
        let send = due.and_then(|due| self.courier.time.until(due)).map(|wait| now + wait);
        let measure = (self.lanes.len() > 0).then(|| now + MEASURE);
        [read, send, measure, self.save].into_iter().flatten().min()
    }

    /// Publishes how far it is.
    fn report_delivery_state(&mut self) {
        let changes = self.courier.time.changes();
        let now = self.courier.time.now();
        let is_due = self.lanes.next_due().is_some_and(|due| due <= now);
        let busy = !self.sending.is_empty() || self.may_read() || is_due;
        let State { through, pending, .. } = &self.courier.state;
        let finished = pending.keys().next().map_or(*through, |first| first.saturating_sub(1).min(*through));
        let (through, idle) = (*through, self.lanes.len() == 0);
        self.courier.delivery_state.send_replace(DeliveryState { changes, through, finished, busy, idle });
    }

    fn measure(&self) {
        let metrics = &self.courier.metrics;
        metrics.last_activity.record();
        metrics.pending.set(i64::try_from(self.lanes.len()).unwrap_or(i64::MAX));
        let lag = self.lanes.oldest().map(|oldest| since(self.courier.groups.now(), oldest));
        metrics.lag.set(lag.unwrap_or_default().as_secs_f64());
    }

    /// Stores the position.
    async fn keep(&mut self) {
        self.save = None;
        let (position_store, state) = (self.courier.position_store.clone(), self.courier.state.clone());
        let kept = tokio::task::spawn_blocking(move || position_store.save(&state)).await;
        if let Err(error) = kept.unwrap_or_else(|error| Err(std::io::Error::other(error))) {
            let Courier { realm, vendor, destination, .. } = &self.courier;
            let name = destination.name;
            tracing::error!(
                realm,
                vendor,
                destination = name,
                %error,
                "a webhook's delivery position cannot be stored, so a restart would send events again: free disk space"
            );
            self.save_within(PAUSE_AFTER_ERROR);
        }
    }

    /// Waits briefly for running attempts, and stores the position.
    async fn end(mut self) {
        let all = async {
            while let Some(sent) = self.sending.join_next_with_id().await {
                self.sent(sent);
            }
        };
        if timeout(STOP_WAIT, all).await.is_err() {
            self.sending.shutdown().await;
        }
        self.keep().await;
    }
}

/// Logs that a notification was not accepted; of retries, only the first in a row.
fn report(courier: &Courier, job: &Job, lane: &Lane, (tries, why): (u32, &str), (is_first, is_last): (bool, bool)) {
    let Courier { realm, vendor, destination, .. } = courier;
    let notice = job.notices.get(job.done).map_or("", |notice| notice.name);
    let (name, group, event) = (destination.name, lane.as_ref().map(tracing::field::display), job.sequence);
    if is_last {
        tracing::warn!(
            realm,
            vendor,
            destination = name,
            notice,
            group,
            event,
            tries,
            why,
            "a webhook was not accepted: it is dropped"
        );
    } else if is_first {
        tracing::warn!(
            realm,
            vendor,
            destination = name,
            notice,
            group,
            event,
            tries,
            why,
            "a webhook was not accepted: it is retried"
        );
    } else {
        tracing::debug!(
            realm,
            vendor,
            destination = name,
            notice,
            group,
            event,
            tries,
            why,
            "a webhook was again not accepted"
        );
    }
}

/// The delay after so many attempts. How many retries there are, and the first delay: [`RetryPolicy`], which each adapter
/// fills from its settings. Without a configured delay only the first retry is sent at once.
pub(super) fn backoff(retry_policy: &RetryPolicy, tried: u32) -> Duration {
    let (first, doublings) = match (retry_policy.backoff.is_zero(), tried) {
        (true, ..=1) => return Duration::ZERO,
        (true, tried) => (SHORTEST_DELAY, tried - 2),
        (false, tried) => (retry_policy.backoff, tried.saturating_sub(1)),
    };
    first.saturating_mul(2_u32.saturating_pow(doublings)).min(retry_policy.longest_backoff)
}

/// The duration between two times.
fn since(later: Millis, earlier: Millis) -> Duration {
    Duration::from_millis(later.0.saturating_sub(earlier.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let waits = |backoff, longest| {
            let retry_policy = RetryPolicy::from_settings(1, -1, backoff, longest);
            [1, 2, 3, 4, 40].map(|tried| super::backoff(&retry_policy, tried).as_millis())
        };
        assert_eq!(waits(100, 500), [100, 200, 400, 500, 500]);
        assert_eq!(waits(0, 60_000), [0, 1000, 2000, 4000, 60_000]);
    }
}
