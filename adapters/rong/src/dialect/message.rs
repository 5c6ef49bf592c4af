//! Maps `objectName` and `content` to a message's body, and back.
//!
//! | sent                         | stored as                                                           |
//! |------------------------------|---------------------------------------------------------------------|
//! | `RC:TxtMsg` with a text      | the text; further members of `content` are stored verbatim beside it |
//! | any other `RC:` type         | verbatim, with a fallback text, and in neutral terms ([`media`])    |
//! | the app's own type           | the app's kind and its payload                                      |

use std::collections::BTreeMap;

use conclave_core::model::{Body, Extensions, Labels, Mention, Message, MessageId, Sender, UserId};
use serde_json::Value;

use super::events::Extended;
use super::media;

/// The type of plain texts.
const TEXT: &str = "RC:TxtMsg";
/// The type of notices about groups.
const NOTICE: &str = "RC:GrpNtf";
/// The prefix of the vendor's own types; apps' types have another.
const VENDORS: &str = "RC:";
/// The type of an app's messages that have none.
const CUSTOM: &str = "App:Custom";
/// The prefix of the labels for verbatim bodies.
const VERBATIM: &str = "rong:";
/// The label for the `content` of a text message with further members.
const CONTENT: &str = "rong.content";

/// The body, and the labels to store beside it.
pub(crate) fn body(object_name: &str, content: &str) -> (Body, Labels) {
    let object: Value = serde_json::from_str(content).unwrap_or(Value::Null);
    let text = object.get("content").and_then(Value::as_str);
    let mut labels = Labels::new();
    let body = match text {
        Some(text) if object_name == TEXT => {
            if object.as_object().is_some_and(|object| object.len() > 1) {
                labels.insert(CONTENT.to_owned(), content.to_owned());
            }
            Body::Text(text.to_owned())
        }
        _ if object_name.starts_with(VENDORS) => {
            let neutral = media::neutral(object_name, &object);
            let shown = text.or_else(|| object.get("message").and_then(Value::as_str));
            // a picture's text is the picture
            let shown = shown.filter(|_| neutral.is_none());
            Body::Foreign {
                label: format!("{VERBATIM}{object_name}"),
                raw: content.to_owned(),
                fallback: shown
                    .filter(|text| !text.is_empty())
                    .map_or_else(|| format!("[{object_name}]"), str::to_owned),
                content: neutral.map(Box::new),
            }
        }
        _ => Body::Custom { kind: object_name.to_owned(), data: content.to_owned() },
    };
    (body, labels)
}

/// The sender or operator of messages and operations without a user.
pub(crate) const SYSTEM: &str = "__system__";

/// The sender.
pub(crate) fn sender(message: &Message) -> String {
    match &message.sender {
        Sender::User(user) => user.to_string(),
        Sender::App => SYSTEM.to_owned(),
    }
}

/// Whether messages of this type count as unread, unless the sender says otherwise.
pub(crate) fn is_counted(object_name: &str) -> bool {
    object_name != NOTICE
}

/// The mentioned users, from `content.mentionedInfo`: type 1 is all, 2 are those listed.
pub(crate) fn mention(content: &str) -> Option<Mention> {
    let content: Value = serde_json::from_str(content).ok()?;
    let info = content.get("mentionedInfo")?;
    if info.get("type").and_then(Value::as_u64) == Some(1) {
        return Some(Mention::All);
    }
    let users = info.get("userIdList")?.as_array()?;
    let users: Vec<UserId> = users.iter().filter_map(Value::as_str).filter_map(|id| UserId::new(id).ok()).collect();
    (!users.is_empty()).then_some(Mention::Users(users))
}

