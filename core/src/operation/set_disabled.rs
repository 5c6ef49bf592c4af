//! Banning a whole group.

use crate::decision::{ActorRole, Draft};
use crate::event::Happening;
use crate::facts::Stop;
use crate::model::GroupId;
use crate::refusal::{Needs, Refusal};

use super::Rule;

/// Disables or enables a group: while it is disabled nobody can send messages, join or manage it. Only the app may do
/// this.
#[derive(Debug, Clone, PartialEq)]
pub struct SetDisabled {
    /// The group to disable or enable.
    pub group: GroupId,
    /// Banned or not.
    pub disabled: bool,
}

impl Rule for SetDisabled {
    type Output = ();

    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Stop> {
        let mut group = draft.group(&self.group)?;
        if draft.actor_role(&group)? != ActorRole::App {
            return Err(Refusal::NotPermitted { group: group.id, needs: Needs::App }.into());
        }
        if group.disabled == self.disabled {
            return Ok(());
        }
        group.disabled = self.disabled;
        draft.put_group(group);
        draft.emit_to_members(&self.group, Happening::DisabledChanged(self.disabled));
        Ok(())
    }
}
