//! The data of a realm as a file: exported, and seeded from one.
//!
//! It is JSON Lines: a first line with the version, then one line for each stored row in the order of the store, then one
//! for each file. The same data gives the same bytes.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use conclave_core::invariants::realm_broken;
use conclave_core::memory::Snapshot;
use conclave_core::model::{Key, KeyPart, Row};
use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::api::{Call, Endpoint, Json, Lines, Nothing};
use super::error::{Code, ControlError};
use super::words;
use crate::blob;
use crate::realms::running::Saved;

/// The version of the file.
const VERSION: u64 = 1;
/// Most bytes of a file.
const BYTES: usize = 256 * 1024 * 1024;
/// Where its schema is served, without the control token.
pub(super) const SCHEMA_PATH: &str = "/seed.schema.json";

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            (Method::GET, "/v1/realms/{realm}/export"),
            "export_realm",
            "Export all data of a realm as JSON Lines, as /seed.schema.json describes.",
            export,
        ),
        Endpoint::new(
            (Method::POST, "/v1/realms/{realm}/seed"),
            "seed_realm",
            "Replace all data of a realm by an exported file.",
            seed,
        )
        .body_bytes(BYTES),
    ]
}

/// One line of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Version(Version),
    Row(RowLine),
    File(FileLine),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Version {
    version: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RowLine {
    table: String,
    key: Map<String, Value>,
    kind: String,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    row: Value,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileLine {
    file: String,
    bytes: String,
}

/// The result of a seed.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Seeded")]
struct Seeded {
    rows: usize,
    files: usize,
    /// Sessions that were disconnected, so that their clients read everything again.
    disconnected: usize,
}

async fn export(call: Call, _: Nothing) -> Result<Lines, ControlError> {
    let saved = call.realm()?.save()?;
    let written = tokio::task::spawn_blocking(move || write(&saved)).await;
    written.map_err(|error| unwritable(&error))?
}

/// The file of these rows and files.
fn write(saved: &Saved) -> Result<Lines, ControlError> {
    let mut out = String::new();
    write_line(&mut out, &Line::Version(Version { version: VERSION }))?;
    for (key, row) in saved.rows.rows() {
        write_line(&mut out, &Line::Row(row_line(key, row)?))?;
    }
    for (file, bytes) in saved.files.all() {
        write_line(&mut out, &Line::File(FileLine { file, bytes: STANDARD.encode(bytes) }))?;
    }
    Ok(Lines(out.into()))
}

fn write_line(out: &mut String, line: &Line) -> Result<(), ControlError> {
    let text = serde_json::to_string(line).map_err(|error| unwritable(&error))?;
    if out.len() + text.len() >= BYTES {
        let message = format!("the realm's data is larger than {BYTES} bytes, more than a seed may have");
        return Err(ControlError::new(Code::TooLarge, message));
    }
    out.push_str(&text);
    out.push('\n');
    Ok(())
}

fn unwritable(why: &dyn std::fmt::Display) -> ControlError {
    tracing::error!(%why, "a row cannot be exported");
    ControlError::new(Code::Internal, "a row cannot be exported: see the gateway's log")
}

fn row_line(key: &[u8], row: &Row) -> Result<RowLine, ControlError> {
    let key = Key::decode(key).ok_or_else(|| unwritable(&"its key is unknown"))?;
    let parts = key.parts().into_iter().map(|(name, part)| {
        let value = match part {
            KeyPart::Text(text) => Value::from(text),
            KeyPart::Number(number) => Value::from(number),
        };
        (name.to_owned(), value)
    });
    let (kind, row) = match serde_json::to_value(row).map_err(|error| unwritable(&error))? {
        Value::String(kind) => (kind, Value::Null),
        Value::Object(fields) => fields.into_iter().next().ok_or_else(|| unwritable(&"it has no kind"))?,
        _ => return Err(unwritable(&"it has no kind")),
    };
    Ok(RowLine { table: snake(key.table()), key: parts.collect(), kind: snake(&kind), row })
}

async fn seed(call: Call, Lines(body): Lines) -> Result<Json<Seeded>, ControlError> {
    let realm = call.realm()?;
    realm.in_memory()?;
    let now = realm.opened.backend.groups.now();
    let read = tokio::task::spawn_blocking(move || {
        let (rows, files) = read(&body)?;
        match realm_broken(&rows, now) {
            Some(broken) => Err(ControlError::new(Code::BadSeed, format!("the rows contradict each other: {broken}"))),
            None => Ok((rows, files)),
        }
    });
    let read = read.await.map_err(|_| ControlError::new(Code::Internal, "the file cannot be read"))?;
    let (rows, files) = read?;
    let (count, file_count) = (rows.len(), files.len());
    let saved = Saved { at: now, rows: Snapshot::of(rows), files: blob::InMemory::of(files) };
    let disconnected = call.control.realms.restore(&realm, &saved).await?;
    Ok(Json(Seeded { rows: count, files: file_count, disconnected }))
}

type Read = (BTreeMap<Vec<u8>, Row>, BTreeMap<String, Vec<u8>>);

/// The rows and files of a file.
fn read(body: &Bytes) -> Result<Read, ControlError> {
    let refuse = |number: usize, why: &dyn std::fmt::Display| {
        ControlError::new(Code::BadSeed, format!("line {number} is not accepted: {why}"))
    };
    let text = std::str::from_utf8(body).map_err(|error| {
        let readable = String::from_utf8_lossy(&body[..error.valid_up_to()]);
        refuse(readable.matches('\n').count() + 1, &"it is not UTF-8")
    })?;
    // an empty file is more likely a failed export than a realm without data
    if !text.lines().next().is_some_and(|line| line.trim_start().starts_with('{')) {
        return Err(refuse(1, &format!("the first line is {{\"version\":{VERSION}}}")));
    }
    let (mut rows, mut files) = (BTreeMap::new(), BTreeMap::new());
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line));
    for (number, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
        let line: Line = serde_json::from_str(line)
            .map_err(|_| refuse(number, &"it is neither a version, a row nor a file; see /seed.schema.json"))?;
        match line {
            Line::Version(Version { version: VERSION }) if number == 1 => {}
            Line::Version(_) => return Err(refuse(number, &format!("the version is {VERSION}, in the first line"))),
            _ if number == 1 => return Err(refuse(number, &format!("the first line is {{\"version\":{VERSION}}}"))),
            Line::Row(line) => {
                let (key, row) = row_of(line).map_err(|why| refuse(number, &why))?;
                if rows.insert(key.encode(), row).is_some() {
                    return Err(refuse(number, &"there is a row with this key already"));
                }
            }
            Line::File(FileLine { file, bytes }) => {
                let bytes = STANDARD.decode(bytes).map_err(|_| refuse(number, &"bytes must be base64"))?;
                files.insert(file, bytes);
            }
        }
    }
    Ok((rows, files))
}

