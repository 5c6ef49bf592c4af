//! The messages that were edited (`pullModifyMsg`).

use conclave_core::model::MessageState;
use conclave_core::refusal::Refusal;

use super::inbox::{BYTES, is_target, stored};
use super::{FeedPosition, Page, Reader};
use crate::dialect::events::{What, facts};
use crate::socket::message;
use crate::socket::wire::DownStreamMessage;

/// The messages of a page as they are now, the reader's place after them, and whether there are more. What does not fit
/// into one reply is left for the next.
pub(crate) async fn edits(
    reader: Reader<'_>,
    page: Page,
) -> Result<(Vec<DownStreamMessage>, FeedPosition, bool), Refusal> {
    let (mut list, mut bytes) = (Vec::new(), 0);
    let mut before: Option<FeedPosition> = None;
    for (event, place) in page.entries {
        if let (Some(group), Some(What::Edited(sequence))) =
            (&event.group, facts([&*event]).pop().map(|fact| fact.what))
        {
            let edited = stored(reader.app, group, sequence).await?;
            let edited = edited.filter(|edited| edited.state == MessageState::Kept && is_target(edited, reader.user));
            for edited in message::extended(reader.app, edited.into_iter().collect()).await? {
                let edited = message::down(&edited, reader.user);
                let size = prost::Message::encoded_len(&edited);
                if let Some(before) = before.filter(|_| bytes > 0 && bytes + size > BYTES) {
                    return Ok((list, before, true));
                }
                bytes += size;
                list.push(edited);
            }
        }
        before = Some(place);
    }
    Ok((list, page.place, page.more))
}
