//! `create_group`: creates a group of any of the five types; and `import_group`, with a creation time in the past.

use std::collections::HashSet;

use conclave_core::model::{GroupId, Millis, Profile, Role, UserId};
use conclave_core::operation::{AddOutcome, CreateGroup, Created, NewMember, OnFull, OnUnknown};
use conclave_core::query::FindGroups;
use conclave_core::refusal::Refusal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::texts::Texts;
use crate::calls::wire::{Account, Switch};
use crate::calls::{Call, envelope};
use crate::dialect::custom::{self, Of, Pair};
use crate::dialect::kind::Kind;
use crate::dialect::limits::{self, Lengths};
use crate::dialect::options::JoinOption;
use crate::dialect::{community, role};
use crate::refusals::{Code, Failure};
use crate::webhooks::{self, before};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    r#type: Option<String>,
    name: Option<String>,
    #[serde(rename = "Owner_Account")]
    owner: Option<Account>,
    group_id: Option<String>,
    introduction: Option<String>,
    notification: Option<String>,
    face_url: Option<String>,
    max_member_count: Option<u32>,
    apply_join_option: Option<String>,
    invite_join_option: Option<String>,
    app_defined_data: Option<Vec<Pair>>,
    member_list: Option<Vec<InitialMember>>,
    mute_all_member: Option<Switch>,
    /// The older name.
    shut_up_all_member: Option<Switch>,
    support_topic: Option<u32>,
    enable_permission: Option<u32>,
    default_permission: Option<u64>,
    /// When the group was created, in Unix seconds; only `import_group` takes it, 0 is now.
    create_time: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InitialMember {
    #[serde(rename = "Member_Account")]
    account: Option<Account>,
    role: Option<String>,
    app_member_defined_data: Option<Vec<Pair>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CreateResponse<'g> {
    group_id: &'g str,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    huge_group_flag: Option<u32>,
    /// For clients: users who were left out because they are in too many groups.
    #[serde(rename = "OverJoinedGroupLimit_Account", skip_serializing_if = "Option::is_none")]
    left_out: Option<Vec<UserId>>,
}

pub(crate) async fn create(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let kind = kind(call, &request)?;
    let mut wanted = wanted(call, kind, request)?;
    if let Some(user) = call.user() {
        own(user, &mut wanted)?;
    }
    if let Some(id) = wanted.id.as_ref().filter(|_| !call.settings().reuse_group_ids) {
        check_never_used(call, id).await?;
    }
    if call.asks_before(before::CREATE) {
        let body = webhooks::of_new(call.groups(), &wanted).await.map_err(|refusal| call.failure(&refusal))?;
        call.ask_before(before::CREATE, body).await?;
    }
    let everybody = wanted.owner.iter().chain(wanted.members.iter().map(|member| &member.user));
    let accounts = call.admin_accounts(everybody).await?;
    let made = call.run_after(accounts, wanted).await?;
    answer(call, kind, &made)
}

/// A user creates a group of their own; invited users who are in too many groups are left out.
fn own(user: &UserId, wanted: &mut CreateGroup) -> Result<(), Failure> {
    wanted.owner.get_or_insert_with(|| user.clone());
    let others: HashSet<&UserId> =
        wanted.members.iter().map(|member| &member.user).filter(|other| *other != user).collect();
    if wanted.policy.capacity.is_some_and(|capacity| others.len() >= capacity as usize) {
        return Err(Code::TooManyMembers.into());
    }
    wanted.on_full = OnFull::Partial;
    Ok(())
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Imported<'g> {
    group_id: &'g str,
}

