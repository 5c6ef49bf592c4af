//! One call: the request, and what is needed to answer it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::net::IpAddr;

use conclave_core::event::Actor;
use conclave_core::model::{GroupId, User, UserId};
use conclave_core::operation::OnRefusal;
use conclave_core::ports::{Asked, GroupsExt, Typed};
use conclave_core::query::{Cursor, FindUsers, FindUsersFor};
use conclave_core::refusal::Refusal;
use conclave_kit::{ByteStream, Reading, Route, decode_cursor, decode_segment, query_pairs, split_list};
use http::HeaderMap;
use serde::Serialize;
use serde::ser::SerializeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::body::Sent;
use crate::auth::{Claims, Passwords};
use crate::dialect::ids::fold;
use crate::realm::App;
use crate::refusals::{self, ErrorContext, Failure};
use crate::surface::failure_for;

/// One call whose app and token have been checked.
pub(crate) struct Call<'a> {
    pub(crate) app: &'a App,
    pub(crate) passwords: &'a Passwords,
    /// The caller.
    pub(crate) actor: Actor,
    /// The claims of the caller's token, where one is required.
    pub(crate) claims: Option<Claims>,
    pub(crate) headers: &'a HeaderMap,
    /// The parts of the path in braces.
    pub(crate) params: Params,
    pub(crate) query: Query<'a>,
    pub(crate) body: Sent<'a>,
    /// The body as a stream, if the operation reads it so.
    pub(crate) pieces: Mutex<Option<ByteStream>>,
    /// The requested URL without its query.
    pub(crate) url: String,
    /// The client's address, if known.
    pub(crate) address: Option<IpAddr>,
    /// Selects the error texts of refusals.
    pub(crate) place: ErrorContext,
}

impl Call<'_> {
    /// A part of the path.
    pub(crate) fn param(&self, name: &str) -> &str {
        self.params.get(name).unwrap_or_default()
    }

    /// The group in the path. An invalid id is reported like an unknown group.
    pub(crate) fn group(&self) -> Result<GroupId, Failure> {
        let id = self.param("group");
        GroupId::new(id).map_err(|_| refusals::group_unknown(self.place, id))
    }

    /// The users in the path, in lower case, without duplicates.
    pub(crate) fn users(&self) -> Vec<String> {
        split_list(&fold(self.param("user")))
    }

    /// The calling user, if a user calls.
    pub(crate) fn caller(&self) -> Option<&UserId> {
        match &self.actor {
            Actor::User { user, .. } => Some(user),
            _ => None,
        }
    }

    /// Performs an operation for the caller.
    pub(crate) async fn run<O: Typed>(&self, operation: O) -> Result<O::Reply, Failure> {
        self.app.groups.run(&self.actor, operation).await.map_err(|refusal| self.word(&refusal))
    }

    /// Performs several operations for the caller in one commit; returns the outcome of each.
    pub(crate) async fn run_each<O: Typed>(
        &self,
        on_refusal: OnRefusal,
        operations: Vec<O>,
    ) -> Result<Vec<Result<O::Reply, Refusal>>, Failure> {
        let done = self.app.groups.run_each(&self.actor, on_refusal, operations).await;
        done.map_err(|refusal| self.word(&refusal))
    }

    /// Answers a query for the caller.
    pub(crate) async fn ask<Q: Asked>(&self, query: Q) -> Result<Q::Answer, Failure> {
        self.app.groups.ask(&self.actor, query).await.map_err(|refusal| self.word(&refusal))
    }

    /// Answers a query for the caller; the operation maps refusals itself.
    pub(crate) async fn try_ask<Q: Asked>(&self, query: Q) -> Result<Q::Answer, Refusal> {
        self.app.groups.ask(&self.actor, query).await
    }

    /// Answers a query without the caller's limits; the operation has checked their permission.
    pub(crate) async fn ask_as_app<Q: Asked>(&self, query: Q) -> Result<Q::Answer, Failure> {
        self.app.groups.ask(&Actor::app(), query).await.map_err(|refusal| self.word(&refusal))
    }

    /// The body as a stream, once; empty after that, and for a body that was read as a whole.
    pub(crate) fn upload(&self) -> ByteStream {
        let pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner).take();
        pieces.unwrap_or_else(|| Box::pin(futures_util::stream::empty()))
    }

    /// The vendor's error for a refusal.
    pub(crate) fn word(&self, refusal: &Refusal) -> Failure {
        failure_for(self.app, self.place, refusal)
    }

    /// The accounts with these names, in order.
    pub(crate) async fn find_users(&self, names: &[String]) -> Result<Vec<Option<Arc<User>>>, Failure> {
        // an invalid id has no account, but keeps its position
        let ids: Vec<Option<UserId>> = names.iter().map(|name| UserId::new(fold(name)).ok()).collect();
        let named: Vec<UserId> = ids.iter().flatten().cloned().collect();
        // who an account is does not depend on who asks, but on the group that the question is about
        let (app, groups) = (Actor::app(), &self.app.groups);
        let in_general = FindUsers { ids: named.clone(), folded: true };
        let found = match self.params.get("group").and_then(|id| GroupId::new(id).ok()) {
            Some(group) => match groups.ask(&app, FindUsersFor { group, ids: named }).await {
                // not every backend knows accounts by their groups
                Err(Refusal::NotOffered { .. }) => groups.ask(&app, in_general).await.map(|found| found.0),
                found => found.map(|found| found.0),
            },
            None => groups.ask(&app, in_general).await.map(|found| found.0),
        };
        let mut found = found.map_err(|refusal| self.word(&refusal))?.into_iter();
        Ok(ids.into_iter().map(|id| id.and_then(|_| found.next().flatten())).collect())
    }

    /// The account with a name.
    pub(crate) async fn find_user(&self, name: &str) -> Result<Option<Arc<User>>, Failure> {
        Ok(self.find_users(&[name.to_owned()]).await?.pop().flatten())
    }

    /// The account with a name; refused if there is none.
    pub(crate) async fn user(&self, name: &str) -> Result<Arc<User>, Failure> {
        self.find_user(name).await?.ok_or_else(|| refusals::user_unknown(self.place, &fold(name)))
    }

    /// The account's id for a name, or the name itself where an unknown user is reported like a non-member.
    pub(crate) async fn user_or_same(&self, name: &str) -> Result<UserId, Failure> {
        match self.find_user(name).await? {
            Some(user) => Ok(user.id.clone()),
            None => UserId::new(fold(name)).map_err(|_| refusals::user_unknown(self.place, &fold(name))),
        }
    }

    /// The accounts with these names; refused if one is missing.
    pub(crate) async fn all_users(&self, names: &[String]) -> Result<Vec<UserId>, Failure> {
        let found = self.find_users(names).await?;
        let known = |(name, user): (&String, Option<Arc<User>>)| {
            user.map(|user| user.id.clone()).ok_or_else(|| refusals::user_unknown(self.place, &fold(name)))
        };
        names.iter().zip(found).map(known).collect()
    }

    /// The accounts with these names; if one is missing, refused as a non-member.
    pub(crate) async fn members_or_refuse(&self, group: &GroupId, names: &[String]) -> Result<Vec<UserId>, Failure> {
        let found = self.find_users(names).await?;
        let unknown: Vec<Cow<'_, str>> =
            names.iter().zip(&found).filter(|(_, user)| user.is_none()).map(|(name, _)| fold(name).into()).collect();
        if unknown.is_empty() {
            return Ok(found.iter().flatten().map(|user| user.id.clone()).collect());
        }
        Err(refusals::not_members(self.place, group, &unknown))
    }

    /// For each name whether there is an account, and the accounts; refused if there are none.
    pub(crate) async fn known(
        &self,
        group: &GroupId,
        names: &[String],
    ) -> Result<(Vec<(String, bool)>, Vec<UserId>), Failure> {
        let found = self.find_users(names).await?;
        let users: Vec<UserId> = found.iter().flatten().map(|user| user.id.clone()).collect();
        if users.is_empty() {
            let names: Vec<Cow<'_, str>> = names.iter().map(|name| fold(name).into()).collect();
            return Err(refusals::not_members(self.place, group, &names));
        }
        Ok((names.iter().map(|name| fold(name)).zip(found.iter().map(Option::is_some)).collect(), users))
    }

    /// A page's size: the default if the parameter is missing or invalid, and never more than the maximum.
    pub(crate) fn page(&self, name: &str, default: usize, most: usize) -> usize {
        self.query.number(name).filter(|size| *size > 0).unwrap_or(default).min(most).max(1)
    }

    /// The cursor of the requested page.
    pub(crate) fn cursor(&self) -> Result<Option<Cursor>, Failure> {
        let Some(text) = self.query.get("cursor") else { return Ok(None) };
        // our choice: the vendor publishes no error text for an invalid cursor
        decode_cursor(text).map(Some).ok_or_else(|| refusals::invalid("cursor is illegal"))
    }
}

