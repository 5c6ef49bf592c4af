//! Questions about who is muted, allowed and blocked.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{Allowance, Block, Group, GroupId, Key, Mute, Prefix, Row, UserId};
use crate::ports::Span;
use crate::refusal::Refusal;
use crate::speech::{Speaker, may_speak};

use super::{Cursor, Reader};

/// How many rows are looked through at a time for entries that still hold.
const CHUNK: usize = 512;

/// Whether an entry of a list still holds.
trait Holds {
    fn holds(&self, reader: &Reader<'_>) -> bool;
}

impl Holds for Mute {
    fn holds(&self, reader: &Reader<'_>) -> bool {
        self.until.holds_at(reader.now)
    }
}

impl Holds for Block {
    fn holds(&self, reader: &Reader<'_>) -> bool {
        self.until.holds_at(reader.now)
    }
}

impl Holds for Allowance {
    fn holds(&self, _: &Reader<'_>) -> bool {
        true
    }
}

/// A page of the entries (mutes, blocks or allowlist) that have not expired, in the order of user ids.
async fn entries<T: Holds>(
    reader: &Reader<'_>,
    prefix: Prefix,
    after: Option<Cursor>,
    limit: usize,
    pick: fn(&Row) -> Option<&Arc<T>>,
) -> Result<(Vec<Arc<T>>, Option<Cursor>), Refusal> {
    let mut found = Vec::new();
    let mut after = after.map(|cursor| cursor.0);
    loop {
        let rows = reader.store.scan(&Span::first(prefix.clone(), CHUNK).after(after.clone())).await?;
        let last = rows.len() < CHUNK;
        for (key, row) in rows {
            if let Some(entry) = pick(&row).filter(|entry| entry.holds(reader)) {
                if found.len() == limit {
                    return Ok((found, after.map(Cursor)));
                }
                found.push(entry.clone());
            }
            after = Some(key);
        }
        if last {
            return Ok((found, None));
        }
    }
}

macro_rules! lists {
    ($($(#[$doc:meta])* $name:ident => $page:ident of $entry:ident, $prefix:ident, $row:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, PartialEq, Eq)]
            pub struct $name {
                /// The group whose list is read.
                pub group: GroupId,
                /// Cursor of the page before; `None` for the first page.
                pub after: Option<Cursor>,
                /// Most entries in the page.
                pub limit: usize,
            }

            impl $name {
                /// The whole list.
                pub fn all(group: GroupId) -> Self {
                    Self { group, after: None, limit: usize::MAX }
                }
            }

            /// A page of the entries that have not expired, in the order of user ids.
            #[derive(Debug, Clone, PartialEq)]
            pub struct $page {
                /// The entries.
                pub entries: Vec<Arc<$entry>>,
                /// Where the next page begins, if there is one.
                pub next: Option<Cursor>,
            }

            impl $name {
                pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<$page, Refusal> {
                    let group = reader.group(&self.group).await?;
                    reader.check_circle(&group, group.policy.moderate).await?;
                    let prefix = Prefix::$prefix(&self.group);
                    let (entries, next) = entries(reader, prefix, self.after, self.limit, Row::$row).await?;
                    Ok($page { entries, next })
                }
            }
        )*
    };
}

lists! {
    /// The muted users of a group. For users who may moderate it.
    Mutes => MutePage of Mute, mutes, mute;
    /// A group's allowlist. For users who may moderate it.
    Allowlist => AllowPage of Allowance, allowances, allowance;
    /// A group's blocklist. For users who may moderate it.
    Blocklist => BlockPage of Block, blocks, block;
}

/// Everybody who is muted in a group now: by the group, and those of its members who are muted in every group. For users
/// who may moderate it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MutesNow {
    /// In which group.
    pub group: GroupId,
}

/// One mute for each user, the one that expires last, in the order of user ids.
#[derive(Debug, Clone, PartialEq)]
pub struct MutedNow(pub Vec<Arc<Mute>>);

impl MutesNow {
    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<MutedNow, Refusal> {
        let group = reader.group(&self.group).await?;
        reader.check_circle(&group, group.policy.moderate).await?;
        Ok(MutedNow(muted_now(reader, &self.group).await?))
    }
}

/// One mute for each user who is muted in a group now, the one that expires last, in the order of user ids.
pub(super) async fn muted_now(reader: &Reader<'_>, group: &GroupId) -> Result<Vec<Arc<Mute>>, Refusal> {
    let own = entries(reader, Prefix::mutes(group), None, usize::MAX, Row::mute).await?.0;
    let everywhere = entries(reader, Prefix::mutes_everywhere(), None, usize::MAX, Row::mute).await?.0;
    if everywhere.is_empty() {
        return Ok(own);
    }
    let mut muted: BTreeMap<UserId, Arc<Mute>> = own.into_iter().map(|mute| (mute.user.clone(), mute)).collect();
    let keys: Vec<Key> = everywhere.iter().map(|mute| Key::Member(group.clone(), mute.user.clone())).collect();
    let members = reader.store.fetch(&keys).await?;
    for (mute, _) in everywhere.into_iter().zip(members).filter(|(_, member)| member.is_some()) {
        match muted.get(&mute.user) {
            Some(own) if own.until.outlasts(mute.until) => {}
            _ => drop(muted.insert(mute.user.clone(), mute)),
        }
    }
    Ok(muted.into_values().collect())
}

/// Who is muted in every group. For the app only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MutesEverywhere {
    /// Only of these users, in one page.
    pub users: Option<Vec<UserId>>,
    /// Cursor of the page before; `None` for the first page.
    pub after: Option<Cursor>,
    /// Most entries in the page.
    pub limit: usize,
}

