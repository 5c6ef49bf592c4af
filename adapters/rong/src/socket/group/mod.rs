//! The group methods of the SDK, by family.

pub(crate) mod applications;
pub(crate) mod create;
pub(crate) mod joined;
pub(crate) mod joining;
pub(crate) mod leaving;
pub(crate) mod managers;
pub(crate) mod members;
pub(crate) mod personal;
pub(crate) mod profile;
mod texts;

use prost::Message;

use super::wire::{
    ChannelsInviteStatusInfo, ChannelsInviteStatusInfos, ChannelsJoinedInfo, ChannelsJoinedInfos, ChannelsListResult,
    ChannelsOutput, ChannelsPageParam, ChannelsUserInfo, ChannelsUserInfos,
};

/// Success, with the approval that is still pending.
fn done(process_code: i32) -> Vec<u8> {
    ChannelsOutput { process_code: Some(process_code), censor_failed_fields: Vec::new() }.encode_to_vec()
}

/// A list of users.
fn users(list: Vec<ChannelsUserInfo>, page: Option<ChannelsPageParam>) -> Vec<u8> {
    listed(1, &ChannelsUserInfos { list }, page)
}

/// A list of applications.
fn applications(list: Vec<ChannelsInviteStatusInfo>, page: Option<ChannelsPageParam>) -> Vec<u8> {
    listed(2, &ChannelsInviteStatusInfos { list }, page)
}

/// A list of groups.
fn groups(list: Vec<ChannelsJoinedInfo>, page: Option<ChannelsPageParam>) -> Vec<u8> {
    listed(3, &ChannelsJoinedInfos { list }, page)
}

fn listed(kind: i32, list: &impl Message, page: Option<ChannelsPageParam>) -> Vec<u8> {
    ChannelsListResult { list_type: Some(kind), result: Some(list.encode_to_vec()), page }.encode_to_vec()
}

/// The returned page: its maximum size, the token of the next one ("" at the end), and the total number of entries.
fn page(size: usize, token: String, total: usize) -> ChannelsPageParam {
    let number = |count: usize| Some(i32::try_from(count).unwrap_or(i32::MAX));
    ChannelsPageParam {
        size: number(size),
        has_next: Some(!token.is_empty()),
        page_token: Some(token),
        total: number(total),
        order: None,
    }
}
