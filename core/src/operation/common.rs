//! Shared by several operations: how users join and leave.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::decision::Draft;
use crate::event::{Actor, Audience, Happening};
use crate::facts::Stop;
use crate::model::{
    Group, GroupId, Key, Labels, Member, Message, MessageState, Millis, Prefix, Role, Row, Sender, Stage, User, UserId,
    Verdict,
};
use crate::refusal::{Limit, Refusal};

use super::topics;

/// What to do with an id that is no account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnUnknown {
    /// Refuse the whole operation.
    #[default]
    Refuse,
    /// Leave this one out.
    Skip,
    /// Make the account.
    Register,
}

/// What to do with a user who is already a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnMember {
    /// Refuse the whole operation.
    Refuse,
    /// Refuse if all of them are; otherwise leave them out.
    RefuseIfAll,
    /// Leave this one out.
    #[default]
    Skip,
}

/// What to do with a user who is not a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnOutsider {
    /// Refuse the whole operation.
    #[default]
    Refuse,
    /// Refuse if all of them are; otherwise leave them out.
    RefuseIfAll,
    /// Leave this one out.
    Skip,
}

/// What to do with a user who is blocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnBlocked {
    /// Refuse the whole operation.
    #[default]
    Refuse,
    /// Leave this one out.
    Skip,
}

/// What to do when the group has no room for all, or a user is in as many groups as permitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnFull {
    /// Refuse the whole operation.
    #[default]
    Refuse,
    /// Leave those out for whom there is no room, and users who are in as many groups as permitted.
    Partial,
}

/// What is deleted when a user leaves, besides the membership.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is its own switch at the vendor that has them")]
pub struct Cleanup {
    /// The mute.
    pub mute: bool,
    /// The place on the allowlist.
    pub allowance: bool,
    /// Whom the user follows. Others keep the user in their own lists, where only members are shown.
    pub follows: bool,
}

/// The outcome for one user who was to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddOutcome {
    /// The user is a member now.
    Joined,
    /// Was in already.
    Already,
    /// Waits for the invited user.
    AwaitsInvitee,
    /// Waits for the managers.
    AwaitsManagers,
    /// Left out, and why.
    LeftOut(Refusal),
}

/// The outcome for each user, in the requested order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Added {
    /// One entry for each.
    pub outcomes: Vec<(UserId, AddOutcome)>,
    /// How many members there are now.
    pub members: u32,
    /// Whether the group has just become full.
    pub full: bool,
}

impl Added {
    /// Those who became members.
    pub fn joined(&self) -> impl Iterator<Item = &UserId> {
        self.outcomes.iter().filter(|(_, outcome)| *outcome == AddOutcome::Joined).map(|(user, _)| user)
    }
}

/// What became of those who were to go out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Removed {
    /// Out now.
    pub removed: Vec<UserId>,
    /// Left where they were, and why.
    pub left_out: Vec<(UserId, Refusal)>,
    /// How many members there are now.
    pub members: u32,
}

/// The rows that coming in looks at, the header among them.
pub(crate) fn new_member_keys<'u>(
    group: &GroupId,
    users: impl Iterator<Item = &'u UserId>,
) -> impl Iterator<Item = Key> {
    let of_user = move |user: &UserId| {
        [
            Key::User(user.clone()),
            Key::Folded(user.folded()),
            Key::Member(group.clone(), user.clone()),
            Key::Block(group.clone(), user.clone()),
        ]
    };
    std::iter::once(Key::Group(group.clone())).chain(users.flat_map(of_user))
}

/// The facts that joining needs, fetched at once; `asked` is the header's flag.
pub(crate) fn require_new_members<'u>(
    draft: &Draft<'_>,
    group: &GroupId,
    asked: bool,
    users: impl Iterator<Item = &'u UserId> + Clone,
) -> Result<(), Stop> {
    draft.require_before_join(new_member_keys(group, users.clone()))?;
    if asked {
        draft.require_runs(users.clone().map(|user| Prefix::requests_for(group, user)))?;
    }
    if draft.context.settings.groups_per_user.is_some() {
        draft.require_counts(users.map(Prefix::joined))?;
    }
    Ok(())
}

