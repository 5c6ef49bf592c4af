//! Requests with one of their fields replaced: invalid input that a client may send.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Map, Value, json};

/// Words that only a parser or a program uses; no response may contain them.
pub const PARSER_WORDS: [&str; 22] = [
    "expected",
    "at line",
    "column",
    "usize",
    "u32",
    "u64",
    "i64",
    "f64",
    "struct ",
    "enum ",
    "variant",
    "invalid type",
    "invalid value",
    "invalid length",
    "missing field",
    "unknown field",
    "duplicate field",
    "trailing characters",
    "EOF while",
    "borrowed",
    "sequence",
    "Some(",
];

/// Bytes of a text that is too long for any field.
pub const MEGABYTE: usize = 1 << 20;

/// What replaces a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instead {
    /// A text of a megabyte.
    LongText,
    /// A list of twenty thousand texts.
    LongList,
    /// An object of twenty thousand fields.
    LargeObject,
    /// An object with one key of a megabyte.
    LongKey,
    /// One of [`WRONG`], by number.
    Wrong(usize),
}

/// Values of every type, none of which fits many fields.
const WRONG: [fn() -> Value; 10] = [
    || json!(true),
    || json!(-1),
    || json!(1.5),
    || json!(u64::MAX),
    || json!("\u{7}wrong"),
    || json!([]),
    || json!([[{"wrong": 1}]]),
    || json!({}),
    || json!({"wrong": {"wrong": []}}),
    || Value::Null,
];

impl Instead {
    /// All values that are too large.
    pub const LARGE: [Self; 4] = [Self::LongText, Self::LongList, Self::LargeObject, Self::LongKey];

    /// All values of another type.
    pub fn wrong() -> impl Iterator<Item = Self> {
        (0..WRONG.len()).map(Self::Wrong)
    }

    fn value(self) -> Value {
        const MANY: usize = 20_000;
        let long = || "x".repeat(MEGABYTE);
        match self {
            Self::LongText => Value::from(long()),
            Self::LongList => (0..MANY).map(|n| Value::from(format!("u{n}"))).collect(),
            Self::LargeObject => Value::Object((0..MANY).map(|n| (format!("k{n}"), json!("v"))).collect()),
            Self::LongKey => Value::Object(Map::from_iter([(long(), json!("v"))])),
            Self::Wrong(which) => WRONG[which](),
        }
    }

    /// The same JSON with each of its fields replaced in turn, the inner ones too, by path.
    pub fn in_json(self, body: &Value) -> Vec<(String, Value)> {
        let mut paths = Vec::new();
        list(body, "", &mut paths);
        let replaced = |path: String| {
            let mut changed = body.clone();
            *changed.pointer_mut(&path).expect("a path of this very value") = self.value();
            (path, changed)
        };
        paths.into_iter().map(replaced).collect()
    }

    /// The same form with each of its values replaced in turn, and those inside JSON values too, by name.
    pub fn in_form(self, form: &str) -> Vec<(String, String)> {
        let pairs: Vec<(String, String)> = form
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (decoded(name), decoded(value)))
            .collect();
        let mut changed = Vec::new();
        for (at, (name, value)) in pairs.iter().enumerate() {
            let mut put = |label: String, values: Vec<String>| {
                let mut pairs = pairs.clone();
                pairs.splice(at..=at, values.into_iter().map(|value| (name.clone(), value)));
                changed.push((label, encoded(&pairs)));
            };
            let values = match self.value() {
                Value::Array(items) if self == Self::LongList => items.iter().map(plain).collect(),
                value => vec![plain(&value)],
            };
            put(name.clone(), values);
            if let Ok(inner @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str::<Value>(value) {
                for (path, inner) in self.in_json(&inner) {
                    put(format!("{name}{path}"), vec![inner.to_string()]);
                }
            }
        }
        changed
    }
}

/// Bytes of a part of a URL that is too long: as many as fit into the head of a request.
pub const LONG_PART: usize = 20_000;

/// What replaces a part of a request's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InHead {
    /// A text that is too long: a megabyte in a header, [`LONG_PART`] in a URL.
    Long,
    /// A text of [`LONG_PART`] bytes, escaped.
    LongEscaped,
    /// One of [`WRONG_PARTS`], by number.
    Wrong(usize),
}

/// Values that no part of a head should have, escaped as in a URL.
const WRONG_PARTS: [&str; 8] =
    ["", "-1", "18446744073709551616", "%00%07", "%FF%FE", "%F0%9F%92%A5", "..%2F..", "%7B%22a%22%3A%5B%5D%7D"];

impl InHead {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        [Self::Long, Self::LongEscaped].into_iter().chain((0..WRONG_PARTS.len()).map(Self::Wrong))
    }

    fn in_url(self) -> String {
        match self {
            Self::Long => "x".repeat(LONG_PART),
            Self::LongEscaped => "%E4%BD%A0".repeat(LONG_PART / 9),
            Self::Wrong(which) => WRONG_PARTS[which].to_owned(),
        }
    }

    /// The value of a header.
    pub fn in_header(self) -> String {
        match self {
            Self::Long => "x".repeat(MEGABYTE),
            other => other.in_url(),
        }
    }

    /// The same path and query with each segment of the path and each value of the query replaced in turn, by place.
    pub fn in_target(self, target: &str) -> Vec<(String, String)> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        let mut changed = Vec::new();
        for at in 0..segments.len() {
            let part = self.in_url();
            let mut segments = segments.clone();
            segments[at] = &part;
            let query = if query.is_empty() { String::new() } else { format!("?{query}") };
            changed.push((format!("segment {at}"), format!("/{}{query}", segments.join("/"))));
        }
        let pairs: Vec<(&str, &str)> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
        for at in 0..pairs.len() {
            let part = self.in_url();
            let mut pairs = pairs.clone();
            pairs[at].1 = &part;
            let query: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
            changed.push((format!("parameter {}", pairs[at].0), format!("{path}?{}", query.join("&"))));
        }
        changed
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

fn encoded(pairs: &[(String, String)]) -> String {
    let escaped = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let pairs = pairs.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// The paths of all fields and of the first of each list's items.
fn list(value: &Value, path: &str, paths: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let path = format!("{path}/{}", name.replace('~', "~0").replace('/', "~1"));
                paths.push(path.clone());
                list(field, &path, paths);
            }
        }
        Value::Array(items) => {
            if let Some(first) = items.first() {
                let path = format!("{path}/0");
                paths.push(path.clone());
                list(first, &path, paths);
            }
        }
        _ => {}
    }
}

/// A word of a parser in a text, if there is one.
pub fn parser_word(text: &str) -> Option<&'static str> {
    // the vendor's own words for invalid JSON
    let text = text.replace("Unexpected character", "");
    PARSER_WORDS.into_iter().find(|word| text.contains(word))
}

/// The texts in JSON, which may be names of accounts and groups.
pub fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| texts(field, found)),
        _ => {}
    }
}
