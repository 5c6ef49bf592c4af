//! Messages, receipts, recalls and edits.

use super::{Jid, KeyValue};

/// Values of [`MessageBody::type`].
pub(crate) mod chat_type {
    pub(crate) const GROUP: i32 = 2;
    pub(crate) const READ_ACK: i32 = 4;
    pub(crate) const RECALL: i32 = 6;
    pub(crate) const CHANNEL_ACK: i32 = 7;
    pub(crate) const EDIT: i32 = 8;
}

/// Values of [`Content::type`].
pub(crate) mod content_type {
    pub(crate) const TEXT: i32 = 0;
    pub(crate) const IMAGE: i32 = 1;
    pub(crate) const VIDEO: i32 = 2;
    pub(crate) const LOCATION: i32 = 3;
    pub(crate) const VOICE: i32 = 4;
    pub(crate) const FILE: i32 = 5;
    pub(crate) const COMMAND: i32 = 6;
    pub(crate) const CUSTOM: i32 = 7;
}

/// Values of [`Content::sub_type`].
pub(crate) mod sub_type {
    /// A text that represents several messages.
    pub(crate) const COMBINE: i32 = 0;
    pub(crate) const GIF: i32 = 1;
}

/// A message, or an item about one.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct MessageBody {
    /// See [`chat_type`].
    #[prost(int32, optional, tag = "1")]
    pub(crate) r#type: Option<i32>,
    #[prost(message, optional, tag = "2")]
    pub(crate) from: Option<Jid>,
    #[prost(message, optional, tag = "3")]
    pub(crate) to: Option<Jid>,
    /// Exactly one.
    #[prost(message, repeated, tag = "4")]
    pub(crate) contents: Vec<Content>,
    #[prost(message, repeated, tag = "5")]
    pub(crate) ext: Vec<KeyValue>,
    /// The message that was read or recalled.
    #[prost(uint64, optional, tag = "6")]
    pub(crate) ack_message_id: Option<u64>,
    #[prost(message, optional, tag = "7")]
    pub(crate) msg_config: Option<MessageConfig>,
    #[prost(string, optional, tag = "8")]
    pub(crate) ack_content: Option<String>,
    /// JSON.
    #[prost(string, optional, tag = "9")]
    pub(crate) meta: Option<String>,
    /// The edited message.
    #[prost(uint64, optional, tag = "11")]
    pub(crate) edit_message_id: Option<u64>,
    #[prost(int32, optional, tag = "12")]
    pub(crate) edit_scope: Option<i32>,
}

/// Options of a message.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub(crate) struct MessageConfig {
    /// Its sender asks for read receipts.
    #[prost(bool, optional, tag = "1")]
    pub(crate) allow_group_ack: Option<bool>,
}

/// Width and height.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(crate) struct Size {
    #[prost(double, optional, tag = "1")]
    pub(crate) width: Option<f64>,
    #[prost(double, optional, tag = "2")]
    pub(crate) height: Option<f64>,
}

/// The content.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Content {
    /// See [`content_type`].
    #[prost(int32, optional, tag = "1")]
    pub(crate) r#type: Option<i32>,
    #[prost(string, optional, tag = "2")]
    pub(crate) text: Option<String>,
    #[prost(double, optional, tag = "3")]
    pub(crate) latitude: Option<f64>,
    #[prost(double, optional, tag = "4")]
    pub(crate) longitude: Option<f64>,
    #[prost(string, optional, tag = "5")]
    pub(crate) address: Option<String>,
    #[prost(string, optional, tag = "6")]
    pub(crate) display_name: Option<String>,
    #[prost(string, optional, tag = "7")]
    pub(crate) remote_path: Option<String>,
    #[prost(string, optional, tag = "8")]
    pub(crate) secret_key: Option<String>,
    #[prost(int32, optional, tag = "9")]
    pub(crate) file_length: Option<i32>,
    #[prost(string, optional, tag = "10")]
    pub(crate) action: Option<String>,
    #[prost(message, repeated, tag = "11")]
    pub(crate) params: Vec<KeyValue>,
    #[prost(int32, optional, tag = "12")]
    pub(crate) duration: Option<i32>,
    #[prost(message, optional, tag = "13")]
    pub(crate) size: Option<Size>,
    #[prost(string, optional, tag = "14")]
    pub(crate) thumbnail_remote_path: Option<String>,
    #[prost(string, optional, tag = "15")]
    pub(crate) thumbnail_secret_key: Option<String>,
    #[prost(string, optional, tag = "16")]
    pub(crate) thumbnail_display_name: Option<String>,
    #[prost(int32, optional, tag = "17")]
    pub(crate) thumbnail_file_length: Option<i32>,
    #[prost(message, optional, tag = "18")]
    pub(crate) thumbnail_size: Option<Size>,
    #[prost(string, optional, tag = "19")]
    pub(crate) custom_event: Option<String>,
    #[prost(message, repeated, tag = "20")]
    pub(crate) custom_exts: Vec<KeyValue>,
    #[prost(string, optional, tag = "21")]
    pub(crate) building_name: Option<String>,
    /// See [`sub_type`].
    #[prost(int32, optional, tag = "22")]
    pub(crate) sub_type: Option<i32>,
    #[prost(string, optional, tag = "23")]
    pub(crate) title: Option<String>,
    #[prost(string, optional, tag = "24")]
    pub(crate) summary: Option<String>,
    #[prost(int32, optional, tag = "25")]
    pub(crate) combine_level: Option<i32>,
}
