//! Changing an account.

use std::collections::BTreeMap;

use crate::decision::Draft;
use crate::event::{Actor, Happening};
use crate::facts::Stop;
use crate::model::{Millis, UserId};
use crate::refusal::Refusal;

use super::Rule;
use super::common::check_self;
use super::register_users::emit;

/// Changes an account; `None` keeps a value. Users change only their own name, avatar and password.
#[derive(Debug, Clone, PartialEq)]
pub struct UpdateUser {
    /// Whose account changes.
    pub user: UserId,
    /// The new display name.
    pub nick: Option<String>,
    /// The new avatar's URL.
    pub avatar: Option<String>,
    /// The new hash of the password; `Some(None)` removes the password.
    pub secret: Option<Option<String>>,
    /// Whether the account may be used.
    pub active: Option<bool>,
    /// Revokes tokens issued before this time; a time in the future is treated as now. Never moves back, except from a
    /// future time that was stored by an earlier version.
    pub tokens_from: Option<Millis>,
    /// New values of labels; `None` removes one.
    pub labels: BTreeMap<String, Option<String>>,
}

impl UpdateUser {
    /// A change of nothing yet.
    pub fn of(user: UserId) -> Self {
        Self { user, nick: None, avatar: None, secret: None, active: None, tokens_from: None, labels: BTreeMap::new() }
    }
}

impl Rule for UpdateUser {
    type Output = ();

    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Stop> {
        check_self(draft, &self.user)?;
        let reserved = self.active.is_some() || self.tokens_from.is_some();
        if reserved && matches!(draft.context.actor, Actor::User { .. }) {
            return Err(Refusal::AppOnly.into());
        }
        let mut user = draft.user(&self.user)?;
        let before = user.clone();
        if let Some(nick) = &self.nick {
            user.nick.clone_from(nick);
        }
        if let Some(avatar) = &self.avatar {
            user.avatar.clone_from(avatar);
        }
        if let Some(secret) = &self.secret {
            user.secret.clone_from(secret);
        }
        user.active = self.active.unwrap_or(user.active);
        if let Some(from) = self.tokens_from {
            user.tokens_from = user.tokens_revoked().max(from.min(draft.now()));
        }
        super::common::apply_labels(&self.labels, &mut user.labels);
        if user != before {
            draft.put_user(user);
            emit(draft, Happening::UserChanged(self.user.clone()), &self.user);
        }
        Ok(())
    }
}
