//! The client protocol: lines of text over a WebSocket.
//!
//! | client | server |
//! |---|---|
//! | `hello KEY SECRET USER` | `welcome USER`, or `stranger` and the end |
//! | `say NUMBER PERCH TEXT` | `said NUMBER ID`, or `no NUMBER SQUAWK` |
//! | | `message PERCH USER TEXT` |

use std::sync::Arc;

use async_trait::async_trait;
use conclave_core::event::{Actor, Event, Happening};
use conclave_core::model::{Body, GroupId, Sender, UserId};
use conclave_core::operation::SendMessage;
use conclave_core::ports::GroupsExt as _;
use conclave_core::refusal::Refusal;
use conclave_kit::{
    Answered, Call, CallOutcome, ClientProtocol, Device, DisconnectReason, Endpoint, Fact, Fault, Frame, FrameKind,
    Identity, OpenRealm, OpenRequest, OutFrame, Outbox, PathPattern, Recipients, Session, SessionLimits, SharedFrame,
    SignInRefused, Transport, message_of,
};

use crate::api::Parrot;
use crate::refusals::Failure;
use crate::{Section, api};

/// The operation of `say`.
const SAY: &str = "say line";

#[async_trait]
impl ClientProtocol for Parrot {
    type Session = Line;

    fn endpoints(&self) -> Vec<Endpoint> {
        vec![Endpoint {
            name: "lines",
            path: PathPattern::Exact("/lines"),
            transport: Transport::WebSocket(FrameKind::Text),
            limits: SessionLimits::default(),
        }]
    }

    fn operations(&self) -> Vec<&'static str> {
        vec![SAY]
    }

    fn open(&self, request: &OpenRequest<'_>) -> Line {
        Line { apps: self.apps(), connection: request.connection.to_owned(), state: State::Strange }
    }

    async fn project(&self, realm: &str, event: &Arc<Event>) -> Result<Vec<Fact<Arc<SharedFrame>>>, Refusal> {
        let Happening::MessageSent { .. } = &event.what else { return Ok(Vec::new()) };
        let apps = self.apps();
        let Some(app) = apps.iter().find(|app| app.name == realm) else { return Ok(Vec::new()) };
        let Some(message) = message_of(event, &*app.groups).await? else { return Ok(Vec::new()) };
        let (Body::Text(text), Sender::User(from)) = (&message.body, &message.sender) else { return Ok(Vec::new()) };
        let received = Frame::text(format!("message {} {from} {text}", message.group));
        let to = Recipients::audience(event).without_acting_device();
        Ok(vec![Fact::new(to, SharedFrame::new(received))])
    }
}

/// One client.
pub struct Line {
    apps: Vec<Arc<OpenRealm<Section>>>,
    connection: String,
    state: State,
}

enum State {
    Strange,
    Arriving { app: Arc<OpenRealm<Section>>, identity: Identity },
    Here { app: Arc<OpenRealm<Section>>, identity: Identity },
}

impl Line {
    fn hello(&mut self, words: &str, out: &mut Outbox<'_, Self>) {
        let mut words = words.splitn(3, ' ');
        let mut word = || words.next().unwrap_or_default();
        let (key, secret, user) = (word(), word(), word());
        let app = self.apps.iter().find(|app| api::is_proved(app, key, secret));
        let (Some(app), Ok(user)) = (app, UserId::new(user)) else {
            out.send_text("stranger");
            out.close();
            return;
        };
        let identity = Identity::new(app.name.clone(), user, Device::new("parrot", self.connection.clone()));
        out.sign_in(identity.clone());
        self.state = State::Arriving { app: Arc::clone(app), identity };
    }

    fn say(&self, words: &str, out: &mut Outbox<'_, Self>) {
        let State::Here { app, identity } = &self.state else { return out.send_text("hello first") };
        let mut words = words.splitn(3, ' ');
        let mut word = || words.next().unwrap_or_default().to_owned();
        let (number, perch, text) = (word(), word(), word());
        let actor = Actor::User { user: identity.user.clone(), device: Some(identity.device.to_string()) };
        let (app, user) = (Arc::clone(app), identity.user.clone());
        out.call(Call::new(Some(SAY), number, async move {
            let Ok(group) = GroupId::new(perch) else {
                return Answered::with("no such perch".to_owned(), CallOutcome::Refused);
            };
            let send = SendMessage::new(group, Sender::User(user), Body::Text(text));
            match app.groups.run(&actor, send).await {
                Ok(posted) => Answered::done(format!("said {}", posted.message.id)),
                Err(refusal) => Answered::with(Failure::from(refusal).1.to_owned(), CallOutcome::Refused),
            }
        }));
    }
}

impl Session for Line {
    /// The client's number.
    type Ticket = String;
    /// `said ID`, or a squawk.
    type Reply = String;
    type Fact = Arc<SharedFrame>;

    fn received(&mut self, frame: Frame, out: &mut Outbox<'_, Self>) {
        let Ok(line) = std::str::from_utf8(frame.bytes()) else { return };
        match line.split_once(' ') {
            Some(("hello", words)) => self.hello(words, out),
            Some(("say", words)) => self.say(words, out),
            _ => out.send_text("what"),
        }
    }

    fn answered(&mut self, number: String, result: Result<String, Fault>, out: &mut Outbox<'_, Self>) {
        let reply = result.unwrap_or_else(|fault| Failure::from(fault).1.to_owned());
        match reply.strip_prefix("said ") {
            Some(id) => out.send_text(format!("said {number} {id}")),
            None => out.send_text(format!("no {number} {reply}")),
        }
    }

    fn signed_in(&mut self, result: Result<(), SignInRefused>, out: &mut Outbox<'_, Self>) {
        let arriving = std::mem::replace(&mut self.state, State::Strange);
        if let (Ok(()), State::Arriving { app, identity }) = (result, arriving) {
            out.send_text(format!("welcome {}", identity.user));
            self.state = State::Here { app, identity };
        } else {
            out.send_text("asleep");
            out.close();
        }
    }

    fn deliver(&mut self, fact: &Arc<Arc<SharedFrame>>, out: &mut Outbox<'_, Self>) {
        out.send(OutFrame::Shared(Arc::clone(fact)));
    }

    fn missed(&mut self, out: &mut Outbox<'_, Self>) {
        out.send_text("missed");
    }

    fn disconnect(&mut self, _: DisconnectReason, out: &mut Outbox<'_, Self>) {
        out.send_text("bye");
        out.close();
    }
}
