//! The content of a message with typed fields, independent of its encoding.
//!
//! The server API has it as JSON (`type` and `body`), the client protocol as protobuf; both are read into [`Content`]
//! and written from it. JSON members without a typed field, or of another type, are kept unchanged.

use serde_json::{Map, Number, Value};

/// The `sub_type` of a text that holds several messages forwarded as one.
pub(crate) const COMBINED: &str = "sub_combine";

/// A field of a body: read from JSON if it has this type.
trait Field: Sized {
    fn of(value: &Value) -> Option<Self>;
    fn json(&self) -> Value;
}

impl Field for String {
    fn of(value: &Value) -> Option<Self> {
        value.as_str().map(str::to_owned)
    }

    fn json(&self) -> Value {
        Value::from(self.as_str())
    }
}

impl Field for Number {
    fn of(value: &Value) -> Option<Self> {
        value.as_number().cloned()
    }

    fn json(&self) -> Value {
        Value::from(self.clone())
    }
}

impl Field for bool {
    fn of(value: &Value) -> Option<Self> {
        value.as_bool()
    }

    fn json(&self) -> Value {
        Value::from(*self)
    }
}

impl Field for Value {
    fn of(value: &Value) -> Option<Self> {
        Some(value.clone())
    }

    fn json(&self) -> Value {
        self.clone()
    }
}

/// Width and height of a picture, in pixels.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Size {
    pub(crate) width: Number,
    pub(crate) height: Number,
}

impl Field for Size {
    fn of(value: &Value) -> Option<Self> {
        let object = value.as_object().filter(|object| object.len() == 2)?;
        let number = |name| object.get(name).and_then(Value::as_number).cloned();
        Some(Self { width: number("width")?, height: number("height")? })
    }

    fn json(&self) -> Value {
        serde_json::json!({ "width": self.width, "height": self.height })
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])+ $kind:ident = $name:literal { $($field:ident: $type:ty = $json:literal,)* })+) => {
        /// The content of a message, by its type.
        #[derive(Debug, Clone, PartialEq)]
        pub(crate) enum What {
            $($(#[$doc])+ $kind($kind),)+
        }

        $(
            $(#[$doc])+
            #[derive(Debug, Clone, PartialEq, Default)]
            pub(crate) struct $kind {
                $(pub(crate) $field: Option<$type>,)*
            }

            impl From<$kind> for Content {
                fn from(what: $kind) -> Self {
                    Self { what: What::$kind(what), more: Map::new() }
                }
            }
        )+

        impl Content {
            /// Reads `type` and `body`; `None` when the type does not exist.
            pub(crate) fn read(kind: &str, mut body: Map<String, Value>) -> Option<Self> {
                let what = match kind {
                    $($name => What::$kind($kind { $($field: take(&mut body, $json),)* }),)+
                    _ => return None,
                };
                Some(Self { what, more: body })
            }

            /// `type`.
            pub(crate) fn kind(&self) -> &'static str {
                match &self.what {
                    $(What::$kind(_) => $name,)+
                }
            }

            /// `body`.
            pub(crate) fn body(&self) -> Map<String, Value> {
                let mut body = self.more.clone();
                match &self.what {
                    $(What::$kind(what) => {
                        $(put(&mut body, $json, what.$field.as_ref());)*
                    })+
                }
                body
            }
        }
    };
}

/// The content of a message, and the JSON members without a typed field.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Content {
    /// The content, by type.
    pub(crate) what: What,
    /// The members of the JSON body that have no typed field, or another type than the field's.
    pub(crate) more: Map<String, Value>,
}

kinds! {
    /// A text. Several messages forwarded as one are a text for clients that do not know them, with `sub_type`
    /// [`COMBINED`], a title, a summary and the file that holds the messages.
    Text = "txt" {
        msg: String = "msg",
        sub_type: String = "subType",
        title: String = "title",
        summary: String = "summary",
        url: String = "url",
        secret: String = "secret",
        level: Number = "combineLevel",
    }
    /// A picture; `gif` where it moves.
    Image = "img" {
        url: String = "url",
        secret: String = "secret",
        filename: String = "filename",
        bytes: Number = "file_length",
        size: Size = "size",
        thumb: String = "thumb",
        thumb_secret: String = "thumb_secret",
        gif: bool = "gif",
    }
    /// A recording; `length` is in seconds.
    Audio = "audio" {
        url: String = "url",
        secret: String = "secret",
        filename: String = "filename",
        bytes: Number = "file_length",
        length: Number = "length",
    }
    /// A video; `length` is in seconds.
    Video = "video" {
        url: String = "url",
        secret: String = "secret",
        filename: String = "filename",
        bytes: Number = "file_length",
        length: Number = "length",
        size: Size = "size",
        thumb: String = "thumb",
        thumb_secret: String = "thumb_secret",
    }
    /// A place.
    Location = "loc" {
        latitude: Number = "lat",
        longitude: Number = "lng",
        address: String = "addr",
        building: String = "buildingName",
    }
    /// Any other file.
    File = "file" {
        url: String = "url",
        secret: String = "secret",
        filename: String = "filename",
        bytes: Number = "file_length",
    }
    /// A command to the receiving app, which is not shown.
    Command = "cmd" { action: String = "action", }
    /// What the app defines.
    Custom = "custom" { event: String = "customEvent", exts: Value = "customExts", }
}

