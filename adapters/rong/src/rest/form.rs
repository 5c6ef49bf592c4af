//! Form bodies, parsed as leniently as the vendor's own clients write them.
//!
//! Seen on the wire: `%20` and `+` for a space, and bare spaces; raw UTF-8; brackets, colons, slashes, braces and
//! quotes unescaped; lists as repeated keys or as one value with commas; `group[<id>]` as a key; empty bodies. Parsing
//! a form never fails: invalid escapes are kept as text, and invalid UTF-8 is replaced. JSON objects are read too,
//! though the vendor documents forms only.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use conclave_kit::{Unread, query_pairs, split_list};
use serde_json::{Map, Value};

/// The fields of a request, in the order sent. A clone shares the record of which fields were read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Form(Arc<[Field]>);

#[derive(Debug)]
struct Field {
    name: String,
    value: String,
    /// Whether a handler has read it.
    read: AtomicBool,
}

impl Form {
    /// Parses a body.
    pub(crate) fn parse(body: &[u8]) -> Self {
        Self::of(query_pairs(&String::from_utf8_lossy(body)))
    }

    /// Reads a JSON object as the same fields: an array is a list, an object is its JSON text. `None` when it is not an
    /// object.
    pub(crate) fn parse_json(body: &[u8]) -> Option<Self> {
        let object: Map<String, Value> = serde_json::from_slice(body).ok()?;
        let mut fields = Vec::new();
        for (key, value) in object {
            match value {
                Value::Array(values) => fields.extend(values.into_iter().map(|value| (key.clone(), plain(value)))),
                Value::Null => {}
                value => fields.push((key, plain(value))),
            }
        }
        Some(Self::of(fields))
    }

    fn of(pairs: Vec<(String, String)>) -> Self {
        let field = |(name, value)| Field { name, value, read: AtomicBool::new(false) };
        Self(pairs.into_iter().map(field).collect())
    }

    /// The values of all fields of this name, in order.
    fn values<'f>(&'f self, name: &str) -> impl Iterator<Item = &'f str> {
        let named = self.0.iter().filter(move |field| field.name == name);
        named.map(|field| {
            field.read.store(true, Ordering::Relaxed);
            field.value.as_str()
        })
    }

    /// The fields that no handler read.
    pub(crate) fn unread(&self) -> Unread {
        let unread = self.0.iter().filter(|field| !field.read.load(Ordering::Relaxed));
        Unread::of(unread.map(|field| field.name.as_str()))
    }

    /// A field's first value, which may be empty.
    pub(crate) fn value(&self, key: &str) -> Option<&str> {
        // marks all occurrences as read, although only the first counts
        self.values(key).fold(None, |first, value| first.or(Some(value)))
    }

    /// A field's first value, unless it is empty.
    pub(crate) fn given(&self, key: &str) -> Option<&str> {
        self.value(key).filter(|value| !value.is_empty())
    }

    /// All values of a list without duplicates, in order: keys may repeat, values may contain commas.
    pub(crate) fn list(&self, key: &str) -> Vec<String> {
        let values: Vec<&str> = self.values(key).collect();
        split_list(&values.join(","))
    }

    /// The pairs written as `<name>[<key>]=<value>`, in order; the last value of a repeated key counts.
    pub(crate) fn keyed(&self, name: &str) -> Vec<(String, String)> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        let mut places: HashMap<&str, usize> = HashMap::new();
        for Field { name: key, value, read } in self.0.iter() {
            let inner =
                key.strip_prefix(name).and_then(|rest| rest.strip_prefix('[')).and_then(|rest| rest.strip_suffix(']'));
            let Some(inner) = inner else { continue };
            read.store(true, Ordering::Relaxed);
            if let Some(place) = places.get(inner) {
                pairs[*place].1.clone_from(value);
            } else {
                places.insert(inner, pairs.len());
                pairs.push((inner.to_owned(), value.clone()));
            }
        }
        pairs
    }
}