/// Makes sure the account exists, as the caller wants unknown ones treated.
pub(crate) fn ensure_user(draft: &mut Draft<'_>, user: &UserId, on_unknown: OnUnknown) -> Result<(), Stop> {
    if draft.find_user(user)?.is_some() {
        return Ok(());
    }
    match on_unknown {
        OnUnknown::Refuse | OnUnknown::Skip => Err(Refusal::UserNotFound(user.clone()).into()),
        OnUnknown::Register => draft.put_new_user(User::new(user.clone(), draft.now())),
    }
}

/// Whether a user is blocked from a group now.
pub(crate) fn is_blocked(draft: &Draft<'_>, group: &GroupId, user: &UserId) -> Result<bool, Stop> {
    let row = draft.row(&Key::Block(group.clone(), user.clone()))?;
    Ok(row.as_ref().and_then(Row::block).is_some_and(|block| block.until.holds_at(draft.now())))
}

/// Refuses when the user is in as many groups as the realm permits. Several joins at exactly the same time may exceed
/// it together: the limit belongs to the realm's plan, and no rule depends on it.
pub(crate) fn check_group_quota(draft: &Draft<'_>, user: &UserId) -> Result<(), Stop> {
    let Some(most) = draft.context.settings.groups_per_user else { return Ok(()) };
    if draft.count(Prefix::joined(user))? >= most as usize {
        return Err(Refusal::TooManyGroupsOfUser(user.clone()).into());
    }
    Ok(())
}

/// Refuses when the realm has as many groups as it may.
pub(crate) fn check_realm_quota(draft: &Draft<'_>) -> Result<(), Stop> {
    let Some(most) = draft.context.settings.groups else { return Ok(()) };
    let now = draft.count(Prefix::created())? as u64;
    if now >= u64::from(most) {
        return Err(Refusal::LimitReached { limit: Limit::Groups, most: most.into(), now }.into());
    }
    Ok(())
}

/// Refuses when there is no room for one more: in the group, or within the most members that a call allows.
pub(crate) fn check_room(group: &Group, most: Option<u32>) -> Result<(), Refusal> {
    let capacity = group.policy.capacity.into_iter().chain(most).min();
    match capacity {
        Some(capacity) if group.members >= capacity => Err(Refusal::GroupFull { group: group.id.clone(), capacity }),
        _ => Ok(()),
    }
}

/// Refuses when the user is blocked from the group now.
pub(crate) fn check_not_blocked(draft: &Draft<'_>, group: &GroupId, user: &UserId) -> Result<(), Stop> {
    if is_blocked(draft, group, user)? {
        return Err(Refusal::Blocked { group: group.clone(), users: vec![user.clone()] }.into());
    }
    Ok(())
}

/// What concerns one user alone is theirs and the app's to change.
pub(crate) fn check_self(draft: &Draft<'_>, user: &UserId) -> Result<(), Stop> {
    match draft.context.actor {
        Actor::User { user: actor, .. } if actor != user => Err(Refusal::AppOnly.into()),
        _ => Ok(()),
    }
}

/// Refuses unless the app or the system calls.
pub(crate) fn check_app(draft: &Draft<'_>) -> Result<(), Stop> {
    match draft.context.actor {
        Actor::User { .. } => Err(Refusal::AppOnly.into()),
        _ => Ok(()),
    }
}

/// The place of a member in the order of joining: by the moment, and of one moment in the order in which they were added.
/// So a member whose earlier joining is imported is listed before those who joined since.
fn seat_number(joined: Millis, added: u64) -> u64 {
    /// Enough for four million additions in a millisecond, and for milliseconds until the year 2109.
    const ADDED_BITS: u32 = 22;
    joined.0 << ADDED_BITS | (added & ((1 << ADDED_BITS) - 1))
}

/// Adds a user; the caller has checked that they may join, and stores the header afterwards.
pub(crate) fn seat(
    draft: &mut Draft<'_>,
    group: &mut Group,
    user: &UserId,
    role: Role,
    joined: Millis,
) -> Result<(), Stop> {
    let receive = group.policy.receive;
    let role = if group.governed && group.appointed.contains(user) { role.max(Role::Admin) } else { role };
    let since = draft.last_sequence()?;
    let seat = seat_number(joined, group.next_seat);
    let member = Member::new(group.id.clone(), user.clone(), role, seat, joined);
    // what was said in a group that had the id before is not waiting to be read
    let member = Member { receive, since, read: group.first_message.saturating_sub(1), ..member };
    group.next_seat += 1;
    group.members += 1;
    if role == Role::Admin {
        group.admins += 1;
    }
    draft.put_member(member);
    close_requests(draft, group, user)
}