/// `import_group`: created at a past time with its owner as the only member; nobody is notified. Not for live rooms.
pub(crate) async fn import(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let kind = kind(call, &request)?;
    if kind == Kind::AvChatRoom {
        return Err(Code::NoPermission.into());
    }
    let most = kind.capacity(call.settings());
    let usual = most.map(|most| if kind == Kind::Community { most } else { most.min(limits::IMPORTED_CAPACITY) });
    let max_member_count = request.max_member_count.filter(|wanted| *wanted != 0).or(usual);
    let now = call.now();
    let created = request.create_time.filter(|second| *second != 0).map_or(now, Millis::from_seconds);
    let wanted = wanted(call, kind, Request { member_list: None, max_member_count, ..request })?;
    let accounts = call.admin_accounts(&wanted.owner).await?;
    let made = call.run_after(accounts, CreateGroup { created: Some(created), ..wanted }).await?;
    envelope::with(&Imported { group_id: made.group.id.as_str() })
}

fn answer(call: &Call<'_>, kind: Kind, made: &Created) -> Result<envelope::ResponseBody, Failure> {
    let of_user = call.user().is_some();
    let has_type = of_user || kind == Kind::Community;
    let left_out = made.added.outcomes.iter().filter(|(_, outcome)| matches!(outcome, AddOutcome::LeftOut(_)));
    envelope::with(&CreateResponse {
        group_id: made.group.id.as_str(),
        r#type: has_type.then(|| kind.word()),
        huge_group_flag: has_type.then_some(u32::from(of_user && kind == Kind::AvChatRoom)),
        left_out: of_user.then(|| left_out.map(|(user, _)| user.clone()).collect()),
    })
}

fn kind(call: &Call<'_>, request: &Request) -> Result<Kind, Failure> {
    let word = call.required("Type", request.r#type.as_deref())?;
    let kind = Kind::named(word).ok_or_else(|| call.parameter("group type is illegal"))?;
    if kind == Kind::Community && !call.settings().communities {
        return Err(Code::NoCommunities.into());
    }
    Ok(kind)
}

fn wanted(call: &Call<'_>, kind: Kind, request: Request) -> Result<CreateGroup, Failure> {
    let settings = call.settings();
    let name = request.name.filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| call.parameter("group name is required"))?;
    let texts = Texts {
        name: Some(&name),
        introduction: request.introduction.as_deref(),
        notification: request.notification.as_deref(),
        face_url: request.face_url.as_deref(),
    };
    texts.check(Lengths::of(settings))?;
    let apply = call.option("ApplyJoinOption", request.apply_join_option.as_deref(), JoinOption::apply_named)?;
    let invite = call.option("InviteJoinOption", request.invite_join_option.as_deref(), JoinOption::invite_named)?;
    let capacity = capacity(call, kind, request.max_member_count)?;
    let mut fields = custom::fields(Of::Group, &settings.group_keys, request.app_defined_data.unwrap_or_default())?;
    fields.retain(|_, value| !value.is_empty());
    let muted = request.mute_all_member.or(request.shut_up_all_member);
    let muted = muted.is_some_and(Switch::is_on);
    if muted && kind == Kind::Private {
        return Err(Code::NoPermission.into());
    }
    let owner = request.owner.filter(|owner| *owner != Account::Text(String::new()));
    let owner = owner.map(|owner| call.user_id("Owner_Account", Some(owner))).transpose()?;

    let mut create = CreateGroup::new(owner, kind.policy(settings, capacity, apply, invite));
    create.id = group_id(call, kind, request.group_id)?;
    create.members = members(call, kind, request.member_list.unwrap_or_default())?;
    create.profile = Profile {
        name,
        introduction: request.introduction.unwrap_or_default(),
        avatar: request.face_url.unwrap_or_default(),
        custom: String::new(),
        fields,
    };
    create.announcement = request.notification.unwrap_or_default();
    create.labels = kind.labels();
    if kind == Kind::Community {
        for (label, value) in [
            (community::SUPPORT_TOPIC, request.support_topic.map(u64::from)),
            (community::ENABLE_PERMISSION, request.enable_permission.map(u64::from)),
            (community::DEFAULT_PERMISSION, request.default_permission),
        ] {
            create.labels.extend(value.map(|value| (label.to_owned(), value.to_string())));
        }
    }
    create.all_muted = muted;
    create.active = !kind.waits_for_message();
    create.on_unknown_owner = call.on_unknown(OnUnknown::Refuse);
    create.on_unknown_member = call.on_unknown(OnUnknown::Refuse);
    Ok(create)
}

