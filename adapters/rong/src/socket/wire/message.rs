//! Messages, and queries for them.

/// Options of a message's push notification: its title, id and template.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct PushExtra {
    #[prost(string, optional, tag = "1")]
    pub(crate) title: Option<String>,
    #[prost(string, optional, tag = "3")]
    pub(crate) push_id: Option<String>,
    /// JSON.
    #[prost(string, optional, tag = "4")]
    pub(crate) push_configs: Option<String>,
    #[prost(string, optional, tag = "5")]
    pub(crate) template_id: Option<String>,
}

/// The quoted message.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct ReferenceData {
    #[prost(string, optional, tag = "1")]
    pub(crate) msg_id: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub(crate) from_user_id: Option<String>,
    #[prost(string, optional, tag = "3")]
    pub(crate) classname: Option<String>,
}

/// An incoming message.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct UpStreamMessage {
    /// Flags: 1 persisted, 2 counted, 4 mentions, 32 silent, 64 expandable.
    #[prost(int32, required, tag = "1")]
    pub(crate) session_id: i32,
    #[prost(string, required, tag = "2")]
    pub(crate) classname: String,
    #[prost(string, required, tag = "3")]
    pub(crate) content: String,
    #[prost(string, optional, tag = "4")]
    pub(crate) push_text: Option<String>,
    #[prost(string, optional, tag = "5")]
    pub(crate) app_data: Option<String>,
    #[prost(string, repeated, tag = "6")]
    pub(crate) to_user_ids: Vec<String>,
    #[prost(int32, optional, tag = "9")]
    pub(crate) config_flag: Option<i32>,
    #[prost(int64, optional, tag = "10")]
    pub(crate) client_unique_id: Option<i64>,
    #[prost(string, optional, tag = "11")]
    pub(crate) extra_content: Option<String>,
    #[prost(message, optional, tag = "12")]
    pub(crate) push_ext: Option<PushExtra>,
    #[prost(string, optional, tag = "13")]
    pub(crate) bus_channel: Option<String>,
    #[prost(int64, optional, tag = "22")]
    pub(crate) option_bits: Option<i64>,
    #[prost(message, optional, tag = "25")]
    pub(crate) ref_data: Option<ReferenceData>,
}

/// An outgoing message.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct DownStreamMessage {
    #[prost(string, required, tag = "1")]
    pub(crate) from_user_id: String,
    #[prost(int32, required, tag = "2")]
    pub(crate) kind: i32,
    #[prost(string, optional, tag = "3")]
    pub(crate) group_id: Option<String>,
    #[prost(string, required, tag = "4")]
    pub(crate) classname: String,
    #[prost(string, required, tag = "5")]
    pub(crate) content: String,
    #[prost(int64, required, tag = "6")]
    pub(crate) data_time: i64,
    /// Flags: 16 persisted, 32 counted, 64 mentions, 512 silent, 1024 expandable.
    #[prost(int64, required, tag = "7")]
    pub(crate) status: i64,
    #[prost(string, optional, tag = "9")]
    pub(crate) msg_id: Option<String>,
    /// 1 sent by the reader, 2 received.
    #[prost(int32, optional, tag = "10")]
    pub(crate) direction: Option<i32>,
    #[prost(int64, optional, tag = "14")]
    pub(crate) client_unique_id: Option<i64>,
    #[prost(string, optional, tag = "15")]
    pub(crate) extra_content: Option<String>,
    #[prost(string, optional, tag = "16")]
    pub(crate) push_content: Option<String>,
    #[prost(int32, optional, tag = "17")]
    pub(crate) config_flag: Option<i32>,
    #[prost(message, optional, tag = "18")]
    pub(crate) push_ext: Option<PushExtra>,
    #[prost(string, optional, tag = "19")]
    pub(crate) bus_channel: Option<String>,
    /// Flags: 64 not stored.
    #[prost(int64, optional, tag = "20")]
    pub(crate) ext_status: Option<i64>,
    #[prost(string, repeated, tag = "21")]
    pub(crate) to_user_ids: Vec<String>,
    #[prost(int64, optional, tag = "23")]
    pub(crate) option_bits: Option<i64>,
    #[prost(message, optional, tag = "27")]
    pub(crate) ref_data: Option<ReferenceData>,
}

/// `modifyMsg`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct MsgChangeReq {
    #[prost(string, required, tag = "1")]
    pub(crate) from_user_id: String,
    #[prost(string, required, tag = "2")]
    pub(crate) target_id: String,
    #[prost(int32, required, tag = "3")]
    pub(crate) kind: i32,
    #[prost(string, required, tag = "4")]
    pub(crate) msg_uid: String,
    #[prost(int64, required, tag = "5")]
    pub(crate) msg_time: i64,
    #[prost(string, optional, tag = "6")]
    pub(crate) bus_channel: Option<String>,
    #[prost(string, optional, tag = "7")]
    pub(crate) content: Option<String>,
}

