//! Why a body was refused, in the words of the API: no parser's and no type's.

use serde::de::{DeserializeOwned, IgnoredAny};
use serde_path_to_error::Track;

/// A JSON body as this type, or why it is none.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    if let Err(error) = serde_json::from_slice::<IgnoredAny>(body) {
        let (line, column) = (error.line(), error.column());
        return Err(format!("the body is not JSON: line {line}, column {column}"));
    }
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    if first != Some(&b'{') {
        // types accept lists of their fields, too
        return Err("the body must be an object".to_owned());
    }
    let mut track = Track::new();
    let mut reader = serde_json::Deserializer::from_slice(body);
    T::deserialize(serde_path_to_error::Deserializer::new(&mut reader, &mut track))
        .map_err(|error| plain(&error.to_string(), &track.path().to_string()))
}

/// A parser's message about the value at a path, as a sentence. A path of "." is the whole value.
pub(super) fn plain(message: &str, path: &str) -> String {
    let at = if path == "." || path.is_empty() { "the body" } else { path };
    let quoted = || message.split('`').skip(1).step_by(2).map(str::to_owned);
    let first = quoted().next().unwrap_or_default();
    let within = |name: &str| match path.rsplit_once('.') {
        Some((parent, last)) if last == name && !parent.is_empty() => path.to_owned(),
        _ if path == name || path == "." || path.is_empty() => name.to_owned(),
        _ => format!("{path}.{name}"),
    };
    let others = || quoted().skip(1).collect::<Vec<_>>().join(", ");
    if message.starts_with("unknown field") {
        return match others() {
            none if none.is_empty() => format!("there is no field {}", within(&first)),
            known => format!("there is no field {}: there are {known}", within(&first)),
        };
    }
    if message.starts_with("missing field") {
        return format!("{} is missing", within(&first));
    }
    if message.starts_with("duplicate field") {
        return format!("{} is given twice", within(&first));
    }
    if message.starts_with("unknown variant") {
        return format!("{at} must be one of {}, not {first}", others());
    }
    match message.split_once("expected ").and_then(|(_, wanted)| kind(wanted)) {
        Some(kind) => format!("{at} must be {kind}"),
        None => format!("{at} is not accepted"),
    }
}

/// What a parser expects, as a kind of value.
fn kind(wanted: &str) -> Option<&'static str> {
    let word = wanted.split([' ', ',']).next().unwrap_or_default();
    Some(match word {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number of at least 0",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "struct" => "an object",
        "a" | "an" => {
            let kinds = [
                ("a string", "a text"),
                ("a borrowed string", "a text"),
                ("a boolean", "true or false"),
                ("a sequence", "a list"),
                ("a map", "an object"),
            ];
            return kinds.into_iter().find(|(begin, _)| wanted.starts_with(begin)).map(|(_, kind)| kind);
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only whether they are accepted matters")]
    struct Outer {
        name: Option<String>,
        #[serde(default)]
        inner: BTreeMap<String, Inner>,
        kind: Option<Kind>,
        list: Option<Vec<u64>>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only whether they are accepted matters")]
    struct Inner {
        count: usize,
        share: Option<f64>,
        on: Option<bool>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        Call,
        Push,
    }

    #[test]
    fn refusals_name_the_field_and_what_it_takes() {
        for (body, why) in [
            ("", "the body is not JSON: line 1, column 0"),
            ("{", "the body is not JSON: line 1, column 1"),
            ("[]", "the body must be an object"),
            ("null", "the body must be an object"),
            (r#"{"name":5}"#, "name must be a text"),
            (r#"{"nme":"x"}"#, "there is no field nme: there are name, inner, kind, list"),
            (r#"{"name":"x","name":"y"}"#, "name is given twice"),
            (r#"{"inner":[]}"#, "inner must be an object"),
            (r#"{"inner":{"a":{}}}"#, "inner.a.count is missing"),
            (r#"{"inner":{"a":{"count":-1}}}"#, "inner.a.count must be a whole number of at least 0"),
            (r#"{"inner":{"a":{"count":"1"}}}"#, "inner.a.count must be a whole number of at least 0"),
            (r#"{"inner":{"a":{"count":1,"share":"x"}}}"#, "inner.a.share must be a number"),
            (r#"{"inner":{"a":{"count":1,"on":0}}}"#, "inner.a.on must be true or false"),
            (r#"{"inner":{"a":{"count":1,"of":0}}}"#, "there is no field inner.a.of: there are count, share, on"),
            (r#"{"kind":"pull"}"#, "kind must be one of call, push, not pull"),
            (r#"{"list":5}"#, "list must be a list"),
            (r#"{"list":[1,"x"]}"#, "list[1] must be a whole number of at least 0"),
        ] {
            assert_eq!(read::<Outer>(body.as_bytes()).map(|_| ()), Err(why.to_owned()), "{body}");
        }
    }
}
