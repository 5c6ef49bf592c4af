//! The vendors' documented exchanges, as data: `fixtures/<vendor>/<name>.json`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::client::Answer;
use crate::given::Given;

/// One documented exchange.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fixture {
    /// The vendor's name of the operation.
    pub operation: String,
    /// The source of the fact.
    pub source: String,
    /// Its certainty: seen, doc, doc-recorded, src, inferred.
    pub certainty: String,
    /// Notes for readers.
    #[serde(default)]
    pub notes: Vec<String>,
    /// What exists before the request.
    #[serde(default)]
    pub given: Given,
    /// The client's request.
    pub request: Sent,
    /// The vendor's response.
    pub response: Received,
    /// Members of the response's body whose values differ each time: dotted paths, `*` is any index.
    #[serde(default)]
    pub volatile: Vec<String>,
}

/// A documented request.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    /// The method.
    pub method: String,
    /// The path below the surface's root.
    pub path: String,
    /// The query.
    #[serde(default)]
    pub query: Map<String, Value>,
    /// The headers.
    #[serde(default)]
    pub headers: Map<String, Value>,
    /// The body: JSON, or a text that is sent unchanged.
    #[serde(default)]
    pub body: Value,
}

/// A documented response.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Received {
    /// The status.
    pub status: u16,
    /// The headers worth asserting.
    #[serde(default)]
    pub headers: Map<String, Value>,
    /// The body: JSON, or `{"$bytes": n}` for so many bytes of something else.
    #[serde(default)]
    pub body: Value,
    /// Members that our response has beyond the documented ones: dotted paths to values, volatile ones by name.
    #[serde(default)]
    pub added: BTreeMap<String, Value>,
}

impl Sent {
    /// The body as sent: empty, a text, JSON, or the form that `{"$multipart": [parts]}` describes.
    pub fn bytes(&self) -> Vec<u8> {
        match &self.body {
            Value::Null => Vec::new(),
            body => match body.get(MULTIPART).and_then(Value::as_array) {
                Some(parts) => self.form(parts),
                None => body.to_string().into_bytes(),
            },
        }
    }

    fn form(&self, parts: &[Value]) -> Vec<u8> {
        let kind = self.headers.get("Content-Type").and_then(Value::as_str).expect("the type of a form");
        let boundary = kind.split_once("boundary=").expect("a boundary").1;
        let mut form = Vec::new();
        for part in parts {
            let text = |name: &str| part[name].as_str().expect("a part's name, file name and type");
            let size = usize::try_from(part["bytes"].as_u64().expect("a part's size")).expect("a size");
            form.extend_from_slice(
                format!(
                    "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"; filename=\"{}\"\r\nContent-Type: {}\r\n\r\n",
                    text("name"),
                    text("filename"),
                    text("contentType"),
                )
                .as_bytes(),
            );
            form.extend(std::iter::repeat_n(b'x', size));
            form.extend_from_slice(b"\r\n");
        }
        form.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        form
    }
}

/// The key for a form in a request's body.
const MULTIPART: &str = "$multipart";
/// The key for bytes in a response's body.
const BYTES: &str = "$bytes";

