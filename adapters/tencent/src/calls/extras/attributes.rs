//! Group attributes: read by `group_open_attr_http_svc`, written by `group_open_http_svc`. Their names are lower-case.

use std::collections::BTreeMap;

use conclave_core::model::{Group, GroupId};
use conclave_core::operation::{AttributeChange, WriteAttributes};
use conclave_core::query::GroupAttributes;
use serde::{Deserialize, Serialize};

use crate::calls::{Call, envelope};
use crate::dialect::kind::Kind;
use crate::dialect::limits;
use crate::refusals::{Code, Failure};

#[derive(Debug, Serialize, Deserialize)]
struct Pair {
    key: String,
    #[serde(default)]
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: Option<String>,
    group_attr: Option<Vec<Pair>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Wire {
    group_attr_ary: Vec<Pair>,
}

/// `get_group_attr`.
pub(crate) async fn read(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
    let request: Request = call.read()?;
    let group = call.group_id(request.group_id)?;
    enabled(call)?;
    let found = call.ask(GroupAttributes { group }).await?;
    let pairs = found.0.entries.iter().map(|(key, (value, _))| Pair { key: key.clone(), value: value.clone() });
    envelope::with(&Wire { group_attr_ary: pairs.collect() })
}

/// `modify_group_attr`: these are written, all others stay.
pub(crate) async fn modify(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
    let (group, pairs) = given(call)?;
    write(call, group, AttributeChange::Set(values(pairs)?), |_| true).await
}

/// `set_group_attr`: these are all there is.
pub(crate) async fn set(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
    let (group, pairs) = given(call)?;
    write(call, group, AttributeChange::Replace(values(pairs)?), |_| true).await
}

/// `delete_group_attr`: these go; one that is not there is refused.
pub(crate) async fn delete(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
    let (group, pairs) = given(call)?;
    let keys = pairs.into_iter().map(|pair| pair.key).collect();
    write(call, group, AttributeChange::Delete { keys, must_exist: true }, |_| true).await
}

/// `clear_group_attr`: all go. Communities do not do this.
pub(crate) async fn clear(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
    let request: Request = call.read()?;
    let group = call.group_id(request.group_id)?;
    write(call, group, AttributeChange::Clear, |group| Kind::of(group) != Kind::Community).await
}

fn given(call: &Call<'_>) -> Result<(GroupId, Vec<Pair>), Failure> {
    let request: Request = call.read()?;
    let group = call.group_id(request.group_id)?;
    let pairs = call.required("GroupAttr", request.group_attr.filter(|pairs| !pairs.is_empty()))?;
    if pairs.iter().any(|pair| pair.key.is_empty()) {
        return Err(call.parameter("key of attribute is empty"));
    }
    Ok((group, pairs))
}

fn values(pairs: Vec<Pair>) -> Result<BTreeMap<String, String>, Failure> {
    for pair in &pairs {
        if pair.key.len() > limits::ATTRIBUTE_KEY {
            return Err(Code::AttributeKeyTooLong.into());
        }
        if pair.value.len() > limits::ATTRIBUTE_VALUE {
            return Err(Code::AttributeValueTooLong.into());
        }
    }
    Ok(pairs.into_iter().map(|pair| (pair.key, pair.value)).collect())
}

async fn write(
    call: &Call<'_>,
    group: GroupId,
    change: AttributeChange,
    supported: fn(&Group) -> bool,
) -> Result<envelope::Answer, Failure> {
    enabled(call)?;
    if !supported(&*call.group(&group).await?) {
        return Err(Code::NoPermission.into());
    }
    let (most, most_bytes) = (Some(limits::ATTRIBUTES), Some(limits::ATTRIBUTE_BYTES));
    call.run(WriteAttributes { group, change, expected: None, most, most_bytes }).await?;
    envelope::done()
}

fn enabled(call: &Call<'_>) -> Result<(), Failure> {
    if call.settings().attributes { Ok(()) } else { Err(Code::NotInPlan.into()) }
}
