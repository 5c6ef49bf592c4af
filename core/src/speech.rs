//! Who may send messages: one pure rule, for sending and for checking beforehand.

use crate::decision::ActorRole;
use crate::model::{Group, Millis, Mute, Role, UserId};
use crate::refusal::Refusal;

/// What the rule looks at. All of it is of constant size.
#[derive(Debug, Clone, Copy)]
pub struct Speaker<'a> {
    /// The sender.
    pub user: &'a UserId,
    /// The group to send to.
    pub group: &'a Group,
    /// Their role there; `None` when they are no member.
    pub role: Option<Role>,
    /// Their mute in this group, if there is one; it may have expired.
    pub mute: Option<&'a Mute>,
    /// Their mute in every group, if there is one; it may have expired.
    pub everywhere: Option<&'a Mute>,
    /// Whether they are on the allowlist.
    pub allowed: bool,
    /// The time of the check.
    pub now: Millis,
}

/// Refuses with the first thing in the way: the group is disabled, the speaker is not a member, a mute of one's own (which
/// outranks role and allowlist), the mute of all (from which the policy's circle and the allowlist are exempt).
pub fn may_speak(speaker: &Speaker<'_>) -> Result<(), Refusal> {
    let group = speaker.group;
    if group.disabled {
        return Err(Refusal::GroupDisabled(group.id.clone()));
    }
    let Some(role) = speaker.role else {
        return Err(Refusal::NotMembers { group: group.id.clone(), users: vec![speaker.user.clone()] });
    };
    let mutes = [speaker.mute, speaker.everywhere];
    if mutes.into_iter().flatten().any(|mute| mute.until.holds_at(speaker.now)) {
        return Err(Refusal::Muted { group: group.id.clone(), everybody: false });
    }
    let exempt = speaker.allowed || (group.governed && ActorRole::Member(role).is_in(group.policy.exempt));
    if group.all_muted && !exempt {
        return Err(Refusal::Muted { group: group.id.clone(), everybody: true });
    }
    Ok(())
}
