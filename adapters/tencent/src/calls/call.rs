//! One call: app, caller and request, and the parameters that all commands read in the same way.

use std::sync::Arc;

use conclave_core::event::Actor;
use conclave_core::model::{Group, GroupId, Millis, Topic, TopicId, UserId};
use conclave_core::operation::{
    DropMessage, NewUser, OnExisting, OnRefusal, OnUnknown, Operation, RegisterUsers, Reply, SendMessage, Together,
};
use conclave_core::ports::{Asked, Groups, GroupsExt, Typed};
use conclave_core::query::{FindUsers, GroupById, Topics};
use conclave_core::refusal::Refusal;
use conclave_kit::{Reading, Unread};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_ignored::Path;
use serde_json::{Map, Value};

use super::wire::Account;
use crate::dialect::limits;
use crate::realm::App;
use crate::refusals::{Code, Failure, Family};
use crate::settings::Settings;
use crate::webhooks::{self, Asked as Answered};

/// A user who has signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// The user's id.
    pub user: UserId,
    /// The device they call from, if known: it gets its own changes with the response, not as an event.
    pub device: Option<String>,
    /// For clients with a connection: the number of the last event before their first command. Later ones are pushed.
    pub pushed_after: Option<u64>,
    /// The URL of the vendor's surface as the client reaches it, without a trailing slash.
    pub root_url: Arc<str>,
}

/// The caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Caller {
    /// An admin of the app, who has the owner's rights in every group.
    Admin(String),
    /// A signed-in user, with the rights the group gives them.
    User(SignedIn),
}

/// One call of a command.
pub(crate) struct Call<'a> {
    pub(crate) app: &'a App,
    caller: Caller,
    family: Family,
    body: &'a [u8],
    reading: Reading,
}

impl<'a> Call<'a> {
    pub(crate) fn new(app: &'a App, caller: Caller, family: Family, body: &'a [u8]) -> Self {
        Self { app, caller, family, body, reading: Reading::default() }
    }

    /// The calling account.
    pub(crate) fn account(&self) -> &str {
        match &self.caller {
            Caller::Admin(admin) => admin,
            Caller::User(signed_in) => signed_in.user.as_str(),
        }
    }

    /// The signed-in user who calls; `None` when the app calls.
    pub(crate) fn user(&self) -> Option<&UserId> {
        match &self.caller {
            Caller::Admin(_) => None,
            Caller::User(signed_in) => Some(&signed_in.user),
        }
    }

    /// The calling device, if known.
    pub(crate) fn device(&self) -> Option<&str> {
        match &self.caller {
            Caller::Admin(_) => None,
            Caller::User(signed_in) => signed_in.device.as_deref(),
        }
    }

    /// The event after which everything is pushed to the calling client; `None` for one without a connection.
    pub(crate) fn pushed_after(&self) -> Option<u64> {
        match &self.caller {
            Caller::Admin(_) => None,
            Caller::User(signed_in) => signed_in.pushed_after,
        }
    }

    /// The URL of the surface as the calling client reaches it; "" for the app.
    pub(crate) fn root_url(&self) -> &str {
        match &self.caller {
            Caller::Admin(_) => "",
            Caller::User(signed_in) => &signed_in.root_url,
        }
    }

    /// The caller of a command for signed-in users only.
    pub(crate) fn signed_in(&self) -> Result<&UserId, Failure> {
        self.user().ok_or_else(|| Code::NoPermission.into())
    }

    /// The account shown as the author of the app's own actions: the same for every caller.
    pub(crate) fn admin(&self) -> &str {
        self.app.admin()
    }

    pub(crate) fn groups(&self) -> &dyn Groups {
        &*self.app.realm.groups
    }

    pub(crate) fn now(&self) -> Millis {
        self.groups().now()
    }

    /// The fields that no command read, as paths; any index is `*`.
    pub(crate) fn unread(&self) -> Unread {
        self.reading.unread()
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.app.realm.settings
    }

    // --- reading -------------------------------------------------------------------------------------------

