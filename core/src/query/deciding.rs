//! Which requests wait for a user's decision.

use std::cmp::Reverse;
use std::sync::Arc;

use crate::decision::ActorRole;
use crate::model::{Group, Key, Member, Millis, Prefix, Request, RequestKind, Row, Stage, UserId};
use crate::operation::approvers;
use crate::ports::Span;
use crate::refusal::Refusal;

use super::{Cursor, Reader};

/// How many rows are read at a time.
const CHUNK: usize = 512;

/// The requests that one user decides or could decide, newest first: invitations of the user, and requests for the
/// groups in which the user is an approver. Decided ones are included as long as they are stored; expired ones are not.
/// Users see their own only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestsToDecide {
    /// Who decides.
    pub user: UserId,
    /// Only those created at this time or earlier.
    pub until: Option<Millis>,
    /// Most requests.
    pub limit: usize,
}

/// Requests with the groups they are for.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestsDecided(pub Vec<(Arc<Group>, Arc<Request>)>);

impl RequestsToDecide {
    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<RequestsDecided, Refusal> {
        super::personal::check_self(reader, &self.user)?;
        let mut found = Newest { until: self.until, limit: self.limit, requests: Vec::new() };
        for request in invitations(reader, &self.user).await? {
            found.offer(&request);
        }
        for (group, member) in managed(reader, &self.user).await? {
            let decides = |request: &Request| {
                let asked_managers = request.kind == RequestKind::Application
                    || matches!(request.stage, Stage::AwaitsManagers | Stage::RefusedByManagers)
                    || request.verdict.as_ref().is_some_and(|verdict| verdict.by.as_ref() != Some(&request.user));
                asked_managers && ActorRole::Member(member.role).is_in(approvers(&group, request.kind))
            };
            let mut after: Option<Cursor> = None;
            loop {
                let span = Span::first(Prefix::requests(&group.id), CHUNK).after(after.map(|cursor| cursor.0));
                let (rows, next) = reader.page(&span).await?;
                let requests = rows.iter().filter_map(Row::request);
                let others = requests.filter(|request| request.user != self.user && is_listed(request, reader.now));
                others.filter(|request| decides(request)).for_each(|request| found.offer(request));
                if next.is_none() {
                    break;
                }
                after = next;
            }
        }
        with_groups(reader, found.finish()).await
    }
}

/// Whether a request is open or was decided: one that expired without a decision is no longer returned.
fn is_listed(request: &Request, now: Millis) -> bool {
    request.is_open_at(now) || !request.stage.is_open()
}

/// The invitations that the user answers.
async fn invitations(reader: &Reader<'_>, user: &UserId) -> Result<Vec<Arc<Request>>, Refusal> {
    let rows = reader.store.scan(&Span::all(Prefix::requests_of(user))).await?;
    let reached = |request: &Arc<Request>| {
        let answered = request.verdict.as_ref().is_some_and(|verdict| verdict.by.as_ref() == Some(user));
        request.kind == RequestKind::Invitation
            && request.user == *user
            && (request.stage == Stage::AwaitsInvitee || answered)
            && is_listed(request, reader.now)
    };
    Ok(rows.iter().filter_map(|(_, row)| row.request()).filter(|request| reached(request)).cloned().collect())
}

/// The groups with requests in which the user is more than an ordinary member.
async fn managed(reader: &Reader<'_>, user: &UserId) -> Result<Vec<(Arc<Group>, Arc<Member>)>, Refusal> {
    let pointers = reader.store.scan(&Span::all(Prefix::joined(user))).await?;
    let groups = pointers.iter().filter_map(|(_, row)| row.to_group());
    let keys: Vec<Key> =
        groups.flat_map(|id| [Key::Group((**id).clone()), Key::Member((**id).clone(), user.clone())]).collect();
    let mut managed = Vec::new();
    for keys in keys.chunks(2 * CHUNK) {
        let rows = reader.store.fetch(keys).await?;
        for pair in rows.chunks_exact(2) {
            let (Some(Row::Group(group)), Some(Row::Member(member))) = (&pair[0], &pair[1]) else { continue };
            if group.governed && group.asked && member.role > crate::model::Role::Member {
                managed.push((group.clone(), member.clone()));
            }
        }
    }
    Ok(managed)
}

/// The newest requests among those offered; no more than twice the limit are held at a time.
struct Newest {
    until: Option<Millis>,
    limit: usize,
    requests: Vec<Arc<Request>>,
}

impl Newest {
    fn offer(&mut self, request: &Arc<Request>) {
        if self.until.is_some_and(|until| request.filed > until) {
            return;
        }
        self.requests.push(request.clone());
        if self.requests.len() >= self.limit.saturating_mul(2).max(CHUNK) {
            self.cut();
        }
    }

    fn cut(&mut self) {
        self.requests.sort_by_key(|request| Reverse(request.filed));
        self.requests.truncate(self.limit);
    }

    fn finish(mut self) -> Vec<Arc<Request>> {
        self.cut();
        self.requests
    }
}

async fn with_groups(reader: &Reader<'_>, requests: Vec<Arc<Request>>) -> Result<RequestsDecided, Refusal> {
    let keys: Vec<Key> = requests.iter().map(|request| Key::Group(request.group.clone())).collect();
    let rows = reader.store.fetch(&keys).await?;
    let pairs = requests.into_iter().zip(rows);
    let known = pairs.filter_map(|(request, row)| Some((row.as_ref().and_then(Row::group)?.clone(), request)));
    Ok(RequestsDecided(known.collect()))
}
