//! Message bodies: `MsgBody` is a list of elements, of which a single text and a single custom element are neutral.
//! Anything else, and everything a neutral body cannot hold, is stored verbatim beside it; a single picture, recording, video,
//! file or place in neutral terms as well ([`media`]).

use conclave_core::model::{Body, Labels, Message};
use serde_json::{Value, json};

use super::{limits, media};
use crate::refusals::{Code, Failure};

/// The surface of a verbatim body, and the label it is stored under.
const SURFACE: &str = "tencent";
const VERBATIM: &str = "tencent.body";

/// The labels of fields that only this vendor's messages have.
pub(crate) mod label {
    /// A random number chosen by the client.
    pub(crate) const RANDOM: &str = "tencent.random";
    /// `ClientSeq`: the sending client's message counter.
    pub(crate) const CLIENT_SEQ: &str = "tencent.client-seq";
    /// `MsgClientTime`: when the client sent it, in Unix seconds by its clock.
    pub(crate) const CLIENT_TIME: &str = "tencent.client-time";
    /// The priority, as the vendor names it.
    pub(crate) const PRIORITY: &str = "tencent.priority";
    /// `CloudCustomData`.
    pub(crate) const CLOUD_DATA: &str = "tencent.cloud-data";
    /// `GroupAtInfo`, unchanged.
    pub(crate) const AT: &str = "tencent.at";
    /// `ForbidCallbackControl`, comma-separated.
    pub(crate) const FORBIDDEN: &str = "tencent.no-callback";
}

const TEXT: &str = "TIMTextElem";
const CUSTOM: &str = "TIMCustomElem";

/// The neutral body of a list of elements, and labels for what it cannot hold. `None` when an element has no type or
/// content.
pub(crate) fn read(elements: &[Value]) -> Option<(Body, Labels)> {
    let parts: Vec<(&str, &Value)> = elements.iter().map(element).collect::<Option<_>>()?;
    let verbatim = || Labels::from([(VERBATIM.to_owned(), Value::from(elements.to_vec()).to_string())]);
    match parts.as_slice() {
        [] => None,
        [(TEXT, content)] => {
            let text = content["Text"].as_str()?.to_owned();
            let more = content.as_object()?.len() > 1;
            Some((Body::Text(text), if more { verbatim() } else { Labels::new() }))
        }
        [(CUSTOM, content)] => {
            let data = content["Data"].as_str().unwrap_or_default().to_owned();
            let kind = content["Desc"].as_str().unwrap_or_default().to_owned();
            Some((Body::Custom { kind, data }, verbatim()))
        }
        _ => {
            let raw = Value::from(elements.to_vec()).to_string();
            let content = match parts.as_slice() {
                [(kind, content)] => media::neutral(kind, content).map(Box::new),
                _ => None,
            };
            let fallback = fallback(&parts);
            Some((Body::Foreign { label: SURFACE.to_owned(), raw, fallback, content }, Labels::new()))
        }
    }
}

/// The same, if the list is not empty and not too long.
pub(crate) fn checked(elements: &[Value]) -> Result<(Body, Labels), Failure> {
    let bytes: usize = elements.iter().map(|element| element.to_string().len()).sum();
    if bytes > limits::MESSAGE {
        return Err(Code::TextTooLong.into());
    }
    read(elements).ok_or_else(|| Code::Parameter.saying("MsgBody is illegal"))
}

/// `MsgPriority` as a number.
pub(crate) fn priority(word: Option<&str>) -> u32 {
    match word {
        Some("High") => 1,
        Some("Low") => 3,
        Some("Lowest") => 4,
        _ => 2,
    }
}

fn element(element: &Value) -> Option<(&str, &Value)> {
    let content = element.get("MsgContent").filter(|content| content.is_object())?;
    Some((element.get("MsgType")?.as_str()?, content))
}

