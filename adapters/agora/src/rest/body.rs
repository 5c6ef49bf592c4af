//! Reads JSON bodies as the vendor's clients write them: booleans and numbers may be texts.

use conclave_kit::Reading;
use serde_json::{Map, Value};

use crate::refusals::{self, Failure};

/// Longest item of a list of texts, in bytes: they are ids and keys, which are shorter at the vendor. A longer one
/// cannot exist, and would only be echoed.
pub(crate) const NAME_BYTES: usize = 512;

/// A request's body, and the record of the fields that were read.
#[derive(Clone, Copy)]
pub(crate) struct Sent<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) reading: &'a Reading,
}

/// A JSON object from a body; a missing body is an empty one. Members that are `null` are absent.
pub(crate) struct Fields<'a>(Map<String, Value>, &'a Reading);

/// The body as JSON; a missing body is an empty object.
pub(crate) fn json(body: Sent<'_>) -> Result<Value, Failure> {
    let body = body.bytes;
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Object(Map::new()));
    }
    serde_json::from_slice(body).map_err(|error| {
        let seen = std::str::from_utf8(body).ok().and_then(|text| {
            let line = text.lines().nth(error.line().saturating_sub(1))?;
            line.get(error.column().saturating_sub(1)..)?.chars().next()
        });
        refusals::not_json(match seen.filter(|_| !error.is_eof()) {
            Some(seen) => format!("Unexpected character ('{seen}' (code {}))", u32::from(seen)),
            None => "Unexpected character (end of input)".to_owned(),
        })
    })
}

impl<'a> Fields<'a> {
    pub(crate) fn read(body: Sent<'a>) -> Result<Self, Failure> {
        match json(body)? {
            Value::Object(map) => Ok(Self::of(map, body)),
            _ => Err(refusals::not_json("Unexpected character: the body must be a JSON object")),
        }
    }

    /// An object in a body.
    pub(crate) fn of(map: Map<String, Value>, body: Sent<'a>) -> Self {
        for name in map.keys() {
            body.reading.carries(name);
        }
        Self(map.into_iter().filter(|(_, value)| !value.is_null()).collect(), body.reading)
    }

    /// The names of the members.
    pub(crate) fn names(&self) -> impl Iterator<Item = &String> {
        self.0.keys()
    }

    /// All members, whatever their names.
    pub(crate) fn all(&self) -> &Map<String, Value> {
        for name in self.0.keys() {
            self.1.reads(name);
        }
        &self.0
    }

    /// A member of any type.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.1.reads(name);
        self.0.get(name)
    }

    /// The first of these members that is present: a name and its older spellings.
    fn first(&self, names: &[&'static str]) -> Option<(&'static str, &Value)> {
        for name in names {
            self.1.reads(name);
        }
        names.iter().find_map(|name| Some((*name, self.0.get(*name)?)))
    }

    /// A text; a number is converted to its text.
    pub(crate) fn text(&self, names: &[&'static str]) -> Result<Option<String>, Failure> {
        match self.first(names) {
            None => Ok(None),
            Some((_, Value::String(text))) => Ok(Some(text.clone())),
            Some((_, Value::Number(number))) => Ok(Some(number.to_string())),
            Some((name, _)) => Err(wrong(name)),
        }
    }

    pub(crate) fn flag(&self, names: &[&'static str]) -> Result<Option<bool>, Failure> {
        match self.first(names) {
            None => Ok(None),
            Some((_, Value::Bool(flag))) => Ok(Some(*flag)),
            Some((_, Value::String(text))) if text == "true" => Ok(Some(true)),
            Some((_, Value::String(text))) if text == "false" => Ok(Some(false)),
            Some((name, _)) => Err(wrong(name)),
        }
    }

    /// A whole number, not negative.
    pub(crate) fn number(&self, names: &[&'static str]) -> Result<Option<u64>, Failure> {
        match self.first(names) {
            None => Ok(None),
            Some((name, Value::Number(number))) => number.as_u64().map(Some).ok_or_else(|| wrong(name)),
            Some((name, Value::String(text))) => text.trim().parse().map(Some).map_err(|_| wrong(name)),
            Some((name, _)) => Err(wrong(name)),
        }
    }

    /// A list of texts without duplicates.
    pub(crate) fn texts(&self, names: &[&'static str]) -> Result<Option<Vec<String>>, Failure> {
        let Some((name, value)) = self.first(names) else { return Ok(None) };
        let Value::Array(items) = value else { return Err(wrong(name)) };
        let mut texts: Vec<String> = Vec::with_capacity(items.len());
        let mut seen = std::collections::HashSet::new();
        for item in items {
            let text = item.as_str().filter(|text| text.len() <= NAME_BYTES).ok_or_else(|| wrong(name))?;
            if seen.insert(text) {
                texts.push(text.to_owned());
            }
        }
        Ok(Some(texts))
    }
}

/// A member of the wrong type. Our choice: the vendor publishes no error text.
fn wrong(name: &str) -> Failure {
    refusals::invalid(format!("{name} is not valid"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn read<'a>(bytes: &'a [u8], reading: &'a Reading) -> Result<Fields<'a>, Failure> {
        Fields::read(Sent { bytes, reading })
    }

    #[test]
    fn invalid_json_is_refused_and_never_crashes() {
        let reading = Reading::default();
        for body in [&b"x"[..], b"{\"a\":", b"{\"a\":1}}", b"\xff\xfe", "{\"é\": ü}".as_bytes(), b"[1]", b"\"x\""] {
            let failure = read(body, &reading).err().unwrap();
            assert_eq!((failure.status.as_u16(), failure.error), (400, "json_parse"));
            assert!(failure.description.starts_with("Unexpected character"), "{}", failure.description);
        }
        let deep = [b"[".repeat(100_000), b"]".repeat(100_000)].concat();
        assert_eq!(read(&deep, &reading).err().unwrap().error, "json_parse");
        assert!(read(b" ", &reading).unwrap().0.is_empty());
    }

    #[test]
    fn values_may_come_as_texts() {
        let reading = Reading::default();
        let fields = read(br#"{"n":"200","b":"true","t":5,"l":["a","a","b"],"z":null}"#, &reading).unwrap();
        assert_eq!(fields.number(&["n"]).unwrap(), Some(200));
        assert_eq!(fields.flag(&["b"]).unwrap(), Some(true));
        assert_eq!(fields.text(&["t"]).unwrap().as_deref(), Some("5"));
        assert_eq!(fields.texts(&["l"]).unwrap().unwrap(), ["a", "b"]);
        assert_eq!(fields.text(&["z"]).unwrap(), None);
        assert!(fields.number(&["l"]).is_err());
    }
}
