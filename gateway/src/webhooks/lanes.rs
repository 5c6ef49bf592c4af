//! Waiting notifications: one lane for each group, in which order is kept. Lanes do not wait for each other.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use conclave_core::model::{GroupId, Millis};
use conclave_kit::Notice;

/// Notifications in a lane are sent in order; those without a group have a lane of their own.
pub(super) type Lane = Option<GroupId>;

/// One event's notifications.
#[derive(Debug, Clone)]
pub(super) struct Job {
    /// The event's number.
    pub(super) sequence: u64,
    /// The event's time.
    pub(super) at: Millis,
    /// Its notifications.
    pub(super) notices: Vec<Notice>,
    /// How many of them are finished.
    pub(super) done: usize,
    /// Attempts for the next one.
    pub(super) tries: u32,
    /// When the next attempt is due.
    pub(super) due: Option<Millis>,
}

/// All lanes of one destination. The first job of each lane is either ready, waiting for a retry, or being sent.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    jobs: HashMap<Lane, VecDeque<Job>>,
    ready: VecDeque<Lane>,
    waiting: BTreeSet<(Millis, Lane)>,
    /// The times of the unfinished events.
    pending: BTreeMap<u64, Millis>,
    /// The bytes of all waiting notifications.
    bytes: usize,
}

impl Job {
    fn bytes(&self) -> usize {
        let of = |notice: &Notice| {
            notice.body.len() + notice.query.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>()
        };
        self.notices.iter().map(of).sum()
    }
}

impl Lanes {
    /// The number of unfinished events.
    pub(super) fn len(&self) -> usize {
        self.pending.len()
    }

    /// The bytes of all waiting notifications.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The time of the oldest unfinished event.
    pub(super) fn oldest(&self) -> Option<Millis> {
        self.pending.first_key_value().map(|(_, at)| *at)
    }

    /// Appends a job to its lane. Jobs without notifications are finished at once.
    pub(super) fn push(&mut self, lane: Lane, job: Job) {
        if job.done >= job.notices.len() {
            return;
        }
        self.pending.insert(job.sequence, job.at);
        self.bytes += job.bytes();
        let jobs = self.jobs.entry(lane.clone()).or_default();
        jobs.push_back(job);
        if jobs.len() == 1 {
            self.place(lane);
        }
    }

    /// The next due notification; its lane is being sent until [`Lanes::pass`] or [`Lanes::wait`].
    pub(super) fn next(&mut self, now: Millis) -> Option<(Lane, Notice)> {
        while self.waiting.first().is_some_and(|(due, _)| *due <= now) {
            self.ready.extend(self.waiting.pop_first().map(|(_, lane)| lane));
        }
        let lane = self.ready.pop_front()?;
        let job = self.jobs.get(&lane)?.front()?;
        let notice = job.notices.get(job.done)?.clone();
        Some((lane, notice))
    }

    /// When the next retry is due.
    pub(super) fn next_due(&self) -> Option<Millis> {
        self.waiting.first().map(|(due, _)| *due)
    }

    /// The job being sent in a lane.
    pub(super) fn underway(&self, lane: &Lane) -> Option<&Job> {
        self.jobs.get(lane)?.front()
    }

    /// A lane's notification is finished: the next one follows. Returns the job's current state.
    pub(super) fn pass(&mut self, lane: Lane) -> Option<Job> {
        let jobs = self.jobs.get_mut(&lane)?;
        let job = jobs.front_mut()?;
        (job.done, job.tries, job.due) = (job.done + 1, 0, None);
        let job_now = job.clone();
        if job.done >= job.notices.len() {
            self.pending.remove(&job.sequence);
            self.bytes = self.bytes.saturating_sub(job.bytes());
            jobs.pop_front();
        }
        if jobs.is_empty() {
            self.jobs.remove(&lane);
        } else {
            self.place(lane);
        }
        Some(job_now)
    }

    /// A lane's notification was not accepted: it is retried later. Returns the job's current state.
    pub(super) fn wait(&mut self, lane: Lane, due: Millis) -> Option<Job> {
        let job = self.jobs.get_mut(&lane)?.front_mut()?;
        (job.tries, job.due) = (job.tries.saturating_add(1), Some(due));
        let job_now = job.clone();
        self.place(lane);
        Some(job_now)
    }

    /// Files a lane under the state of its first job.
    fn place(&mut self, lane: Lane) {
        match self.jobs.get(&lane).and_then(VecDeque::front).and_then(|job| job.due) {
            Some(due) => drop(self.waiting.insert((due, lane))),
            None => self.ready.push_back(lane),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::unnecessary_wraps, reason = "tests")]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn job(sequence: u64, notices: &[&'static str]) -> Job {
        let notice = |name: &&'static str| Notice {
            name,
            query: vec![("k", "v".to_owned())],
            body: Bytes::from_static(b"body"),
        };
        let notices = notices.iter().map(notice).collect();
        Job { sequence, at: Millis(1), notices, done: 0, tries: 0, due: None }
    }

    fn lane(name: &str) -> Lane {
        Some(GroupId::new(name).unwrap())
    }

    #[test]
    fn order_is_kept_in_a_lane_and_lanes_do_not_wait_for_each_other() {
        let (mut lanes, now) = (Lanes::default(), Millis(1000));
        lanes.push(lane("a"), job(1, &["a1", "a2"]));
        lanes.push(lane("b"), job(2, &["b"]));
        lanes.push(lane("a"), job(3, &["a3"]));
        lanes.push(lane("c"), job(4, &[]));
        assert_eq!((lanes.len(), lanes.bytes()), (3, 4 * 6));

        let (first, notice) = lanes.next(now).unwrap();
        assert_eq!(notice.name, "a1");
        assert_eq!(lanes.next(now).unwrap().1.name, "b");
        assert!(lanes.next(now).is_none(), "one at a time in a lane");
        // the first is not accepted: only its own lane waits
        let later = now.plus(1000);
        assert_eq!(lanes.wait(first, later).unwrap().tries, 1);
        assert_eq!(lanes.pass(lane("b")).unwrap().done, 1);
        assert!(lanes.next(now).is_none());
        assert_eq!(lanes.next_due(), Some(later));
        assert_eq!(lanes.next(later).unwrap().1.name, "a1");
        assert_eq!(lanes.pass(lane("a")).unwrap().tries, 0);
        assert_eq!(lanes.next(later).unwrap().1.name, "a2");
        lanes.pass(lane("a"));
        assert_eq!((lanes.len(), lanes.next(later).unwrap().1.name), (1, "a3"));
        lanes.pass(lane("a"));
        assert_eq!((lanes.len(), lanes.oldest(), lanes.jobs.len(), lanes.bytes()), (0, None, 0, 0));
    }

    #[test]
    fn waiting_notifications_continue_after_a_restart() {
        let (mut lanes, now) = (Lanes::default(), Millis(1000));
        let due = now.plus(3000);
        lanes.push(lane("a"), Job { done: 1, tries: 2, due: Some(due), ..job(1, &["a1", "a2"]) });
        assert!(lanes.next(now).is_none());
        assert_eq!(lanes.next(due).unwrap().1.name, "a2");
        lanes.push(lane("b"), Job { done: 2, ..job(2, &["b1", "b2"]) });
        assert_eq!(lanes.len(), 1);
    }
}
