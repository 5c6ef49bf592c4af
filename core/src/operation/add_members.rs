//! Adding members: at once by the app, or by members as the policy permits.

use std::collections::{BTreeMap, HashSet};

use crate::decision::{ActorRole, Draft};
use crate::event::{Actor, Audience, Happening, Joining};
use crate::facts::Stop;
use crate::model::{Group, GroupId, Key, Labels, Millis, Request, RequestKind, Role, Stage, UserId};
use crate::refusal::{Needs, Refusal};

use super::Rule;
use super::common::{
    AddOutcome, Added, OnBlocked, OnFull, OnMember, OnUnknown, check_group_quota, check_room, emit_to_appointed,
    ensure_user, is_blocked, new_member_keys, require_new_members, seat,
};
use super::read_marks::set_unread;
use super::requests::add_deciders;

/// A user to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMember {
    /// The user to add.
    pub user: UserId,
    /// In which role; never as owner.
    pub role: Role,
    /// When they joined, for an import.
    pub joined: Option<Millis>,
    /// The custom fields of the new member.
    pub fields: BTreeMap<String, String>,
    /// How many of the group's last messages they have not read, for an import; otherwise none is read yet.
    pub unread: Option<u64>,
}

impl NewMember {
    /// An ordinary member, now.
    pub fn now(user: UserId) -> Self {
        Self { user, role: Role::Member, joined: None, fields: BTreeMap::new(), unread: None }
    }
}

/// Who is not notified when members join or leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Quiet {
    /// Everybody is notified.
    #[default]
    Nobody,
    /// Only the app's server is notified.
    Clients,
    /// Nobody is notified.
    Everybody,
}

/// Adds members.
///
/// The app adds at once. A user needs to be in the circle that may invite; then the policy decides whether the invited
/// users are added at once, have to accept, or wait for the managers.
#[derive(Debug, Clone, PartialEq)]
pub struct AddMembers {
    /// The group to add them to.
    pub group: GroupId,
    /// The new members.
    pub members: Vec<NewMember>,
    /// Invited users have to accept if the policy says so, even when the app invites.
    pub ask: bool,
    /// The text of an invitation.
    pub message: String,
    /// Who is not notified.
    pub quiet: Quiet,
    /// What to do with ids that are no accounts.
    pub on_unknown: OnUnknown,
    /// What to do with members.
    pub on_member: OnMember,
    /// What to do with blocked users.
    pub on_blocked: OnBlocked,
    /// What to do when not all fit.
    pub on_full: OnFull,
    /// Most members the group may have by this call, where that is less than its capacity.
    pub most: Option<u32>,
}

/// What a user's invitation leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InvitationRoute {
    /// The user is added at once.
    AtOnce,
    /// The invited user has to accept first.
    Invitee,
    /// The managers have to approve first.
    Managers,
}

impl Rule for AddMembers {
    type Output = Added;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<Added, Stop> {
        let users = self.members.iter().map(|member| &member.user);
        draft.require_before_join(
            new_member_keys(&self.group, users.clone()).chain(draft.own_membership(&self.group)),
        )?;
        let mut group = draft.live_group(&self.group)?;
        let route = self.route(draft, &group)?;
        require_new_members(draft, &self.group, group.asked, users)?;
        let imported = self.members.iter().filter(|member| member.unread.is_some());
        draft.require(imported.map(|member| Key::ReadMark(member.user.clone(), self.group.clone())))?;
        let added = self.seat_all(draft, &mut group, route)?;
        let touched = added.outcomes.iter().any(|(_, outcome)| {
            matches!(outcome, AddOutcome::Joined | AddOutcome::AwaitsInvitee | AddOutcome::AwaitsManagers)
        });
        if touched {
            draft.put_group(group.clone());
        }
        self.announce(draft, &group, &added);
        Ok(added)
    }
}

impl AddMembers {
    /// Seats or invites everybody; the caller keeps the header.
    pub(crate) fn seat_all(
        &self,
        draft: &mut Draft<'_>,
        group: &mut Group,
        route: InvitationRoute,
    ) -> Result<Added, Stop> {
        let mut outcomes = Vec::with_capacity(self.members.len());
        let mut seen = HashSet::new();
        for new_member in &self.members {
            if !seen.insert(&new_member.user) {
                continue;
            }
            let outcome = match self.bring(draft, group, new_member, route) {
                Ok(outcome) => outcome,
                Err(Stop::Refuse(refusal)) if self.leaves_out(&refusal) => AddOutcome::LeftOut(refusal),
                Err(stop) => return Err(stop),
            };
            outcomes.push((new_member.user.clone(), outcome));
        }
        self.refuse_members(group, &outcomes)?;
        Ok(Added { outcomes, members: group.members, full: group.is_full_for(1) })
    }

    /// Whether the caller wants this one left out rather than everything refused.
    fn leaves_out(&self, refusal: &Refusal) -> bool {
        match refusal {
            Refusal::UserNotFound(_) => self.on_unknown == OnUnknown::Skip,
            Refusal::Blocked { .. } => self.on_blocked == OnBlocked::Skip,
            Refusal::GroupFull { .. } | Refusal::TooManyGroupsOfUser(_) => self.on_full == OnFull::Partial,
            _ => false,
        }
    }

    fn refuse_members(&self, group: &Group, outcomes: &[(UserId, AddOutcome)]) -> Result<(), Stop> {
        let users: Vec<UserId> = outcomes
            .iter()
            .filter(|(_, outcome)| *outcome == AddOutcome::Already)
            .map(|(user, _)| user.clone())
            .collect();
        let refuse = match self.on_member {
            OnMember::Refuse => !users.is_empty(),
            OnMember::RefuseIfAll => !users.is_empty() && users.len() == outcomes.len(),
            OnMember::Skip => false,
        };
        if refuse {
            return Err(Refusal::AlreadyMembers { group: group.id.clone(), users }.into());
        }
        Ok(())
    }