impl Fixture {
    /// Reads one fixture.
    pub fn read(vendor: &str, name: &str) -> Self {
        let path = root().join(vendor).join(format!("{name}.json"));
        let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The names of all fixtures of a vendor, sorted.
    pub fn names(vendor: &str) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(root().join(vendor))
            .expect("fixtures")
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
            .map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// The response's body as it is pinned.
    fn body_to_pin(&self, answer: &Answer) -> Value {
        if self.response.body.get(BYTES).is_some() {
            return json!({ BYTES: answer.body.len() });
        }
        serde_json::from_slice(&answer.body)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&answer.body).into_owned()))
    }

    /// The response to pin, volatile values replaced by their names; `None` if it is exactly the documented one with what
    /// the fixture says is added to it, which then pins it.
    pub fn pinned(&self, answer: &Answer) -> Option<Value> {
        let (mut documented, mut body) = (self.response.body.clone(), self.body_to_pin(answer));
        for (path, value) in &self.response.added {
            add(&mut documented, path, value).unwrap_or_else(|error| panic!("{}: {error}", self.operation));
        }
        for path in &self.volatile {
            redact(&mut documented, path);
            redact(&mut body, path);
        }
        (body != documented).then_some(body)
    }

    /// Asserts that the response has everything the documented one has: status, members, types, and all values that are
    /// not volatile. A response may have more members.
    pub fn assert_covers(&self, answer: &Answer) {
        assert_eq!(answer.status.as_u16(), self.response.status, "status of {}: {:?}", self.operation, answer.body);
        if self.response.body.is_null() {
            return;
        }
        let (mut wanted, mut found) = (self.response.body.clone(), self.body_to_pin(answer));
        for path in &self.volatile {
            redact(&mut wanted, path);
            redact(&mut found, path);
        }
        if let Err(Unlike(difference)) = covers(&wanted, &found, "body") {
            panic!("{}: {difference}\nwanted: {wanted:#}\nfound: {found:#}", self.operation);
        }
    }
}

/// The folder of all fixtures.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures")
}

/// Adds a member at a dotted path, whose parts before the last must exist.
fn add(value: &mut Value, path: &str, member: &Value) -> Result<(), String> {
    let (parents, name) = path.rsplit_once('.').map_or((None, path), |(parents, name)| (Some(parents), name));
    let pointer = parents.map(|parents| format!("/{}", parents.replace('.', "/"))).unwrap_or_default();
    let parent = value.pointer_mut(&pointer).and_then(Value::as_object_mut);
    let parent = parent.ok_or_else(|| format!("no object has the added member {path}"))?;
    match parent.insert(name.to_owned(), member.clone()) {
        None => Ok(()),
        Some(_) => Err(format!("the added member {path} is documented")),
    }
}

/// Replaces the value at this path by the path's name.
pub fn redact(value: &mut Value, path: &str) {
    fn walk(value: &mut Value, parts: &[&str], name: &str) {
        let Some((first, rest)) = parts.split_first() else {
            *value = Value::String(format!("[{name}]"));
            return;
        };
        match value {
            Value::Array(items) if *first == "*" => items.iter_mut().for_each(|item| walk(item, rest, name)),
            Value::Object(members) if *first == "*" => members.values_mut().for_each(|member| walk(member, rest, name)),
            Value::Array(items) => {
                if let Some(item) = first.parse::<usize>().ok().and_then(|index| items.get_mut(index)) {
                    walk(item, rest, name);
                }
            }
            Value::Object(members) => {
                if let Some(member) = members.get_mut(*first) {
                    walk(member, rest, name);
                }
            }
            _ => {}
        }
    }
    let parts: Vec<&str> = path.split('.').collect();
    let name = (*parts.iter().rev().find(|part| **part != "*").unwrap_or(&"value")).to_owned();
    walk(value, &parts, &name);
}

/// Where a value differs from the expected one, and how.
#[derive(Debug)]
pub struct Unlike(pub String);

/// Whether `found` has everything `wanted` has.
pub fn covers(wanted: &Value, found: &Value, at: &str) -> Result<(), Unlike> {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => {
            for (name, value) in wanted {
                let there = found.get(name).ok_or_else(|| Unlike(format!("{at}.{name} is missing")))?;
                covers(value, there, &format!("{at}.{name}"))?;
            }
            Ok(())
        }
        (Value::Array(wanted), Value::Array(found)) => {
            if wanted.len() != found.len() {
                return Err(Unlike(format!("{at} has {} items, not {}", found.len(), wanted.len())));
            }
            for (index, (wanted, found)) in wanted.iter().zip(found).enumerate() {
                covers(wanted, found, &format!("{at}.{index}"))?;
            }
            Ok(())
        }
        _ if wanted == found => Ok(()),
        _ => Err(Unlike(format!("{at} is {found}, not {wanted}"))),
    }
}
