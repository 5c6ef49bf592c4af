//! Authentication of callers.

mod usersig;

pub use usersig::user_sig;
pub(crate) use usersig::{Claims, Verifier};
