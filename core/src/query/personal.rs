//! Questions about what users keep for themselves.

use std::collections::BTreeMap;

use crate::event::Actor;
use crate::model::{GroupId, Key, Millis, Row, UserId};
use crate::refusal::Refusal;

use super::Reader;

/// A user's own name for a group. Users see their own only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// The named group.
    pub group: GroupId,
    /// The user who named the group.
    pub user: UserId,
}

/// A name; "" when there is none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RemarkText(pub String);

/// A user's own names for several groups. Users see their own only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemarksOf {
    /// The user who named them.
    pub user: UserId,
    /// For which groups.
    pub groups: Vec<GroupId>,
}

/// One entry for each requested group, in order; "" when there is none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RemarkTexts(pub Vec<String>);

/// The sender's name in others' notifications of a user's messages in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushName {
    /// The group in whose messages the name is shown.
    pub group: GroupId,
    /// The user whose name it is; need not be a member.
    pub user: UserId,
}

/// A name; "" when there is none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PushNameText(pub String);

/// The members a user follows in a group. Users see their own only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Follows {
    /// The group whose members are followed.
    pub group: GroupId,
    /// Who follows; a member.
    pub user: UserId,
}

/// The followed members and since when, longest followed first; users who have left the group are omitted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Followed(pub Vec<(UserId, Millis)>);

impl Remark {
    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<RemarkText, Refusal> {
        check_self(reader, &self.user)?;
        reader.group(&self.group).await?;
        let row = reader.row(Key::Remark(self.user, self.group)).await?;
        Ok(RemarkText(text(row.as_ref())))
    }
}

impl RemarksOf {
    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<RemarkTexts, Refusal> {
        check_self(reader, &self.user)?;
        let keys: Vec<Key> = self.groups.into_iter().map(|group| Key::Remark(self.user.clone(), group)).collect();
        let rows = reader.store.fetch(&keys).await?;
        Ok(RemarkTexts(rows.iter().map(|row| text(row.as_ref())).collect()))
    }
}

impl PushName {
    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<PushNameText, Refusal> {
        reader.group(&self.group).await?;
        let row = reader.row(Key::PushName(self.group, self.user)).await?;
        Ok(PushNameText(text(row.as_ref())))
    }
}

impl Follows {
    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<Followed, Refusal> {
        check_self(reader, &self.user)?;
        reader.group(&self.group).await?;
        if reader.row(Key::Member(self.group.clone(), self.user.clone())).await?.is_none() {
            return Err(Refusal::NotMembers { group: self.group, users: vec![self.user] });
        }
        let row = reader.row(Key::Follows(self.group.clone(), self.user)).await?;
        let list: BTreeMap<UserId, Millis> =
            row.as_ref().and_then(Row::follows).map(|follows| follows.users.clone()).unwrap_or_default();
        let keys: Vec<Key> = list.keys().map(|user| Key::Member(self.group.clone(), user.clone())).collect();
        let members = reader.store.fetch(&keys).await?;
        let mut followed: Vec<(UserId, Millis)> =
            list.into_iter().zip(members).filter(|(_, member)| member.is_some()).map(|(entry, _)| entry).collect();
        followed.sort_by_key(|(_, since)| *since);
        Ok(Followed(followed))
    }
}

fn text(row: Option<&Row>) -> String {
    row.and_then(Row::remark).map(|remark| remark.text.clone()).unwrap_or_default()
}

/// What concerns one user alone is read by them and the app.
pub(super) fn check_self(reader: &Reader<'_>, user: &UserId) -> Result<(), Refusal> {
    match reader.actor {
        Actor::User { user: actor, .. } if actor != user => Err(Refusal::AppOnly),
        _ => Ok(()),
    }
}
