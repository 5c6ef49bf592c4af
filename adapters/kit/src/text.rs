//! Small readings of paths and queries.

use std::collections::HashSet;

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// A part of a path, percent-decoded; `None` when it is not UTF-8.
pub fn decode_segment(segment: &str) -> Option<String> {
    if !has(segment, b'%') {
        return Some(segment.to_owned());
    }
    percent_decode_str(segment).decode_utf8().ok().map(Cow::into_owned)
}

/// The pairs of a query, decoded, in order; `+` is a space. What is not UTF-8 is replaced.
pub fn query_pairs(query: &str) -> Vec<(String, String)> {
    query_texts(query).map(|(key, value)| (key.into_owned(), value.into_owned())).collect()
}

/// The same pairs, one after the other; what needs no decoding is not copied.
pub fn query_texts(query: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode_plus(key), decode_plus(value))
    })
}

/// Whether a text has this ASCII character. Looks at all bytes, many at a time.
fn has(text: &str, character: u8) -> bool {
    text.bytes().fold(0, |found, byte| found | u8::from(byte == character)) != 0
}

fn decode_plus(text: &str) -> Cow<'_, str> {
    // most texts need no decoding, and signatures are long
    match (has(text, b'+'), has(text, b'%')) {
        (false, false) => Cow::Borrowed(text),
        (false, true) => percent_decode_str(text).decode_utf8_lossy(),
        (true, _) => percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned().into(),
    }
}

/// The characters that a form does not escape; a space becomes `+`.
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'*').remove(b'-').remove(b'.').remove(b'_').remove(b' ');

/// Pairs as a form's body: the reverse of [`query_pairs`].
pub fn form_body(pairs: &[(&str, String)]) -> String {
    let escaped = |text: &str| utf8_percent_encode(text, FORM).to_string().replace(' ', "+");
    let pairs = pairs.iter().map(|(key, value)| format!("{}={}", escaped(key), escaped(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// The parts of a comma list, empty ones left out, each once, in order.
pub fn split_list(text: &str) -> Vec<String> {
    /// Up to so many, comparing texts is faster than hashing one.
    const FEW: usize = 16;
    let mut list: Vec<&str> = Vec::new();
    let mut seen: HashSet<&str> = HashSet::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        if list.len() < FEW {
            if list.contains(&part) {
                continue;
            }
        } else {
            if seen.is_empty() {
                seen.extend(list.iter().copied());
            }
            if !seen.insert(part) {
                continue;
            }
        }
        list.push(part);
    }
    list.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_a_list_comes_once_in_order() {
        assert_eq!(split_list(" b,a,,b , a ,\u{e9}"), ["b", "a", "\u{e9}"]);
        let numbers: Vec<String> = (0..100).map(|number| number.to_string()).collect();
        let twice = [numbers.join(","), numbers.join(" , ")].join(",");
        assert_eq!(split_list(&twice), numbers);
        assert_eq!(split_list(" , ,"), [""; 0]);
    }

    #[test]
    fn what_is_encoded_is_decoded_in_any_place() {
        for text in ["a+b", "+", "%20", "a%2Bb", "plain", "", "\u{e9}+%C3%A9", "12345678901234567890123456789012+"] {
            let pairs = query_pairs(&format!("k={text}"));
            let spaced = text.replace('+', " ");
            let expected = percent_decode_str(&spaced).decode_utf8_lossy();
            assert_eq!(pairs, [("k".to_owned(), expected.into_owned())]);
            assert_eq!(decode_segment(text), percent_decode_str(text).decode_utf8().ok().map(Cow::into_owned));
        }
        assert_eq!(decode_segment("%ff"), None);
    }

    #[test]
    fn forms_are_read_as_they_were_written() {
        let pairs = [("content", "{\"content\":\"hi + ü & =%\"}".to_owned()), ("empty", String::new())];
        let body = form_body(&pairs);
        assert_eq!(body, "content=%7B%22content%22%3A%22hi+%2B+%C3%BC+%26+%3D%25%22%7D&empty=");
        assert_eq!(query_pairs(&body), pairs.map(|(key, value)| (key.to_owned(), value)));
    }
}
