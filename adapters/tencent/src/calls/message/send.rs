//! `send_group_msg`: sends a message in the name of an admin, or of the named user.

use conclave_core::model::{Group, GroupId, Mention, Sender, TopicId, Traits, UserId};
use conclave_core::operation::{DropMessage, Posted, SendMessage, SpeakCheck};
use conclave_core::query::MaySpeak;
use conclave_core::refusal::Refusal;
use conclave_kit::{Room, append_json};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{body, check_beside};
use crate::calls::wire::Account;
use crate::calls::{Call, envelope};
use crate::dialect::kind::Kind;
use crate::dialect::limits;
use crate::dialect::message::label;
use crate::refusals::{Code, Failure};
use crate::webhooks::{self, Asked, before};

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: Option<String>,
    random: Option<u64>,
    msg_body: Option<Vec<Value>>,
    #[serde(rename = "From_Account")]
    from: Option<Account>,
    msg_priority: Option<String>,
    online_only_flag: Option<u32>,
    send_msg_control: Option<Vec<String>>,
    cloud_custom_data: Option<String>,
    group_at_info: Option<Vec<At>>,
    #[serde(rename = "To_Account")]
    to: Option<Vec<Account>>,
    offline_push_info: Option<Value>,
    support_message_extension: Option<u32>,
    need_read_receipt: Option<u32>,
    forbid_callback_control: Option<Vec<String>>,
    topic_id: Option<String>,
    /// The sending client's own message counter; receivers get it.
    client_seq: Option<u64>,
    /// The sending client's clock, in Unix seconds; receivers get it.
    msg_client_time: Option<u64>,
}

#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct At {
    group_at_all_flag: Option<u32>,
    #[serde(rename = "GroupAt_Account")]
    account: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SendResponse {
    msg_time: u64,
    msg_seq: u64,
    #[serde(rename = "MsgDropReason", skip_serializing_if = "Option::is_none")]
    dropped: Option<&'static str>,
}

impl SendResponse {
    /// The sender's response for a message that is not delivered to anybody.
    fn unsent(call: &Call<'_>, msg_seq: u64, dropped: Option<&'static str>) -> Self {
        let now = call.now();
        Self { msg_time: now.seconds(), msg_seq, dropped }
    }
}

pub(crate) async fn send(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let id = call.group_id(request.group_id.clone())?;
    let from = call.acting_user("From_Account", request.from.clone())?;
    let targeted = request.to.as_ref().is_some_and(|to| !to.is_empty());
    let (topic, receipts, extensible) =
        (request.topic_id.clone(), request.need_read_receipt, request.support_message_extension);
    let mut send = message(call, id.clone(), from.clone(), request)?;
    let group = call.group(&id).await?;
    let kind = Kind::of(&group);
    if targeted && matches!(kind, Kind::AvChatRoom | Kind::Community) {
        return Err(Code::NoPermission.into());
    }
    let topic = call.topic_id(topic)?;
    let next = match &topic {
        Some(topic) => call.topic(&id, topic).await?.next_message,
        None => group.next_message,
    };
    let traits = if topic.is_some() { Traits::default() } else { traits(kind, receipts, extensible) };
    if !within_rate(call, topic.as_ref(), &send).await? {
        if is_low(&send) {
            return envelope::with(&SendResponse::unsent(call, next, Some(DROPPED)));
        }
        return Err(Code::MessageRate.into());
    }
    if call.asks_before(before::SEND) && !webhooks::forbids_question(&send) {
        let asked = ask(call, &group, topic.as_ref(), from.as_ref(), &send).await?;
        if asked.dropped {
            return envelope::with(&SendResponse::unsent(call, next, None));
        }
        send = call.changed(send, asked)?;
    }
    send.traits = traits;
    let message = post(call, kind, topic.as_ref(), send).await?.message;
    envelope::with(&SendResponse { msg_time: message.at.seconds(), msg_seq: message.sequence, dropped: None })
}

