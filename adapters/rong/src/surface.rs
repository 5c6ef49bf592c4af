//! The vendor's surface: finds the endpoint and the app, and runs the call.

use std::sync::Arc;

use async_trait::async_trait;
use conclave_kit::{
    Admitted, AnyProtocol, Apps, Body, Cors, ErrorInfo, Exchange, Fault, FoundRoute, Head, NoMatch, RouteInfo,
    SetupError, Surface, Table, Unread,
};
use http::{Method, Response};

use crate::auth::{signature, token};
use crate::realm::{App, RongRealm};
use crate::refusals::{self, Code, Failure};
use crate::rest::{self, Call, Handler, envelope};
use crate::settings::Settings;
use crate::socket::{Clients, navigator};
use crate::{InvalidToken, VENDOR};

/// The vendor's surface: all realms that have an app there.
pub struct Rong {
    /// The apps, by app key.
    apps: Arc<Apps<String, App>>,
    pub(crate) clients: Clients,
    table: Table<Handler>,
}

impl Rong {
    /// Builds the surface from the realms.
    ///
    /// # Errors
    /// Two realms with one app key, an app key or secret that is empty, settings outside what the vendor has, or
    /// two operations on one route.
    pub fn new(realms: Vec<RongRealm>) -> Result<Self, SetupError> {
        let apps = Arc::new(Apps::new(|app_key: &String| format!("rong app key {app_key}")));
        let surface = Self { clients: Clients::new(Arc::clone(&apps)), apps, table: Table::new(rest::routes())? };
        realms.into_iter().try_for_each(|realm| surface.add(realm))?;
        Ok(surface)
    }

    /// Serves one more realm, or replaces it.
    pub(crate) fn add(&self, realm: RongRealm) -> Result<(), SetupError> {
        let (name, app_key) = (realm.name.clone(), realm.credentials.app_key.clone());
        self.apps.add(&name, &app_key, App::new(realm)?)
    }

    /// Serves a realm no more.
    pub(crate) fn remove(&self, realm: &str) {
        self.apps.remove(realm);
    }

    /// The user who may connect with this token of this app, as the client SDK sends it.
    ///
    /// # Errors
    /// Says what is wrong with the token; which answer the client gets is its protocol's to say.
    pub async fn verify(&self, app_key: &str, token: &str) -> Result<conclave_core::model::UserId, InvalidToken> {
        let app = self.apps.get(app_key).ok_or(InvalidToken::Forged)?;
        Ok(token::verify(&app, token).await?.user)
    }

    /// The app with this key.
    pub(crate) fn app(&self, app_key: &str) -> Option<Arc<App>> {
        self.apps.get(app_key)
    }

    /// Handles a request. Returns the HTTP status that the app's settings give to errors 254xx, and the response's body
    /// with the fields that were not read, or the vendor's failure.
    async fn answer(
        &self,
        head: &mut Head,
        body: Option<&[u8]>,
    ) -> (u16, Result<(envelope::ResponseBody, Unread), Failure>) {
        let status_254xx = Settings::default().status_254xx;
        let checked = match head.take_admitted() {
            Some(checked) => Ok(checked),
            None => self.checked(head),
        };
        let (app, handler) = match checked {
            Ok(Checked { app, handler }) => (app, handler),
            Err(failure) => return (status_254xx, Err(failure)),
        };
        let status_254xx = app.realm.settings.status_254xx;
        let Some(body) = body else { return (status_254xx, Err(Code::Internal.into())) };
        let answer = match Call::new(&app, head.path(), &head.headers, body) {
            Ok(call) => call.answered_by(handler).await.map(|answer| (answer, call.form.unread())),
            Err(failure) => Err(failure),
        };
        (status_254xx, answer)
    }

    /// The app and the endpoint of a request, if it is signed.
    fn checked(&self, head: &Head) -> Result<Checked, Failure> {
        let route = self.table.of(head, head.path()).map_err(|missing| match missing {
            NoMatch::Path => Code::NotFound,
            NoMatch::Method => Code::Method,
        })?;
        let app = signature::caller(&self.apps, &head.headers)?;
        Ok(Checked { app, handler: route.handler })
    }
}

/// An authorized call, from the check before the request's body is read.
struct Checked {
    app: Arc<App>,
    handler: Handler,
}

#[async_trait]
impl Surface for Rong {
    fn vendor(&self) -> &'static str {
        VENDOR
    }

    fn routes(&self) -> Vec<RouteInfo> {
        self.table.infos()
    }

    fn route(&self, method: &Method, path: &str) -> Option<FoundRoute> {
        if navigator::answers(method, path) {
            return Some(FoundRoute { operation: navigator::OPERATION, streams: false, number: None });
        }
        self.table.find(method, path).ok()
    }

    async fn admit(&self, head: &mut Head) -> Result<Admitted, Response<Body>> {
        // the navigator's callers send their credentials in the body
        if navigator::answers(&head.method, head.path()) {
            return Ok(Admitted { open: true, ..Admitted::default() });
        }
        match self.checked(head) {
            Ok(checked) => {
                let realm = Some(Arc::clone(&checked.app.realm_name));
                head.set_admitted(checked);
                Ok(Admitted { realm, ..Admitted::default() })
            }
            Err(failure) => Err(failure.into_response(Settings::default().status_254xx)),
        }
    }

    async fn serve(&self, exchange: Exchange) -> Response<Body> {
        let Exchange { mut head, body } = exchange;
        // bodies are never streamed, as no operation asks for it
        let body = body.bytes().cloned();
        if navigator::answers(&head.method, head.path()) {
            return navigator::answer(self, &head, body.as_deref().unwrap_or_default());
        }
        let (status_254xx, answer) = self.answer(&mut head, body.as_deref()).await;
        match answer {
            Ok((answer, unread)) => {
                let mut answer = answer.into_response();
                unread.go_with(&mut answer);
                answer
            }
            Err(failure) => {
                failure.log();
                failure.into_response(status_254xx)
            }
        }
    }

    fn cors(&self) -> Cors {
        Cors { methods: "GET, POST, OPTIONS", headers: "RC-Appkey, RC-Negotiate, Content-Type, X-Request-ID" }
    }

    fn fault(&self, fault: Fault) -> Response<Body> {
        let code = match fault {
            Fault::TooLarge => Code::TooLong,
            Fault::Malformed => Code::Parameter,
            Fault::TimedOut => Code::Timeout,
            Fault::Broken => Code::Internal,
            Fault::Busy => Code::TooFrequent,
            Fault::Error(position) => refusals::code_at(position).unwrap_or(Code::Internal),
        };
        Failure::from(code).into_response(Settings::default().status_254xx)
    }

    fn errors(&self) -> Vec<ErrorInfo> {
        refusals::listed(Settings::default().status_254xx)
    }

    fn client_protocol(&self) -> Option<&dyn AnyProtocol> {
        Some(&self.clients)
    }
}
