//! `/message/expansion/*.json`: keys and values that are added to a message. Source: the vendor's server SDKs for Go and
//! Java.

use conclave_core::event::Actor;
use conclave_core::model::Message;
use conclave_core::operation::{ExtensionChange, SpeakCheck, WriteExtensions};
use conclave_core::ports::GroupsExt as _;
use conclave_core::query::MessageExtensions;
use serde_json::{Map, Value, json};

use super::about;
use crate::dialect::{limits, message};
use crate::refusals::{Code, Failure};
use crate::rest::{Call, envelope};

/// Most pairs in a page. Our choice: the vendor does not publish its own.
const PAGE: usize = 100;

/// `/message/expansion/set.json`.
pub(crate) async fn set(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let text = call.required("extraKeyVal")?;
    if !matches!(serde_json::from_str(text), Ok(Value::Object(_))) {
        return Err(Code::Parameter.saying("extraKeyVal must be a JSON object"));
    }
    let pairs = message::expansion(text);
    if pairs.is_empty() || !limits::are_expansions(&pairs, limits::SERVER_EXPANSIONS_WRITTEN) {
        let (key, value) = (limits::EXPANSION_KEY, limits::EXPANSION_VALUE);
        let text =
            format!("extraKeyVal: at most {} pairs of {key} and {value} characters", limits::SERVER_EXPANSIONS_WRITTEN);
        return Err(Code::Parameter.saying(text));
    }
    write(call, pairs.into_iter().map(|(key, value)| (key, Some(value))).collect()).await
}

/// `/message/expansion/delete.json`. Keys that are not there are left out.
pub(crate) async fn delete(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let keys = serde_json::from_str::<Vec<String>>(call.required("extraKey")?);
    let keys = keys.map_err(|_| Code::Parameter.saying("extraKey must be a JSON array of texts"))?;
    if keys.is_empty() || keys.len() > limits::SERVER_EXPANSIONS_WRITTEN {
        return Err(Code::Parameter.saying(format!("extraKey: at most {} keys", limits::SERVER_EXPANSIONS_WRITTEN)));
    }
    write(call, keys.into_iter().map(|key| (key, None)).collect()).await
}

async fn write(call: &Call<'_>, pairs: Vec<(String, Option<String>)>) -> Result<envelope::ResponseBody, Failure> {
    let user = call.user_id("userId")?;
    // whether the sender's own devices are notified: here they read it with the message
    call.switch("isSyncSender", false)?;
    let about = about::find_in_conversation(call, "msgUID").await?;
    check_extensible(&about)?;
    let write = WriteExtensions {
        group: about.group.clone(),
        sequence: about.sequence,
        clear: false,
        changes: pairs.into_iter().map(|(key, value)| ExtensionChange { key, value, seen: None }).collect(),
        most: u32::try_from(limits::EXPANSIONS).ok(),
        check: SpeakCheck::Skipped,
    };
    let actor = Actor::App { for_user: Some(user) };
    let written = call.app.realm.groups.run(&actor, write).await.map_err(|refusal| call.failure(&refusal))?;
    match written.outcomes.into_iter().find_map(|(_, outcome)| outcome.err()) {
        Some(refusal) => Err(call.failure(&refusal)),
        None => envelope::done(),
    }
}

/// `/message/expansion/query.json`: a page of the pairs, by key. When a pair was written is not kept, so each has the
/// time of its message.
pub(crate) async fn query(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let about = about::find(call, "msgUID").await?;
    check_extensible(&about)?;
    let page = call.count("pageNo", 1, u32::MAX.into())?;
    let ask = MessageExtensions { group: about.group.clone(), sequences: vec![about.sequence] };
    let found = call.ask(ask).await?.0.pop().transpose().map_err(|refusal| call.failure(&refusal))?;
    let entries = found.iter().flat_map(|found| found.entries.iter());
    let entries = entries.skip((page - 1).saturating_mul(PAGE)).take(PAGE);
    let pairs: Map<String, Value> =
        entries.map(|(key, (value, _))| (key.clone(), json!({ "v": value, "ts": about.at }))).collect();
    envelope::with(&json!({ "extraContent": pairs }))
}

fn check_extensible(about: &Message) -> Result<(), Failure> {
    if about.traits.extensible {
        return Ok(());
    }
    Err(Code::Parameter.saying("the message takes no expansion"))
}