/// Removes a member if it has the field's type.
fn take<F: Field>(body: &mut Map<String, Value>, name: &str) -> Option<F> {
    let field = F::of(body.get(name)?)?;
    body.remove(name);
    Some(field)
}

fn put<F: Field>(body: &mut Map<String, Value>, name: &str, field: Option<&F>) {
    if let Some(field) = field {
        body.insert(name.to_owned(), field.json());
    }
}

impl Content {
    pub(crate) fn text(msg: impl Into<String>) -> Self {
        Text { msg: Some(msg.into()), ..Text::default() }.into()
    }

    /// The text to show where this type is not supported.
    pub(crate) fn fallback(&self) -> String {
        let named = match &self.what {
            What::Text(text) => text.msg.as_ref(),
            What::Image(image) => image.filename.as_ref(),
            What::Audio(audio) => audio.filename.as_ref(),
            What::Video(video) => video.filename.as_ref(),
            What::Location(place) => place.address.as_ref(),
            What::File(file) => file.filename.as_ref(),
            What::Command(command) => command.action.as_ref(),
            What::Custom(custom) => custom.event.as_ref(),
        };
        let kind = self.kind();
        match named.filter(|name| !name.is_empty()) {
            Some(name) => format!("[{kind}] {name}"),
            None => format!("[{kind}]"),
        }
    }

    /// Whether it counts as unread for its receivers.
    pub(crate) fn is_counted(&self) -> bool {
        !matches!(self.what, What::Command(_))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(kind: &str, body: &Value) -> Content {
        Content::read(kind, body.as_object().unwrap().clone()).unwrap()
    }

    #[test]
    fn every_body_comes_back_as_it_was_sent() {
        for (kind, body) in [
            ("txt", json!({"msg": "hi"})),
            ("txt", json!({"msg": 5, "more": [1, 2.5, null]})),
            ("img", json!({"url": "u", "secret": "s", "filename": "f", "size": {"width": 480, "height": 720.5}})),
            ("img", json!({"size": {"width": "wide", "height": 1}})),
            ("img", json!({"size": {"width": 1, "height": 1, "depth": 1}})),
            ("audio", json!({"url": "u", "secret": "s", "filename": "f", "length": 10})),
            (
                "video",
                json!({"thumb": "t", "length": 0, "secret": "s", "file_length": 58103, "thumb_secret": "x", "url": "u"}),
            ),
            ("loc", json!({"lat": 39, "lng": 116.5, "addr": "a", "buildingName": "b"})),
            ("loc", json!({"lat": "39.9", "lng": null})),
            ("file", json!({"url": "u", "file_length": "12"})),
            ("cmd", json!({"action": "a", "param": {"k": "v"}})),
            ("custom", json!({"customEvent": "dice", "customExts": {"n": "6"}})),
            ("custom", json!({"customEvent": "dice", "customExts": [{"n": 6}]})),
            (
                "txt",
                json!({"msg": "m", "subType": "sub_combine", "title": "t", "summary": "s", "url": "u", "combineLevel": 1}),
            ),
            ("img", json!({"url": "u", "thumb": "t", "thumb_secret": "s", "gif": true})),
        ] {
            let content = read(kind, &body);
            assert_eq!((content.kind(), Value::from(content.body())), (kind, body.clone()), "{kind} {body}");
        }
        assert_eq!(Content::read("sticker", Map::new()), None);
    }

    #[test]
    fn fields_are_typed_where_they_have_the_form() {
        let place = read("loc", &json!({"lat": 39.5, "lng": "116", "addr": "Quai 1"}));
        let What::Location(found) = &place.what else { unreachable!("a place") };
        assert_eq!(found.latitude.as_ref().and_then(Number::as_f64), Some(39.5));
        assert_eq!((&found.longitude, found.address.as_deref()), (&None, Some("Quai 1")));
        assert_eq!(place.more, *json!({"lng": "116"}).as_object().unwrap());
        assert_eq!(place.fallback(), "[loc] Quai 1");
        assert_eq!(read("img", &json!({})).fallback(), "[img]");
        assert!(!read("cmd", &json!({})).is_counted() && place.is_counted());
    }
}
