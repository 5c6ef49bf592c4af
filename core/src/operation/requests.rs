//! Asking to join, and answering: applications, invitations and those who decide them.

use crate::decision::Draft;
use crate::event::{Audience, Happening, Joining};
use crate::facts::Stop;
use crate::model::{
    Circle, Group, GroupId, Join, Key, Labels, Prefix, Request, RequestKind, Role, Row, Stage, UserId, Verdict,
};
use crate::refusal::Refusal;

use super::Rule;
use super::common::{
    OnUnknown, check_group_quota, check_not_blocked, check_room, check_self, emit_to_appointed, ensure_user,
    require_new_members, seat,
};

/// A user asks to join. They join at once if the group is open, otherwise the managers decide.
///
/// A repeated request replaces the earlier one. The app may ask in a user's name, under the same rules of the group.
#[derive(Debug, Clone, PartialEq)]
pub struct Apply {
    /// The group to join.
    pub group: GroupId,
    /// The applicant; the acting user when missing.
    pub user: Option<UserId>,
    /// The text of the request.
    pub message: String,
    /// Values that only one surface has, stored with the request.
    pub labels: Labels,
    /// Most members the group may have by this call, where that is less than its capacity.
    pub most: Option<u32>,
}

impl Apply {
    /// A user asks to join, without a text.
    pub fn of(group: GroupId) -> Self {
        Self { group, user: None, message: String::new(), labels: Labels::new(), most: None }
    }
}

/// The outcome of a request to join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// The user is a member now.
    Joined,
    /// The managers have to decide.
    Waiting,
    /// Was in already.
    Already,
}

impl Rule for Apply {
    type Output = Applied;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<Applied, Stop> {
        let user = self.user.as_ref().or(draft.context.actor.behind());
        let user = user.ok_or(Refusal::InvalidValue("the applicant is missing"))?.clone();
        check_self(draft, &user)?;
        let mut group = draft.live_group(&self.group)?;
        require_new_members(draft, &self.group, group.asked, std::iter::once(&user))?;
        ensure_user(draft, &user, OnUnknown::Refuse)?;
        if draft.member(&self.group, &user)?.is_some() {
            return Ok(Applied::Already);
        }
        if !group.governed {
            return Err(Refusal::NotGoverned(group.id).into());
        }
        check_not_blocked(draft, &self.group, &user)?;
        match group.policy.join {
            Join::Closed => Err(Refusal::JoinClosed(group.id).into()),
            Join::Open => {
                let how = Joining::Asked { approved_by: None };
                let now_in = enter(draft, &mut group, &user, self.most)?;
                draft.put_group(group.clone());
                now_in.emit(draft, how, &group);
                Ok(Applied::Joined)
            }
            Join::Approval(_) => {
                self.file(draft, group, user)?;
                Ok(Applied::Waiting)
            }
        }
    }
}

impl Apply {
    fn file(&self, draft: &mut Draft<'_>, mut group: Group, user: UserId) -> Result<(), Stop> {
        let request = Request {
            group: group.id.clone(),
            user,
            inviter: None,
            kind: RequestKind::Application,
            stage: Stage::AwaitsManagers,
            message: self.message.clone(),
            filed: draft.now(),
            expires: draft.now().plus(draft.context.settings.request_lifetime),
            verdict: None,
            labels: self.labels.clone(),
        };
        keep(draft, &mut group, request, true)?;
        draft.put_group(group);
        Ok(())
    }
}

