//! What clients may request whose user has not signed in: to sign in, to report statistics, and to watch a live room.
//! Source: the clients' protocol.
//!
//! A visitor has no account: these commands run no operation, and read only what every visitor of a live room sees.

mod rooms;

use std::pin::Pin;

use conclave_core::event::Actor;
use conclave_core::model::GroupId;
use conclave_core::ports::GroupsExt as _;
use conclave_core::query::GroupById;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::envelope;
use crate::dialect::kind::Kind;
use crate::realm::App;
use crate::refusals::{Code, Failure, Family};
use crate::socket::login;
pub(crate) use rooms::WatchedRooms;

/// Most items of one response; a client requests again at once.
const PAGE: usize = 100;

/// One call of a client without a user.
pub(crate) struct Visit<'a> {
    pub(crate) app: &'a App,
    /// The user who is to sign in; may be empty.
    pub(crate) identifier: &'a str,
    /// The signature of the app's server for them; may be empty.
    pub(crate) usersig: &'a str,
    pub(crate) body: &'a [u8],
}

type Answering<'a> = Pin<Box<dyn Future<Output = Result<envelope::ResponseBody, Failure>> + Send + 'a>>;

/// A command for clients whose user has not signed in.
pub(crate) struct VisitorCommand {
    pub(crate) service: &'static str,
    /// Its name within the service.
    pub(crate) name: &'static str,
    handler: for<'a> fn(&'a Visit<'a>) -> Answering<'a>,
}

/// All of them.
pub(crate) static VISITOR_COMMANDS: &[VisitorCommand] = &[
    VisitorCommand { service: "webim", name: "accesslayer", handler: |_| Box::pin(async { envelope::done() }) },
    VisitorCommand { service: "openim", name: "login", handler: |visit| Box::pin(sign_in(visit)) },
    VisitorCommand { service: "imopenstat", name: "web_report", handler: |_| Box::pin(async { envelope::done() }) },
    VisitorCommand { service: "imopenstat", name: "tim_web_report", handler: |_| Box::pin(async { envelope::done() }) },
    VisitorCommand {
        service: "imopenstat",
        name: "tim_web_report_v2",
        handler: |_| Box::pin(async { envelope::done() }),
    },
    VisitorCommand {
        service: "group_open_http_noauth_svc",
        name: "apply_join_group",
        handler: |visit| Box::pin(enter(visit)),
    },
    VisitorCommand {
        service: "group_open_long_polling_http_noauth_svc",
        name: "get_msg",
        handler: |visit| Box::pin(watch(visit)),
    },
];

impl VisitorCommand {
    /// The command with this name, written `service.command`.
    pub(crate) fn named(full_name: &str) -> Option<&'static Self> {
        let (service, name) = full_name.split_once('.')?;
        VISITOR_COMMANDS.iter().find(|command| command.service == service && command.name == name)
    }

    /// The command with this path over HTTP.
    pub(crate) fn at(path: &str) -> Option<&'static Self> {
        let (service, name) = path.strip_prefix("/v4/")?.split_once('/')?;
        VISITOR_COMMANDS.iter().find(|command| command.service == service && command.name == name)
    }

    /// Runs the command.
    pub(crate) async fn run(&self, visit: &Visit<'_>) -> Result<envelope::ResponseBody, Failure> {
        (self.handler)(visit).await
    }
}

impl Visit<'_> {
    fn read<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        let body = if self.body.trim_ascii().is_empty() { b"{}" } else { self.body };
        match serde_json::from_slice(body) {
            Ok(request) => Ok(request),
            Err(_) if serde_json::from_slice::<IgnoredAny>(body).is_ok() => Err(Code::Parameter.into()),
            Err(_) => Err(Code::NotJson.into()),
        }
    }
}

/// `openim/login` of a client that polls.
async fn sign_in(visit: &Visit<'_>) -> Result<envelope::ResponseBody, Failure> {
    let login = login::sign_in_polling(visit.app, visit.identifier, visit.usersig).await?;
    let device = login.polling_device().ok_or(Code::AccountInternal)?;
    envelope::with(&login.welcome(&device, 0, visit.app.realm.groups.now().seconds()))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Enter {
    group_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct EnterResponse {
    joined_status: &'static str,
    huge_group_flag: u32,
    /// What the visitor watches the room with.
    long_polling_key: String,
    start_seq: u64,
}

/// What the key of a visitor holds, sealed.
#[derive(Serialize, Deserialize)]
struct Watched {
    group: GroupId,
    /// The last event of the realm when the visitor began to watch; nothing before it is shown.
    began: u64,
}

/// `apply_join_group` of a visitor: only live rooms can be watched, and visitors do not count as members.
async fn enter(visit: &Visit<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Enter = visit.read()?;
    let given = request.group_id.filter(|id| !id.is_empty());
    let given = given.ok_or_else(|| Code::Parameter.saying("GroupId is required"))?;
    let group = GroupId::new(given).map_err(|_| Code::NoGroup)?;
    live_room(visit.app, &group).await?;
    let began = visit.app.rooms.enter(visit.app, &group).await;
    let began = began.map_err(|refusal| Family::Groups.failure(&refusal))?.ok_or(Code::TooFrequent)?;
    envelope::with(&EnterResponse {
        joined_status: "JoinedSuccess",
        huge_group_flag: 1,
        long_polling_key: key(visit.app, &Watched { group, began })?,
        start_seq: began + 1,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Watch {
    key: Option<String>,
    /// The next event that the client has not seen; 0 at first.
    start_seq: Option<u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct WatchResponse {
    key: String,
    next_seq: u64,
    rsp_msg_list: Vec<Value>,
}

/// `get_msg` of a visitor: messages and tips of the room since the last request. It is answered at once, as clients wait
/// between two requests themselves.
async fn watch(visit: &Visit<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Watch = visit.read()?;
    let sealed = request.key.as_deref().and_then(|key| visit.app.visitor_keys.open(key));
    let watched: Option<Watched> = sealed.and_then(|json| serde_json::from_slice(&json).ok());
    let watched = watched.ok_or(Code::NoPermission)?;
    live_room(visit.app, &watched.group).await?;
    let after = request.start_seq.unwrap_or_default().saturating_sub(1).max(watched.began);
    let news = visit.app.rooms.news(visit.app, &watched.group, after, PAGE).await;
    let news = news.map_err(|refusal| Family::Groups.failure(&refusal))?.ok_or(Code::TooFrequent)?;
    envelope::with(&WatchResponse { key: key(visit.app, &watched)?, next_seq: news.next, rsp_msg_list: news.items })
}

fn key(app: &App, watched: &Watched) -> Result<String, Failure> {
    let json = serde_json::to_vec(&json!(watched)).map_err(|_| Code::Internal)?;
    Ok(app.visitor_keys.seal(&json))
}

/// Refuses unless the group is a live room.
async fn live_room(app: &App, group: &GroupId) -> Result<(), Failure> {
    let found = app.realm.groups.ask(&Actor::app(), GroupById { group: group.clone() }).await;
    let found = found.map_err(|refusal| Family::Groups.failure(&refusal))?;
    if Kind::of(&found.group) == Kind::AvChatRoom { Ok(()) } else { Err(Code::NoPermission.into()) }
}
