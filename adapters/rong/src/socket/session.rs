//! One connection of one device.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use conclave_core::event::{Actor, Event, Happening};
use conclave_core::model::{GroupId, Message, MessageState, Millis, Sender};
use conclave_core::refusal::Refusal;
use conclave_kit::{Connected, Dismissal, Outbox, Outcome, Session};
use prost::Message as _;

use super::call::{Answer, Call, Denied, decode, hosted, millis};
use super::feed::{self, Kind, Place, Reader};
use super::frame::{self, Incoming, Mode, Request};
use super::wire::{DownStreamMessages, EventChangeList, NotifyMsg, QueryMsgChange, SyncRequestMsg};
use super::{message, topics};
use crate::dialect::message::uid;
use crate::realm::App;
use crate::refusals::client;
use crate::token::{self, Claim, InvalidToken};

/// Clients ping every 15 seconds; after this long without anything they are gone.
const PATIENCE: Duration = Duration::from_mins(1);

/// Why a connection ends, as the last frame says it.
mod farewell {
    pub(super) const REPLACED: u8 = 1;
    pub(super) const PROTOCOL: u8 = 2;
    pub(super) const REDIRECT: u8 = 6;
    pub(super) const TOKEN_EXPIRED: u8 = 7;
    pub(super) const ACCOUNT_DELETED: u8 = 9;
}

/// What there is to be fetched, as the notice says it.
mod notice {
    pub(super) const MESSAGES: i32 = 1;
    pub(super) const CHANGES: i32 = 11;
}

/// A client that was let in.
pub(crate) struct RongSession {
    app: Arc<App>,
    connected: Connected,
    /// When the token was issued that let the client in.
    issued: Millis,
    /// The last number given to a frame that the client confirms.
    last_id: u16,
    inbox: Option<Place>,
    changes: Option<Place>,
    queries: Pace,
    messages: Pace,
}

/// How much was done in the second at hand.
#[derive(Debug, Default)]
struct Pace {
    second: u64,
    done: u32,
}

impl Pace {
    /// Whether one more goes, of so many in a second; 0 is any number.
    fn goes(&mut self, now: Millis, most: u32) -> bool {
        if most == 0 {
            return true;
        }
        if self.second != now.seconds() {
            *self = Self { second: now.seconds(), done: 0 };
        }
        self.done = self.done.saturating_add(1);
        self.done <= most
    }
}

impl RongSession {
    pub(crate) fn new(app: Arc<App>, connected: Connected, issued: Millis) -> Self {
        Self {
            app,
            connected,
            issued,
            last_id: 0,
            inbox: None,
            changes: None,
            queries: Pace::default(),
            messages: Pace::default(),
        }
    }

    fn now(&self) -> Millis {
        self.app.realm.groups.now()
    }

