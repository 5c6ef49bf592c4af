//! Requests to join and invitations that wait for approval.

use serde::{Deserialize, Serialize};

use super::{GroupId, Labels, Millis, UserId};

/// Whether the user asked to join or was invited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RequestKind {
    /// The user applied.
    Application,
    /// Somebody inside invited the user.
    Invitation,
}

/// Whose consent is awaited, or how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Stage {
    /// The managers have to decide.
    AwaitsManagers,
    /// The invited user has to decide.
    AwaitsInvitee,
    /// The managers refused.
    RefusedByManagers,
    /// The invited user declined.
    Declined,
    /// The user is in.
    Joined,
}

impl Stage {
    /// Whether it still has to be decided.
    pub fn is_open(self) -> bool {
        matches!(self, Self::AwaitsManagers | Self::AwaitsInvitee)
    }
}

/// How it was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Who decided; `None` is the app.
    pub by: Option<UserId>,
    /// When it was decided.
    pub at: Millis,
    /// The reason given by the person who decided; "" when there is none.
    pub reason: String,
}

/// One request or invitation. A newer one of the same users replaces it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The group to join.
    pub group: GroupId,
    /// The user who is to become a member: who asked, or was invited.
    pub user: UserId,
    /// Who invited them; `None` for an application.
    pub inviter: Option<UserId>,
    /// Whether the user asked to join or was invited.
    pub kind: RequestKind,
    /// The stage it has reached.
    pub stage: Stage,
    /// The text it was sent with.
    pub message: String,
    /// When it was filed.
    pub filed: Millis,
    /// From when it no longer can be decided.
    pub expires: Millis,
    /// The last decision, if any.
    pub verdict: Option<Verdict>,
    /// Values that only one surface has.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
}

impl Request {
    /// Whether it still can be decided.
    pub fn is_open_at(&self, now: Millis) -> bool {
        self.stage.is_open() && self.expires > now
    }
}
