//! Group operations: `eventType` 1 to 8.

use conclave_core::event::Event;
use conclave_core::model::{Group, GroupId, Millis, UserId};
use serde::Serialize;

use crate::dialect::events::{Fact, Kind, What};

const CREATED: u8 = 1;
const DISMISSED: u8 = 5;

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

/// The operation of a fact, if it is one.
pub(super) fn of<'e>(fact: &Fact<'e>, group: &'e Group) -> Option<Operation<'e>> {
    let event: &'e Event = fact.event;
    let actor = event.actor.behind();
    let (event_type, opt_user_id, users) = match &fact.what {
        What::Created { owner, .. } => (CREATED, actor, owner.iter().copied().collect()),
        What::Dismissed { .. } => (DISMISSED, actor, Vec::new()),
        What::Operation(operation) => {
            let by = match operation.kind {
                // a user who quits is the operator, even if the app called
                Kind::Quit => operation.users.first().copied().or(actor),
                Kind::Joined | Kind::Kicked | Kind::ManagersAdded | Kind::ManagersRemoved | Kind::Transferred => actor,
            };
            (operation.kind as u8 + 1, by, operation.users.clone())
        }
        What::Profile(_)
        | What::Member(_)
        | What::Application(_)
        | What::Remark(_)
        | What::Follows { .. }
        | What::Sent(_)
        | What::Passed(_)
        | What::Recalled(_)
        | What::Edited(_)
        | What::Extended(_)
        | What::Read { .. } => return None,
    };
    let user_ids = (!users.is_empty()).then_some(users);
    Some(Operation { group_id: &group.id, event_type, time: event.at, opt_user_id, user_ids })
}