/// The reason for a dropped message whose sender gets a success.
const DROPPED: &str = "MsgFreqCtrl";

/// Whether the group is within its messages per second. If not, the app's server is notified once a second, so senders
/// over the limit cause no further work.
async fn within_rate(call: &Call<'_>, topic: Option<&TopicId>, send: &SendMessage) -> Result<bool, Failure> {
    let most = call.settings().messages_per_second;
    if most == 0 {
        return Ok(true);
    }
    if let Some(user) = call.user() {
        // users who may not send messages anyway do not use up the limit
        let own = call.ask(MaySpeak { group: send.group.clone(), users: vec![user.clone()] }).await?;
        if own.users.iter().any(|voice| voice.verdict.is_err()) {
            return Ok(true);
        }
    }
    let room = call.app.rate.take(&send.group, call.now(), 1, most);
    if room == Room::NowFull && call.has_callback(webhooks::after::EXCEPTION) {
        call.note_dropped(topic, DropMessage { message: send.clone() }).await?;
    }
    Ok(room == Room::Within)
}

fn is_low(send: &SendMessage) -> bool {
    send.labels.get(label::PRIORITY).is_some_and(|word| word == "Low" || word == "Lowest")
}

/// The options of the message that groups of this type support.
fn traits(kind: Kind, receipts: Option<u32>, extensible: Option<u32>) -> Traits {
    Traits {
        receipts: receipts == Some(1) && !matches!(kind, Kind::AvChatRoom | Kind::Community),
        extensible: extensible == Some(1) && kind != Kind::AvChatRoom,
        ..Traits::default()
    }
}

/// Asks the app's server whether the message may be sent, and with which content.
async fn ask(
    call: &Call<'_>,
    group: &Group,
    topic: Option<&TopicId>,
    from: Option<&UserId>,
    send: &SendMessage,
) -> Result<Asked, Failure> {
    let message = webhooks::as_sent(send, group, call.now()).map_err(|refusal| call.failure(&refusal))?;
    let from = from.map_or(call.account(), UserId::as_str);
    call.ask_before(before::SEND, webhooks::of_message(from, send, &message, group, topic)).await
}

fn message(call: &Call<'_>, group: GroupId, from: Option<UserId>, request: Request) -> Result<SendMessage, Failure> {
    let random = call.required("Random", request.random)?;
    let content = json(request.msg_body.as_deref().unwrap_or_default());
    let (body, kept) = body(request.msg_body)?;
    let targets = match request.to.filter(|to| !to.is_empty()) {
        Some(to) => call.user_ids("To_Account", Some(to), limits::TARGETS, Code::Parameter)?,
        None => Vec::new(),
    };
    let at = request.group_at_info.unwrap_or_default();
    if at.len() > limits::MENTIONS {
        return Err(Code::TooManyMentions.into());
    }
    let control = request.send_msg_control.unwrap_or_default();
    let says = |word: &str| control.iter().any(|control| control == word);
    let mut labels = kept;
    let forbidden = request.forbid_callback_control.filter(|words| !words.is_empty());
    let more: [(&str, Option<String>); 8] = [
        (label::CLIENT_SEQ, request.client_seq.map(|number| number.to_string())),
        // 0 is not given
        (label::CLIENT_TIME, request.msg_client_time.filter(|time| *time != 0).map(|time| time.to_string())),
        (label::FORBIDDEN, forbidden.map(|words| words.join(","))),
        (label::RANDOM, Some(random.to_string())),
        (label::PRIORITY, request.msg_priority),
        (label::CLOUD_DATA, request.cloud_custom_data),
        ("tencent.push", request.offline_push_info.map(|info| info.to_string())),
        (label::AT, (!at.is_empty()).then(|| serde_json::to_string(&at).unwrap_or_default())),
    ];
    check_beside(more.iter().filter_map(|(_, value)| value.as_deref()))?;
    labels.extend(more.into_iter().filter_map(|(label, value)| Some((label.to_owned(), value?))));
    // an admin may send messages in any group; a user that an admin sends for needs the group's permission
    let by_app = call.user().is_none() && from.as_ref().is_none_or(|from| call.app.is_admin(from.as_str()));
    let check = if by_app { SpeakCheck::Skipped } else { SpeakCheck::Enforced };
    let sender = from.or_else(|| UserId::new(call.account()).ok()).map_or(Sender::App, Sender::User);
    Ok(SendMessage {
        targets,
        mention: mention(&at),
        counted: !says("NoUnread"),
        shown_last: !says("NoLastMsg"),
        stored: request.online_only_flag != Some(1),
        token: Some(token(random, &content)),
        labels,
        check,
        ..SendMessage::new(group, sender, body)
    })
}

