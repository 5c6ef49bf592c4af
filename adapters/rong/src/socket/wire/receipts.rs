//! Read receipts of single messages.

/// `readReceipt`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct ReadReceipt {
    #[prost(string, optional, tag = "1")]
    pub(crate) target_id: Option<String>,
    #[prost(int32, optional, tag = "2")]
    pub(crate) kind: Option<i32>,
    #[prost(string, repeated, tag = "5")]
    pub(crate) msg_ids: Vec<String>,
}

/// `qryReceipt`: the readers of a message.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct QueryReceiptReq {
    #[prost(string, optional, tag = "1")]
    pub(crate) target_id: Option<String>,
    #[prost(int32, optional, tag = "3")]
    pub(crate) kind: Option<i32>,
    #[prost(string, repeated, tag = "4")]
    pub(crate) msg_ids: Vec<String>,
    /// 1 a page, 2 the named users.
    #[prost(int32, optional, tag = "5")]
    pub(crate) qry_type: Option<i32>,
    /// By the time of reading: 0 ascending, 1 descending.
    #[prost(int32, optional, tag = "6")]
    pub(crate) order: Option<i32>,
    /// Of a page: 1 those who have read it, 2 those who have not.
    #[prost(int32, optional, tag = "8")]
    pub(crate) read_type: Option<i32>,
    #[prost(int32, optional, tag = "10")]
    pub(crate) page_size: Option<i32>,
    #[prost(string, optional, tag = "11")]
    pub(crate) page_token: Option<String>,
    #[prost(string, repeated, tag = "12")]
    pub(crate) users: Vec<String>,
}

/// The reply to `qryReceipt`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct ReceiptResp {
    #[prost(message, repeated, tag = "1")]
    pub(crate) resp: Vec<QueryReceiptRespItem>,
    #[prost(bool, optional, tag = "2")]
    pub(crate) compress: Option<bool>,
    #[prost(string, optional, tag = "4")]
    pub(crate) page_token: Option<String>,
}

/// `qryReceiptBatch`: how many have read messages.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct QueryReceiptBatchReq {
    #[prost(message, repeated, tag = "1")]
    pub(crate) items: Vec<QueryReceipt>,
}

/// Messages of one group.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct QueryReceipt {
    #[prost(string, optional, tag = "1")]
    pub(crate) target_id: Option<String>,
    #[prost(int32, optional, tag = "3")]
    pub(crate) kind: Option<i32>,
    #[prost(string, repeated, tag = "4")]
    pub(crate) msg_ids: Vec<String>,
}

/// The reply to `qryReceiptBatch`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct QueryReceiptBatchResp {
    #[prost(message, repeated, tag = "1")]
    pub(crate) item: Vec<QueryReceiptBatchRespItem>,
    #[prost(bool, optional, tag = "2")]
    pub(crate) compress: Option<bool>,
}

/// Messages of one group.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct QueryReceiptBatchRespItem {
    #[prost(string, optional, tag = "1")]
    pub(crate) target_id: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub(crate) bus_channel: Option<String>,
    #[prost(int32, optional, tag = "3")]
    pub(crate) kind: Option<i32>,
    #[prost(message, repeated, tag = "4")]
    pub(crate) msg: Vec<QueryReceiptRespItem>,
}

/// One message.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct QueryReceiptRespItem {
    #[prost(string, optional, tag = "1")]
    pub(crate) msg_id: Option<String>,
    #[prost(int64, optional, tag = "2")]
    pub(crate) msg_time: Option<i64>,
    #[prost(int32, optional, tag = "3")]
    pub(crate) total_cnt: Option<i32>,
    #[prost(int64, optional, tag = "4")]
    pub(crate) read_cnt: Option<i64>,
    #[prost(message, repeated, tag = "5")]
    pub(crate) read_user: Vec<ReceiptUser>,
    #[prost(int64, optional, tag = "7")]
    pub(crate) unread_cnt: Option<i64>,
    #[prost(message, repeated, tag = "8")]
    pub(crate) unread_user: Vec<ReceiptUser>,
}

/// A user who has read a message, or who has not.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct ReceiptUser {
    /// 0 not read.
    #[prost(int64, optional, tag = "1")]
    pub(crate) receipt_time: Option<i64>,
    #[prost(string, optional, tag = "2")]
    pub(crate) user_id: Option<String>,
    #[prost(bool, optional, tag = "5")]
    pub(crate) mentioned: Option<bool>,
}

/// The data of a change: a member has read a message.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct MsgReadEvent {
    #[prost(string, optional, tag = "1")]
    pub(crate) msg_id: Option<String>,
    #[prost(int64, optional, tag = "2")]
    pub(crate) msg_time: Option<i64>,
    #[prost(int32, optional, tag = "3")]
    pub(crate) total_cnt: Option<i32>,
    #[prost(int32, optional, tag = "4")]
    pub(crate) read_cnt: Option<i32>,
    #[prost(int32, optional, tag = "5")]
    pub(crate) unread_cnt: Option<i32>,
    #[prost(message, repeated, tag = "6")]
    pub(crate) read_list: Vec<ReceiptUser>,
}
