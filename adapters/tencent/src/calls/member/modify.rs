//! `modify_group_member_info`: role, card, fields, message option and mute of one member.

use conclave_core::model::{Group, GroupId, Role, TopicId, UserId};
use conclave_core::operation::{
    Demote, InTopic, Mute, OnOutsider, OnRefusal, Operation, Promote, Unmute, UpdateMember,
};
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
    /// For clients: the mute is in this topic.
    topic_id: Option<String>,
}

pub(crate) async fn modify(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
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

    let topic = call.topic_id(request.topic_id)?;
    if topic.is_some() && (role.is_some() || receive.is_some() || request.name_card.is_some() || !fields.is_empty()) {
        return Err(call.parameter("only mutes are of a topic"));
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

    let mut steps = Vec::new();
    steps.extend(role.map(|role| change_role(group.clone(), user.clone(), role)));
    if receive.is_some() || request.name_card.is_some() || !fields.is_empty() {
        let card = request.name_card;
        steps.push(UpdateMember { card, receive, fields, ..UpdateMember::of(group.clone(), user.clone()) }.into());
    }
    steps.extend(mute.map(|seconds| silence(call, group, topic, vec![user], seconds)));
    call.run_steps(steps, OnRefusal::RefuseAll).await?;
    envelope::done()
}

/// The role that a word names, except the owner's, which can only be transferred.
fn wanted_role(word: &str) -> Option<Role> {
    role::named(word).filter(|role| *role != Role::Owner)
}

/// Refuses changes of the owner's role, which can only be transferred.
fn check_role(group: &Group, now: Role, wanted: Option<Role>, can: Capabilities) -> Result<(), Failure> {
    let Some(wanted) = wanted else { return Ok(()) };
    if now == Role::Owner || !group.governed || (wanted == Role::Admin && !can.admins) {
        return Err(Code::NoPermission.into());
    }
    Ok(())
}

/// The operation that changes a member's role.
fn change_role(group: GroupId, user: UserId, role: Role) -> Operation {
    let users = vec![user];
    if role == Role::Admin {
        return Promote { group, users, most: None, on_outsider: OnOutsider::Refuse }.into();
    }
    Demote { group, users, skip_others: true }.into()
}

/// The operation that mutes users for so many seconds, in a topic if one is named; 0 unmutes.
pub(in crate::calls) fn silence(
    call: &Call<'_>,
    group: GroupId,
    topic: Option<TopicId>,
    users: Vec<UserId>,
    seconds: u64,
) -> Operation {
    let what: Operation = if seconds == 0 {
        Unmute { group, users }.into()
    } else {
        let until = time::until(call.now(), seconds);
        Mute { group, users, until, members_only: false, spare_owner: false }.into()
    };
    match topic {
        Some(topic) => Operation::InTopic(Box::new(InTopic { topic, what })),
        None => what,
    }
}
