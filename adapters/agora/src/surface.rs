//! The surface: finds the app, checks the token, finds the operation, encodes the response.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use async_trait::async_trait;
use bytes::Bytes;
use conclave_core::event::Actor;
use conclave_core::refusal::Refusal;
use conclave_kit::{
    Admitted, AnyProtocol, Body, ByteStream, Cors, Device, ErrorInfo, Exchange, Fault, FoundRoute, Head, NoMatch,
    Reading, Route, RouteInfo, SetupError, Surface, Table, decode_segment,
};
use http::{HeaderMap, Method, Response};

use crate::VENDOR;
use crate::auth::{self, Claims, Passwords, Subject, Unauthenticated};
use crate::realm::{AgoraRealm, App};
use crate::refusals::{self, ErrorContext, Failure};
use crate::rest::body::Sent;
use crate::rest::call::{Call, Params, Query};
use crate::rest::envelope;
use crate::rest::files;
use crate::rest::routes::{Auth, Endpoint, routes};
use crate::socket::{Apps, Clients};

/// Longest name of a device, in bytes; a longer one is ignored.
pub(crate) const DEVICE_BYTES: usize = 128;

/// Agora Chat's server API for any number of apps.
pub struct Agora {
    apps: Arc<Apps>,
    clients: Clients,
    table: Table<Endpoint>,
    passwords: Passwords,
}

impl Agora {
    /// Builds the surface; refuses two realms with the same app key.
    pub fn new(realms: Vec<AgoraRealm>) -> Result<Self, SetupError> {
        let apps = Arc::new(Apps::new());
        let clients = Clients::new(Arc::clone(&apps));
        let surface = Self { apps, clients, table: Table::new(routes())?, passwords: Passwords::new() };
        realms.into_iter().try_for_each(|realm| surface.add(realm))?;
        Ok(surface)
    }

    /// Serves one more realm, or replaces it.
    pub(crate) fn add(&self, realm: AgoraRealm) -> Result<(), SetupError> {
        self.apps.add(App::new(realm)?)
    }

    /// Serves a realm no more.
    pub(crate) fn remove(&self, realm: &str) {
        self.apps.remove(realm);
    }

    async fn answer(&self, head: &mut Head, body: Body, began: Instant) -> Result<Response<Body>, Failure> {
        let checked = head.take_admitted();
        let path = self.once(head.path());
        let reading = Reading::default();
        let query = Query::read(head.query().unwrap_or_default(), &reading);
        let Checked { app, actor, claims } = match checked {
            Some(checked) => checked,
            None => self.checked(head, path).await?,
        };
        if matches!(actor, Actor::User { .. }) {
            // it names the calling device, which was read with the credentials
            query.reads("resource");
        }
        let route = self.route_of(head, path)?;
        let endpoint = &route.handler;
        let params = Params::of(route, bare(path))?;
        let (whole, pieces) = match body {
            Body::Whole(bytes) => (bytes, None),
            Body::Stream(pieces) => (Bytes::new(), Some(pieces)),
        };
        let pieces = if route.streams { pieces.or_else(|| Some(one_piece(whole.clone()))) } else { pieces };
        let call = Call {
            app: &app,
            passwords: &self.passwords,
            actor,
            claims,
            headers: &head.headers,
            params,
            query,
            body: Sent { bytes: &whole, reading: &reading },
            pieces: Mutex::new(pieces),
            url: head.base_url() + path,
            address: head.address,
            place: endpoint.place,
        };
        let done = (endpoint.run)(&call).await;
        let is_upload_of_sdk = route.streams && call.caller().is_some() && files::is_restricted(call.headers);
        let reply = done.map_err(|failure| match endpoint.place {
            ErrorContext::Files if is_upload_of_sdk => refusals::of_upload(failure),
            ErrorContext::Attachment if is_upload_of_sdk => refusals::of_attachment(failure),
            _ => failure,
        })?;
        let mut answer = reply.respond(&call, &head.method, began);
        reading.unread().go_with(&mut answer);
        Ok(answer)
    }