/// The extensions of a message: clients send `{"k":{"v":"text"}}`, servers `{"k":"text"}`. Other values are skipped.
pub(crate) fn expansion(text: &str) -> BTreeMap<String, String> {
    let Ok(Value::Object(pairs)) = serde_json::from_str(text) else { return BTreeMap::new() };
    let value = |value: Value| match value {
        Value::String(text) => Some(text),
        Value::Object(mut object) => object.remove("v").and_then(|value| value.as_str().map(str::to_owned)),
        _ => None,
    };
    pairs.into_iter().filter_map(|(key, own)| Some((key, value(own)?))).collect()
}

/// The extensions in the client format; `None` when there are none.
pub(crate) fn extra_content(extensions: &Extensions) -> Option<String> {
    let pairs = extensions.entries.iter().map(|(key, (value, _))| (key.clone(), serde_json::json!({ "v": value })));
    let pairs: serde_json::Map<String, Value> = pairs.collect();
    (!pairs.is_empty()).then(|| Value::Object(pairs).to_string())
}

/// Digits and letters that cannot be confused with each other.
const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";

/// A message's id in the vendor's form: four groups of four characters.
pub(crate) fn uid(id: &MessageId) -> String {
    let Ok(mut rest) = id.as_str().parse::<u64>() else { return id.as_str().to_owned() };
    let mut uid = Vec::with_capacity(19);
    for place in 0..16 {
        if place > 0 && place % 4 == 0 {
            uid.push('-');
        }
        uid.push(char::from(ALPHABET[usize::try_from(rest % 32).unwrap_or(0)]));
        rest /= 32;
    }
    uid.into_iter().rev().collect()
}

/// The message id in an id of the vendor's form; any other text is the id itself.
pub(crate) fn id_of(uid: &str) -> Option<MessageId> {
    let mut id: u64 = 0;
    let mut places = 0;
    for letter in uid.bytes().filter(|letter| *letter != b'-') {
        let Some(digit) = ALPHABET.iter().position(|known| *known == letter) else {
            return MessageId::new(uid).ok();
        };
        id = id.checked_mul(32)?.checked_add(digit as u64)?;
        places += 1;
    }
    if places == 16 { MessageId::new(id.to_string()).ok() } else { MessageId::new(uid).ok() }
}

/// The id of the notice that a message was recalled: no message has it.
pub(crate) fn recall_uid(id: &MessageId) -> String {
    match id.as_str().parse::<u64>() {
        Ok(number) => MessageId::new((number ^ 1 << 63).to_string()).map_or_else(|_| uid(id), |id| uid(&id)),
        Err(_) => format!("Cmd:{}", id.as_str()),
    }
}

/// The type and the content of a body in this vendor's format: the reverse of [`body`].
///
/// Content that only another surface understands is sent as its fallback text; an app's message without a kind, which
/// other vendors permit, as [`CUSTOM`].
pub(crate) fn object(body: &Body, mention: Option<&Mention>, labels: &Labels) -> (String, String) {
    match body {
        Body::Text(text) => {
            let content = labels.get(CONTENT).cloned().unwrap_or_else(|| text_content(text, mention));
            (TEXT.to_owned(), content)
        }
        // clients parse the content, and there is none
        Body::Custom { kind, data } if data.trim() == "null" => {
            (kind.clone(), serde_json::json!({ "content": data }).to_string())
        }
        Body::Custom { kind, data } if kind.is_empty() => (CUSTOM.to_owned(), data.clone()),
        Body::Custom { kind, data } => (kind.clone(), data.clone()),
        Body::Foreign { label, raw, fallback, content } => match (label.strip_prefix(VERBATIM), content) {
            (Some(object_name), _) => (object_name.to_owned(), raw.clone()),
            (None, Some(content)) => {
                let (object_name, mut object) = media::object(content);
                if let Some(info) = mentioned_info(mention) {
                    object["mentionedInfo"] = info;
                }
                (object_name.to_owned(), object.to_string())
            }
            (None, None) => (TEXT.to_owned(), text_content(fallback, mention)),
        },
    }
}

/// The type of the notice that extensions of a message changed.
pub(crate) const EXPANSION: &str = "RC:MsgExMsg";

