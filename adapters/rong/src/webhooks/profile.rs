//! Group profiles: only the changed fields.

use std::collections::BTreeMap;

use conclave_core::event::ProfileChange;
use conclave_core::model::{Group, GroupId, Millis, UserId};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::dialect::events::{Fact, Part, What};
use crate::dialect::limits::is_ext_key;
use crate::dialect::permissions::Permissions;

/// One change. Its parts are objects here, not JSON inside strings as in the server API.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Change<'e> {
    group_id: &'e GroupId,
    group_name: &'e str,
    time: Millis,
    #[serde(skip_serializing_if = "Option::is_none")]
    opt_user_id: Option<&'e UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_profile: Option<Profile<'e>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_ext_profile: Option<BTreeMap<&'e String, &'e String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions: Option<Map<String, Value>>,
}

#[derive(Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Profile<'e> {
    #[serde(skip_serializing_if = "Option::is_none")]
    introduction: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    announcement: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    portrait_url: Option<&'e str>,
}

/// The change of a fact, if it is one. All changes of one call are one change.
pub(super) fn of<'e>(fact: &Fact<'e>, group: &'e Group) -> Option<Change<'e>> {
    let What::Profile(parts) = &fact.what else { return None };
    let mut change = Change {
        group_id: &group.id,
        group_name: &group.profile.name,
        time: fact.event.at,
        opt_user_id: fact.event.actor.behind(),
        group_profile: None,
        group_ext_profile: None,
        permissions: None,
    };
    let mut profile = Profile::default();
    for part in parts {
        match part {
            Part::Texts(texts) => {
                let texts: &'e ProfileChange = texts;
                profile.introduction = texts.introduction.as_deref();
                profile.portrait_url = texts.avatar.as_deref();
                change.group_ext_profile = ext(texts);
                change.group_name = texts.name.as_deref().unwrap_or(change.group_name);
            }
            Part::Announcement(text) => profile.announcement = Some(text),
            Part::Permissions { before, after } => change.permissions = Some(permissions(*before, *after)),
        }
    }
    change.group_profile = (profile != Profile::default()).then_some(profile);
    Some(change)
}

fn ext(change: &ProfileChange) -> Option<BTreeMap<&String, &String>> {
    let fields: BTreeMap<_, _> = change.fields.iter().filter(|(key, _)| is_ext_key(key)).collect();
    (!fields.is_empty()).then_some(fields)
}

/// The permissions whose number changed.
fn permissions(before: Permissions, after: Permissions) -> Map<String, Value> {
    let numbers = |permissions| match serde_json::to_value(permissions) {
        Ok(Value::Object(numbers)) => numbers,
        _ => Map::new(),
    };
    let before = numbers(before);
    numbers(after).into_iter().filter(|(key, now)| before.get(key) != Some(now)).collect()
}