    /// The app and the caller of an authorized request.
    async fn checked(&self, head: &Head, path: &str) -> Result<Checked, Failure> {
        let app = self.app(path)?;
        let route = self.route_of(head, path)?;
        let claims = check(&app, &head.headers, &route.handler).await?;
        let (actor, claims) = caller(&app, claims, head, &route.handler)?;
        Ok(Checked { app, actor, claims })
    }

    fn route_of(&self, head: &Head, path: &str) -> Result<&Route<Endpoint>, Failure> {
        self.table.of(head, bare(path)).map_err(|missing| match missing {
            NoMatch::Path => refusals::no_service(),
            NoMatch::Method => refusals::no_method(),
        })
    }

    /// A path without the prefix under which this vendor is reached, where it is there twice: web SDKs put the path of an
    /// attachment's URL behind their own `apiUrl`.
    fn once<'p>(&self, path: &'p str) -> &'p str {
        let rest =
            path.strip_prefix('/').and_then(|path| path.strip_prefix(VENDOR)).filter(|rest| rest.starts_with('/'));
        rest.filter(|rest| self.app(path).is_err() && self.app(rest).is_ok()).unwrap_or(path)
    }

    /// The app of a path.
    fn app(&self, path: &str) -> Result<Arc<App>, Failure> {
        let mut parts = path.trim_start_matches('/').splitn(3, '/');
        let org = decode_segment(parts.next().unwrap_or_default()).unwrap_or_default();
        let app = decode_segment(parts.next().unwrap_or_default()).unwrap_or_default();
        let by_id = || if org == APP_ID { self.apps.find(|known| known.has_id(&app)) } else { None };
        self.apps.get(&org, &app).or_else(by_id).ok_or_else(|| {
            let rest = parts.next().map(|rest| format!("/{rest}")).unwrap_or_default();
            refusals::app_unknown(&org, &app, &rest)
        })
    }

    /// The response to a refused request.
    fn refuse(&self, failure: &Failure, path: &str, began: Instant) -> Response<Body> {
        let app = self.app(path).ok().or_else(|| self.any());
        envelope::error(failure, app.map(|app| app.now()).unwrap_or_default(), began)
    }

    /// Any app, for its clock.
    fn any(&self) -> Option<Arc<App>> {
        self.apps.find(|_| true)
    }
}

/// In the place of an organisation: the app is named by its id (today's documentation writes `/app-id/{app_id}/…`).
const APP_ID: &str = "app-id";

/// An authorized caller, from the check before the request's body is read.
struct Checked {
    app: Arc<App>,
    actor: Actor,
    /// `None` where no token is required.
    claims: Option<Claims>,
}

/// The claims of the caller's token; `None` where no token is required.
async fn check(app: &App, headers: &HeaderMap, endpoint: &Endpoint) -> Result<Option<Claims>, Failure> {
    let place = endpoint.place;
    if endpoint.auth == Auth::Open {
        return Ok(None);
    }
    let Some(token) = auth::bearer(headers) else {
        return match endpoint.auth {
            Auth::Registration if app.settings.open_registration => Ok(None),
            Auth::Registration => Err(refusals::registration_closed()),
            _ => Err(refusals::no_token(place)),
        };
    };
    match auth::check(app, token).await {
        Ok(claims) => Ok(Some(claims)),
        Err(unknown) => Err(unauthenticated(app, place, unknown)),
    }
}

/// The vendor's words for a token that is not good.
pub(crate) fn unauthenticated(app: &App, place: ErrorContext, unauthenticated: Unauthenticated) -> Failure {
    match unauthenticated {
        Unauthenticated::Token(error) => refusals::bad_token(place, error),
        Unauthenticated::Refused(refusal) => failure_for(app, place, &refusal),
    }
}

