//! Changing what a group shows of itself and what it permits.

use crate::decision::{ActorRole, Draft};
use crate::event::{Audience, Happening, ProfileChange};
use crate::facts::Stop;
use crate::model::{Announcement, Circle, Group, GroupId, Join, Policy};
use crate::refusal::{Limit, Refusal};

use super::Rule;

/// The changes of a policy; `None` keeps a value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PolicyChange {
    /// Who gets in by asking.
    pub join: Option<Join>,
    /// Who may invite.
    pub invite: Option<Circle>,
    /// Whether the invited person must agree.
    pub invitee_consent: Option<bool>,
    /// Whose approval an invitation needs.
    pub invite_approval: Option<Option<Circle>>,
    /// Who may remove.
    pub remove: Option<Circle>,
    /// Who may change the profile.
    pub edit_profile: Option<Circle>,
    /// Who may change the policy.
    pub edit_policy: Option<Circle>,
    /// Who may change others' cards.
    pub edit_member: Option<Circle>,
    /// Whether strangers read its profile also while nobody may ask to join.
    pub found_while_closed: Option<bool>,
    /// Whether new members read earlier messages.
    pub history_before_join: Option<bool>,
    /// Most members.
    pub capacity: Option<Option<u32>>,
}

impl PolicyChange {
    /// Whether nothing is to change.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The policy with the change.
    pub fn applied_to(&self, policy: &Policy) -> Policy {
        Policy {
            join: self.join.unwrap_or(policy.join),
            invite: self.invite.unwrap_or(policy.invite),
            invitee_consent: self.invitee_consent.unwrap_or(policy.invitee_consent),
            invite_approval: self.invite_approval.unwrap_or(policy.invite_approval),
            invite_approval_as_join: policy.invite_approval_as_join && self.invite_approval.is_none(),
            remove: self.remove.unwrap_or(policy.remove),
            edit_profile: self.edit_profile.unwrap_or(policy.edit_profile),
            edit_policy: self.edit_policy.unwrap_or(policy.edit_policy),
            edit_member: self.edit_member.unwrap_or(policy.edit_member),
            found_while_closed: self.found_while_closed.unwrap_or(policy.found_while_closed),
            history_before_join: self.history_before_join.unwrap_or(policy.history_before_join),
            capacity: self.capacity.unwrap_or(policy.capacity),
            ..policy.clone()
        }
    }
}

/// Changes profile, announcement, policy and the mute of all in one operation; missing values are kept.
#[derive(Debug, Clone, PartialEq)]
pub struct UpdateGroup {
    /// The group to change.
    pub group: GroupId,
    /// What changes of the profile. A field set to "" is removed.
    pub profile: ProfileChange,
    /// The new announcement; "" removes it.
    pub announcement: Option<String>,
    /// What changes of the policy.
    pub policy: PolicyChange,
    /// Mute everybody, or no longer.
    pub all_muted: Option<bool>,
    /// Most custom fields the group may have.
    pub most_fields: Option<u32>,
}

impl UpdateGroup {
    /// A change of nothing yet.
    pub fn of(group: GroupId) -> Self {
        Self {
            group,
            profile: ProfileChange::default(),
            announcement: None,
            policy: PolicyChange::default(),
            all_muted: None,
            most_fields: None,
        }
    }
}

impl Rule for UpdateGroup {
    type Output = ();

    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Stop> {
        let mut group = draft.live_group(&self.group)?;
        self.check_permitted(draft, &group)?;
        let before = group.clone();
        let profile = self.change_profile(&mut group)?;
        let announcement = self.change_announcement(draft, &mut group);
        if profile.is_some() || announcement.is_some() {
            // one change, however much of the profile it changes
            group.profile_changed = draft.now();
            group.profile_revision += 1;
        }
        let policy = self.change_policy(&mut group)?;
        let all_muted = self.all_muted.filter(|muted| *muted != group.all_muted);
        if let Some(muted) = all_muted {
            group.all_muted = muted;
        }
        if group == before {
            return Ok(());
        }
        draft.put_group(group);

        for what in [profile, announcement, policy, all_muted.map(Happening::AllMutedChanged)].into_iter().flatten() {
            let audience = Audience { members_of: Some(self.group.clone()), ..Audience::default() };
            draft.emit(Some(&self.group), audience, what);
        }
        Ok(())
    }
}