/// Closes all open requests and invitations of a user who has joined, however they joined.
fn close_requests(draft: &mut Draft<'_>, group: &mut Group, user: &UserId) -> Result<(), Stop> {
    if !group.asked {
        return Ok(());
    }
    for row in draft.run(Prefix::requests_for(&group.id, user))?.iter() {
        let Some(request) = row.request().filter(|request| request.is_open_at(draft.now())) else { continue };
        let mut request = (**request).clone();
        request.stage = Stage::Joined;
        request.verdict =
            Some(Verdict { by: draft.context.actor.behind().cloned(), at: draft.now(), reason: String::new() });
        draft.put_request(group, request);
    }
    Ok(())
}

/// Unseats a member; the caller has checked that they may go, and keeps the header afterwards.
pub(crate) fn unseat(draft: &mut Draft<'_>, group: &mut Group, member: &Member, cleanup: Cleanup) -> Result<(), Stop> {
    draft.drop_member(member);
    group.members -= 1;
    for mark in member.marks.keys() {
        uncount(group, *mark);
    }
    match member.role {
        Role::Admin => group.admins -= 1,
        Role::Owner => group.owner = None,
        Role::Member => {}
    }
    if cleanup.mute {
        draft.delete(Key::Mute(group.id.clone(), member.user.clone()));
        topics::unmute_everywhere(draft, group, &member.user)?;
    }
    if cleanup.allowance {
        draft.delete(Key::Allowance(group.id.clone(), member.user.clone()));
    }
    if cleanup.follows {
        draft.delete(Key::Follows(group.id.clone(), member.user.clone()));
    }
    Ok(())
}

/// A message that was not recalled or deleted; refuses when there is none.
pub(crate) fn unrecalled_message(draft: &Draft<'_>, group: &GroupId, sequence: u64) -> Result<Arc<Message>, Stop> {
    let row = draft.row(&Key::Message(group.clone(), sequence))?;
    let first = draft.group(group)?.first_message;
    let message = row.as_ref().and_then(Row::message).filter(|message| message.state == MessageState::Kept);
    message
        .filter(|message| message.sequence >= first)
        .cloned()
        .ok_or_else(|| Refusal::MessageNotFound { group: group.clone(), sequence }.into())
}

/// The recipients of a message and of its later changes.
pub(crate) fn message_audience(message: &Message) -> Audience {
    if message.targets.is_empty() {
        return Audience { members_of: Some(message.group.clone()), ..Audience::default() };
    }
    let mut users = message.targets.clone();
    if let Sender::User(sender) = &message.sender
        && !users.contains(sender)
    {
        users.push(sender.clone());
    }
    Audience { users, ..Audience::default() }
}

/// Counts one member less with this mark.
pub(crate) fn uncount(group: &mut Group, mark: u32) {
    if let Some(count) = group.marks.get_mut(&mark) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            group.marks.remove(&mark);
        }
    }
}

/// Emits `AdminsAdded` for users who joined and had been appointed before; emitted after the event of their joining.
pub(crate) fn emit_to_appointed(draft: &mut Draft<'_>, group: &Group, users: &[UserId], silent: bool) {
    let appointed = users.iter().filter(|user| group.governed && group.appointed.contains(user));
    let appointed: Vec<UserId> = appointed.cloned().collect();
    if !appointed.is_empty() {
        let audience = Audience { members_of: Some(group.id.clone()), silent, ..Audience::default() };
        draft.emit(Some(&group.id), audience, Happening::AdminsAdded(appointed));
    }
}

/// Takes new values of labels over; whether that changed anything.
pub(crate) fn apply_labels(wanted: &BTreeMap<String, Option<String>>, labels: &mut Labels) -> bool {
    let mut changed = false;
    for (label, value) in wanted {
        let old = match value {
            Some(value) => labels.insert(label.clone(), value.clone()),
            None => labels.remove(label),
        };
        changed |= old != *value;
    }
    changed
}