    /// The request. A missing body is `{}`; a body that is not a JSON object gets another error than wrong types within
    /// one.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        let text = std::str::from_utf8(self.body).map_err(|_| Code::NotJson)?.trim();
        let text = if text.is_empty() { "{}" } else { text };
        if !text.starts_with('{') {
            return Err(Code::NotJson.into());
        }
        let mut json = serde_json::Deserializer::from_str(text);
        let read = serde_ignored::deserialize(&mut json, |path| self.reading.carries(&spelled(&path)));
        match read.and_then(|request| json.end().map(|()| request)) {
            Ok(request) => Ok(request),
            Err(error) if error.is_data() && serde_json::from_str::<IgnoredAny>(text).is_ok() => {
                tracing::debug!(%error, "a request has another shape than its command reads");
                let code = self.family.misshapen();
                Err(match misshapen_field::<T>(text) {
                    Some(field) => code.saying(format!("{}: {field} is illegal", code.row().1)),
                    None => code.into(),
                })
            }
            Err(_) => Err(Code::NotJson.into()),
        }
    }

    /// A parameter is missing or invalid.
    pub(crate) fn parameter(&self, text: impl Into<std::borrow::Cow<'static, str>>) -> Failure {
        self.family.parameter().saying(text)
    }

    /// A text that must be present and not empty.
    pub(crate) fn required<T>(&self, name: &str, given: Option<T>) -> Result<T, Failure> {
        given.ok_or_else(|| self.parameter(format!("{name} is required")))
    }

    /// The id of an existing group. Any spelling is looked up, so groups created elsewhere are found.
    pub(crate) fn group_id(&self, given: Option<String>) -> Result<GroupId, Failure> {
        let id = self.required("GroupId", given.filter(|id| !id.is_empty()))?;
        GroupId::new(id).map_err(|_| Code::NoGroup.into())
    }

    /// The topic, if the request names one. Any spelling is looked up.
    pub(crate) fn topic_id(&self, given: Option<String>) -> Result<Option<TopicId>, Failure> {
        let given = given.filter(|id| !id.is_empty());
        given.map(|id| TopicId::new(id).map_err(|_| self.parameter("TopicId is illegal"))).transpose()
    }

    /// The id of a user. Any spelling is looked up.
    pub(crate) fn user_id(&self, name: &str, given: Option<Account>) -> Result<UserId, Failure> {
        match self.required(name, given)? {
            Account::Other => Err(Code::AccountNotText.into()),
            Account::Text(text) if limits::is_one_id(&text) => {
                UserId::new(text).map_err(|_| self.parameter(format!("{name} is illegal")))
            }
            Account::Text(_) => Err(self.parameter(format!("{name} is illegal"))),
        }
    }

    /// The ids of users: at least one, and not too many.
    pub(crate) fn user_ids(
        &self,
        name: &str,
        given: Option<Vec<Account>>,
        most: usize,
        too_many: Code,
    ) -> Result<Vec<UserId>, Failure> {
        let given = self.required(name, given.filter(|list| !list.is_empty()))?;
        if given.len() > most {
            return Err(too_many.into());
        }
        given.into_iter().map(|account| self.user_id(name, Some(account))).collect()
    }

    /// A value of an option; "" counts as missing.
    pub(crate) fn option<T>(
        &self,
        name: &str,
        given: Option<&str>,
        named: fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Failure> {
        let given = given.filter(|word| !word.is_empty());
        given.map(|word| named(word).ok_or_else(|| self.parameter(format!("{name} is illegal")))).transpose()
    }

    /// The user in whose name a call is made (`From_Account` and the like). The app may name any user or none; a
    /// signed-in user acts in their own name only.
    pub(crate) fn acting_user(&self, name: &str, given: Option<Account>) -> Result<Option<UserId>, Failure> {
        let given = given.map(|given| self.user_id(name, Some(given))).transpose()?;
        match self.user() {
            None => Ok(given),
            Some(user) if given.as_ref().is_none_or(|given| given == user) => Ok(Some(user.clone())),
            Some(_) => Err(Code::NoPermission.into()),
        }
    }

    // --- doing ---------------------------------------------------------------------------------------------

    /// The caller as an actor of the core; `for_user` is the user the app acts for.
    fn actor(&self, for_user: Option<UserId>) -> Actor {
        match &self.caller {
            Caller::Admin(_) => Actor::App { for_user },
            Caller::User(SignedIn { user, device, .. }) => Actor::User { user: user.clone(), device: device.clone() },
        }
    }

    /// Performs an operation as the caller.
    pub(crate) async fn run<O: Typed>(&self, operation: O) -> Result<O::Reply, Failure> {
        self.run_for(None, operation).await
    }

    /// Performs an operation as the caller; the app performs it in the name of this user.
    pub(crate) async fn run_for<O: Typed>(&self, user: Option<UserId>, operation: O) -> Result<O::Reply, Failure> {
        self.attempt(user, operation).await.map_err(|refusal| self.failure(&refusal))
    }

    /// Performs an operation as the caller after others, all in one commit.
    pub(crate) async fn run_after<O: Typed>(
        &self,
        mut steps: Vec<Operation>,
        operation: O,
    ) -> Result<O::Reply, Failure> {
        if steps.is_empty() {
            return self.run(operation).await;
        }
        steps.push(operation.into());
        let reply = self.run_steps(steps, OnRefusal::RefuseAll).await?.pop();
        let missing = || Err(Refusal::Unavailable("a step has not been answered".to_owned()));
        let reply = reply.unwrap_or_else(missing).and_then(TryInto::try_into);
        reply.map_err(|refusal| self.failure(&refusal))
    }

    /// Performs several operations as the caller, in one commit; returns the outcome of each.
    pub(crate) async fn run_steps(
        &self,
        steps: Vec<Operation>,
        on_refusal: OnRefusal,
    ) -> Result<Vec<Result<Reply, Refusal>>, Failure> {
        Ok(self.run(Together { steps, on_refusal }).await?.0)
    }

    /// The same as [`run_for`](Self::run_for), but returns the core's refusal.
    pub(crate) async fn attempt<O: Typed>(&self, user: Option<UserId>, operation: O) -> Result<O::Reply, Refusal> {
        self.groups().run(&self.actor(user), operation).await
    }

    /// The same in a topic of the group, if one is named.
    pub(crate) async fn attempt_at<O: Typed>(
        &self,
        topic: Option<&TopicId>,
        operation: O,
    ) -> Result<O::Reply, Refusal> {
        match topic {
            Some(topic) => self.groups().run_in(&self.actor(None), topic, operation).await,
            None => self.attempt(None, operation).await,
        }
    }

    /// Performs an operation as the caller, in a topic of the group if one is named.
    pub(crate) async fn run_at<O: Typed>(&self, topic: Option<&TopicId>, operation: O) -> Result<O::Reply, Failure> {
        self.attempt_at(topic, operation).await.map_err(|refusal| self.failure(&refusal))
    }

    /// Emits an event for the app's server, in the caller's name, that a message was dropped.
    pub(crate) async fn note_dropped(&self, topic: Option<&TopicId>, dropped: DropMessage) -> Result<(), Failure> {
        let app = Actor::App { for_user: self.user().cloned() };
        let noted = match topic {
            Some(topic) => self.groups().run_in(&app, topic, dropped).await,
            None => self.groups().run(&app, dropped).await,
        };
        noted.map_err(|refusal| self.failure(&refusal))
    }

    /// Runs a query as the caller; returns the core's refusal.
    pub(crate) async fn try_ask<Q: Asked>(&self, query: Q) -> Result<Q::Answer, Refusal> {
        self.groups().ask(&self.actor(None), query).await
    }

    /// Runs a query as the caller.
    pub(crate) async fn ask<Q: Asked>(&self, query: Q) -> Result<Q::Answer, Failure> {
        self.try_ask(query).await.map_err(|refusal| self.failure(&refusal))
    }

    /// Runs a query as the app: for fields that every caller sees who may read the rest of the response.
    pub(crate) async fn look_up<Q: Asked>(&self, query: Q) -> Result<Q::Answer, Failure> {
        self.groups().ask(&Actor::app(), query).await.map_err(|refusal| self.failure(&refusal))
    }

    /// Whether a callback is switched on.
    pub(crate) fn has_callback(&self, command: &str) -> bool {
        self.app.questions.as_ref().is_some_and(|questions| questions.asks(command))
    }

    /// Whether the app's server is asked by this callback here. Users' own operations are asked about in the layer that
    /// all vendors' users pass, and so not again.
    pub(crate) fn asks_before(&self, command: &str) -> bool {
        self.user().is_none() && self.has_callback(command)
    }

    /// Asks the app's server by this callback, if that is switched on; refuses if it refuses.
    pub(crate) async fn ask_before(
        &self,
        command: &'static str,
        mut body: Map<String, Value>,
    ) -> Result<Answered, Failure> {
        let Some(questions) = &self.app.questions else { return Ok(Answered::default()) };
        body.entry("Operator_Account").or_insert_with(|| Value::from(self.account()));
        questions.ask(command, "RESTAPI", self.now(), body).await
    }

    /// The message as changed by the app's server.
    pub(crate) fn changed(&self, send: SendMessage, asked: Answered) -> Result<SendMessage, Failure> {
        match &self.app.questions {
            Some(questions) => webhooks::changed(questions, send, asked),
            None => Ok(send),
        }
    }

    /// The vendor's failure for a refusal.
    pub(crate) fn failure(&self, refusal: &Refusal) -> Failure {
        self.family.failure(refusal)
    }

    /// A topic of a group.
    pub(crate) async fn topic(&self, group: &GroupId, id: &TopicId) -> Result<Arc<Topic>, Failure> {
        let found = self.ask(Topics { group: group.clone(), topics: Some(vec![id.clone()]) }).await?.0;
        let missing = || Refusal::TopicNotFound { group: group.clone(), topic: id.clone(), ended: false };
        let topic = found.into_iter().next().map_or_else(|| Err(missing()), |(_, topic)| topic);
        topic.map_err(|refusal| self.failure(&refusal))
    }

    /// The header of a group.
    pub(crate) async fn group(&self, id: &GroupId) -> Result<Arc<Group>, Failure> {
        Ok(self.ask(GroupById { group: id.clone() }).await?.group)
    }

    // --- accounts ------------------------------------------------------------------------------------------

    /// What happens to ids without an account: refused, unless accounts are created on first use.
    pub(crate) fn on_unknown(&self, otherwise: OnUnknown) -> OnUnknown {
        if self.settings().auto_import { OnUnknown::Register } else { otherwise }
    }

    /// The app's admins are accounts at the vendor without being imported. Returns the operations that create accounts
    /// for the admins among these users, to be performed with the operation that needs them.
    pub(crate) async fn admin_accounts(
        &self,
        users: impl IntoIterator<Item = &UserId>,
    ) -> Result<Vec<Operation>, Failure> {
        let admins = users.into_iter().filter(|user| self.app.is_admin(user.as_str()));
        let users: Vec<NewUser> = admins.map(|admin| NewUser::of(admin.clone())).collect();
        if users.is_empty() {
            return Ok(Vec::new());
        }
        let register = RegisterUsers { users, on_existing: OnExisting::Skip, folded: false };
        if self.user().is_none() {
            return Ok(vec![register.into()]);
        }
        // users may not create accounts; an admin's account exists whether or not the user's call is refused
        self.groups().run(&Actor::app(), register).await.map_err(|refusal| self.failure(&refusal))?;
        Ok(Vec::new())
    }

    /// Refuses if there is no such account.
    pub(crate) async fn check_account(&self, user: &UserId) -> Result<(), Failure> {
        let found = self.ask(FindUsers { ids: vec![user.clone()], folded: false }).await?;
        let known = found.0.iter().any(Option::is_some) || self.app.is_admin(user.as_str());
        if known || self.settings().auto_import {
            return Ok(());
        }
        Err(self.failure(&Refusal::UserNotFound(user.clone())))
    }
}

/// The path of the first field that does not fit `T`, such as `MemberList[0].JoinTime`; `None` when it is the whole
/// request, or when the path is long (names of fields in a map are the client's own).
fn misshapen_field<T: DeserializeOwned>(text: &str) -> Option<String> {
    const LONGEST: usize = 128;
    let mut json = serde_json::Deserializer::from_str(text);
    let error = serde_path_to_error::deserialize::<_, T>(&mut json).err()?;
    let path = error.path().to_string();
    let is_named =
        path.len() <= LONGEST && path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.[]".contains(&byte));
    (is_named && path != ".").then_some(path)
}

/// The path of an ignored field in the request.
fn spelled(path: &Path<'_>) -> String {
    match path {
        Path::Root => String::new(),
        Path::Seq { parent, .. } => format!("{}.*", spelled(parent)),
        Path::Map { parent: Path::Root, key } => key.clone(),
        Path::Map { parent, key } => format!("{}.{key}", spelled(parent)),
        Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => spelled(parent),
    }
}
