//! Fields that only communities have: topics and permissions, stored unchanged.

use std::str::FromStr;

use conclave_core::model::Labels;

/// 1 when the community has topics.
pub(crate) const SUPPORT_TOPIC: &str = "tencent.support-topic";
/// 1 when members have permissions of their own.
pub(crate) const ENABLE_PERMISSION: &str = "tencent.enable-permission";
/// The permissions of a new member: bits defined by the vendor, not interpreted here.
pub(crate) const DEFAULT_PERMISSION: &str = "tencent.default-permission";

pub(crate) fn support_topic(labels: &Labels) -> u32 {
    number(labels, SUPPORT_TOPIC)
}

pub(crate) fn enable_permission(labels: &Labels) -> u32 {
    number(labels, ENABLE_PERMISSION)
}

pub(crate) fn default_permission(labels: &Labels) -> u64 {
    number(labels, DEFAULT_PERMISSION)
}

fn number<N: FromStr + Default>(labels: &Labels, label: &str) -> N {
    labels.get(label).and_then(|text| text.parse().ok()).unwrap_or_default()
}
