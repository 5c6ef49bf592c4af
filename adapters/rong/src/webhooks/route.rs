//! Messages: a copy of each, as a form; and a notice of each recall.

use conclave_core::event::{Actor, Event};
use conclave_core::model::{GroupId, Labels, Message, UserId};
use conclave_core::ports::Groups;
use conclave_core::refusal::Refusal;
use conclave_kit::{Notice, form_body, message_at, message_of};

use crate::dialect::events::{Fact, What};
use crate::dialect::message;

/// The notification's name here, as the vendor has none.
const NAME: &str = "message route";
/// The label for the app's business channel of a message.
const BUS_CHANNEL: &str = "rong.busChannel";

/// The notifications of a fact: a message, or recalls.
pub(super) async fn notices(fact: &Fact<'_>, groups: &dyn Groups) -> Result<Vec<Notice>, Refusal> {
    let Fact { event, what, .. } = fact;
    let Some(group) = &event.group else { return Ok(Vec::new()) };
    match what {
        What::Sent(_) | What::Passed(_) => {
            let message = message_of(event, groups).await?;
            Ok(message.map(|message| said(event, &message)).into_iter().collect())
        }
        What::Recalled(sequences) => {
            let mut notices = Vec::with_capacity(sequences.len());
            for sequence in *sequences {
                let gone = message_at(group, *sequence, groups).await?;
                notices.extend(gone.map(|gone| recalled(event, &gone)));
            }
            Ok(notices)
        }
        What::Created { .. }
        | What::Dismissed { .. }
        | What::Operation(_)
        | What::Profile(_)
        | What::Member(_)
        | What::Application(_)
        | What::Remark(_)
        | What::Follows { .. }
        | What::Edited(_)
        | What::Extended(_)
        | What::Read { .. } => Ok(Vec::new()),
    }
}

fn said(event: &Event, message: &Message) -> Notice {
    let (object_name, content) = message::object(&message.body, message.mention.as_ref(), &message.labels);
    Copy {
        from: message::sender(message),
        group: &message.group,
        object: (object_name, content),
        at: message.at.0,
        uid: message::uid(&message.id),
        original: None,
        labels: &message.labels,
        targets: &message.targets,
    }
    .into_notice(event)
}

/// A recall is a message of its own, with an id of its own.
fn recalled(event: &Event, gone: &Message) -> Notice {
    let by = event.actor.behind();
    Copy {
        from: by.map_or_else(|| message::sender(gone), ToString::to_string),
        group: &gone.group,
        object: message::recall_object(gone, by),
        at: event.at.0,
        uid: message::recall_uid(&gone.id),
        original: Some(message::uid(&gone.id)),
        labels: &gone.labels,
        targets: &gone.targets,
    }
    .into_notice(event)
}

/// A message for the app's server.
struct Copy<'m> {
    from: String,
    group: &'m GroupId,
    object: (String, String),
    at: u64,
    uid: String,
    original: Option<String>,
    labels: &'m Labels,
    targets: &'m [UserId],
}

impl Copy<'_> {
    fn into_notice(self, event: &Event) -> Notice {
        let (object_name, content) = self.object;
        let mut pairs = vec![
            ("fromUserId", self.from),
            ("toUserId", self.group.to_string()),
            ("objectName", object_name),
            ("content", content),
            ("channelType", "GROUP".to_owned()),
            ("msgTimestamp", self.at.to_string()),
            ("msgUID", self.uid),
        ];
        pairs.extend(self.original.map(|original| ("originalMsgUID", original)));
        // content is not moderated here
        pairs.push(("sensitiveType", "0".to_owned()));
        pairs.push(("source", source(&event.actor).to_owned()));
        pairs.extend(self.labels.get(BUS_CHANNEL).map(|channel| ("busChannel", channel.clone())));
        pairs.push(("groupUserIds", serde_json::json!(self.targets).to_string()));
        Notice { name: NAME, query: Vec::new(), body: form_body(&pairs).into() }
    }
}

/// The source of a message. All supported clients use a WebSocket.
fn source(actor: &Actor) -> &'static str {
    match actor {
        Actor::User { .. } => "Websocket",
        Actor::App { .. } | Actor::System => "Server",
    }
}
