//! `upChannelInfo` and `qChannelInfo`: a group's profile and permissions.

use std::sync::Arc;

use conclave_core::model::{Circle, Group, GroupId};
use conclave_core::query::{FindGroups, MembersNamed, RemarksOf};
use conclave_core::refusal::{Needs, Refusal};

use super::texts::texts;
use super::{done, groups};
use crate::calls::{NotDone, profile};
use crate::dialect::limits;
use crate::refusals::Code;
use crate::socket::call::{Call, Denied, QueryReply, decode, hosted};
use crate::socket::show;
use crate::socket::wire::{ChannelsInput, ChannelsJoinedInfo, MultiChannels};

/// Changes the given fields and keeps the others.
pub(crate) async fn update(call: &Call<'_>, body: &[u8]) -> QueryReply {
    let asked: ChannelsInput = decode(body)?;
    let id = Call::group_id(asked.target_id.as_ref())?;
    let texts = texts(call, &asked.setting_profile, &asked.ext_profile)?;
    let owners = texts.permissions.profile.is_some();
    match profile::update(&call.caller(), id.clone(), texts).await {
        Ok(()) => Ok(done(0)),
        Err(NotDone::Refused(refusal)) => Err(update_refused(call, &id, owners, &refusal).await),
        Err(NotDone::Failed(failure)) => Err(failure.into()),
    }
}

/// The refusal for a member who may edit the group but not its permissions: it names the key that only the owner may
/// change.
async fn update_refused(call: &Call<'_>, id: &GroupId, owners: bool, refusal: &Refusal) -> Denied {
    let denied = hosted(refusal);
    if !owners || !matches!(refusal, Refusal::NotPermitted { needs: Needs::Ownership, .. }) {
        return denied;
    }
    match call.hosted_group(id).await {
        Ok(group) if group.policy.edit_profile > Circle::Owner => Denied::from(Code::Illegal).naming("profilePerm"),
        _ => denied,
    }
}

/// The profiles of groups, whether the caller is a member or not. Missing groups are skipped; refused if none exists.
pub(crate) async fn query(call: &Call<'_>, body: &[u8]) -> QueryReply {
    let asked: MultiChannels = decode(body)?;
    if asked.list.len() > limits::CLIENT_PROFILES {
        return Err(Code::QueryCount.into());
    }
    let mut seen = std::collections::HashSet::new();
    let distinct = asked.list.iter().filter(|group| seen.insert(&group.target_id));
    let ids: Vec<GroupId> = distinct.map(|group| Call::group_id(group.target_id.as_ref())).collect::<Result<_, _>>()?;
    let found: Vec<Arc<Group>> = call.look(FindGroups { groups: ids }).await?.0.into_iter().flatten().collect();
    if found.is_empty() {
        return Err(Code::NoGroup.into());
    }
    let shown = show_all(call, found, false).await?;
    if shown.is_empty() { Err(Code::NotHosted.into()) } else { Ok(groups(shown, None)) }
}

/// Hosted groups with the caller's own membership, all of them or only those of the caller.
pub(super) async fn show_all(
    call: &Call<'_>,
    mut found: Vec<Arc<Group>>,
    joined: bool,
) -> Result<Vec<ChannelsJoinedInfo>, Denied> {
    found.retain(|group| group.governed);
    let ids = found.iter().map(|group| group.id.clone()).collect();
    let remarks = call.ask(RemarksOf { user: call.user.clone(), groups: ids }).await?.0;
    let mut shown = Vec::with_capacity(found.len());
    for (group, remark) in found.iter().zip(remarks) {
        let named = MembersNamed { group: group.id.clone(), users: vec![call.user.clone()] };
        let own = match call.try_look(named).await {
            Ok(mut named) => named.members.pop().flatten(),
            Err(refusal @ Refusal::Unavailable(_)) => return Err(hosted(&refusal)),
            // the group may have been deleted meanwhile
            Err(_) => None,
        };
        if own.is_some() || !joined {
            shown.push(ChannelsJoinedInfo { user_info: own.map(|own| show::own(&own, &remark)), ..show::group(group) });
        }
    }
    Ok(shown)
}
