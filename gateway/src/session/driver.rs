//! Runs one session: executes what its engine requests, and delivers frames and facts to it.

use std::collections::VecDeque;
use std::future::{pending, poll_fn};
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use conclave_kit::{
    AnySession, BoxFuture, Counted, DisconnectReason, Disconnection, EndedCall, Endpoint, Identity, OpenRequest,
    OutFrame, SignInRefused, Step, Steps,
};
use futures_util::FutureExt as _;
use http::request::Parts;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::Slots;
use super::calls::{CallContext, Calls};
use super::line::{Code, Incoming, Line, Lost};
use super::login::{Login, register};
use super::mailbox::Mail;
use super::online::Online;
use super::realm::NewLogin;
use crate::answer::log_error;
use crate::listener::{ConnectionSlot, Phase};

/// How often it is checked whether a user may still be signed in, besides when their account changes.
const ROUND: Duration = Duration::from_mins(1);

/// How long a stopping process waits for calls that have begun.
const LAST_CALLS: Duration = Duration::from_secs(5);

/// What a session keeps of its connection.
#[derive(Clone)]
pub(crate) struct Link {
    /// Its slot among all connections.
    pub(crate) slot: Arc<ConnectionSlot>,
    /// The client's address.
    pub(crate) peer: SocketAddr,
    /// The phase of the process's shutdown.
    pub(crate) phase: watch::Receiver<Phase>,
}

/// What a session begins with.
pub(super) struct Opening {
    pub(super) endpoint: Endpoint,
    /// The request with which the client connects.
    pub(super) parts: Parts,
    pub(super) context: CallContext,
    pub(super) online: Arc<Online>,
    pub(super) link: Link,
    pub(super) slots: Slots,
}

impl Opening {
    /// The session, before its client has sent anything; `None` if it cannot be opened. What is only needed to open it
    /// is dropped: there are many sessions, and most of them wait most of the time.
    pub(super) fn session(self, line: Line) -> Option<Box<Driver>> {
        let Self { endpoint, parts, context, online, link, slots } = self;
        let connection = uuid::Uuid::new_v4().to_string();
        let request =
            OpenRequest { endpoint: endpoint.name, parts: &parts, connection: &connection, peer: Some(link.peer) };
        let protocol = context.mounted.surface.client_protocol()?;
        let Ok(session) = std::panic::catch_unwind(AssertUnwindSafe(|| protocol.open_any(&request))) else {
            context.metrics.panics.inc();
            return None;
        };
        let now = Instant::now();
        Some(Box::new(Driver {
            session,
            endpoint,
            connection,
            login: None,
            online,
            line,
            link,
            context,
            calls: None,
            signing_in: None,
            recheck: None,
            frames: Vec::new(),
            silent_at: now + endpoint.limits.silence,
            recheck_at: now + ROUND,
            wake_at: None,
            client_was_last: false,
            _slots: slots,
        }))
    }
}

/// A session and everything it needs.
pub(super) struct Driver {
    session: Box<dyn AnySession>,
    endpoint: Endpoint,
    /// Unique among all connections.
    connection: String,
    login: Option<Login>,
    online: Arc<Online>,
    line: Line,
    link: Link,
    context: CallContext,
    /// Set while there are any.
    calls: Option<Box<Calls>>,
    /// The registration of a user who signs in.
    signing_in: Option<BoxFuture<'static, Result<Login, SignInRefused>>>,
    /// The check whether the user may stay signed in.
    recheck: Option<BoxFuture<'static, Option<DisconnectReason>>>,
    /// The frames to send next.
    frames: Vec<OutFrame>,
    silent_at: Instant,
    recheck_at: Instant,
    wake_at: Option<Instant>,
    /// Whether a frame of the client was handled last: then a delivery comes next, so that neither blocks the other.
    client_was_last: bool,
    _slots: Slots,
}

