//! Reading groups in detail.

use std::borrow::Cow;
use std::sync::Arc;

use conclave_core::model::{Group, GroupId, Member, Millis, Receive};
use conclave_core::query::{FindGroups, GroupById, ListMembers};
use conclave_core::refusal::{Needs, Refusal};
use conclave_kit::split_list;
use serde::Serialize;

use super::call::Call;
use super::envelope::{Reply, encoded};
use super::members::{AdminKey, Row};
use super::rendered::{self, RenderedFrom};
use crate::dialect::flags::{Flags, SCALE};
use crate::dialect::ids::shown;
use crate::refusals::{self, Failure};

/// A group as the detail returns it. Without an owner it has "": clients expect a text.
#[derive(Serialize)]
#[allow(clippy::struct_excessive_bools, reason = "the vendor's own members")]
struct Detail<'g> {
    id: &'g GroupId,
    name: &'g str,
    avatar: &'g str,
    description: &'g str,
    membersonly: bool,
    allowinvites: bool,
    maxusers: u32,
    owner: Cow<'g, str>,
    created: Millis,
    custom: &'g str,
    mute: bool,
    affiliations_count: u32,
    disabled: bool,
    affiliations: Vec<Row<'g>>,
    public: bool,
    invite_need_confirm: bool,
    scale: &'g str,
    /// Whether the calling member shields the group's messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    shieldgroup: Option<bool>,
}

/// A group to return, with what the caller may see of it: the latest members, as many as the detail lists.
type Seen = RenderedFrom;

/// `GET /chatgroups/{id[,id…]}`: the groups that exist; refused if none does.
pub(crate) async fn detail(call: &Call<'_>) -> Result<Reply, Failure> {
    let wanted = split_list(call.param("group"));
    let most = call.app.settings.batch_detail;
    if wanted.len() > most {
        return Err(refusals::invalid(format!("groupIds size is more than max limit : {most}")));
    }
    let mut seen = see(call, &wanted).await?;
    if seen.len() == 1
        && let Some(from) = seen.pop()
    {
        return Ok(Reply::rendered_data(call, from, |seen| encoded(&[row(call, seen)])).count(1));
    }
    let rows: Vec<Detail<'_>> = seen.iter().map(|seen| row(call, seen)).collect();
    Ok(Reply::data(&rows).count(rows.len()))
}

async fn see(call: &Call<'_>, wanted: &[String]) -> Result<Vec<Seen>, Failure> {
    let mut seen: Vec<Seen> = Vec::new();
    let mut refused = None;
    // our choice: however many groups are requested, the total of listed members is that of one group
    let mut room = call.app.settings.detail_members;
    for found in find(call, wanted).await? {
        match found {
            Ok((group, own)) => match affiliations(call, &group, own.as_deref(), room).await {
                Ok((group, members)) => {
                    room -= members.len().min(room);
                    let request = rendered::Request::Detail { joined_time: call.query.is_true("joined_time") };
                    seen.push(Seen { request, group, own, members });
                }
                // it has ended since, or the caller has left it
                Err(failure) => {
                    refused.get_or_insert(failure);
                }
            },
            Err(failure) => {
                refused.get_or_insert(failure);
            }
        }
    }
    match refused {
        Some(refused) if seen.is_empty() => Err(refused),
        None if seen.is_empty() => Err(refusals::group_unknown(call.place, call.param("group"))),
        _ => Ok(seen),
    }
}

type Found = Result<(Arc<Group>, Option<Arc<Member>>), Failure>;

/// Each group, with the caller's own membership.
async fn find(call: &Call<'_>, wanted: &[String]) -> Result<Vec<Found>, Failure> {
    let ids = wanted.iter().map(|id| GroupId::new(id).map_err(|_| refusals::group_unknown(call.place, id)));
    if call.caller().is_some() {
        let mut found = Vec::with_capacity(wanted.len());
        for id in ids {
            found.push(match id {
                Ok(group) => own(call, group).await,
                Err(failure) => Err(failure),
            });
        }
        return Ok(found);
    }
    let ids: Vec<Result<GroupId, Failure>> = ids.collect();
    let groups: Vec<GroupId> = ids.iter().filter_map(|id| id.as_ref().ok().cloned()).collect();
    let mut groups = call.ask(FindGroups { groups }).await?.0.into_iter();
    Ok(ids
        .into_iter()
        .map(|id| {
            let id = id?;
            let found = groups.next().unwrap_or(Err(Refusal::GroupNotFound { group: id, disbanded: false }));
            found.map(|group| (group, None)).map_err(|refusal| call.word(&refusal))
        })
        .collect())
}

/// A group as its user finds it. Strangers see public groups only, also where another vendor shows them more.
async fn own(call: &Call<'_>, group: GroupId) -> Found {
    let found = call.ask(GroupById { group }).await?;
    if found.own.is_none() && !found.group.policy.is_open_to_requests() {
        let group = found.group.id.clone();
        return Err(call.word(&Refusal::NotPermitted { group, needs: Needs::Membership }));
    }
    Ok((found.group, found.own))
}

/// The members that the detail lists, latest first, with the header as it was when they were read. Non-members see a
/// public group, but not its members.
async fn affiliations(
    call: &Call<'_>,
    group: &Arc<Group>,
    own: Option<&Member>,
    most: usize,
) -> Result<(Arc<Group>, Vec<Arc<Member>>), Failure> {
    if most == 0 || (call.caller().is_some() && own.is_none()) {
        return Ok((group.clone(), Vec::new()));
    }
    let list = ListMembers { newest_first: true, limit: most, ..ListMembers::all(group.id.clone()) };
    let page = call.ask(list).await?;
    Ok((page.group, page.members))
}

fn row<'g>(call: &Call<'_>, seen: &'g Seen) -> Detail<'g> {
    let group = &*seen.group;
    let flags = Flags::of(group, &call.app.settings);
    let joined_time = call.query.is_true("joined_time");
    let affiliations = match &group.owner {
        // non-members see the owner only
        Some(owner) if seen.members.is_empty() => vec![Row::owner(owner)],
        _ => seen.members.iter().map(|member| Row::of(member, AdminKey::Member, joined_time)).collect(),
    };
    Detail {
        id: &group.id,
        name: &group.profile.name,
        avatar: &group.profile.avatar,
        description: &group.profile.introduction,
        membersonly: flags.membersonly,
        allowinvites: flags.allowinvites,
        maxusers: flags.maxusers,
        owner: group.owner.as_ref().map(shown).unwrap_or_default(),
        created: group.created,
        custom: &group.profile.custom,
        mute: group.all_muted,
        affiliations_count: group.members,
        disabled: group.disabled,
        affiliations,
        public: flags.public,
        invite_need_confirm: flags.invite_need_confirm,
        scale: group.labels.get(SCALE).map_or("normal", String::as_str),
        shieldgroup: seen.own.as_ref().map(|own| own.receive == Receive::Discard),
    }
}
