//! Fault rules of a realm: calls, logins, pushes and webhooks that fail or wait.

use std::time::Duration;

use conclave_core::model::{GroupId, UserId};
use http::{Method, StatusCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Control;
use super::api::{Call, Endpoint, Json, Nothing};
use super::error::{Code, ControlError};
use crate::faults::rule::Target;
use crate::faults::{CallEffect, MOST, Matcher, PushEffect, Rule, Schedule, WebhookEffect, When};
use crate::registry::Host;

/// The longest delay.
const LONGEST: Duration = Duration::from_mins(10);

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            (Method::POST, "/v1/realms/{realm}/faults"),
            "create_fault",
            "Add a rule that makes calls, logins, pushes or webhooks of a realm fail or wait.",
            create,
        )
        .status(StatusCode::CREATED),
        Endpoint::new(
            (Method::GET, "/v1/realms/{realm}/faults"),
            "list_faults",
            "List the rules of a realm with their counts, oldest first.",
            list,
        ),
        Endpoint::new(
            (Method::DELETE, "/v1/realms/{realm}/faults"),
            "delete_faults",
            "Remove all rules of a realm.",
            clear,
        ),
        Endpoint::new((Method::DELETE, "/v1/realms/{realm}/faults/{fault}"), "delete_fault", "Remove a rule.", delete),
        Endpoint::new(
            (Method::GET, "/v1/vendors/{vendor}/errors"),
            "list_errors",
            "List the errors of a vendor, as rules name them.",
            errors,
        ),
    ]
}