/// The text to show where the elements are not supported.
fn fallback(parts: &[(&str, &Value)]) -> String {
    let words = parts.iter().map(|(kind, content)| match *kind {
        TEXT => content["Text"].as_str().unwrap_or_default().to_owned(),
        kind => format!("[{}]", kind.trim_start_matches("TIM").trim_end_matches("Elem").to_lowercase()),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The elements of a message: as sent, or the closest equivalent of a message sent through another vendor.
pub(crate) fn elements(message: &Message) -> Value {
    let kept = match (&message.body, message.labels.get(VERBATIM)) {
        (_, Some(verbatim)) => Some(verbatim),
        (Body::Foreign { label, raw, .. }, None) if label == SURFACE => Some(raw),
        _ => None,
    };
    if let Some(elements) = kept.and_then(|raw| serde_json::from_str::<Value>(raw).ok()).filter(Value::is_array) {
        return elements;
    }
    match &message.body {
        Body::Foreign { content: Some(content), .. } => json!([media::element(content, message.id.as_str())]),
        Body::Text(text) | Body::Foreign { fallback: text, .. } => {
            json!([{"MsgType": TEXT, "MsgContent": {"Text": text}}])
        }
        Body::Custom { kind, data } => json!([custom(kind, data)]),
    }
}

/// A custom element.
pub(super) fn custom(kind: &str, data: &str) -> Value {
    json!({"MsgType": CUSTOM, "MsgContent": {"Data": data, "Desc": kind, "Ext": "", "Sound": ""}})
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use conclave_core::model::{Content, GroupId, MediaFile, MessageId, MessageState, Millis, Sender, Traits};

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

    fn text(text: &str) -> Value {
        json!({"MsgType": TEXT, "MsgContent": {"Text": text}})
    }

    #[test]
    fn bodies_come_back_as_they_went_in() {
        let custom =
            json!({"MsgType": CUSTOM, "MsgContent": {"Data": "6", "Desc": "dice", "Ext": "url", "Sound": "x"}});
        let face = json!({"MsgType": "TIMFaceElem", "MsgContent": {"Index": 6, "Data": "abc\u{0}\u{1}"}});
        for elements in [vec![text("hi")], vec![custom.clone()], vec![face.clone()], vec![text("hi"), face]] {
            let (body, labels) = read(&elements).unwrap();
            assert_eq!(super::elements(&message(body, labels)), Value::from(elements));
        }
        assert_eq!(read(&[text("hi")]).unwrap(), (Body::Text("hi".to_owned()), Labels::new()));
        let (body, _) = read(&[custom]).unwrap();
        assert_eq!(body, Body::Custom { kind: "dice".to_owned(), data: "6".to_owned() });
    }

    #[test]
    fn what_is_no_element_is_refused() {
        for bad in [json!({}), json!({"MsgType": TEXT}), json!({"MsgType": TEXT, "MsgContent": "x"}), json!(1)] {
            assert_eq!(read(&[bad]), None);
        }
        assert_eq!(read(&[]), None);
    }

    #[test]
    fn messages_of_other_vendors_have_the_closest_equivalent() {
        let foreign = |content: Option<Content>| Body::Foreign {
            label: "other".to_owned(),
            raw: "?".to_owned(),
            fallback: "[card]".to_owned(),
            content: content.map(Box::new),
        };
        assert_eq!(elements(&message(foreign(None), Labels::new())), json!([text("[card]")]));
        let file = MediaFile { url: "https://h/f".to_owned(), name: "f".to_owned(), bytes: 7 };
        let shown = elements(&message(foreign(Some(Content::File(file))), Labels::new()));
        assert_eq!(shown[0]["MsgContent"]["Url"], "https://h/f");
        let command = Content::Command { name: "go".to_owned(), data: "1".to_owned() };
        let shown = elements(&message(foreign(Some(command)), Labels::new()));
        assert_eq!(shown, json!([custom("go", "1")]));
        let several = [text("hi"), json!({"MsgType": "TIMImageElem", "MsgContent": {}})];
        let (Body::Foreign { fallback, .. }, _) = read(&several).unwrap() else { panic!("several elements") };
        assert_eq!(fallback, "hi [image]");
    }
}
