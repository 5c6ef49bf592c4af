//! The vendor's surface: finds the endpoint and the app, and runs the call.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use conclave_kit::{
    Admitted, AnyProtocol, Body, Cors, Exchange, Fault, NoMatch, RouteInfo, SetupError, Surface, Table, Unread,
    apps_by_identity,
};
use http::request::Parts;
use http::{Method, Response};

use crate::auth::{signature, token};
use crate::realm::{App, RongRealm};
use crate::refusals::{Code, Failure};
use crate::rest::{self, Call, Handler, envelope};
use crate::settings::Settings;
use crate::socket::{Clients, navigator};
use crate::{InvalidToken, VENDOR};

/// The vendor's surface: all realms that have an app there.
pub struct Rong {
    /// The apps, by app key.
    apps: Arc<HashMap<String, Arc<App>>>,
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
        let app = |realm: RongRealm| Ok((realm.credentials.app_key.clone(), App::new(realm)?));
        let what = |app_key: &String| format!("rong app key {app_key}");
        let apps = apps_by_identity(realms.into_iter().map(app), what, |app| &app.realm.name)?;
        let apps = Arc::new(apps);
        Ok(Self { clients: Clients::new(Arc::clone(&apps)), apps, table: Table::new(rest::routes())? })
    }

    /// The user who may connect with this token of this app, as the client SDK sends it.
    ///
    /// # Errors
    /// Says what is wrong with the token; which answer the client gets is its protocol's to say.
    pub async fn verify(&self, app_key: &str, token: &str) -> Result<conclave_core::model::UserId, InvalidToken> {
        let app = self.apps.get(app_key).ok_or(InvalidToken::Forged)?;
        Ok(token::verify(app, token).await?.user)
    }

    /// The app with this key.
    pub(crate) fn app(&self, app_key: &str) -> Option<Arc<App>> {
        self.apps.get(app_key).cloned()
    }

    /// Handles a request and returns the fields that were not read, or the vendor's failure; also the app whose
    /// settings the response follows.
    async fn answer(
        &self,
        parts: &Parts,
        body: Option<&[u8]>,
    ) -> (u16, Result<(envelope::ResponseBody, Unread), Failure>) {
        let mut status_254xx = Settings::default().status_254xx;
        let (method, path) = (&parts.method, parts.uri.path());
        let route = match self.table.find(method, path) {
            Ok(found) => found.route,
            Err(NoMatch::Path) => return (status_254xx, Err(Code::NotFound.into())),
            Err(NoMatch::Method) => return (status_254xx, Err(Code::Method.into())),
        };
        let app = match signature::caller(&self.apps, &parts.headers) {
            Ok(app) => app,
            Err(failure) => return (status_254xx, Err(failure)),
        };
        status_254xx = app.realm.settings.status_254xx;
        let Some(body) = body else { return (status_254xx, Err(Code::Internal.into())) };
        let answer = match Call::new(app, path, &parts.headers, body) {
            Ok(call) => {
                let form = call.form.clone();
                call.answered_by(route.handler).await.map(|answer| (answer, form.unread()))
            }
            Err(failure) => Err(failure),
        };
        (status_254xx, answer)
    }
}

#[async_trait]
impl Surface for Rong {
    fn vendor(&self) -> &'static str {
        VENDOR
    }

    fn routes(&self) -> Vec<RouteInfo> {
        self.table.infos()
    }

    fn operation(&self, method: &Method, path: &str) -> Option<&'static str> {
        if navigator::answers(method, path) {
            return Some(navigator::OPERATION);
        }
        self.table.route(method, path).ok().map(|route| route.operation)
    }

    fn streams(&self, _: &Method, _: &str) -> bool {
        false
    }

    async fn admit(&self, parts: &mut Parts) -> Result<Admitted, Response<Body>> {
        let (method, path) = (&parts.method, parts.uri.path());
        // the navigator's callers send their credentials in the body
        if navigator::answers(method, path) {
            return Ok(Admitted { open: true, ..Admitted::default() });
        }
        let refused = |failure: Failure| failure.into_response(Settings::default().status_254xx);
        match self.table.route(method, path) {
            Ok(_) => {}
            Err(NoMatch::Path) => return Err(refused(Code::NotFound.into())),
            Err(NoMatch::Method) => return Err(refused(Code::Method.into())),
        }
        let app = signature::caller(&self.apps, &parts.headers).map_err(refused)?;
        Ok(Admitted { realm: Some(Arc::from(app.realm.name.as_str())), ..Admitted::default() })
    }

    async fn serve(&self, exchange: Exchange) -> Response<Body> {
        let Exchange { parts, body, base_url, request_id } = exchange;
        // bodies are never streamed, as no operation asks for it
        let body = body.bytes().cloned();
        if navigator::answers(&parts.method, parts.uri.path()) {
            return navigator::answer(self, &parts, body.as_deref().unwrap_or_default(), &base_url);
        }
        let (status_254xx, answer) = self.answer(&parts, body.as_deref()).await;
        match answer {
            Ok((answer, unread)) => {
                let mut answer = answer.into_response();
                unread.go_with(&mut answer);
                answer
            }
            Err(failure) => {
                failure.log(&request_id);
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
        };
        Failure::from(code).into_response(Settings::default().status_254xx)
    }

    fn client_protocol(&self) -> Option<&dyn AnyProtocol> {
        Some(&self.clients)
    }
}