/// The notices that extensions were written and removed: the id of each, which no message has, and its content.
pub(crate) fn expansion_objects(about: &Message, extended: Extended<'_>) -> Vec<(String, String)> {
    let Extended { version, set, removed, .. } = extended;
    let mid = uid(&about.id);
    let parts = [
        (!set.is_empty()).then(|| serde_json::json!({ "mid": mid, "put": set })),
        (!removed.is_empty()).then(|| serde_json::json!({ "mid": mid, "del": removed })),
    ];
    let part =
        |(part, content): (u64, Option<Value>)| Some((expansion_uid(&about.id, version, part), content?.to_string()));
    (0..).zip(parts).filter_map(part).collect()
}

/// The id of such a notice.
pub(crate) fn expansion_uid(id: &MessageId, version: u64, part: u64) -> String {
    let of_version = version.wrapping_mul(2).wrapping_add(part);
    match id.as_str().parse::<u64>() {
        // ids of messages have 60 bits; an odd factor keeps the results distinct
        Ok(number) => {
            let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ of_version;
            MessageId::new((mixed | 1 << 63 | 1 << 62).to_string()).map_or_else(|_| uid(id), |id| uid(&id))
        }
        Err(_) => format!("Ex:{}:{of_version}", id.as_str()),
    }
}

/// The type of the notice that a message was recalled.
pub(crate) const RECALL: &str = "RC:RcCmd";
/// The conversation type of groups.
const GROUP: u8 = 3;

/// The type and the content of the notice that a message was recalled, by a user or (`None`) by the app.
pub(crate) fn recall_object(gone: &Message, by: Option<&UserId>) -> (String, String) {
    let by_sender = by.map_or(gone.sender == Sender::App, |by| gone.sender == Sender::User(by.clone()));
    let content = serde_json::json!({
        "conversationType": GROUP,
        "targetId": gone.group,
        "messageUId": uid(&gone.id),
        "sentTime": gone.at,
        "channelId": "",
        "isDelete": false,
        "isAdmin": !by_sender,
    });
    (RECALL.to_owned(), content.to_string())
}

fn text_content(text: &str, mention: Option<&Mention>) -> String {
    let mut content = serde_json::json!({ "content": text });
    if let Some(info) = mentioned_info(mention) {
        content["mentionedInfo"] = info;
    }
    content.to_string()
}

