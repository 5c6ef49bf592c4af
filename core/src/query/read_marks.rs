//! How far members have read.

use crate::event::Actor;
use crate::model::{Circle, GroupId, Key, ReadMark, Row, UserId};
use crate::refusal::Refusal;

use super::Reader;

/// How far members have read, of several groups at once. Users see their own marks, and those of the other members of
/// the groups they are in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadMarks {
    /// Which marks.
    pub of: Vec<(GroupId, UserId)>,
}

/// One entry for each requested mark, in order: the number of the last message that was read, 0 if none was; `None`
/// when the user is not a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadMarksFound(pub Vec<Option<u64>>);

impl ReadMarks {
    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<ReadMarksFound, Refusal> {
        if let Actor::User { user: own, .. } = reader.actor {
            let mut others: Vec<&GroupId> =
                self.of.iter().filter(|(_, user)| user != own).map(|(group, _)| group).collect();
            others.sort_unstable();
            others.dedup();
            for group in others {
                reader.group_seen_by(group, Circle::Members).await?;
            }
        }
        let keys = self.of.iter().flat_map(|(group, user)| {
            [Key::Member(group.clone(), user.clone()), Key::ReadMark(user.clone(), group.clone())]
        });
        let rows = reader.store.fetch(&keys.collect::<Vec<_>>()).await?;
        let marks = rows.chunks_exact(2).map(|pair| {
            let member = pair[0].as_ref()?.member()?;
            Some(ReadMark::of(member, pair[1].as_ref().and_then(Row::read_mark).map(|mark| &**mark)))
        });
        Ok(ReadMarksFound(marks.collect()))
    }
}
