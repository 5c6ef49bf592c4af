//! Result rows: the outcome for each user of a list change.

use conclave_core::model::GroupId;
use conclave_core::operation::Listed;
use serde::Serialize;

use super::call::Call;
use crate::dialect::ids::shown;
use crate::refusals::outsider;
use conclave_core::refusal::Refusal;

/// One user's row. The newer format omits action and group.
#[derive(Debug, Serialize)]
pub(super) struct Changed<'g> {
    result: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    user: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    groupid: Option<&'g GroupId>,
}

impl<'g> Changed<'g> {
    fn new(call: &Call<'_>, group: &'g GroupId, action: &'static str, user: String, reason: Option<String>) -> Self {
        let old = !call.query.is_v3();
        Self { result: reason.is_none(), action: old.then_some(action), reason, user, groupid: old.then_some(group) }
    }

    /// Rows of success for these users.
    pub(super) fn done(
        call: &Call<'_>,
        group: &'g GroupId,
        action: &'static str,
        users: impl Iterator<Item = String>,
    ) -> Vec<Self> {
        users.map(|user| Self::new(call, group, action, user, None)).collect()
    }

    /// A row for each name, in the requested order: unknown users, skipped ones, and the others.
    pub(super) fn all(
        call: &Call<'_>,
        group: &'g GroupId,
        action: &'static str,
        names: &[(String, bool)],
        listed: &Listed,
    ) -> Vec<Self> {
        let reason = |name: &str, known: bool| -> Option<String> {
            if !known {
                return Some(outsider(name, group));
            }
            let (_, refusal) = listed.left_out.iter().find(|(user, _)| shown(user) == name)?;
            Some(match refusal {
                Refusal::NotMembers { .. } => outsider(name, group),
                other => call.word(other).description,
            })
        };
        names.iter().map(|(name, known)| Self::new(call, group, action, name.clone(), reason(name, *known))).collect()
    }
}
