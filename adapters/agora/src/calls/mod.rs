//! What is done for users and the app alike, one file per command. The transports decode, authenticate and encode.

pub(crate) mod send_message;
