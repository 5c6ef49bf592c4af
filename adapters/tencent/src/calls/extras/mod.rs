//! What hangs on a group beside its members: attributes and counters.

pub(super) mod attributes;
pub(super) mod counters;
