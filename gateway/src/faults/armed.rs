//! The rules that may apply to one request or call. Rules that name a user or a group are decided where the groups are
//! called, since only there it is known whom and what a call is about.

use std::cell::{Cell, OnceCell};
use std::sync::Arc;

use conclave_core::event::Actor;
use conclave_core::model::{GroupId, UserId};
use tokio::time::sleep;

use super::rule::{CallEffect, Rule, Target, When};

/// The rules that may apply to one request or call.
pub(crate) struct Armed {
    rules: Vec<Arc<Rule>>,
    /// The rules that matched already, by position: each matches a call once.
    matched: Vec<Cell<bool>>,
    fired: OnceCell<Fired>,
}

/// What a rule does to a call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fired {
    pub(crate) when: When,
    pub(crate) effect: CallEffect,
}

impl Armed {
    pub(super) fn new(rules: Vec<Arc<Rule>>) -> Self {
        let matched = rules.iter().map(|_| Cell::new(false)).collect();
        Self { rules, matched, fired: OnceCell::new() }
    }

    /// Decides the rules that are about a realm, or about a user who has authenticated with the request.
    pub(crate) fn admitted(&self, realm: &str, user: Option<&UserId>) {
        self.decide(realm, |rule| {
            rule.matcher.group.is_none() && rule.matcher.user.as_ref().is_none_or(|own| user == Some(own))
        });
    }

    /// Decides the rules about an operation or a query that a call performs. `concerns` says whether it is about a group.
    pub(crate) fn performed(&self, realm: &str, actor: &Actor, concerns: impl Fn(&GroupId) -> bool) {
        let user = match actor {
            Actor::User { user, .. } => Some(user),
            Actor::App { for_user } => for_user.as_ref(),
            Actor::System => None,
        };
        self.decide(realm, |rule| {
            rule.matcher.user.as_ref().is_none_or(|own| user == Some(own))
                && rule.matcher.group.as_ref().is_none_or(&concerns)
        });
    }

    /// What happens to the call, if anything.
    pub(crate) fn fired(&self) -> Option<&Fired> {
        self.fired.get()
    }

    fn decide(&self, realm: &str, is_match: impl Fn(&Rule) -> bool) {
        for (rule, matched) in self.rules.iter().zip(&self.matched) {
            if matched.get() || rule.realm != realm || !is_match(rule) {
                continue;
            }
            matched.set(true);
            let Target::Call(when, effect) = &rule.target else { continue };
            if rule.is_due() && self.fired.get().is_none() {
                rule.hit();
                // set once: it was empty
                let _ = self.fired.set(Fired { when: *when, effect: effect.clone() });
            }
        }
    }
}

impl Fired {
    /// Waits, if that is what happens then.
    pub(crate) async fn delay(&self, when: When) {
        if let (true, CallEffect::Delay(time)) = (self.when == when, &self.effect) {
            sleep(*time).await;
        }
    }

    /// Whether the call is not performed.
    pub(crate) fn prevents(&self) -> bool {
        self.when == When::Before && !matches!(self.effect, CallEffect::Delay(_))
    }
}
