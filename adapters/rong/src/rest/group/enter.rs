//! `/group/create.json` and `/group/join.json`: bring users into a group, which comes into being with its first
//! call. The one is historically an alias of the other. Clients are not told: the app sends messages of its own.

use conclave_core::event::ProfileChange;
use conclave_core::model::{GroupId, Profile, UserId};
use conclave_core::operation::{
    AddMembers, CreateGroup, NewMember, OnBlocked, OnFull, OnMember, OnUnknown, Quiet, UpdateGroup,
};
use conclave_core::query::MembersNamed;
use conclave_core::refusal::Refusal;

use super::notify::Notice;
use crate::dialect::{limits, permissions};
use crate::refusals::{Code, Failure};
use crate::rest::{Call, envelope};

/// How often a group may appear or vanish under the call before it gives up.
const ATTEMPTS: usize = 8;

pub(crate) async fn create(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
    let name = call.required("groupName")?;
    enter(call, Some(name)).await
}

pub(crate) async fn join(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
    // the Node SDK writes this word for a name that was left out (seen)
    let name = call.form.given("groupName").filter(|name| *name != "undefined");
    enter(call, name).await
}

async fn enter(call: &Call<'_>, name: Option<&str>) -> Result<envelope::Answer, Failure> {
    let users = call.user_ids("userId", limits::LEGACY_USERS)?;
    let group = call.group_id()?;
    if let Some(name) = name {
        call.check_length("groupName", name, limits::GROUP_NAME)?;
    }
    call.check_newcomers("userId", &users).await?;
    let notice = Notice::of(call)?;
    check_most(call, &group, &users).await?;
    bring_in(call, &group, name, &users).await?;
    notice.post(call, &group).await
}

/// `maxMember` is a capacity for this call alone: more members than that, and nobody comes in.
async fn check_most(call: &Call<'_>, group: &GroupId, users: &[UserId]) -> Result<(), Failure> {
    if call.form.given("maxMember").is_none() {
        return Ok(());
    }
    let most = call.number("maxMember", 0, 0..=u64::from(u32::MAX))?;
    let after = match call.find_group(group).await? {
        None => users.len(),
        Some(found) => {
            let named = call.ask(MembersNamed { group: group.clone(), users: users.to_vec() }).await?;
            let newcomers = named.members.iter().filter(|member| member.is_none()).count();
            // who is in already is never too many
            if newcomers == 0 { 0 } else { found.members as usize + newcomers }
        }
    };
    if after as u64 > most { Err(Code::LegacyFull.into()) } else { Ok(()) }
}

/// Adds to the group, or makes it.
async fn bring_in(call: &Call<'_>, group: &GroupId, name: Option<&str>, users: &[UserId]) -> Result<(), Failure> {
    for _ in 0..ATTEMPTS {
        match call.attempt(adding(group, users)).await {
            Ok(_) => return rename(call, group, name).await,
            Err(Refusal::GroupNotFound { .. }) => {}
            Err(refusal) => return Err(call.failure(&refusal)),
        }
        call.check_new_group_id(group)?;
        match call.attempt(making(call, group, name, users)).await {
            Ok(_) => return Ok(()),
            Err(Refusal::GroupExists { .. }) => {}
            Err(refusal) => return Err(call.failure(&refusal)),
        }
    }
    Err(Code::Internal.saying(format!("group {group} comes and goes")))
}

fn newcomers(users: &[UserId]) -> Vec<NewMember> {
    users.iter().cloned().map(NewMember::now).collect()
}

fn adding(group: &GroupId, users: &[UserId]) -> AddMembers {
    AddMembers {
        group: group.clone(),
        members: newcomers(users),
        ask: false,
        message: String::new(),
        quiet: Quiet::Clients,
        on_unknown: OnUnknown::Register,
        on_member: OnMember::Skip,
        on_blocked: OnBlocked::Refuse,
        on_full: OnFull::Refuse,
    }
}

fn making(call: &Call<'_>, group: &GroupId, name: Option<&str>, users: &[UserId]) -> CreateGroup {
    let policy = permissions::unhosted(call.settings().group_capacity);
    CreateGroup {
        id: Some(group.clone()),
        members: newcomers(users),
        profile: Profile { name: name.unwrap_or_default().to_owned(), ..Profile::default() },
        governed: false,
        quiet: Quiet::Clients,
        on_unknown_member: OnUnknown::Register,
        ..CreateGroup::new(None, policy)
    }
}

/// The name comes from the call when given; that of a hosted group is its own.
pub(super) async fn rename(call: &Call<'_>, group: &GroupId, name: Option<&str>) -> Result<(), Failure> {
    let Some(name) = name else { return Ok(()) };
    let Some(found) = call.find_group(group).await? else { return Ok(()) };
    if found.governed || found.profile.name == name {
        return Ok(());
    }
    update_name(call, group, name).await
}

/// Renames; a group that is gone has no name to change.
pub(super) async fn update_name(call: &Call<'_>, group: &GroupId, name: &str) -> Result<(), Failure> {
    let profile = ProfileChange { name: Some(name.to_owned()), ..ProfileChange::default() };
    match call.attempt(UpdateGroup { profile, ..UpdateGroup::of(group.clone()) }).await {
        Ok(()) | Err(Refusal::GroupNotFound { .. }) => Ok(()),
        Err(refusal) => Err(call.failure(&refusal)),
    }
}
