//! Checks a file's keys and values against the reference, so that errors name the line, the key, and the accepted
//! values.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::vendors::Vendors;

use super::ConfigError;
use super::address::Address;
use super::reference::{Key, keys};

/// The placeholder for a realm's name in a key's path.
const WILDCARD: &str = "<name>";

/// Refuses keys that do not exist and values of the wrong type. Values of realms are never shown: they may be secrets.
/// A text that is not TOML passes: its parser has the better message.
pub(super) fn check(vendors: &Vendors, text: &str) -> Result<(), ConfigError> {
    let Ok(table) = DeTable::parse(text) else { return Ok(()) };
    let walk = Walk { keys: keys(vendors), text };
    walk.table(table.get_ref(), &mut Vec::new())
}

/// The same for the sections of one realm, which are from no file: errors name the keys below the realm.
pub(crate) fn check_realm_keys(vendors: &Vendors, realm: toml::Table) -> Result<(), ConfigError> {
    /// A placeholder of the realm's name in the text that is checked.
    const NAME: &str = "new";
    let file = toml::Table::from_iter([(
        "realm".to_owned(),
        toml::Table::from_iter([(NAME.to_owned(), realm.into())]).into(),
    )]);
    check(vendors, &file.to_string()).map_err(|ConfigError(why)| {
        let why = why.split_once(": ").map_or(why.as_str(), |(_line, why)| why);
        ConfigError(why.replace(&format!("realm.{NAME}."), ""))
    })
}

struct Walk<'t> {
    keys: Vec<Key>,
    text: &'t str,
}

impl Walk<'_> {
    fn table(&self, table: &DeTable<'_>, path: &mut Vec<String>) -> Result<(), ConfigError> {
        for (name, value) in table {
            path.push(name.get_ref().to_string());
            self.entry(name.span().start, value, path)?;
            path.pop();
        }
        Ok(())
    }

    fn entry(&self, at: usize, value: &Spanned<DeValue<'_>>, path: &mut Vec<String>) -> Result<(), ConfigError> {
        let below: Vec<&Key> = self.keys.iter().filter(|key| leads_to(path, key)).collect();
        if let Some(key) = below.iter().find(|key| key.path.len() == path.len()) {
            return match key.misfit(value.get_ref()) {
                None => Ok(()),
                Some(given) => {
                    let shown = if path[0] == "realm" { kind_of(value.get_ref()).to_owned() } else { given };
                    let wanted = key.wanted();
                    self.refuse(value.span().start, &format!("{} must be {wanted}, not {shown}", path.join(".")))
                }
            };
        }
        match value.get_ref() {
            _ if below.is_empty() => self.refuse(at, &self.unknown(path)),
            DeValue::Table(table) => self.table(table, path),
            other => {
                let (name, kind) = (path.join("."), kind_of(other));
                self.refuse(value.span().start, &format!("{name} is a table, written as [{name}], not {kind}"))
            }
        }
    }

    /// The error for an unknown key, with the most similar one.
    fn unknown(&self, path: &[String]) -> String {
        let Some((last, parents)) = path.split_last() else { return String::new() };
        let siblings =
            self.keys.iter().filter(|key| leads_to(parents, key)).filter_map(|key| key.path.get(parents.len()));
        let mut siblings: Vec<&str> = siblings.copied().filter(|name| *name != WILDCARD).collect();
        siblings.sort_unstable();
        siblings.dedup();
        let within = |name: &str| [parents, &[name.to_owned()]].concat().join(".");
        match closest(last, siblings.iter().copied(), strsim::jaro_winkler, 0.8) {
            Some(meant) => format!("unknown key {}: did you mean {}?", path.join("."), within(meant)),
            None => format!("unknown key {}: there are {}", path.join("."), siblings.join(", ")),
        }
    }

    fn refuse<T>(&self, at: usize, why: &str) -> Result<T, ConfigError> {
        let line = self.text.get(..at).unwrap_or_default().matches('\n').count() + 1;
        Err(ConfigError(format!("line {line}: {why}")))
    }
}