/// The caller, if they may call the endpoint.
fn caller(
    app: &App,
    claims: Option<Claims>,
    head: &Head,
    endpoint: &Endpoint,
) -> Result<(Actor, Option<Claims>), Failure> {
    let Some(claims) = claims else {
        let actor = if endpoint.auth == Auth::Open { Actor::System } else { Actor::app() };
        return Ok((actor, None));
    };
    let actor = match (&claims.subject, endpoint.auth) {
        (Subject::App, _) => Actor::app(),
        (Subject::User(user), Auth::Either) => {
            // the calling device is stored with every event of the call, and is not notified of them
            let is_name = |resource: &&str| (1..=DEVICE_BYTES).contains(&resource.len());
            let reading = Reading::default();
            let query = Query::read(head.query().unwrap_or_default(), &reading);
            let device = query.get("resource").filter(is_name);
            Actor::User { user: user.clone(), device: device.map(|id| Device::new(VENDOR, id).to_string()) }
        }
        (Subject::User(_), Auth::Registration) if app.settings.open_registration => Actor::app(),
        (Subject::User(_), _) => return Err(refusals::app_token_needed()),
    };
    Ok((actor, Some(claims)))
}

/// The vendor's error for a refusal; details for the operator are logged.
pub(crate) fn failure_for(app: &App, place: ErrorContext, refusal: &Refusal) -> Failure {
    if let Refusal::Unavailable(_) = refusal {
        tracing::error!(app = %app.key(), "{refusal}");
    }
    refusals::word(app, place, refusal)
}

/// A complete body as a stream, for an operation that reads a stream.
fn one_piece(bytes: Bytes) -> ByteStream {
    Box::pin(futures_util::stream::iter([Ok(bytes)]))
}

/// The path without its trailing slash.
fn bare(path: &str) -> &str {
    path.strip_suffix('/').filter(|path| !path.is_empty()).unwrap_or(path)
}

#[async_trait]
impl Surface for Agora {
    fn vendor(&self) -> &'static str {
        VENDOR
    }

    fn routes(&self) -> Vec<RouteInfo> {
        self.table.infos()
    }

    fn route(&self, method: &Method, path: &str) -> Option<FoundRoute> {
        self.table.find(method, bare(self.once(path))).ok()
    }

    async fn admit(&self, head: &mut Head) -> Result<Admitted, Response<Body>> {
        let began = Instant::now();
        let path = self.once(head.path());
        match self.checked(head, path).await {
            Ok(checked) => {
                let user = checked.claims.as_ref().and_then(|claims| match &claims.subject {
                    Subject::User(user) => Some(user.clone()),
                    Subject::App => None,
                });
                // calls without credentials are not counted for a realm, or callers without an account could use up its
                // share
                let open = checked.claims.is_none();
                let realm = (!open).then(|| Arc::clone(&checked.app.realm));
                head.set_admitted(checked);
                Ok(Admitted { realm, user, open })
            }
            Err(failure) => Err(self.refuse(&failure, head.path(), began)),
        }
    }

    async fn serve(&self, exchange: Exchange) -> Response<Body> {
        let began = Instant::now();
        let Exchange { mut head, body } = exchange;
        match self.answer(&mut head, body, began).await {
            Ok(answer) => answer,
            Err(failure) => self.refuse(&failure, head.path(), began),
        }
    }

    fn cors(&self) -> Cors {
        Cors {
            methods: "GET, POST, PUT, DELETE, OPTIONS",
            headers: "Authorization, Content-Type, restrict-access, share-secret, Accept, X-Requested-With, X-Request-ID",
        }
    }

    fn errors(&self) -> Vec<ErrorInfo> {
        refusals::listed()
    }

    fn client_protocol(&self) -> Option<&dyn AnyProtocol> {
        Some(&self.clients)
    }

    fn fault(&self, fault: Fault) -> Response<Body> {
        envelope::error(&refusals::fault(fault), self.any().map(|app| app.now()).unwrap_or_default(), Instant::now())
    }
}
