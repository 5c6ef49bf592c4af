//! Group operations: `eventType` 1 to 8.

use conclave_core::event::{Event, Happening, Joining, Leaving};
use conclave_core::model::{Group, GroupId, Millis, UserId};
use serde::Serialize;

const CREATED: u8 = 1;
const JOINED: u8 = 2;
const KICKED: u8 = 3;
const QUIT: u8 = 4;
const DISMISSED: u8 = 5;
const MANAGERS_ADDED: u8 = 6;
const MANAGERS_REMOVED: u8 = 7;
const TRANSFERRED: u8 = 8;

/// One operation.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Operation<'e> {
    group_id: &'e GroupId,
    pub(super) event_type: u8,
    time: Millis,
    #[serde(skip_serializing_if = "Option::is_none")]
    opt_user_id: Option<&'e UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_ids: Option<Vec<&'e UserId>>,
}

/// Whether there is an operation for it at all.
pub(super) fn is_told(what: &Happening) -> bool {
    read(what).is_some()
}

/// The operation that an event is.
pub(super) fn of<'e>(event: &'e Event, group: &'e Group) -> Option<Operation<'e>> {
    let (event_type, users) = read(&event.what)?;
    let opt_user_id = match event_type {
        // who quits does so themself, whoever carries it out
        QUIT => users.first().copied().or(event.actor.behind()),
        _ => event.actor.behind(),
    };
    let user_ids = (!users.is_empty()).then_some(users);
    Some(Operation { group_id: &group.id, event_type, time: event.at, opt_user_id, user_ids })
}

/// Nothing is told of an import: neither of a group that becomes hosted, nor of members that come with it.
fn read(what: &Happening) -> Option<(u8, Vec<&UserId>)> {
    let read = match what {
        Happening::GroupCreated { owner, .. } => (CREATED, owner.iter().collect()),
        Happening::MembersJoined { users, how, .. } if *how != Joining::Imported => (JOINED, users.iter().collect()),
        Happening::MembersLeft { users, how: Leaving::Left | Leaving::AccountDeleted, .. } => {
            (QUIT, users.iter().collect())
        }
        Happening::MembersLeft { users, how: Leaving::Removed | Leaving::Blocked, .. } => {
            (KICKED, users.iter().collect())
        }
        Happening::GroupDisbanded { .. } => (DISMISSED, Vec::new()),
        Happening::AdminsAdded(users) => (MANAGERS_ADDED, users.iter().collect()),
        Happening::AdminsRemoved(users) => (MANAGERS_REMOVED, users.iter().collect()),
        Happening::OwnerChanged { to: Some(to), .. } => (TRANSFERRED, vec![to]),
        _ => return None,
    };
    Some(read)
}