    fn route(&self, draft: &Draft<'_>, group: &Group) -> Result<InvitationRoute, Stop> {
        let consent = group.policy.invitee_consent;
        let actor_role = draft.actor_role(group)?;
        match actor_role {
            ActorRole::App => Ok(if self.ask && consent { InvitationRoute::Invitee } else { InvitationRoute::AtOnce }),
            ActorRole::Outsider => {
                Err(Refusal::NotPermitted { group: group.id.clone(), needs: Needs::Membership }.into())
            }
            ActorRole::Member(_) if !group.governed => Err(Refusal::NotGoverned(group.id.clone()).into()),
            ActorRole::Member(_) if !actor_role.is_in(group.policy.invite) => {
                Err(Refusal::NotPermitted { group: group.id.clone(), needs: Needs::Inviting }.into())
            }
            ActorRole::Member(_) => {
                let approval = group.policy.invitation_approval().filter(|circle| !actor_role.is_in(*circle));
                Ok(match (approval, consent) {
                    (Some(_), _) => InvitationRoute::Managers,
                    (_, true) => InvitationRoute::Invitee,
                    (_, false) => InvitationRoute::AtOnce,
                })
            }
        }
    }

    fn bring(
        &self,
        draft: &mut Draft<'_>,
        group: &mut Group,
        new_member: &NewMember,
        route: InvitationRoute,
    ) -> Result<AddOutcome, Stop> {
        let user = &new_member.user;
        ensure_user(draft, user, self.on_unknown)?;
        if draft.member(&group.id, user)?.is_some() {
            return Ok(AddOutcome::Already);
        }
        if is_blocked(draft, &group.id, user)? {
            return Err(Refusal::Blocked { group: group.id.clone(), users: vec![user.clone()] }.into());
        }
        match route {
            InvitationRoute::AtOnce => {
                self.let_in(draft, group, new_member)?;
                Ok(AddOutcome::Joined)
            }
            InvitationRoute::Invitee => {
                self.file(draft, group, user, Stage::AwaitsInvitee)?;
                Ok(AddOutcome::AwaitsInvitee)
            }
            InvitationRoute::Managers => {
                self.file(draft, group, user, Stage::AwaitsManagers)?;
                Ok(AddOutcome::AwaitsManagers)
            }
        }
    }

    /// Stores an invitation and notifies the users who decide about it.
    fn file(&self, draft: &mut Draft<'_>, group: &mut Group, user: &UserId, stage: Stage) -> Result<(), Stop> {
        let inviter = draft.context.actor.behind().cloned().or_else(|| group.owner.clone());
        let request = Request {
            group: group.id.clone(),
            user: user.clone(),
            inviter: inviter.clone(),
            kind: RequestKind::Invitation,
            stage,
            message: self.message.clone(),
            filed: draft.now(),
            expires: draft.now().plus(draft.context.settings.request_lifetime),
            verdict: None,
            labels: Labels::new(),
        };
        draft.put_request(group, request.clone());
        let mut users: Vec<UserId> = inviter.into_iter().collect();
        if stage == Stage::AwaitsInvitee {
            users.push(user.clone());
        }
        if stage == Stage::AwaitsManagers {
            add_deciders(draft, group, request.kind, &mut users)?;
        }
        let what = Happening::RequestChanged(Box::new(request));
        draft.emit_to_users(Some(&group.id), users, what);
        Ok(())
    }

    fn announce(&self, draft: &mut Draft<'_>, group: &Group, added: &Added) {
        let users: Vec<UserId> = added.joined().cloned().collect();
        if users.is_empty() || self.quiet == Quiet::Everybody {
            return;
        }
        let by = draft.context.actor.behind().cloned();
        let how = match draft.context.actor {
            Actor::User { .. } => Joining::Invited { by, agreed: false },
            _ => Joining::Added,
        };
        let audience =
            Audience { members_of: Some(group.id.clone()), users: users.clone(), silent: self.quiet == Quiet::Clients };
        draft.emit(
            Some(&group.id),
            audience,
            Happening::MembersJoined { users: users.clone(), how, members: group.members },
        );
        emit_to_appointed(draft, group, &users, self.quiet == Quiet::Clients);
    }

    /// Makes the user a member at once, if there is room.
    fn let_in(&self, draft: &mut Draft<'_>, group: &mut Group, new_member: &NewMember) -> Result<(), Stop> {
        check_room(group, self.most)?;
        check_group_quota(draft, &new_member.user)?;
        let actor_role = draft.actor_role(group)?;
        if (new_member.joined.is_some() || new_member.unread.is_some()) && actor_role != ActorRole::App {
            return Err(Refusal::AppOnly.into());
        }
        let joined = new_member.joined.unwrap_or(draft.now());
        if joined > draft.now() || joined < group.created {
            return Err(Refusal::InvalidValue(
                "the joining time of a member must lie between the creation of the group and now",
            )
            .into());
        }
        let highest = if group.governed && actor_role.is_in(group.policy.promote) { Role::Admin } else { Role::Member };
        let role = new_member.role.min(highest);
        seat(draft, group, &new_member.user, role, joined)?;
        if !new_member.fields.is_empty() {
            let mut member = draft.sure_member(&group.id, &new_member.user)?;
            member.fields.clone_from(&new_member.fields);
            draft.put_member(member);
        }
        if let Some(unread) = new_member.unread {
            set_unread(draft, group, &new_member.user, unread)?;
        }
        Ok(())
    }
}