fn row_of(line: RowLine) -> Result<(Key, Row), String> {
    let RowLine { table, mut key, kind, row } = line;
    let known = Key::TABLES.iter().find(|(name, _)| snake(name) == table);
    let (name, parts) = known.ok_or_else(|| format!("there is no table {table}"))?;
    if let Some(unknown) = key.keys().find(|given| !parts.iter().any(|(part, _)| part == given)) {
        return Err(format!("the keys of {table} have no {unknown}"));
    }
    let part = |name: &'static str| match key.remove(name)? {
        Value::String(text) => Some(KeyPart::Text(text)),
        Value::Number(number) => number.as_u64().map(KeyPart::Number),
        _ => None,
    };
    let key = Key::of_parts(name, part).ok_or_else(|| format!("a part of the key of {table} is missing or invalid"))?;
    let tagged =
        if row.is_null() { Value::String(camel(&kind)) } else { Value::Object(Map::from_iter([(camel(&kind), row)])) };
    let row = serde_json::from_value(tagged).map_err(|error: serde_json::Error| {
        format!("the row is no {kind}: {}", words::plain(&error.to_string(), "row"))
    })?;
    Ok((key, row))
}

/// The schema of a line, indented.
pub(super) fn schema() -> &'static str {
    static SCHEMA: OnceLock<String> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let row = |(name, parts): &(&str, &[(&str, bool)])| {
            let of = |is_number: bool| json!({ "type": if is_number { "integer" } else { "string" } });
            let properties: Map<String, Value> =
                parts.iter().map(|(part, is_number)| ((*part).to_owned(), of(*is_number))).collect();
            let required: Vec<&str> = parts.iter().map(|(part, _)| *part).collect();
            json!({
                "type": "object",
                "required": ["table", "key", "kind"],
                "additionalProperties": false,
                "properties": {
                    "table": { "const": snake(name) },
                    "key": {
                        "type": "object",
                        "required": required,
                        "additionalProperties": false,
                        "properties": properties,
                    },
                    "kind": { "type": "string", "description": "The kind of row, such as group or member." },
                    "row": { "description": "The fields of the row, under the names of the core's model. Not given for a mark." },
                },
            })
        };
        let version = json!({
            "type": "object",
            "description": "The first line.",
            "required": ["version"],
            "additionalProperties": false,
            "properties": { "version": { "const": VERSION } },
        });
        let file = json!({
            "type": "object",
            "description": "The bytes of a file.",
            "required": ["file", "bytes"],
            "additionalProperties": false,
            "properties": {
                "file": { "type": "string", "description": "Its id, as rows name it." },
                "bytes": { "type": "string", "contentEncoding": "base64" },
            },
        });
        let lines: Vec<Value> = [version].into_iter().chain(Key::TABLES.iter().map(row)).chain([file]).collect();
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "One line of a realm's exported data",
            "oneOf": lines,
        });
        format!("{schema:#}\n")
    })
}

/// `GroupFeed` as `group_feed`.
fn snake(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.extend(letter.to_lowercase());
    }
    out
}

/// `group_feed` as `GroupFeed`.
fn camel(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default()
    };
    name.split('_').map(word).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for (table, _) in Key::TABLES {
            assert_eq!(camel(&snake(table)), *table);
        }
    }

    #[test]
    fn lines_that_cannot_be_data_are_refused_with_their_number() {
        let refused =
            |text: &str| read(&Bytes::from(text.to_owned())).err().map(|error| error.message).unwrap_or_default();
        let version = "{\"version\":1}\n";
        assert_eq!(read(&Bytes::from(version.to_owned())).unwrap().0.len(), 0);
        for (text, named) in [
            ("{\"table\":\"group\"}", "line 1"),
            ("{\"version\":2}", "version"),
            ("{\"version\":1}\n{\"version\":1}", "line 2"),
            ("{\"version\":1}\n{\"table\":\"nothing\",\"key\":{},\"kind\":\"mark\"}", "no table nothing"),
            ("{\"version\":1}\n{\"table\":\"group\",\"key\":{\"user\":\"u\"},\"kind\":\"mark\"}", "no user"),
            ("{\"version\":1}\n{\"table\":\"group\",\"key\":{\"group\":1},\"kind\":\"mark\"}", "missing or invalid"),
            ("{\"version\":1}\n{\"table\":\"group\",\"key\":{\"group\":\"g\"},\"kind\":\"nothing\"}", "no nothing"),
            ("{\"version\":1}\n{\"file\":\"f\",\"bytes\":\"?\"}", "line 2"),
        ] {
            assert!(refused(text).contains(named), "{text}: {}", refused(text));
        }
    }
}
