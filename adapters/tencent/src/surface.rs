//! The vendor's surface: finds the command and the app, authenticates the caller, and runs the command.

use std::borrow::Cow;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use conclave_core::event::Actor;
use conclave_core::model::{User, UserId};
use conclave_core::ports::GroupsExt;
use conclave_core::query::FindUsers;
use conclave_kit::{
    Admitted, AnyProtocol, Apps, Body, Cors, ErrorInfo, Exchange, Fault, FoundRoute, Head, Post, RouteInfo, SetupError,
    Surface, Table, Unread,
};
use http::{Method, Response};

use crate::VENDOR;
use crate::auth::Claims;
use crate::calls::{Caller, Command, SignedIn, Visit, VisitorCommand, answer_user, envelope, kicked_at};
use crate::realm::{App, TencentRealm};
use crate::refusals::{self, Code, Failure, Family};
use crate::rest::{self, respond, routes};
use crate::socket::{Clients, Head as ClientHead, login};
use crate::uploads;
use crate::webhooks::{Questions, WebhookSettings};

/// The server API of all realms that have an app at the vendor.
pub struct Tencent {
    /// The apps, by id.
    clients: Clients,
    table: Table<&'static Command>,
}

impl Tencent {
    /// Builds the surface from the realms.
    ///
    /// # Errors
    /// Two realms with one sdkappid, credentials or settings the vendor could not have, or two commands on one route.
    pub fn new(realms: Vec<TencentRealm>) -> Result<Self, SetupError> {
        let apps = Arc::new(Apps::new(|sdkappid: &u32| format!("tencent sdkappid {sdkappid}")));
        let surface = Self { clients: Clients::new(apps), table: Table::new(routes())? };
        realms.into_iter().try_for_each(|realm| surface.add(realm, None))?;
        Ok(surface)
    }

    /// Serves one more realm, or replaces it; its app's server is asked before operations as the settings say.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn add(&self, realm: TencentRealm, asked: Option<(WebhookSettings, Arc<dyn Post>)>) -> Result<(), SetupError> {
        let (name, sdkappid) = (realm.name.clone(), realm.credentials.sdkappid);
        let questions = asked.map(|(hooks, post)| Questions { sdkappid, hooks, post });
        self.clients.apps().add(&name, &sdkappid, App::new(realm, questions)?)
    }

    /// Serves a realm no more.
    pub(crate) fn remove(&self, realm: &str) {
        self.clients.apps().remove(realm);
    }

    /// Handles a request and returns the fields that were not read, or the vendor's failure. The order of checks is the
    /// vendor's: the URL, the app, the signature, the admin, then the body, which the command reads.
    async fn answer(&self, head: &mut Head, body: Option<&[u8]>) -> Result<(envelope::ResponseBody, Unread), Failure> {
        let Checked { app, task } = match head.take_admitted() {
            Some(checked) => checked,
            None => self.checked(head).await?,
        };
        // bodies are never streamed here
        let body = body.ok_or(Code::Internal)?;
        match task {
            Task::Command(command, caller) => command.run(&app, caller, body).await,
            Task::Visit { command, identifier, usersig } => {
                let visit = Visit { app: &app, identifier: &identifier, usersig: &usersig, body };
                Ok((command.run(&visit).await?, Unread::default()))
            }
        }
    }

    /// Handles a command of a signed-in user, e.g. `group_open_http_svc.apply_join_group`; returns the body of the
    /// response. A refusal is a response as well: its `ErrorCode` is not 0.
    pub async fn answer_user(&self, sdkappid: u32, user: SignedIn, command: &str, body: &[u8]) -> Bytes {
        match self.clients.app(sdkappid) {
            Some(app) => answer_user(&app, user, command, body).await.0,
            None => envelope::refuse(&Code::AppUnknown.into()).into_bytes(),
        }
    }

    /// The app, the command and the caller of a request, if the caller is authorized.
    async fn checked(&self, head: &Head) -> Result<Checked, Failure> {
        let query = Query::read(head.query().unwrap_or_default());
        let path = head.path();
        let is_post = head.method == Method::POST;
        if let Some(command) = Command::at(path).filter(|_| is_post && query.has_key()) {
            let app = self.app(query.sdkappid.as_deref())?;
            let user = client(&app, &query, head).await?;
            return Ok(Checked { app, task: Task::Command(command, Caller::User(user)) });
        }
        let identifier = |query: Query<'_>| query.identifier.unwrap_or_default().into_owned();
        if let Some(command) = VisitorCommand::at(path).filter(|_| is_post) {
            let app = self.app(query.sdkappid.as_deref())?;
            let usersig = query.usersig.as_deref().unwrap_or_default().to_owned();
            return Ok(Checked { app, task: Task::Visit { command, identifier: identifier(query), usersig } });
        }
        let command = self.table.of(head, path).map_err(|_| Code::NotFound)?.handler;
        let app = self.app(query.sdkappid.as_deref())?;
        check_caller(&app, &query).await?;
        Ok(Checked { app, task: Task::Command(command, Caller::Admin(identifier(query))) })
    }

    /// The app of a file's address, and what the address permits.
    fn file(&self, sdkappid: u32, head: &Head) -> Result<(Arc<App>, uploads::Task), uploads::Failure> {
        let app = self.clients.app(sdkappid).ok_or(uploads::Failure::Denied)?;
        let task = uploads::task(&app, head)?;
        Ok((app, task))
    }

    fn app(&self, sdkappid: Option<&str>) -> Result<Arc<App>, Failure> {
        let text = sdkappid.filter(|text| !text.is_empty()).ok_or(Code::AppIdMissing)?;
        let id: u64 = text.parse().map_err(|_| Code::AppIdIllegal)?;
        let app = u32::try_from(id).ok().and_then(|id| self.clients.app(id));
        app.ok_or_else(|| Code::AppUnknown.into())
    }
}

