//! `channelMemKick`, `channelMemQuit`, `channelDismiss`, `channelTransfer`.

use conclave_core::operation::Cleanup;

use crate::calls::{leave, transfer};
use crate::dialect::limits;
use crate::refusals::Code;
use crate::socket::call::{Call, QueryReply, decode};
use crate::socket::wire::{ModifyChannelsInput, QuitChannelsSetting};

/// What is deleted when a user leaves: everything, unless the request keeps it.
fn cleanup(setting: Option<QuitChannelsSetting>) -> Cleanup {
    let setting = setting.unwrap_or_default();
    Cleanup {
        mute: setting.is_del_ban.unwrap_or(true),
        allowance: setting.is_del_white.unwrap_or(true),
        follows: setting.is_del_attention.unwrap_or(true),
    }
}

/// Removes members.
pub(crate) async fn kick(call: &Call<'_>, body: &[u8]) -> QueryReply {
    let asked: ModifyChannelsInput = decode(body)?;
    let group = Call::group_id(asked.target_id.as_ref())?;
    let users = Call::user_ids(&asked.users, limits::HOSTED_USERS)?;
    leave::kick(&call.caller(), group, users, cleanup(asked.setting_info)).await?;
    Ok(Vec::new())
}

/// The caller leaves.
pub(crate) async fn quit(call: &Call<'_>, body: &[u8]) -> QueryReply {
    let asked: ModifyChannelsInput = decode(body)?;
    let group = Call::group_id(asked.target_id.as_ref())?;
    leave::quit(&call.caller(), group, vec![call.user.clone()], cleanup(asked.setting_info)).await?;
    Ok(Vec::new())
}

/// The owner deletes the group.
pub(crate) async fn dismiss(call: &Call<'_>, body: &[u8]) -> QueryReply {
    let asked: ModifyChannelsInput = decode(body)?;
    leave::dismiss(&call.caller(), Call::group_id(asked.target_id.as_ref())?).await?;
    Ok(Vec::new())
}

/// The owner transfers the group, and leaves it if requested.
pub(crate) async fn transfer(call: &Call<'_>, body: &[u8]) -> QueryReply {
    let asked: ModifyChannelsInput = decode(body)?;
    let group = Call::group_id(asked.target_id.as_ref())?;
    let to = Call::user_ids(&asked.users, 1)?.pop().ok_or(Code::BadParameter)?;
    let leave = asked.setting_info.and_then(|setting| setting.is_quit).unwrap_or(false);
    let leave = leave.then(|| cleanup(asked.setting_info));
    transfer::transfer(&call.caller(), group, to, leave).await?;
    Ok(Vec::new())
}
