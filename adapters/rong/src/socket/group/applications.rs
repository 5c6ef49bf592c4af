//! `qChannelApplyList`: applications and invitations that the caller sent, received, or has to decide.

use std::collections::HashMap;
use std::sync::Arc;

use conclave_core::decision::ActorRole;
use conclave_core::model::{Circle, Group, Join, Member, Millis, Request, RequestKind, Role, Stage, UserId};
use conclave_core::query::{Cursor, JoinedGroups, Requests, RequestsOf};

use super::{applications, page};
use crate::dialect::page::PageStart;
use crate::refusals::Code;
use crate::socket::call::{Call, Denied, QueryReply, decode};
use crate::socket::show::{self, Direction};
use crate::socket::wire::ChannelsQueryInput;

/// How long applications are listed, milliseconds: seven days (documented).
const KEPT: u64 = 7 * 24 * 3600 * 1000;
/// Most of them, over all groups: more are not collected.
const MOST: usize = 4096;

/// A page of them by the time of their last change.
pub(crate) async fn list(call: &Call<'_>, body: &[u8]) -> QueryReply {
    let asked: ChannelsQueryInput = decode(body)?;
    let option = asked.page.unwrap_or_default();
    let size = Call::page_size(&option, 200)?;
    let newest_first = option.order == Some(1);
    let pages = call.pages(&format!("applications {newest_first}"));
    let after = match pages.place(option.page_token.as_deref())? {
        None => None,
        Some(PageStart::After(cursor)) => Some(cursor),
        Some(PageStart::Skip(_)) => return Err(Code::PageToken.into()),
    };

    let now = call.app.realm.groups.now();
    let mut found = all(call, now).await?;
    found.sort_by_cached_key(|request| place(request).0);
    if newest_first {
        found.reverse();
    }
    let total = found.len();
    if let Some(after) = &after {
        found.retain(|request| {
            let place = place(request);
            if newest_first { place.0 < after.0 } else { place.0 > after.0 }
        });
    }
    let more = found.len() > size;
    found.truncate(size);
    let next = found.last().filter(|_| more).map(|request| place(request)).map(PageStart::After);

    let users = people(&found);
    let accounts = call.accounts(&users).await?;
    let shown: HashMap<&UserId, _> =
        users.iter().zip(accounts).map(|(id, user)| (id, show::user(id, None, user.as_deref()))).collect();
    let user = |id: &UserId| shown.get(id).cloned().unwrap_or_else(|| show::user(id, None, None));
    let entry = |request: &Arc<Request>| show::request(request, Direction::of(request, call.user), now, user);
    Ok(applications(found.iter().map(entry).collect(), Some(page(size, pages.token(next), total))))
}

/// All that concern the caller and are not too old.
async fn all(call: &Call<'_>, now: Millis) -> Result<Vec<Arc<Request>>, Denied> {
    let own = call.ask(Requests::all(RequestsOf::User(call.user.clone()))).await?.requests;
    let mut found: Vec<Arc<Request>> = own.into_iter().filter(|request| is_aware(request)).collect();
    let joined = call.ask(JoinedGroups::all(call.user.clone())).await?.groups;
    for (group, member) in joined.iter().filter(|(group, _)| group.asked && group.governed) {
        // members who do not decide see only those of a group's requests that they made
        let requests = call.look(Requests::all(RequestsOf::Group(group.id.clone()))).await?.requests;
        found.extend(requests.into_iter().filter(|request| {
            let is_recent = show::changed(request).plus(KEPT) > now;
            let concerns = request.inviter.as_ref() == Some(call.user) || decides(group, member, request);
            is_recent && request.user != *call.user && concerns
        }));
        if found.len() > MOST {
            return Err(Code::Refused.into());
        }
    }
    found.retain(|request| show::changed(request).plus(KEPT) > now);
    Ok(found)
}

/// Whether an invited user is shown it: not before the managers have approved.
pub(crate) fn is_aware(request: &Request) -> bool {
    match (request.kind, request.stage) {
        (RequestKind::Application, _) | (RequestKind::Invitation, Stage::AwaitsInvitee | Stage::Declined) => true,
        (RequestKind::Invitation, Stage::AwaitsManagers | Stage::RefusedByManagers) => false,
        // a user who was added without being asked was not invited
        (RequestKind::Invitation, Stage::Joined) => {
            request.verdict.as_ref().is_some_and(|verdict| verdict.by.as_ref() == Some(&request.user))
        }
    }
}

/// Whether this member is one of those who decide such requests, and this one had to be decided by them.
pub(crate) fn decides(group: &Group, member: &Member, request: &Request) -> bool {
    let circle = match (request.kind, group.policy.join) {
        (RequestKind::Application, Join::Approval(circle)) => circle.min(Circle::Managers),
        (RequestKind::Application, _) => Circle::Managers,
        (RequestKind::Invitation, _) => match group.policy.invitation_approval() {
            Some(circle) => circle.min(Circle::Managers),
            None => return false,
        },
    };
    member.role > Role::Member && ActorRole::Member(member.role).is_in(circle)
}

/// All users in these requests.
pub(crate) fn people<'r>(requests: impl IntoIterator<Item = &'r Arc<Request>>) -> Vec<UserId> {
    let mut users: Vec<UserId> = requests
        .into_iter()
        .flat_map(|request| {
            let decider = request.verdict.as_ref().and_then(|verdict| verdict.by.as_ref());
            [Some(&request.user), request.inviter.as_ref(), decider]
        })
        .flatten()
        .cloned()
        .collect();
    users.sort_unstable();
    users.dedup();
    users
}

/// A request's position in the order of change.
fn place(request: &Request) -> Cursor {
    let mut place = show::changed(request).0.to_be_bytes().to_vec();
    let inviter = request.inviter.as_ref().map_or("", UserId::as_str);
    for part in [request.group.as_str(), request.user.as_str(), inviter] {
        place.extend_from_slice(part.as_bytes());
        place.push(0);
    }
    Cursor(place)
}