/// The reply to `modifyMsg`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct ModifyMsgResp {
    #[prost(int64, optional, tag = "1")]
    pub(crate) modify_time: Option<i64>,
    #[prost(message, optional, tag = "2")]
    pub(crate) msg: Option<DownStreamMessage>,
}

/// `pullMsg`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct SyncRequestMsg {
    #[prost(int64, required, tag = "1")]
    pub(crate) sync_time: i64,
    #[prost(bool, optional, tag = "4")]
    pub(crate) is_pull_send: Option<bool>,
    #[prost(int64, optional, tag = "6")]
    pub(crate) send_box_sync_time: Option<i64>,
    #[prost(int64, optional, tag = "7")]
    pub(crate) broadcast_sync_time: Option<i64>,
    #[prost(bool, optional, tag = "9")]
    pub(crate) compression_enabled: Option<bool>,
}

/// The reply to `pullMsg`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct DownStreamMessages {
    #[prost(message, repeated, tag = "1")]
    pub(crate) list: Vec<DownStreamMessage>,
    #[prost(int64, required, tag = "2")]
    pub(crate) sync_time: i64,
    #[prost(bool, optional, tag = "3")]
    pub(crate) finished: Option<bool>,
    #[prost(int64, optional, tag = "4")]
    pub(crate) broadcast_sync_time: Option<i64>,
    #[prost(bool, optional, tag = "8")]
    pub(crate) compression_enabled: Option<bool>,
    /// The same message, compressed.
    #[prost(bytes = "vec", optional, tag = "9")]
    pub(crate) compressed_data: Option<Vec<u8>>,
}

/// `qryGMsg`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct HistoryMsgInput {
    #[prost(string, optional, tag = "1")]
    pub(crate) target_id: Option<String>,
    #[prost(int64, optional, tag = "2")]
    pub(crate) time: Option<i64>,
    #[prost(int32, optional, tag = "3")]
    pub(crate) count: Option<i32>,
    /// 0 older than the time, 1 newer.
    #[prost(int32, optional, tag = "4")]
    pub(crate) order: Option<i32>,
}

/// The reply to `qryGMsg`; named as the vendor spells it.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct HistoryMsgOuput {
    #[prost(message, repeated, tag = "1")]
    pub(crate) list: Vec<DownStreamMessage>,
    #[prost(int64, required, tag = "2")]
    pub(crate) sync_time: i64,
    #[prost(int32, required, tag = "3")]
    pub(crate) has_msg: i32,
}

/// A message requested by its id.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct MessageQueryInfo {
    #[prost(string, required, tag = "2")]
    pub(crate) msg_uid: String,
}

/// `qryMsg`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct MsgQuery {
    #[prost(string, required, tag = "1")]
    pub(crate) target_id: String,
    #[prost(int32, required, tag = "2")]
    pub(crate) kind: i32,
    #[prost(message, repeated, tag = "3")]
    pub(crate) query: Vec<MessageQueryInfo>,
}

/// The reply to `qryMsg`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct MsgQueryAck {
    #[prost(message, repeated, tag = "1")]
    pub(crate) list: Vec<DownStreamMessage>,
    #[prost(string, repeated, tag = "2")]
    pub(crate) not_exist_msg_id: Vec<String>,
}

/// `qryRelationR`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct RelationQryInput {
    #[prost(int32, optional, tag = "2")]
    pub(crate) count: Option<i32>,
    #[prost(int64, optional, tag = "3")]
    pub(crate) start_time: Option<i64>,
    /// 0 older than the time, 1 newer.
    #[prost(int32, optional, tag = "4")]
    pub(crate) order: Option<i32>,
    #[prost(int32, repeated, packed = "false", tag = "9")]
    pub(crate) channel_type: Vec<i32>,
    #[prost(int32, optional, tag = "10")]
    pub(crate) bot_type: Option<i32>,
}

/// One conversation.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct RelationInfo {
    #[prost(int32, required, tag = "1")]
    pub(crate) kind: i32,
    /// The group.
    #[prost(string, required, tag = "2")]
    pub(crate) user_id: String,
    #[prost(message, optional, tag = "3")]
    pub(crate) msg: Option<DownStreamMessage>,
    #[prost(int64, optional, tag = "7")]
    pub(crate) version_time: Option<i64>,
}

/// The reply to `qryRelationR` and `qryRLBatch`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct RelationsOutput {
    #[prost(message, repeated, tag = "1")]
    pub(crate) info: Vec<RelationInfo>,
    #[prost(bool, optional, tag = "2")]
    pub(crate) is_finished: Option<bool>,
    #[prost(int64, optional, tag = "3")]
    pub(crate) pull_time: Option<i64>,
}

/// A requested conversation.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct RelationOpInput {
    #[prost(string, required, tag = "1")]
    pub(crate) conversation_id: String,
    #[prost(int32, required, tag = "2")]
    pub(crate) conversation_type: i32,
}

/// `qryRLBatch`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct RelationDelBatchReq {
    #[prost(message, repeated, tag = "1")]
    pub(crate) relation: Vec<RelationOpInput>,
}
