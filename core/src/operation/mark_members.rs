//! Marking members with numbers, to list them by.

use std::collections::BTreeSet;

use crate::decision::Draft;
use crate::event::{Audience, Happening};
use crate::facts::Stop;
use crate::model::{Circle, GroupId, Key, UserId};
use crate::refusal::{Limit, Refusal};

use super::Rule;
use super::common::uncount;

/// Adds or removes marks of members. They end with the membership. Users who are not members are skipped.
///
/// The owner and the app may do this.
#[derive(Debug, Clone, PartialEq)]
pub struct MarkMembers {
    /// The group whose members are marked.
    pub group: GroupId,
    /// Whom, with which marks.
    pub members: Vec<(UserId, Vec<u32>)>,
    /// On or off.
    pub on: bool,
    /// Most different marks in the group.
    pub most_kinds: Option<u32>,
}

/// Who was left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Marked {
    /// Not members.
    pub outsiders: Vec<UserId>,
}

impl Rule for MarkMembers {
    type Output = Marked;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<Marked, Stop> {
        let mut group = draft.live_group(&self.group)?;
        draft.permitted(&group, Circle::Owner)?;
        draft.require(self.members.iter().map(|(user, _)| Key::Member(self.group.clone(), user.clone())))?;
        let (mut outsiders, mut changed) = (Vec::new(), Vec::new());
        let before = group.marks.len() as u64;
        for (user, marks) in &self.members {
            let Some(mut member) = draft.member(&self.group, user)? else {
                outsiders.push(user.clone());
                continue;
            };
            let wanted = marks.iter().copied().collect::<BTreeSet<u32>>();
            let wanted = wanted.into_iter().filter(|mark| member.marks.contains_key(mark) != self.on);
            let wanted: Vec<u32> = wanted.collect();
            for mark in &wanted {
                if self.on {
                    member.marks.insert(*mark, draft.now());
                    *group.marks.entry(*mark).or_default() += 1;
                } else {
                    member.marks.remove(mark);
                    uncount(&mut group, *mark);
                }
            }
            if !wanted.is_empty() {
                draft.put_member(member);
                changed.push((user.clone(), wanted));
            }
        }
        let now = group.marks.len() as u64;
        if let Some(most) = self.most_kinds.filter(|most| now > u64::from(*most) && now > before) {
            return Err(Refusal::LimitReached { limit: Limit::Marks, most: most.into(), now: before }.into());
        }
        if !changed.is_empty() {
            draft.put_group(group);
            let audience = Audience { members_of: Some(self.group.clone()), users: Vec::new(), silent: true };
            let (added, removed) = if self.on { (changed, Vec::new()) } else { (Vec::new(), changed) };
            draft.emit(Some(&self.group), audience, Happening::MarksChanged { added, removed });
        }
        Ok(Marked { outsiders })
    }
}
