//! Authentication of calls and connections.

pub(crate) mod replay;
pub(crate) mod signature;
pub(crate) mod token;