/// An authorized caller, from the check before the request's body is read.
struct Checked {
    app: Arc<App>,
    task: Task,
}

/// What a request is to be answered with.
enum Task {
    /// A command of the app's server, or of a client that polls.
    Command(&'static Command, Caller),
    /// A command of a client whose user has not signed in.
    Visit { command: &'static VisitorCommand, identifier: String, usersig: String },
}

/// The caller in the URL. Names are case-sensitive; the first occurrence counts.
#[derive(Default)]
struct Query<'q> {
    sdkappid: Option<Cow<'q, str>>,
    identifier: Option<Cow<'q, str>>,
    usersig: Option<Cow<'q, str>>,
    /// The key of a signed-in client.
    a2: Option<Cow<'q, str>>,
    tinyid: Option<Cow<'q, str>>,
}

impl<'q> Query<'q> {
    /// Whether a signed-in client calls.
    fn has_key(&self) -> bool {
        self.a2.as_deref().is_some_and(|key| !key.is_empty())
    }

    fn read(query: &'q str) -> Self {
        let mut read = Self::default();
        for (name, value) in conclave_kit::query_texts(query) {
            let place = match &*name {
                "sdkappid" => &mut read.sdkappid,
                "identifier" => &mut read.identifier,
                "usersig" => &mut read.usersig,
                "a2" => &mut read.a2,
                "tinyid" => &mut read.tinyid,
                _ => continue,
            };
            place.get_or_insert(value);
        }
        read
    }
}

/// The user of a client that calls with its key.
async fn client(app: &App, query: &Query<'_>, head: &Head) -> Result<SignedIn, Failure> {
    let (key, tinyid) = (query.a2.as_deref().unwrap_or_default(), query.tinyid.as_deref().unwrap_or_default());
    let login = login::by_key(app, &ClientHead::of_query(key, tinyid)).await?;
    let device = login.polling_device();
    Ok(SignedIn {
        user: login.user().clone(),
        pushed_after: device.as_ref().map(|_| login.began()),
        device: device.map(|device| device.to_string()),
        root_url: head.base_url().into(),
    })
}

/// Refuses unless an admin of the app calls with a valid signature.
async fn check_caller(app: &App, query: &Query<'_>) -> Result<(), Failure> {
    let identifier = query.identifier.as_deref().unwrap_or_default();
    let signature = query.usersig.as_deref().unwrap_or_default();
    let claims = app.signatures.verify(signature, identifier, app.realm.groups.now())?;
    let is_admin = app.is_admin(identifier);
    if let Ok(id) = UserId::new(identifier) {
        let find = FindUsers { ids: vec![id], folded: false };
        let found = app.realm.groups.ask(&Actor::app(), find).await;
        let found = found.map_err(|refusal| Family::Accounts.failure(&refusal))?;
        if let Some(account) = found.0.into_iter().flatten().next() {
            // callers who are not admins get that error, however old their account is
            if is_admin || !claims.is_older_than(account.created) {
                check_account(&claims, &account, is_admin)?;
            }
        }
    }
    if is_admin { Ok(()) } else { Err(Code::NeedsAdmin.into()) }
}

/// Refuses a signature that is not valid for its account.
///
/// Admins are set in the configuration, and need no account. So it does not matter when an account with that id was
/// created, or what other vendors' apps do to it; only this vendor's own `kick` revokes an admin's signatures.
fn check_account(claims: &Claims, account: &User, is_admin: bool) -> Result<(), Failure> {
    if is_admin {
        let kicked = kicked_at(account);
        return if kicked.is_some_and(|kicked| claims.is_older_than(kicked)) {
            Err(Code::SigExpired.into())
        } else {
            Ok(())
        };
    }
    if !claims.counts_for(account) {
        return Err(Code::SigExpired.into());
    }
    if !account.active {
        return Err(Code::AccountBlocked.into());
    }
    Ok(())
}

#[async_trait]
impl Surface for Tencent {
    fn vendor(&self) -> &'static str {
        VENDOR
    }

