//! Complete frames.

use conclave_core::model::Millis;
use conclave_kit::{CallOutcome, ErrorClass, VendorCode, VendorError};
use prost::Message;
use prost::bytes::Bytes;

use super::wire::{
    CommNotice, CommSyncDl, CommUnreadDl, Jid, Logout, MSync, Meta, MetaQueue, Provision, StatisticsBody, Status,
    command, ns, status,
};

/// A refusal of an item that a client sent: a code and a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(super) code: i32,
    pub(super) reason: String,
}

impl Refused {
    pub(super) fn new(code: i32, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }

    /// The outcome for the metrics.
    pub(super) fn outcome(&self) -> CallOutcome {
        let class = match self.code {
            status::UNAUTHORIZED => ErrorClass::Unauthenticated,
            status::FAIL if self.reason.is_empty() => ErrorClass::Failed,
            _ => ErrorClass::Refused,
        };
        CallOutcome::Error(VendorError { code: VendorCode::Number(self.code.unsigned_abs()), class })
    }

    /// The outcome of a sign-in: the vendor has one code for wrong credentials and for much else.
    pub(super) fn sign_in_outcome(&self) -> CallOutcome {
        match self.outcome() {
            CallOutcome::Error(error) if error.class == ErrorClass::Refused && self.code == status::FAIL => {
                CallOutcome::Error(VendorError { class: ErrorClass::Unauthenticated, ..error })
            }
            outcome => outcome,
        }
    }

    fn status(&self) -> Status {
        Status { error_code: Some(self.code), reason: Some(self.reason.clone()) }
    }
}

fn ok() -> Status {
    Status { error_code: Some(status::OK), reason: None }
}

fn frame(command: i32, payload: &impl Message) -> Bytes {
    let frame = MSync {
        version: Some(0),
        command: Some(command),
        payload: Some(payload.encode_to_vec().into()),
        ..MSync::default()
    };
    frame.encode_to_vec().into()
}

/// The frame that accepts a sign-in, on this device. `auth` is JSON with the token and its expiry.
pub(super) fn signed_in(resource: &str, auth: Option<String>) -> Bytes {
    let provision =
        Provision { status: Some(ok()), resource: Some(resource.to_owned()), auth_token: auth, ..Provision::default() };
    frame(command::PROVISION, &provision)
}

/// The frame that refuses a sign-in.
pub(super) fn sign_in_refused(refused: &Refused) -> Bytes {
    frame(command::PROVISION, &Provision { status: Some(refused.status()), ..Provision::default() })
}

/// The frame that confirms a sign-out.
pub(super) fn signed_out() -> Bytes {
    frame(command::LOGOUT, &Logout { status: Some(ok()), ..Logout::default() })
}

/// The queues in which items wait.
pub(super) fn unread(queues: Vec<(Jid, u32)>, now: Millis) -> Bytes {
    let unread = queues.into_iter().map(|(queue, n)| MetaQueue { queue: Some(queue), n: Some(n) }).collect();
    frame(command::UNREAD, &CommUnreadDl { status: Some(ok()), unread, timestamp: Some(now.0) })
}

/// A notification that items wait in this queue.
pub(super) fn notice(queue: Jid) -> Bytes {
    frame(command::NOTICE, &CommNotice { queue: Some(queue) })
}

/// Items of a queue; the client acknowledges them by the key and asks for more.
pub(super) fn items(queue: Jid, metas: Vec<Meta>, key: u64, now: Millis) -> Bytes {
    let sync = CommSyncDl {
        status: Some(ok()),
        metas,
        next_key: Some(key),
        queue: Some(queue),
        is_last: Some(false),
        timestamp: Some(now.0),
        ..CommSyncDl::default()
    };
    frame(command::SYNC, &sync)
}

/// An item that is in no queue and is not acknowledged.
pub(super) fn passing(queue: Jid, meta: Meta, now: Millis) -> Bytes {
    let sync = CommSyncDl {
        status: Some(ok()),
        metas: vec![meta],
        queue: Some(queue),
        is_last: Some(true),
        timestamp: Some(now.0),
        ..CommSyncDl::default()
    };
    frame(command::SYNC, &sync)
}

/// There are no more items in this queue.
pub(super) fn end_of_queue(queue: Jid, now: Millis) -> Bytes {
    let sync = CommSyncDl {
        status: Some(ok()),
        queue: Some(queue),
        is_last: Some(true),
        timestamp: Some(now.0),
        ..CommSyncDl::default()
    };
    frame(command::SYNC, &sync)
}

/// The outcome of an item that a client has sent. SDKs before 1.3 misread a reply with items, or one that ends a queue;
/// later ones expect items in the reply to an edit. So pass `metas` for edits by SDKs from 1.3 on only.
pub(super) fn sent(
    meta_id: u64,
    server_id: Option<u64>,
    refused: Option<&Refused>,
    metas: Vec<Meta>,
    now: Millis,
) -> Bytes {
    let sync = CommSyncDl {
        status: Some(refused.map_or_else(ok, Refused::status)),
        meta_id: Some(meta_id),
        server_id,
        metas,
        timestamp: Some(now.0),
        ..CommSyncDl::default()
    };
    frame(command::SYNC, &sync)
}

/// The session ends, with the reason; the socket is closed after it.
pub(super) fn farewell(operation: i32, id: u64, user: Jid, now: Millis) -> Bytes {
    let body = StatisticsBody { operation: Some(operation), reason: None };
    let meta = Meta {
        id: Some(id),
        from: Some(user.clone()),
        to: Some(user.clone()),
        timestamp: Some(now.0),
        ns: Some(ns::STATISTIC),
        payload: Some(body.encode_to_vec().into()),
        ..Meta::default()
    };
    passing(user, meta, now)
}
