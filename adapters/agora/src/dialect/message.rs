//! A message's content: `type`, `body` and `ext`.
//!
//! | sent                       | stored as                                                             |
//! |----------------------------|-----------------------------------------------------------------------|
//! | `txt`                      | the text; further members of the body are stored verbatim beside it   |
//! | `custom`                   | the app's kind and its pairs; the body is stored verbatim beside it   |
//! | any other type             | verbatim, with a fallback text, and in neutral terms ([`media`])      |
//!
//! Mentions are a convention of the vendor's own user interface kits: `ext` lists the mentioned users in `em_at_list`,
//! or holds `ALL` there.

use std::borrow::Cow;

use conclave_core::event::Event;
use conclave_core::model::{Body, Labels, Mention, Message, MessageId, Millis, Sender, UserId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::content::{Content, Custom, Text, What};
use super::ids::{fold, shown};
use super::media;

/// The prefix of the labels for verbatim bodies.
const VERBATIM: &str = "agora:";
/// The label for the body of a text or custom message that has more than the neutral one.
const BODY: &str = "agora.body";
/// The member of `ext` that lists the mentioned users.
const MENTIONED: &str = "em_at_list";
/// Its value when everybody is mentioned.
const MENTIONS_ALL: &str = "ALL";
/// The label for `ext`.
pub(crate) const EXT: &str = "agora.ext";
/// The label for the number of edits and the last editor.
const EDITED: &str = "agora.edited";
/// The sender when a call names none.
pub(crate) const ADMIN: &str = "admin";

const TEXT: &str = "txt";
const CUSTOM: &str = "custom";

/// The neutral body, and the labels to store beside it.
pub(crate) fn neutral(content: &Content, ext: Option<&Map<String, Value>>) -> (Body, Labels) {
    let raw = || Value::from(content.body()).to_string();
    let mut labels = Labels::new();
    let body = match &content.what {
        What::Text(Text { msg: Some(said), .. }) => {
            if content.body().len() > 1 {
                labels.insert(BODY.to_owned(), raw());
            }
            Body::Text(said.clone())
        }
        What::Custom(custom) => {
            labels.insert(BODY.to_owned(), raw());
            let pairs = custom.exts.as_ref().map(Value::to_string).unwrap_or_default();
            Body::Custom { kind: custom.event.clone().unwrap_or_default(), data: pairs }
        }
        _ => Body::Foreign {
            label: format!("{VERBATIM}{}", content.kind()),
            raw: raw(),
            fallback: content.fallback(),
            content: media::neutral(content).map(Box::new),
        },
    };
    if let Some(ext) = ext {
        set_ext(&mut labels, ext);
    }
    (body, labels)
}

/// Stores `ext`; an empty one is deleted.
pub(crate) fn set_ext(labels: &mut Labels, ext: &Map<String, Value>) {
    if ext.is_empty() {
        labels.remove(EXT);
    } else {
        labels.insert(EXT.to_owned(), Value::from(ext.clone()).to_string());
    }
}

/// The content of a message: as sent, or the closest equivalent of a message sent through another surface.
pub(crate) fn content(message: &Message) -> Content {
    let kept = |kind: &str, raw: &str| Content::read(kind, serde_json::from_str(raw).ok()?);
    let beside = |kind| kept(kind, message.labels.get(BODY)?);
    match &message.body {
        Body::Text(text) => beside(TEXT).unwrap_or_else(|| Content::text(text)),
        Body::Custom { kind, data } => beside(CUSTOM).unwrap_or_else(|| {
            let exts = serde_json::from_str(data).unwrap_or_else(|_| json!({ "data": data }));
            Custom { event: Some(kind.clone()), exts: Some(exts) }.into()
        }),
        Body::Foreign { label, raw, fallback, content } => {
            let own = label.strip_prefix(VERBATIM).and_then(|kind| kept(kind, raw));
            let neutral = || content.as_deref().map(media::content);
            own.or_else(neutral).unwrap_or_else(|| Content::text(fallback))
        }
    }
}

/// Whether its content was sent through another surface.
pub(crate) fn is_translated(message: &Message) -> bool {
    matches!(&message.body, Body::Foreign { label, .. } if !label.starts_with(VERBATIM))
}

/// A message's body as JSON, with its type in it.
pub(crate) fn body(message: &Message) -> Value {
    let content = content(message);
    let mut body = content.body();
    body.insert("type".to_owned(), content.kind().into());
    Value::from(body)
}

/// A message's `ext`.
pub(crate) fn ext(message: &Message) -> Value {
    let kept = message.labels.get(EXT).and_then(|raw| serde_json::from_str(raw).ok());
    let mut ext = kept.unwrap_or_else(|| json!({}));
    if let Some((ext, mention)) = ext.as_object_mut().zip(message.mention.as_ref())
        && !ext.contains_key(MENTIONED)
    {
        let mentioned = match mention {
            Mention::All => json!(MENTIONS_ALL),
            Mention::Users(users) => users.iter().map(shown).collect(),
        };
        ext.insert(MENTIONED.to_owned(), mentioned);
    }
    ext
}

/// Who is mentioned by `ext`; the users' ids without regard to case.
pub(crate) fn mention(ext: &Map<String, Value>) -> Option<Mention> {
    match ext.get(MENTIONED)? {
        Value::String(all) if all.eq_ignore_ascii_case(MENTIONS_ALL) => Some(Mention::All),
        Value::Array(users) => {
            let users = users.iter().filter_map(Value::as_str).filter_map(|name| UserId::new(fold(name)).ok());
            Some(Mention::Users(users.collect())).filter(|mention| *mention != Mention::Users(Vec::new()))
        }
        _ => None,
    }
}

/// A message's id as clients know it: a number. `None` for imported ids that are not numbers.
pub(crate) fn number(id: &MessageId) -> Option<u64> {
    id.as_str().parse().ok()
}

/// The last edit of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Edited {
    /// How often the message was edited.
    pub(crate) count: u32,
    /// Who made the last one.
    pub(crate) operator: String,
    /// The time of the edit.
    pub(crate) edit_time: Millis,
}

