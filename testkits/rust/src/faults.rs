//! The fault rules of a realm.

use std::time::Duration;

use http::Method;
use serde::{Deserialize, Serialize};

use crate::Realm;
use crate::control::NOTHING;

/// The fault rules of a realm.
#[derive(Debug, Clone, Copy)]
pub struct Faults<'r>(pub(crate) &'r Realm);

/// What a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum On {
    /// Requests, and calls over client protocols.
    Call,
    /// Users who sign in.
    SignIn,
    /// Events that are delivered to clients.
    Push,
    /// Notifications of an app's server.
    Webhook,
}

/// What a rule does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Effect {
    /// The vendor's own error with this code; the rule needs a vendor.
    Error(String),
    /// So many milliseconds later.
    DelayMs(u64),
    /// No answer, no event, no notification: `true`.
    Drop(bool),
    /// Sent twice: `true`.
    Duplicate(bool),
}

/// A rule: [`FaultRule::new`], and what narrows it. `docs/control.md` describes rules.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FaultRule {
    on: On,
    effect: Effect,
    #[serde(skip_serializing_if = "Option::is_none")]
    vendor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    every: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    when: Option<&'static str>,
}

impl FaultRule {
    /// A rule that applies always.
    pub fn new(on: On, effect: Effect) -> Self {
        let (vendor, operation, user, group, first, every, when) = (None, None, None, None, None, None, None);
        Self { on, effect, vendor, operation, user, group, first, every, when }
    }

    /// Calls that fail with an error of the vendor.
    pub fn error(vendor: &str, code: &str) -> Self {
        Self::new(On::Call, Effect::Error(code.to_owned())).vendor(vendor)
    }

    /// Calls that take longer.
    pub fn delay(by: Duration) -> Self {
        Self::new(On::Call, Effect::DelayMs(u64::try_from(by.as_millis()).unwrap_or(u64::MAX)))
    }

    /// Only through this vendor's API.
    #[must_use]
    pub fn vendor(self, vendor: &str) -> Self {
        Self { vendor: Some(vendor.to_owned()), ..self }
    }

    /// Only this operation, by the vendor's name.
    #[must_use]
    pub fn operation(self, operation: &str) -> Self {
        Self { operation: Some(operation.to_owned()), ..self }
    }

    /// Only this user.
    #[must_use]
    pub fn user(self, user: &str) -> Self {
        Self { user: Some(user.to_owned()), ..self }
    }

    /// Only this group.
    #[must_use]
    pub fn group(self, group: &str) -> Self {
        Self { group: Some(group.to_owned()), ..self }
    }

    /// Only the first so many matches.
    #[must_use]
    pub fn first(self, first: u64) -> Self {
        Self { first: Some(first), ..self }
    }

    /// Only each match of this number.
    #[must_use]
    pub fn every(self, every: u64) -> Self {
        Self { every: Some(every), ..self }
    }

    /// After everything was done: only the answer is lost, late or an error.
    #[must_use]
    pub fn after(self) -> Self {
        Self { when: Some("after"), ..self }
    }
}

/// A rule of a realm.
#[derive(Debug, Clone, Copy)]
pub struct Fault<'r> {
    realm: &'r Realm,
    id: u64,
}

/// A rule as the control API returns it.
#[derive(Deserialize)]
struct View {
    id: u64,
    matched: u64,
    hits: u64,
}

#[derive(Deserialize)]
struct List {
    faults: Vec<View>,
}

impl<'r> Faults<'r> {
    /// Adds a rule.
    ///
    /// # Errors
    /// It is refused.
    pub async fn add(&self, rule: &FaultRule) -> crate::Result<Fault<'r>> {
        let view: View = self.0.call(Method::POST, &["faults"], Some(rule)).await?;
        Ok(Fault { realm: self.0, id: view.id })
    }

    /// Adds a rule in the control API's own JSON, for what [`FaultRule`] does not have.
    ///
    /// # Errors
    /// It is refused.
    pub async fn add_json(&self, rule: &serde_json::Value) -> crate::Result<Fault<'r>> {
        let view: View = self.0.call(Method::POST, &["faults"], Some(rule)).await?;
        Ok(Fault { realm: self.0, id: view.id })
    }

    /// Deletes all rules.
    ///
    /// # Errors
    /// The gateway does not answer.
    pub async fn clear(&self) -> crate::Result<()> {
        self.0.call(Method::DELETE, &["faults"], NOTHING).await
    }
}

impl Fault<'_> {
    /// How often it matched, and how often it applied; nothing when it was deleted.
    ///
    /// # Errors
    /// The gateway does not answer.
    pub async fn counts(&self) -> crate::Result<Option<(u64, u64)>> {
        let list: List = self.realm.call(Method::GET, &["faults"], NOTHING).await?;
        let found = list.faults.into_iter().find(|rule| rule.id == self.id);
        Ok(found.map(|rule| (rule.matched, rule.hits)))
    }

    /// Deletes it.
    ///
    /// # Errors
    /// It was deleted before.
    pub async fn delete(self) -> crate::Result<()> {
        self.realm.call(Method::DELETE, &["faults", &self.id.to_string()], NOTHING).await
    }
}
