//! The environment's say: `CONCLAVE_` and the key's path in upper case, parts joined with `_`.
//!
//! `listen` is `CONCLAVE_LISTEN`, `limits.body_bytes` is `CONCLAVE_LIMITS_BODY_BYTES`, and
//! `realm.dev.limits.groups` is `CONCLAVE_REALM_DEV_LIMITS_GROUPS`; other characters of a realm's name
//! are `_` there. Lists are given with commas. An unknown variable is an error, like an unknown key.

use toml::{Table, Value};

use crate::vendors::Vendors;

use super::ConfigError;
use super::reference::{Key, keys};

/// What every variable's name begins with.
const PREFIX: &str = "CONCLAVE_";

/// A variable that names a key, with the value it gives.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Override {
    /// The variable.
    pub(super) variable: String,
    /// The key, from the top of the file.
    pub(super) path: Vec<String>,
    /// What it is set to.
    pub(super) value: Value,
}

/// The overrides the environment holds, in the order of the variables' names.
///
/// `realms` are the names of realms the file has.
pub(super) fn overrides(
    vendors: &Vendors,
    environment: impl IntoIterator<Item = (String, String)>,
    realms: &[String],
) -> Result<Vec<Override>, ConfigError> {
    let keys = keys(vendors);
    let mut found = Vec::new();
    for (variable, text) in environment {
        let Some(name) = variable.strip_prefix(PREFIX) else { continue };
        // what a container platform sets for a service of this name, and what the command line reads itself
        if name == "CONFIG" || name.starts_with("SERVICE_") || name == "PORT" || name.starts_with("PORT_") {
            continue;
        }
        let Some((key, path)) = keys.iter().find_map(|key| Some((key, place(key, name, realms)?))) else {
            return Err(ConfigError(format!(
                "the environment variable {variable} names no setting: unset it, or look its name up in docs/configuration.md"
            )));
        };
        let value = value(key, &text).ok_or_else(|| {
            ConfigError(format!("the environment variable {variable} must be {}, not {text:?}", key.takes()))
        })?;
        found.push(Override { variable, path, value });
    }
    found.sort_by(|a, b| a.variable.cmp(&b.variable));
    Ok(found)
}

/// The path a variable's name stands for, when it stands for this key.
fn place(key: &Key, name: &str, realms: &[String]) -> Option<Vec<String>> {
    let Some(wildcard) = key.path.iter().position(|part| *part == "<name>") else {
        return (variable_part(&key.path) == name).then(|| owned(&key.path));
    };
    let (before, after) = (&key.path[..wildcard], &key.path[wildcard + 1..]);
    let realm = name
        .strip_prefix(&variable_part(before))?
        .strip_prefix('_')?
        .strip_suffix(&variable_part(after))?
        .strip_suffix('_')?;
    if realm.is_empty() {
        return None;
    }
    let known = realms.iter().find(|known| spelled(known) == realm);
    let realm = known.cloned().unwrap_or_else(|| realm.to_lowercase());
    Some([owned(before), vec![realm], owned(after)].concat())
}

fn owned(path: &[&str]) -> Vec<String> {
    path.iter().map(|part| (*part).to_owned()).collect()
}

fn variable_part(path: &[&str]) -> String {
    spelled(&path.join("_"))
}

/// A name as variables spell it.
pub(super) fn spelled(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

/// The variable that sets a key.
pub(super) fn variable(path: &[&str]) -> String {
    let parts: Vec<String> =
        path.iter().map(|part| if part.starts_with('<') { part.to_uppercase() } else { spelled(part) }).collect();
    format!("{PREFIX}{}", parts.join("_"))
}

/// The text as a value of the key's type.
fn value(key: &Key, text: &str) -> Option<Value> {
    let number = |text: &str| text.replace('_', "").parse().ok().map(Value::Integer);
    let kind = key.kind.trim_start_matches("Option<").trim_end_matches('>');
    match kind {
        "bool" => text.parse().ok().map(Value::Boolean),
        "u8" | "u16" | "u32" | "u64" | "usize" | "i32" | "i64" => number(text),
        kind if kind.starts_with("Vec<") || kind.starts_with("BTreeSet<") => {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            if ["<u8", "<u16", "<u32", "<u64"].iter().any(|number| kind.ends_with(number)) {
                parts.map(number).collect::<Option<Vec<_>>>().map(Value::Array)
            } else {
                Some(Value::Array(parts.map(|part| Value::String(part.to_owned())).collect()))
            }
        }
        _ => Some(Value::String(text.to_owned())),
    }
}

/// Sets a key in a table, making the tables on the way.
pub(super) fn set(table: &mut Table, path: &[String], value: Value) {
    let Some((first, rest)) = path.split_first() else { return };
    if rest.is_empty() {
        table.insert(first.clone(), value);
        return;
    }
    let below = table.entry(first.clone()).or_insert_with(|| Value::Table(Table::new()));
    // whatever stood in the way is no table; the reading of the whole says so
    if let Value::Table(below) = below {
        set(below, rest, value);
    }
}