/// A JSON value as its form field would be.
fn plain(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spaces_come_in_three_spellings() {
        for body in ["name=a b", "name=a+b", "name=a%20b"] {
            assert_eq!(Form::parse(body.as_bytes()).value("name"), Some("a b"), "{body}");
        }
    }

    #[test]
    fn raw_text_and_unescaped_punctuation_stand_for_themselves() {
        let form = Form::parse("groupName=测试 群&content={\"a\":[1,\"x:/\"]}&push=100%&half=%4".as_bytes());
        assert_eq!(form.value("groupName"), Some("测试 群"));
        assert_eq!(form.value("content"), Some("{\"a\":[1,\"x:/\"]}"));
        assert_eq!(form.value("push"), Some("100%"));
        assert_eq!(form.value("half"), Some("%4"));
    }

    #[test]
    fn lists_are_repeated_keys_or_commas() {
        for body in ["u=a&u=b&x=1&u=c", "u=a,b,c", "u=a%2Cb%2Cc", "u=a,b&u=b,c&u="] {
            assert_eq!(Form::parse(body.as_bytes()).list("u"), ["a", "b", "c"], "{body}");
        }
        assert!(Form::parse(b"u=").list("u").is_empty());
    }

    #[test]
    fn bracketed_keys_are_read_escaped_and_raw() {
        for body in ["userId=1&group[10]=A&group[11]=B", "group%5B10%5D=A&userId=1&group%5B11%5D=B"] {
            let pairs = Form::parse(body.as_bytes()).keyed("group");
            assert_eq!(pairs, [("10".to_owned(), "A".to_owned()), ("11".to_owned(), "B".to_owned())], "{body}");
        }
        assert!(Form::parse(b"group[=A&group=B&groups[1]=C&group]=D").keyed("group").is_empty());
    }

    #[test]
    fn json_objects_carry_the_same_fields() {
        let form = Form::parse_json(br#"{"userId":["a","b"],"n":5,"groupProfile":{"name":"x"},"no":null}"#);
        let form = form.unwrap_or_default();
        assert_eq!(form.list("userId"), ["a", "b"]);
        assert_eq!(form.value("n"), Some("5"));
        assert_eq!(form.value("groupProfile"), Some(r#"{"name":"x"}"#));
        assert_eq!(form.value("no"), None);
        for body in ["[]", "{", "", "\u{7f}"] {
            assert!(Form::parse_json(body.as_bytes()).is_none(), "{body}");
        }
    }

    #[test]
    fn what_nobody_looks_at_is_known() {
        let form = Form::parse(b"a=1&b=2&a=3&group[1]=x&group[2]=y&c=4&d=5&c=6");
        let copy = form.clone();
        let _ = (copy.value("a"), copy.list("b"), copy.keyed("group"), copy.given("nothing"));
        assert_eq!(form.unread().names(), ["c", "d"]);
    }

    #[test]
    fn an_empty_body_has_no_fields() {
        assert!(Form::parse(b"").0.is_empty());
        assert!(Form::parse(b"&&").0.is_empty());
        assert_eq!(Form::parse(b"a").value("a"), Some(""));
        assert_eq!(Form::parse(b"a").given("a"), None);
    }

    #[test]
    fn what_is_not_utf8_is_replaced() {
        assert_eq!(Form::parse(b"a=\xff&b=%ff").value("a"), Some("\u{fffd}"));
        assert_eq!(Form::parse(b"a=\xff&b=%ff").value("b"), Some("\u{fffd}"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(body in proptest::collection::vec(any::<u8>(), 0..400)) {
            let form = Form::parse(&body);
            let _ = (form.list("a"), form.keyed("group"), form.given(""));
        }

        #[test]
        fn what_is_escaped_comes_back(value in "\\PC{0,40}") {
            let escaped = percent_encoding::utf8_percent_encode(&value, percent_encoding::NON_ALPHANUMERIC);
            let form = Form::parse(format!("x=1&k={escaped}").as_bytes());
            prop_assert_eq!(form.value("k"), Some(value.as_str()));
        }
    }
}
