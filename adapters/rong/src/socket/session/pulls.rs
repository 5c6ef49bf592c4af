//! What clients pull: messages, edits and changes after a timestamp of theirs.

use std::sync::atomic::Ordering;

use conclave_core::model::DeviceId;
use conclave_core::refusal::Refusal;
use prost::Message as _;

use super::super::call::{Denied, QueryReply, decode, hosted, millis};
use super::super::connect::Login;
use super::super::feed::{self, FeedPosition, Kind};
use super::super::wire::{
    DownStreamMessages, EventChangeList, ModifyMsg, PullModifyMsgReq, PullModifyMsgResp, QueryMsgChange, SyncRequestMsg,
};

/// `modifyType` of a message that was edited.
const EDITED: i32 = 1;

pub(super) fn placed(pulled: Result<(Vec<u8>, FeedPosition), Denied>) -> (QueryReply, Option<FeedPosition>) {
    match pulled {
        Ok((body, place)) => (Ok(body), Some(place)),
        Err(denied) => (Err(denied), None),
    }
}

pub(super) async fn pull_messages(
    login: &Login,
    left: Option<FeedPosition>,
    body: &[u8],
) -> Result<(Vec<u8>, FeedPosition), Denied> {
    let refused = |refusal: Refusal| hosted(&refusal);
    let asked: SyncRequestMsg = decode(body)?;
    let reader = login.reader();
    let place = reader.place(Kind::Inbox, left, asked.sync_time).await.map_err(refused)?;
    let page = reader.page(Kind::Inbox, place).await.map_err(refused)?;
    let with_sent = asked.is_pull_send.unwrap_or(true);
    let (list, place, more) = feed::inbox(reader, page, with_sent).await.map_err(refused)?;
    let answer = DownStreamMessages {
        list,
        sync_time: millis(place.time),
        finished: Some(!more),
        broadcast_sync_time: Some(asked.broadcast_sync_time.unwrap_or(0).max(1)),
        compression_enabled: None,
        compressed_data: None,
    };
    Ok((answer.encode_to_vec(), place))
}

/// The edited messages after a timestamp. Clients begin with the time of their connection, or of their oldest message.
pub(super) async fn pull_edits(
    login: &Login,
    left: Option<FeedPosition>,
    body: &[u8],
) -> Result<(Vec<u8>, FeedPosition), Denied> {
    let refused = |refusal: Refusal| hosted(&refusal);
    let asked: PullModifyMsgReq = decode(body)?;
    let reader = login.reader();
    let place = match asked.pull_version.filter(|version| *version > 0) {
        Some(version) => reader.place(Kind::Edits, left, version).await,
        None => reader.beginning(Kind::Edits).await,
    };
    let page = reader.page(Kind::Edits, place.map_err(refused)?).await.map_err(refused)?;
    let (list, place, more) = feed::edits(reader, page).await.map_err(refused)?;
    let edited = |message| ModifyMsg { modify_type: Some(EDITED), msg: Some(message) };
    let answer = PullModifyMsgResp {
        msg: list.into_iter().map(edited).collect(),
        next_version: Some(millis(place.time)),
        finished: Some(!more),
    };
    Ok((answer.encode_to_vec(), place))
}

/// The first query of a connection asks where to begin: only the timestamp and that there is more are read.
pub(super) async fn pull_changes(
    login: &Login,
    left: Option<FeedPosition>,
    body: &[u8],
) -> Result<(Vec<u8>, FeedPosition), Denied> {
    let refused = |refusal: Refusal| hosted(&refusal);
    let asked: QueryMsgChange = decode(body)?;
    let device = DeviceId::from(&login.identity.device);
    let reader = login.reader();
    if asked.sync_time <= 0 {
        let place = reader.resume(&device).await.map_err(refused)?;
        login.kept.store(place.sequence, Ordering::Relaxed);
        let answer = EventChangeList { list: Vec::new(), sync_time: millis(place.time), has_next: Some(true) };
        return Ok((answer.encode_to_vec(), place));
    }
    let place = reader.place(Kind::Changes, left, asked.sync_time).await.map_err(refused)?;
    let page = reader.page(Kind::Changes, place).await.map_err(refused)?;
    let list = feed::changes(reader, &page.entries).await.map_err(refused)?;
    let kept = login.kept.load(Ordering::Relaxed);
    if !page.entries.is_empty() || page.place.sequence >= kept.saturating_add(feed::BEHIND) {
        reader.keep(&device, page.place).await;
        login.kept.store(page.place.sequence, Ordering::Relaxed);
    }
    let answer = EventChangeList { list, sync_time: millis(page.place.time), has_next: Some(page.more) };
    Ok((answer.encode_to_vec(), page.place))
}
