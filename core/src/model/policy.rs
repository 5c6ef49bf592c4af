//! What a group permits, as data: every vendor's types, flags and enums land here.

use serde::{Deserialize, Serialize};

use super::Receive;

/// A set of people of a group, each circle including the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Circle {
    /// Nobody; only the app itself.
    Nobody,
    /// The owner.
    Owner,
    /// The owner and the admins.
    Managers,
    /// Every member.
    Members,
}

/// What happens when a user asks to join.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Join {
    /// They join at once.
    Open,
    /// The circle decides.
    Approval(Circle),
    /// Nobody may ask.
    Closed,
}

/// A part of a group's history beside its messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeptAs {
    /// Members who joined and left.
    Membership,
    /// Changes of name, introduction, avatar, announcement and owner.
    Profile,
    /// Who became an admin or ceased to be one, and mutes of single users.
    Roles,
}

/// Which events are part of a group's history: they take a number in the sequence of its messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptEvents {
    /// Members who joined and left.
    pub membership: bool,
    /// Changes of name, introduction, avatar, announcement and owner.
    pub profile: bool,
    /// Who became an admin or ceased to be one, and mutes of single users.
    pub roles: bool,
}

impl KeptEvents {
    /// Whether this part is stored.
    pub fn holds(self, part: KeptAs) -> bool {
        match part {
            KeptAs::Membership => self.membership,
            KeptAs::Profile => self.profile,
            KeptAs::Roles => self.roles,
        }
    }
}

/// The permissions of one group. Set by the surface that created the group, read by all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools, reason = "each is one independent switch that a vendor has")]
pub struct Policy {
    /// Who gets in by asking.
    pub join: Join,
    /// Who may invite others.
    pub invite: Circle,
    /// Whether the invited person must agree.
    pub invitee_consent: bool,
    /// Whose approval an invitation by a member outside that circle needs.
    pub invite_approval: Option<Circle>,
    /// Invitations need approval exactly where requests to join do, by the same circle; `invite_approval` is not looked at.
    #[serde(default)]
    pub invite_approval_as_join: bool,
    /// Who may remove members. Nobody may remove the owner, and only the owner may remove admins.
    pub remove: Circle,
    /// Who may change the profile and the announcement.
    pub edit_profile: Circle,
    /// Who may change this policy.
    pub edit_policy: Circle,
    /// Who may change who gets in by asking, where that is not [`edit_policy`](Self::edit_policy).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edit_join: Option<Circle>,
    /// Who may change the capacity, where that is not [`edit_policy`](Self::edit_policy).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edit_capacity: Option<Circle>,
    /// Who may change another member's card.
    pub edit_member: Circle,
    /// Who may make and unmake admins.
    pub promote: Circle,
    /// Who may mute, block and allow.
    pub moderate: Circle,
    /// Who may send messages while all are muted, besides the allowlist.
    pub exempt: Circle,
    /// Whether the owner can hand the group over.
    pub transferable: bool,
    /// Whether the owner may leave and so leave the group without an owner.
    pub owner_may_leave: bool,
    /// Whether the group ends with the account of its owner. Otherwise it continues without an owner, unless the surface
    /// that deletes the account ends all groups of its owner.
    #[serde(default)]
    pub needs_owner: bool,
    /// Whether the owner may disband the group (the app always may).
    pub owner_may_disband: bool,
    /// Whether strangers read the group's profile also while nobody may ask to join. Where somebody may, they always do.
    #[serde(rename = "discoverable")]
    pub found_while_closed: bool,
    /// Whether messages are stored.
    pub history: bool,
    /// Whether a member reads messages from before they joined.
    pub history_before_join: bool,
    /// The notification setting of a new member.
    #[serde(default)]
    pub receive: Receive,
    /// Which events are part of the group's history, besides its messages; `None` is all of them where messages are
    /// stored, and otherwise none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_events: Option<KeptEvents>,
    /// Most members, the owner included; `None` is without limit.
    pub capacity: Option<u32>,
}

impl Policy {
    /// A group anybody manages the usual way: managers decide, members talk.
    pub fn standard() -> Self {
        Self {
            join: Join::Approval(Circle::Managers),
            invite: Circle::Managers,
            invitee_consent: false,
            invite_approval: None,
            invite_approval_as_join: false,
            remove: Circle::Managers,
            edit_profile: Circle::Managers,
            edit_policy: Circle::Managers,
            edit_join: None,
            edit_capacity: None,
            edit_member: Circle::Managers,
            promote: Circle::Owner,
            moderate: Circle::Managers,
            exempt: Circle::Managers,
            transferable: true,
            owner_may_leave: false,
            needs_owner: false,
            owner_may_disband: true,
            found_while_closed: true,
            history: true,
            history_before_join: false,
            receive: Receive::Notify,
            kept_events: None,
            capacity: None,
        }
    }

    /// Whether strangers may ask to join; then the group is in public lists.
    pub fn is_open_to_requests(&self) -> bool {
        !matches!(self.join, Join::Closed | Join::Approval(Circle::Nobody))
    }

    /// Whether strangers read the group's profile.
    pub fn is_found(&self) -> bool {
        self.found_while_closed || self.is_open_to_requests()
    }

    /// Whose approval an invitation by somebody outside of this circle needs.
    pub fn invitation_approval(&self) -> Option<Circle> {
        match self.join {
            _ if !self.invite_approval_as_join => self.invite_approval,
            Join::Approval(circle) => Some(circle),
            Join::Open | Join::Closed => None,
        }
    }

    /// Whether this part is in the group's history.
    pub fn keeps(&self, part: KeptAs) -> bool {
        self.kept_events.map_or(self.history, |kept| kept.holds(part))
    }
}
