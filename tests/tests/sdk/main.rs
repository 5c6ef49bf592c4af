//! The vendors' own server SDKs, unmodified, over their whole group API: what they report is checked through them and
//! through the other vendors.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a broken expectation is a panic")]

mod agora;
mod rong;
mod tencent;