/// What the driver waits for.
enum Next {
    Incoming(Incoming),
    Mail(Mail),
    /// Without a result, its connection is cut.
    Ended(u64, Option<EndedCall>),
    SignedIn(Result<Login, SignInRefused>),
    Rechecked(Option<DisconnectReason>),
    /// The client has received something: it may be sent more.
    Room,
    Time,
    ShuttingDown,
}

/// Why a session has ended.
type End = &'static str;

impl Driver {
    /// Runs the session until either side ends it.
    pub(super) async fn run(mut self: Box<Self>) {
        let began = std::time::Instant::now();
        self.context.mounted.metrics.sessions.inc();
        let why = AssertUnwindSafe(self.run_to_end()).catch_unwind().await;
        let why = why.unwrap_or_else(|_| {
            // the panic hook has logged the location
            self.context.metrics.panics.inc();
            "broken"
        });
        self.context.mounted.metrics.sessions.dec();
        if let Some(calls) = self.calls.take() {
            calls.leave();
        }
        tracing::info!(
            target: "conclave::session",
            vendor = self.context.mounted.vendor,
            connection = self.connection,
            seconds = began.elapsed().as_secs(),
            why,
            "a session ended"
        );
    }

    /// Runs until either side ends the session; returns why it ended.
    async fn run_to_end(&mut self) -> End {
        let mut steps = Steps::new();
        self.session.opened(&mut steps);
        loop {
            if let Err(end) = self.carry_out(&mut steps).await {
                return end;
            }
            let next = self.next().await;
            if let Err(end) = self.handle(next, &mut steps).await {
                return end;
            }
        }
    }

    /// Waits for the next input. Deliveries and checks are handled even if a client sends without a pause.
    async fn next(&mut self) -> Next {
        let mail_first = self.client_was_last;
        let has_room = self.line.has_room();
        let may_read = has_room && self.may_read();
        let wake = [Some(self.recheck_at), may_read.then_some(self.silent_at), self.wake_at];
        let wake = wake.into_iter().flatten().min().unwrap_or(self.recheck_at);
        let Self { calls, signing_in, recheck, login, line, link, .. } = self;
        let (running, in_flight) = match calls {
            Some(calls) => (Some(&mut calls.running), Some(&calls.in_flight)),
            None => (None, None),
        };
        let ended = async {
            match running {
                Some(running) => Calls::ended(running).await,
                None => pending().await,
            }
        };
        let signed_in = async {
            match signing_in {
                Some(work) => Next::SignedIn(work.await),
                None => pending().await,
            }
        };
        let rechecked = async {
            match recheck {
                Some(work) => Next::Rechecked(work.await),
                None => pending().await,
            }
        };
        let mut mail = pin!(async {
            match login {
                Some(login) if has_room => Next::Mail(login.take(in_flight).await),
                _ => pending().await,
            }
        });
        let mut incoming = pin!(async {
            if may_read {
                return Next::Incoming(line.next().await);
            }
            if has_room {
                pending().await
            } else {
                line.room().await.map_or(Next::Incoming(Incoming::Gone), |()| Next::Room)
            }
        });
        let in_turn = poll_fn(|context| {
            let turns: [Pin<&mut (dyn Future<Output = Next> + Send)>; 2] =
                if mail_first { [mail.as_mut(), incoming.as_mut()] } else { [incoming.as_mut(), mail.as_mut()] };
            turns.into_iter().map(|turn| turn.poll(context)).find(Poll::is_ready).unwrap_or(Poll::Pending)
        });
        let next = tokio::select! {
            biased;
            _ = link.phase.wait_for(|phase| *phase != Phase::Serving) => Next::ShuttingDown,
            () = sleep_until(wake) => Next::Time,
            (number, call) = ended => Next::Ended(number, call),
            signed_in = signed_in => signed_in,
            rechecked = rechecked => rechecked,
            next = in_turn => next,
        };
        self.client_was_last = matches!(next, Next::Incoming(_));
        next
    }

