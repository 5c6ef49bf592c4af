//! Projects events to what clients are sent at once: mostly a notice to fetch.

use std::sync::Arc;

use conclave_core::event::{Actor, Event};
use conclave_core::model::{Message, MessageState, Sender, UserId};
use conclave_core::refusal::Refusal;
use conclave_kit::{Fact, Recipients};

use super::feed::{self, Kind};
use super::message;
use crate::dialect::events;
use crate::realm::App;

/// What a client is sent for an event.
pub(crate) struct RongFact {
    /// The number of the event; 0 without one.
    pub(super) sequence: u64,
    /// The time of the event, in milliseconds.
    pub(super) at: u64,
    pub(super) what: What,
}

/// What the client does.
pub(crate) enum What {
    /// It fetches new events.
    Fetch(Kind),
    /// It shows a message that its user sent from another device.
    SentElsewhere(Arc<Message>),
    /// It shows a message that is stored nowhere, so it is sent whole.
    Passing(Box<Message>),
}

/// What clients are sent for an event.
pub(super) async fn facts(app: &App, event: &Event) -> Result<Vec<Fact<RongFact>>, Refusal> {
    let fact = |to: Recipients, what| Fact::new(to, RongFact { sequence: event.sequence, at: event.at.0, what });
    let Some(of_event) = events::facts([event]).pop() else { return Ok(Vec::new()) };
    match (&of_event.what, &event.group) {
        (events::What::Passed(passing), _) => {
            let passing = Message::clone(passing);
            let bytes = size(&passing);
            let to = of_event.to.without(by_user(&passing));
            Ok(vec![fact(to, What::Passing(Box::new(passing))).of_bytes(bytes)])
        }
        (events::What::Sent(sequence), Some(group)) => {
            let actor = match &event.actor {
                Actor::User { user, .. } => Some(user),
                Actor::App { .. } | Actor::System => None,
            };
            let audience = || of_event.to.clone();
            // others fetch it in any case; for the sender it depends on the device, and for the app on its flags
            let others = actor.map(|actor| fact(audience().without([actor.clone()]), What::Fetch(Kind::Inbox)));
            let own = match feed::stored(app, group, *sequence).await? {
                Some(sent) if sent.state == MessageState::Kept => sent,
                _ => return Ok(others.into_iter().collect()),
            };
            let looked_at = if let Some(actor) = actor {
                let to = Recipients::users([actor.clone()]).without_acting_device();
                if own.sender == Sender::User(actor.clone()) {
                    let own = message::extended(app, vec![own]).await?.pop();
                    own.map(|own| (size(&own), to, What::SentElsewhere(own)))
                } else {
                    Some((0, to, What::Fetch(Kind::Inbox)))
                }
            } else {
                let hidden = by_user(&own).filter(|sender| !feed::is_for(event, &own, sender));
                Some((0, audience().without(hidden), What::Fetch(Kind::Inbox)))
            };
            let looked_at = looked_at.map(|(bytes, to, what)| fact(to, what).of_bytes(bytes));
            Ok(others.into_iter().chain(looked_at).collect())
        }
        (events::What::Application(request), _) => {
            let recipients =
                event.audience.users.iter().filter(|user| feed::is_recipient(event, request, user)).cloned();
            Ok(vec![fact(Recipients::users(recipients), What::Fetch(Kind::Changes))])
        }
        (
            events::What::Created { .. }
            | events::What::Dismissed { .. }
            | events::What::Operation(_)
            | events::What::Profile(_)
            | events::What::Member(_)
            | events::What::Remark(_)
            | events::What::Follows { .. }
            | events::What::Recalled(_)
            | events::What::Edited(_)
            | events::What::Extended(_)
            | events::What::Read { .. }
            | events::What::Sent(_),
            _,
        ) => {
            let Some((kind, _)) = feed::class(event, "", app.realm.settings.message_receipts) else {
                return Ok(Vec::new());
            };
            Ok(vec![fact(of_event.to, What::Fetch(kind))])
        }
    }
}

fn by_user(message: &Message) -> Option<UserId> {
    match &message.sender {
        Sender::User(sender) => Some(sender.clone()),
        Sender::App => None,
    }
}

/// The approximate memory of a message, in bytes.
fn size(message: &Message) -> usize {
    message.body.bytes()
}
