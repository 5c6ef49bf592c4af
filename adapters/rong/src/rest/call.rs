//! One call: app and request, and the parameters that all endpoints read in the same way.

use std::str::FromStr;
use std::sync::Arc;

use conclave_core::event::Actor;
use conclave_core::model::{Group, GroupId, UserId};
use conclave_core::operation::{OnRefusal, Operation};
use conclave_core::ports::{Asked, GroupsExt, Replies, Typed};
use conclave_core::query::{FindUsers, GroupById};
use conclave_core::refusal::Refusal;

use http::HeaderMap;
use http::header::CONTENT_TYPE;

use super::Handler;
use super::envelope::ResponseBody;
use crate::calls::{Caller, NotDone};
use crate::dialect::limits;
use crate::dialect::page::Pages;
use crate::realm::App;
use crate::refusals::{Code, Failure, Family};
use crate::rest::form::Form;
use crate::settings::Settings;

/// A verified call.
pub(crate) struct Call<'a> {
    pub(crate) app: &'a App,
    pub(crate) form: Form,
    family: Family,
}

impl<'a> Call<'a> {
    /// Reads a request. A body with a JSON content type has to be a JSON object; anything else is a form.
    pub(crate) fn new(app: &'a App, path: &str, headers: &HeaderMap, body: &[u8]) -> Result<Self, Failure> {
        let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let form = if kind.trim_start().to_ascii_lowercase().starts_with("application/json") {
            Form::parse_json(body).ok_or_else(|| Code::Parameter.saying("the body is not a JSON object"))?
        } else {
            Form::parse(body)
        };
        Ok(Self { app, form, family: Family::of(path) })
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.app.realm.settings
    }

    /// Passes the call to its endpoint, unless it is switched off.
    pub(crate) async fn answered_by(&self, handler: Handler) -> Result<ResponseBody, Failure> {
        if self.is_hosted() && !self.settings().hosting {
            return Err(Code::NotEnabled.into());
        }
        handler(self).await
    }

    fn is_hosted(&self) -> bool {
        self.family != Family::Legacy
    }

    // --- doing ---------------------------------------------------------------------------------------------

    /// Performs an operation as the app; maps a refusal to the vendor's failure.
    pub(crate) async fn run<O: Typed>(&self, operation: O) -> Result<O::Reply, Failure> {
        self.attempt(operation).await.map_err(|refusal| self.failure(&refusal))
    }

    /// Performs an operation as the app; returns the core's refusal.
    pub(crate) async fn attempt<O: Typed>(&self, operation: O) -> Result<O::Reply, Refusal> {
        self.app.realm.groups.run(&Actor::app(), operation).await
    }

    /// Performs several operations as the app in one commit; returns the outcome of each.
    pub(crate) async fn run_each<O: Typed>(
        &self,
        on_refusal: OnRefusal,
        operations: Vec<O>,
    ) -> Result<Vec<Result<O::Reply, Refusal>>, Failure> {
        let done = self.app.realm.groups.run_each(&Actor::app(), on_refusal, operations).await;
        done.map_err(|refusal| self.failure(&refusal))
    }

    /// Performs several operations as the app: all of them, or none.
    pub(crate) async fn attempt_all(&self, steps: Vec<Operation>) -> Result<Replies, Refusal> {
        self.app.realm.groups.run_all(&Actor::app(), steps).await.map_err(|refused| refused.refusal)
    }

    /// Runs a query as the app.
    pub(crate) async fn ask<Q: Asked>(&self, query: Q) -> Result<Q::Answer, Failure> {
        self.app.realm.groups.ask(&Actor::app(), query).await.map_err(|refusal| self.failure(&refusal))
    }

    /// Runs a query as the app; returns the core's refusal.
    pub(crate) async fn attempt_to_ask<Q: Asked>(&self, query: Q) -> Result<Q::Answer, Refusal> {
        self.app.realm.groups.ask(&Actor::app(), query).await
    }

    /// The vendor's failure for a refusal.
    pub(crate) fn failure(&self, refusal: &Refusal) -> Failure {
        if let Refusal::Unavailable(why) = refusal {
            tracing::error!(%why, "the store failed");
        }
        self.family.failure(refusal)
    }

    /// A group by id, if it exists.
    pub(crate) async fn find_group(&self, group: &GroupId) -> Result<Option<Arc<Group>>, Failure> {
        match self.app.realm.groups.ask(&Actor::app(), GroupById { group: group.clone() }).await {
            Ok(found) => Ok(Some(found.group)),
            Err(Refusal::GroupNotFound { .. }) => Ok(None),
            Err(refusal) => Err(self.failure(&refusal)),
        }
    }

