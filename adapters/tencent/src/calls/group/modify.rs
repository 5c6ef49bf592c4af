//! `modify_group_base_info`: profile, options, limit, muting all. Missing fields stay as they are.

use std::collections::BTreeMap;

use conclave_core::event::ProfileChange;
use conclave_core::operation::{PolicyChange, UpdateGroup};
use serde::Deserialize;

use super::texts::Texts;
use crate::calls::wire::{Account, Switch};
use crate::calls::{Call, envelope};
use crate::dialect::community;
use crate::dialect::custom::{self, Of, Pair};
use crate::dialect::kind::{Capabilities, Kind};
use crate::dialect::limits::Lengths;
use crate::dialect::options::JoinOption;
use crate::refusals::{Code, Failure};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: Option<String>,
    #[serde(rename = "From_Account")]
    from: Option<Account>,
    name: Option<String>,
    introduction: Option<String>,
    notification: Option<String>,
    face_url: Option<String>,
    max_member_num: Option<u32>,
    apply_join_option: Option<String>,
    invite_join_option: Option<String>,
    mute_all_member: Option<Switch>,
    /// The older name.
    shut_up_all_member: Option<Switch>,
    app_defined_data: Option<Vec<Pair>>,
    enable_permission: Option<u32>,
    default_permission: Option<u64>,
    history_msg_before_join: Option<Switch>,
}

pub(crate) async fn modify(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let id = call.group_id(request.group_id.clone())?;
    let texts = Texts {
        name: request.name.as_deref(),
        introduction: request.introduction.as_deref(),
        notification: request.notification.as_deref(),
        face_url: request.face_url.as_deref(),
    };
    texts.check(Lengths::of(call.settings()))?;
    let apply = call.option("ApplyJoinOption", request.apply_join_option.as_deref(), JoinOption::apply_named)?;
    let invite = call.option("InviteJoinOption", request.invite_join_option.as_deref(), JoinOption::invite_named)?;
    let configured = &call.settings().group_keys;
    let fields = custom::fields(Of::Group, configured, request.app_defined_data.clone().unwrap_or_default())?;
    let from = call.acting_user("From_Account", request.from.clone())?;

    let group = call.group(&id).await?;
    let kind = Kind::of(&group);
    let can = Capabilities::of(&group);
    let muted = request.mute_all_member.or(request.shut_up_all_member);
    if muted.is_some() && !can.mute
        || apply.is_some() && !can.apply_option
        || invite.is_some() && !can.invite_option
        || request.history_msg_before_join.is_some() && !can.history_option
    {
        return Err(Code::NoPermission.into());
    }
    let invite = invite.map(JoinOption::invite);
    let update = UpdateGroup {
        policy: PolicyChange {
            join: apply.map(JoinOption::join),
            invite: invite.map(|(circle, _)| circle),
            invite_approval: invite.map(|(_, approval)| approval),
            history_before_join: request.history_msg_before_join.map(Switch::is_on),
            capacity: capacity(call, kind, request.max_member_num)?.map(Some),
            ..PolicyChange::default()
        },
        announcement: request.notification.clone(),
        all_muted: muted.map(Switch::is_on),
        profile: ProfileChange {
            labels: if kind == Kind::Community { permissions(&request) } else { BTreeMap::new() },
            name: request.name,
            introduction: request.introduction,
            avatar: request.face_url,
            custom: None,
            fields,
        },
        ..UpdateGroup::of(id)
    };
    call.run_for(from, update).await?;
    envelope::done()
}

/// Ignored for a live room, which has no limit; users cannot set it.
fn capacity(call: &Call<'_>, kind: Kind, wanted: Option<u32>) -> Result<Option<u32>, Failure> {
    // SDKs of languages without optional numbers send 0 for what is not given
    let wanted = wanted.filter(|wanted| *wanted != 0);
    if wanted.is_some() && call.user().is_some() {
        return Err(Code::NoPermission.into());
    }
    match (wanted, kind.capacity(call.settings())) {
        (None, _) | (_, None) => Ok(None),
        (Some(wanted), Some(most)) if (1..=most).contains(&wanted) => Ok(Some(wanted)),
        _ => Err(call.parameter("MaxMemberNum is out of range")),
    }
}

fn permissions(request: &Request) -> BTreeMap<String, Option<String>> {
    let given = [
        (community::ENABLE_PERMISSION, request.enable_permission.map(u64::from)),
        (community::DEFAULT_PERMISSION, request.default_permission),
    ];
    let label = |(label, value): (&str, Option<u64>)| Some((label.to_owned(), Some(value?.to_string())));
    given.into_iter().filter_map(label).collect()
}