    fn reader(&self) -> Reader<'_> {
        Reader { app: &self.app, user: &self.connected.user, device: &self.connected.device }
    }

    fn call(&self) -> Call<'_> {
        Call::new(&self.app, &self.connected.user, &self.connected.device)
    }

    fn next_id(&mut self) -> u16 {
        self.last_id = self.last_id.checked_add(1).unwrap_or(1);
        self.last_id
    }

    // --- what the client asks ------------------------------------------------------------------------------

    async fn answer(&mut self, request: &Request) -> Answer {
        let most = self.app.realm.settings.client_queries;
        if topics::is_of_groups(&request.topic) && !self.queries.goes(self.now(), most) {
            return Err(Denied::status(client::TOO_MANY_QUERIES));
        }
        match request.topic.as_str() {
            "pullMsg" => self.pull_messages(&request.body).await,
            "pullEventChange" => self.pull_changes(&request.body).await,
            topic => topics::answer(&self.call(), topic, &request.body).await,
        }
    }

    async fn pull_messages(&mut self, body: &[u8]) -> Answer {
        let asked: SyncRequestMsg = decode(body)?;
        let reader = self.reader();
        let place = reader.place(Kind::Inbox, self.inbox, asked.sync_time).await.map_err(|refusal| hosted(&refusal))?;
        let page = reader.page(Kind::Inbox, place).await.map_err(|refusal| hosted(&refusal))?;
        let with_sent = asked.is_pull_send.unwrap_or(true);
        let (list, place, more) = feed::inbox(reader, page, with_sent).await.map_err(|refusal| hosted(&refusal))?;
        self.inbox = Some(place);
        let answer = DownStreamMessages {
            list,
            sync_time: millis(place.time),
            finished: Some(!more),
            broadcast_sync_time: Some(asked.broadcast_sync_time.unwrap_or(0).max(1)),
            compression_enabled: None,
            compressed_data: None,
        };
        Ok(answer.encode_to_vec())
    }

    /// The first question of a connection is where to begin: only the moment and that there is more are looked at.
    async fn pull_changes(&mut self, body: &[u8]) -> Answer {
        let asked: QueryMsgChange = decode(body)?;
        let refused = |refusal: Refusal| hosted(&refusal);
        let reader = self.reader();
        if asked.sync_time <= 0 {
            let place = reader.remembered(Kind::Changes).await.map_err(refused)?;
            self.changes = Some(place);
            let answer = EventChangeList { list: Vec::new(), sync_time: millis(place.time), has_next: Some(true) };
            return Ok(answer.encode_to_vec());
        }
        let place = reader.place(Kind::Changes, self.changes, asked.sync_time).await.map_err(refused)?;
        let page = reader.page(Kind::Changes, place).await.map_err(refused)?;
        let list = feed::changes(reader, &page.entries).await.map_err(refused)?;
        reader.remember(page.place);
        self.changes = Some(page.place);
        let answer = EventChangeList { list, sync_time: millis(page.place.time), has_next: Some(page.more) };
        Ok(answer.encode_to_vec())
    }

    async fn publish(&mut self, request: &Request) -> (u16, Bytes) {
        if !self.messages.goes(self.now(), self.app.realm.settings.client_messages) {
            return (client::TOO_FAST, frame::published(request.id, self.now(), client::TOO_FAST, ""));
        }
        let call = self.call();
        let done = match request.topic.as_str() {
            "pgMsgP" => message::send::send(&call, request, true).await.map(|sent| (sent.at, uid(&sent.id))),
            "pgMsgS" => message::send::send(&call, request, false).await.map(|sent| (sent.at, uid(&sent.id))),
            "recallMsg" => message::recall::recall(&call, request).await,
            _ => Err(client::UNSUPPORTED),
        };
        match done {
            Ok((at, uid)) => (0, frame::published(request.id, at, 0, &uid)),
            Err(status) => (status, frame::published(request.id, self.now(), status, "")),
        }
    }

    // --- what the client is told ---------------------------------------------------------------------------

    /// Tells the client to fetch what has come. Its moment must be later than whatever the client has.
    fn notify(&mut self, kind: Kind, at: Millis, out: &mut Outbox) {
        let (topic, number, place) = match kind {
            Kind::Inbox => ("s_ntf", notice::MESSAGES, self.inbox),
            Kind::Changes => ("s_cmd", notice::CHANGES, self.changes),
        };
        let time = place.map_or(at.0, |place| at.0.max(place.time.saturating_add(1)));
        let body = NotifyMsg { kind: number, time: Some(millis(time)) }.encode_to_vec();
        let id = self.next_id();
        out.send(frame::publish(Mode::Confirmed, self.now(), topic, self.connected.user.as_str(), id, &body));
    }

    fn is_here(&self, actor: &Actor) -> bool {
        matches!(actor, Actor::User { device: Some(device), .. } if *device == self.connected.device)
    }

    fn is_own(&self, message: &Message) -> bool {
        message.sender == Sender::User(self.connected.user.clone())
    }

    /// A message was sent: the user's own comes as an echo, unless it came from here; others are to be fetched.
    async fn heard_message(
        &mut self,
        event: &Event,
        group: &GroupId,
        sequence: u64,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        // whose it is can be told without looking, but for what the app says
        let by_user = matches!(&event.actor, Actor::User { user, .. } if *user == self.connected.user);
        if by_user && self.is_here(&event.actor) {
            return Ok(());
        }
        if !by_user && matches!(event.actor, Actor::User { .. }) {
            self.notify(Kind::Inbox, event.at, out);
            return Ok(());
        }
        let Some(sent) = feed::stored(&self.app, group, sequence).await? else { return Ok(()) };
        if !feed::is_for(event, &sent, &self.connected.user) || sent.state != MessageState::Kept {
            return Ok(());
        }
        if by_user && self.is_own(&sent) {
            for sent in message::extended(&self.app, vec![sent]).await? {
                self.echo(&sent, out);
            }
        } else {
            self.notify(Kind::Inbox, event.at, out);
        }
        Ok(())
    }

    /// What the user sent elsewhere: as it was sent, and how it was confirmed.
    fn echo(&mut self, sent: &Message, out: &mut Outbox) {
        let id = self.next_id();
        let body = message::up(sent).encode_to_vec();
        out.send(frame::publish(Mode::Echo, self.now(), "pgMsgP", sent.group.as_str(), id, &body));
        out.send(frame::published(id, sent.at, 0, &uid(&sent.id)));
    }

    /// A message that is kept nowhere is told whole.
    fn pass(&mut self, sent: &Message, out: &mut Outbox) {
        if self.is_own(sent) {
            return;
        }
        let id = self.next_id();
        let body = message::down(sent, &self.connected.user).encode_to_vec();
        out.send(frame::publish(Mode::Confirmed, self.now(), "s_msg", self.connected.user.as_str(), id, &body));
    }

    async fn hear(&mut self, event: &Arc<Event>, out: &mut Outbox) -> Result<(), Refusal> {
        if let Happening::MessagePassed(sent) = &event.what {
            self.pass(sent, out);
            return Ok(());
        }
        let Some((kind, _)) = feed::class(event, &self.connected.device) else { return Ok(()) };
        let place = match kind {
            Kind::Inbox => self.inbox,
            Kind::Changes => self.changes,
        };
        if place.is_some_and(|place| event.sequence != 0 && event.sequence <= place.sequence) {
            return Ok(());
        }
        match (&event.what, &event.group) {
            (Happening::MessageSent { sequence, .. }, Some(group)) => {
                self.heard_message(event, group, *sequence, out).await?;
            }
            (Happening::RequestChanged(request), _) if !feed::hears(event, request, &self.connected.user) => {}
            _ => self.notify(kind, event.at, out),
        }
        Ok(())
    }
}