    /// The app's server as the caller of a method of hosted groups.
    pub(crate) fn caller(&self) -> Caller<'_> {
        Caller::app(self.app)
    }

    /// The vendor's failure for a failed method of hosted groups.
    pub(crate) fn not_done(&self, why: NotDone) -> Failure {
        match why {
            NotDone::Refused(refusal) => self.family.failure(&refusal),
            NotDone::Failed(failure) => failure,
        }
    }

    /// The page tokens of a list.
    pub(crate) fn pages(&self, list: &str) -> Pages {
        Pages::of(&self.app.realm.credentials, list)
    }

    // --- reading -------------------------------------------------------------------------------------------

    /// A field that must be present and not empty.
    pub(crate) fn required(&self, key: &str) -> Result<&str, Failure> {
        self.form.given(key).ok_or_else(|| missing(key))
    }

    /// The id of an existing group. Any spelling is looked up, so groups created elsewhere are found.
    pub(crate) fn group_id(&self) -> Result<GroupId, Failure> {
        self.as_group_id(self.required("groupId")?)
    }

    /// The id of a group that may be created: in the vendor's alphabet.
    pub(crate) fn new_group_id(&self) -> Result<GroupId, Failure> {
        let id = self.group_id()?;
        self.check_new_group_id(&id)?;
        Ok(id)
    }

    /// Refuses an id that the vendor would not permit for a new group.
    pub(crate) fn check_new_group_id(&self, id: &GroupId) -> Result<(), Failure> {
        if limits::is_group_id(id.as_str()) {
            return Ok(());
        }
        Err(if self.is_hosted() {
            Code::BadGroupId.into()
        } else {
            Code::Parameter.saying("groupId contains illegal characters")
        })
    }

    pub(crate) fn as_group_id(&self, text: &str) -> Result<GroupId, Failure> {
        self.check_length("groupId", text, limits::GROUP_ID)?;
        GroupId::new(text).map_err(|invalid| self.failure(&invalid.into()))
    }

    /// The id of one user. Any spelling is looked up.
    pub(crate) fn user_id(&self, key: &str) -> Result<UserId, Failure> {
        self.as_user_id(key, self.required(key)?)
    }

    fn as_user_id(&self, key: &str, text: &str) -> Result<UserId, Failure> {
        if text.len() > limits::USER_ID_BYTES {
            return Err(self.too_long(key, limits::USER_ID_BYTES));
        }
        UserId::new(text).map_err(|_| self.bad_user_id(key))
    }

    fn bad_user_id(&self, key: &str) -> Failure {
        let text = format!("{key} contains illegal characters");
        if self.is_hosted() { Code::BadFormat.saying(text) } else { Code::Parameter.saying(text) }
    }

    /// A list of users, with at least one and at most `most`.
    pub(crate) fn user_ids(&self, key: &str, most: usize) -> Result<Vec<UserId>, Failure> {
        let users = self.optional_user_ids(key, most)?;
        if users.is_empty() { Err(missing(key)) } else { Ok(users) }
    }

    /// A list of users that may be empty.
    pub(crate) fn optional_user_ids(&self, key: &str, most: usize) -> Result<Vec<UserId>, Failure> {
        let texts = self.form.list(key);
        if texts.len() > most {
            return Err(Code::Parameter.saying(format!("{key} count > {most}")));
        }
        texts.iter().map(|text| self.as_user_id(key, text)).collect()
    }

    /// Refuses users whose accounts would have to be created with an id the vendor does not permit; accounts created
    /// elsewhere keep their spelling.
    pub(crate) async fn check_new_members(&self, key: &str, users: &[UserId]) -> Result<(), Failure> {
        let odd: Vec<UserId> = users.iter().filter(|user| !limits::is_user_id(user.as_str())).cloned().collect();
        if odd.is_empty() {
            return Ok(());
        }
        let found = self.ask(FindUsers { ids: odd, folded: false }).await?;
        if found.0.iter().all(Option::is_some) { Ok(()) } else { Err(self.bad_user_id(key)) }
    }

    /// A number, or its default if it is missing or empty; refused outside the range.
    pub(crate) fn number(&self, key: &str, default: u64, range: std::ops::RangeInclusive<u64>) -> Result<u64, Failure> {
        let Some(text) = self.form.given(key) else { return Ok(default) };
        let number = u64::from_str(text.trim()).ok().filter(|number| range.contains(number));
        number.ok_or_else(|| Code::Parameter.saying(format!("{key} must be {}..{}", range.start(), range.end())))
    }

    /// A boolean: 0 or 1, or its default.
    pub(crate) fn switch(&self, key: &str, default: bool) -> Result<bool, Failure> {
        Ok(self.number(key, default.into(), 0..=1)? == 1)
    }

    /// A number from 1, or its default if it is missing, empty or 0, which SDKs send for a number that is not set.
    pub(crate) fn count(&self, key: &str, default: u64, most: u64) -> Result<usize, Failure> {
        let zero = self.form.given(key).is_some_and(|text| u64::from_str(text.trim()) == Ok(0));
        let number = if zero { default } else { self.number(key, default, 1..=most)? };
        Ok(usize::try_from(number).unwrap_or(usize::MAX))
    }

    /// The size of a page.
    pub(crate) fn size(&self, default: u64, most: u64) -> Result<usize, Failure> {
        self.count("size", default, most)
    }

    /// Whether the newest come first, which is the default.
    pub(crate) fn newest_first(&self) -> Result<bool, Failure> {
        self.switch("order", true)
    }

    /// Refuses a text of more than `most` characters.
    pub(crate) fn check_length(&self, key: &str, text: &str, most: usize) -> Result<(), Failure> {
        if limits::is_longer(text, most) { Err(self.too_long(key, most)) } else { Ok(()) }
    }

    pub(crate) fn too_long(&self, key: &str, most: usize) -> Failure {
        if self.is_hosted() {
            Code::FieldTooLong.into()
        } else {
            Code::TooLong.saying(format!("{key} length > {most}"))
        }
    }
}

pub(crate) fn missing(key: &str) -> Failure {
    Code::Parameter.saying(format!("Paramer '{key}' is required"))
}
