//! The refusals of single operations in the vendors' error lists: each row is tried, compared with the list, pinned,
//! and changes nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a broken expectation is a panic")]

#[path = "../agora_support/mod.rs"]
mod agora_support;

mod agora;
mod rong;
mod tencent;
#[path = "../tencent_support/mod.rs"]
mod tencent_support;

/// The text with every `<<n*text>>` in it expanded to n repetitions of the text.
fn repeated(text: &str) -> String {
    let written = || {
        let (before, rest) = text.split_once("<<")?;
        let (inner, after) = rest.split_once(">>")?;
        let (count, text) = inner.split_once('*')?;
        Some(format!("{before}{}{}", text.repeat(count.parse().ok()?), repeated(after)))
    };
    written().unwrap_or_else(|| text.to_owned())
}
