//! Several operations as one.

use crate::decision::Draft;
use crate::facts::{Need, Stop};
use crate::refusal::Refusal;

use super::{Operation, Reply, Rule};

/// What a refused step means for the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnRefusal {
    /// Nothing is done; the refusal names the step ([`Refusal::InStep`]).
    #[default]
    RefuseAll,
    /// A step whose group or users do not exist changes nothing, and the others are performed. Any other refusal
    /// refuses all.
    SkipAbsent,
    /// This step changes nothing; the others are performed.
    Skip,
}

impl OnRefusal {
    /// Whether the other steps are performed although one is refused for this reason.
    pub fn skips(self, refusal: &Refusal) -> bool {
        match self {
            Self::RefuseAll => false,
            Self::SkipAbsent => {
                matches!(refusal, Refusal::GroupNotFound { .. } | Refusal::NotMembers { .. } | Refusal::UserNotFound(_))
            }
            Self::Skip => !matches!(refusal, Refusal::Unavailable(_)),
        }
    }
}

/// Performs several operations as one vendor call does: they are decided in this order, each sees what those before it
/// have changed, and what they change is committed together. A refusal or a crash in between leaves nothing.
///
/// Steps are not nested.
#[derive(Debug, Clone, PartialEq)]
pub struct Together {
    /// The operations.
    pub steps: Vec<Operation>,
    /// What a refused step means for the others.
    pub on_refusal: OnRefusal,
}

/// What each step answers, in their order; refusals only where steps may be skipped.
#[derive(Debug, Clone, PartialEq)]
pub struct Steps(pub Vec<Result<Reply, Refusal>>);

impl Together {
    /// Why a batch inside a batch is refused.
    pub(crate) const NESTED: &str = "steps cannot contain further steps";
}

impl Rule for Together {
    type Output = Steps;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<Steps, Stop> {
        let mut replies = Vec::with_capacity(self.steps.len());
        let mut needs = Needs::default();
        for (step, operation) in self.steps.iter().enumerate() {
            if matches!(operation, Operation::Together(_)) {
                return Err(Refusal::InvalidValue(Self::NESTED).into());
            }
            draft.begin_step();
            match operation.decide(draft) {
                Ok(reply) => replies.push(Ok(reply)),
                // the steps after it are looked at as well, so that what all of them need is fetched at once
                Err(Stop::Need(need)) => {
                    draft.undo_step();
                    needs.add(need);
                }
                // whether it is refused may depend on facts that an earlier step still needs
                Err(Stop::Refuse(_)) if !needs.is_empty() => draft.undo_step(),
                Err(Stop::Refuse(refusal)) if self.on_refusal.skips(&refusal) => {
                    draft.undo_step();
                    replies.push(Err(refusal));
                }
                Err(Stop::Refuse(refusal)) => {
                    return Err(Refusal::InStep { step, refusal: Box::new(refusal) }.into());
                }
            }
        }
        match needs.next() {
            Some(need) => Err(Stop::Need(need)),
            None => Ok(Steps(replies)),
        }
    }
}

/// What steps need to know: all rows at once, or else the first other thing.
#[derive(Default)]
struct Needs {
    rows: Vec<crate::model::Key>,
    /// Whether a step adds members.
    joins: bool,
    other: Option<Need>,
}

impl Needs {
    fn add(&mut self, need: Need) {
        match need {
            Need::Rows(keys) => self.rows.extend(keys),
            Need::RowsThenLastSequence(keys) => {
                self.rows.extend(keys);
                self.joins = true;
            }
            other => {
                self.other.get_or_insert(other);
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.other.is_none()
    }

    fn next(self) -> Option<Need> {
        match (self.rows.is_empty(), self.joins) {
            (true, _) => self.other,
            (false, true) => Some(Need::RowsThenLastSequence(self.rows)),
            (false, false) => Some(Need::Rows(self.rows)),
        }
    }
}
