//! Messages in the client protocol, from and to typed content.

use conclave_core::model::Message;
use serde_json::{Map, Number, Value};

use super::names::bare;
use super::wire::{Content, KeyValue, MessageBody, MessageConfig, Size, chat_type, content_type, key_value, sub_type};
use crate::dialect::content::{self as dialect, COMBINED, What};
use crate::dialect::message;
use crate::realm::App;

/// Reads a client's message; `None` when it is empty or of an unknown type.
pub(super) fn read(message: &MessageBody) -> Option<(dialect::Content, Map<String, Value>)> {
    Some((typed(message.contents.first()?)?, pairs(&message.ext)))
}

/// The body of a message that clients receive.
pub(super) fn write(app: &App, message: &Message) -> MessageBody {
    let mut content = message::content(message);
    if message::is_translated(message) {
        app.links.replace(&mut content);
    }
    let config = MessageConfig { allow_group_ack: Some(true) };
    MessageBody {
        r#type: Some(chat_type::GROUP),
        from: Some(bare(message::sender(message))),
        to: Some(bare(message.group.as_str())),
        contents: vec![wire(&content)],
        ext: message::ext(message).as_object().map(key_values).unwrap_or_default(),
        msg_config: message.traits.receipts.then_some(config),
        ..MessageBody::default()
    }
}

fn typed(content: &Content) -> Option<dialect::Content> {
    let Content { text, remote_path: url, secret_key: secret, display_name: filename, .. } = content.clone();
    let whole = |number: Option<i32>| number.map(Number::from);
    let (bytes, length) = (whole(content.file_length), whole(content.duration));
    let number = |number: Option<f64>| number.and_then(Number::from_f64);
    let size = |size: Option<Size>| {
        let size = size?;
        Some(dialect::Size { width: number(size.width)?, height: number(size.height)? })
    };
    let (thumb, thumb_secret) = (content.thumbnail_remote_path.clone(), content.thumbnail_secret_key.clone());
    Some(match content.r#type.unwrap_or(content_type::TEXT) {
        content_type::TEXT => {
            let msg = Some(text.unwrap_or_default());
            if content.sub_type == Some(sub_type::COMBINE) {
                let (title, summary) = (content.title.clone(), content.summary.clone());
                let (sub_type, level) = (Some(COMBINED.to_owned()), whole(content.combine_level));
                dialect::Text { msg, sub_type, title, summary, url, secret, level }.into()
            } else {
                dialect::Text { msg, ..dialect::Text::default() }.into()
            }
        }
        content_type::IMAGE => {
            let (size, gif) = (size(content.size), (content.sub_type == Some(sub_type::GIF)).then_some(true));
            dialect::Image { url, secret, filename, bytes, size, thumb, thumb_secret, gif }.into()
        }
        content_type::VIDEO => {
            let size = size(content.thumbnail_size.or(content.size));
            dialect::Video { url, secret, filename, bytes, length, size, thumb, thumb_secret }.into()
        }
        content_type::LOCATION => dialect::Location {
            latitude: number(content.latitude),
            longitude: number(content.longitude),
            address: content.address.clone(),
            building: content.building_name.clone(),
        }
        .into(),
        content_type::VOICE => dialect::Audio { url, secret, filename, bytes, length }.into(),
        content_type::FILE => dialect::File { url, secret, filename, bytes }.into(),
        content_type::COMMAND => dialect::Command { action: content.action.clone() }.into(),
        content_type::CUSTOM => {
            let exts = Some(pairs(&content.custom_exts).into());
            dialect::Custom { event: content.custom_event.clone(), exts }.into()
        }
        _ => return None,
    })
}

