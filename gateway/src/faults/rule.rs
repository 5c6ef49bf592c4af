//! One rule: what it matches, how often it applies, and what it does.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use conclave_core::model::{GroupId, UserId};

/// A rule of a realm.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) id: u64,
    pub(crate) realm: String,
    pub(crate) matcher: Matcher,
    pub(crate) schedule: Schedule,
    pub(crate) target: Target,
    matched: AtomicU64,
    hits: AtomicU64,
}

/// What a rule matches: everything that it names.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Matcher {
    pub(crate) vendor: Option<String>,
    /// The vendor's name of the operation, or of the notification.
    pub(crate) operation: Option<String>,
    pub(crate) user: Option<UserId>,
    pub(crate) group: Option<GroupId>,
}

/// To which of the matches a rule applies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Schedule {
    Always,
    /// To so many, from the first on.
    First(u64),
    /// To each of this number: with 3, to the third, the sixth and so on.
    Every(u64),
    /// To each with a probability, decided by a seed: the same ones in every run.
    Probability(f64, u64),
}

/// When a rule applies to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// Nothing has been done.
    Before,
    /// Everything has been done; only the answer changes.
    After,
}

/// What happens to a call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum CallEffect {
    /// The vendor's own error, by its position in the vendor's list, and its code.
    Error(usize, String),
    Delay(Duration),
    /// The connection is dropped without an answer.
    Drop,
}

/// What happens to a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PushEffect {
    Delay(Duration),
    Drop,
}

/// What happens to a notification of an app's server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WebhookEffect {
    /// It is not sent, and counts as not accepted.
    Fail,
    Delay(Duration),
    /// It is sent twice.
    Duplicate,
}

/// What a rule is about, and what it does.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Target {
    Call(When, CallEffect),
    SignIn(CallEffect),
    Push(PushEffect),
    Webhook(WebhookEffect),
}

impl Rule {
    pub(super) fn new(id: u64, realm: String, matcher: Matcher, schedule: Schedule, target: Target) -> Self {
        Self { id, realm, matcher, schedule, target, matched: AtomicU64::new(0), hits: AtomicU64::new(0) }
    }

    pub(super) fn is_for_call(&self) -> bool {
        matches!(self.target, Target::Call(..))
    }

    /// Counts a match, and returns whether the rule applies to it.
    pub(super) fn is_due(&self) -> bool {
        let before = self.matched.fetch_add(1, Ordering::Relaxed);
        match self.schedule {
            Schedule::Always => true,
            Schedule::First(count) => before < count,
            Schedule::Every(count) => (before + 1).is_multiple_of(count),
            Schedule::Probability(probability, seed) => fraction(seed, before) < probability,
        }
    }

    /// Counts that it has applied.
    pub(super) fn hit(&self) {
        self.hits.fetch_add(1, Ordering::Relaxed);
    }

    /// How often it matched.
    pub(crate) fn matched(&self) -> u64 {
        self.matched.load(Ordering::Relaxed)
    }

    /// How often it applied.
    pub(crate) fn hits(&self) -> u64 {
        self.hits.load(Ordering::Relaxed)
    }
}

impl Matcher {
    pub(super) fn is_of_operation(&self, vendor: &str, operation: Option<&str>) -> bool {
        self.vendor.as_deref().is_none_or(|own| own == vendor)
            && self.operation.as_deref().is_none_or(|own| operation == Some(own))
    }

    pub(super) fn is_of_user(&self, vendor: &str, user: Option<&UserId>) -> bool {
        self.vendor.as_deref().is_none_or(|own| own == vendor) && self.user.as_ref().is_none_or(|own| user == Some(own))
    }

    pub(super) fn is_of_group(&self, group: Option<&GroupId>) -> bool {
        self.group.as_ref().is_none_or(|own| group == Some(own))
    }

    pub(super) fn is_of_notice(&self, vendor: &str, notice: &str, group: Option<&GroupId>) -> bool {
        self.is_of_operation(vendor, Some(notice)) && self.is_of_group(group)
    }
}

/// A number from 0 to 1 (exclusive) for a position in a sequence, the same for the same seed (`SplitMix64`).
#[allow(clippy::cast_precision_loss, reason = "53 bits are kept")]
fn fraction(seed: u64, position: u64) -> f64 {
    let mut bits = seed.wrapping_add(position.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((bits ^ (bits >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(schedule: Schedule, count: usize) -> Vec<bool> {
        let rule =
            Rule::new(1, "r".to_owned(), Matcher::default(), schedule, Target::Call(When::Before, CallEffect::Drop));
        (0..count).map(|_| rule.is_due()).collect()
    }

    #[test]
    fn schedules_choose_matches() {
        assert_eq!(due(Schedule::Always, 2), [true, true]);
        assert_eq!(due(Schedule::First(2), 4), [true, true, false, false]);
        assert_eq!(due(Schedule::Every(2), 4), [false, true, false, true]);
        let half = Schedule::Probability(0.5, 7);
        assert_eq!(due(half, 100), due(half, 100));
        assert_ne!(due(half, 100), due(Schedule::Probability(0.5, 8), 100));
        let count = due(half, 10_000).into_iter().filter(|due| *due).count();
        assert!((4700..5300).contains(&count), "{count}");
        assert_eq!(due(Schedule::Probability(0.0, 1), 100), [false; 100]);
        assert_eq!(due(Schedule::Probability(1.0, 1), 100), [true; 100]);
    }
}