impl UpdateGroup {
    fn check_permitted(&self, draft: &Draft<'_>, group: &Group) -> Result<(), Stop> {
        let mut actor_role = draft.permitted(group, Circle::Members)?;
        if self.profile != ProfileChange::default() || self.announcement.is_some() {
            actor_role = draft.permitted(group, group.policy.edit_profile)?;
        }
        let rest = PolicyChange { join: None, capacity: None, ..self.policy.clone() };
        let rights = &group.policy;
        for (_, circle) in [
            (self.policy.join.is_some(), rights.edit_join.unwrap_or(rights.edit_policy)),
            (self.policy.capacity.is_some(), rights.edit_capacity.unwrap_or(rights.edit_policy)),
            (!rest.is_empty(), rights.edit_policy),
        ]
        .into_iter()
        .filter(|(changes, _)| *changes)
        {
            actor_role = draft.permitted(group, circle)?;
        }
        if self.all_muted.is_some() {
            actor_role = draft.permitted(group, group.policy.moderate)?;
        }
        // only the owner changes who may edit the profile
        if self.policy.edit_profile.is_some() && actor_role != ActorRole::App {
            draft.permitted(group, Circle::Owner)?;
        }
        Ok(())
    }

    fn change_profile(&self, group: &mut Group) -> Result<Option<Happening>, Stop> {
        let before = (group.profile.clone(), group.labels.clone());
        let wanted = &self.profile;
        let mut changed = ProfileChange::default();
        for (new, old, emit) in [
            (&wanted.name, &mut group.profile.name, &mut changed.name),
            (&wanted.introduction, &mut group.profile.introduction, &mut changed.introduction),
            (&wanted.avatar, &mut group.profile.avatar, &mut changed.avatar),
            (&wanted.custom, &mut group.profile.custom, &mut changed.custom),
        ] {
            if let Some(new) = new.as_ref().filter(|new| *new != old) {
                old.clone_from(new);
                *emit = Some(new.clone());
            }
        }
        for (key, value) in &wanted.fields {
            let old = if value.is_empty() {
                group.profile.fields.remove(key)
            } else {
                group.profile.fields.insert(key.clone(), value.clone())
            };
            if old.as_deref().unwrap_or_default() != value {
                changed.fields.insert(key.clone(), value.clone());
            }
        }
        for (label, value) in &wanted.labels {
            let old = match value {
                Some(value) => group.labels.insert(label.clone(), value.clone()),
                None => group.labels.remove(label),
            };
            if old != *value {
                changed.labels.insert(label.clone(), value.clone());
            }
        }
        let now = group.profile.fields.len() as u64;
        let grows = changed.fields.values().any(|value| !value.is_empty());
        if let Some(most) = self.most_fields.filter(|most| grows && now > u64::from(*most)) {
            return Err(Refusal::LimitReached { limit: Limit::Fields, most: most.into(), now }.into());
        }
        if before == (group.profile.clone(), group.labels.clone()) {
            return Ok(None);
        }
        Ok(Some(Happening::ProfileChanged(changed)))
    }

    fn change_announcement(&self, draft: &Draft<'_>, group: &mut Group) -> Option<Happening> {
        let wanted = self.announcement.as_ref()?;
        let old = group.announcement.as_ref().map_or("", |announcement| &announcement.text);
        if wanted == old {
            return None;
        }
        group.announcement = announcement(draft, wanted);
        Some(Happening::AnnouncementChanged(wanted.clone()))
    }

    fn change_policy(&self, group: &mut Group) -> Result<Option<Happening>, Stop> {
        let after = self.policy.applied_to(&group.policy);
        if let Some(Some(capacity)) = self.policy.capacity
            && capacity < group.members
        {
            return Err(Refusal::CapacityTooLow { group: group.id.clone(), members: group.members }.into());
        }
        if after == group.policy {
            return Ok(None);
        }
        // without roles only the app decides who joins and who may do what
        let same_rights = Policy { capacity: after.capacity, ..group.policy.clone() } == after;
        if !group.governed && !same_rights {
            return Err(Refusal::NotGoverned(group.id.clone()).into());
        }
        let before = std::mem::replace(&mut group.policy, after.clone());
        Ok(Some(Happening::PolicyChanged { before: Box::new(before), after: Box::new(after) }))
    }
}

/// A new announcement; "" is none.
pub(crate) fn announcement(draft: &Draft<'_>, text: &str) -> Option<Announcement> {
    (!text.is_empty()).then(|| Announcement {
        text: text.to_owned(),
        at: draft.now(),
        by: draft.context.actor.behind().cloned(),
    })
}
