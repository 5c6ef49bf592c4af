//! The messages of an hour as a file: its URL is requested with the app's token, is signed, and expires.

use std::io::Write as _;

use conclave_core::model::{GroupId, Message, MessageState, Millis};
use conclave_core::query::{Messages, Start};
use conclave_core::refusal::Refusal;
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::json;

use super::call::Call;
use super::envelope::Reply;
use crate::auth::TokenError;
use crate::dialect::events::sent;
use crate::dialect::message;
use crate::refusals::{self, Failure};

const HOUR: u64 = 3600 * 1000;
/// How long the files of hours are available.
const KEPT: u64 = 3 * 24 * HOUR;
/// Lifetime of a URL.
const SIGNED: u64 = HOUR / 2;
/// Events read at a time.
const PAGE: usize = 512;

/// `GET /chatmessages/{yyyyMMddHH}`: the URL of that hour's file.
pub(crate) async fn locate(call: &Call<'_>) -> Result<Reply, Failure> {
    let hour = hour(call)?;
    if !spoken(call, hour, true).await?.is_empty() {
        let expires = call.app.now().plus(SIGNED);
        let signature = call.app.signer.seal(&claim(hour, expires));
        let file = format!("{}/file?Expires={}&Signature={signature}", call.url.trim_end_matches('/'), expires.0);
        return Ok(Reply::of_history(&json!([{ "url": file }])));
    }
    Err(refusals::no_history(call.app, call.param("hour")))
}

/// `GET /chatmessages/{yyyyMMddHH}/file`: the file itself, for anyone with its URL.
pub(crate) async fn fetch(call: &Call<'_>) -> Result<Reply, Failure> {
    let hour = signed_hour(call).ok_or_else(|| refusals::bad_token(call.place, TokenError::Invalid))?;
    let packed = pack(&spoken(call, hour, false).await?);
    let packed = packed.map_err(|error| call.word(&Refusal::Unavailable(format!("history: {error}"))))?;
    let size = packed.len() as u64;
    Ok(Reply::content(size, Box::pin(futures_util::stream::iter([Ok(packed.into())]))))
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

/// The messages of the hour, in order; with `any`, at most the first one.
async fn spoken(call: &Call<'_>, hour: Millis, any: bool) -> Result<Vec<String>, Failure> {
    let end = hour.plus(HOUR);
    let mut lines = Vec::new();
    // an hour that has not ended has no file yet
    if end > call.app.now() {
        return Ok(lines);
    }
    let mut after = call.app.log.position_at(hour).await.map_err(|refusal| call.word(&refusal))?.before;
    loop {
        let events = call.app.log.read(after, PAGE).await.map_err(|refusal| call.word(&refusal))?;
        let Some(last) = events.last() else { return Ok(lines) };
        after = last.sequence;
        let over = last.at >= end;
        for event in &events {
            let (Some(sequence), Some(group)) = (sent(event), &event.group) else { continue };
            if event.at < hour || event.at >= end {
                continue;
            }
            if let Some(line) = line(call, group, sequence).await? {
                lines.push(line);
                if any {
                    return Ok(lines);
                }
            }
        }
        if over {
            return Ok(lines);
        }
    }
}

/// One message; `None` when it can no longer be read.
async fn line(call: &Call<'_>, group: &GroupId, sequence: u64) -> Result<Option<String>, Failure> {
    let start = Start::Sequence(sequence);
    let asked = Messages { group: group.clone(), start, newest_first: false, limit: 1 };
    // the group may have been deleted since
    let Ok(page) = call.ask_as_app(asked).await else { return Ok(None) };
    let kept = page.messages.first().filter(|message| message.sequence == sequence);
    Ok(kept.filter(|message| message.state == MessageState::Kept).map(|message| line_of(message)))
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

fn pack(lines: &[String]) -> std::io::Result<Vec<u8>> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::default());
    for line in lines {
        gz.write_all(line.as_bytes())?;
        gz.write_all(b"\n")?;
    }
    gz.finish()
}
