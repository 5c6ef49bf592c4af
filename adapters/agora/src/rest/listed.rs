//! Whom names mean on one of a group's lists of people.

use std::sync::Arc;

use conclave_core::model::{GroupId, User, UserId};
use conclave_core::query::{MaySpeak, ModerationState};

use super::call::Call;
use crate::dialect::ids::{fold, shown};
use crate::refusals::Failure;

/// A name to remove from a list, and the users who are shown by it: none, one or several.
pub(super) struct ToRemove {
    pub(super) name: String,
    pub(super) users: Vec<UserId>,
    /// A mute in every group, which this vendor does not end.
    pub(super) muted_everywhere: bool,
}

/// Whom these names mean on a list: the entries that are shown by them, whether or not they still have accounts, or had
/// others' accounts in another case before them. The list is read only where an account alone does not settle it.
pub(super) async fn to_remove(
    call: &Call<'_>,
    group: &GroupId,
    names: &[String],
    is_on: fn(&ModerationState) -> bool,
    list: impl AsyncFnOnce() -> Result<Vec<UserId>, Failure>,
) -> Result<Vec<ToRemove>, Failure> {
    let found = call.find_users(names).await?;
    let ids: Vec<UserId> = found.iter().flatten().map(|user| user.id.clone()).collect();
    let voices = call.ask(MaySpeak { group: group.clone(), users: ids }).await?.users;
    let voice = |user: &UserId| voices.iter().find(|voice| voice.user == *user);
    let settled = found.iter().all(|user| user.as_ref().and_then(|user| voice(&user.id)).is_some_and(is_on));
    let listed = if settled { Vec::new() } else { list().await? };
    let row = |(name, user): (&String, &Option<Arc<User>>)| {
        let name = fold(name);
        let account = user.as_ref().and_then(|user| voice(&user.id));
        let users = match account {
            Some(voice) if is_on(voice) => vec![voice.user.clone()],
            _ => listed.iter().filter(|entry| shown(entry) == name).cloned().collect(),
        };
        let muted_everywhere = account.is_some_and(|voice| voice.everywhere.is_some());
        ToRemove { name, users, muted_everywhere }
    };
    Ok(names.iter().zip(&found).map(row).collect())
}

/// All who are to go.
pub(super) fn users(rows: &[ToRemove]) -> Vec<UserId> {
    rows.iter().flat_map(|row| row.users.iter().cloned()).collect()
}
