//! The groups of a realm: listed, and one as each vendor's own API returns it.

use bytes::Bytes;
use conclave_core::event::Actor;
use conclave_core::model::{Group, GroupId, Member, Role};
use conclave_core::ports::GroupsExt as _;
use conclave_core::query::{ListGroups, ListMembers};
use conclave_core::refusal::Refusal;
use conclave_kit::{BaseUrl, Body, Exchange, GroupRead, Head};
use futures_util::TryStreamExt as _;
use futures_util::future::join_all;
use http::Method;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::api::{Call, Endpoint, Json, Nothing};
use super::error::{Code, ControlError};
use crate::clients;
use crate::registry::Host;

/// Most groups, and most members of one, in an answer.
const PAGE: usize = 1000;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            (Method::GET, "/v1/realms/{realm}/groups"),
            "list_groups",
            "List the groups of a realm, newest first; 1,000 at most.",
            list,
        ),
        Endpoint::new(
            (Method::GET, "/v1/realms/{realm}/groups/{group}"),
            "get_group",
            "Get a group with its members, 1,000 at most, and what each vendor's own server API returns of it.",
            get,
        ),
    ]
}

/// The groups of a realm.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Groups")]
struct GroupList {
    groups: Vec<GroupView>,
    /// Whether there are more.
    more: bool,
}

/// A group.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Group")]
struct GroupView {
    id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    /// How many members it has.
    members: u32,
}

/// A group in detail.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "GroupDetails")]
struct GroupDetails {
    #[serde(flatten)]
    group: GroupView,
    /// In the order of joining.
    list: Vec<MemberView>,
    /// What each vendor's server API returns, in the order of the realm's vendors.
    vendors: Vec<VendorView>,
}

/// A member.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Member")]
struct MemberView {
    user: String,
    role: RoleView,
}

#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Role")]
enum RoleView {
    Owner,
    Admin,
    Member,
}

/// A group as one vendor's server API returns it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "VendorView")]
struct VendorView {
    vendor: &'static str,
    /// The vendor's name in documents.
    title: &'static str,
    /// The requests that read the group, with their answers.
    reads: Vec<ReadView>,
}

/// A request to a vendor's server API, and its answer. Faults do not apply to it, and it is in no journal.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "VendorRead")]
struct ReadView {
    /// The method and path, without the query.
    request: String,
    status: u16,
    /// The body: a text if it is not JSON.
    body: Value,
}

async fn list(call: Call, _: Nothing) -> Result<Json<GroupList>, ControlError> {
    let realm = call.realm()?;
    let query = ListGroups { discoverable: false, after: None, skip: 0, limit: PAGE, newest_first: true };
    let page = realm.opened.backend.groups.ask(&Actor::app(), query).await.map_err(|refusal| refused(&refusal))?;
    let groups = page.groups.iter().map(|group| view(group)).collect();
    Ok(Json(GroupList { groups, more: page.next.is_some() }))
}

async fn get(call: Call, _: Nothing) -> Result<Json<GroupDetails>, ControlError> {
    let realm = call.realm()?;
    let id = call.parameter("group");
    let unknown = || ControlError::new(Code::NoSuchGroup, format!("realm {} has no group {id}", realm.name()));
    let group = GroupId::new(id).map_err(|_| unknown())?;
    let query = ListMembers { limit: PAGE, ..ListMembers::all(group) };
    let page = match realm.opened.backend.groups.ask(&Actor::app(), query).await {
        Err(Refusal::GroupNotFound { .. }) => return Err(unknown()),
        page => page.map_err(|refusal| refused(&refusal))?,
    };
    let list = page.members.iter().map(|member| member_view(member)).collect();
    let config = call.control.realms.config();
    let mut vendors = Vec::new();
    for (vendor, section) in config.at(&realm.config) {
        let Some(host) = call.control.realms.hosts().iter().find(|host| host.vendor == vendor.name()) else { continue };
        let base = clients::base_url(config, Some(&call.control.addresses), vendor.name());
        let reads = vendor.group_reads(section, id, realm.opened.backend.groups.now());
        let reads = join_all(reads.into_iter().map(|read| answer(host, &base, read))).await;
        let reads = reads.into_iter().collect::<Result<_, _>>()?;
        vendors.push(VendorView { vendor: vendor.name(), title: vendor.title(), reads });
    }
    Ok(Json(GroupDetails { group: view(&page.group), list, vendors }))
}

/// The answer of the vendor's surface to a request of the app's server.
async fn answer(host: &Host, base: &str, read: GroupRead) -> Result<ReadView, ControlError> {
    let (parts, body) = read.0.into_parts();
    let request = format!("{} {}", parts.method, parts.uri.path());
    let head = Head::new(parts, BaseUrl::Fixed(base.into()));
    let answered = host.surface.serve(Exchange { head, body: Body::Whole(body) }).await;
    let status = answered.status().as_u16();
    let body: Bytes = match answered.into_body() {
        Body::Whole(bytes) => bytes,
        Body::Stream(pieces) => {
            let pieces: Vec<Bytes> = pieces.try_collect().await.map_err(|error| {
                tracing::error!(%error, vendor = host.vendor, "an answer cannot be read");
                ControlError::new(Code::Internal, "an answer of a vendor's API cannot be read")
            })?;
            pieces.concat().into()
        }
    };
    let body = serde_json::from_slice(&body).unwrap_or_else(|_| String::from_utf8_lossy(&body).into_owned().into());
    Ok(ReadView { request, status, body })
}

fn view(group: &Group) -> GroupView {
    GroupView {
        id: group.id.to_string(),
        name: group.profile.name.clone(),
        owner: group.owner.as_ref().map(ToString::to_string),
        members: group.members,
    }
}

fn member_view(member: &Member) -> MemberView {
    let role = match member.role {
        Role::Owner => RoleView::Owner,
        Role::Admin => RoleView::Admin,
        Role::Member => RoleView::Member,
    };
    MemberView { user: member.user.to_string(), role }
}

/// A refusal that no request of ours should get.
pub(super) fn refused(refusal: &Refusal) -> ControlError {
    tracing::error!(%refusal, "a realm's groups cannot be read");
    ControlError::new(Code::Internal, "the realm's groups cannot be read: see the gateway's log")
}
