//! Questions about who is in a group.

use std::sync::Arc;

use crate::model::{Circle, Group, GroupId, Key, Member, Mute, Prefix, ReadMark, Role, Row, UserId};
use crate::ports::Span;
use crate::refusal::Refusal;

use super::moderation::muted_now;
use super::{Cursor, Reader};

/// A page of members in the order of joining. Members only.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "independent choices of what the page has")]
pub struct ListMembers {
    /// The group whose members are listed.
    pub group: GroupId,
    /// Only members of these roles; empty is all.
    pub roles: Vec<Role>,
    /// Cursor of the page before; `None` for the first page.
    pub after: Option<Cursor>,
    /// How many to leave out first.
    pub skip: usize,
    /// Most members in the page.
    pub limit: usize,
    /// Latest joined first.
    pub newest_first: bool,
    /// Anybody may read it, as the detail of a group that strangers see.
    pub with_detail: bool,
    /// Whether the page has the members' read marks, for which the actor must be a member or the app.
    pub with_read_marks: bool,
    /// Whether the page has the mutes of the group, under the same condition.
    pub with_mutes: bool,
}

impl ListMembers {
    /// All members, in the order of joining.
    pub fn all(group: GroupId) -> Self {
        Self {
            group,
            roles: Vec::new(),
            after: None,
            skip: 0,
            limit: usize::MAX,
            newest_first: false,
            with_detail: false,
            with_read_marks: false,
            with_mutes: false,
        }
    }

    /// The cursor that resumes the list after the member with this seat.
    pub fn after_seat(group: GroupId, seat: u64) -> Cursor {
        Cursor(Key::Seat(group, seat).encode())
    }
}

/// A page of members.
#[derive(Debug, Clone, PartialEq)]
pub struct MemberPage {
    /// The group they are in.
    pub group: Arc<Group>,
    /// The members, in the order of joining.
    pub members: Vec<Arc<Member>>,
    /// How far each of them has read, as the number of a message; empty unless requested.
    pub read_marks: Vec<u64>,
    /// Everybody who is muted in the group now, as [`MutesNow`](super::MutesNow) answers it; empty unless requested.
    pub mutes: Vec<Arc<Mute>>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
}

/// How many rows are looked through at a time for members of certain roles.
const CHUNK: usize = 512;

impl ListMembers {
    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<MemberPage, Refusal> {
        let group = if self.with_detail && !self.with_read_marks && !self.with_mutes {
            reader.group(&self.group).await?
        } else {
            reader.group_seen_by(&self.group, Circle::Members).await?
        };
        let (members, next) = if self.roles.is_empty() {
            let (rows, next) = reader.page(&self.span(self.after.clone(), self.skip, self.limit)).await?;
            (rows.iter().filter_map(Row::member).cloned().collect(), next)
        } else if self.roles.contains(&Role::Member) {
            self.filtered(reader).await?
        } else {
            (self.managers(reader, &group).await?, None)
        };
        let read_marks = if self.with_read_marks { read_marks(reader, &members).await? } else { Vec::new() };
        let mutes = if self.with_mutes { muted_now(reader, &self.group).await? } else { Vec::new() };
        Ok(MemberPage { group, members, read_marks, mutes, next })
    }

    fn span(&self, after: Option<Cursor>, skip: usize, limit: usize) -> Span {
        Span {
            prefix: Prefix::seats(&self.group),
            after: after.map(|cursor| cursor.0),
            descending: self.newest_first,
            skip,
            limit,
        }
    }

    /// Owner and admins are few and have an index of their own.
    async fn managers(&self, reader: &Reader<'_>, group: &Group) -> Result<Vec<Arc<Member>>, Refusal> {
        let mut users: Vec<UserId> = Vec::new();
        if self.roles.contains(&Role::Owner) {
            users.extend(group.owner.iter().cloned());
        }
        if self.roles.contains(&Role::Admin) {
            users.extend(admin_ids(reader, &self.group).await?);
        }
        let keys: Vec<Key> = users.into_iter().map(|user| Key::Member(self.group.clone(), user)).collect();
        let rows = reader.store.fetch(&keys).await?;
        let mut members: Vec<Arc<Member>> = rows.iter().flatten().filter_map(Row::member).cloned().collect();
        members.sort_by_key(|member| member.seat);
        if self.newest_first {
            members.reverse();
        }
        Ok(members.into_iter().skip(self.skip).take(self.limit).collect())
    }