    fn routes(&self) -> Vec<RouteInfo> {
        self.table.infos().into_iter().chain(uploads::routes()).collect()
    }

    fn route(&self, method: &Method, path: &str) -> Option<FoundRoute> {
        let of_clients = || {
            let command = Command::at(path).map(|command| command.name);
            let operation = command.or_else(|| VisitorCommand::at(path).map(|command| command.name))?;
            Some(FoundRoute { operation, streams: false, number: None })
        };
        self.table.find(method, path).ok().or_else(|| uploads::route(method, path)).or_else(of_clients)
    }

    async fn admit(&self, head: &mut Head) -> Result<Admitted, Response<Body>> {
        if let Some(app) = uploads::app_of(head.path()) {
            let (app, task) = self.file(app, head).map_err(|failure| uploads::refuse(&failure))?;
            let realm = Some(Arc::clone(&app.realm_name));
            return Ok(Admitted { realm, user: task.user(), open: false });
        }
        match self.checked(head).await {
            Ok(checked) => {
                let realm = Some(Arc::clone(&checked.app.realm_name));
                let (user, open) = match &checked.task {
                    Task::Command(_, Caller::User(signed_in)) => (Some(signed_in.user.clone()), false),
                    Task::Command(_, Caller::Admin(_)) => (None, false),
                    Task::Visit { .. } => (None, true),
                };
                head.set_admitted(checked);
                Ok(Admitted { realm, user, open })
            }
            Err(failure) => Err(refuse(&failure)),
        }
    }

    async fn serve(&self, exchange: Exchange) -> Response<Body> {
        let Exchange { mut head, body } = exchange;
        if let Some(app) = uploads::app_of(head.path()) {
            // its address is checked again: it may have expired meanwhile
            return match self.file(app, &head) {
                Ok((app, task)) => uploads::serve(&app, task, &head, body).await,
                Err(failure) => uploads::refuse(&failure),
            };
        }
        let body = match body {
            Body::Whole(bytes) => Some(bytes),
            Body::Stream(_) => None,
        };
        match self.answer(&mut head, body.as_deref()).await {
            Ok((answer, unread)) => {
                let mut answer = respond(answer);
                unread.go_with(&mut answer);
                answer
            }
            Err(failure) => refuse(&failure),
        }
    }

    fn cors(&self) -> Cors {
        Cors { methods: "GET, POST, PUT, OPTIONS", headers: "X-Requested-With, Content-Type, X-Request-ID" }
    }

    fn fault(&self, fault: Fault) -> Response<Body> {
        let code = match fault {
            Fault::TooLarge | Fault::Malformed => Code::HttpParse,
            Fault::TimedOut => Code::Timeout,
            Fault::Broken => Code::Internal,
            Fault::Busy => Code::TooFrequent,
            Fault::Error(position) => refusals::code_at(position),
        };
        rest::refuse(&code.into())
    }

    fn errors(&self) -> Vec<ErrorInfo> {
        refusals::listed()
    }

    fn client_protocol(&self) -> Option<&dyn AnyProtocol> {
        Some(&self.clients)
    }
}

/// The response to a refused request.
fn refuse(failure: &Failure) -> Response<Body> {
    tracing::debug!(code = failure.number(), why = %failure.text, "refused");
    rest::refuse(failure)
}
