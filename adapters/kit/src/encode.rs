//! JSON of a bounded length.

mod json;

use serde::Serialize;
use serde::ser::Error as _;

use json::JsonWriter;

/// Why a value was not encoded.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// Its JSON is longer than the limit. No more than the limit was kept in memory.
    #[error("the JSON is longer than the limit")]
    TooLarge,
    /// It has no JSON form.
    #[error(transparent)]
    Invalid(serde_json::Error),
}

/// Appends a value as JSON, as long as `out` has `most` bytes at most afterwards; otherwise `out` stays as it was.
pub fn append_json(out: &mut Vec<u8>, value: &(impl Serialize + ?Sized), most: usize) -> Result<(), EncodeError> {
    let length = out.len();
    let Err(error) = value.serialize(&mut JsonWriter { out, most }) else { return Ok(()) };
    out.truncate(length);
    Err(match error.0 {
        None => EncodeError::TooLarge,
        Some(reason) => EncodeError::Invalid(serde_json::Error::custom(reason)),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// A list that is encoded while it is iterated over.
    struct Endless<I>(RefCell<I>);

    impl<I: Iterator<Item = String>> Serialize for Endless<I> {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_seq(&mut *self.0.borrow_mut())
        }
    }

    #[test]
    fn encoding_ends_at_the_limit() {
        let mut out = b"[".to_vec();
        append_json(&mut out, "abc", 6).unwrap();
        assert_eq!(out, b"[\"abc\"");
        assert!(matches!(append_json(&mut out, "d", 8), Err(EncodeError::TooLarge)));
        assert_eq!(out, b"[\"abc\"", "what was there before stays");
        // a list whose end is never reached: it is not collected first
        let list = Endless(RefCell::new(std::iter::repeat_n("x".repeat(1024), usize::MAX)));
        let mut out = Vec::new();
        assert!(matches!(append_json(&mut out, &list, 1 << 20), Err(EncodeError::TooLarge)));
        assert!(out.capacity() <= 4 << 20);
    }

    #[test]
    fn every_limit_below_the_length_is_kept() {
        let value = json!({"a\n": [1, -2, true, null, "x\u{1}y"], "b": {"c": "plain text of some length"}});
        let whole = serde_json::to_vec(&value).unwrap();
        for most in 0..whole.len() {
            let mut out = Vec::new();
            assert!(matches!(append_json(&mut out, &value, most), Err(EncodeError::TooLarge)), "{most}");
            assert!(out.is_empty() && out.capacity() <= 2 * whole.len());
        }
        let mut out = Vec::new();
        append_json(&mut out, &value, whole.len()).unwrap();
        assert_eq!(out, whole);
    }

    /// The JSON of a value, which is as `serde_json` writes it, or refused by both.
    fn encoded(value: &(impl Serialize + ?Sized)) -> Option<String> {
        let mut out = Vec::new();
        let done = append_json(&mut out, value, usize::MAX);
        let expected = serde_json::to_string(value);
        assert_eq!(done.is_ok(), expected.is_ok());
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, expected.as_deref().unwrap_or_default());
        expected.ok()
    }

    #[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
    enum Variant {
        Unit,
        Newtype(u8),
        Tuple(i8, char),
        Struct { a: bool, b: Option<()> },
    }

    #[derive(Serialize)]
    struct Outer<'a> {
        #[serde(rename = "quoted \" name")]
        quoted: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        missing: Option<u8>,
        #[serde(flatten)]
        inner: Inner,
        list: (Unit, Newtype, Variant, Variant, Variant, Variant),
    }

    #[derive(Serialize)]
    struct Inner {
        numbers: (u8, u16, u32, u64, u128, i8, i16, i32, i64, i128),
        floats: (f32, f64, f64, f64, f64),
        names: BTreeMap<i64, BTreeMap<char, Vec<()>>>,
        flags: BTreeMap<bool, BTreeMap<String, [u8; 0]>>,
    }

    #[derive(Serialize)]
    struct Unit;

    #[derive(Serialize)]
    struct Newtype(&'static str);

    /// Is written as it is displayed.
    struct Shown;

    impl Serialize for Shown {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_str(&format_args!("a \"{}\" {}", 1, "\t"))
        }
    }

    #[test]
    fn all_kinds_of_values_are_written_as_serde_json_does() {
        let inner = Inner {
            numbers: (
                u8::MAX,
                u16::MAX,
                u32::MAX,
                u64::MAX,
                u128::MAX,
                i8::MIN,
                i16::MIN,
                i32::MIN,
                i64::MIN,
                i128::MIN,
            ),
            floats: (0.1, 1.0, -1e300, f64::NAN, f64::INFINITY),
            names: [(-1, [('"', vec![()])].into()), (7, BTreeMap::new())].into(),
            flags: [(true, [("\\".to_owned(), [])].into())].into(),
        };
        let list = (
            Unit,
            Newtype("n"),
            Variant::Unit,
            Variant::Newtype(1),
            Variant::Tuple(-1, '\u{1f}'),
            Variant::Struct { a: true, b: Some(()) },
        );
        parses(encoded(&Outer { quoted: "\u{7f}\u{e9}/", missing: None, inner, list }));
        parses(encoded(&(Shown, [(); 0], "", 'x', 0_u64, [0.5_f32])));
        parses(encoded(&BTreeMap::from([(Variant::Unit, 1)])));
        for refused in [Variant::Newtype(1), Variant::Tuple(1, 'a'), Variant::Struct { a: true, b: None }] {
            assert_eq!(encoded(&BTreeMap::from([(refused, 1)])), None);
        }
        assert_eq!(encoded(&BTreeMap::from([((), 1)])), None);
        assert_eq!(encoded(&BTreeMap::from([(vec![1], 1)])), None);
    }

    fn parses(text: Option<String>) {
        assert!(text.is_some_and(|text| serde_json::from_str::<Value>(&text).is_ok()));
    }

    #[test]
    fn every_byte_is_escaped_as_serde_json_does_wherever_it_is() {
        for code in 0..=0x100_u32 {
            let letter = char::from_u32(code).unwrap();
            for before in 0..9 {
                for after in [0, 1, 8] {
                    encoded(&format!("{}{letter}{}", "a".repeat(before), "\u{e9}".repeat(after)));
                }
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_written_as_serde_json_does(text in any::<String>(), number in any::<i64>(), float in any::<f64>()) {
            encoded(&json!({text.clone(): [text, number, float]}));
        }
    }
}
