//! The texts before a frame's body, which clients encode unit by unit of UTF-16: a character outside the basic plane
//! arrives as two surrogates of three bytes each (seen on the wire).

/// Decodes such a text. Invalid parts are replaced, never refused: bodies repeat what matters.
pub(crate) fn lenient(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while !rest.is_empty() {
        let (good, bad) = match std::str::from_utf8(rest) {
            Ok(good) => (good, &[][..]),
            Err(error) => {
                let (good, bad) = rest.split_at(error.valid_up_to());
                (std::str::from_utf8(good).unwrap_or_default(), bad)
            }
        };
        text.push_str(good);
        rest = match pair(bad) {
            Some((character, after)) => {
                text.push(character);
                after
            }
            None if bad.is_empty() => bad,
            None => {
                text.push(char::REPLACEMENT_CHARACTER);
                &bad[1..]
            }
        };
    }
    text
}

/// The character of two surrogates, and the rest of the bytes.
fn pair(bytes: &[u8]) -> Option<(char, &[u8])> {
    let (six, after) = bytes.split_first_chunk::<6>()?;
    let [0xED, high @ 0xA0..=0xAF, high_low @ 0x80..=0xBF, 0xED, low @ 0xB0..=0xBF, low_low @ 0x80..=0xBF] = *six
    else {
        return None;
    };
    let bits = |upper: u8, lower: u8| u32::from(upper & 0x0F) << 6 | u32::from(lower & 0x3F);
    let character = 0x1_0000 + (bits(high, high_low) << 10) + bits(low & 0x0F, low_low);
    Some((char::from_u32(character)?, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surrogates_become_their_character() {
        assert_eq!(lenient(&[0x75, 0xED, 0xA0, 0xBD, 0xED, 0xB8, 0x80]), "u\u{1F600}");
        assert_eq!(lenient("u\u{1F600}字".as_bytes()), "u\u{1F600}字");
        // the last code point
        assert_eq!(lenient(&[0xED, 0xAF, 0xBF, 0xED, 0xBF, 0xBF]), "\u{10FFFF}");
        assert_eq!(lenient(&[0xED, 0xA0, 0x80, 0xED, 0xB0, 0x80]), "\u{10000}");
    }

    #[test]
    fn whatever_is_no_text_is_replaced() {
        assert_eq!(lenient(&[0xED, 0xA0, 0xBD]), "\u{FFFD}\u{FFFD}\u{FFFD}");
        assert_eq!(lenient(&[0xFF, b'a']), "\u{FFFD}a");
        assert_eq!(lenient(&[]), "");
    }
}
