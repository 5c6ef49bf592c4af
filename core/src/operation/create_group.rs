//! Making a group.

use std::collections::BTreeMap;

use crate::decision::Draft;
use crate::event::{Actor, Audience, Happening, Joining};
use crate::facts::Stop;
use crate::model::{Announcement, Group, GroupId, Key, Labels, Millis, Policy, Profile, Role, UserId};
use crate::refusal::Refusal;

use super::add_members::InvitationRoute;
use super::common::{
    Added, OnBlocked, OnFull, OnMember, OnUnknown, check_group_quota, check_realm_quota, ensure_user, new_member_keys,
    require_new_members, seat,
};
use super::disband::drop_lists;
use super::{AddMembers, NewMember, Quiet, Rule};

/// Makes a group.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::struct_excessive_bools, reason = "independent switches of the new group")]
pub struct CreateGroup {
    /// The wanted id; without, one is minted.
    pub id: Option<GroupId>,
    /// Its owner. A group may have none.
    pub owner: Option<UserId>,
    /// Who else is in from the start.
    pub members: Vec<NewMember>,
    /// Its name, introduction, picture and the like.
    pub profile: Profile,
    /// Its announcement; "" is none.
    pub announcement: String,
    /// Its policy: who may do what.
    pub policy: Policy,
    /// Words only one surface has.
    pub labels: Labels,
    /// Whether it has roles.
    pub governed: bool,
    /// Only managers may send messages.
    pub all_muted: bool,
    /// Whether members are notified at once, or only from the first message on.
    pub active: bool,
    /// The creation time of an imported group; nobody is notified of an import.
    pub created: Option<Millis>,
    /// Members have to accept first, if the policy requires the invited user's consent.
    pub ask_members: bool,
    /// What to do with an owner that is no account.
    pub on_unknown_owner: OnUnknown,
    /// What to do with members that are no accounts.
    pub on_unknown_member: OnUnknown,
    /// What to do when not all fit.
    pub on_full: OnFull,
    /// Who is not notified.
    pub quiet: Quiet,
}

impl CreateGroup {
    /// A group of this owner, with everything else as usual.
    pub fn new(owner: Option<UserId>, policy: Policy) -> Self {
        Self {
            id: None,
            owner,
            members: Vec::new(),
            profile: Profile::default(),
            announcement: String::new(),
            policy,
            labels: Labels::new(),
            governed: true,
            all_muted: false,
            active: true,
            created: None,
            ask_members: false,
            on_unknown_owner: OnUnknown::Refuse,
            on_unknown_member: OnUnknown::Refuse,
            on_full: OnFull::Refuse,
            quiet: Quiet::Nobody,
        }
    }
}

/// The created group.
#[derive(Debug, Clone, PartialEq)]
pub struct Created {
    /// Its header.
    pub group: Group,
    /// What became of each of the others.
    pub added: Added,
}

impl Rule for CreateGroup {
    type Output = Created;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<Created, Stop> {
        self.check_actor(draft)?;
        let id = self.take_id(draft)?;
        require_new_members(draft, &id, false, self.everybody())?;
        check_realm_quota(draft)?;

        let created = self.created.unwrap_or(draft.now());
        if created > draft.now() {
            return Err(Refusal::InvalidValue("the creation time of a group must not be in the future").into());
        }
        let mut group = self.header(draft, id, created)?;
        if let Some(owner) = &self.owner {
            ensure_user(draft, owner, self.on_unknown_owner)?;
            check_group_quota(draft, owner)?;
            seat(draft, &mut group, owner, Role::Owner, created)?;
        }
        draft.put_new_group(group.clone());
        let added = self.add_members(draft, &mut group)?;
        self.announce(draft, &group, &added);
        Ok(Created { group, added })
    }
}

impl CreateGroup {
    fn everybody(&self) -> impl Iterator<Item = &UserId> + Clone {
        self.owner.iter().chain(self.members.iter().map(|member| &member.user))
    }

    /// Users create groups for themselves only, and only groups with roles.
    fn check_actor(&self, draft: &Draft<'_>) -> Result<(), Stop> {
        if !self.governed && self.owner.is_some() {
            return Err(Refusal::InvalidValue("a group without roles cannot have an owner").into());
        }
        match draft.context.actor {
            Actor::User { user, .. } if self.owner.as_ref() != Some(user) || self.created.is_some() => {
                Err(Refusal::AppOnly.into())
            }
            _ => Ok(()),
        }
    }

