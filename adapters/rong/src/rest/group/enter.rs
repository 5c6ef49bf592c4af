//! `/group/create.json` and `/group/join.json`: add users to a group, which is created by the first call. They are
//! aliases. Clients are not notified: the app sends messages of its own.

use conclave_core::event::ProfileChange;
use conclave_core::model::{GroupId, Profile, UserId};
use conclave_core::operation::{
    AddMembers, CreateGroup, NewMember, OnBlocked, OnFull, OnMember, OnUnknown, Operation, Quiet, UpdateGroup,
};
use conclave_core::ports::Replies;
use conclave_core::query::MembersNamed;
use conclave_core::refusal::Refusal;

use super::notify::Notice;
use crate::dialect::{limits, permissions};
use crate::refusals::{Code, Failure};
use crate::rest::{Call, envelope};

/// How often the call is repeated if the group is created or deleted meanwhile.
const ATTEMPTS: usize = 8;

pub(crate) async fn create(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let name = call.required("groupName")?;
    enter(call, Some(name)).await
}

pub(crate) async fn join(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    // the Node SDK sends this word for a missing name (seen)
    let name = call.form.given("groupName").filter(|name| *name != "undefined");
    enter(call, name).await
}

async fn enter(call: &Call<'_>, name: Option<&str>) -> Result<envelope::ResponseBody, Failure> {
    let users = call.user_ids("userId", limits::LEGACY_USERS)?;
    let group = call.group_id()?;
    if let Some(name) = name {
        call.check_length("groupName", name, limits::GROUP_NAME)?;
    }
    call.check_new_members("userId", &users).await?;
    let notice = Notice::of(call)?;
    check_most(call, &group, &users).await?;
    bring_in(call, &group, name, &users, &notice).await
}

/// `maxMember` is a member limit for this call alone: if it would be exceeded, no one is added.
async fn check_most(call: &Call<'_>, group: &GroupId, users: &[UserId]) -> Result<(), Failure> {
    // official server SDKs send 0 where the app has not said a number
    let most = call.number("maxMember", 0, 0..=u64::from(u32::MAX))?;
    if most == 0 {
        return Ok(());
    }
    let after = match call.find_group(group).await? {
        None => users.len(),
        Some(found) => {
            let named = call.ask(MembersNamed { group: group.clone(), users: users.to_vec() }).await?;
            let new_members = named.members.iter().filter(|member| member.is_none()).count();
            // existing members do not count
            if new_members == 0 { 0 } else { found.members as usize + new_members }
        }
    };
    if after as u64 > most { Err(Code::LegacyFull.into()) } else { Ok(()) }
}

/// Adds to the group, or creates it, and sends the bound message, all in one commit.
async fn bring_in(
    call: &Call<'_>,
    group: &GroupId,
    name: Option<&str>,
    users: &[UserId],
    notice: &Notice<'_>,
) -> Result<envelope::ResponseBody, Failure> {
    for _ in 0..ATTEMPTS {
        let found = call.find_group(group).await?;
        let exists = found.is_some();
        let mut steps: Vec<Operation> = Vec::new();
        if let Some(found) = &found {
            steps.push(adding(call, group, users).into());
            // a hosted group keeps its name
            let name = name.filter(|name| !found.governed && found.profile.name != **name);
            steps.extend(name.map(|name| renaming(group, name).into()));
        } else {
            call.check_new_group_id(group)?;
            steps.push(making(call, group, name, users).into());
        }
        let renames = steps.len() > 1;
        steps.extend(notice.to_group(group));
        match call.attempt_all(steps).await {
            Ok(mut replies) => {
                let members = members(&mut replies, exists, renames).map_err(|refusal| call.failure(&refusal))?;
                return notice.answer(call, &mut replies, members);
            }
            // another call has created or deleted it since
            Err(Refusal::GroupNotFound { .. } | Refusal::GroupExists { .. }) => {}
            Err(refusal) => return Err(call.failure(&refusal)),
        }
    }
    Err(Code::Internal.saying(format!("group {group} comes and goes")))
}

/// The number of members afterwards.
fn members(replies: &mut Replies, exists: bool, renames: bool) -> Result<u32, Refusal> {
    if !exists {
        return Ok(replies.next_of::<CreateGroup>()?.group.members);
    }
    let members = replies.next_of::<AddMembers>()?.members;
    if renames {
        replies.next_of::<UpdateGroup>()?;
    }
    Ok(members)
}

fn new_members(users: &[UserId]) -> Vec<NewMember> {
    users.iter().cloned().map(NewMember::now).collect()
}

fn adding(call: &Call<'_>, group: &GroupId, users: &[UserId]) -> AddMembers {
    AddMembers {
        group: group.clone(),
        members: new_members(users),
        ask: false,
        message: String::new(),
        quiet: Quiet::Clients,
        on_unknown: OnUnknown::Register,
        on_member: OnMember::Skip,
        on_blocked: OnBlocked::Refuse,
        on_full: OnFull::Refuse,
        most: Some(call.settings().group_capacity),
    }
}

fn making(call: &Call<'_>, group: &GroupId, name: Option<&str>, users: &[UserId]) -> CreateGroup {
    let policy = permissions::unhosted(call.settings().group_capacity);
    CreateGroup {
        id: Some(group.clone()),
        members: new_members(users),
        profile: Profile { name: name.unwrap_or_default().to_owned(), ..Profile::default() },
        governed: false,
        quiet: Quiet::Clients,
        on_unknown_member: OnUnknown::Register,
        ..CreateGroup::new(None, policy)
    }
}

/// Renames a group.
pub(super) fn renaming(group: &GroupId, name: &str) -> UpdateGroup {
    let profile = ProfileChange { name: Some(name.to_owned()), ..ProfileChange::default() };
    UpdateGroup { profile, ..UpdateGroup::of(group.clone()) }
}
