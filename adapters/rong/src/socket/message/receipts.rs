//! `readReceipt`, `qryReceipt` and `qryReceiptBatch`: read receipts of single messages whose senders asked for them (the
//! vendor's version 5 of receipts). Senders alone ask who has read a message.

use std::collections::HashSet;
use std::sync::Arc;

use conclave_core::model::{Mention, Message, MessageState, Receipt, UserId};
use conclave_core::operation::ReadMessages;
use conclave_core::query::{MessageById, ReceiptLists, Receipts};
use conclave_core::refusal::Refusal;
use prost::Message as _;

use crate::dialect::page::PageStart;
use crate::dialect::{limits, message};
use crate::refusals::{Code, client};
use crate::socket::call::{Call, Denied, QueryReply, decode, millis};
use crate::socket::wire::{
    GROUP, QueryReceiptBatchReq, QueryReceiptBatchResp, QueryReceiptBatchRespItem, QueryReceiptReq,
    QueryReceiptRespItem, ReadReceipt, ReceiptResp, ReceiptUser,
};

/// The values of `qryType`.
mod query {
    pub(super) const PAGE: i32 = 1;
    pub(super) const NAMED: i32 = 2;
}

/// The values of `readType`.
mod list {
    pub(super) const READ: i32 = 1;
    pub(super) const UNREAD: i32 = 2;
}

/// A number of users as the protocol encodes it.
pub(crate) fn count<N: TryFrom<usize> + From<i32>>(users: usize) -> N {
    N::try_from(users).unwrap_or_else(|_| N::from(i32::MAX))
}

/// Whether a message mentions a user.
pub(crate) fn is_mentioned(about: &Message, user: &UserId) -> bool {
    match &about.mention {
        Some(Mention::All) => true,
        Some(Mention::Users(users)) => users.contains(user),
        None => false,
    }
}

/// The user has read messages of a group. Refused as a whole when one of them has no receipts.
pub(crate) async fn read(call: &Call<'_>, body: &[u8]) -> QueryReply {
    let asked: ReadReceipt = decode(body)?;
    let found = messages(call, asked.target_id.as_ref(), asked.kind, &asked.msg_ids).await?;
    let group = Call::group_id(asked.target_id.as_ref())?;
    let read = ReadMessages {
        group,
        user: call.user.clone(),
        sequences: found.iter().map(|about| about.sequence).collect(),
        note: String::new(),
        most_members: Some(limits::READERS),
    };
    call.try_run(read).await.map_err(|refusal| refused(&refusal))?;
    Ok(Vec::new())
}

/// How many members have read each message, and how many have not.
pub(crate) async fn counts(call: &Call<'_>, body: &[u8]) -> QueryReply {
    let asked: QueryReceiptBatchReq = decode(body)?;
    let ids: usize = asked.items.iter().map(|item| item.msg_ids.len()).sum();
    if ids == 0 || ids > limits::RECEIPTS {
        return Err(Denied::status(client::RECEIPTS_TOO_MANY));
    }
    let mut answer = QueryReceiptBatchResp { item: Vec::new(), compress: Some(false) };
    for item in asked.items {
        let found = messages(call, item.target_id.as_ref(), item.kind, &item.msg_ids).await?;
        let ask = Receipts {
            group: Call::group_id(item.target_id.as_ref())?,
            sequences: found.iter().map(|about| about.sequence).collect(),
            most_members: Some(limits::READERS),
        };
        let counts = call.try_ask(ask).await.map_err(|refusal| refused(&refusal))?.0;
        let mut msg = Vec::with_capacity(found.len());
        for (about, (_, counted)) in found.iter().zip(counts) {
            let counted = counted.map_err(|refusal| refused(&refusal))?;
            msg.push(shown(about, counted.read, counted.unread));
        }
        let (target_id, bus_channel) = (item.target_id, Some(String::new()));
        answer.item.push(QueryReceiptBatchRespItem { target_id, bus_channel, kind: Some(GROUP), msg });
    }
    Ok(answer.encode_to_vec())
}

