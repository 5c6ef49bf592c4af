//! The steps of one call, after something has looked at each of them.

use conclave_core::event::Actor;
use conclave_core::operation::{OnRefusal, Operation, Reply, Steps, Together};
use conclave_core::ports::{Groups, GroupsExt};
use conclave_core::refusal::Refusal;

/// What becomes of one step.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "made once and taken apart at once, never kept")]
pub enum Prepared {
    /// It is performed.
    Perform(Operation),
    /// It is not performed, and yet answered.
    Answered(Reply),
}

/// Performs the steps that are to be performed, in one commit, and returns what each came to. A step that was refused
/// beforehand is treated as one that the groups refuse.
///
/// # Errors
/// The refusal of any step, where none may be skipped; of the store, always.
pub async fn perform_steps(
    groups: &dyn Groups,
    actor: &Actor,
    on_refusal: OnRefusal,
    prepared: Vec<Result<Prepared, Refusal>>,
) -> Result<Vec<Result<Reply, Refusal>>, Refusal> {
    let (mut steps, mut positions) = (Vec::new(), Vec::new());
    let mut replies: Vec<Option<Result<Reply, Refusal>>> = Vec::with_capacity(prepared.len());
    for (position, prepared) in prepared.into_iter().enumerate() {
        replies.push(match prepared {
            Ok(Prepared::Perform(operation)) => {
                steps.push(operation);
                positions.push(position);
                None
            }
            Ok(Prepared::Answered(reply)) => Some(Ok(reply)),
            Err(refusal) if on_refusal.skips(&refusal) => Some(Err(refusal)),
            Err(refusal) => return Err(Refusal::InStep { step: position, refusal: Box::new(refusal) }),
        });
    }
    let Steps(performed) = match groups.run(actor, Together { steps, on_refusal }).await {
        Err(Refusal::InStep { step, refusal }) => {
            let step = positions.get(step).copied().unwrap_or(step);
            return Err(Refusal::InStep { step, refusal });
        }
        performed => performed?,
    };
    for (position, reply) in positions.into_iter().zip(performed) {
        replies[position] = Some(reply);
    }
    let missing = || Err(Refusal::Unavailable("a step has not been answered".to_owned()));
    Ok(replies.into_iter().map(|reply| reply.unwrap_or_else(missing)).collect())
}
