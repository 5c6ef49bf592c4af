//! Queries of the SDK on connecting: settings, states, profiles.

use conclave_core::model::User;
use prost::Message;

use super::call::{Call, QueryReply, decode, millis};
use super::wire::{
    BotOutput, ProfileInfo, PullSubDataReq, PullSubDataResp, PullUserProfileReq, PullUserSettingInput,
    PullUserSettingOutput, PullUserSubReq, PullUserSubResp, SessionReq, SessionStates, UserProfile, UserProfiles,
};
use crate::dialect::limits;

/// `qAppBot`: there are no bots.
pub(crate) fn robots() -> Vec<u8> {
    BotOutput {}.encode_to_vec()
}

/// `pullUS`: nothing is newer than what the client has.
pub(crate) fn user_settings(body: &[u8]) -> QueryReply {
    let asked: PullUserSettingInput = decode(body)?;
    Ok(PullUserSettingOutput { version: asked.version.max(0) }.encode_to_vec())
}

/// `pullSeAtts`: nothing is newer than what the client has.
pub(crate) fn conversation_states(body: &[u8]) -> QueryReply {
    let asked: SessionReq = decode(body)?;
    Ok(SessionStates { version: asked.time.max(1) }.encode_to_vec())
}

/// `pullUserSub`: there are no subscriptions.
pub(crate) fn subscriptions(body: &[u8]) -> QueryReply {
    let asked: PullUserSubReq = decode(body)?;
    let version = Some(asked.version.unwrap_or(0).max(0));
    Ok(PullUserSubResp { version, has_next: Some(false), is_full: Some(true) }.encode_to_vec())
}

/// `pullSubData`: there are no subscriptions.
pub(crate) fn subscribed(body: &[u8]) -> QueryReply {
    let asked: PullSubDataReq = decode(body)?;
    let version_time = Some(asked.version_time.unwrap_or(0).max(0));
    Ok(PullSubDataResp { version_time, has_next: Some(false), is_full: Some(true) }.encode_to_vec())
}

/// `pullOwnProfile`.
pub(crate) async fn own_profile(call: &Call<'_>) -> QueryReply {
    let account = call.accounts(std::slice::from_ref(call.user)).await?.pop().flatten();
    let profile = match account {
        Some(user) => profile(&user),
        None => UserProfile { version: Some(1), user_id: Some(call.user.to_string()), user_profile: Vec::new() },
    };
    Ok(profile.encode_to_vec())
}

/// `pullUserProfile`: of existing users.
pub(crate) async fn profiles(call: &Call<'_>, body: &[u8]) -> QueryReply {
    let asked: PullUserProfileReq = decode(body)?;
    let users = Call::user_ids(&asked.user_id, limits::USER_PROFILES)?;
    let accounts = call.accounts(&users).await?;
    let user_profile = accounts.iter().flatten().map(|user| profile(user)).collect();
    Ok(UserProfiles { user_profile }.encode_to_vec())
}

fn profile(user: &User) -> UserProfile {
    UserProfile {
        version: Some(millis(user.changed.0)),
        user_id: Some(user.id.to_string()),
        user_profile: vec![ProfileInfo::new("name", &user.nick), ProfileInfo::new("portraitUri", &user.avatar)],
    }
}