/// The invited user accepts or declines.
#[derive(Debug, Clone, PartialEq)]
pub struct AnswerInvitation {
    /// The group that the invitation is to.
    pub group: GroupId,
    /// Who was invited.
    pub user: UserId,
    /// The inviter; when missing, the latest invitation that waits for the user.
    pub inviter: Option<UserId>,
    /// Whether the request is accepted.
    pub accept: bool,
    /// The reason for declining; "" when there is none.
    pub reason: String,
    /// Most members the group may have by this call, where that is less than its capacity.
    pub most: Option<u32>,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decided {
    /// The user is in.
    Joined,
    /// The managers agree; now the invited user has to.
    AwaitsInvitee,
    /// Refused or declined.
    Refused,
}

impl Rule for AnswerInvitation {
    type Output = Decided;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<Decided, Stop> {
        check_self(draft, &self.user)?;
        let group = draft.live_group(&self.group)?;
        let request = pick(draft, &group, &self.user, self.inviter.as_ref(), Stage::AwaitsInvitee)?;
        if !self.accept {
            return refuse(draft, group, request, Stage::Declined, &self.reason);
        }
        let how = Joining::Invited { by: request.inviter.clone(), agreed: true };
        admit(draft, group, request, how, &self.reason, self.most)
    }
}

/// The managers accept or refuse an application, or an invitation that needs their approval.
#[derive(Debug, Clone, PartialEq)]
pub struct DecideRequest {
    /// The group that the request is to.
    pub group: GroupId,
    /// The applicant, or the invited user.
    pub user: UserId,
    /// Who invited them; without, the latest that waits for the managers.
    pub inviter: Option<UserId>,
    /// Whether the request is accepted.
    pub accept: bool,
    /// The reason for refusing; "" when there is none.
    pub reason: String,
    /// Most members the group may have by this call, where that is less than its capacity.
    pub most: Option<u32>,
}

impl Rule for DecideRequest {
    type Output = Decided;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<Decided, Stop> {
        let group = draft.live_group(&self.group)?;
        // users other than managers must not find out whether there is a request at all
        draft.permitted(&group, Circle::Managers)?;
        let request = pick(draft, &group, &self.user, self.inviter.as_ref(), Stage::AwaitsManagers)?;
        draft.permitted(&group, approvers(&group, request.kind))?;
        if !self.accept {
            return refuse(draft, group, request, Stage::RefusedByManagers, &self.reason);
        }
        if request.kind == RequestKind::Invitation && group.policy.invitee_consent {
            return self.pass_on(draft, group, request);
        }
        let by = draft.context.actor.behind().cloned();
        let how = match request.kind {
            RequestKind::Application => Joining::Asked { approved_by: by },
            RequestKind::Invitation => Joining::Invited { by: request.inviter.clone(), agreed: false },
        };
        admit(draft, group, request, how, &self.reason, self.most)
    }
}

impl DecideRequest {
    /// The managers approve an invitation; the invited user is asked next.
    fn pass_on(&self, draft: &mut Draft<'_>, mut group: Group, mut request: Request) -> Result<Decided, Stop> {
        request.stage = Stage::AwaitsInvitee;
        request.expires = draft.now().plus(draft.context.settings.request_lifetime);
        request.verdict = Some(verdict(draft, &self.reason));
        keep(draft, &mut group, request, true)?;
        draft.put_group(group);
        Ok(Decided::AwaitsInvitee)
    }
}

/// Who decides such a request in this group.
pub(crate) fn approvers(group: &Group, kind: RequestKind) -> Circle {
    match (kind, group.policy.join) {
        (RequestKind::Application, Join::Approval(circle)) => circle.min(Circle::Managers),
        (RequestKind::Application, _) => Circle::Managers,
        (RequestKind::Invitation, _) => group.policy.invitation_approval().unwrap_or(Circle::Managers),
    }
}

/// The request that waits at this stage.
fn pick(
    draft: &Draft<'_>,
    group: &Group,
    user: &UserId,
    inviter: Option<&UserId>,
    stage: Stage,
) -> Result<Request, Stop> {
    let found: Vec<Row> = match inviter {
        Some(inviter) => {
            let key = Key::Request(group.id.clone(), user.clone(), inviter.as_str().to_owned());
            draft.row(&key)?.into_iter().collect()
        }
        None => draft.run(Prefix::requests_for(&group.id, user))?.to_vec(),
    };
    let requests = || found.iter().filter_map(Row::request);
    let waiting = requests().filter(|request| request.stage == stage && request.is_open_at(draft.now()));
    if let Some(request) = waiting.max_by_key(|request| request.filed) {
        return Ok(Request::clone(request));
    }
    let decided = requests().any(|request| request.verdict.is_some());
    let refusal = if decided { Refusal::RequestDecided } else { Refusal::RequestNotFound };
    Err(refusal(group.id.clone()).into())
}

/// Lets the user of a request in.
fn admit(
    draft: &mut Draft<'_>,
    mut group: Group,
    mut request: Request,
    how: Joining,
    reason: &str,
    most: Option<u32>,
) -> Result<Decided, Stop> {
    let user = request.user.clone();
    require_new_members(draft, &group.id, group.asked, std::iter::once(&user))?;
    ensure_user(draft, &user, OnUnknown::Refuse)?;
    check_not_blocked(draft, &group.id, &user)?;
    let now_in = enter(draft, &mut group, &user, most)?;
    // the managers a request waited for are notified of its outcome
    let managers = request.stage == Stage::AwaitsManagers || request.verdict.is_some();
    request.stage = Stage::Joined;
    request.verdict = Some(verdict(draft, reason));
    keep(draft, &mut group, request, managers)?;
    draft.put_group(group.clone());
    now_in.emit(draft, how, &group);
    Ok(Decided::Joined)
}

fn refuse(
    draft: &mut Draft<'_>,
    mut group: Group,
    mut request: Request,
    stage: Stage,
    reason: &str,
) -> Result<Decided, Stop> {
    let managers = request.stage == Stage::AwaitsManagers || request.verdict.is_some();
    request.stage = stage;
    request.verdict = Some(verdict(draft, reason));
    keep(draft, &mut group, request, managers)?;
    draft.put_group(group);
    Ok(Decided::Refused)
}

fn verdict(draft: &Draft<'_>, reason: &str) -> Verdict {
    Verdict { by: draft.context.actor.behind().cloned(), at: draft.now(), reason: reason.to_owned() }
}

/// Stores a request and notifies both sides, and those who decide about it where it concerns them.
fn keep(draft: &mut Draft<'_>, group: &mut Group, request: Request, managers: bool) -> Result<(), Stop> {
    let mut users: Vec<UserId> = request.inviter.iter().cloned().collect();
    // an invited user who has not been asked yet is not notified that the managers review or refuse the invitation
    let unaware = request.kind == RequestKind::Invitation
        && matches!(request.stage, Stage::AwaitsManagers | Stage::RefusedByManagers);
    if !unaware && !users.contains(&request.user) {
        users.push(request.user.clone());
    }
    if managers {
        add_deciders(draft, group, request.kind, &mut users)?;
    }
    let what = Happening::RequestChanged(Box::new(request.clone()));
    draft.put_request(group, request);
    draft.emit_to_users(Some(&group.id), users, what);
    Ok(())
}

/// Adds those who decide such requests in this group now: managers who are added later find them by listing requests.
pub(super) fn add_deciders(
    draft: &Draft<'_>,
    group: &Group,
    kind: RequestKind,
    users: &mut Vec<UserId>,
) -> Result<(), Stop> {
    let mut deciders: Vec<UserId> = group.owner.iter().cloned().collect();
    if group.admins > 0 && approvers(group, kind) >= Circle::Managers {
        let admins = draft.run(Prefix::admins(&group.id))?;
        deciders.extend(admins.iter().filter_map(Row::to_user).map(|user| (**user).clone()));
    }
    deciders.retain(|user| !users.contains(user));
    users.append(&mut deciders);
    Ok(())
}

/// A user who has just joined.
struct NowIn {
    user: UserId,
}

/// Adds a user as a member if there is room; the caller stores the header and then emits the event.
fn enter(draft: &mut Draft<'_>, group: &mut Group, user: &UserId, most: Option<u32>) -> Result<NowIn, Stop> {
    check_room(group, most)?;
    check_group_quota(draft, user)?;
    let now = draft.now();
    seat(draft, group, user, Role::Member, now)?;
    Ok(NowIn { user: user.clone() })
}

impl NowIn {
    fn emit(self, draft: &mut Draft<'_>, how: Joining, group: &Group) {
        let users = vec![self.user];
        let audience = Audience { members_of: Some(group.id.clone()), users: users.clone(), silent: false };
        let what = Happening::MembersJoined { users: users.clone(), how, members: group.members };
        draft.emit(Some(&group.id), audience, what);
        emit_to_appointed(draft, group, &users, false);
    }
}
