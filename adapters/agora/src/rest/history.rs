//! The messages of an hour as a file: its URL is requested with the app's token, is signed, and expires.

use std::collections::VecDeque;
use std::io::{self, Write as _};
use std::sync::Arc;

use bytes::Bytes;
use conclave_core::event::Actor;
use conclave_core::model::{GroupId, Message, MessageState, Millis};
use conclave_core::ports::{Groups, GroupsExt, Log};
use conclave_core::query::{Messages, Start};
use conclave_core::refusal::Refusal;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::{StreamExt as _, stream};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::json;

use super::call::Call;
use super::envelope::Reply;
use crate::auth::TokenError;
use crate::dialect::events::sent;
use crate::dialect::message;
use crate::realm::App;
use crate::refusals::{self, Failure};

const HOUR: u64 = 3600 * 1000;
/// How long the files of hours are available.
const KEPT: u64 = 3 * 24 * HOUR;
/// Lifetime of a URL.
const SIGNED: u64 = HOUR / 2;
/// Events read at a time.
const PAGE: usize = 64;
/// Bytes of the file that are sent together; more are not kept for a client that reads slowly.
const PART: usize = 64 * 1024;

/// `GET /chatmessages/{yyyyMMddHH}`: the URL of that hour's file.
pub(crate) async fn locate(call: &Call<'_>) -> Result<Reply, Failure> {
    let hour = hour(call)?;
    if HourReader::new(call.app, hour).has_any().await.map_err(|refusal| call.word(&refusal))? {
        let expires = call.app.now().plus(SIGNED);
        let signature = call.app.signer.seal(&claim(hour, expires));
        let file = format!("{}/file?Expires={}&Signature={signature}", call.url.trim_end_matches('/'), expires.0);
        return Ok(Reply::of_history(&json!([{ "url": file }])));
    }
    Err(refusals::no_history(call.app, call.param("hour")))
}

/// `GET /chatmessages/{yyyyMMddHH}/file`: the file itself, for anyone with its URL. It is written while it is sent, so an
/// hour may have any number of messages.
pub(crate) async fn fetch(call: &Call<'_>) -> Result<Reply, Failure> {
    let hour = signed_hour(call).ok_or_else(|| refusals::bad_token(call.place, TokenError::Invalid))?;
    let file =
        HourFile { hour: HourReader::new(call.app, hour), gz: GzEncoder::new(Vec::new(), Compression::default()) };
    // a store that fails at once is reported in the vendor's words, one that fails later ends the transfer
    let begun = HourFile::next_part(Some(file)).await;
    let begun = begun.map_err(|error| call.word(&Refusal::Unavailable(format!("history: {error}"))))?;
    let (first, rest) = begun.unwrap_or_default();
    let rest = stream::try_unfold(rest, HourFile::next_part);
    Ok(Reply::growing(Box::pin(stream::iter([Ok(first)]).chain(rest))))
}

/// The hour a URL was signed for, while the signature is valid.
fn signed_hour(call: &Call<'_>) -> Option<Millis> {
    let hour = hour(call).ok()?;
    let expires = Millis(call.query.number("Expires")? as u64);
    let claimed = call.app.signer.open(call.query.get("Signature")?)?;
    (claimed == claim(hour, expires) && expires > call.app.now()).then_some(hour)
}

fn claim(hour: Millis, expires: Millis) -> Vec<u8> {
    [hour.0.to_be_bytes(), expires.0.to_be_bytes()].concat()
}

/// The beginning of the hour in the path: one that has ended and is still available.
fn hour(call: &Call<'_>) -> Result<Millis, Failure> {
    let text = call.param("hour");
    let wrong = || refusals::illegal(format!("illegal time: {text}, it must be yyyyMMddHH within the last 3 days"));
    if text.len() != 10 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let part = |from: usize, to: usize| text[from..to].parse::<i16>().unwrap_or(-1);
    let narrow = |number: i16| i8::try_from(number).unwrap_or(-1);
    let (month, day, hour) = (narrow(part(4, 6)), narrow(part(6, 8)), narrow(part(8, 10)));
    let begin = DateTime::new(part(0, 4), month, day, hour, 0, 0, 0).and_then(|time| TimeZone::UTC.to_timestamp(time));
    let begin = begin.ok().and_then(|time| u64::try_from(time.as_millisecond()).ok()).ok_or_else(wrong)?;
    if begin + KEPT < call.app.now().0 {
        return Err(wrong());
    }
    Ok(Millis(begin))
}

