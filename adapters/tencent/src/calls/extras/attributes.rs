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

#[derive(Debug, Deserialize)]
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
    /// For clients: the version they have seen.
    attr_main_seq: Option<u64>,
    /// For clients: `RaceConflict` refuses a write when there is a newer version.
    attr_control: Option<Vec<String>>,
}

impl Request {
    /// The version that the write requires.
    fn expected(&self, call: &Call<'_>) -> Option<u64> {
        let control = self.attr_control.as_deref().unwrap_or_default();
        let checked = call.user().is_some() && control.iter().any(|word| word == "RaceConflict");
        self.attr_main_seq.filter(|_| checked)
    }
}

/// The attributes, or the written ones.
#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct AttributesResponse {
    /// For clients: the version.
    #[serde(skip_serializing_if = "Option::is_none")]
    attr_main_seq: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_attr_ary: Option<Vec<Entry>>,
}

#[derive(Serialize)]
struct Entry {
    key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    /// For clients: the version that wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
}

/// `get_group_attr`.
pub(crate) async fn read(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let group = call.group_id(request.group_id)?;
    enabled(call)?;
    let found = call.ask(GroupAttributes { group }).await?;
    let of_user = call.user().is_some();
    let entry = |(key, (value, seq)): (&String, &(String, u64))| Entry {
        key: key.clone(),
        value: Some(value.clone()),
        seq: of_user.then_some(*seq),
    };
    envelope::with(&AttributesResponse {
        attr_main_seq: of_user.then_some(found.0.version),
        group_attr_ary: Some(found.0.entries.iter().map(entry).collect()),
    })
}

/// `modify_group_attr`: writes these, keeps all others.
pub(crate) async fn modify(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let given = given(call)?;
    let change = AttributeChange::Set(values(given.pairs)?);
    write(call, given.group, change, given.expected, |_| true).await
}

/// `set_group_attr`: replaces all attributes by these.
pub(crate) async fn set(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let given = given(call)?;
    let change = AttributeChange::Replace(values(given.pairs)?);
    write(call, given.group, change, given.expected, |_| true).await
}

/// `delete_group_attr`: deletes these; refuses a missing one.
pub(crate) async fn delete(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let given = given(call)?;
    let keys = given.pairs.into_iter().map(|pair| pair.key).collect();
    write(call, given.group, AttributeChange::Delete { keys, must_exist: true }, given.expected, |_| true).await
}

/// `clear_group_attr`: deletes all. Not for communities.
pub(crate) async fn clear(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let expected = request.expected(call);
    let group = call.group_id(request.group_id)?;
    write(call, group, AttributeChange::Clear, expected, |group| Kind::of(group) != Kind::Community).await
}

/// The attributes in a write.
struct Given {
    group: GroupId,
    pairs: Vec<Pair>,
    expected: Option<u64>,
}

fn given(call: &Call<'_>) -> Result<Given, Failure> {
    let request: Request = call.read()?;
    let expected = request.expected(call);
    let group = call.group_id(request.group_id)?;
    let pairs = call.required("GroupAttr", request.group_attr.filter(|pairs| !pairs.is_empty()))?;
    if pairs.iter().any(|pair| pair.key.is_empty()) {
        return Err(call.parameter("key of attribute is empty"));
    }
    Ok(Given { group, pairs, expected })
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
    expected: Option<u64>,
    supported: fn(&Group) -> bool,
) -> Result<envelope::ResponseBody, Failure> {
    enabled(call)?;
    if !supported(&*call.group(&group).await?) {
        return Err(Code::NoPermission.into());
    }
    let (most, most_bytes) = (Some(limits::ATTRIBUTES), Some(limits::ATTRIBUTE_BYTES));
    let written: Vec<String> = match &change {
        AttributeChange::Set(values) | AttributeChange::Replace(values) => values.keys().cloned().collect(),
        AttributeChange::Delete { .. } | AttributeChange::Clear => Vec::new(),
    };
    let now = call.run(WriteAttributes { group, change, expected, most, most_bytes }).await?.0;
    if call.user().is_none() {
        return envelope::done();
    }
    let entry = |key: String| Entry { key, value: None, seq: Some(now.version) };
    let written = (!written.is_empty()).then(|| written.into_iter().map(entry).collect());
    envelope::with(&AttributesResponse { attr_main_seq: Some(now.version), group_attr_ary: written })
}

fn enabled(call: &Call<'_>) -> Result<(), Failure> {
    if call.settings().attributes { Ok(()) } else { Err(Code::NotInPlan.into()) }
}
