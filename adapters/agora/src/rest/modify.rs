//! Changing and transferring a group.

use conclave_core::event::ProfileChange;
use conclave_core::model::GroupId;
use conclave_core::operation::{Transfer, UpdateGroup};
use conclave_core::ports::{GroupsExt, RefusedStep};
use conclave_core::query::GroupById;
use serde_json::{Map, Value};

use super::body::Fields;
use super::call::Call;
use super::create::maxusers;
use super::envelope::Reply;
use crate::dialect::flags::{FlagChange, MEMBERSONLY, NEED_VERIFY, Remember};
use crate::dialect::profile::{self, Text};
use crate::refusals::{self, ErrorContext, Failure};
use crate::surface::failure_for;

/// The fields a change may have, including older spellings.
const KNOWN: [&str; 15] = [
    "groupname",
    "name",
    "avatar",
    "description",
    "desc",
    "maxusers",
    "membersonly",
    "members_only",
    "approval",
    "allowinvites",
    "invite_need_confirm",
    "public",
    "custom",
    "need_verify",
    "newowner",
];

/// A label that no group has: removing it changes nothing.
const UNCHANGED: &str = "agora.unchanged";

/// `PUT /chatgroups/{id}`: changes the given fields; `newowner` transfers the group, after all other changes.
pub(crate) async fn modify(call: &Call<'_>) -> Result<Reply, Failure> {
    let group = call.group()?;
    let fields = Fields::read(call.body)?;
    let unknown: Vec<&str> = fields.names().map(String::as_str).filter(|name| !KNOWN.contains(name)).collect();
    if !unknown.is_empty() {
        return Err(refusals::invalid(format!("some of [{}] are not valid fields", unknown.join(", "))));
    }
    let transfer = match fields.text(&["newowner"])? {
        Some(name) => Some(Transfer { group: group.clone(), to: call.user_or_same(&name).await?, leave: None }),
        None => None,
    };
    let (mut steps, mut places) = (Vec::new(), Vec::new());
    if fields.names().any(|name| name != "newowner") {
        steps.push(update(call, &fields, &group).await?.into());
        places.push(call.place);
    }
    if let Some(transfer) = transfer {
        steps.push(transfer.into());
        places.push(ErrorContext::Transfer);
    }
    if steps.is_empty() {
        // nothing to change, but the group has to exist
        call.ask(GroupById { group }).await?;
    } else {
        let done = call.app.groups.run_all(&call.actor, steps).await;
        done.map_err(|RefusedStep { step, refusal }| {
            failure_for(call.app, places.get(step).copied().unwrap_or(call.place), &refusal)
        })?;
    }
    let done: Map<String, Value> = fields.names().map(|name| (name.clone(), Value::Bool(true))).collect();
    Ok(Reply::data(&done))
}

async fn update(call: &Call<'_>, fields: &Fields<'_>, group: &GroupId) -> Result<UpdateGroup, Failure> {
    let text = |names: &[&'static str], text| -> Result<Option<String>, Failure> {
        let value = fields.text(names)?;
        value.iter().try_for_each(|value| profile::check(&call.app.settings, text, value))?;
        Ok(value)
    };
    let mut change = ProfileChange {
        name: text(&["groupname", "name"], Text::Groupname)?,
        introduction: text(&["description", "desc"], Text::Description)?,
        avatar: text(&["avatar"], Text::Avatar)?,
        custom: text(&["custom"], Text::Custom)?,
        ..ProfileChange::default()
    };
    if let Some(verify) = fields.flag(&["need_verify"])? {
        change.labels.insert(NEED_VERIFY.to_owned(), Some(verify.to_string()));
    }
    let flags = FlagChange {
        public: fields.flag(&["public"])?,
        membersonly: fields.flag(&["membersonly", "members_only", "approval"])?,
        allowinvites: fields.flag(&["allowinvites"])?,
        invite_need_confirm: fields.flag(&["invite_need_confirm"])?,
        maxusers: maxusers(call, fields)?,
    };
    let found = call.ask(GroupById { group: group.clone() }).await?.group;
    let (policy, membersonly) = flags.policy(&found, &call.app.settings);
    // setting a flag to its current value changes nothing, but is still permitted to managers only
    if flags != FlagChange::default() && policy.is_empty() {
        change.labels.insert(UNCHANGED.to_owned(), None);
    }
    let kept = found.labels.get(MEMBERSONLY);
    match membersonly {
        Remember::As(value) if kept != Some(&value) => {
            change.labels.insert(MEMBERSONLY.to_owned(), Some(value));
        }
        Remember::Nothing if kept.is_some() => {
            change.labels.insert(MEMBERSONLY.to_owned(), None);
        }
        _ => {}
    }
    Ok(UpdateGroup { profile: change, policy, ..UpdateGroup::of(group.clone()) })
}
