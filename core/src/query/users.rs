//! Questions about accounts.

use std::sync::Arc;

use crate::model::{Key, Prefix, Row, User, UserId};
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

/// A page of accounts, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListUsers {
    /// The cursor.
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
