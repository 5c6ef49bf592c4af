//! Attributes and counters of a group.

pub(super) mod attributes;
pub(super) mod counters;
