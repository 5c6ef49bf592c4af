//! Group profiles: only what changed of them.

use std::collections::BTreeMap;

use conclave_core::event::{Event, Happening, ProfileChange};
use conclave_core::model::{Group, GroupId, Millis, Policy, UserId};
use serde::Serialize;
use serde_json::{Map, Value};

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

/// Whether it can be a change of the profile.
pub(super) fn is_told(what: &Happening) -> bool {
    matches!(what, Happening::ProfileChanged(_) | Happening::AnnouncementChanged(_) | Happening::PolicyChanged { .. })
}

/// The change that an event is; `None` when nothing changed that this surface tells.
pub(super) fn of<'e>(event: &'e Event, group: &'e Group) -> Option<Change<'e>> {
    let mut change = Change {
        group_id: &group.id,
        group_name: &group.profile.name,
        time: event.at,
        opt_user_id: event.actor.behind(),
        group_profile: None,
        group_ext_profile: None,
        permissions: None,
    };
    match &event.what {
        Happening::ProfileChanged(profile) => {
            change.group_profile = shown(profile);
            change.group_ext_profile = ext(profile);
            if let Some(name) = &profile.name {
                change.group_name = name;
            } else if change.group_profile.is_none() && change.group_ext_profile.is_none() {
                return None;
            }
        }
        Happening::AnnouncementChanged(text) => {
            change.group_profile = Some(Profile { announcement: Some(text), ..Profile::default() });
        }
        Happening::PolicyChanged { before, after } => change.permissions = Some(permissions(before, after)?),
        _ => return None,
    }
    Some(change)
}

fn shown(change: &ProfileChange) -> Option<Profile<'_>> {
    let profile = Profile {
        introduction: change.introduction.as_deref(),
        announcement: None,
        portrait_url: change.avatar.as_deref(),
    };
    (profile != Profile::default()).then_some(profile)
}

fn ext(change: &ProfileChange) -> Option<BTreeMap<&String, &String>> {
    let fields: BTreeMap<_, _> = change.fields.iter().filter(|(key, _)| is_ext_key(key)).collect();
    (!fields.is_empty()).then_some(fields)
}

/// The permissions whose number is another now.
fn permissions(before: &Policy, after: &Policy) -> Option<Map<String, Value>> {
    let numbers = |policy| match serde_json::to_value(Permissions::of(policy)) {
        Ok(Value::Object(numbers)) => numbers,
        _ => Map::new(),
    };
    let before = numbers(before);
    let changed: Map<_, _> = numbers(after).into_iter().filter(|(key, now)| before.get(key) != Some(now)).collect();
    (!changed.is_empty()).then_some(changed)
}
