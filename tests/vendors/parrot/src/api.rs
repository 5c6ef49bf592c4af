//! The server API: three routes.

use std::sync::Arc;

use async_trait::async_trait;
use conclave_core::event::Actor;
use conclave_core::model::{Body as Content, GroupId, Policy, Sender, UserId};
use conclave_core::operation::{CreateGroup, SendMessage};
use conclave_core::ports::GroupsExt as _;
use conclave_core::query::GroupById;
use conclave_kit::{
    AnyProtocol, Apps, Body, Exchange, Fault, FoundRoute, Head, OpenRealm, Route, RouteInfo, SetupError, Surface,
    Table, decode_segment, same,
};
use http::{Method, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Section;
use crate::refusals::Failure;

/// The header with the app's key, and the one with its secret.
const KEY: &str = "parrot-key";
const SECRET: &str = "parrot-secret";

/// The surface of all realms at this vendor.
pub struct Parrot {
    apps: Apps<String, OpenRealm<Section>>,
    table: Table<Endpoint>,
}

#[derive(Debug, Clone, Copy)]
enum Endpoint {
    Make,
    Show,
    Say,
}

#[derive(Deserialize)]
struct Perch {
    id: String,
    owner: String,
}

#[derive(Deserialize)]
struct Words {
    from: String,
    text: String,
}

const ILLEGIBLE: Failure = Failure(StatusCode::BAD_REQUEST, "illegible");

impl Parrot {
    pub(crate) fn new() -> Result<Self, SetupError> {
        let route = |method, path, operation, handler| Route { method, path, operation, streams: false, handler };
        let table = Table::new(vec![
            route(Method::POST, "/v1/perches", "make perch", Endpoint::Make),
            route(Method::GET, "/v1/perches/{id}", "show perch", Endpoint::Show),
            route(Method::POST, "/v1/perches/{id}/words", "say words", Endpoint::Say),
        ])?;
        Ok(Self { apps: Apps::new(|_| "parrot key".to_owned()), table })
    }

    pub(crate) fn add(&self, realm: OpenRealm<Section>) -> Result<(), SetupError> {
        let (name, key) = (realm.name.clone(), realm.section.credentials.key.clone());
        self.apps.add(&name, &key, realm)
    }

    pub(crate) fn remove(&self, realm: &str) {
        self.apps.remove(realm);
    }

    pub(crate) fn apps(&self) -> Vec<Arc<OpenRealm<Section>>> {
        self.apps.load().iter().cloned().collect()
    }

    async fn answer(&self, head: &Head, body: &[u8]) -> Result<Value, Failure> {
        let route = self.table.of(head, head.path());
        let route = route.map_err(|_| Failure(StatusCode::NOT_FOUND, "no such branch"))?;
        let header = |name| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let (key, secret) = (header(KEY), header(SECRET));
        let app = self.apps.get(key).filter(|app| is_proved(app, key, secret));
        let app = &app.ok_or(Failure(StatusCode::UNAUTHORIZED, "a stranger"))?;
        match route.handler {
            Endpoint::Make => {
                let perch: Perch = serde_json::from_slice(body).map_err(|_| ILLEGIBLE)?;
                make(app, perch).await
            }
            Endpoint::Show => show(app, perch_of(route, head.path())?).await,
            Endpoint::Say => {
                let words: Words = serde_json::from_slice(body).map_err(|_| ILLEGIBLE)?;
                say(app, perch_of(route, head.path())?, words).await
            }
        }
    }
}

/// Whether the app is authenticated.
pub(crate) fn is_proved(app: &OpenRealm<Section>, key: &str, secret: &str) -> bool {
    let credentials = &app.section.credentials;
    credentials.key == key && same(credentials.secret.as_bytes(), secret.as_bytes())
}

fn perch_of(route: &Route<Endpoint>, path: &str) -> Result<GroupId, Failure> {
    let id = route.params(path).find(|(name, _)| *name == "id").and_then(|(_, value)| decode_segment(value));
    id.and_then(|id| GroupId::new(id).ok()).ok_or(Failure(StatusCode::NOT_FOUND, "no such perch"))
}

async fn make(app: &OpenRealm<Section>, perch: Perch) -> Result<Value, Failure> {
    let (id, owner) = (GroupId::new(perch.id), UserId::new(perch.owner));
    let (Ok(id), Ok(owner)) = (id, owner) else { return Err(ILLEGIBLE) };
    let create = CreateGroup { id: Some(id.clone()), ..CreateGroup::new(Some(owner), Policy::standard()) };
    app.groups.run(&Actor::app(), create).await?;
    Ok(json!({ "perch": id }))
}

async fn show(app: &OpenRealm<Section>, group: GroupId) -> Result<Value, Failure> {
    let found = app.groups.ask(&Actor::app(), GroupById { group }).await?.group;
    Ok(json!({ "perch": found.id, "name": found.profile.name, "birds": found.members }))
}

async fn say(app: &OpenRealm<Section>, group: GroupId, words: Words) -> Result<Value, Failure> {
    let Words { from, mut text } = words;
    if app.section.settings.loud {
        text = text.to_uppercase();
    }
    let from = UserId::new(from).map_err(|_| ILLEGIBLE)?;
    let sent = app.groups.run(&Actor::app(), SendMessage::new(group, Sender::User(from), Content::Text(text))).await?;
    Ok(json!({ "words": sent.message.id }))
}

#[async_trait]
impl Surface for Parrot {
    fn vendor(&self) -> &'static str {
        "parrot"
    }

    fn routes(&self) -> Vec<RouteInfo> {
        self.table.infos()
    }

    fn route(&self, method: &Method, path: &str) -> Option<FoundRoute> {
        self.table.find(method, path).ok()
    }

    async fn serve(&self, exchange: Exchange) -> Response<Body> {
        let Exchange { head, body } = exchange;
        // no route streams its body
        let body = body.bytes().cloned().unwrap_or_default();
        match self.answer(&head, &body).await {
            Ok(value) => Response::new(Body::from(value.to_string())),
            Err(failure) => failure.response(),
        }
    }

    fn fault(&self, fault: Fault) -> Response<Body> {
        Failure::from(fault).response()
    }

    fn client_protocol(&self) -> Option<&dyn AnyProtocol> {
        Some(self)
    }
}