/// Whether a path is the key's, or its beginning.
fn leads_to(path: &[String], key: &Key) -> bool {
    key.path.len() >= path.len()
        && path.iter().zip(&key.path).all(|(part, wanted)| *wanted == WILDCARD || part == wanted)
}

/// The candidate most similar to the given text, if any is similar enough.
pub(super) fn closest<'c>(
    written: &str,
    candidates: impl Iterator<Item = &'c str>,
    similarity: impl Fn(&str, &str) -> f64,
    least: f64,
) -> Option<&'c str> {
    let scored = candidates.map(|candidate| (similarity(written, candidate), candidate));
    let best = scored.max_by(|(one, _), (other, _)| one.total_cmp(other))?;
    (best.0 >= least).then_some(best.1)
}

fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

impl Key {
    /// The given value, if the key does not accept it.
    fn misfit(&self, value: &DeValue<'_>) -> Option<String> {
        let fits = match (self.plain_kind(), value) {
            (kind, DeValue::Integer(number)) if self.is_number() => {
                let digits = number.as_str().replace('_', "");
                i128::from_str_radix(&digits, number.radix()).is_ok_and(|number| in_range(kind, number))
            }
            ("Address", DeValue::String(text)) => match text.parse::<Address>() {
                Ok(_) => true,
                Err(_) => return Some(format!("{text:?}")),
            },
            ("bool", DeValue::Boolean(_)) | ("String" | "Secret" | "PathBuf", DeValue::String(_)) => true,
            (kind, DeValue::Array(_)) if is_list(kind) => true,
            (kind, DeValue::Table(_)) if kind.starts_with("BTreeMap<") => true,
            // other types describe themselves
            (kind, _) => {
                !(self.is_number()
                    || matches!(kind, "bool" | "Address" | "String" | "Secret" | "PathBuf")
                    || is_list(kind))
            }
        };
        let given = match value {
            DeValue::Integer(number) => number.as_str().to_owned(),
            DeValue::Boolean(value) => value.to_string(),
            other => kind_of(other).to_owned(),
        };
        (!fits).then_some(given)
    }

    /// The accepted values, in words and with an example.
    pub(super) fn wanted(&self) -> String {
        let example = self.default.filter(|default| default.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_'));
        match self.takes() {
            "a whole number" => {
                let least = if self.plain_kind().starts_with('u') { " of at least 0" } else { "" };
                let example = example.filter(|example| *example != "0").unwrap_or("4096").replace('_', "");
                format!("a whole number{least}, e.g. {example}")
            }
            "an address" => format!("an address, e.g. {}", super::address::EXAMPLES),
            "a path" => "a path, e.g. \"/var/lib/conclave\"".to_owned(),
            "a list" => "a list, e.g. [\"one\", \"two\"]".to_owned(),
            "text" => "text in quotes, e.g. \"value\"".to_owned(),
            other => other.to_owned(),
        }
    }

    /// Its type, whether or not it is optional.
    pub(super) fn plain_kind(&self) -> &'static str {
        match self.kind.strip_prefix("Option<") {
            Some(kind) => kind.strip_suffix('>').unwrap_or(kind),
            None => self.kind,
        }
    }

    fn is_number(&self) -> bool {
        matches!(self.plain_kind(), "u8" | "u16" | "u32" | "u64" | "usize" | "i32" | "i64")
    }
}

fn is_list(kind: &str) -> bool {
    kind.starts_with("Vec<") || kind.starts_with("BTreeSet<")
}

fn in_range(kind: &str, number: i128) -> bool {
    match kind {
        "u8" => u8::try_from(number).is_ok(),
        "u16" => u16::try_from(number).is_ok(),
        "u32" => u32::try_from(number).is_ok(),
        "i32" => i32::try_from(number).is_ok(),
        "i64" => i64::try_from(number).is_ok(),
        // TOML has no larger ones
        _ => number >= 0 && i64::try_from(number).is_ok(),
    }
}
