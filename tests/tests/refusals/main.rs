//! What the vendors' error lists tell of single operations: each row is tried, held against the list, pinned, and has
//! left nothing behind.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a broken expectation is a panic")]

#[path = "../agora_support/mod.rs"]
mod agora_support;

mod agora;
mod rong;
mod tencent;
#[path = "../tencent_support/mod.rs"]
mod tencent_support;

/// The text with every `<<n*text>>` in it written out: the text so many times.
fn repeated(text: &str) -> String {
    let written = || {
        let (before, rest) = text.split_once("<<")?;
        let (inner, after) = rest.split_once(">>")?;
        let (count, text) = inner.split_once('*')?;
        Some(format!("{before}{}{}", text.repeat(count.parse().ok()?), repeated(after)))
    };
    written().unwrap_or_else(|| text.to_owned())
}
