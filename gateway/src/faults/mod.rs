//! Faults that tests want: rules that make calls, logins, pushes and webhooks of a realm fail or wait.
//!
//! - [`rule`]: what a rule matches, how often, and what it does.
//! - [`armed`]: the rules that may apply to one request or call; [`apply`]: what they do to it.
//!
//! Without rules, a request pays one atomic load.

pub(crate) mod apply;
pub(crate) mod armed;
pub(crate) mod rule;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use conclave_core::event::Event;
use conclave_core::model::UserId;
use parking_lot::RwLock;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub(crate) use armed::Armed;
pub(crate) use rule::{CallEffect, Matcher, PushEffect, Rule, Schedule, WebhookEffect, When};

use rule::Target;

/// Most rules of one realm.
pub(crate) const MOST: usize = 1000;

/// Most pushes that are delayed at once.
const DELAYED: usize = 10_000;

/// The rules of all realms.
pub(crate) struct Faults {
    /// Whether there are any rules.
    any: AtomicBool,
    rules: RwLock<Vec<Arc<Rule>>>,
    last: AtomicU64,
    /// Held by pushes that are delayed.
    delayed: Arc<Semaphore>,
}

impl Default for Faults {
    fn default() -> Self {
        let (any, rules, last) = (AtomicBool::default(), RwLock::default(), AtomicU64::default());
        Self { any, rules, last, delayed: Arc::new(Semaphore::new(DELAYED)) }
    }
}

impl Faults {
    /// A place for a push to be delayed; `None` when too many are, and it is delivered at once.
    pub(crate) fn delayed(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.delayed).try_acquire_owned().ok()
    }

    /// Adds a rule to a realm; `None` when the realm has as many as it may have.
    pub(crate) fn add(&self, realm: &str, matcher: Matcher, schedule: Schedule, target: Target) -> Option<Arc<Rule>> {
        let mut rules = self.rules.write();
        if rules.iter().filter(|rule| rule.realm == realm).count() >= MOST {
            return None;
        }
        let id = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let rule = Arc::new(Rule::new(id, realm.to_owned(), matcher, schedule, target));
        rules.push(Arc::clone(&rule));
        self.any.store(true, Ordering::Release);
        Some(rule)
    }

    /// The rules of a realm, oldest first.
    pub(crate) fn of(&self, realm: &str) -> Vec<Arc<Rule>> {
        self.rules.read().iter().filter(|rule| rule.realm == realm).cloned().collect()
    }

    /// Removes a rule of a realm, or all of them; returns how many.
    pub(crate) fn remove(&self, realm: &str, id: Option<u64>) -> usize {
        let mut rules = self.rules.write();
        let before = rules.len();
        rules.retain(|rule| rule.realm != realm || id.is_some_and(|id| id != rule.id));
        self.any.store(!rules.is_empty(), Ordering::Release);
        before - rules.len()
    }

    /// Whether there are any rules.
    #[inline]
    pub(crate) fn is_any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// The rules that may apply to a call, whatever realm it reaches; `None` without any.
    #[inline]
    pub(crate) fn for_call(&self, vendor: &str, operation: Option<&'static str>) -> Option<Armed> {
        if !self.is_any() {
            return None;
        }
        let rules = self.rules.read();
        let applies = |rule: &&Arc<Rule>| rule.is_for_call() && rule.matcher.is_of_operation(vendor, operation);
        let rules: Vec<Arc<Rule>> = rules.iter().filter(applies).cloned().collect();
        (!rules.is_empty()).then(|| Armed::new(rules))
    }

    /// What happens to a user who signs in.
    pub(crate) fn for_sign_in(&self, realm: &str, vendor: &str, user: &UserId) -> Option<CallEffect> {
        self.first(realm, |rule| match &rule.target {
            Target::SignIn(effect) if rule.matcher.is_of_user(vendor, Some(user)) => Some(effect.clone()),
            _ => None,
        })
    }

    /// What happens to the push of an event to a user.
    pub(crate) fn for_push(&self, realm: &str, vendor: &str, user: &UserId, event: &Event) -> Option<PushEffect> {
        self.first(realm, |rule| match &rule.target {
            Target::Push(effect)
                if rule.matcher.is_of_user(vendor, Some(user)) && rule.matcher.is_of_group(event.group.as_ref()) =>
            {
                Some(*effect)
            }
            _ => None,
        })
    }

    /// What happens to a notification of an app's server.
    pub(crate) fn for_webhook(
        &self,
        realm: &str,
        vendor: &str,
        notice: &str,
        group: Option<&conclave_core::model::GroupId>,
    ) -> Option<WebhookEffect> {
        self.first(realm, |rule| match &rule.target {
            Target::Webhook(effect) if rule.matcher.is_of_notice(vendor, notice, group) => Some(*effect),
            _ => None,
        })
    }

    /// The effect of the first matching rule whose turn it is. Each matching rule counts.
    fn first<E>(&self, realm: &str, effect: impl Fn(&Rule) -> Option<E>) -> Option<E> {
        if !self.is_any() {
            return None;
        }
        let rules = self.rules.read();
        let matching = rules.iter().filter(|rule| rule.realm == realm);
        let mut found = None;
        for rule in matching {
            let Some(effect) = effect(rule) else { continue };
            if rule.is_due() && found.is_none() {
                rule.hit();
                found = Some(effect);
            }
        }
        found
    }
}