/// 0 is the plan's limit, as when no number is given; a live room is unlimited.
fn capacity(call: &Call<'_>, kind: Kind, wanted: Option<u32>) -> Result<Option<u32>, Failure> {
    let wanted = wanted.filter(|wanted| *wanted != 0);
    match (wanted, kind.capacity(call.settings())) {
        (Some(wanted), Some(most)) if wanted > most => Err(call.parameter("MaxMemberCount is over the plan's limit")),
        _ => Ok(wanted),
    }
}

/// The id chosen by the client, or a generated one with the prefix of communities; any other is generated by the core.
fn group_id(call: &Call<'_>, kind: Kind, wanted: Option<String>) -> Result<Option<GroupId>, Failure> {
    let community = kind == Kind::Community;
    let id = match wanted.filter(|id| !id.is_empty()) {
        Some(id) if limits::is_group_id(&id, community) => id,
        Some(_) => return Err(call.parameter("GroupId is illegal")),
        None if community => minted_for_community(Uuid::new_v4().as_u128()),
        None => return Ok(None),
    };
    GroupId::new(id).map(Some).map_err(|_| call.parameter("GroupId is illegal"))
}

/// An id in the vendor's form: `@TGS#_@TGS#c` and upper-case letters and digits, here 65 bits of them.
fn minted_for_community(mut bits: u128) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut id = String::from("@TGS#_@TGS#c");
    // a v4 UUID has fixed bits in its middle; its lowest 62 bits and its topmost 48 are random
    bits ^= bits >> 64;
    for _ in 0..13 {
        id.push(char::from(ALPHABET[(bits & 31) as usize]));
        bits >>= 5;
    }
    id
}

fn members(call: &Call<'_>, kind: Kind, list: Vec<InitialMember>) -> Result<Vec<NewMember>, Failure> {
    if list.len() > limits::INITIAL_MEMBERS {
        return Err(Code::TooManyAccounts.into());
    }
    if kind == Kind::AvChatRoom && !list.is_empty() {
        return Err(Code::NoPermission.into());
    }
    list.into_iter().map(|member| initial_member(call, kind, member)).collect()
}

fn initial_member(call: &Call<'_>, kind: Kind, member: InitialMember) -> Result<NewMember, Failure> {
    let user: UserId = call.user_id("Member_Account", member.account)?;
    let role = match member.role.as_deref().filter(|word| !word.is_empty()).map(role::named) {
        None | Some(Some(Role::Member)) => Role::Member,
        // a type without admins has none among the first members
        Some(Some(Role::Admin)) => kind.highest_of_new_members(),
        Some(_) => return Err(call.parameter("Role is illegal")),
    };
    let configured = &call.settings().member_keys;
    let mut fields = custom::fields(Of::Member, configured, member.app_member_defined_data.unwrap_or_default())?;
    fields.retain(|_, value| !value.is_empty());
    Ok(NewMember { role, fields, ..NewMember::now(user) })
}

/// Where ids may not be reused, refuses one that was ever used.
async fn check_never_used(call: &Call<'_>, id: &GroupId) -> Result<(), Failure> {
    let found = call.ask(FindGroups { groups: vec![id.clone()] }).await?;
    match found.0.into_iter().next() {
        Some(Err(Refusal::GroupNotFound { disbanded: true, .. })) => Err(Code::GroupIdUsed.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn minted_ids_of_communities_look_like_the_vendors() {
        let one = minted_for_community(Uuid::new_v4().as_u128());
        assert!(limits::is_group_id(&one, true), "{one}");
        assert_ne!(one, minted_for_community(Uuid::new_v4().as_u128()));
    }
}