/// Who has read a message, or who has not: a page of them, or those of the named users.
pub(crate) async fn readers(call: &Call<'_>, body: &[u8]) -> QueryReply {
    let asked: QueryReceiptReq = decode(body)?;
    let found = messages(call, asked.target_id.as_ref(), asked.kind, &asked.msg_ids).await?;
    let [about] = found.as_slice() else { return Err(Denied::status(client::RECEIPTS_TOO_MANY)) };
    let lists =
        ReceiptLists { group: about.group.clone(), sequence: about.sequence, most_members: Some(limits::READERS) };
    let lists = call.try_ask(lists).await.map_err(|refusal| refused(&refusal))?;
    let mut answer = shown(about, lists.read.len(), lists.unread.len());
    let reader = |receipt: Arc<Receipt>| user(about, &receipt.user, millis(receipt.at.0));
    let idle = |owing: UserId| user(about, &owing, 0);
    let mut page_token = String::new();
    match asked.qry_type {
        Some(query::PAGE) => {
            let size = usize::try_from(asked.page_size.unwrap_or(0)).unwrap_or(0);
            if !(1..=limits::RECEIPTS).contains(&size) {
                return Err(Denied::status(client::RECEIPTS_TOO_MANY));
            }
            let newest_first = asked.order == Some(1);
            let (read, mut unread) = (ordered(lists.read, newest_first), lists.unread);
            if newest_first {
                unread.reverse();
            }
            let pages = call.pages(&format!("readers {} {:?} {newest_first}", about.id, asked.read_type));
            let skip = match pages.place(asked.page_token.as_deref())? {
                None => 0,
                Some(PageStart::Skip(skip)) => skip,
                Some(PageStart::After(_)) => return Err(Code::PageToken.into()),
            };
            let all = match asked.read_type {
                Some(list::READ) => read.len(),
                Some(list::UNREAD) => unread.len(),
                _ => return Err(Denied::status(client::RECEIPTS_QUERY)),
            };
            if asked.read_type == Some(list::READ) {
                answer.read_user = read.into_iter().skip(skip).take(size).map(reader).collect();
            } else {
                answer.unread_user = unread.into_iter().skip(skip).take(size).map(idle).collect();
            }
            let next = skip.saturating_add(size);
            page_token = pages.token((next < all).then_some(PageStart::Skip(next)));
        }
        Some(query::NAMED) => {
            if asked.users.is_empty() || asked.users.len() > limits::RECEIPTS {
                return Err(Denied::status(client::RECEIPTS_TOO_MANY));
            }
            let wanted: HashSet<&str> = asked.users.iter().map(String::as_str).collect();
            let is_wanted = |user: &UserId| wanted.contains(user.as_str());
            let read = lists.read.into_iter().filter(|receipt| is_wanted(&receipt.user));
            answer.read_user = read.map(reader).collect();
            answer.unread_user = lists.unread.into_iter().filter(is_wanted).map(idle).collect();
        }
        _ => return Err(Denied::status(client::RECEIPTS_QUERY)),
    }
    Ok(ReceiptResp { resp: vec![answer], compress: Some(false), page_token: Some(page_token) }.encode_to_vec())
}

/// The messages of a group by their ids, without duplicates, in the requested order.
async fn messages(
    call: &Call<'_>,
    group: Option<&String>,
    kind: Option<i32>,
    ids: &[String],
) -> Result<Vec<Arc<Message>>, Denied> {
    if !call.settings().message_receipts {
        return Err(Denied::status(client::RECEIPTS_UNAVAILABLE));
    }
    if kind != Some(GROUP) {
        return Err(Denied::status(client::RECEIPTS_CONVERSATION));
    }
    if ids.is_empty() || ids.len() > limits::RECEIPTS {
        return Err(Denied::status(client::RECEIPTS_TOO_MANY));
    }
    let missing = || Denied::status(client::RECEIPTS_NO_MESSAGE);
    let (mut found, mut seen) = (Vec::with_capacity(ids.len()), HashSet::new());
    for id in ids.iter().filter(|id| seen.insert(id.as_str())) {
        let message = message::id_of(id).ok_or_else(missing)?;
        let about = call.try_ask(MessageById { message }).await.map_err(|refusal| refused(&refusal))?.0;
        if Some(about.group.as_str()) != group.map(String::as_str) || about.state != MessageState::Kept {
            return Err(missing());
        }
        found.push(about);
    }
    Ok(found)
}

/// By the time of reading.
fn ordered(mut read: Vec<Arc<Receipt>>, newest_first: bool) -> Vec<Arc<Receipt>> {
    read.sort_by_key(|receipt| receipt.at);
    if newest_first {
        read.reverse();
    }
    read
}

fn shown(about: &Message, read: usize, unread: usize) -> QueryReceiptRespItem {
    QueryReceiptRespItem {
        msg_id: Some(message::uid(&about.id)),
        msg_time: Some(millis(about.at.0)),
        total_cnt: Some(count(read + unread)),
        read_cnt: Some(count(read)),
        unread_cnt: Some(count(unread)),
        ..QueryReceiptRespItem::default()
    }
}

fn user(about: &Message, user: &UserId, at: i64) -> ReceiptUser {
    ReceiptUser { receipt_time: Some(at), user_id: Some(user.to_string()), mentioned: Some(is_mentioned(about, user)) }
}

fn refused(refusal: &Refusal) -> Denied {
    Denied::status(client::receipts(refusal))
}
