//! Creating a group.

use conclave_core::model::{Labels, Profile, UserId};
use conclave_core::operation::{CreateGroup, NewMember};
use serde_json::json;

use super::body::Fields;
use super::call::Call;
use super::envelope::Reply;
use crate::dialect::flags::{Flags, NEED_VERIFY, SCALE};
use crate::dialect::ids::chosen_group;
use crate::dialect::profile::{self, Text};
use crate::refusals::{self, Failure};

/// `POST /chatgroups`.
pub(crate) async fn create(call: &Call<'_>) -> Result<Reply, Failure> {
    let fields = Fields::read(call.body)?;
    let owner = owner(call, &fields)?;
    let (flags, profile, labels) = (flags(call, &fields)?, texts(call, &fields)?, labels(&fields)?);
    let (policy, mut kept) = flags.policy();
    kept.extend(labels);
    let id = match fields.text(&["groupid"])?.filter(|id| call.app.settings.custom_group_ids && !id.is_empty()) {
        Some(id) => {
            let chosen = chosen_group(&id);
            Some(chosen.ok_or_else(|| refusals::group_illegal(format!("group ID {id} is not legal")))?)
        }
        None => None,
    };
    let mut named = vec![owner];
    named.extend(fields.texts(&["members"])?.unwrap_or_default());
    let mut users = call.all_users(&named).await?.into_iter();
    let owner: Option<UserId> = users.next();
    let members = users.map(NewMember::now).collect();
    let operation = CreateGroup { id, members, profile, labels: kept, ..CreateGroup::new(owner, policy) };
    let created = call.run(operation).await?;
    Ok(Reply::data(&json!({"groupid": created.group.id})))
}

/// The owner of the new group: the caller, if a user calls.
fn owner(call: &Call<'_>, fields: &Fields<'_>) -> Result<String, Failure> {
    let named = fields.text(&["owner"])?.filter(|owner| !owner.is_empty());
    named
        .or_else(|| call.caller().map(|user| user.as_str().to_owned()))
        .ok_or_else(|| refusals::invalid("owner must be provided"))
}

fn flags(call: &Call<'_>, fields: &Fields<'_>) -> Result<Flags, Failure> {
    let public = fields.flag(&["public"])?.ok_or_else(|| refusals::invalid("group must contain public field!"))?;
    let maxusers = match maxusers(call, fields)? {
        Some(maxusers) => maxusers,
        None => call.app.settings.maxusers,
    };
    Ok(Flags {
        public,
        membersonly: fields.flag(&["membersonly", "members_only", "approval"])?.unwrap_or(false),
        // the vendor silently turns it off for public groups; it can be turned on later
        allowinvites: fields.flag(&["allowinvites"])?.unwrap_or(false) && !public,
        invite_need_confirm: fields.flag(&["invite_need_confirm"])?.unwrap_or(true),
        maxusers,
    })
}

/// The requested maximum number of members, no more than the realm allows. Server SDKs send 0 for a number that is not
/// given.
pub(super) fn maxusers(call: &Call<'_>, fields: &Fields<'_>) -> Result<Option<u32>, Failure> {
    let Some(wanted) = fields.number(&["maxusers"])?.filter(|wanted| *wanted > 0) else { return Ok(None) };
    let most = call.app.settings.most_maxusers.unwrap_or(u32::MAX);
    // our choice: the vendor publishes no error text
    match u32::try_from(wanted) {
        Ok(wanted) if wanted <= most => Ok(Some(wanted)),
        _ => Err(refusals::invalid(format!("maxusers must be between 1 and {most}"))),
    }
}

fn texts(call: &Call<'_>, fields: &Fields<'_>) -> Result<Profile, Failure> {
    let text = |names: &[&'static str], text| -> Result<String, Failure> {
        let value = fields.text(names)?.unwrap_or_default();
        profile::check(&call.app.settings, text, &value)?;
        Ok(value)
    };
    Ok(Profile {
        name: text(&["groupname", "name"], Text::Groupname)?,
        introduction: text(&["description", "desc"], Text::Description)?,
        avatar: text(&["avatar"], Text::Avatar)?,
        custom: text(&["custom"], Text::Custom)?,
        ..Profile::default()
    })
}

/// The labels for fields that only this vendor has.
fn labels(fields: &Fields<'_>) -> Result<Labels, Failure> {
    let mut labels = Labels::new();
    if let Some(scale) = fields.text(&["scale"])? {
        if !matches!(scale.as_str(), "normal" | "large") {
            return Err(refusals::invalid("scale is not valid"));
        }
        labels.insert(SCALE.to_owned(), scale);
    }
    if let Some(verify) = fields.flag(&["need_verify"])? {
        labels.insert(NEED_VERIFY.to_owned(), verify.to_string());
    }
    Ok(labels)
}
