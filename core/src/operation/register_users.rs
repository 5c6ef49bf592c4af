//! Making accounts.

use crate::decision::Draft;
use crate::event::{Audience, Happening};
use crate::facts::Stop;
use crate::model::{Key, Labels, Prefix, User, UserId};
use crate::refusal::{Limit, Refusal};

use super::Rule;
use super::common::check_app;

/// An account to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUser {
    /// Its id, in the spelling to store.
    pub id: UserId,
    /// Display name.
    pub nick: String,
    /// URL of the avatar.
    pub avatar: String,
    /// A hash of the password, computed outside the core.
    pub secret: Option<String>,
    /// Words only one surface has.
    pub labels: Labels,
}

impl NewUser {
    /// An account with nothing but its id.
    pub fn of(id: UserId) -> Self {
        Self { id, nick: String::new(), avatar: String::new(), secret: None, labels: Labels::new() }
    }
}

/// What to do with an id that is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnExisting {
    /// Refuse the whole operation.
    #[default]
    Refuse,
    /// Leave the account as it is.
    Skip,
    /// Update the account with the given values; empty ones are ignored.
    Update,
}

/// Makes accounts, all in one go. Only the app may do this.
#[derive(Debug, Clone, PartialEq)]
pub struct RegisterUsers {
    /// The accounts to create.
    pub users: Vec<NewUser>,
    /// What to do with ids that are in use.
    pub on_existing: OnExisting,
    /// An id that differs only in case from an existing one counts as in use; it then means the account that was
    /// registered first.
    pub folded: bool,
}

/// What became of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegisterOutcome {
    /// Made.
    Created,
    /// Was there already.
    Existing,
    /// Was there already and has changed.
    Updated,
    /// Not created, because the maximum number of accounts is reached.
    Refused(Refusal),
}

/// The outcome for each account, in the requested order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Registered {
    /// One entry for each, under the id the account has.
    pub outcomes: Vec<(UserId, RegisterOutcome)>,
}

impl Rule for RegisterUsers {
    type Output = Registered;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<Registered, Stop> {
        check_app(draft)?;
        let keys = self.users.iter().flat_map(|user| [Key::User(user.id.clone()), Key::Folded(user.id.folded())]);
        draft.require(keys)?;
        let mut room = room(draft)?;
        let mut outcomes = Vec::with_capacity(self.users.len());
        for new in &self.users {
            let (id, outcome) = match self.find(draft, &new.id)? {
                Some(user) => (user.id.clone(), self.meet(draft, new, user)?),
                None => (new.id.clone(), self.make(draft, new, &mut room)?),
            };
            outcomes.push((id, outcome));
        }
        Ok(Registered { outcomes })
    }
}

impl RegisterUsers {
    fn find(&self, draft: &mut Draft<'_>, id: &UserId) -> Result<Option<User>, Stop> {
        if let Some(user) = draft.find_user(id)? {
            return Ok(Some(user));
        }
        if !self.folded {
            return Ok(None);
        }
        match draft.alike(id)?.first() {
            Some(first) => draft.find_user(first),
            None => Ok(None),
        }
    }

    fn meet(&self, draft: &mut Draft<'_>, new: &NewUser, mut user: User) -> Result<RegisterOutcome, Stop> {
        match self.on_existing {
            OnExisting::Refuse => return Err(Refusal::UserExists(user.id).into()),
            OnExisting::Skip => return Ok(RegisterOutcome::Existing),
            OnExisting::Update => {}
        }
        let before = user.clone();
        for (wanted, kept) in [(&new.nick, &mut user.nick), (&new.avatar, &mut user.avatar)] {
            if !wanted.is_empty() {
                kept.clone_from(wanted);
            }
        }
        if new.secret.is_some() {
            user.secret.clone_from(&new.secret);
        }
        user.labels.extend(new.labels.clone());
        if user == before {
            return Ok(RegisterOutcome::Existing);
        }
        emit(draft, Happening::UserChanged(user.id.clone()), &user.id);
        draft.put_user(user);
        Ok(RegisterOutcome::Updated)
    }

    fn make(&self, draft: &mut Draft<'_>, new: &NewUser, room: &mut u64) -> Result<RegisterOutcome, Stop> {
        if *room == 0 {
            let most = draft.context.settings.users.unwrap_or(u32::MAX).into();
            let refusal = Refusal::LimitReached { limit: Limit::Users, most, now: most };
            if self.on_existing == OnExisting::Refuse {
                return Err(refusal.into());
            }
            return Ok(RegisterOutcome::Refused(refusal));
        }
        *room -= 1;
        let user = User {
            nick: new.nick.clone(),
            avatar: new.avatar.clone(),
            secret: new.secret.clone(),
            labels: new.labels.clone(),
            ..User::new(new.id.clone(), draft.now())
        };
        draft.put_new_user(user)?;
        emit(draft, Happening::UserRegistered(new.id.clone()), &new.id);
        Ok(RegisterOutcome::Created)
    }
}

/// How many more accounts the realm permits.
fn room(draft: &Draft<'_>) -> Result<u64, Stop> {
    let Some(most) = draft.context.settings.users else { return Ok(u64::MAX) };
    let now = draft.count(Prefix::users_created())? as u64;
    Ok(u64::from(most).saturating_sub(now))
}

/// Accounts concern only the app's server: it is notified, clients are not.
pub(crate) fn emit(draft: &mut Draft<'_>, what: Happening, user: &UserId) {
    draft.emit(None, Audience { members_of: None, users: vec![user.clone()], silent: true }, what);
}
