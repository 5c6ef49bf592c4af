//! `channelMemKick`, `channelMemQuit`, `channelDismiss`, `channelTransfer`.

use conclave_core::operation::{Cleanup, Disband, Leave, OnOutsider, Quiet, RemoveMembers, Transfer};

use crate::dialect::limits;
use crate::refusals::Code;
use crate::socket::call::{Answer, Call, decode};
use crate::socket::wire::{ModifyChannelsInput, QuitChannelsSetting};

/// What leaving takes along: everything, unless asked to stay.
fn cleanup(setting: Option<QuitChannelsSetting>) -> Cleanup {
    let setting = setting.unwrap_or_default();
    Cleanup {
        mute: setting.is_del_ban.unwrap_or(true),
        allowance: setting.is_del_white.unwrap_or(true),
        follows: setting.is_del_attention.unwrap_or(true),
    }
}

/// Puts members out; who is not in is left out unless nobody is.
pub(crate) async fn kick(call: &Call<'_>, body: &[u8]) -> Answer {
    let asked: ModifyChannelsInput = decode(body)?;
    let remove = RemoveMembers {
        group: Call::group_id(asked.target_id.as_ref())?,
        users: Call::user_ids(&asked.users, limits::HOSTED_USERS)?,
        reason: String::new(),
        cleanup: cleanup(asked.setting_info),
        quiet: Quiet::Nobody,
        on_outsider: OnOutsider::RefuseIfAll,
        skip_owner: false,
    };
    call.run(remove).await?;
    Ok(Vec::new())
}

/// The caller leaves.
pub(crate) async fn quit(call: &Call<'_>, body: &[u8]) -> Answer {
    let asked: ModifyChannelsInput = decode(body)?;
    let group = Call::group_id(asked.target_id.as_ref())?;
    // a group without hosting is left through the app's server only
    call.hosted_group(&group).await?;
    let cleanup = cleanup(asked.setting_info);
    call.run(Leave { group, users: vec![call.user.clone()], cleanup, on_outsider: OnOutsider::Refuse }).await?;
    Ok(Vec::new())
}

/// The owner ends the group.
pub(crate) async fn dismiss(call: &Call<'_>, body: &[u8]) -> Answer {
    let asked: ModifyChannelsInput = decode(body)?;
    call.run(Disband { group: Call::group_id(asked.target_id.as_ref())? }).await?;
    Ok(Vec::new())
}

/// The owner hands the group over, and leaves with it if asked.
pub(crate) async fn transfer(call: &Call<'_>, body: &[u8]) -> Answer {
    let asked: ModifyChannelsInput = decode(body)?;
    let group = Call::group_id(asked.target_id.as_ref())?;
    let to = Call::user_ids(&asked.users, 1)?.pop().ok_or(Code::BadParameter)?;
    let leave = asked.setting_info.and_then(|setting| setting.is_quit).unwrap_or(false);
    call.run(Transfer { group, to, leave: leave.then(|| cleanup(asked.setting_info)) }).await?;
    Ok(Vec::new())
}
