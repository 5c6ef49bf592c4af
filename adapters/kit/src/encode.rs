//! JSON of a bounded length.

use std::io;

use serde::Serialize;

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

/// Appends a value as JSON. If `out` would then be longer than `most` bytes, it is an error and `out` does not change.
pub fn append_json(out: &mut Vec<u8>, value: &(impl Serialize + ?Sized), most: usize) -> Result<(), EncodeError> {
    let length = out.len();
    let mut writer = Bounded { out, most, exceeded: false };
    let Err(error) = serde_json::to_writer(&mut writer, value) else { return Ok(()) };
    let exceeded = writer.exceeded;
    out.truncate(length);
    Err(if exceeded { EncodeError::TooLarge } else { EncodeError::Invalid(error) })
}

/// Fails instead of growing beyond a number of bytes.
struct Bounded<'o> {
    out: &'o mut Vec<u8>,
    most: usize,
    exceeded: bool,
}

impl io::Write for Bounded<'_> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    // the default calls `write` in a loop, which costs more than the copy for texts as short as those of JSON
    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.out.len().saturating_add(bytes.len()) > self.most {
            self.exceeded = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::cell::RefCell;

    use serde_json::json;

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
}
