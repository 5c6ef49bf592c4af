//! Settings from environment variables: `CONCLAVE_` and the key's path in upper case, joined with `_`.
//!
//! `listen` is `CONCLAVE_LISTEN`, `limits.body_bytes` is `CONCLAVE_LIMITS_BODY_BYTES`, and `realm.dev.limits.groups` is
//! `CONCLAVE_REALM_DEV_LIMITS_GROUPS`; other characters of a realm's name are replaced by `_`. Lists are
//! comma-separated. An unknown variable is an error, like an unknown key.

use toml::{Table, Value};

use crate::vendors::Vendors;

use super::ConfigError;
use super::reference::{Key, keys};
use super::shape::closest;

/// The prefix of all variables.
const PREFIX: &str = "CONCLAVE_";

/// A variable that sets a key, with the value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Override {
    pub(super) variable: String,
    /// The key, from the top of the file.
    pub(super) path: Vec<String>,
    pub(super) value: Value,
}

/// The overrides in the environment, in the order of the variables' names.
///
/// `realms` are the names of the realms in the file.
pub(super) fn overrides(
    vendors: &Vendors,
    environment: impl IntoIterator<Item = (String, String)>,
    realms: &[String],
) -> Result<Vec<Override>, ConfigError> {
    let keys = keys(vendors);
    let mut found = Vec::new();
    for (variable, text) in environment {
        let Some(name) = variable.strip_prefix(PREFIX) else { continue };
        // the command line reads this one itself
        if name == "CONFIG" {
            continue;
        }
        let Some((key, path)) = keys.iter().find_map(|key| Some((key, place(key, name, realms)?))) else {
            if is_of_kubernetes(name, &text) {
                continue;
            }
            return Err(unknown(&keys, &variable, realms));
        };
        let value = value(key, &text).ok_or_else(|| {
            // a realm's values may be secrets
            let shown = if path[0] == "realm" { "something else".to_owned() } else { format!("{text:?}") };
            ConfigError(format!("the environment variable {variable} must be {}, not {shown}", wanted(key)))
        })?;
        found.push(Override { variable, path, value });
    }
    found.sort_by(|a, b| a.variable.cmp(&b.variable));
    Ok(found)
}

/// The values that a key accepts, as in variables.
fn wanted(key: &Key) -> String {
    match key.takes() {
        "a list" => "a list with commas, e.g. one,two".to_owned(),
        "text" => "text".to_owned(),
        _ => key.wanted(),
    }
}

/// The error for a variable that names no setting, with the most similar one.
fn unknown(keys: &[Key], variable: &str, realms: &[String]) -> ConfigError {
    let development = ["dev".to_owned()];
    let realms = if realms.is_empty() { &development[..] } else { realms };
    let known: Vec<String> =
        keys.iter().flat_map(|key| realms.iter().map(|realm| variable_of_realm(&key.path, realm))).collect();
    let meant = closest(variable, known.iter().map(String::as_str), strsim::normalized_damerau_levenshtein, 0.75);
    let hint = match meant {
        Some(meant) => format!("did you mean {meant}?"),
        None => "unset it, or look its name up in docs/configuration.md".to_owned(),
    };
    ConfigError(format!("the environment variable {variable} names no setting: {hint}"))
}

/// Whether Kubernetes sets such a variable in every container for a service whose name begins with `conclave`, where
/// `name` is the part after the prefix: `SERVICE_HOST`, `ADMIN_SERVICE_PORT_HTTP`, `PORT`, `ADMIN_PORT_8080_TCP_ADDR`.
fn is_of_kubernetes(name: &str, value: &str) -> bool {
    let name = format!("_{name}");
    if name.ends_with("_SERVICE_HOST") || name.ends_with("_SERVICE_PORT") || name.contains("_SERVICE_PORT_") {
        return true;
    }
    let is_url = ["tcp://", "udp://", "sctp://"].iter().any(|scheme| value.starts_with(scheme));
    if name.ends_with("_PORT") && is_url {
        return true;
    }
    let Some((_, port)) = name.rsplit_once("_PORT_") else { return false };
    let mut parts = port.split('_');
    let is_number = parts.next().is_some_and(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    is_number
        && parts.next().is_some_and(|part| matches!(part, "TCP" | "UDP" | "SCTP"))
        && parts.next().is_none_or(|part| matches!(part, "ADDR" | "PORT" | "PROTO"))
}

/// The path that a variable's name sets, if it matches this key.
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

/// A name as in variables.
pub(super) fn spelled(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

/// The variable that sets a key.
pub(super) fn variable(path: &[&str]) -> String {
    let parts: Vec<String> =
        path.iter().map(|part| if part.starts_with('<') { part.to_uppercase() } else { spelled(part) }).collect();
    format!("{PREFIX}{}", parts.join("_"))
}

/// The variable that sets a key of this realm.
pub(super) fn variable_of_realm(path: &[&str], realm: &str) -> String {
    let parts: Vec<String> =
        path.iter().map(|part| spelled(if part.starts_with('<') { realm } else { part })).collect();
    format!("{PREFIX}{}", parts.join("_"))
}

/// The text as a value of the key's type.
fn value(key: &Key, text: &str) -> Option<Value> {
    let number = |text: &str| text.replace('_', "").parse().ok().map(Value::Integer);
    let kind = key.plain_kind();
    match kind {
        "bool" => text.parse().ok().map(Value::Boolean),
        "i32" | "i64" => number(text),
        "u8" | "u16" | "u32" | "u64" | "usize" => number(text).filter(|value| value.as_integer() >= Some(0)),
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

/// Sets a key in a table, creating the tables above it.
pub(super) fn set(table: &mut Table, path: &[String], value: Value) {
    let Some((first, rest)) = path.split_first() else { return };
    if rest.is_empty() {
        table.insert(first.clone(), value);
        return;
    }
    let below = table.entry(first.clone()).or_insert_with(|| Value::Table(Table::new()));
    // a value in the way is not a table; parsing the whole reports it
    if let Value::Table(below) = below {
        set(below, rest, value);
    }
}
