//! Items from clients: messages, and receipts, recalls and edits of messages. One handler for each.

mod conversation;
mod edit;
mod message;
mod recall;
mod receipt;
mod refused;

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use conclave_core::model::{GroupId, Message, MessageId};
use conclave_core::ports::GroupsExt as _;
use conclave_core::query::MessageById;
use conclave_core::refusal::Refusal;
use conclave_kit::CallOutcome;
use prost::Message as _;
use std::sync::Arc;

use super::frame::Refused;
use super::login::Login;
use super::names::group_of;
use super::wire::{MessageBody, Meta, chat_type, ns, occurrences, status};

/// The names of the operations in metrics and listings.
pub(super) const MESSAGE: &str = "SYNC group message";
pub(super) const RECEIPT: &str = "SYNC group read receipt";
pub(super) const RECALL: &str = "SYNC group recall";
pub(super) const EDIT: &str = "SYNC group edit";
pub(super) const CONVERSATION: &str = "SYNC group conversation read";

/// Bytes of an item beside its message: names, receivers, the frame.
const AROUND: usize = 16 * 1024;
/// The field `contents` of a message, and the most of them in one.
const CONTENTS_TAG: u32 = 4;
const CONTENTS: usize = 8;

/// The outcome of an item from a client.
#[derive(Debug)]
pub(crate) struct Sent {
    /// The client's id of the item.
    pub(super) meta_id: u64,
    /// The server's id of it, returned to the client.
    pub(super) server_id: Option<u64>,
    pub(super) refused: Option<Refused>,
    /// Items returned with it.
    pub(super) metas: Vec<Meta>,
}

impl Sent {
    fn done(server_id: Option<u64>) -> Self {
        Self { meta_id: 0, server_id, refused: None, metas: Vec::new() }
    }

    /// Its outcome for the metrics.
    pub(super) fn outcome(&self) -> CallOutcome {
        match &self.refused {
            None => CallOutcome::Answered,
            Some(refused) => refused.outcome(),
        }
    }
}

/// An item that a client sends to a group, decoded.
pub(super) struct Upward {
    pub(super) operation: &'static str,
    group: GroupId,
    meta: Meta,
    body: MessageBody,
}

impl Upward {
    /// Reads it; refuses what is not supported.
    pub(super) fn read(login: &Login, meta: Meta) -> Result<Self, Refused> {
        let unserved = || Refused::new(status::FAIL, "this is not served: only messages of groups are");
        if meta.ns != Some(ns::CHAT) {
            // otherwise SDKs only send that they enter or leave a chat room
            let room = meta.to.as_ref().and_then(|to| to.name.as_deref()).unwrap_or_default();
            return Err(Refused::new(status::FAIL, format!("grpID {room} does not exist!")));
        }
        let payload = meta.payload.clone().unwrap_or_default();
        if payload.len() > login.app.settings.message_bytes.saturating_add(AROUND) {
            return Err(refused::too_large());
        }
        // only one is read, and each takes much more memory than bytes in the frame
        if occurrences(&payload, CONTENTS_TAG) > CONTENTS {
            return Err(Refused::new(status::WRONG_PARAMETER, "bad message"));
        }
        let body = MessageBody::decode(payload).map_err(|_| Refused::new(status::WRONG_PARAMETER, "bad message"))?;
        let operation = match body.r#type {
            Some(chat_type::GROUP) => MESSAGE,
            Some(chat_type::READ_ACK) => RECEIPT,
            Some(chat_type::RECALL) => RECALL,
            Some(chat_type::EDIT) => EDIT,
            Some(chat_type::CHANNEL_ACK) => CONVERSATION,
            _ => return Err(unserved()),
        };
        let group = meta.to.as_ref().and_then(group_of).ok_or_else(unserved)?;
        Ok(Self { operation, group, meta, body })
    }

    /// The lane that keeps its order: one per group.
    pub(super) fn lane(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.group.hash(&mut hasher);
        hasher.finish()
    }

    /// Performs it.
    pub(super) async fn perform(self, login: &Login) -> Sent {
        let done = match self.operation {
            MESSAGE => message::send(login, &self).await,
            RECEIPT => receipt::send(login, &self).await,
            RECALL => recall::send(login, &self).await,
            CONVERSATION => conversation::send(login, &self).await,
            _ => edit::send(login, &self).await,
        };
        let meta_id = self.meta.id.unwrap_or(0);
        match done {
            Ok(sent) => Sent { meta_id, ..sent },
            Err(refused) => Sent {
                meta_id,
                // SDKs pass it to apps with the error
                server_id: Some(0),
                refused: Some(refused),
                metas: Vec::new(),
            },
        }
    }

    /// The message of this group that it is about.
    async fn about(&self, login: &Login, id: Option<u64>) -> Result<Arc<Message>, Refused> {
        let missing = || Refused::new(status::FAIL, "Sorry, message does not exist");
        let id = MessageId::new(id.unwrap_or(0).to_string()).map_err(|_| missing())?;
        match login.app.groups.ask(&login.actor(), MessageById { message: id }).await {
            Ok(found) if found.0.group == self.group => Ok(found.0),
            Ok(_) => Err(missing()),
            Err(refusal) => Err(failure_for(login, &refusal)),
        }
    }
}

/// The vendor's error for a refusal; details for the operator are logged.
fn failure_for(login: &Login, refusal: &Refusal) -> Refused {
    if let Refusal::Unavailable(_) = refusal {
        tracing::error!(app = %login.app.key(), "{refusal}");
    }
    refused::word(refusal)
}
