//! How far members have read. Neither operation changes the group's header or the membership, nor is held up by
//! changes of them.

use crate::decision::Draft;
use crate::event::Happening;
use crate::facts::Stop;
use crate::model::{Group, GroupId, Key, Member, ReadMark, Row, UserId};

use super::Rule;
use super::common::{check_app, check_self};

/// A member has read a group's messages up to a number. Never moves back and never beyond the last message there is;
/// a mark that is there already changes nothing. The user's devices are notified.
#[derive(Debug, Clone, PartialEq)]
pub struct MarkRead {
    /// The group that was read.
    pub group: GroupId,
    /// Who has read; a member.
    pub user: UserId,
    /// The number of the last message that was read.
    pub sequence: u64,
}

impl Rule for MarkRead {
    type Output = ();

    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Stop> {
        check_self(draft, &self.user)?;
        draft.require(keys(&self.group, [&self.user]))?;
        let group = draft.group(&self.group)?;
        let member = draft.sure_member(&self.group, &self.user)?;
        let sequence = self.sequence.min(last_number(&group));
        if sequence > mark_of(draft, &member)? {
            put_mark(draft, &member, sequence)?;
            let what = Happening::ReadMarkChanged { user: self.user.clone(), sequence };
            draft.emit_to_users(Some(&self.group), vec![self.user.clone()], what);
        }
        Ok(())
    }
}

/// Sets how many of a group's last messages members have not read: the only operation that increases it. Only the app
/// does this; nobody is notified.
#[derive(Debug, Clone, PartialEq)]
pub struct SetUnread {
    /// The group whose messages become unread.
    pub group: GroupId,
    /// Whose, and how many; at most as many as there are.
    pub users: Vec<(UserId, u64)>,
}

impl Rule for SetUnread {
    type Output = ();

    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Stop> {
        check_app(draft)?;
        draft.require(keys(&self.group, self.users.iter().map(|(user, _)| user)))?;
        let group = draft.group(&self.group)?;
        self.users.iter().try_for_each(|(user, unread)| set_unread(draft, &group, user, *unread))
    }
}

/// Sets how many of the group's last messages a member has not read.
pub(super) fn set_unread(draft: &mut Draft<'_>, group: &Group, user: &UserId, unread: u64) -> Result<(), Stop> {
    let member = draft.sure_member(&group.id, user)?;
    let sequence = last_number(group).saturating_sub(unread);
    if sequence != mark_of(draft, &member)? {
        put_mark(draft, &member, sequence)?;
    }
    Ok(())
}

/// All that is looked at, so that it is fetched in one go.
fn keys<'u>(group: &'u GroupId, users: impl IntoIterator<Item = &'u UserId>) -> impl Iterator<Item = Key> {
    let of_user =
        |user: &UserId| [Key::Member(group.clone(), user.clone()), Key::ReadMark(user.clone(), group.clone())];
    std::iter::once(Key::Group(group.clone())).chain(users.into_iter().flat_map(of_user))
}

fn last_number(group: &Group) -> u64 {
    group.next_message.saturating_sub(1)
}

fn found(draft: &Draft<'_>, member: &Member) -> Result<Option<Row>, Stop> {
    draft.row(&Key::ReadMark(member.user.clone(), member.group.clone()))
}

/// How far a member has read.
fn mark_of(draft: &Draft<'_>, member: &Member) -> Result<u64, Stop> {
    Ok(ReadMark::of(member, found(draft, member)?.as_ref().and_then(Row::read_mark).map(|mark| &**mark)))
}

/// Keeps a mark, if it is still the one that was seen when this is committed.
fn put_mark(draft: &mut Draft<'_>, member: &Member, sequence: u64) -> Result<(), Stop> {
    let seen = found(draft, member)?.as_ref().and_then(Row::revision);
    let key = Key::ReadMark(member.user.clone(), member.group.clone());
    draft.guard(key.clone(), seen);
    let mark = ReadMark {
        group: member.group.clone(),
        user: member.user.clone(),
        seat: member.seat,
        joined: member.joined,
        sequence,
        revision: seen.unwrap_or(0) + 1,
    };
    draft.put(key, mark);
    Ok(())
}
