//! `upChannelRemark`, `upChannelFollow`, `qChannelFollow`: what a member keeps for themself.

use conclave_core::operation::{Follow, SetRemark, Unfollow};
use conclave_core::query::Follows;

use super::users;
use crate::dialect::limits;
use crate::refusals::Code;
use crate::socket::call::{Answer, Call, Denied, decode, millis};
use crate::socket::wire::{ChannelsMemberUpdateInput, ChannelsQueryInput, ChannelsUserInfo, ModifyChannelsInput};

/// The caller's own name for a group.
pub(crate) async fn remark(call: &Call<'_>, body: &[u8]) -> Answer {
    let asked: ChannelsMemberUpdateInput = decode(body)?;
    let group = Call::group_id(asked.target_id.as_ref())?;
    let text = asked.channel_nick_name.unwrap_or_default();
    let text = match asked.operate_type {
        Some(1) => checked(text)?,
        Some(2) => String::new(),
        _ => return Err(Code::BadParameter.into()),
    };
    call.own_group(&group).await?;
    call.run(SetRemark { group, user: call.user.clone(), text }).await?;
    Ok(Vec::new())
}

fn checked(remark: String) -> Result<String, Denied> {
    if limits::is_longer(&remark, limits::REMARK) {
        return Err(Code::FieldTooLong.into());
    }
    if remark.trim().is_empty() { Err(Code::BadFormat.into()) } else { Ok(remark) }
}

/// Whom the caller follows.
pub(crate) async fn follow(call: &Call<'_>, body: &[u8]) -> Answer {
    let asked: ModifyChannelsInput = decode(body)?;
    let group = Call::group_id(asked.target_id.as_ref())?;
    if asked.users.len() > limits::HOSTED_USERS {
        return Err(Code::TooMany.into());
    }
    let users = Call::user_ids(&asked.users, limits::HOSTED_USERS)?;
    call.own_group(&group).await?;
    let user = call.user.clone();
    match asked.operate_type {
        Some(1) => call.run(Follow { group, user, users, most: Some(call.settings().follows) }).await?,
        Some(2) => call.run(Unfollow { group, user, users }).await?,
        _ => return Err(Code::BadParameter.into()),
    }
    Ok(Vec::new())
}

/// Whom the caller follows, and since when.
pub(crate) async fn follows(call: &Call<'_>, body: &[u8]) -> Answer {
    let asked: ChannelsQueryInput = decode(body)?;
    let group = Call::group_id(asked.target_id.as_ref())?;
    call.own_group(&group).await?;
    let followed = call.ask(Follows { group, user: call.user.clone() }).await?.0;
    let entry = |(user, since): &(conclave_core::model::UserId, conclave_core::model::Millis)| ChannelsUserInfo {
        user_id: Some(user.to_string()),
        op_time: Some(millis(since.0)),
        ..ChannelsUserInfo::default()
    };
    Ok(users(followed.iter().map(entry).collect(), None))
}
