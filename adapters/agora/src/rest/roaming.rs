//! A user's history of a group, as client SDKs page through it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use conclave_core::model::{GroupId, Message, MessageId, MessageState, Millis};
use conclave_core::query::{MessageById, Messages, Start};
use serde_json::{Value, json};

use super::body::Fields;
use super::call::Call;
use super::envelope::Reply;
use crate::dialect::ids::fold;
use crate::dialect::limits;
use crate::dialect::message;
use crate::refusals::{self, Failure};
use crate::socket;

/// Most messages that are read for one page.
const LOOKED: usize = 1000;
/// The suffix that the SDKs add to the names of groups.
const GROUPS: &str = "@conference.easemob.com";
/// The beginning, as the SDKs write it.
const BEGINNING: &str = "-1";

/// The requested messages.
struct Wanted {
    kinds: Vec<String>,
    sender: Option<String>,
    from: Option<Millis>,
    until: Option<Millis>,
}

impl Wanted {
    fn includes(&self, message: &Message) -> bool {
        let kind = message::body(message)["type"].as_str().unwrap_or_default().to_owned();
        message.state == MessageState::Kept
            && (self.kinds.is_empty() || self.kinds.contains(&kind))
            && self.sender.as_ref().is_none_or(|sender| *sender == message::sender(message))
            && self.from.is_none_or(|from| message.at >= from)
            && self.until.is_none_or(|until| message.at <= until)
    }
}

/// `POST /users/{user}/messageroaming`: newest first, or oldest first with `is_positive`; continues after the message
/// that `start` names.
pub(crate) async fn page(call: &Call<'_>) -> Result<Reply, Failure> {
    if call.caller().is_some_and(|caller| fold(caller.as_str()) != fold(call.param("user"))) {
        return Err(refusals::not_yours());
    }
    let fields = Fields::read(call.body)?;
    // the SDKs always send the other end of the history as `end`
    let _ = fields.get("end");
    let queue = fields.text(&["queue"])?.unwrap_or_default();
    let wrong = |what: &str| refusals::invalid(format!("{what} is not valid"));
    let group = queue.strip_suffix(GROUPS).and_then(|id| GroupId::new(id).ok()).ok_or_else(|| wrong("queue"))?;
    let oldest_first = fields.flag(&["is_positive"])?.unwrap_or(false);
    // 0 is a number that is not given
    let number = fields.number(&["pull_number"])?.filter(|number| *number > 0);
    let limit = number.and_then(|number| usize::try_from(number).ok()).unwrap_or(limits::HISTORY_PAGE);
    let limit = limit.clamp(1, limits::HISTORY_PAGE_MOST);
    let kinds = fields.text(&["msgType"])?.unwrap_or_default();
    let moment = |name| fields.number(&[name]).map(|at| at.filter(|at| *at > 0).map(Millis));
    let wanted = Wanted {
        kinds: kinds.split(',').filter(|kind| !kind.is_empty()).map(str::to_owned).collect(),
        sender: fields.text(&["userId"])?.map(|user| fold(&user)),
        from: moment("startTime")?,
        until: moment("endTime")?,
    };
    let start = fields.text(&["start"])?.filter(|start| start != BEGINNING && !start.is_empty());
    let mut start = match start {
        Some(id) => {
            let id = MessageId::new(&id).map_err(|_| wrong("start"))?;
            let before = call.ask(MessageById { message: id }).await?.0;
            if before.group != group {
                return Err(wrong("start"));
            }
            Start::Sequence(if oldest_first { before.sequence + 1 } else { before.sequence.saturating_sub(1) })
        }
        None => match (oldest_first, wanted.from, wanted.until) {
            (true, Some(from), _) => Start::Time(from),
            (false, _, Some(until)) => Start::Time(until),
            _ => Start::Edge,
        },
    };
    let (mut messages, mut looked, mut more) = (Vec::new(), 0, start != Start::Sequence(0));
    while more && looked < LOOKED {
        let page = Messages { group: group.clone(), start, newest_first: !oldest_first, limit };
        let page = match call.ask(page).await {
            // the oldest call names no number, and its promise has no way to be refused
            Err(refused) if number.is_none() && refused.status.is_client_error() => {
                return Ok(Reply::data(&json!({ "msgs": [], "is_last": true, "next_key": "" })));
            }
            page => page?,
        };
        looked += page.messages.len();
        more = page.next.is_some();
        if let Some(next) = page.next {
            start = Start::Sequence(next);
        }
        for message in page.messages {
            if messages.len() == limit {
                more = true;
                break;
            }
            if wanted.includes(&message) {
                messages.push(message);
            }
        }
        if messages.len() == limit {
            break;
        }
    }
    let item = |message: &Message| json!({ "msg": STANDARD.encode(socket::history_item(call.app, message)) });
    let items: Vec<Value> = messages.iter().map(|message| item(message)).collect();
    let next = messages.last().map(|message| message.id.as_str()).unwrap_or_default();
    Ok(Reply::data(&json!({ "msgs": items, "is_last": !more, "next_key": next })))
}