/// A rule.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Fault {
    /// What it is about.
    on: On,
    /// Only what is done through this vendor's API.
    #[serde(skip_serializing_if = "Option::is_none")]
    vendor: Option<String>,
    /// Only this operation, by the vendor's name: those of calls are listed by `conclave routes`, those of webhooks are
    /// the notifications' own. Needs `vendor`.
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
    /// Only this user: the caller, the user who signs in, or the one who is pushed to. Not for webhooks.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    /// Only what is about this group. Not for logins.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    /// Only the first so many matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<u64>,
    /// Only each match of this number: with 3, the third, the sixth and so on.
    #[serde(skip_serializing_if = "Option::is_none")]
    every: Option<u64>,
    /// Only some matches, with this probability from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    probability: Option<f64>,
    /// Decides which ones: the same in every run.
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    /// What happens.
    effect: Effect,
    /// Whether it happens to a call before anything is done, or after everything is done, so that only the answer is
    /// lost, late or an error. `before` when not given; only for calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    when: Option<Moment>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum On {
    /// Requests to a vendor's API, and calls over its client protocol.
    Call,
    /// Users who sign in over a client protocol.
    SignIn,
    /// Events that are delivered to connected clients.
    Push,
    /// Notifications of an app's server.
    Webhook,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Moment {
    Before,
    After,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Effect {
    /// Calls: the vendor's own error with this code. Needs `vendor`.
    Error(String),
    /// Everything: so many milliseconds later, ten minutes at most.
    DelayMs(u64),
    /// `true`. Calls: the connection is closed without an answer. Pushes: the client does not get the event. Logins:
    /// refused in the vendor's way for a busy server. Webhooks: not sent, and retried as if refused.
    Drop(bool),
    /// `true`. Webhooks: sent twice.
    Duplicate(bool),
}

/// A rule with its counts.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FaultRule")]
struct FaultView {
    id: u64,
    /// How often it matched.
    matched: u64,
    /// How often it applied.
    hits: u64,
    #[serde(flatten)]
    rule: Fault,
}

/// The rules of a realm.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Faults")]
struct FaultList {
    faults: Vec<FaultView>,
}

/// An error of a vendor.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "VendorError")]
struct ErrorView {
    code: String,
    /// The HTTP status; not given for errors of the client protocol only.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    text: String,
}

/// The errors of a vendor.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "VendorErrors")]
struct ErrorList {
    errors: Vec<ErrorView>,
}

async fn create(call: Call, Json(fault): Json<Fault>) -> Result<Json<FaultView>, ControlError> {
    let realm = call.realm()?;
    let host = call.control.host(&fault)?;
    check(&fault, host)?;
    let target = target(&fault, host)?;
    let (matcher, schedule) = (matcher(&fault)?, schedule(&fault)?);
    let added = call.control.realms.faults().add(realm.name(), matcher, schedule, target);
    let rule = added.ok_or_else(|| {
        ControlError::new(Code::TooManyFaults, format!("the realm has {MOST} rules already; delete some"))
    })?;
    Ok(Json(view(&rule)))
}

async fn list(call: Call, _: Nothing) -> Result<Json<FaultList>, ControlError> {
    let realm = call.realm()?;
    let rules = call.control.realms.faults().of(realm.name());
    Ok(Json(FaultList { faults: rules.iter().map(|rule| view(rule)).collect() }))
}

async fn clear(call: Call, _: Nothing) -> Result<Nothing, ControlError> {
    call.control.realms.faults().remove(call.realm()?.name(), None);
    Ok(Nothing)
}

async fn delete(call: Call, _: Nothing) -> Result<Nothing, ControlError> {
    let (realm, id) = (call.realm()?, call.parameter("fault"));
    let removed = id.parse().map_or(0, |id| call.control.realms.faults().remove(realm.name(), Some(id)));
    if removed == 0 {
        return Err(ControlError::new(Code::NoSuchFault, format!("there is no rule {id} in realm {}", realm.name())));
    }
    Ok(Nothing)
}

async fn errors(call: Call, _: Nothing) -> Result<Json<ErrorList>, ControlError> {
    let vendor = call.parameter("vendor");
    let host = call.control.host_of(vendor)?;
    let errors = host.surface.errors().into_iter();
    let errors = errors.map(|error| ErrorView { code: error.code, status: error.status, text: error.text.to_owned() });
    Ok(Json(ErrorList { errors: errors.collect() }))
}

impl Control {
    /// The vendor of this name.
    pub(super) fn host_of(&self, vendor: &str) -> Result<&Host, ControlError> {
        let hosts = self.realms.hosts();
        hosts.iter().find(|host| host.vendor == vendor).ok_or_else(|| {
            let names: Vec<&str> = hosts.iter().map(|host| host.vendor).collect();
            ControlError::new(
                Code::NoSuchVendor,
                format!("there is no vendor {vendor}: there are {}", names.join(", ")),
            )
        })
    }

    /// The vendor that a rule names, if it does.
    fn host(&self, fault: &Fault) -> Result<Option<&Host>, ControlError> {
        fault.vendor.as_deref().map(|vendor| self.host_of(vendor)).transpose()
    }
}

/// Refuses what a rule of this kind cannot match.
fn check(fault: &Fault, host: Option<&Host>) -> Result<(), ControlError> {
    let refuse = |message: &str| Err(ControlError::bad(message));
    match (&fault.operation, host) {
        (Some(_), None) => return refuse("operation needs vendor"),
        (Some(operation), Some(host)) if fault.on == On::Call => {
            let served = operations(host);
            if !served.iter().any(|served| served == operation) {
                let vendor = host.vendor;
                let message = format!("{vendor} has no operation {operation}; conclave routes lists those there are");
                return Err(ControlError::new(Code::NoSuchOperation, message));
            }
        }
        (Some(_), _) if !matches!(fault.on, On::Call | On::Webhook) => {
            return refuse("operation is for calls and webhooks");
        }
        _ => {}
    }
    match fault.on {
        On::SignIn if fault.group.is_some() => refuse("group is not for logins"),
        On::Webhook if fault.user.is_some() => refuse("user is not for webhooks"),
        On::Call => Ok(()),
        _ if fault.when.is_some() => refuse("when is for calls"),
        _ => Ok(()),
    }
}

/// The vendor's names of everything that is called: over HTTP, and over its client protocol.
fn operations(host: &Host) -> Vec<&'static str> {
    let routes = host.surface.routes().into_iter().map(|route| route.operation);
    let calls = host.surface.client_protocol().map(conclave_kit::AnyProtocol::operations).unwrap_or_default();
    routes.chain(calls).collect()
}

fn target(fault: &Fault, host: Option<&Host>) -> Result<Target, ControlError> {
    let not_here = || ControlError::bad("this effect is not for rules of this kind");
    let when = match fault.when {
        Some(Moment::After) => When::After,
        Some(Moment::Before) | None => When::Before,
    };
    if let Effect::Drop(false) | Effect::Duplicate(false) = &fault.effect {
        return Err(ControlError::bad("an effect is true, or left out"));
    }
    let delay = |ms: u64| {
        let time = Duration::from_millis(ms);
        if time > LONGEST { Err(ControlError::bad("delay_ms is at most 600000")) } else { Ok(time) }
    };
    Ok(match (fault.on, &fault.effect) {
        (On::Call, Effect::Error(code)) => Target::Call(when, error(fault, host, code)?),
        (On::Call, Effect::DelayMs(ms)) => Target::Call(when, CallEffect::Delay(delay(*ms)?)),
        (On::Call, Effect::Drop(_)) => Target::Call(when, CallEffect::Drop),
        (On::SignIn, Effect::DelayMs(ms)) => Target::SignIn(CallEffect::Delay(delay(*ms)?)),
        (On::SignIn, Effect::Drop(_)) => Target::SignIn(CallEffect::Drop),
        (On::Push, Effect::DelayMs(ms)) => Target::Push(PushEffect::Delay(delay(*ms)?)),
        (On::Push, Effect::Drop(_)) => Target::Push(PushEffect::Drop),
        (On::Webhook, Effect::DelayMs(ms)) => Target::Webhook(WebhookEffect::Delay(delay(*ms)?)),
        (On::Webhook, Effect::Drop(_)) => Target::Webhook(WebhookEffect::Fail),
        (On::Webhook, Effect::Duplicate(_)) => Target::Webhook(WebhookEffect::Duplicate),
        (On::SignIn | On::Push | On::Webhook, Effect::Error(_)) | (_, Effect::Duplicate(_)) => {
            return Err(not_here());
        }
    })
}

