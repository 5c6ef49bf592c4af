//! Coming in and going out by oneself, and deciding about those who want to: what only clients do.

pub(super) mod apply;
pub(super) mod decide;
pub(super) mod invitation;
pub(super) mod pending;
pub(super) mod quit;

use super::Call;
use crate::refusals::Failure;

/// `HandleMsg`: whether the user may come in.
fn is_agreed(call: &Call<'_>, word: Option<&str>) -> Result<bool, Failure> {
    match word {
        Some("Agree") => Ok(true),
        Some("Reject") => Ok(false),
        _ => Err(call.parameter("HandleMsg is illegal")),
    }
}
