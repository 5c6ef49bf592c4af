//! Questions about accounts.

use std::collections::HashSet;
use std::sync::Arc;

use crate::model::{GroupId, Key, Prefix, Row, User, UserId};
use crate::ports::Span;
use crate::refusal::Refusal;

use super::{Cursor, Reader};

/// Looks accounts up by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindUsers {
    /// The ids as the caller spelled them.
    pub ids: Vec<UserId>,
    /// Ignore case: the exact spelling wins, else the account that was registered first among those that differ in case.
    pub folded: bool,
}

/// One entry for each requested id, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct UsersFound(pub Vec<Option<Arc<User>>>);

impl FindUsers {
    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<UsersFound, Refusal> {
        let keys: Vec<Key> = self.ids.iter().map(|id| Key::User(id.clone())).collect();
        let rows = reader.store.fetch(&keys).await?;
        let mut found = Vec::with_capacity(rows.len());
        for (id, row) in self.ids.iter().zip(rows) {
            found.push(match row {
                Some(Row::User(user)) => Some(user),
                _ if self.folded => find_folded(reader, id).await?,
                _ => None,
            });
        }
        Ok(UsersFound(found))
    }
}

async fn find_folded(reader: &Reader<'_>, id: &UserId) -> Result<Option<Arc<User>>, Refusal> {
    let Some(Row::ToUsers(alike)) = reader.row(Key::Folded(id.folded())).await? else { return Ok(None) };
    let Some(first) = alike.first() else { return Ok(None) };
    Ok(reader.row(Key::User(first.clone())).await?.as_ref().and_then(Row::user).cloned())
}

/// Looks accounts up by ids whose case is ignored, for a question about a group: of accounts that differ only in case the
/// one that is a member is meant. Of several members, or none, the exact spelling wins, else the one that was registered
/// first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindUsersFor {
    /// The group. It need not be there.
    pub group: GroupId,
    /// The ids as the caller spelled them.
    pub ids: Vec<UserId>,
}

/// One entry for each id asked for, in the order asked.
#[derive(Debug, Clone, PartialEq)]
pub struct UsersFoundFor(pub Vec<Option<Arc<User>>>);

impl FindUsersFor {
    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<UsersFoundFor, Refusal> {
        let keys: Vec<Key> = self.ids.iter().flat_map(|id| [Key::User(id.clone()), Key::Folded(id.folded())]).collect();
        let rows = reader.store.fetch(&keys).await?;
        let candidates = self.ids.iter().zip(rows.chunks_exact(2)).map(|(id, pair)| {
            let alike = pair[1].as_ref().and_then(Row::to_users).map(|alike| alike.as_slice()).unwrap_or_default();
            let exact = alike.iter().filter(|user| *user == id);
            exact.chain(alike.iter().filter(|user| *user != id)).cloned().collect()
        });
        let candidates: Vec<Vec<UserId>> = candidates.collect();
        let doubtful = candidates.iter().filter(|alike| alike.len() > 1).flatten();
        let keys: Vec<Key> = doubtful.map(|user| Key::Member(self.group.clone(), user.clone())).collect();
        let members = if keys.is_empty() { Vec::new() } else { reader.store.fetch(&keys).await? };
        let members: HashSet<&UserId> =
            members.iter().flatten().filter_map(Row::member).map(|member| &member.user).collect();
        let meant = candidates.iter().map(|alike| alike.iter().find(|user| members.contains(user)).or(alike.first()));
        let meant: Vec<Option<&UserId>> = meant.collect();
        // most names are spelled as their accounts are, which were read above
        let others = self.ids.iter().zip(&meant).filter_map(|(id, meant)| meant.filter(|meant| *meant != id));
        let keys: Vec<Key> = others.cloned().map(Key::User).collect();
        let others = if keys.is_empty() { Vec::new() } else { reader.store.fetch(&keys).await? };
        let mut others = others.into_iter();
        let found = self.ids.iter().zip(&meant).zip(rows.chunks_exact(2)).map(|((id, meant), pair)| {
            let is_exact = (*meant)? == id;
            let row = if is_exact { pair[0].clone() } else { others.next().flatten() };
            row.as_ref().and_then(Row::user).cloned()
        });
        Ok(UsersFoundFor(found.collect()))
    }
}

/// A page of accounts, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListUsers {
    /// Cursor of the page before; `None` for the first page.
    pub after: Option<Cursor>,
    /// Most accounts in the page.
    pub limit: usize,
}

/// A page of accounts.
#[derive(Debug, Clone, PartialEq)]
pub struct UserPage {
    /// The accounts.
    pub users: Vec<Arc<User>>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
}

impl ListUsers {
    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<UserPage, Refusal> {
        let span = Span::first(Prefix::users_created(), self.limit).after(self.after.map(|cursor| cursor.0));
        let (pointers, next) = reader.page(&span).await?;
        let keys: Vec<Key> = pointers.iter().filter_map(Row::to_user).map(|id| Key::User((**id).clone())).collect();
        let rows = reader.store.fetch(&keys).await?;
        Ok(UserPage { users: rows.iter().flatten().filter_map(Row::user).cloned().collect(), next })
    }
}
