//! `channelMemJoin`, `channelMemInvite`, `channelApplyResp`: joining, with the approvals that the group requires.

use conclave_core::model::UserId;
use conclave_core::operation::{AddOutcome, AnswerInvitation, Applied, Apply, DecideRequest, Decided};

use super::done;
use crate::calls::join;
use crate::dialect::limits;
use crate::refusals::{Code, client};
use crate::socket::call::{Call, Denied, QueryReply, decode};
use crate::socket::wire::{ChannelsMemberResponseInput, ChannelsMembersInput};

/// The caller asks to join.
pub(crate) async fn join(call: &Call<'_>, body: &[u8]) -> QueryReply {
    let asked: ChannelsMembersInput = decode(body)?;
    let group = Call::group_id(asked.target_id.as_ref())?;
    let most = Some(call.caller().app.realm.settings.group_capacity);
    match call.run(Apply { most, ..Apply::of(group) }).await? {
        Applied::Joined => Ok(done(0)),
        Applied::Waiting => Ok(done(client::AWAITS_MANAGERS)),
        Applied::Already => Err(Code::AlreadyMember.into()),
    }
}

/// The caller invites users; existing members are skipped unless all are.
pub(crate) async fn invite(call: &Call<'_>, body: &[u8]) -> QueryReply {
    let asked: ChannelsMembersInput = decode(body)?;
    let group = Call::group_id(asked.target_id.as_ref())?;
    let users = Call::user_ids(&asked.user_ids, limits::CREATE_USERS)?;
    let (_, added) = join::add(&call.caller(), group, users).await?;
    let any = |wanted: &AddOutcome| added.outcomes.iter().any(|(_, outcome)| outcome == wanted);
    Ok(done(if any(&AddOutcome::AwaitsManagers) {
        client::AWAITS_MANAGERS
    } else if any(&AddOutcome::AwaitsInvitee) {
        client::AWAITS_INVITEE
    } else {
        0
    }))
}

/// The invited user, or one of those who decide, accepts or refuses.
pub(crate) async fn respond(call: &Call<'_>, body: &[u8]) -> QueryReply {
    let asked: ChannelsMemberResponseInput = decode(body)?;
    let group = Call::group_id(asked.target_id.as_ref())?;
    let inviter = named(asked.inviter_id.as_deref())?;
    let accept = match asked.opt_result {
        Some(0) => false,
        Some(1) => true,
        _ => return Err(Code::BadParameter.into()),
    };
    let reason = asked.detail.unwrap_or_default();
    if limits::is_longer(&reason, limits::JOIN_REASON) {
        return Err(Code::FieldTooLong.into());
    }
    let most = Some(call.caller().app.realm.settings.group_capacity);
    let decided = match asked.opt_type {
        Some(0) => call.run(AnswerInvitation { group, user: call.user.clone(), inviter, accept, reason, most }).await?,
        Some(1) => {
            let user = named(asked.join_user_id.as_deref())?.ok_or(Code::BadParameter)?;
            call.run(DecideRequest { group, user, inviter, accept, reason, most }).await?
        }
        _ => return Err(Code::BadParameter.into()),
    };
    Ok(done(if decided == Decided::AwaitsInvitee { client::AWAITS_INVITEE } else { 0 }))
}

/// A user id that may be missing.
fn named(id: Option<&str>) -> Result<Option<UserId>, Denied> {
    id.filter(|id| !id.is_empty()).map(Call::user_id).transpose()
}
