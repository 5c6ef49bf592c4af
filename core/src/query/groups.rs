//! Questions about groups.

use std::sync::Arc;

use crate::decision::ActorRole;
use crate::event::Actor;
use crate::model::{Group, GroupId, Key, Member, Millis, Prefix, Row, UserId};
use crate::ports::Span;
use crate::refusal::{Needs, Refusal};

use super::{Cursor, Reader};

/// One group. Strangers see groups that are found by them only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupById {
    /// The id of the group.
    pub group: GroupId,
}

/// A group as its reader finds it.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Its header.
    pub group: Arc<Group>,
    /// The reader's own membership, if the reader is a user and a member.
    pub own: Option<Arc<Member>>,
}

impl GroupById {
    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<Found, Refusal> {
        let group = reader.group(&self.group).await?;
        let own = match reader.actor {
            Actor::User { user, .. } => {
                let row = reader.row(Key::Member(self.group.clone(), user.clone())).await?;
                row.as_ref().and_then(Row::member).cloned()
            }
            _ => return Ok(Found { group, own: None }),
        };
        if own.is_none() && !group.policy.is_found() {
            return Err(Refusal::NotPermitted { group: self.group, needs: Needs::Membership });
        }
        Ok(Found { group, own })
    }
}

/// Several groups; each is found or refused by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindGroups {
    /// The ids of the groups.
    pub groups: Vec<GroupId>,
}

/// One entry for each requested group, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundGroups(pub Vec<Result<Arc<Group>, Refusal>>);

impl FindGroups {
    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<FoundGroups, Refusal> {
        let keys: Vec<Key> = self.groups.iter().map(|group| Key::Group(group.clone())).collect();
        let rows = reader.store.fetch(&keys).await?;
        let mut found = Vec::with_capacity(rows.len());
        for (id, row) in self.groups.into_iter().zip(rows) {
            let outcome = match row {
                Some(Row::Group(group)) => see(reader, group).await,
                _ => reader.group(&id).await,
            };
            match outcome {
                // of one group it would look as if only that one were missing
                Err(refusal @ Refusal::Unavailable(_)) => return Err(refusal),
                outcome => found.push(outcome),
            }
        }
        Ok(FoundGroups(found))
    }
}

/// The group, if the reader may see it.
async fn see(reader: &Reader<'_>, group: Arc<Group>) -> Result<Arc<Group>, Refusal> {
    if !group.policy.is_found() && reader.actor_role(&group.id).await? == ActorRole::Outsider {
        return Err(Refusal::NotPermitted { group: group.id.clone(), needs: Needs::Membership });
    }
    Ok(group)
}

/// A page of groups in the order of creation: all of them (for the app) or those that strangers may ask to join.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListGroups {
    /// Only those that strangers may ask to join.
    pub discoverable: bool,
    /// Cursor of the page before; `None` for the first page.
    pub after: Option<Cursor>,
    /// How many to leave out first.
    pub skip: usize,
    /// Most groups in the page.
    pub limit: usize,
    /// Newest first.
    pub newest_first: bool,
}

impl ListGroups {
    /// The cursor in the list of all groups before those created at this time or later.
    pub fn created_from(at: Millis) -> Cursor {
        Cursor(Prefix::created_at(&at).as_bytes().to_vec())
    }
}

/// A page of groups.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupPage {
    /// The groups, in the order of creation.
    pub groups: Vec<Arc<Group>>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
}

impl ListGroups {
    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<GroupPage, Refusal> {
        if !self.discoverable {
            reader.check_app()?;
        }
        let prefix = if self.discoverable { Prefix::discoverable() } else { Prefix::created() };
        let span = Span {
            prefix,
            after: self.after.map(|cursor| cursor.0),
            descending: self.newest_first,
            skip: self.skip,
            limit: self.limit,
        };
        let (rows, next) = reader.page(&span).await?;
        Ok(GroupPage { groups: headers(reader, &rows).await?, next })
    }
}

/// The headers that pointers lead to.
async fn headers(reader: &Reader<'_>, pointers: &[Row]) -> Result<Vec<Arc<Group>>, Refusal> {
    let keys: Vec<Key> = pointers.iter().filter_map(Row::to_group).map(|id| Key::Group((**id).clone())).collect();
    let rows = reader.store.fetch(&keys).await?;
    Ok(rows.iter().flatten().filter_map(Row::group).cloned().collect())
}

/// A page of the groups a user is in, in the order of joining. Users see their own only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinedGroups {
    /// The member whose groups are listed.
    pub user: UserId,
    /// Cursor of the page before; `None` for the first page.
    pub after: Option<Cursor>,
    /// How many to leave out first.
    pub skip: usize,
    /// Most groups in the page.
    pub limit: usize,
    /// Latest joined first.
    pub newest_first: bool,
}

impl JoinedGroups {
    /// All groups of a user, latest joined first.
    pub fn all(user: UserId) -> Self {
        Self { user, after: None, skip: 0, limit: usize::MAX, newest_first: true }
    }
}

/// A page of a user's groups with the user's membership in each.
#[derive(Debug, Clone, PartialEq)]
pub struct JoinedPage {
    /// Each group with the user's membership in it.
    pub groups: Vec<(Arc<Group>, Arc<Member>)>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
    /// How many groups the user is in altogether.
    pub total: usize,
}

impl JoinedGroups {
    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<JoinedPage, Refusal> {
        if let Actor::User { user, .. } = reader.actor
            && *user != self.user
        {
            return Err(Refusal::UserNotFound(self.user));
        }
        let prefix = Prefix::joined(&self.user);
        let total = reader.store.count(&prefix).await?;
        let is_whole = self.after.is_none() && self.skip == 0 && self.limit == usize::MAX;
        let span = Span {
            prefix,
            after: self.after.map(|cursor| cursor.0),
            descending: self.newest_first,
            skip: self.skip,
            limit: self.limit,
        };
        let (rows, next) = reader.page(&span).await?;
        let ids: Vec<GroupId> = rows.iter().filter_map(Row::to_group).map(|id| (**id).clone()).collect();
        let keys: Vec<Key> =
            ids.iter().flat_map(|id| [Key::Group(id.clone()), Key::Member(id.clone(), self.user.clone())]).collect();
        let rows = reader.store.fetch(&keys).await?;
        let groups = rows
            .chunks_exact(2)
            .filter_map(|pair| {
                let group = pair[0].as_ref()?.group()?;
                let member = pair[1].as_ref()?.member()?;
                Some((group.clone(), member.clone()))
            })
            .collect();
        // what was left out has ended since it was counted
        let groups: Vec<(Arc<Group>, Arc<Member>)> = groups;
        let total = if is_whole && next.is_none() { groups.len() } else { total };
        Ok(JoinedPage { groups, next, total })
    }
}

/// How many groups there are: all of them (for the app), or those that strangers may ask to join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountGroups {
    /// Only those that strangers may ask to join.
    pub discoverable: bool,
}

/// How many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupCount(pub usize);

impl CountGroups {
    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<GroupCount, Refusal> {
        if !self.discoverable {
            reader.check_app()?;
        }
        let prefix = if self.discoverable { Prefix::discoverable() } else { Prefix::created() };
        Ok(GroupCount(reader.store.count(&prefix).await?))
    }
}
