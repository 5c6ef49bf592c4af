//! Checks of credentials that every vendor needs: encoded proofs compared by value, and secrets that are no secrets.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::seal::same;

/// Padded or not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Decodes base64 in the standard or the URL-safe alphabet, padded or not.
pub fn decode_base64(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text.replace('-', "+").replace('_', "/")).ok()
}

/// Whether a base64 text, in any spelling of it, encodes these bytes. In constant time for equal lengths.
pub fn is_base64_of(text: &str, bytes: &[u8]) -> bool {
    decode_base64(text).is_some_and(|given| same(&given, bytes))
}

/// Marks what is no hexadecimal digit.
const NO_DIGIT: u8 = 0xF0;

/// The value of each hexadecimal digit.
const DIGITS: [u8; 256] = {
    let mut digits = [NO_DIGIT; 256];
    let mut value = 0;
    while value < 16 {
        digits[b"0123456789abcdef"[value as usize] as usize] = value;
        digits[b"0123456789ABCDEF"[value as usize] as usize] = value;
        value += 1;
    }
    digits
};

/// Whether a hexadecimal text, in lower or upper case, encodes these bytes. In constant time for equal lengths.
pub fn is_hex_of(text: &[u8], bytes: &[u8]) -> bool {
    let (pairs, rest) = text.as_chunks::<2>();
    if !rest.is_empty() || pairs.len() != bytes.len() {
        return false;
    }
    let mut different = 0;
    for (pair, byte) in pairs.iter().zip(bytes) {
        let (high, low) = (DIGITS[usize::from(pair[0])], DIGITS[usize::from(pair[1])]);
        // all digits are looked at, whichever is the first wrong one
        different |= ((high << 4 | low) ^ byte) | (high | low) & NO_DIGIT;
    }
    same(&[different], &[0])
}

/// Fewest different characters in a secret; with one it is a filler such as `xxxx`.
const DISTINCT: usize = 2;
/// Words in placeholders for secrets, in lower case and without separators.
const FILLERS: [&str; 7] =
    ["changeme", "changethis", "replaceme", "replacethis", "placeholder", "yoursecret", "fillmein"];
/// With what placeholders begin, in the same form: `your-app-secret`, `TODO`, `insert your key here`.
const FILLER_STARTS: [&str; 5] = ["your", "todo", "insertyour", "enteryour", "putyour"];

/// Refuses a secret that is too weak: empty, a placeholder, or shorter than the vendor's.
///
/// `name` is the configuration key, for the text. `at_least` is the shortest length in characters.
///
/// # Errors
/// Says which key, what is wrong and what to do; never shows the secret.
pub fn check_secret(name: &str, secret: &str, at_least: usize) -> Result<(), String> {
    if secret.is_empty() {
        return Err(format!(
            "{name} is empty, so anybody could sign with it: set the secret from the vendor's console"
        ));
    }
    if is_placeholder(secret) {
        return Err(format!("{name} is still a placeholder: replace it with the secret from the vendor's console"));
    }
    if secret.trim() != secret || secret.chars().any(char::is_control) {
        return Err(format!("{name} begins or ends with blanks, or holds control characters: remove them"));
    }
    let is_quoted = |quote: char| secret.len() > 1 && secret.starts_with(quote) && secret.ends_with(quote);
    if is_quoted('"') || is_quoted('\'') {
        return Err(format!(
            "{name} is in quotes that would be a part of it, as `docker run --env-file` passes them on: remove them"
        ));
    }
    let length = secret.chars().count();
    if length < at_least {
        return Err(format!(
            "{name} has {length} characters, but the vendor's secrets have at least {at_least}: \
             set the whole secret from the vendor's console, or a random text of that length"
        ));
    }
    Ok(())
}

/// Whether a text is a placeholder for a secret that is still to be filled in.
fn is_placeholder(text: &str) -> bool {
    let text = text.trim();
    let wrapped = |open: char, close: char| text.starts_with(open) && text.ends_with(close);
    let plain: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let mut distinct: Vec<char> = text.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    text.contains('…')
        || text.starts_with("...")
        || text.ends_with("...")
        || wrapped('<', '>')
        || wrapped('{', '}')
        || wrapped('[', ']')
        || (text.starts_with('$') && wrapped('$', '}'))
        || FILLERS.iter().any(|filler| plain.contains(filler))
        || FILLER_STARTS.iter().any(|start| plain.starts_with(start))
        || plain.is_empty()
        || distinct.len() < DISTINCT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proofs_are_compared_by_value() {
        assert!(is_hex_of(b"0aff", &[10, 255]) && is_hex_of(b"0AfF", &[10, 255]));
        for other in [&b"0afe"[..], b"0af", b"0aff0", b"0aff00", b"", b"0xaff", b"+aff", b"0a f", b"\xff\xff\xff\xff"] {
            assert!(!is_hex_of(other, &[10, 255]), "{other:?}");
        }
        for spelling in ["+/8=", "-_8=", "+/8", "-_8", "-/8"] {
            assert!(is_base64_of(spelling, &[251, 255]), "{spelling}");
        }
        for other in ["+/9=", "+/8==", "+/8 ", "", "*/8="] {
            assert!(!is_base64_of(other, &[251, 255]), "{other}");
        }
    }

    #[test]
    fn what_protects_nothing_is_refused_with_what_to_do() {
        let refusal = |secret: &str| check_secret("app_secret", secret, 8).err().unwrap_or_default();
        assert!(refusal("").contains("app_secret is empty"));
        for placeholder in [
            "…",
            "...",
            "abcdefgh…",
            "<secret>",
            "<your app secret>",
            "${SECRET}",
            "{{ secret }}",
            "[app secret]",
            "********",
            "xxxxxxxx",
            "changeme",
            "change-me-please",
            "CHANGE_ME",
            "your-secret-here",
            "your_client_secret_goes_here",
            "Your App Secret",
            "TODO: app secret",
            "insert-your-key",
            "secret-placeholder",
            "--------",
        ] {
            assert!(refusal(placeholder).contains("placeholder"), "{placeholder}: {}", refusal(placeholder));
        }
        assert!(refusal("4f9c2b1").contains("7 characters") && !refusal("4f9c2b1").contains("4f9c2b1"));
        assert!(refusal("4f9c2b1d\n").contains("blanks") && refusal(" 4f9c2b1d").contains("blanks"));
        for quoted in ["\"4f9c2b1d\"", "'4f9c2b1d'"] {
            assert!(refusal(quoted).contains("quotes") && !refusal(quoted).contains("4f9c2b1d"), "{quoted}");
        }
        for good in ["4f9c2b1d", "'4f9c2b1d", "4f9'c2b1\"d"] {
            assert_eq!(refusal(good), "");
        }
    }
}
