//! Attributes of members: texts by key. The responses of this service have no envelope.

use std::collections::BTreeMap;

use conclave_core::model::{GroupId, UserId};
use conclave_core::operation::WriteMemberAttributes;
use conclave_core::query::MembersNamed;
use serde_json::{Map, Value, json};

use super::body::{self, Fields};
use super::call::Call;
use super::envelope::Reply;
use crate::dialect::ids::{fold, shown};
use crate::dialect::limits;
use crate::refusals::{self, Failure, Metadata};

type Pairs = BTreeMap<String, String>;

/// The pairs to write; "" removes one.
fn pairs(value: Option<&Value>) -> Result<Pairs, Failure> {
    let Some(Value::Object(map)) = value else { return Err(refusals::metadata("metaData must be provided")) };
    let mut pairs = Pairs::new();
    for (key, value) in map {
        let Value::String(value) = value else {
            return Err(refusals::metadata(format!("value of {key} must be a string")));
        };
        if key.is_empty() || key.len() > limits::ATTRIBUTE_KEY {
            return Err(refusals::metadata_limit(Metadata::Key, "exceeds chatgroup user metadata single key limit"));
        }
        if value.len() > limits::ATTRIBUTE_VALUE {
            return Err(refusals::metadata_limit(
                Metadata::Value,
                "exceeds chatgroup user metadata single value limit",
            ));
        }
        pairs.insert(key.clone(), value.clone());
    }
    Ok(pairs)
}

fn writing(group: GroupId, changes: Vec<(UserId, Pairs)>) -> WriteMemberAttributes {
    WriteMemberAttributes { group, changes, most: None, most_bytes: Some(limits::ATTRIBUTES_BYTES) }
}

/// `PUT /metadata/chatgroup/{id}/user/{user}`.
pub(crate) async fn set(call: &Call<'_>) -> Result<Reply, Failure> {
    let group = call.group()?;
    let fields = Fields::read(call.body)?;
    let wanted = pairs(fields.get("metaData").or(fields.get("metadata")))?;
    let user = call.find_user(call.param("user")).await?.ok_or_else(refusals::no_metadata)?.id.clone();
    let written = call.run(writing(group, vec![(user, wanted.clone())])).await?;
    for (_, outcome) in written.outcomes {
        outcome.map_err(|refusal| one(call, &refusal))?;
    }
    Ok(Reply::data(&wanted).short())
}

/// A refusal for one member: a user who is not a member gets another error than in a batch.
fn one(call: &Call<'_>, refusal: &conclave_core::refusal::Refusal) -> Failure {
    match refusal {
        conclave_core::refusal::Refusal::NotMembers { .. } => refusals::no_metadata(),
        other => call.word(other),
    }
}

/// `GET /metadata/chatgroup/{id}/user/{user}`.
pub(crate) async fn get(call: &Call<'_>) -> Result<Reply, Failure> {
    let group = call.group()?;
    let user = call.find_user(call.param("user")).await?;
    let users = user.iter().map(|user| user.id.clone()).collect();
    let member = call.ask(MembersNamed { group, users }).await?.members.pop().flatten();
    let member = member.ok_or_else(refusals::no_metadata)?;
    Ok(Reply::data(&member.attributes).short())
}

/// `PUT /metadata/chatgroup/{id}/users/batch`: the outcome for each member.
pub(crate) async fn set_many(call: &Call<'_>) -> Result<Reply, Failure> {
    let group = call.group()?;
    let Value::Array(items) = body::json(call.body)? else {
        return Err(refusals::not_json("Unexpected character: the body must be a JSON array"));
    };
    if items.len() > limits::ATTRIBUTES_WRITTEN {
        return Err(refusals::metadata_limit(Metadata::Batch, "exceeds chatgroup metadata batch put users limit"));
    }
    let mut wanted = Vec::with_capacity(items.len());
    for item in &items {
        let Some(name) = item["username"].as_str().filter(|name| name.len() <= body::NAME_BYTES) else {
            return Err(refusals::metadata("username must be provided"));
        };
        wanted.push((name.to_owned(), pairs(item.get("metadata").or(item.get("metaData")))?));
    }
    let names: Vec<String> = wanted.iter().map(|(name, _)| name.clone()).collect();
    let found = call.find_users(&names).await?;
    let changes: Vec<(UserId, Pairs)> = found
        .iter()
        .zip(&wanted)
        .filter_map(|(user, (_, pairs))| Some((user.as_ref()?.id.clone(), pairs.clone())))
        .collect();
    let written = call.run(writing(group, changes)).await?;
    let (mut failed, mut done) = (Vec::new(), Vec::new());
    for ((name, pairs), user) in wanted.iter().zip(&found) {
        let outcome = user.as_ref().and_then(|user| written.outcomes.iter().find(|(other, _)| *other == user.id));
        // removed attributes are not returned
        let kept: Pairs = pairs.iter().filter(|(_, value)| !value.is_empty()).map(pair).collect();
        match outcome {
            Some((_, Ok(_))) => done.push(json!({"username": fold(name), "metadata": kept})),
            Some((_, Err(refusal))) => {
                failed.push(json!({"username": fold(name), "reason": one(call, refusal).description}));
            }
            None => failed.push(json!({"username": fold(name), "reason": refusals::no_metadata().description})),
        }
    }
    // the documentation spells these keys with a colon in examples and without in tables
    let answer = json!({
        "updateMetadataFailed": failed, "updateMetadataFailed:": failed,
        "updateMetadataSucceeded": done, "updateMetadataSucceeded:": done,
    });
    Ok(Reply::data(&answer).short())
}

fn pair((key, value): (&String, &String)) -> (String, String) {
    (key.clone(), value.clone())
}

/// `POST /metadata/chatgroup/{id}/get`: no properties means all.
pub(crate) async fn get_many(call: &Call<'_>) -> Result<Reply, Failure> {
    let group = call.group()?;
    let fields = Fields::read(call.body)?;
    let targets = fields.texts(&["targets"])?.unwrap_or_default();
    let properties = fields.texts(&["properties"])?.unwrap_or_default();
    if targets.is_empty() {
        return Err(refusals::metadata("targets must be provided"));
    }
    if targets.len() > limits::ATTRIBUTES_READ {
        return Err(refusals::metadata_limit(Metadata::Batch, "query param reaches limit."));
    }
    let found = call.find_users(&targets).await?;
    let users: Vec<UserId> = found.iter().flatten().map(|user| user.id.clone()).collect();
    let members = call.ask(MembersNamed { group: group.clone(), users }).await?.members;
    let mut members = members.into_iter();
    let (mut data, mut missing) = (Map::new(), Vec::new());
    for (name, user) in targets.iter().zip(&found) {
        match user.as_ref().and_then(|_| members.next().flatten()) {
            Some(member) => {
                let wanted = |key: &String| properties.is_empty() || properties.contains(key);
                let pairs: Pairs = member.attributes.iter().filter(|(key, _)| wanted(key)).map(pair).collect();
                data.insert(shown(&member.user).into_owned(), json!(pairs));
            }
            None => missing.push(fold(name).into()),
        }
    }
    if missing.is_empty() {
        return Ok(Reply::data(&data).short());
    }
    Err(refusals::not_members(call.place, &group, &missing))
}
