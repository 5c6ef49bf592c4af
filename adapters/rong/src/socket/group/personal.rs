//! `upChannelRemark`, `upChannelFollow`, `qChannelFollow`: a member's private settings for a group.

use conclave_core::model::{Millis, UserId};

use super::users;
use crate::calls::{follow, remark};
use crate::dialect::limits;
use crate::refusals::Code;
use crate::socket::call::{Call, QueryReply, decode, millis};
use crate::socket::wire::{ChannelsMemberUpdateInput, ChannelsQueryInput, ChannelsUserInfo, ModifyChannelsInput};

/// The caller's own name for a group.
pub(crate) async fn remark(call: &Call<'_>, body: &[u8]) -> QueryReply {
    let asked: ChannelsMemberUpdateInput = decode(body)?;
    let group = Call::group_id(asked.target_id.as_ref())?;
    let text = asked.channel_nick_name.unwrap_or_default();
    match asked.operate_type {
        Some(1) => remark::set(&call.caller(), group, call.user.clone(), text).await?,
        Some(2) => remark::delete(&call.caller(), group, call.user.clone()).await?,
        _ => return Err(Code::BadParameter.into()),
    }
    Ok(Vec::new())
}

/// The members that the caller follows.
pub(crate) async fn follow(call: &Call<'_>, body: &[u8]) -> QueryReply {
    let asked: ModifyChannelsInput = decode(body)?;
    let group = Call::group_id(asked.target_id.as_ref())?;
    if asked.users.len() > limits::HOSTED_USERS {
        return Err(Code::TooMany.into());
    }
    let users = Call::user_ids(&asked.users, limits::HOSTED_USERS)?;
    let user = call.user.clone();
    match asked.operate_type {
        Some(1) => follow::follow(&call.caller(), group, user, users).await?,
        Some(2) => follow::unfollow(&call.caller(), group, user, users).await?,
        _ => return Err(Code::BadParameter.into()),
    }
    Ok(Vec::new())
}

/// The members that the caller follows, and since when.
pub(crate) async fn follows(call: &Call<'_>, body: &[u8]) -> QueryReply {
    let asked: ChannelsQueryInput = decode(body)?;
    let group = Call::group_id(asked.target_id.as_ref())?;
    let followed = follow::followed(&call.caller(), group, call.user.clone()).await?;
    let entry = |(user, since): &(UserId, Millis)| ChannelsUserInfo {
        user_id: Some(user.to_string()),
        op_time: Some(millis(since.0)),
        ..ChannelsUserInfo::default()
    };
    Ok(users(followed.iter().map(entry).collect(), None))
}