    /// Looks through the seats for members of the wanted roles.
    async fn filtered(&self, reader: &Reader<'_>) -> Result<(Vec<Arc<Member>>, Option<Cursor>), Refusal> {
        let mut members = Vec::new();
        let mut after = self.after.clone();
        let mut skip = self.skip;
        loop {
            let rows = reader.store.scan(&self.span(after.clone(), 0, CHUNK)).await?;
            let last = rows.len() < CHUNK;
            for (key, row) in rows {
                if let Some(member) = row.member().filter(|member| self.roles.contains(&member.role)) {
                    if members.len() == self.limit {
                        return Ok((members, after));
                    }
                    if skip > 0 {
                        skip -= 1;
                    } else {
                        members.push(member.clone());
                    }
                }
                after = Some(Cursor(key));
            }
            if last {
                return Ok((members, None));
            }
        }
    }
}

/// How far each of these members has read.
async fn read_marks(reader: &Reader<'_>, members: &[Arc<Member>]) -> Result<Vec<u64>, Refusal> {
    let keys = members.iter().map(|member| Key::ReadMark(member.user.clone(), member.group.clone()));
    let rows = reader.store.fetch(&keys.collect::<Vec<_>>()).await?;
    let mark = |(member, row): (&Arc<Member>, Option<Row>)| {
        ReadMark::of(member, row.as_ref().and_then(Row::read_mark).map(|mark| &**mark))
    };
    Ok(members.iter().zip(rows).map(mark).collect())
}

async fn admin_ids(reader: &Reader<'_>, group: &GroupId) -> Result<Vec<UserId>, Refusal> {
    let rows = reader.store.scan(&Span::all(Prefix::admins(group))).await?;
    Ok(rows.iter().filter_map(|(_, row)| row.to_user()).map(|user| (**user).clone()).collect())
}

/// The memberships of named users. Members only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MembersNamed {
    /// The group whose members are read.
    pub group: GroupId,
    /// The users to look up.
    pub users: Vec<UserId>,
}

/// One entry for each requested user, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    /// The group that was asked about, as it is now.
    pub group: Arc<Group>,
    /// The membership of each, if there is one.
    pub members: Vec<Option<Arc<Member>>>,
}

impl MembersNamed {
    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<Named, Refusal> {
        let group = reader.group_seen_by(&self.group, Circle::Members).await?;
        let keys: Vec<Key> = self.users.iter().map(|user| Key::Member(self.group.clone(), user.clone())).collect();
        let rows = reader.store.fetch(&keys).await?;
        let members = rows.into_iter().map(|row| row.as_ref().and_then(Row::member).cloned()).collect();
        Ok(Named { group, members })
    }
}

/// A group's admins, without the owner. Only members and the app may ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admins {
    /// The group whose admins are listed.
    pub group: GroupId,
}

/// Admins, in the order of their ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminList(pub Vec<UserId>);

impl Admins {
    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<AdminList, Refusal> {
        reader.group_seen_by(&self.group, Circle::Members).await?;
        Ok(AdminList(admin_ids(reader, &self.group).await?))
    }
}

/// The members with a mark, latest joined first. For the app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkedMembers {
    /// The group whose members are listed.
    pub group: GroupId,
    /// The mark that the members have.
    pub mark: u32,
    /// Most members.
    pub limit: usize,
}

/// Members with a mark.
#[derive(Debug, Clone, PartialEq)]
pub struct MarkedList(pub Vec<Arc<Member>>);

impl MarkedMembers {
    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<MarkedList, Refusal> {
        reader.check_app()?;
        reader.group(&self.group).await?;
        let span = Span::first(Prefix::marked(&self.group, &u64::from(self.mark)), self.limit).descending();
        let rows = reader.store.scan(&span).await?;
        let users = rows.iter().filter_map(|(_, row)| row.to_user());
        let keys: Vec<Key> = users.map(|user| Key::Member(self.group.clone(), (**user).clone())).collect();
        let rows = reader.store.fetch(&keys).await?;
        Ok(MarkedList(rows.iter().flatten().filter_map(Row::member).cloned().collect()))
    }
}
