//! Readers of a message with read receipts, for its sender or the app.

use std::borrow::Cow;

use conclave_core::query::{GroupById, MessageById, Readers};
use conclave_core::refusal::Refusal;
use conclave_kit::{decode_cursor, encode_cursor};
use serde::Serialize;

use super::call::Call;
use super::envelope::Reply;
use crate::dialect::ids::shown;
use crate::dialect::limits;
use crate::refusals::{self, Failure};

#[derive(Serialize)]
struct Page<'p> {
    ackmid: &'p str,
    userlist: Vec<Cow<'p, str>>,
    total: usize,
    next_key: String,
    is_last: bool,
    timestamp: u64,
}

/// `GET /chatgroups/{id}/acks/{message}`. Empty if the sender asked for no receipts.
pub(crate) async fn list(call: &Call<'_>) -> Result<Reply, Failure> {
    let group = call.group()?;
    let id = call.param("message");
    let message = conclave_core::model::MessageId::new(id).map_err(|error| call.word(&error.into()))?;
    // a missing group is reported before the message is looked at
    call.ask(GroupById { group: group.clone() }).await?;
    let found = call.ask(MessageById { message: message.clone() }).await?.0;
    if found.group != group {
        return Err(call.word(&Refusal::MessageIdNotFound(message)));
    }
    let after = match call.query.get("key") {
        // our choice: the vendor publishes no error text for an invalid key
        Some(key) => Some(decode_cursor(key).ok_or_else(|| refusals::invalid("key is illegal"))?),
        None => None,
    };
    let readers = Readers {
        group,
        sequence: found.sequence,
        read: true,
        after,
        limit: call.page("limit", limits::READERS_PAGE, limits::READERS_PAGE),
        most_members: Some(limits::READERS),
    };
    let (users, total, next) = match call.try_ask(readers).await {
        Ok(page) => (page.users, page.total, page.next),
        Err(Refusal::NoReceipts { .. }) => (Vec::new(), 0, None),
        Err(refusal) => return Err(call.word(&refusal)),
    };
    let page = Page {
        ackmid: id,
        userlist: users.iter().map(shown).collect(),
        total,
        next_key: next.as_ref().map(encode_cursor).unwrap_or_default(),
        is_last: next.is_none(),
        timestamp: call.app.now().0,
    };
    Ok(Reply::of_receipts(&page))
}
