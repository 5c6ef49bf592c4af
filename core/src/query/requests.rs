//! Questions about requests and invitations.

use std::sync::Arc;

use crate::model::{Circle, GroupId, Prefix, Request, Row, UserId};
use crate::ports::Span;
use crate::refusal::Refusal;

use super::{Cursor, Reader};

/// Whose requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestsOf {
    /// Those to join a group. For its managers.
    Group(GroupId),
    /// Those by or for a user. Users see their own only.
    User(UserId),
    /// Those by or for one user to join one group. For the group's managers and the user.
    Both(GroupId, UserId),
}

/// A page of requests and invitations, decided and expired ones too; see [`Request::is_open_at`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requests {
    /// Whose requests.
    pub of: RequestsOf,
    /// Cursor of the page before; `None` for the first page.
    pub after: Option<Cursor>,
    /// Most requests in the page.
    pub limit: usize,
}

/// A page of requests: of a group in the order of its users' ids, of a user in the order of the groups' ids.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestPage {
    /// The requests.
    pub requests: Vec<Arc<Request>>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
}

impl Requests {
    /// All of them.
    pub fn all(of: RequestsOf) -> Self {
        Self { of, after: None, limit: usize::MAX }
    }

    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<RequestPage, Refusal> {
        let prefix = match &self.of {
            RequestsOf::Group(group) => {
                reader.group_seen_by(group, Circle::Managers).await?;
                Prefix::requests(group)
            }
            RequestsOf::User(user) => {
                super::personal::check_self(reader, user)?;
                Prefix::requests_of(user)
            }
            RequestsOf::Both(group, user) => {
                if super::personal::check_self(reader, user).is_err() {
                    reader.group_seen_by(group, Circle::Managers).await?;
                }
                Prefix::requests_for(group, user)
            }
        };
        let span = Span::first(prefix, self.limit).after(self.after.map(|cursor| cursor.0));
        let (rows, next) = reader.page(&span).await?;
        Ok(RequestPage { requests: rows.iter().filter_map(Row::request).cloned().collect(), next })
    }
}
