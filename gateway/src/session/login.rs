//! A signed-in user of a session, and the deliveries that wait for a reply.

use std::sync::Arc;
use std::time::Duration;

use conclave_kit::SignInRefused;
use tokio::time::timeout;

use super::calls::InFlight;
use super::mailbox::{Delivery, Mail, Mailbox};
use super::online::Online;
use super::realm::{NewLogin, Registered};

/// Most facts delivered before the client's frames are read again.
const BURST: usize = 32;

/// A signed-in user.
pub(super) struct Login {
    pub(super) registered: Registered,
    pub(super) mailbox: Arc<Mailbox>,
    gate: Gate,
}

/// Holds back deliveries that a call of this session may have caused, until its reply is sent.
#[derive(Default)]
pub(super) struct Gate {
    /// Deliveries up to this number are not held back any more.
    open_to: u64,
    /// What is held back: until the calls up to the first number have ended, deliveries up to the second.
    held: Option<(u64, u64)>,
}

/// Registers a user who signs in, within a timeout.
pub(super) async fn register(
    online: Arc<Online>,
    login_request: NewLogin,
    time: Duration,
) -> Result<Login, SignInRefused> {
    let mailbox = Arc::new(Mailbox::default());
    let Ok(registered) = timeout(time, online.register(&login_request, &mailbox)).await else {
        tracing::error!(
            realm = login_request.identity.realm,
            "a user cannot sign in, as reading their groups timed out"
        );
        return Err(SignInRefused::Unavailable);
    };
    let registered = registered?;
    tracing::info!(
        target: "conclave::session",
        vendor = login_request.mounted.vendor,
        realm = login_request.identity.realm,
        user = login_request.identity.user.as_str(),
        device = login_request.identity.device.id,
        connection = login_request.id,
        "a user signed in"
    );
    Ok(Login { registered, mailbox, gate: Gate::default() })
}

impl Login {
    /// Waits for mail that may be delivered now. What a call of this session may have caused waits until it is
    /// answered.
    pub(super) async fn take(&mut self, in_flight: Option<&InFlight>) -> Mail {
        let Self { mailbox, gate, .. } = self;
        mailbox.take(BURST, |delivery, number, last| gate.allows(delivery, number, last, in_flight)).await
    }
}

impl Gate {
    /// Whether a delivery may be taken; later ones wait behind one that may not, as their order is that of the log.
    fn allows(&mut self, delivery: &Delivery, number: u64, last: u64, in_flight: Option<&InFlight>) -> bool {
        if !delivery.is_own || number <= self.open_to {
            return true;
        }
        // whatever has been delivered by now was caused by a call that has begun by now
        let begun = in_flight.map_or(0, InFlight::last);
        let (calls_to, deliveries_to) = *self.held.get_or_insert((begun, last));
        if in_flight.is_some_and(|calls| calls.may_have_caused(calls_to)) {
            return false;
        }
        self.open_to = deliveries_to;
        self.held = None;
        true
    }
}
