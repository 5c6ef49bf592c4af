//! Reading JSON bodies the way the vendor's clients write them: booleans and numbers may come as texts.

use serde_json::{Map, Value};

use crate::refusals::{self, Failure};

/// A JSON object that came as a body; no body at all is an empty one. Members that are `null` are absent.
pub(crate) struct Fields(pub(crate) Map<String, Value>);

/// The body as JSON; no body at all is an empty object.
pub(crate) fn json(body: &[u8]) -> Result<Value, Failure> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Object(Map::new()));
    }
    serde_json::from_slice(body).map_err(|error| {
        let seen = std::str::from_utf8(body).ok().and_then(|text| {
            let line = text.lines().nth(error.line().saturating_sub(1))?;
            line.get(error.column().saturating_sub(1)..)?.chars().next()
        });
        let (line, column) = (error.line(), error.column());
        refusals::not_json(match seen {
            Some(seen) => {
                format!("Unexpected character ('{seen}' (code {})): line: {line}, column: {column}", u32::from(seen))
            }
            None => format!("Unexpected character (end or no text): line: {line}, column: {column}"),
        })
    })
}

impl Fields {
    pub(crate) fn read(body: &[u8]) -> Result<Self, Failure> {
        match json(body)? {
            Value::Object(map) => Ok(Self::of(map)),
            _ => Err(refusals::not_json("Unexpected character: the body must be a JSON object")),
        }
    }

    pub(crate) fn of(map: Map<String, Value>) -> Self {
        Self(map.into_iter().filter(|(_, value)| !value.is_null()).collect())
    }

    /// The first of these members that is there: a name and its older spellings.
    fn first(&self, names: &[&'static str]) -> Option<(&'static str, &Value)> {
        names.iter().find_map(|name| Some((*name, self.0.get(*name)?)))
    }

    /// A text; numbers are taken as they are spelled.
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

    /// A list of texts, each once.
    pub(crate) fn texts(&self, names: &[&'static str]) -> Result<Option<Vec<String>>, Failure> {
        let Some((name, value)) = self.first(names) else { return Ok(None) };
        let Value::Array(items) = value else { return Err(wrong(name)) };
        let mut texts: Vec<String> = Vec::with_capacity(items.len());
        let mut seen = std::collections::HashSet::new();
        for item in items {
            let text = item.as_str().ok_or_else(|| wrong(name))?;
            if seen.insert(text) {
                texts.push(text.to_owned());
            }
        }
        Ok(Some(texts))
    }
}

/// Ours: a member of the wrong kind.
fn wrong(name: &str) -> Failure {
    refusals::invalid(format!("{name} is not valid"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_json_is_told_and_never_crashes() {
        for body in [&b"x"[..], b"{\"a\":", b"{\"a\":1}}", b"\xff\xfe", "{\"é\": ü}".as_bytes(), b"[1]", b"\"x\""] {
            let failure = Fields::read(body).err().unwrap();
            assert_eq!((failure.status.as_u16(), failure.error), (400, "json_parse"));
            assert!(failure.description.starts_with("Unexpected character"), "{}", failure.description);
        }
        let deep = [b"[".repeat(100_000), b"]".repeat(100_000)].concat();
        assert_eq!(Fields::read(&deep).err().unwrap().error, "json_parse");
        assert!(Fields::read(b" ").unwrap().0.is_empty());
    }

    #[test]
    fn values_may_come_as_texts() {
        let fields = Fields::read(br#"{"n":"200","b":"true","t":5,"l":["a","a","b"],"z":null}"#).unwrap();
        assert_eq!(fields.number(&["n"]).unwrap(), Some(200));
        assert_eq!(fields.flag(&["b"]).unwrap(), Some(true));
        assert_eq!(fields.text(&["t"]).unwrap().as_deref(), Some("5"));
        assert_eq!(fields.texts(&["l"]).unwrap().unwrap(), ["a", "b"]);
        assert_eq!(fields.text(&["z"]).unwrap(), None);
        assert!(fields.number(&["l"]).is_err());
    }
}
