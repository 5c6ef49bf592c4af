//! One query or change by a client: the caller, and the parameters that all topics read in the same way.

use std::collections::HashSet;
use std::sync::Arc;

use conclave_core::event::Actor;
use conclave_core::model::{Group, GroupId, Member, User, UserId};
use conclave_core::ports::{Asked, GroupsExt, Typed};
use conclave_core::query::{FindGroups, FindUsers, MembersNamed};
use conclave_core::refusal::Refusal;
use prost::Message;

use super::show;
use super::wire::{ChannelsOutput, ChannelsPageParam, ChannelsUserInfo};
use crate::calls::{Caller, NotDone};
use crate::dialect::limits;
use crate::dialect::message::SYSTEM;
use crate::dialect::page::Pages;
use crate::realm::App;
use crate::refusals::{Code, Failure, client};
use crate::settings::Settings;

/// Why there is no reply: a status and, where the SDK looks for them, the invalid keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Denied {
    pub(crate) status: u16,
    pub(crate) keys: Vec<String>,
}

impl Denied {
    pub(crate) fn status(status: u16) -> Self {
        Self { status, keys: Vec::new() }
    }

    /// The same, with the invalid key.
    pub(crate) fn naming(self, key: impl Into<String>) -> Self {
        Self { keys: vec![key.into()], ..self }
    }

    /// The body with the keys; empty without keys.
    pub(crate) fn body(&self) -> Vec<u8> {
        if self.keys.is_empty() {
            return Vec::new();
        }
        ChannelsOutput { process_code: None, censor_failed_fields: self.keys.clone() }.encode_to_vec()
    }
}

impl From<Failure> for Denied {
    fn from(failure: Failure) -> Self {
        Self::status(client::of(&failure))
    }
}

impl From<NotDone> for Denied {
    fn from(why: NotDone) -> Self {
        match why {
            NotDone::Refused(refusal) => hosted(&refusal),
            NotDone::Failed(failure) => failure.into(),
        }
    }
}

impl From<Code> for Denied {
    fn from(code: Code) -> Self {
        Failure::from(code).into()
    }
}

/// The encoded reply to a query; a success may be empty.
pub(crate) type QueryReply = Result<Vec<u8>, Denied>;

/// A client's call.
pub(crate) struct Call<'a> {
    pub(crate) app: &'a App,
    pub(crate) user: &'a UserId,
    pub(crate) actor: Actor,
}

impl<'a> Call<'a> {
    pub(crate) fn new(app: &'a App, user: &'a UserId, device: &str) -> Self {
        Self { app, user, actor: Actor::User { user: user.clone(), device: Some(device.to_owned()) } }
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.app.realm.settings
    }

    // --- doing ---------------------------------------------------------------------------------------------

    /// Performs an operation in the user's name.
    pub(crate) async fn try_run<O: Typed>(&self, operation: O) -> Result<O::Reply, Refusal> {
        logged(self.app.realm.groups.run(&self.actor, operation).await)
    }

    /// The same, with the status of group methods.
    pub(crate) async fn run<O: Typed>(&self, operation: O) -> Result<O::Reply, Denied> {
        self.try_run(operation).await.map_err(|refusal| hosted(&refusal))
    }

    /// Runs a query as the user.
    pub(crate) async fn try_ask<Q: Asked>(&self, query: Q) -> Result<Q::Answer, Refusal> {
        logged(self.app.realm.groups.ask(&self.actor, query).await)
    }

    /// The same, with the status of group methods.
    pub(crate) async fn ask<Q: Asked>(&self, query: Q) -> Result<Q::Answer, Denied> {
        self.try_ask(query).await.map_err(|refusal| hosted(&refusal))
    }

    /// Runs a query for what this vendor shows every client, whatever the core shows non-members.
    pub(crate) async fn look<Q: Asked>(&self, query: Q) -> Result<Q::Answer, Denied> {
        self.try_look(query).await.map_err(|refusal| hosted(&refusal))
    }

    /// The same, with the refusal.
    pub(crate) async fn try_look<Q: Asked>(&self, query: Q) -> Result<Q::Answer, Refusal> {
        logged(self.app.realm.groups.ask(&Actor::app(), query).await)
    }