fn wire(content: &dialect::Content) -> Content {
    let number = |number: &Option<Number>| number.as_ref().and_then(Number::as_f64);
    let whole = |whole: &Option<Number>| number(whole).map(truncated);
    let size = |size: &Option<dialect::Size>| {
        let size = size.as_ref()?;
        Some(Size { width: size.width.as_f64(), height: size.height.as_f64() })
    };
    let file = |kind: i32, url: &Option<String>, secret: &Option<String>| Content {
        r#type: Some(kind),
        remote_path: url.clone(),
        secret_key: secret.clone(),
        ..Content::default()
    };
    match &content.what {
        What::Text(text) if text.sub_type.as_deref() == Some(COMBINED) => Content {
            text: text.msg.clone(),
            sub_type: Some(sub_type::COMBINE),
            title: text.title.clone(),
            summary: text.summary.clone(),
            combine_level: whole(&text.level),
            ..file(content_type::TEXT, &text.url, &text.secret)
        },
        What::Text(text) => Content {
            r#type: Some(content_type::TEXT),
            text: Some(text.msg.clone().unwrap_or_default()),
            ..Content::default()
        },
        What::Image(image) => Content {
            display_name: image.filename.clone(),
            file_length: whole(&image.bytes),
            size: size(&image.size),
            thumbnail_remote_path: image.thumb.clone(),
            thumbnail_secret_key: image.thumb_secret.clone(),
            sub_type: (image.gif == Some(true)).then_some(sub_type::GIF),
            ..file(content_type::IMAGE, &image.url, &image.secret)
        },
        What::Video(video) => Content {
            display_name: video.filename.clone(),
            file_length: whole(&video.bytes),
            duration: whole(&video.length),
            thumbnail_remote_path: video.thumb.clone(),
            thumbnail_secret_key: video.thumb_secret.clone(),
            thumbnail_size: size(&video.size),
            ..file(content_type::VIDEO, &video.url, &video.secret)
        },
        What::Audio(audio) => Content {
            display_name: audio.filename.clone(),
            file_length: whole(&audio.bytes),
            duration: whole(&audio.length),
            ..file(content_type::VOICE, &audio.url, &audio.secret)
        },
        What::File(any) => Content {
            display_name: any.filename.clone(),
            file_length: whole(&any.bytes),
            ..file(content_type::FILE, &any.url, &any.secret)
        },
        What::Location(place) => Content {
            r#type: Some(content_type::LOCATION),
            latitude: number(&place.latitude),
            longitude: number(&place.longitude),
            address: place.address.clone(),
            building_name: place.building.clone(),
            ..Content::default()
        },
        What::Command(command) => {
            Content { r#type: Some(content_type::COMMAND), action: command.action.clone(), ..Content::default() }
        }
        What::Custom(custom) => Content {
            r#type: Some(content_type::CUSTOM),
            custom_event: custom.event.clone(),
            custom_exts: custom.exts.as_ref().and_then(Value::as_object).map(key_values).unwrap_or_default(),
            ..Content::default()
        },
    }
}

#[expect(clippy::cast_possible_truncation, reason = "what does not fit is cut to the largest that does")]
fn truncated(number: f64) -> i32 {
    number as i32
}

/// Keys and values as JSON. A later value of a key replaces an earlier one.
pub(super) fn pairs(pairs: &[KeyValue]) -> Map<String, Value> {
    pairs.iter().filter_map(|pair| Some((pair.key.clone()?, value(pair)))).collect()
}

fn value(pair: &KeyValue) -> Value {
    let text = || pair.string_value.clone().unwrap_or_default();
    let whole = || pair.varint_value.unwrap_or(0);
    match pair.r#type.unwrap_or(key_value::STRING) {
        key_value::BOOL => (whole() != 0).into(),
        key_value::INT | key_value::UINT | key_value::LLINT => whole().into(),
        key_value::FLOAT => pair.float_value.map(f64::from).and_then(Number::from_f64).into(),
        key_value::DOUBLE => pair.double_value.and_then(Number::from_f64).into(),
        key_value::JSON_STRING => serde_json::from_str(&text()).unwrap_or_else(|_| text().into()),
        _ => text().into(),
    }
}

/// JSON as keys and values.
pub(super) fn key_values(pairs: &Map<String, Value>) -> Vec<KeyValue> {
    let pair = |(key, value): (&String, &Value)| {
        let empty = KeyValue { key: Some(key.clone()), ..KeyValue::default() };
        match value {
            Value::Bool(on) => KeyValue { r#type: Some(key_value::BOOL), varint_value: Some((*on).into()), ..empty },
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) => KeyValue { r#type: Some(key_value::LLINT), varint_value: Some(whole), ..empty },
                (None, double) => KeyValue { r#type: Some(key_value::DOUBLE), double_value: double, ..empty },
            },
            Value::String(text) => {
                KeyValue { r#type: Some(key_value::STRING), string_value: Some(text.clone()), ..empty }
            }
            Value::Null | Value::Array(_) | Value::Object(_) => {
                KeyValue { r#type: Some(key_value::JSON_STRING), string_value: Some(value.to_string()), ..empty }
            }
        }
    };
    pairs.iter().map(pair).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bodies_of_every_type_come_back_as_they_were_sent() {
        let said = |kind: i32, content: Content| Content { r#type: Some(kind), ..content };
        let file = Content {
            remote_path: Some("http://h/o/a/chatfiles/1".to_owned()),
            secret_key: Some("s".to_owned()),
            display_name: Some("a.b".to_owned()),
            file_length: Some(7),
            ..Content::default()
        };
        let size = Some(Size { width: Some(3.0), height: Some(4.0) });
        let pairs = json!({"a": "1", "b": true, "c": 5, "d": 1.5, "e": {"f": [1]}});
        let exts = key_values(pairs.as_object().unwrap());
        for content in [
            said(content_type::TEXT, Content { text: Some("hi".to_owned()), ..Content::default() }),
            said(
                content_type::TEXT,
                Content {
                    text: Some("old".to_owned()),
                    sub_type: Some(sub_type::COMBINE),
                    title: Some("t".to_owned()),
                    summary: Some("s".to_owned()),
                    remote_path: Some("u".to_owned()),
                    secret_key: Some("k".to_owned()),
                    combine_level: Some(1),
                    ..Content::default()
                },
            ),
            said(content_type::IMAGE, Content { size, sub_type: Some(sub_type::GIF), ..file.clone() }),
            said(content_type::VIDEO, Content { duration: Some(9), thumbnail_size: size, ..file.clone() }),
            said(content_type::VOICE, Content { duration: Some(9), ..file.clone() }),
            said(content_type::FILE, file.clone()),
            said(
                content_type::LOCATION,
                Content {
                    latitude: Some(1.5),
                    longitude: Some(-2.5),
                    address: Some("Quai 1".to_owned()),
                    building_name: Some("B".to_owned()),
                    ..Content::default()
                },
            ),
            said(content_type::COMMAND, Content { action: Some("go".to_owned()), ..Content::default() }),
            said(
                content_type::CUSTOM,
                Content { custom_event: Some("dice".to_owned()), custom_exts: exts, ..Content::default() },
            ),
        ] {
            let typed = typed(&content).unwrap();
            assert_eq!(wire(&typed), content);
            // and what is kept of it as JSON says the same
            assert_eq!(dialect::Content::read(typed.kind(), typed.body()), Some(typed));
        }
    }
}
