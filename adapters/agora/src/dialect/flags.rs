//! The vendor's flags of a group to the core's policy, and back.
//!
//! | flag | policy |
//! |---|---|
//! | `public` | in the public lists, and open to applications |
//! | `membersonly` | applications wait for the managers; for a private group only stored, as nobody may apply |
//! | `allowinvites` | members may invite |
//! | `invite_need_confirm` | the invited user has to accept |
//! | `maxusers` | capacity |
//!
//! Groups made by another surface read by the same table: `public` is whether anybody may ask to join,
//! `membersonly` whether joining is anything but open, `allowinvites` whether every member may invite; a group without
//! a maximum shows the configured number.

use conclave_core::model::{Circle, Group, Join, Labels, Policy};
use conclave_core::operation::PolicyChange;

use crate::settings::Settings;

/// The label for `membersonly` of a private group.
pub(crate) const MEMBERSONLY: &str = "agora.membersonly";
/// The label for `scale`.
pub(crate) const SCALE: &str = "agora.scale";
/// The label for `need_verify`.
pub(crate) const NEED_VERIFY: &str = "agora.need_verify";

/// A group's flags as the vendor's API returns them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "the vendor's own switches")]
pub(crate) struct Flags {
    pub(crate) public: bool,
    pub(crate) membersonly: bool,
    pub(crate) allowinvites: bool,
    pub(crate) invite_need_confirm: bool,
    pub(crate) maxusers: u32,
}

impl Flags {
    /// The flags of a group, through whichever vendor it was created.
    pub(crate) fn of(group: &Group, settings: &Settings) -> Self {
        let flags = Self::read(&group.policy, &group.labels, settings);
        // a group without a limit never has more members than may be in it
        Self { maxusers: flags.maxusers.max(group.members), ..flags }
    }

    pub(crate) fn read(policy: &Policy, labels: &Labels, settings: &Settings) -> Self {
        let membersonly = match labels.get(MEMBERSONLY) {
            Some(kept) if is_private(policy) => kept == "true",
            _ => policy.join != Join::Open,
        };
        Self {
            public: policy.is_open_to_requests(),
            membersonly,
            allowinvites: policy.invite == Circle::Members,
            invite_need_confirm: policy.invitee_consent,
            maxusers: policy.capacity.unwrap_or(settings.unlimited_maxusers),
        }
    }

    /// The policy of a new group, and its labels.
    pub(crate) fn policy(self) -> (Policy, Labels) {
        let policy = Policy {
            join: if self.public { joining(self.membersonly) } else { Join::Closed },
            invite: if self.allowinvites { Circle::Members } else { Circle::Managers },
            invitee_consent: self.invite_need_confirm,
            edit_member: Circle::Owner,
            needs_owner: true,
            found_while_closed: false,
            capacity: Some(self.maxusers),
            ..Policy::standard()
        };
        let mut labels = Labels::new();
        if !self.public {
            labels.insert(MEMBERSONLY.to_owned(), self.membersonly.to_string());
        }
        (policy, labels)
    }
}

/// Nobody may apply.
fn is_private(policy: &Policy) -> bool {
    !policy.is_open_to_requests()
}

fn joining(membersonly: bool) -> Join {
    if membersonly { Join::Approval(Circle::Managers) } else { Join::Open }
}

/// What happens to the stored `membersonly` of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Remember {
    /// It stays.
    Same,
    /// It is deleted; the flag is read from the policy.
    Nothing,
    /// The value it is set to.
    As(String),
}

/// Flags to change; `None` leaves a flag as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct FlagChange {
    pub(crate) public: Option<bool>,
    pub(crate) membersonly: Option<bool>,
    pub(crate) allowinvites: Option<bool>,
    pub(crate) invite_need_confirm: Option<bool>,
    pub(crate) maxusers: Option<u32>,
}

impl FlagChange {
    /// The changes of a group's policy and labels.
    pub(crate) fn policy(self, group: &Group, settings: &Settings) -> (PolicyChange, Remember) {
        self.apply(&group.policy, &group.labels, settings)
    }