/// The parts of a path in braces, by their names in the route.
#[derive(Debug)]
pub(crate) struct Params(Vec<(&'static str, String)>);

impl Params {
    /// Reads them from a path of this route. A segment that is not UTF-8 matches nothing.
    pub(crate) fn of<H>(route: &Route<H>, path: &str) -> Result<Self, Failure> {
        let decoded = |(name, value)| Some((name, decode_segment(value)?));
        let params: Option<Vec<_>> = route.params(path).map(decoded).collect();
        params.map(Self).ok_or_else(refusals::no_service)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(other, _)| *other == name).map(|(_, value)| value.as_str())
    }
}

/// The query of a URL. Clients send the words `undefined` and `null`, and empty values, for missing parameters.
#[derive(Debug)]
pub(crate) struct Query<'a>(Vec<(String, String)>, &'a Reading);

impl<'a> Query<'a> {
    pub(crate) fn read(query: &str, reading: &'a Reading) -> Self {
        let said = |value: &str| !matches!(value, "" | "undefined" | "null");
        let pairs: Vec<(String, String)> = query_pairs(query).into_iter().filter(|(_, value)| said(value)).collect();
        for (name, _) in &pairs {
            reading.carries(name);
        }
        Self(pairs, reading)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.1.reads(name);
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Records that a parameter is read, whether it is there or not.
    pub(crate) fn reads(&self, name: &str) {
        self.1.reads(name);
    }

    pub(crate) fn number(&self, name: &str) -> Option<usize> {
        self.get(name)?.parse().ok()
    }

    pub(crate) fn is_true(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }

    /// Whether the newer response format is requested.
    pub(crate) fn is_v3(&self) -> bool {
        self.get("version") == Some("v3")
    }
}

/// Echoed as `params`: each name with all its values.
impl Serialize for Query<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let mut places: HashMap<&str, usize> = HashMap::new();
        let mut names: Vec<(&str, Vec<&str>)> = Vec::new();
        for (name, value) in &self.0 {
            let place = *places.entry(name).or_insert(names.len());
            match names.get_mut(place) {
                Some((_, values)) => values.push(value),
                None => names.push((name, vec![value])),
            }
        }
        for (name, values) in names {
            map.serialize_entry(name, &values)?;
        }
        map.end()
    }
}
