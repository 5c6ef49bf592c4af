//! Page cursors as text: opaque to clients, safe in a URL.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use conclave_core::query::Cursor;

/// The cursor as a client carries it.
pub fn encode_cursor(cursor: &Cursor) -> String {
    URL_SAFE_NO_PAD.encode(&cursor.0)
}

/// The cursor a client gives back; `None` when it is not one.
pub fn decode_cursor(text: &str) -> Option<Cursor> {
    URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok().map(Cursor)
}