    async fn handle(&mut self, next: Next, steps: &mut Steps) -> Result<(), End> {
        match next {
            Next::Incoming(incoming) => return self.incoming(incoming, steps).await,
            Next::Mail(mail) if mail.cut => return Err(self.cut()),
            Next::Mail(mail) => self.mail(mail, steps),
            Next::Ended(_, None) => return Err(self.cut()),
            Next::Ended(number, Some(call)) => return self.ended(number, call, steps).await,
            Next::SignedIn(result) => {
                self.signing_in = None;
                let result = result.map(|login| self.login = Some(login));
                self.session.signed_in(result, steps);
            }
            Next::Rechecked(reason) => {
                self.recheck = None;
                if let Some(reason) = reason {
                    self.sign_out(Disconnection::Ended(reason));
                    self.session.disconnect(reason, steps);
                } else if let Some(login) = &self.login {
                    login.mailbox.checked();
                }
            }
            Next::Room => {}
            Next::Time => return self.time(steps).await,
            Next::ShuttingDown => {
                Box::pin(self.finish_calls(steps)).await?;
                self.sign_out(Disconnection::Ended(DisconnectReason::ShuttingDown));
                self.session.disconnect(DisconnectReason::ShuttingDown, steps);
                self.carry_out(steps).await?;
                return Err(self.close(None, "the process shuts down").await);
            }
        }
        Ok(())
    }

    /// Answers the calls that have begun, as far as they end soon: the process is stopping.
    async fn finish_calls(&mut self, steps: &mut Steps) -> Result<(), End> {
        let deadline = Instant::now() + LAST_CALLS.min(self.context.time);
        while let Some(calls) = &mut self.calls {
            let Ok((number, call)) = timeout_at(deadline, Calls::ended(&mut calls.running)).await else { break };
            let Some(call) = call else { return Err(self.cut()) };
            self.ended(number, call, steps).await?;
        }
        Ok(())
    }

    /// Ends without notifying the client, for tests of what the client does then.
    fn cut(&mut self) -> End {
        self.sign_out(Disconnection::Lost);
        "cut on request of a test"
    }

    /// Handles the end of a call.
    async fn ended(&mut self, number: u64, call: EndedCall, steps: &mut Steps) -> Result<(), End> {
        self.session.answered(call, steps);
        // its events may be delivered only after its reply
        self.carry_out(steps).await?;
        if let Some(calls) = &mut self.calls {
            calls.finish(number, &self.context, &self.endpoint.limits);
            if calls.is_empty() {
                self.calls = None;
            }
        }
        Ok(())
    }

    async fn incoming(&mut self, incoming: Incoming, steps: &mut Steps) -> Result<(), End> {
        self.silent_at = Instant::now() + self.endpoint.limits.silence;
        match incoming {
            Incoming::Frame(frame) => {
                self.context.mounted.metrics.frames_in.inc();
                self.session.received(frame, steps);
                Ok(())
            }
            // the reply to a ping is unsent: no more is read before the client reads it
            Incoming::Alive => self.flush().await,
            Incoming::Closed => Err(self.close(None, "closed by the client").await),
            Incoming::Gone => Err("the connection failed"),
            Incoming::Unacceptable(code, why) => Err(self.close(Some(code), why).await),
        }
    }

    fn mail(&mut self, mail: Mail, steps: &mut Steps) {
        let Mail { deliveries, missed, recheck, ended, cut: _ } = mail;
        if let Some(reason) = ended {
            self.sign_out(Disconnection::Ended(reason));
            return self.session.disconnect(reason, steps);
        }
        if recheck {
            self.begin_recheck();
        }
        if missed {
            self.session.missed(steps);
        }
        for delivery in deliveries {
            self.session.deliver(&delivery.content, steps);
        }
    }