    fn apply(self, policy: &Policy, labels: &Labels, settings: &Settings) -> (PolicyChange, Remember) {
        let now = Flags::read(policy, labels, settings);
        let public = self.public.unwrap_or(now.public);
        let membersonly = self.membersonly.unwrap_or(now.membersonly);
        let mut change = PolicyChange {
            // a flag that already has this value does not change a more specific policy
            invite: self
                .allowinvites
                .filter(|wanted| *wanted != now.allowinvites)
                .map(|wanted| if wanted { Circle::Members } else { Circle::Managers }),
            invitee_consent: self.invite_need_confirm,
            // nor is it found then, whatever the vendor that made it says
            found_while_closed: Some(false).filter(|_| self.public == Some(false) && policy.found_while_closed),
            capacity: self.maxusers.map(Some),
            ..PolicyChange::default()
        };
        if self.public.is_none() && self.membersonly.is_none() {
            return (change, Remember::Same);
        }
        let closes = !public;
        let opens = public && !now.public;
        let join = if closes { Join::Closed } else { joining(membersonly) };
        if closes || opens || membersonly != now.membersonly {
            change.join = Some(join).filter(|join| *join != policy.join);
        }
        (change, if closes { Remember::As(membersonly.to_string()) } else { Remember::Nothing })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The stored flags of a group.
    struct Kept {
        policy: Policy,
        labels: Labels,
    }

    impl Kept {
        fn flags(&self) -> Flags {
            Flags::read(&self.policy, &self.labels, &Settings::default())
        }

        fn change(&mut self, change: FlagChange) {
            let (policy, label) = change.apply(&self.policy, &self.labels, &Settings::default());
            self.policy = policy.applied_to(&self.policy);
            match label {
                Remember::As(value) => drop(self.labels.insert(MEMBERSONLY.to_owned(), value)),
                Remember::Nothing => drop(self.labels.remove(MEMBERSONLY)),
                Remember::Same => {}
            }
        }
    }

    fn flags() -> impl Strategy<Value = Flags> {
        (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), 1..5000_u32).prop_map(
            |(public, membersonly, allowinvites, invite_need_confirm, maxusers)| Flags {
                public,
                membersonly,
                allowinvites,
                invite_need_confirm,
                maxusers,
            },
        )
    }

    fn change() -> impl Strategy<Value = FlagChange> {
        let flag = || proptest::option::of(any::<bool>());
        (flag(), flag(), flag(), flag(), proptest::option::of(1..5000_u32)).prop_map(
            |(public, membersonly, allowinvites, invite_need_confirm, maxusers)| FlagChange {
                public,
                membersonly,
                allowinvites,
                invite_need_confirm,
                maxusers,
            },
        )
    }

    fn join() -> impl Strategy<Value = Join> {
        prop_oneof![
            Just(Join::Open),
            Just(Join::Closed),
            Just(Join::Approval(Circle::Managers)),
            Just(Join::Approval(Circle::Owner)),
        ]
    }

    fn circle() -> impl Strategy<Value = Circle> {
        prop_oneof![Just(Circle::Nobody), Just(Circle::Owner), Just(Circle::Managers), Just(Circle::Members)]
    }

    proptest! {
        #[test]
        fn what_was_created_reads_back(flags in flags()) {
            let (policy, labels) = flags.policy();
            prop_assert_eq!(Kept { policy, labels }.flags(), flags);
        }

        #[test]
        fn what_was_changed_reads_back_and_the_rest_stays(flags in flags(), changes in proptest::collection::vec(change(), 1..5)) {
            let (policy, labels) = flags.policy();
            let mut group = Kept { policy, labels };
            let mut wanted = flags;
            for change in changes {
                group.change(change);
                wanted = Flags {
                    public: change.public.unwrap_or(wanted.public),
                    membersonly: change.membersonly.unwrap_or(wanted.membersonly),
                    allowinvites: change.allowinvites.unwrap_or(wanted.allowinvites),
                    invite_need_confirm: change.invite_need_confirm.unwrap_or(wanted.invite_need_confirm),
                    maxusers: change.maxusers.unwrap_or(wanted.maxusers),
                };
                prop_assert_eq!(group.flags(), wanted);
                prop_assert_eq!(group.policy.is_found(), wanted.public);
            }
        }

        #[test]
        fn a_group_of_another_surface_reads_what_it_was_changed_to(
            found_while_closed in any::<bool>(), join in join(), invite in circle(), change in change(),
        ) {
            let policy = Policy { found_while_closed, join, invite, ..Policy::standard() };
            let mut group = Kept { policy, labels: Labels::new() };
            let before = group.flags();
            group.change(change);
            let after = group.flags();
            prop_assert_eq!(after.public, change.public.unwrap_or(before.public));
            prop_assert_eq!(after.membersonly, change.membersonly.unwrap_or(before.membersonly));
            prop_assert_eq!(after.allowinvites, change.allowinvites.unwrap_or(before.allowinvites));
            if (after.public, after.membersonly) == (before.public, before.membersonly) {
                prop_assert_eq!(group.policy.join, join);
            }
            if change.allowinvites.is_none_or(|wanted| wanted == before.allowinvites) {
                prop_assert_eq!(group.policy.invite, invite);
            }
        }
    }
}
