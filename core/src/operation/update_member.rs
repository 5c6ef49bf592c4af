//! Changing a member's data.

use std::collections::BTreeMap;

use crate::decision::{ActorRole, Draft};
use crate::event::Happening;
use crate::facts::Stop;
use crate::model::{Group, GroupId, Key, Member, Receive, Role, UserId};
use crate::refusal::{Limit, Needs, Refusal};

use super::Rule;
use super::common::apply_labels;

/// Changes a member's card and settings; `None`, and fields that are not named, keep their values.
///
/// Members change their own; those permitted by the policy change card, extra and fields of members with a lower role.
/// Only the member and the app change the notification setting.
#[derive(Debug, Clone, PartialEq)]
pub struct UpdateMember {
    /// The group whose member changes.
    pub group: GroupId,
    /// The member to change.
    pub user: UserId,
    /// The new card; "" removes it.
    pub card: Option<String>,
    /// The new extra string.
    pub extra: Option<String>,
    /// New values of custom fields; "" removes one.
    pub fields: BTreeMap<String, String>,
    /// Most custom fields a member may have.
    pub most_fields: Option<u32>,
    /// The new notification setting for messages.
    pub receive: Option<Receive>,
    /// New values of labels; `None` removes one.
    pub labels: BTreeMap<String, Option<String>>,
}

impl UpdateMember {
    /// A change of nothing yet.
    pub fn of(group: GroupId, user: UserId) -> Self {
        Self {
            group,
            user,
            card: None,
            extra: None,
            fields: BTreeMap::new(),
            most_fields: None,
            receive: None,
            labels: BTreeMap::new(),
        }
    }
}

impl Rule for UpdateMember {
    type Output = ();

    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Stop> {
        let group = draft.live_group(&self.group)?;
        let own = draft.context.actor.behind().cloned();
        let people = own.iter().chain([&self.user]);
        draft.require(people.map(|user| Key::Member(self.group.clone(), user.clone())))?;
        let private = self.receive.is_some();
        check_may_edit(draft, &group, &self.user, private)?;
        let mut member = draft.sure_member(&self.group, &self.user)?;
        let before = member.clone();

        let changed = self.change_card(&mut member)?;
        let receive = self.change_receive(draft, &mut member)?;
        apply_labels(&self.labels, &mut member.labels);
        if member == before {
            return Ok(());
        }
        draft.put_member(member);
        draft.put_group(group);
        if let Some(what) = changed {
            draft.emit_to_members(&self.group, what);
        }
        if let Some(what) = receive {
            draft.emit_to_users(Some(&self.group), vec![self.user.clone()], what);
        }
        Ok(())
    }
}

impl UpdateMember {
    fn change_card(&self, member: &mut Member) -> Result<Option<Happening>, Stop> {
        let card = self.card.clone().filter(|card| *card != member.card);
        let extra = self.extra.clone().filter(|extra| *extra != member.extra);
        if let Some(card) = &card {
            member.card.clone_from(card);
        }
        if let Some(extra) = &extra {
            member.extra.clone_from(extra);
        }
        let fields = merge(&self.fields, &mut member.fields);
        let now = member.fields.len() as u64;
        let grows = fields.values().any(|value| !value.is_empty());
        if let Some(most) = self.most_fields.filter(|most| grows && now > u64::from(*most)) {
            return Err(Refusal::LimitReached { limit: Limit::Fields, most: most.into(), now }.into());
        }
        if card.is_none() && extra.is_none() && fields.is_empty() {
            return Ok(None);
        }
        Ok(Some(Happening::MemberChanged { user: self.user.clone(), card, extra, fields }))
    }

    fn change_receive(&self, draft: &Draft<'_>, member: &mut Member) -> Result<Option<Happening>, Stop> {
        let Some(receive) = self.receive.filter(|receive| *receive != member.receive) else { return Ok(None) };
        let manager = member.role >= Role::Admin;
        if receive == Receive::Discard && manager && !draft.context.settings.managers_may_shield {
            let group = self.group.clone();
            return Err(Refusal::Unsupported { group, what: "managers who do not receive messages" }.into());
        }
        let before = Some(std::mem::replace(&mut member.receive, receive));
        Ok(Some(Happening::ReceiveChanged { user: self.user.clone(), receive, before }))
    }
}

/// Keys and their values.
type Pairs = BTreeMap<String, String>;

