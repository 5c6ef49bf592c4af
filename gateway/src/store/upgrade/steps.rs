//! The changes from format to format.
//!
//! To change stored rows in a way that `#[serde(default)]` and `#[serde(alias = ..)]` cannot: append a [`Step`] to
//! [`STEPS`]. The newest format's number follows from the list, and folders of every earlier format go through the
//! steps that they are missing. A released step is never changed.
//!
//! A step is run once for each realm. It reads the rows as they were before it, and its changes take effect together
//! with those of all realms, or not at all: it is never run on its own changes. It must not need memory for all rows at
//! once: [`RealmRows::rows`] is an iterator, and changes are written as they are made.
//!
//! It parses old rows with types of its own, which name only the fields it needs, so that later changes of the model do
//! not change what it does:
//!
//! ```ignore
//! Step {
//!     about: "what a member has read is a row of its own",
//!     realm: |rows| {
//!         #[derive(serde::Deserialize)]
//!         struct Member {
//!             group: GroupId,
//!             user: UserId,
//!             #[serde(default)]
//!             read: u64,
//!         }
//!         for row in rows.rows(&Prefix::all_members()) {
//!             let (_, row) = row?;
//!             if let Some(Member { group, user, read }) = row.read("Member")? {
//!                 rows.put(&Key::Read(group, user), &Row::from(Read { up_to: read }))?;
//!             }
//!         }
//!         Ok(())
//!     },
//! }
//! ```

use std::collections::BTreeMap;

use conclave_core::ports::StoreError;
use serde_json::Value;

use super::rows::{OldRow, RealmRows};

/// The format before the first step. Earlier formats have the same rows: the first has no manifest.
pub(super) const BASE: u32 = 2;

/// One change of the format.
pub(super) struct Step {
    /// A description of the change, for the log.
    pub(super) about: &'static str,
    /// Changes the rows of one realm.
    pub(super) realm: fn(&mut RealmRows<'_>) -> Result<(), StoreError>,
}

/// All changes, oldest first. Append only.
pub(super) const STEPS: &[Step] =
    &[Step { about: "groups of all vendors have the permissions that such groups have now", realm: current_policies }];

/// Groups that were created through Agora and RongCloud get the permissions that groups created there have now:
///
/// - They end with their owner's account, and users who may not ask to join do not find them.
/// - Owner and managers of a group that RongCloud hosts moderate it, and may send whatever is muted. Members'
///   invitations need the approval that requests need, unless that was changed.
///
/// Tencent's groups have a label with their type; groups without roles have nobody with permissions.
fn current_policies(rows: &mut RealmRows<'_>) -> Result<(), StoreError> {
    #[derive(serde::Deserialize)]
    struct Group {
        governed: bool,
        labels: BTreeMap<String, String>,
        policy: Policy,
    }
    #[derive(serde::Deserialize)]
    struct Policy {
        join: Value,
        invite_approval: Value,
        moderate: Value,
        exempt: Value,
    }
    for row in rows.rows_below(&[GROUPS]) {
        let (key, row) = row?;
        let Some(Group { governed, labels, policy }) = row.read::<Group>("Group")? else { continue };
        if !governed || labels.contains_key("tencent.type") {
            continue;
        }
        let Some(mut group) = row.read::<Value>("Group")? else { continue };
        let changed = &mut group["policy"];
        changed["discoverable"] = false.into();
        changed["needs_owner"] = true.into();
        if policy.moderate == "Nobody" && policy.exempt == "Nobody" {
            changed["moderate"] = "Managers".into();
            changed["exempt"] = "Managers".into();
            // a request's approval is {"Approval": circle}, or a word where nobody approves
            let of_requests = policy.join.get("Approval").cloned().unwrap_or(Value::Null);
            changed["invite_approval_as_join"] = (policy.invite_approval == of_requests).into();
        }
        rows.put_old(&key, OldRow::of("Group", &group)?)?;
    }
    Ok(())
}

/// The table of groups' headers.
const GROUPS: u8 = 1;

/// The format that this version reads and writes.
pub(crate) const FORMAT: u32 = newest(STEPS);

#[allow(clippy::cast_possible_truncation, reason = "there are few steps")]
pub(super) const fn newest(steps: &[Step]) -> u32 {
    BASE + steps.len() as u32
}
