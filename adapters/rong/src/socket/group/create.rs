//! `channelCreate`: creates a hosted group owned by the caller. Where invited users have to accept, the group is
//! created without them, and the reply says so.

use super::done;
use super::texts::texts;
use crate::calls::create::{self, Create};
use crate::dialect::limits;
use crate::refusals::{Code, client};
use crate::socket::call::{Call, Denied, QueryReply, decode};
use crate::socket::wire::ChannelsInput;

pub(crate) async fn create(call: &Call<'_>, body: &[u8]) -> QueryReply {
    let asked: ChannelsInput = decode(body)?;
    let id = Call::group_id(asked.target_id.as_ref())?;
    if !limits::is_group_id(id.as_str()) {
        return Err(Code::BadGroupId.into());
    }
    if asked.users.len() > limits::CREATE_USERS {
        return Err(Code::BadParameter.into());
    }
    let members = Call::distinct(&asked.users)?;
    let texts = texts(call, &asked.setting_profile, &asked.ext_profile)?;
    let Some(name) = texts.profile.name.clone() else {
        return Err(Denied::from(Code::NoName).naming("name"));
    };
    let create = Create { id, name, owner: call.user.clone(), members, texts };
    let invited = create::create(&call.caller(), create).await?;
    Ok(done(if invited { client::AWAITS_INVITEE } else { 0 }))
}