/// Writes free attributes of members. Each member is written or refused by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct WriteMemberAttributes {
    /// The group whose members' attributes are written.
    pub group: GroupId,
    /// The member, and the new values; "" removes one, others are kept.
    pub changes: Vec<(UserId, BTreeMap<String, String>)>,
    /// Most attributes a member may have.
    pub most: Option<u32>,
    /// Most bytes of all keys and values of a member together.
    pub most_bytes: Option<u64>,
}

/// The outcome for each member, in the requested order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AttributesWritten {
    /// All attributes the member has now, or why nothing was written.
    pub outcomes: Vec<(UserId, Result<Pairs, Refusal>)>,
}

impl Rule for WriteMemberAttributes {
    type Output = AttributesWritten;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<AttributesWritten, Stop> {
        let group = draft.live_group(&self.group)?;
        let own = draft.context.actor.behind().cloned();
        let people = own.iter().chain(self.changes.iter().map(|(user, _)| user));
        draft.require(people.map(|user| Key::Member(self.group.clone(), user.clone())))?;
        let mut outcomes = Vec::with_capacity(self.changes.len());
        let mut written_pairs = Vec::new();
        for (user, wanted) in &self.changes {
            let outcome = match self.write(draft, &group, user, wanted) {
                Ok((all, changed)) => {
                    if !changed.is_empty() {
                        written_pairs.push((user.clone(), changed));
                    }
                    Ok(all)
                }
                Err(Stop::Refuse(refusal)) => Err(refusal),
                Err(stop) => return Err(stop),
            };
            outcomes.push((user.clone(), outcome));
        }
        if !written_pairs.is_empty() {
            draft.put_group(group);
        }
        for (user, attributes) in written_pairs {
            draft.emit_to_members(&self.group, Happening::MemberAttributesChanged { user, attributes });
        }
        Ok(AttributesWritten { outcomes })
    }
}

impl WriteMemberAttributes {
    /// All attributes afterwards, and those that changed.
    fn write(
        &self,
        draft: &mut Draft<'_>,
        group: &Group,
        user: &UserId,
        wanted: &Pairs,
    ) -> Result<(Pairs, Pairs), Stop> {
        check_may_edit(draft, group, user, false)?;
        let mut member = draft.sure_member(&self.group, user)?;
        let changed = merge(wanted, &mut member.attributes);
        let now = member.attributes.len() as u64;
        let grows = changed.values().any(|value| !value.is_empty());
        if let Some(most) = self.most.filter(|most| grows && now > u64::from(*most)) {
            return Err(Refusal::LimitReached { limit: Limit::Attributes, most: most.into(), now }.into());
        }
        let bytes = member.attributes.iter().map(|(key, value)| (key.len() + value.len()) as u64).sum::<u64>();
        if let Some(most) = self.most_bytes.filter(|most| grows && bytes > *most) {
            return Err(Refusal::LimitReached { limit: Limit::AttributeBytes, most, now: bytes }.into());
        }
        let all = member.attributes.clone();
        if !changed.is_empty() {
            draft.put_member(member);
        }
        Ok((all, changed))
    }
}

/// Whether the actor may change this member's data.
fn check_may_edit(draft: &Draft<'_>, group: &Group, user: &UserId, private: bool) -> Result<(), Stop> {
    let actor_role = draft.actor_role(group)?;
    let own = draft.context.actor.behind() == Some(user);
    if actor_role == ActorRole::App || (own && actor_role != ActorRole::Outsider) {
        return Ok(());
    }
    if own {
        return Err(Refusal::NotPermitted { group: group.id.clone(), needs: Needs::Membership }.into());
    }
    if private {
        return Err(Refusal::AppOnly.into());
    }
    let actor_role = draft.permitted(group, group.policy.edit_member)?;
    match draft.member(&group.id, user)? {
        Some(member) if !actor_role.outranks(member.role) => {
            Err(Refusal::NotPermitted { group: group.id.clone(), needs: Needs::Ownership }.into())
        }
        _ => Ok(()),
    }
}

/// Merges new values, "" removing one; returns those that changed.
fn merge(wanted: &Pairs, kept: &mut Pairs) -> Pairs {
    let mut changed = Pairs::new();
    for (key, value) in wanted {
        let old = if value.is_empty() { kept.remove(key) } else { kept.insert(key.clone(), value.clone()) };
        if old.as_deref().unwrap_or_default() != value {
            changed.insert(key.clone(), value.clone());
        }
    }
    changed
}
