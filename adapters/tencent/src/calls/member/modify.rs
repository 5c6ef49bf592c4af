//! `modify_group_member_info`: role, card, fields, message option and mute of one member.

use conclave_core::model::{Group, Role, TopicId, UserId};
use conclave_core::operation::{Demote, Mute, OnOutsider, Promote, Unmute, UpdateMember};
use conclave_core::query::MembersNamed;
use conclave_core::refusal::Refusal;
use serde::Deserialize;

use crate::calls::wire::Account;
use crate::calls::{Call, envelope};
use crate::dialect::custom::{self, Of, Pair};
use crate::dialect::kind::Capabilities;
use crate::dialect::{limits, receive, role, time};
use crate::refusals::{Code, Failure};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: Option<String>,
    #[serde(rename = "Member_Account")]
    member: Option<Account>,
    role: Option<String>,
    msg_flag: Option<String>,
    name_card: Option<String>,
    app_member_defined_data: Option<Vec<Pair>>,
    /// Seconds; 0 ends the mute.
    mute_time: Option<u64>,
    /// The older name.
    shut_up_time: Option<u64>,
}

pub(crate) async fn modify(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
    let request: Request = call.read()?;
    let group = call.group_id(request.group_id)?;
    let user = call.user_id("Member_Account", request.member)?;
    let role = call.option("Role", request.role.as_deref(), wanted_role)?;
    let receive = call.option("MsgFlag", request.msg_flag.as_deref(), receive::named)?;
    if request.name_card.as_ref().is_some_and(|card| card.len() > limits::NAME_CARD) {
        return Err(call.parameter("name card is too long"));
    }
    let configured = &call.settings().member_keys;
    let fields = custom::fields(Of::Member, configured, request.app_member_defined_data.unwrap_or_default())?;
    let mute = request.mute_time.or(request.shut_up_time);
    if mute.is_some_and(|seconds| seconds > time::FOREVER) {
        return Err(call.parameter("MuteTime is out of range"));
    }

    let found = call.ask(MembersNamed { group: group.clone(), users: vec![user.clone()] }).await?;
    let can = Capabilities::of(&found.group);
    if !can.members || (mute.is_some() && !can.mute) {
        return Err(Code::NoPermission.into());
    }
    let Some(Some(member)) = found.members.first() else {
        return Err(call.failure(&Refusal::NotMembers { group, users: vec![user] }));
    };
    // everything is checked before the first change, so that a refused call changes nothing
    let role = role.filter(|wanted| *wanted != member.role);
    check_role(&found.group, member.role, role, can)?;

    if let Some(role) = role {
        change_role(call, &found.group, user.clone(), role).await?;
    }
    if receive.is_some() || request.name_card.is_some() || !fields.is_empty() {
        let card = request.name_card;
        call.run(UpdateMember { card, receive, fields, ..UpdateMember::of(group.clone(), user.clone()) }).await?;
    }
    if let Some(seconds) = mute {
        silence(call, &found.group, None, vec![user], seconds).await?;
    }
    envelope::done()
}

/// A role that is given by a word: the owner's is handed over only.
fn wanted_role(word: &str) -> Option<Role> {
    role::named(word).filter(|role| *role != Role::Owner)
}

/// The owner's role is changed by handing the group over only.
fn check_role(group: &Group, now: Role, wanted: Option<Role>, can: Capabilities) -> Result<(), Failure> {
    let Some(wanted) = wanted else { return Ok(()) };
    if now == Role::Owner || !group.governed || (wanted == Role::Admin && !can.admins) {
        return Err(Code::NoPermission.into());
    }
    Ok(())
}

async fn change_role(call: &Call<'_>, group: &Group, user: UserId, role: Role) -> Result<(), Failure> {
    let (group, users) = (group.id.clone(), vec![user]);
    if role == Role::Admin {
        call.run(Promote { group, users, most: None, on_outsider: OnOutsider::Refuse }).await?;
        return Ok(());
    }
    call.run(Demote { group, users, skip_others: true }).await
}

/// Mutes users for so many seconds; 0 lets them speak again.
pub(in crate::calls) async fn silence(
    call: &Call<'_>,
    group: &Group,
    topic: Option<&TopicId>,
    users: Vec<UserId>,
    seconds: u64,
) -> Result<(), Failure> {
    let group = group.id.clone();
    if seconds == 0 {
        call.run_at(topic, Unmute { group, users }).await?;
        return Ok(());
    }
    let until = time::until(call.now(), seconds);
    call.run_at(topic, Mute { group, users, until, members_only: false, spare_owner: false }).await?;
    Ok(())
}