/// A page of mutes that have not expired, in the order of user ids.
#[derive(Debug, Clone, PartialEq)]
pub struct EverywherePage {
    /// The mutes.
    pub entries: Vec<Arc<Mute>>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
}

impl MutesEverywhere {
    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<EverywherePage, Refusal> {
        reader.check_app()?;
        if let Some(users) = self.users {
            let rows = reader.store.fetch(&users.into_iter().map(Key::MuteEverywhere).collect::<Vec<_>>()).await?;
            let mutes = rows.iter().flatten().filter_map(Row::mute).filter(|mute| mute.until.holds_at(reader.now));
            return Ok(EverywherePage { entries: mutes.cloned().collect(), next: None });
        }
        let (entries, next) = entries(reader, Prefix::mutes_everywhere(), self.after, self.limit, Row::mute).await?;
        Ok(EverywherePage { entries, next })
    }
}

/// Whether these users may send messages now, with their mutes, blocks and places on the allowlist. For the app, and for
/// users about themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaySpeak {
    /// The group to which they would send messages.
    pub group: GroupId,
    /// The users to check.
    pub users: Vec<UserId>,
}

/// Whether one user may send messages in a group, and the user's entries in its lists.
#[derive(Debug, Clone, PartialEq)]
pub struct ModerationState {
    /// Whose entry this is.
    pub user: UserId,
    /// Whether they may send messages now, or the refusal.
    pub verdict: Result<(), Refusal>,
    /// Their mute in the group, unless it has expired.
    pub mute: Option<Arc<Mute>>,
    /// Their mute in every group, unless it has expired.
    pub everywhere: Option<Arc<Mute>>,
    /// Their place on the allowlist, if they have one.
    pub allowance: Option<Arc<Allowance>>,
    /// Their block, unless it has expired.
    pub block: Option<Arc<Block>>,
    /// Whether they are members.
    pub member: bool,
}

impl ModerationState {
    /// The mute that expires last, if there is one: the group's, or one in every group.
    pub fn longest_mute(&self) -> Option<&Arc<Mute>> {
        match (&self.mute, &self.everywhere) {
            (Some(mute), Some(everywhere)) if everywhere.until.outlasts(mute.until) => Some(everywhere),
            (mute, everywhere) => mute.as_ref().or(everywhere.as_ref()),
        }
    }
}

/// One entry for each requested user, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct ModerationStates {
    /// The group that was asked about, as it is now.
    pub group: Arc<Group>,
    /// One entry for each requested user, in order.
    pub users: Vec<ModerationState>,
}

impl MaySpeak {
    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<ModerationStates, Refusal> {
        let group = reader.group(&self.group).await?;
        if self.users.iter().any(|user| super::personal::check_self(reader, user).is_err()) {
            reader.check_circle(&group, group.policy.moderate).await?;
        }
        let keys: Vec<Key> = self
            .users
            .iter()
            .flat_map(|user| {
                [
                    Key::Member(self.group.clone(), user.clone()),
                    Key::Mute(self.group.clone(), user.clone()),
                    Key::MuteEverywhere(user.clone()),
                    Key::Allowance(self.group.clone(), user.clone()),
                    Key::Block(self.group.clone(), user.clone()),
                ]
            })
            .collect();
        let rows = reader.store.fetch(&keys).await?;
        let users = self.users.into_iter().zip(rows.chunks_exact(5));
        let users = users.map(|(user, rows)| moderation_state(reader, &group, user, rows)).collect();
        Ok(ModerationStates { group, users })
    }
}

/// `rows` are those of the five keys requested above, in that order.
fn moderation_state(reader: &Reader<'_>, group: &Group, user: UserId, rows: &[Option<Row>]) -> ModerationState {
    let at = |index: usize| rows.get(index).and_then(Option::as_ref);
    let member = at(0).and_then(Row::member);
    let mute = at(1).and_then(Row::mute).filter(|mute| mute.holds(reader)).cloned();
    let everywhere = at(2).and_then(Row::mute).filter(|mute| mute.holds(reader)).cloned();
    let allowance = at(3).and_then(Row::allowance).cloned();
    let block = at(4).and_then(Row::block).filter(|block| block.holds(reader)).cloned();
    let verdict = may_speak(&Speaker {
        user: &user,
        group,
        role: member.map(|member| member.role),
        mute: mute.as_deref(),
        everywhere: everywhere.as_deref(),
        allowed: allowance.is_some(),
        now: reader.now,
    });
    ModerationState { member: member.is_some(), user, verdict, mute, everywhere, allowance, block }
}

/// The groups in which everybody is muted, in the order of ids. For the app only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllMutedGroups {
    /// Cursor of the page before; `None` for the first page.
    pub after: Option<Cursor>,
    /// Most groups in the page.
    pub limit: usize,
}

/// A page of group ids. A disbanded group without roles may be among them: its mute stays with its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MutedGroups {
    /// The ids of the groups.
    pub groups: Vec<GroupId>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
}

impl AllMutedGroups {
    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<MutedGroups, Refusal> {
        reader.check_app()?;
        let span = Span::first(Prefix::all_muted(), self.limit).after(self.after.map(|cursor| cursor.0));
        let (rows, next) = reader.page(&span).await?;
        let groups = rows.iter().filter_map(Row::to_group).map(|id| (**id).clone()).collect();
        Ok(MutedGroups { groups, next })
    }
}