/// The vendor's error with a code.
fn error(fault: &Fault, host: Option<&Host>, code: &str) -> Result<CallEffect, ControlError> {
    let host = host.ok_or_else(|| ControlError::bad("an error needs vendor: each has its own"))?;
    let errors = host.surface.errors();
    let found = errors.iter().position(|error| error.code == code);
    let position = found.ok_or_else(|| {
        let message = format!("{} has no error {code}; see /v1/vendors/{}/errors", host.vendor, host.vendor);
        ControlError::new(Code::NoSuchError, message)
    })?;
    let is_of_route = |operation: &String| host.surface.routes().iter().any(|route| route.operation == *operation);
    if errors[position].status.is_none() && fault.operation.as_ref().is_none_or(is_of_route) {
        let message = format!("{code} is an error of the client protocol: name one of its operations");
        return Err(ControlError::bad(message));
    }
    Ok(CallEffect::Error(position, code.to_owned()))
}

fn matcher(fault: &Fault) -> Result<Matcher, ControlError> {
    let user = fault.user.as_ref().map(UserId::new).transpose();
    let user = user.map_err(|error| ControlError::bad(format!("user: {error}")))?;
    let group = fault.group.as_ref().map(GroupId::new).transpose();
    let group = group.map_err(|error| ControlError::bad(format!("group: {error}")))?;
    Ok(Matcher { vendor: fault.vendor.clone(), operation: fault.operation.clone(), user, group })
}

fn schedule(fault: &Fault) -> Result<Schedule, ControlError> {
    match (fault.first, fault.every, fault.probability) {
        (None, None, None) if fault.seed.is_none() => Ok(Schedule::Always),
        (Some(count), None, None) if fault.seed.is_none() => Ok(Schedule::First(count)),
        (None, Some(0), None) => Err(ControlError::bad("every must be at least 1")),
        (None, Some(count), None) if fault.seed.is_none() => Ok(Schedule::Every(count)),
        (None, None, Some(probability)) if (0.0..=1.0).contains(&probability) => {
            Ok(Schedule::Probability(probability, fault.seed.unwrap_or_default()))
        }
        (None, None, Some(_)) => Err(ControlError::bad("probability must be 0 to 1")),
        _ => Err(ControlError::bad("give one of first, every and probability; seed is for probability")),
    }
}

fn view(rule: &Rule) -> FaultView {
    let Matcher { vendor, operation, user, group } = rule.matcher.clone();
    let (first, every, probability, seed) = match rule.schedule {
        Schedule::Always => (None, None, None, None),
        Schedule::First(count) => (Some(count), None, None, None),
        Schedule::Every(count) => (None, Some(count), None, None),
        Schedule::Probability(probability, seed) => (None, None, Some(probability), Some(seed)),
    };
    let delay = |time: &Duration| Effect::DelayMs(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
    let of_call = |effect: &CallEffect| match effect {
        CallEffect::Error(_, code) => Effect::Error(code.clone()),
        CallEffect::Delay(time) => delay(time),
        CallEffect::Drop => Effect::Drop(true),
    };
    let (on, effect, when) = match &rule.target {
        Target::Call(When::Before, effect) => (On::Call, of_call(effect), Some(Moment::Before)),
        Target::Call(When::After, effect) => (On::Call, of_call(effect), Some(Moment::After)),
        Target::SignIn(effect) => (On::SignIn, of_call(effect), None),
        Target::Push(PushEffect::Delay(time)) => (On::Push, delay(time), None),
        Target::Push(PushEffect::Drop) => (On::Push, Effect::Drop(true), None),
        Target::Webhook(WebhookEffect::Fail) => (On::Webhook, Effect::Drop(true), None),
        Target::Webhook(WebhookEffect::Delay(time)) => (On::Webhook, delay(time), None),
        Target::Webhook(WebhookEffect::Duplicate) => (On::Webhook, Effect::Duplicate(true), None),
    };
    let (user, group) = (user.map(|user| user.to_string()), group.map(|group| group.to_string()));
    let rule_view = Fault { on, vendor, operation, user, group, first, every, probability, seed, effect, when };
    FaultView { id: rule.id, matched: rule.matched(), hits: rule.hits(), rule: rule_view }
}