    /// The user as the caller of a method of hosted groups.
    pub(crate) fn caller(&self) -> Caller<'_> {
        Caller { app: self.app, actor: self.actor.clone() }
    }

    // --- reading -------------------------------------------------------------------------------------------

    /// The group's id. Any spelling is looked up, as groups created elsewhere have ids this vendor would not permit.
    pub(crate) fn group_id(id: Option<&String>) -> Result<GroupId, Denied> {
        GroupId::new(id.map_or("", String::as_str)).map_err(|_| Code::BadGroupId.into())
    }

    /// A user's id.
    pub(crate) fn user_id(id: &str) -> Result<UserId, Denied> {
        if id.len() > limits::USER_ID_BYTES {
            return Err(Code::FieldTooLong.into());
        }
        UserId::new(id).map_err(|_| Code::BadFormat.into())
    }

    /// Users without duplicates; at least one and at most so many.
    pub(crate) fn user_ids(ids: &[String], most: usize) -> Result<Vec<UserId>, Denied> {
        if ids.is_empty() || ids.len() > most {
            return Err(Code::BadParameter.into());
        }
        Self::distinct(ids)
    }

    /// Users without duplicates.
    pub(crate) fn distinct(ids: &[String]) -> Result<Vec<UserId>, Denied> {
        let mut seen = HashSet::new();
        let distinct = ids.iter().filter(|id| seen.insert(id.as_str()));
        distinct.map(|id| Self::user_id(id)).collect()
    }

    /// A hosted group.
    pub(crate) async fn hosted_group(&self, id: &GroupId) -> Result<Arc<Group>, Denied> {
        let found = self.look(FindGroups { groups: vec![id.clone()] }).await?.0.pop();
        let group = found.ok_or(Denied::status(client::HOSTING_FAILED))?.map_err(|refusal| hosted(&refusal))?;
        if group.governed { Ok(group) } else { Err(Code::NotHosted.into()) }
    }

    /// A hosted group of which the user is a member, and the membership.
    pub(crate) async fn own_group(&self, id: &GroupId) -> Result<(Arc<Group>, Arc<Member>), Denied> {
        let group = self.hosted_group(id).await?;
        let named = MembersNamed { group: id.clone(), users: vec![self.user.clone()] };
        let own = self.ask(named).await?.members.pop().flatten();
        Ok((group, own.ok_or(Code::NotMember)?))
    }

    /// The size of a page.
    pub(crate) fn page_size(page: &ChannelsPageParam, most: i32) -> Result<usize, Denied> {
        match page.size {
            None | Some(0) => Ok(50),
            Some(size) if (1..=most).contains(&size) => Ok(usize::try_from(size).unwrap_or(1)),
            Some(_) => Err(Code::BadParameter.into()),
        }
    }

    /// The page tokens of one of this user's lists.
    pub(crate) fn pages(&self, list: &str) -> Pages {
        Pages::of(&self.app.realm.credentials, &format!("socket {} {list}", self.user))
    }

    // --- encoding --------------------------------------------------------------------------------------------

    /// The accounts of these users, in order.
    pub(crate) async fn accounts(&self, users: &[UserId]) -> Result<Vec<Option<Arc<User>>>, Denied> {
        Ok(self.look(FindUsers { ids: users.to_vec(), folded: false }).await?.0)
    }

    /// Members in the SDK's format.
    pub(crate) async fn members(&self, members: &[Arc<Member>]) -> Result<Vec<ChannelsUserInfo>, Denied> {
        let users: Vec<UserId> = members.iter().map(|member| member.user.clone()).collect();
        let accounts = self.accounts(&users).await?;
        let shown = members.iter().zip(accounts);
        Ok(shown.map(|(member, user)| show::user(&member.user, Some(member), user.as_deref())).collect())
    }
}

/// The refusal of a group method.
pub(crate) fn hosted(refusal: &Refusal) -> Denied {
    Denied::status(client::hosted(refusal))
}

/// Logs errors that the caller did not cause.
fn logged<T>(result: Result<T, Refusal>) -> Result<T, Refusal> {
    if let Err(Refusal::Unavailable(error)) = &result {
        tracing::error!("the store failed during a client's call: {error}");
    }
    result
}

/// Decodes a protobuf message.
pub(crate) fn decode<M: Message + Default>(body: &[u8]) -> Result<M, Denied> {
    M::decode(body).map_err(|_| Denied::status(client::BAD_PARAMETER))
}

/// A number of milliseconds as the protocol encodes it.
pub(crate) fn millis(at: u64) -> i64 {
    i64::try_from(at).unwrap_or(i64::MAX)
}

/// The operator of events without a user.
pub(crate) fn system() -> String {
    SYSTEM.to_owned()
}