impl Edited {
    /// The edit stored with a message.
    pub(crate) fn kept(message: &Message) -> Option<Self> {
        message.labels.get(EDITED).and_then(|kept| serde_json::from_str(kept).ok())
    }

    /// The edit stored with a message or, if it was edited through another surface, one built from the event.
    pub(crate) fn of(message: &Message, event: &Event) -> Self {
        let operator = event.actor.behind().map_or(Cow::Borrowed(ADMIN), shown).into_owned();
        Self::kept(message).unwrap_or(Self { count: 1, operator, edit_time: event.at })
    }

    /// The label to store.
    pub(crate) fn label(&self) -> (String, String) {
        // texts and numbers only, so this cannot fail
        (EDITED.to_owned(), serde_json::to_string(self).unwrap_or_default())
    }

    /// As clients receive it.
    pub(crate) fn json(&self, message: &Message) -> Value {
        json!({
            "count": self.count,
            "operator": self.operator,
            "edit_time": self.edit_time.0,
            "sender": sender(message),
            "send_time": message.at.0,
            "chat_type": "chat:group",
        })
    }
}

/// The sender; the admin when there is none.
pub(crate) fn sender(message: &Message) -> Cow<'_, str> {
    match &message.sender {
        Sender::User(user) => shown(user),
        Sender::App => Cow::Borrowed(ADMIN),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use conclave_core::model::{
        Content as NeutralContent, GroupId, MediaFile, MessageId, MessageState, Millis, Traits,
    };

    use super::*;

    fn message(body: Body, labels: Labels) -> Message {
        Message {
            id: MessageId::new("1").unwrap(),
            group: GroupId::new("g").unwrap(),
            sequence: 1,
            sender: Sender::App,
            at: Millis(0),
            body,
            targets: Vec::new(),
            mention: None,
            counted: true,
            shown_last: true,
            token: None,
            state: MessageState::Kept,
            traits: Traits::default(),
            labels,
        }
    }

    #[test]
    fn bodies_come_back_as_they_went_in() {
        for (kind, sent) in [
            ("txt", json!({"msg": "hi"})),
            ("txt", json!({"msg": "hi", "more": 1})),
            ("custom", json!({"customEvent": "dice", "customExts": {"n": "6"}})),
            ("img", json!({"url": "u", "size": {"width": 1, "height": 2}})),
            ("cmd", json!({"action": "a"})),
            ("txt", json!({"msg": 5})),
        ] {
            let sent_content = Content::read(kind, sent.as_object().unwrap().clone()).unwrap();
            let (body_kept, labels) = neutral(&sent_content, json!({"k": 1}).as_object());
            let message = message(body_kept, labels);
            let mut wanted = sent.clone();
            wanted["type"] = kind.into();
            assert_eq!(body(&message), wanted);
            assert_eq!(ext(&message), json!({"k": 1}));
        }
    }

    #[test]
    fn what_others_understand_is_neutral() {
        let neutral =
            |kind, body: Value| super::neutral(&Content::read(kind, body.as_object().unwrap().clone()).unwrap(), None);
        assert_eq!(neutral("txt", json!({"msg": "hi"})), (Body::Text("hi".to_owned()), Labels::new()));
        let custom = neutral("custom", json!({"customEvent": "dice", "customExts": {"n": "6"}})).0;
        assert_eq!(custom, Body::Custom { kind: "dice".to_owned(), data: r#"{"n":"6"}"#.to_owned() });
        let Body::Foreign { fallback, content, .. } = neutral("loc", json!({"addr": "Quai 1", "lat": 1.5})).0 else {
            unreachable!("a place is neither a text nor custom")
        };
        assert_eq!((fallback.as_str(), content), ("[loc] Quai 1", None), "a place without its longitude");
    }

    #[test]
    fn mentions_are_in_ext() {
        let mentioned = |ext: Value| mention(ext.as_object().unwrap());
        let ben = UserId::new("ben").unwrap();
        assert_eq!(mentioned(json!({"em_at_list": "all"})), Some(Mention::All));
        assert_eq!(mentioned(json!({"em_at_list": ["Ben", 1]})), Some(Mention::Users(vec![ben.clone()])));
        for none in [json!({}), json!({"em_at_list": []}), json!({"em_at_list": "ben"}), json!({"em_at_list": 1})] {
            assert_eq!(mentioned(none.clone()), None, "{none}");
        }
        let mut message = message(Body::Text("@ben".to_owned()), Labels::new());
        message.mention = Some(Mention::Users(vec![ben]));
        assert_eq!(ext(&message), json!({"em_at_list": ["ben"]}));
        message.labels.insert(EXT.to_owned(), json!({"em_at_list": [], "k": 1}).to_string());
        assert_eq!(ext(&message), json!({"em_at_list": [], "k": 1}), "as the client sent it");
        message.mention = Some(Mention::All);
        message.labels.clear();
        assert_eq!(ext(&message), json!({"em_at_list": "ALL"}));
    }

    #[test]
    fn messages_sent_elsewhere_have_the_closest_equivalent() {
        let foreign = |content: Option<NeutralContent>| Body::Foreign {
            label: "other".to_owned(),
            raw: "{}".to_owned(),
            fallback: "[card]".to_owned(),
            content: content.map(Box::new),
        };
        assert_eq!(body(&message(foreign(None), Labels::new())), json!({"type": "txt", "msg": "[card]"}));
        let file = MediaFile { url: "https://h/f".to_owned(), name: "f".to_owned(), bytes: 7 };
        let shown = body(&message(foreign(Some(NeutralContent::File(file))), Labels::new()));
        assert_eq!(shown, json!({"type": "file", "url": "https://h/f", "filename": "f", "file_length": 7}));
        let custom = Body::Custom { kind: "k".to_owned(), data: "x".to_owned() };
        let shown = body(&message(custom, Labels::new()));
        assert_eq!(shown, json!({"type": "custom", "customEvent": "k", "customExts": {"data": "x"}}));
    }
}
