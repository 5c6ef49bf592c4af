//! A made-up protocol that only notifies: clients pull events.
//!
//! Over a WebSocket or `SockJS` a client receives `n` when there are new events, and pulls them with `pull`: `p` and
//! the numbers of the messages. By long polling it sends `poll MILLISECONDS`, and gets `n COUNT`, or `n 0` when there
//! was no event in that time.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use conclave::{Config, Gateway, Running};
use conclave_core::event::{Actor, Event, Happening};
use conclave_core::model::UserId;
use conclave_core::ports::{Groups, GroupsExt as _};
use conclave_core::query::Feed;
use conclave_core::refusal::Refusal;
use conclave_kit::{
    Answered, AnyProtocol, Body, Call, ClientProtocol, Device, DisconnectReason, Endpoint, Exchange, Fact, Fault,
    FoundRoute, Frame, FrameKind, Identity, OpenRequest, Outbox, PathPattern, Recipients, RouteInfo, Session,
    SessionLimits, SignInRefused, Surface, Transport, query_pairs,
};
use http::{Method, Response};

#[derive(Default)]
pub(crate) struct Puller(OnceLock<Arc<dyn Groups>>);

#[async_trait]
impl Surface for Puller {
    fn vendor(&self) -> &'static str {
        "puller"
    }

    fn routes(&self) -> Vec<RouteInfo> {
        Vec::new()
    }

    fn route(&self, _: &Method, _: &str) -> Option<FoundRoute> {
        None
    }

    async fn serve(&self, _: Exchange) -> Response<Body> {
        Response::new(Body::empty())
    }

    fn fault(&self, fault: Fault) -> Response<Body> {
        Response::new(Body::from(format!("{fault:?}")))
    }

    fn client_protocol(&self) -> Option<&dyn AnyProtocol> {
        Some(self)
    }
}

fn user_of(request: &OpenRequest<'_>) -> UserId {
    let query = query_pairs(request.parts.uri.query().unwrap_or_default());
    let user = query.into_iter().find(|(key, _)| key == "user").map(|(_, user)| user);
    UserId::new(user.unwrap_or_default()).unwrap_or_else(|_| UserId::new("nobody").unwrap())
}

#[async_trait]
impl ClientProtocol for Puller {
    type Session = Pull;

    fn endpoints(&self) -> Vec<Endpoint> {
        let limits =
            SessionLimits { linger: Duration::from_secs(1), output_bytes: 100_000, ..SessionLimits::default() };
        let endpoint = |name, path, transport| Endpoint { name, path: PathPattern::Exact(path), transport, limits };
        vec![
            endpoint("bell", "/bell", Transport::WebSocket(FrameKind::Any)),
            endpoint("sock", "/sock", Transport::SockJs),
            endpoint("poll", "/v4/poll", Transport::LongPolling { content_type: "text/plain" }),
        ]
    }

    fn open(&self, request: &OpenRequest<'_>) -> Pull {
        let device = Device::new("puller", request.connection);
        Pull {
            groups: Arc::clone(self.0.get().expect("a gateway")),
            identity: Identity::new("dev", user_of(request), device),
            polls: request.endpoint == "poll",
            after: 0,
            new: 0,
            is_notified: false,
            is_polling: false,
        }
    }

    fn poll_key(&self, request: &OpenRequest<'_>, _: &Bytes) -> Result<String, Box<Response<Body>>> {
        let query = request.parts.uri.query().unwrap_or_default();
        if query.contains("proof=yes") {
            return Ok(user_of(request).to_string());
        }
        let mut answer = Response::new(Body::from("who are you".to_owned()));
        *answer.status_mut() = http::StatusCode::FORBIDDEN;
        Err(Box::new(answer))
    }

    async fn project(&self, _: &str, event: &Arc<Event>) -> Result<Vec<Fact<()>>, Refusal> {
        let is_message = matches!(event.what, Happening::MessageSent { .. });
        Ok(is_message.then(|| Fact::new(Recipients::audience(event), ())).into_iter().collect())
    }
}

pub(crate) struct Pull {
    groups: Arc<dyn Groups>,
    identity: Identity,
    polls: bool,
    /// The last pulled event.
    after: u64,
    /// How many messages the client was not notified of.
    new: usize,
    is_notified: bool,
    /// Whether a poll request waits for its response.
    is_polling: bool,
}

impl Pull {
    fn notify(&mut self, out: &mut Outbox<'_, Self>) {
        if self.polls {
            if self.is_polling && self.new > 0 {
                self.is_polling = false;
                out.send_text(format!("n {}", std::mem::take(&mut self.new)));
            }
        } else if !self.is_notified {
            self.is_notified = true;
            out.send_text("n");
        }
    }
}

impl Session for Pull {
    type Ticket = ();
    type Reply = (u64, String);
    type Fact = ();

    fn opened(&mut self, out: &mut Outbox<'_, Self>) {
        out.sign_in(self.identity.clone());
    }

    fn received(&mut self, frame: Frame, out: &mut Outbox<'_, Self>) {
        let text = String::from_utf8_lossy(frame.bytes()).into_owned();
        if let Some(hold) = text.strip_prefix("poll ") {
            self.is_polling = true;
            out.wake_after(Duration::from_millis(hold.parse().unwrap()));
            self.notify(out);
            return;
        }
        self.is_notified = false;
        let (groups, user, after) = (Arc::clone(&self.groups), self.identity.user.clone(), self.after);
        let work = async move {
            let page = groups.ask(&Actor::app(), Feed { user, after, limit: 1000 }).await.unwrap();
            let numbers = page.events.iter().filter_map(|event| match &event.what {
                Happening::MessageSent { sequence, .. } => Some(sequence.to_string()),
                _ => None,
            });
            Answered::done((page.last.max(after), numbers.collect::<Vec<_>>().join(" ")))
        };
        out.call(Call::new(None, (), work).in_lane(0));
    }

    fn answered(&mut self, (): (), result: Result<(u64, String), Fault>, out: &mut Outbox<'_, Self>) {
        let (last, numbers) = result.unwrap();
        self.after = last;
        out.send_text(format!("p {numbers}"));
    }

    fn signed_in(&mut self, result: Result<(), SignInRefused>, out: &mut Outbox<'_, Self>) {
        if !self.polls {
            out.send_text(format!("{result:?}"));
        }
    }

    fn deliver(&mut self, _: &Arc<()>, out: &mut Outbox<'_, Self>) {
        self.new += 1;
        self.notify(out);
    }

    fn missed(&mut self, out: &mut Outbox<'_, Self>) {
        self.deliver(&Arc::new(()), out);
    }

    fn disconnect(&mut self, reason: DisconnectReason, out: &mut Outbox<'_, Self>) {
        out.send_text(format!("{reason:?}"));
        out.close();
    }

    fn woken(&mut self, out: &mut Outbox<'_, Self>) {
        if std::mem::take(&mut self.is_polling) {
            out.send_text("n 0");
        }
    }
}

/// A gateway that serves the protocol.
pub(crate) async fn start(change: impl FnOnce(&mut Config)) -> Running {
    let puller = Arc::new(Puller::default());
    let mut config = Config::development().unwrap();
    change(&mut config);
    let gateway = Gateway::builder(config).surface(Arc::clone(&puller) as Arc<dyn Surface>).start().await.unwrap();
    assert!(puller.0.set(Arc::clone(&gateway.groups["dev"])).is_ok());
    super::register(&gateway).await;
    gateway
}
