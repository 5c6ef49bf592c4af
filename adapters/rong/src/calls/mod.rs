//! The methods of hosted groups, one file per command or family, for the app's server (`rest/entrust`) and for users'
//! clients (`socket/group`). The transports decode and check texts, identify the caller, and encode the result.

pub(crate) mod create;
pub(crate) mod follow;
pub(crate) mod join;
pub(crate) mod leave;
pub(crate) mod managers;
pub(crate) mod members;
pub(crate) mod profile;
pub(crate) mod remark;
pub(crate) mod transfer;

use std::collections::BTreeMap;
use std::sync::Arc;

use conclave_core::event::Actor;
use conclave_core::model::{Group, GroupId, UserId};
use conclave_core::ports::{Asked, GroupsExt as _, Typed};
use conclave_core::query::{FindUsers, GroupById, MembersNamed};
use conclave_core::refusal::Refusal;

use crate::dialect::limits;
use crate::dialect::permissions::Permissions;
use crate::dialect::profile::ProfileText;
use crate::realm::App;
use crate::refusals::{Code, Failure};

/// The caller: the app, or one of its users.
pub(crate) struct Caller<'a> {
    pub(crate) app: &'a App,
    pub(crate) actor: Actor,
}

/// Why a call failed. Each transport has its own code for a refusal of the core.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotDone {
    /// The core refuses it.
    Refused(Refusal),
    /// The vendor refuses it before the core is called.
    Failed(Failure),
}

impl From<Refusal> for NotDone {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Failure> for NotDone {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Code> for NotDone {
    fn from(code: Code) -> Self {
        Self::Failed(code.into())
    }
}

/// The fields of a group's profile, permissions and extended profile in a call; missing ones stay as they are.
pub(crate) struct Texts {
    pub(crate) profile: ProfileText,
    pub(crate) permissions: Permissions,
    pub(crate) fields: BTreeMap<String, String>,
}

impl<'a> Caller<'a> {
    /// The app's server.
    pub(crate) fn app(app: &'a App) -> Self {
        Self { app, actor: Actor::app() }
    }

    /// The calling user, if a user calls.
    pub(crate) fn user(&self) -> Option<&UserId> {
        match &self.actor {
            Actor::User { user, .. } => Some(user),
            _ => None,
        }
    }

    /// Performs an operation in the caller's name.
    pub(crate) async fn run<O: Typed>(&self, operation: O) -> Result<O::Reply, NotDone> {
        Ok(logged(self.app.realm.groups.run(&self.actor, operation).await)?)
    }

    /// Runs a query in the caller's name.
    pub(crate) async fn ask<Q: Asked>(&self, query: Q) -> Result<Q::Answer, NotDone> {
        Ok(logged(self.app.realm.groups.ask(&self.actor, query).await)?)
    }

    /// Runs a query for what this vendor shows everyone, whatever the core shows non-members.
    pub(crate) async fn look<Q: Asked>(&self, query: Q) -> Result<Q::Answer, NotDone> {
        Ok(logged(self.app.realm.groups.ask(&Actor::app(), query).await)?)
    }

    /// A hosted group; legacy groups have to be imported first.
    pub(crate) async fn hosted_group(&self, group: &GroupId) -> Result<Arc<Group>, NotDone> {
        let found = self.look(GroupById { group: group.clone() }).await?.group;
        if found.governed { Ok(found) } else { Err(Code::NotHosted.into()) }
    }

    /// The same; a calling user has to be a member.
    pub(crate) async fn own_group(&self, group: &GroupId) -> Result<Arc<Group>, NotDone> {
        let found = self.hosted_group(group).await?;
        let Some(user) = self.user() else { return Ok(found) };
        let named = MembersNamed { group: group.clone(), users: vec![user.clone()] };
        let own = self.ask(named).await?.members.pop().flatten();
        if own.is_some() { Ok(found) } else { Err(Code::NotMember.into()) }
    }

    /// Refuses users whose accounts would have to be created with an id the vendor does not permit; accounts created
    /// elsewhere keep their spelling. `key` is the field that names them.
    pub(crate) async fn check_new_members(&self, key: &str, users: &[UserId]) -> Result<(), NotDone> {
        let odd: Vec<UserId> = users.iter().filter(|user| !limits::is_user_id(user.as_str())).cloned().collect();
        if odd.is_empty() {
            return Ok(());
        }
        let found = self.look(FindUsers { ids: odd, folded: false }).await?;
        if found.0.iter().all(Option::is_some) {
            return Ok(());
        }
        Err(Code::BadFormat.saying(format!("{key} contains illegal characters")).into())
    }
}

/// Logs errors that the caller did not cause.
fn logged<T>(result: Result<T, Refusal>) -> Result<T, Refusal> {
    if let Err(Refusal::Unavailable(why)) = &result {
        tracing::error!(%why, "the store failed");
    }
    result
}