/// Reads the messages of an hour, in order, from the log.
struct HourReader {
    groups: Arc<dyn Groups>,
    log: Arc<dyn Log>,
    hour: Millis,
    /// The number of the last event that was read; `None` before the first.
    after: Option<u64>,
    /// Messages that were found and not read yet.
    found: VecDeque<(GroupId, u64)>,
    /// Whether all events of the hour have been read.
    is_over: bool,
}

impl HourReader {
    fn new(app: &App, hour: Millis) -> Self {
        // an hour that has not ended has no file yet
        let is_over = hour.plus(HOUR) > app.now();
        Self {
            groups: Arc::clone(&app.groups),
            log: Arc::clone(&app.log),
            hour,
            after: None,
            found: VecDeque::new(),
            is_over,
        }
    }

    async fn has_any(mut self) -> Result<bool, Refusal> {
        Ok(self.next_line().await?.is_some())
    }

    /// The next message as a line; `None` when there are no more.
    async fn next_line(&mut self) -> Result<Option<String>, Refusal> {
        loop {
            while let Some((group, sequence)) = self.found.pop_front() {
                if let Some(line) = self.line(&group, sequence).await? {
                    return Ok(Some(line));
                }
            }
            if self.is_over {
                return Ok(None);
            }
            self.read_on().await?;
        }
    }

    /// Finds the messages of the next events.
    async fn read_on(&mut self) -> Result<(), Refusal> {
        let end = self.hour.plus(HOUR);
        let after = match self.after {
            Some(after) => after,
            None => self.log.position_at(self.hour).await?.before,
        };
        let events = self.log.read(after, PAGE).await?;
        let Some(last) = events.last() else {
            self.is_over = true;
            return Ok(());
        };
        self.after = Some(last.sequence);
        self.is_over = last.at >= end;
        let within = events.iter().filter(|event| event.at >= self.hour && event.at < end);
        self.found.extend(within.filter_map(|event| Some((event.group.clone()?, sent(event)?))));
        Ok(())
    }

    /// The line of one message in the file; `None` when the message was recalled or deleted, or its group was.
    async fn line(&self, group: &GroupId, sequence: u64) -> Result<Option<String>, Refusal> {
        let start = Start::Sequence(sequence);
        let asked = Messages { group: group.clone(), start, newest_first: false, limit: 1 };
        let page = match self.groups.ask(&Actor::app(), asked).await {
            Ok(page) => page,
            // the group has been deleted since
            Err(Refusal::GroupNotFound { .. }) => return Ok(None),
            Err(refusal) => return Err(refusal),
        };
        let kept = page.messages.first().filter(|message| message.sequence == sequence);
        Ok(kept.filter(|message| message.state == MessageState::Kept).map(|message| line_of(message)))
    }
}

/// An hour's file that is being written.
struct HourFile {
    hour: HourReader,
    gz: GzEncoder<Vec<u8>>,
}

impl HourFile {
    /// The next bytes of the file, and the rest of it.
    async fn next_part(file: Option<Self>) -> io::Result<Option<(Bytes, Option<Self>)>> {
        let Some(mut file) = file else { return Ok(None) };
        while let Some(line) = file.hour.next_line().await.map_err(io::Error::other)? {
            file.gz.write_all(line.as_bytes())?;
            file.gz.write_all(b"\n")?;
            if file.gz.get_ref().len() >= PART {
                let part = std::mem::take(file.gz.get_mut());
                return Ok(Some((part.into(), Some(file))));
            }
        }
        Ok(Some((file.gz.finish()?.into(), None)))
    }
}

fn line_of(message: &Message) -> String {
    let (from, to) = (message::sender(message), &message.group);
    json!({
        "msg_id": message.id,
        "timestamp": message.at,
        "direction": "outgoing",
        "to": to,
        "from": from,
        "chat_type": "groupchat",
        "payload": {"bodies": [message::body(message)], "ext": message::ext(message), "from": from, "to": to},
    })
    .to_string()
}