    async fn time(&mut self, steps: &mut Steps) -> Result<(), End> {
        let now = Instant::now();
        if self.recheck_at <= now {
            self.recheck_at = now + ROUND;
            self.begin_recheck();
        }
        if self.wake_at.is_some_and(|at| at <= now) {
            self.wake_at = None;
            self.session.woken(steps);
        }
        if self.line.has_room() && self.may_read() && self.silent_at <= now {
            return Err(self.close(None, "silent").await);
        }
        Ok(())
    }

    /// Whether the session accepts more calls.
    fn may_read(&self) -> bool {
        self.calls.as_ref().is_none_or(|calls| !calls.is_full(&self.endpoint.limits))
    }

    /// Checks whether the user may stay signed in. If a check is running, it is restarted.
    fn begin_recheck(&mut self) {
        self.recheck = self.session.recheck();
        if let (None, Some(login)) = (&self.recheck, &self.login) {
            login.mailbox.checked();
        }
    }

    /// Executes the session's requests, in order.
    async fn carry_out(&mut self, steps: &mut Steps) -> Result<(), End> {
        if steps.is_empty() {
            return Ok(());
        }
        let mut todo = VecDeque::from(steps.take());
        while let Some(step) = todo.pop_front() {
            match step {
                Step::Send(frame) => self.frames.push(frame),
                Step::Call(call) => {
                    let calls = self.calls.get_or_insert_default();
                    let faults = self.context.faults.for_call(self.context.mounted.vendor, call.operation);
                    if let (Some(faults), Some(login)) = (&faults, &self.login) {
                        login.registered.decide(faults);
                    }
                    calls.add((call, faults), &self.context, &self.endpoint.limits);
                }
                Step::SignIn(identity) => self.sign_in(*identity),
                Step::SignOut => self.sign_out(Disconnection::SignedOut),
                Step::Count(Counted { operation, outcome }) => {
                    let (vendor, metrics) = (self.context.mounted.vendor, self.context.mounted.metrics.of(operation));
                    let before = metrics.count(Some(outcome.status()), outcome.error(), Duration::ZERO);
                    let operation = operation.unwrap_or(crate::metrics::UNKNOWN);
                    log_error(vendor, operation, outcome.error(), before, None);
                }
                Step::Wake(time) => self.wake_at = Some(Instant::now() + time),
                Step::Close => {
                    self.flush().await?;
                    return Err(self.close(None, "closed by the protocol").await);
                }
            }
        }
        if self.frames.is_empty() { Ok(()) } else { self.flush().await }
    }

    /// Sends the waiting frames, and waits until the client has read them.
    async fn flush(&mut self) -> Result<(), End> {
        self.context.mounted.metrics.frames_out.inc_by(self.frames.len() as u64);
        // on the heap: a session that waits for input has no room for it
        let sent = Box::pin(self.line.send(&mut self.frames)).await.map_err(|Lost| "too slow or disconnected");
        // most sessions send nothing most of the time
        self.frames = Vec::new();
        sent
    }

    /// Signs out the current user, if any, and begins to register this one in presence; heartbeats and calls continue
    /// meanwhile.
    fn sign_in(&mut self, identity: Identity) {
        self.sign_out(Disconnection::SignedOut);
        let login_request = NewLogin {
            identity,
            mounted: Arc::clone(&self.context.mounted),
            id: self.connection.clone(),
            address: self.link.peer,
        };
        self.signing_in = Some(Box::pin(register(Arc::clone(&self.online), login_request, self.context.time)));
    }

    /// Removes the user from presence, if one is signed in.
    fn sign_out(&mut self, ending: Disconnection) {
        self.signing_in = None;
        self.recheck = None;
        if let Some(mut login) = self.login.take() {
            login.registered.ending = ending;
        }
    }

    /// Closes the connection; its user no longer counts as online, however long the client takes to close.
    async fn close(&mut self, code: Option<Code>, why: End) -> End {
        self.login = None;
        Box::pin(self.line.close(code)).await;
        why
    }
}
