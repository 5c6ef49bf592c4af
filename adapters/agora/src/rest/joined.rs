//! The groups of a user, in short and in detail.

use std::borrow::Cow;

use conclave_core::model::{GroupId, Member, Millis, Role, UserId};
use conclave_core::operation::{AddMembers, NewMember, OnRefusal};
use conclave_core::query::{JoinedGroups, JoinedPage, MembersNamed};
use serde::Serialize;
use serde_json::json;

use super::body::Fields;
use super::call::Call;
use super::envelope::Reply;
use super::members::adding;
use crate::dialect::flags::Flags;
use crate::dialect::ids::shown;
use crate::dialect::limits;
use crate::refusals::{self, Failure};

/// The user in the path. Users may only query themselves.
pub(super) async fn whose(call: &Call<'_>) -> Result<UserId, Failure> {
    let user = call.user(call.param("user")).await?;
    if call.caller().is_some_and(|caller| *caller != user.id) {
        return Err(refusals::not_yours());
    }
    Ok(user.id.clone())
}

/// A page, counted from `first`.
async fn page(call: &Call<'_>, user: UserId, first: usize, most: usize) -> Result<JoinedPage, Failure> {
    let limit = call.page("pagesize", limits::JOINED_PAGE, most);
    let number = call.query.number("pagenum").unwrap_or(first).saturating_sub(first);
    call.ask(JoinedGroups { skip: number.saturating_mul(limit), limit, ..JoinedGroups::all(user) }).await
}

fn permission(member: &Member) -> &'static str {
    match member.role {
        Role::Owner => "owner",
        Role::Admin => "admin",
        Role::Member => "member",
    }
}

/// A group in short, in the older or the newer format.
#[derive(Serialize)]
#[serde(untagged)]
enum Short<'g> {
    V1 { groupid: &'g GroupId, groupname: &'g str },
    V3 { id: &'g GroupId, name: &'g str, disabled: bool, permission: &'static str },
}

/// `GET /users/{user}/joined_chatgroups`: pages from 1 (0 counts as 1); without parameters all.
pub(crate) async fn short(call: &Call<'_>) -> Result<Reply, Failure> {
    let user = whose(call).await?;
    let settings = &call.app.settings;
    let most = if call.caller().is_some() { settings.own_joined_page } else { settings.joined_page };
    let paged = call.query.get("pagenum").is_some() || call.query.get("pagesize").is_some();
    let page = if paged { page(call, user, 1, most).await? } else { call.ask(JoinedGroups::all(user)).await? };
    let rows: Vec<Short<'_>> = page
        .groups
        .iter()
        .map(|(group, member)| {
            let (id, name) = (&group.id, &*group.profile.name);
            if call.query.is_v3() {
                Short::V3 { id, name, disabled: group.disabled, permission: permission(member) }
            } else {
                Short::V1 { groupid: id, groupname: name }
            }
        })
        .collect();
    Ok(Reply::data(&rows).count(rows.len()))
}

/// A group in detail.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
#[allow(clippy::struct_excessive_bools, reason = "the vendor's own members")]
struct Rich<'g> {
    name: &'g str,
    avatar: &'g str,
    owner: Cow<'g, str>,
    id: &'g GroupId,
    #[serde(rename = "groupId")]
    group_id: &'g GroupId,
    description: &'g str,
    disabled: bool,
    public: bool,
    allowinvites: bool,
    membersonly: bool,
    maxusers: u32,
    created: Millis,
    #[serde(rename = "affiliations_count", skip_serializing_if = "Option::is_none")]
    affiliations_count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permission: Option<&'static str>,
}

/// `GET /chatgroups/user/{user}`: pages from 0; the rows are in `entities`.
pub(crate) async fn detailed(call: &Call<'_>) -> Result<Reply, Failure> {
    let user = whose(call).await?;
    let page = page(call, user, 0, call.app.settings.joined_page).await?;
    let (counted, ranked) = (call.query.is_true("needAffiliations"), call.query.is_true("needRole"));
    let rows: Vec<Rich<'_>> = page
        .groups
        .iter()
        .map(|(group, member)| {
            let flags = Flags::of(group, &call.app.settings);
            Rich {
                name: &group.profile.name,
                avatar: &group.profile.avatar,
                owner: group.owner.as_ref().map(shown).unwrap_or_default(),
                id: &group.id,
                group_id: &group.id,
                description: &group.profile.introduction,
                disabled: group.disabled,
                public: flags.public,
                allowinvites: flags.allowinvites,
                membersonly: flags.membersonly,
                maxusers: flags.maxusers,
                created: group.created,
                affiliations_count: counted.then_some(group.members),
                permission: ranked.then(|| permission(member)),
            }
        })
        .collect();
    Ok(Reply::entities(&rows).with("total", &page.total))
}

/// `GET /chatgroups/user/{user}/joined_count`.
pub(crate) async fn count(call: &Call<'_>) -> Result<Reply, Failure> {
    let user = whose(call).await?;
    let page = call.ask(JoinedGroups { limit: 0, ..JoinedGroups::all(user) }).await?;
    Ok(Reply::data(&page.total))
}

/// `POST /users/{user}/joined_chatgroups`: one user into several groups; returns the outcome for each.
pub(crate) async fn join_many(call: &Call<'_>) -> Result<Reply, Failure> {
    let fields = Fields::read(call.body)?;
    let groups = fields.texts(&["id_list"])?.ok_or_else(|| refusals::invalid("id_list must be provided"))?;
    let most = call.app.settings.batch_add;
    if groups.len() > most {
        return Err(refusals::invalid(format!("id_list size is more than max limit : {most}")));
    }
    let user = call.user(call.param("user")).await?.id.clone();
    let known = groups.iter().filter_map(|id| GroupId::new(id).ok());
    let member = || vec![NewMember::now(user.clone())];
    let joining = known.map(|group| AddMembers { members: member(), ..adding(call, group) }).collect();
    let mut joined = call.run_each(OnRefusal::Skip, joining).await?.into_iter();
    let mut rows = Vec::with_capacity(groups.len());
    for id in groups {
        // an invalid id is reported like an unknown group
        let outcome = if GroupId::new(&id).is_ok() { joined.next() } else { None };
        let failure = match outcome {
            Some(Ok(_)) => None,
            Some(Err(refusal)) => Some(call.word(&refusal)),
            None => Some(refusals::group_unknown(call.place, &id)),
        };
        rows.push(match failure {
            None => json!({"id": id, "result": true}),
            Some(failure) => json!({"id": id, "result": false, "reason": failure.description}),
        });
    }
    Ok(Reply::data(&rows))
}

/// `GET /chatgroups/{id}/user/{user}/is_joined`: an id without an account is not a member.
pub(crate) async fn is_joined(call: &Call<'_>) -> Result<Reply, Failure> {
    let group = call.group()?;
    let users = call.find_user(call.param("user")).await?.map(|user| user.id.clone()).into_iter().collect();
    let named = call.ask(MembersNamed { group, users }).await?;
    Ok(Reply::data(&named.members.iter().any(Option::is_some)))
}
