//! Commands that users and the app have in common, one file per command. The transports decode, authenticate and
//! encode.

pub(crate) mod send_message;