fn mentioned_info(mention: Option<&Mention>) -> Option<Value> {
    Some(match mention? {
        Mention::All => serde_json::json!({ "type": 1, "userIdList": [] }),
        Mention::Users(users) => serde_json::json!({ "type": 2, "userIdList": users }),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use conclave_core::model::Content;

    use super::*;

    #[test]
    fn texts_are_texts() {
        let (kept, labels) = body("RC:TxtMsg", r#"{"content":"hello"}"#);
        assert_eq!((kept, labels.len()), (Body::Text("hello".to_owned()), 0));
        let more = r#"{"content":"hello","extra":"x"}"#;
        let (kept, labels) = body("RC:TxtMsg", more);
        assert_eq!((kept, labels["rong.content"].as_str()), (Body::Text("hello".to_owned()), more));
    }

    #[test]
    fn what_is_no_text_is_kept_verbatim() {
        let foreign = |label: &str, raw: &str, fallback: &str| Body::Foreign {
            label: label.to_owned(),
            raw: raw.to_owned(),
            fallback: fallback.to_owned(),
            content: None,
        };
        let notice = r#"{"operation":"Add","message":"joined"}"#;
        assert_eq!(body("RC:GrpNtf", notice).0, foreign("rong:RC:GrpNtf", notice, "joined"));
        assert_eq!(body("RC:TxtMsg", "no json").0, foreign("rong:RC:TxtMsg", "no json", "[RC:TxtMsg]"));
        let own = Body::Custom { kind: "app:dice".to_owned(), data: "6".to_owned() };
        assert_eq!(body("app:dice", "6").0, own);
    }

    #[test]
    fn expansions_come_in_two_shapes_and_go_out_in_one() {
        let pairs = BTreeMap::from([("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())]);
        assert_eq!(expansion(r#"{"a":{"v":"1"},"b":"2","c":3,"d":{"w":"x"}}"#), pairs);
        assert_eq!(expansion("nothing"), BTreeMap::new());
        let entries = pairs.into_iter().map(|(key, value)| (key, (value, 1))).collect();
        let kept = Extensions { version: 1, cleared: 0, entries };
        assert_eq!(extra_content(&kept).unwrap(), r#"{"a":{"v":"1"},"b":{"v":"2"}}"#);
        assert_eq!(extra_content(&Extensions::default()), None);
    }

    #[test]
    fn mentions_are_of_everybody_or_of_some() {
        let all = r#"{"content":"a","mentionedInfo":{"type":1,"userIdList":[]}}"#;
        assert_eq!(mention(all), Some(Mention::All));
        let some = r#"{"content":"a","mentionedInfo":{"type":2,"userIdList":["u1",2,""]}}"#;
        assert_eq!(mention(some), Some(Mention::Users(vec![UserId::new("u1").unwrap()])));
        assert_eq!(mention(r#"{"content":"a"}"#), None);
        assert_eq!(mention("a"), None);
    }

    #[test]
    fn ids_look_like_the_vendors_and_differ() {
        let of = |id: u64| uid(&MessageId::new(id.to_string()).unwrap());
        assert_eq!(of(0), "2222-2222-2222-2222");
        assert_eq!(of(33), "2222-2222-2222-2233");
        assert_eq!(of(u64::MAX).len(), 19);
        assert_ne!(of(1), of(2));
        assert_eq!(uid(&MessageId::new("abc").unwrap()), "abc");
    }

    #[test]
    fn ids_lead_back() {
        for id in ["0", "33", "18446744073709551615", "abc", "AB"] {
            let id = MessageId::new(id).unwrap();
            assert_eq!(id_of(&uid(&id)), Some(id.clone()));
            assert_ne!(id_of(&recall_uid(&id)), Some(id));
        }
        assert_eq!(id_of("ZZZZ-ZZZZ-ZZZZ-ZZZZ"), None);
        assert_eq!(id_of(""), None);
    }

    #[test]
    fn messages_are_returned_as_sent() {
        for (object_name, content) in [
            ("RC:TxtMsg", r#"{"content":"hello"}"#),
            ("RC:TxtMsg", r#"{"content":"hello","extra":"x"}"#),
            ("RC:ImgMsg", r#"{"content":"..","imageUri":"u"}"#),
            ("app:dice", r#"{"n":6}"#),
        ] {
            let (kept, labels) = body(object_name, content);
            assert_eq!(object(&kept, None, &labels), (object_name.to_owned(), content.to_owned()));
        }
        let unnamed = Body::Custom { kind: String::new(), data: "{}".to_owned() };
        assert_eq!(object(&unnamed, None, &Labels::new()), ("App:Custom".to_owned(), "{}".to_owned()));
        let place = Content::Location {
            latitude: "1.5".to_owned(),
            longitude: "2".to_owned(),
            address: "Quai 1".to_owned(),
            name: "Café".to_owned(),
        };
        let (label, fallback) = ("other".to_owned(), "[place]".to_owned());
        let sent = Body::Foreign { label, raw: String::new(), fallback, content: Some(Box::new(place)) };
        let (object_name, content) = object(&sent, Some(&Mention::All), &Labels::new());
        let content: Value = serde_json::from_str(&content).unwrap();
        assert_eq!((object_name.as_str(), &content["poi"]), ("RC:LBSMsg", &Value::from("Café, Quai 1")));
        assert_eq!(content["mentionedInfo"]["type"], 1);
        let all = object(&Body::Text("a".to_owned()), Some(&Mention::All), &Labels::new()).1;
        assert_eq!(mention(&all), Some(Mention::All));
    }
}