fn mention(at: &[At]) -> Option<Mention> {
    if at.iter().any(|at| at.group_at_all_flag == Some(1)) {
        return Some(Mention::All);
    }
    let users: Vec<UserId> = at.iter().filter_map(|at| UserId::new(at.account.as_deref()?).ok()).collect();
    (!users.is_empty()).then_some(Mention::Users(users))
}

/// A list as JSON. Values can always be written.
fn json(values: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    let _infallible = append_json(&mut out, values, usize::MAX);
    out
}

/// A repeated number of the same sender identifies the same message only if the content is the same: one SDK uses one
/// number per process.
pub(super) fn token(random: u64, content: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut token = format!("{random}:");
    for byte in Sha256::digest(content).iter().take(16) {
        token.extend([byte >> 4, byte & 15].map(|digit| char::from(DIGITS[usize::from(digit)])));
    }
    token
}

/// The server cannot add members to a live room, so non-members who are not muted may send messages there.
async fn post(call: &Call<'_>, kind: Kind, topic: Option<&TopicId>, send: SendMessage) -> Result<Posted, Failure> {
    let done = call.attempt_at(topic, send.clone()).await;
    let (Err(refusal @ Refusal::NotMembers { .. }), Sender::User(user)) = (&done, &send.sender) else {
        return done.map_err(|refusal| call.failure(&refusal));
    };
    if call.user().is_some() {
        return Err(Code::NoPermission.into());
    }
    if send.check == SpeakCheck::Skipped {
        return Err(call.failure(refusal));
    }
    call.check_account(user).await?;
    if kind != Kind::AvChatRoom {
        return Err(Code::NoPermission.into());
    }
    let voices = call.ask(MaySpeak { group: send.group.clone(), users: vec![user.clone()] }).await?;
    let silenced = voices.users.iter().any(|voice| voice.mute.is_some() || voice.everywhere.is_some());
    if silenced || voices.group.all_muted {
        return Err(Code::Muted.into());
    }
    call.run(SendMessage { check: SpeakCheck::Skipped, ..send }).await
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_number_alone_is_no_repetition() {
        assert_eq!(token(1, b"a"), token(1, b"a"));
        assert_ne!(token(1, b"a"), token(1, b"b"));
        assert_ne!(token(1, b"a"), token(2, b"a"));
    }

    #[test]
    fn a_message_of_an_earlier_version_is_recognized() {
        let content = serde_json::json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": "h\"\u{e9}\n"}}]);
        assert_eq!(json(content.as_array().unwrap()), content.to_string().into_bytes());
        assert_eq!(token(7, b"[]"), "7:4f53cda18c2baa0c0354bb5f9a3ecbe5");
    }

    #[test]
    fn mentioning_everybody_outweighs_names() {
        let named = |flag, account: &str| At { group_at_all_flag: Some(flag), account: Some(account.to_owned()) };
        assert_eq!(mention(&[named(0, "bob"), named(1, "")]), Some(Mention::All));
        assert_eq!(mention(&[named(0, "bob")]), Some(Mention::Users(vec![UserId::new("bob").unwrap()])));
        assert_eq!(mention(&[]), None);
    }
}
