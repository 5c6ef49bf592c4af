//! Conversion between messages in the client protocol and the `type`, `body` and `ext` of the REST API.

use conclave_core::model::Message;
use serde_json::{Map, Number, Value, json};

use super::names::bare;
use super::wire::{Content, KeyValue, MessageBody, MessageConfig, Size, chat_type, content_type, key_value, sub_type};
use crate::dialect::message;

/// The body of a message that can no longer be decoded.
const EMPTY: &str = "";

/// A message of a client: the type, body and `ext` of an equivalent REST call.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Said {
    pub(super) kind: &'static str,
    pub(super) body: Map<String, Value>,
    pub(super) ext: Map<String, Value>,
}

/// Reads a client's message; `None` when it is empty or of an unknown type.
pub(super) fn read(message: &MessageBody) -> Option<Said> {
    let content = message.contents.first()?;
    let (kind, body) = body(content)?;
    Some(Said { kind, body, ext: pairs(&message.ext) })
}

/// The body of a message that clients receive.
pub(super) fn write(message: &Message) -> MessageBody {
    let contents = vec![content(&message::body(message))];
    let config = MessageConfig { allow_group_ack: Some(true) };
    MessageBody {
        r#type: Some(chat_type::GROUP),
        from: Some(bare(message::sender(message))),
        to: Some(bare(message.group.as_str())),
        contents,
        ext: message::ext(message).as_object().map(key_values).unwrap_or_default(),
        msg_config: message.traits.receipts.then_some(config),
        ..MessageBody::default()
    }
}

fn body(content: &Content) -> Option<(&'static str, Map<String, Value>)> {
    let mut body = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            body.insert(name.to_owned(), value);
        }
    };
    let text = |text: &Option<String>| text.clone().map(Value::from);
    let size = |size: Option<Size>| size.map(|size| json!({"width": size.width, "height": size.height}));
    let number = |number: Option<f64>| number.and_then(Number::from_f64).map(Value::from);
    let whole = |number: Option<i32>| number.map(Value::from);
    let kind = match content.r#type.unwrap_or(content_type::TEXT) {
        content_type::TEXT => {
            put("msg", Some(content.text.clone().unwrap_or_default().into()));
            if content.sub_type == Some(sub_type::COMBINE) {
                put("subType", Some("sub_combine".into()));
                put("title", text(&content.title));
                put("summary", text(&content.summary));
                put("url", text(&content.remote_path));
                put("secret", text(&content.secret_key));
                put("combineLevel", whole(content.combine_level));
            }
            "txt"
        }
        content_type::IMAGE => {
            put("url", text(&content.remote_path));
            put("secret", text(&content.secret_key));
            put("filename", text(&content.display_name));
            put("file_length", whole(content.file_length));
            put("size", size(content.size));
            put("thumb", text(&content.thumbnail_remote_path));
            put("thumb_secret", text(&content.thumbnail_secret_key));
            put("gif", (content.sub_type == Some(sub_type::GIF)).then_some(true.into()));
            "img"
        }
        content_type::VIDEO => {
            put("url", text(&content.remote_path));
            put("secret", text(&content.secret_key));
            put("filename", text(&content.display_name));
            put("file_length", whole(content.file_length));
            put("length", whole(content.duration));
            put("thumb", text(&content.thumbnail_remote_path));
            put("thumb_secret", text(&content.thumbnail_secret_key));
            put("size", size(content.thumbnail_size.or(content.size)));
            "video"
        }
        content_type::LOCATION => {
            put("lat", number(content.latitude));
            put("lng", number(content.longitude));
            put("addr", text(&content.address));
            put("buildingName", text(&content.building_name));
            "loc"
        }
        content_type::VOICE => {
            put("url", text(&content.remote_path));
            put("secret", text(&content.secret_key));
            put("filename", text(&content.display_name));
            put("file_length", whole(content.file_length));
            put("length", whole(content.duration));
            "audio"
        }
        content_type::FILE => {
            put("url", text(&content.remote_path));
            put("secret", text(&content.secret_key));
            put("filename", text(&content.display_name));
            put("file_length", whole(content.file_length));
            "file"
        }
        content_type::COMMAND => {
            put("action", text(&content.action));
            "cmd"
        }
        content_type::CUSTOM => {
            put("customEvent", text(&content.custom_event));
            put("customExts", Some(pairs(&content.custom_exts).into()));
            "custom"
        }
        _ => return None,
    };
    Some((kind, body))
}

fn content(body: &Value) -> Content {
    let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    let whole = |name: &str| body.get(name).and_then(Value::as_f64).map(truncated);
    let number = |name: &str| body.get(name).and_then(Value::as_f64);
    let size = |name: &str| {
        let size = body.get(name)?;
        let side = |side: &str| size.get(side).and_then(Value::as_f64);
        Some(Size { width: side("width"), height: side("height") })
    };
    let file = |kind: i32| Content {
        r#type: Some(kind),
        remote_path: text("url"),
        secret_key: text("secret"),
        display_name: text("filename"),
        file_length: whole("file_length"),
        ..Content::default()
    };
    let is = |name: &str, value: &str| body.get(name).and_then(Value::as_str) == Some(value);
    match body.get("type").and_then(Value::as_str).unwrap_or_default() {
        "img" => Content {
            size: size("size"),
            thumbnail_remote_path: text("thumb"),
            thumbnail_secret_key: text("thumb_secret"),
            sub_type: (body.get("gif") == Some(&Value::Bool(true))).then_some(sub_type::GIF),
            ..file(content_type::IMAGE)
        },
        "video" => Content {
            duration: whole("length"),
            thumbnail_remote_path: text("thumb"),
            thumbnail_secret_key: text("thumb_secret"),
            thumbnail_size: size("size"),
            ..file(content_type::VIDEO)
        },
        "audio" => Content { duration: whole("length"), ..file(content_type::VOICE) },
        "file" => file(content_type::FILE),
        "loc" => Content {
            r#type: Some(content_type::LOCATION),
            latitude: number("lat"),
            longitude: number("lng"),
            address: text("addr"),
            building_name: text("buildingName"),
            ..Content::default()
        },
        "cmd" => Content { r#type: Some(content_type::COMMAND), action: text("action"), ..Content::default() },
        "custom" => Content {
            r#type: Some(content_type::CUSTOM),
            custom_event: text("customEvent"),
            custom_exts: body.get("customExts").and_then(Value::as_object).map(key_values).unwrap_or_default(),
            ..Content::default()
        },
        _ if is("subType", "sub_combine") => Content {
            r#type: Some(content_type::TEXT),
            text: text("msg"),
            sub_type: Some(sub_type::COMBINE),
            title: text("title"),
            summary: text("summary"),
            remote_path: text("url"),
            secret_key: text("secret"),
            combine_level: whole("combineLevel"),
            ..Content::default()
        },
        _ => Content {
            r#type: Some(content_type::TEXT),
            text: Some(text("msg").unwrap_or_else(|| EMPTY.to_owned())),
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
            let (kind, mut fields) = body(&content).unwrap();
            fields.insert("type".to_owned(), kind.into());
            assert_eq!(super::content(&fields.into()), content);
        }
    }
}