/// What a status comes to, to be counted.
fn outcome(status: u16) -> Outcome {
    match status {
        0 => Outcome::Answered,
        client::HOSTING_FAILED => Outcome::Failed,
        _ => Outcome::Refused,
    }
}

#[async_trait]
impl Session for RongSession {
    fn connected(&self) -> Option<&Connected> {
        Some(&self.connected)
    }

    async fn received(&mut self, frame: Bytes, out: &mut Outbox) {
        let incoming = match Incoming::decode(&frame) {
            Ok(incoming) => incoming,
            Err(bad) => {
                tracing::debug!("a client is disconnected: {bad}");
                out.send(frame::disconnect(farewell::PROTOCOL));
                out.close();
                return;
            }
        };
        match incoming {
            Incoming::Ping => out.send(frame::pong()),
            Incoming::Confirmed(_) => {}
            Incoming::Disconnect(_) => out.sign_out(),
            Incoming::Publish(request) => {
                let (status, answer) = self.publish(&request).await;
                out.note(topics::known(topics::MESSAGES, &request.topic), outcome(status));
                out.send(answer);
            }
            Incoming::Query(request) => {
                let (status, body) = match self.answer(&request).await {
                    Ok(body) => (0, body),
                    Err(denied) => (denied.status, Denied::body(&denied)),
                };
                out.note(topics::known(topics::QUESTIONS, &request.topic), outcome(status));
                out.send(frame::answered(request.id, self.now(), status, &body));
            }
        }
    }

    async fn heard(&mut self, event: &Arc<Event>, out: &mut Outbox) {
        if let Err(refusal) = self.hear(event, out).await {
            // the client fetches it with the next notice, or by itself within minutes
            tracing::error!("an event could not be told: {refusal}");
        }
    }

    async fn missed(&mut self, out: &mut Outbox) {
        let now = self.now();
        self.notify(Kind::Inbox, now, out);
        self.notify(Kind::Changes, now, out);
    }

    async fn outstayed(&mut self) -> Option<Dismissal> {
        let claim = Claim { user: self.connected.user.clone(), issued: self.issued };
        match token::check(&self.app, &claim).await {
            Ok(_) => None,
            Err(InvalidToken::Forged | InvalidToken::Expired) => Some(Dismissal::TokenExpired),
            Err(InvalidToken::UserGone) => Some(Dismissal::AccountDeleted),
            Err(InvalidToken::UserBlocked) => Some(Dismissal::Deactivated),
            Err(InvalidToken::Unknown(refusal)) => {
                tracing::error!("whether a client may stay could not be looked up: {refusal}");
                None
            }
        }
    }

    fn dismissed(&mut self, why: Dismissal, out: &mut Outbox) {
        let status = match why {
            Dismissal::Replaced => Some(farewell::REPLACED),
            // the app takes the tokens with it
            Dismissal::TokenExpired | Dismissal::ByApp => Some(farewell::TOKEN_EXPIRED),
            Dismissal::Deactivated => Some(farewell::PROTOCOL),
            Dismissal::AccountDeleted => Some(farewell::ACCOUNT_DELETED),
            // clients ask the navigator again, which may name another place by then, and keep asking
            Dismissal::Going => Some(farewell::REDIRECT),
        };
        if let Some(status) = status {
            out.send(frame::disconnect(status));
        }
        out.close();
    }

    fn patience(&self) -> Duration {
        PATIENCE
    }
}
