//! Projects events to the messages of an inbox.

use std::sync::Arc;

use conclave_core::event::{Actor, Event};
use conclave_core::model::{GroupId, Message, MessageState, Sender, UserId};
use conclave_core::ports::GroupsExt;
use conclave_core::query::{Messages, Start};
use conclave_core::refusal::Refusal;

use super::{FeedPosition, Page, Reader};
use crate::dialect::events::{What, facts};
use crate::realm::App;
use crate::socket::message;
use crate::socket::wire::DownStreamMessage;

/// Approximate maximum of one reply, in bytes.
pub(crate) const BYTES: usize = 512 * 1024;

/// The messages of a page, the reader's place after them, and whether there are more. What does not fit into one reply
/// is left for the next.
pub(crate) async fn inbox(
    reader: Reader<'_>,
    page: Page,
    with_sent: bool,
) -> Result<(Vec<DownStreamMessage>, FeedPosition, bool), Refusal> {
    let mut list = Vec::new();
    let mut bytes = 0;
    let mut before: Option<FeedPosition> = None;
    for (event, place) in page.entries {
        let messages = entries(reader, &event).await?;
        let messages: Vec<_> = messages.into_iter().filter(|entry| with_sent || entry.direction != Some(1)).collect();
        let size: usize = messages.iter().map(prost::Message::encoded_len).sum();
        if let Some(before) = before.filter(|_| bytes > 0 && bytes + size > BYTES) {
            return Ok((list, before, true));
        }
        bytes += size;
        list.extend(messages);
        before = Some(place);
    }
    Ok((list, page.place, page.more))
}

async fn entries(reader: Reader<'_>, event: &Event) -> Result<Vec<DownStreamMessage>, Refusal> {
    let (Some(group), Some(fact)) = (&event.group, facts([event]).pop()) else { return Ok(Vec::new()) };
    match fact.what {
        What::Sent(sequence) => {
            let sent = stored(reader.app, group, sequence).await?;
            let kept = sent.filter(|sent| sent.state == MessageState::Kept && is_for(event, sent, reader.user));
            let Some(kept) = kept else { return Ok(Vec::new()) };
            let kept = message::extended(reader.app, vec![kept]).await?;
            Ok(kept.iter().map(|sent| message::down(sent, reader.user)).collect())
        }
        What::Recalled(sequences) => {
            let mut list = Vec::with_capacity(sequences.len());
            for sequence in sequences {
                let gone = stored(reader.app, group, *sequence).await?.filter(|gone| is_target(gone, reader.user));
                list.extend(gone.iter().map(|gone| message::recall_notice(gone, event, reader.user)));
            }
            Ok(list)
        }
        What::Extended(extended) => {
            let about = stored(reader.app, group, extended.sequence).await?;
            let about = about.filter(|about| about.state == MessageState::Kept && is_target(about, reader.user));
            Ok(about.map(|about| message::extension_notices(&about, extended, event, reader.user)).unwrap_or_default())
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
        | What::Read { .. }
        | What::Passed(_) => Ok(Vec::new()),
    }
}

/// The message with this number, as it was sent.
pub(crate) async fn stored(app: &App, group: &GroupId, sequence: u64) -> Result<Option<Arc<Message>>, Refusal> {
    let query = Messages { group: group.clone(), start: Start::Sequence(sequence), newest_first: false, limit: 1 };
    let found = match app.realm.groups.ask(&Actor::app(), query).await {
        Ok(found) => found,
        // the group was deleted, with its messages
        Err(Refusal::GroupNotFound { .. }) => return Ok(None),
        Err(refusal) => return Err(refusal),
    };
    Ok(found.messages.into_iter().find(|message| message.sequence == sequence))
}

pub(super) fn is_target(message: &Message, reader: &UserId) -> bool {
    message.targets.is_empty() || message.targets.contains(reader) || is_by(message, reader)
}

fn is_by(message: &Message, reader: &UserId) -> bool {
    matches!(&message.sender, Sender::User(sender) if sender == reader)
}

/// A message that the app sends in a user's name is delivered to that user only if the app asked for it.
pub(crate) fn is_for(event: &Event, message: &Message, reader: &UserId) -> bool {
    !(matches!(event.actor, Actor::App { .. }) && is_by(message, reader))
        || message.labels.get("rong.isIncludeSender").is_some_and(|include| include == "1")
}
