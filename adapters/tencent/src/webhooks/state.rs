//! Members of live rooms going online or offline: `Group.CallbackOnMemberStateChange`.
//!
//! A room's member who loses every connection is offline there and online again with the next; users who join or leave
//! by themselves are online.

use conclave_core::event::{Actor, Joining};
use conclave_core::model::{Group, Member, UserId};
use conclave_core::ports::{Groups, GroupsExt};
use conclave_core::refusal::Refusal;
use conclave_kit::{ConnectionChange, ConnectionEvent, Disconnection, Platform};
use serde_json::{Map, Value};

use super::accounts;
use super::after::Callback;
use crate::dialect::events::{Fact, What};
use crate::dialect::kind::Kind;

pub(super) const COMMAND: &str = "Group.CallbackOnMemberStateChange";

const ONLINE: &str = "Online";
const OFFLINE: &str = "Offline";

fn callback<'u>(group: &Group, kind: &str, cause: &str, users: impl IntoIterator<Item = &'u UserId>) -> Callback {
    let texts = [("GroupId", group.id.as_str()), ("EventType", kind), ("EventCause", cause)];
    let mut body: Map<String, Value> =
        texts.into_iter().map(|(key, text)| (key.to_owned(), Value::from(text))).collect();
    body.insert("MemberList".to_owned(), accounts(users));
    Callback { command: COMMAND, body }
}

/// Whether a fact may change which members are in the room.
pub(super) fn is_of_presence(what: &What<'_>) -> bool {
    matches!(what, What::Joined { .. } | What::Left { .. })
}

/// The state change of a fact.
pub(super) fn of_fact(fact: &Fact<'_>, group: &Group) -> Option<Callback> {
    if Kind::of(group) != Kind::AvChatRoom {
        return None;
    }
    match &fact.what {
        // users added by others may not be connected
        What::Joined { users, how: Joining::Asked { .. } | Joining::Invited { agreed: true, .. }, .. } => {
            matches!(fact.event.actor, Actor::User { .. }).then(|| callback(group, ONLINE, "Join", *users))
        }
        What::Left { users, .. } => Some(callback(group, OFFLINE, "Quit", *users)),
        _ => None,
    }
}

/// The state changes of a connection that was opened or closed, in each live room of its user. Only the first opened
/// and the last closed one change anything.
pub(super) async fn of_connection(event: &ConnectionEvent, groups: &dyn Groups) -> Result<Vec<Callback>, Refusal> {
    if event.others > 0 {
        return Ok(Vec::new());
    }
    let (kind, cause) = match event.change {
        ConnectionChange::Connected => (ONLINE, "HeartbeatRecover"),
        ConnectionChange::Disconnected(Disconnection::SignedOut) => (OFFLINE, "Quit"),
        ConnectionChange::Disconnected(Disconnection::Lost | Disconnection::Ended(_)) => {
            (OFFLINE, "HeartbeatInterrupt")
        }
    };
    let user = &event.connection.user;
    let of_room =
        |group: &Group, _: &Member| (Kind::of(group) == Kind::AvChatRoom).then(|| callback(group, kind, cause, [user]));
    match groups.pick_joined(&Actor::app(), user, of_room).await {
        // the account was deleted, with its connections
        Err(Refusal::UserNotFound(_)) => Ok(Vec::new()),
        callbacks => callbacks,
    }
}

/// The client's platform in callbacks.
pub(super) fn platform(platform: Platform) -> &'static str {
    match platform {
        Platform::Ios => "iOS",
        Platform::Android => "Android",
        Platform::Web => "Web",
        Platform::Harmony | Platform::Desktop | Platform::MiniProgram | Platform::Unknown => "Unknown",
    }
}
