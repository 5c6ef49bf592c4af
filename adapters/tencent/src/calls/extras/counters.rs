//! Group counters. Communities have none.

use std::collections::BTreeMap;

use conclave_core::model::GroupId;
use conclave_core::operation::{CounterChange, DeleteCounters, UpdateCounters};
use conclave_core::query::GroupCounters;
use serde::{Deserialize, Serialize};

use crate::calls::{Call, envelope};
use crate::dialect::kind::Kind;
use crate::dialect::limits;
use crate::refusals::{Code, Failure};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: Option<String>,
    group_counter_keys: Option<Vec<String>>,
    group_counter: Option<Vec<Counter>>,
    mode: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Counter {
    key: String,
    value: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CountersResponse {
    group_counter: Vec<Counter>,
    /// For clients that read: 0 marks the values as newer than any the client has.
    #[serde(skip_serializing_if = "Option::is_none")]
    group_counter_seq: Option<u64>,
}

/// `get_group_counter`: the requested counters, or all.
pub(crate) async fn read(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let group = call.group_id(request.group_id)?;
    check_supported(call, &group).await?;
    let found = call.ask(GroupCounters { group }).await?;
    let keys = request.group_counter_keys.filter(|keys| !keys.is_empty());
    let wanted = |key: &String| keys.as_ref().is_none_or(|keys| keys.contains(key));
    let counters_found = found.0.values.iter().filter(|(key, _)| wanted(key));
    let counters_found = counters_found.map(|(key, value)| Counter { key: key.clone(), value: *value });
    let group_counter_seq = call.user().map(|_| 0);
    envelope::with(&CountersResponse { group_counter: counters_found.collect(), group_counter_seq })
}

/// `update_group_counter`: sets, increases or decreases; returns the new values, in the requested order.
pub(crate) async fn update(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let group = call.group_id(request.group_id)?;
    let counters = call.required("GroupCounter", request.group_counter.filter(|counters| !counters.is_empty()))?;
    let change = mode(call, request.mode.as_deref())?;
    let mut changes = BTreeMap::new();
    for Counter { key, value } in &counters {
        if key.is_empty() || key.len() > limits::COUNTER_KEY {
            return Err(call.parameter("Key of counter is illegal"));
        }
        let step = change(*value).ok_or_else(|| call.parameter("Value of counter is illegal"))?;
        if changes.insert(key.clone(), step).is_some() {
            return Err(call.parameter("Key of counter is given twice"));
        }
    }
    check_supported(call, &group).await?;
    let now = call.run(UpdateCounters { group, changes, most: Some(limits::COUNTERS) }).await?;
    let current = |counter: Counter| now.0.get(&counter.key).map(|value| Counter { value: *value, ..counter });
    envelope::with(&CountersResponse {
        group_counter: counters.into_iter().filter_map(current).collect(),
        group_counter_seq: None,
    })
}

type Change = fn(i64) -> Option<CounterChange>;

fn mode(call: &Call<'_>, word: Option<&str>) -> Result<Change, Failure> {
    match word {
        Some("Set") => Ok(|value| Some(CounterChange::Set(value))),
        Some("Increase") => Ok(|value| Some(CounterChange::Add(value))),
        Some("Decrease") => Ok(|value| value.checked_neg().map(CounterChange::Add)),
        _ => Err(call.parameter("Mode is illegal")),
    }
}

/// `delete_group_counter`.
pub(crate) async fn delete(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let group = call.group_id(request.group_id)?;
    let keys = call.required("GroupCounterKeys", request.group_counter_keys.filter(|keys| !keys.is_empty()))?;
    check_supported(call, &group).await?;
    call.run(DeleteCounters { group, keys }).await?;
    envelope::done()
}

async fn check_supported(call: &Call<'_>, group: &GroupId) -> Result<(), Failure> {
    if !call.settings().counters {
        return Err(Code::NotInPlan.into());
    }
    if Kind::of(&*call.group(group).await?) == Kind::Community {
        return Err(Code::NoPermission.into());
    }
    Ok(())
}