    fn take_id(&self, draft: &mut Draft<'_>) -> Result<GroupId, Stop> {
        let Some(id) = &self.id else { return draft.mint_group(|id| new_member_keys(id, self.everybody()).collect()) };
        draft.require_before_join(new_member_keys(id, self.everybody()).chain([Key::Tombstone(id.clone())]))?;
        if let Some(taken) = draft.find_group(id)? {
            let yours = self.owner.is_some() && taken.owner == self.owner;
            return Err(Refusal::GroupExists { group: id.clone(), yours }.into());
        }
        if !draft.context.settings.reuse_ids && draft.tombstone(id)?.is_some() {
            return Err(Refusal::GroupExists { group: id.clone(), yours: false }.into());
        }
        Ok(id.clone())
    }

    /// The header, still without members. Of a disbanded group of the same id nothing is taken over: only the numbers of
    /// messages go on, so that those of the two groups are not confused.
    fn header(&self, draft: &mut Draft<'_>, id: GroupId, created: Millis) -> Result<Group, Stop> {
        let past = draft.tombstone(&id)?;
        if let Some(past) = &past {
            drop_lists(draft, &id)?;
            if past.all_muted {
                draft.delete(Key::AllMuted(id.clone()));
            }
            draft.delete(Key::Tombstone(id.clone()));
        }
        let first_message = past.as_ref().map_or(1, |past| past.next_message);
        let announcement = (!self.announcement.is_empty()).then(|| Announcement {
            text: self.announcement.clone(),
            at: created,
            by: draft.context.actor.behind().cloned(),
        });
        Ok(Group {
            id,
            revision: 1,
            profile: self.profile.clone(),
            announcement,
            owner: self.owner.clone(),
            creator: self.owner.clone().or_else(|| draft.context.actor.behind().cloned()),
            governed: self.governed,
            policy: self.policy.clone(),
            labels: self.labels.clone(),
            created,
            changed: draft.now(),
            profile_changed: created,
            profile_revision: 0,
            members: 0,
            admins: 0,
            next_seat: 0,
            next_message: first_message,
            first_message,
            last_message: None,
            all_muted: self.all_muted,
            disabled: false,
            active: self.active,
            asked: false,
            topics: 0,
            topic_messages: 0,
            pins: Vec::new(),
            appointed: Vec::new(),
            marks: BTreeMap::new(),
        })
    }

    fn add_members(&self, draft: &mut Draft<'_>, group: &mut Group) -> Result<Added, Stop> {
        let others: Vec<NewMember> =
            self.members.iter().filter(|member| Some(&member.user) != self.owner.as_ref()).cloned().collect();
        if group.is_full_for(0) {
            let capacity = group.policy.capacity.unwrap_or(0);
            return Err(Refusal::GroupFull { group: group.id.clone(), capacity }.into());
        }
        if others.is_empty() {
            return Ok(Added { outcomes: Vec::new(), members: group.members, full: group.is_full_for(1) });
        }
        let add = AddMembers {
            group: group.id.clone(),
            members: others,
            ask: self.ask_members,
            message: String::new(),
            quiet: Quiet::Everybody,
            on_unknown: self.on_unknown_member,
            on_member: OnMember::Skip,
            on_blocked: OnBlocked::Skip,
            on_full: self.on_full,
            most: None,
        };
        // the creator may add initial members, whatever the policy says about later invitations
        let asks = self.ask_members && group.policy.invitee_consent;
        let added =
            add.seat_all(draft, group, if asks { InvitationRoute::Invitee } else { InvitationRoute::AtOnce })?;
        draft.put_group(group.clone());
        Ok(added)
    }

    fn announce(&self, draft: &mut Draft<'_>, group: &Group, added: &Added) {
        if self.created.is_some() || self.quiet == Quiet::Everybody {
            return;
        }
        let silent = self.quiet == Quiet::Clients;
        let members: Vec<UserId> = added.joined().cloned().collect();
        let what = Happening::GroupCreated {
            profile: group.profile.clone(),
            owner: group.owner.clone(),
            members: members.clone(),
        };
        let users: Vec<UserId> = group.owner.iter().cloned().collect();
        draft.emit(Some(&group.id), Audience { users, silent, ..Audience::default() }, what);
        if !members.is_empty() {
            let what = Happening::MembersJoined { users: members, how: Joining::Created, members: group.members };
            let audience = Audience { members_of: Some(group.id.clone()), silent, ..Audience::default() };
            draft.emit(Some(&group.id), audience, what);
        }
    }
}
