//! `/user`: accounts and their tokens.

pub(super) mod check_online;
pub(super) mod get_token;
pub(super) mod groups;
pub(super) mod info;
pub(super) mod refresh;
pub(super) mod token_expire;

use super::Call;
use crate::dialect::limits;
use crate::refusals::Failure;

/// Name and portrait of a request; missing ones stay as they are.
struct Shown<'c> {
    name: Option<&'c str>,
    portrait: Option<&'c str>,
}

impl<'c> Shown<'c> {
    fn of(call: &'c Call<'_>) -> Result<Self, Failure> {
        let (name, portrait) = (call.form.value("name"), call.form.value("portraitUri"));
        if let Some(name) = name {
            call.check_length("name", name, limits::USER_NAME)?;
        }
        if portrait.is_some_and(|portrait| portrait.len() > limits::USER_PORTRAIT_BYTES) {
            return Err(call.too_long("portraitUri", limits::USER_PORTRAIT_BYTES));
        }
        Ok(Self { name, portrait })
    }
}
