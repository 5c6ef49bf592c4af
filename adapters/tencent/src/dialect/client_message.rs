//! A group's message in the client format, for history and pushes.

use conclave_core::model::{Group, Mention, Message, MessageState, Sender, UserId};
use serde::Serialize;
use serde_json::{Value, json};

use super::kind::Kind;
use super::message::{self, label};
use super::tiny_id;

/// The displayed sender of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Face {
    pub(crate) nick: String,
    pub(crate) avatar: String,
    /// The name card in the group.
    pub(crate) card: String,
}

/// A message.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ClientMessage<'m> {
    #[serde(rename = "From_Account")]
    from: &'m str,
    to_group_id: &'m str,
    msg_seq: u64,
    msg_random: u64,
    msg_time_stamp: u64,
    msg_client_time: u64,
    client_seq: u64,
    /// 1 high, 2 normal, 3 low, 4 lowest.
    msg_priority: u32,
    /// 0 unchanged, 1 deleted, 2 recalled.
    is_place_msg: u32,
    is_system_msg: u32,
    msg_body: Value,
    cloud_custom_data: &'m str,
    online_only_flag: u32,
    tiny_id: String,
    group_at_info: Value,
    need_read_receipt: u32,
    support_message_extension: u32,
    /// How often it was changed: clients take a change that has a higher one than theirs.
    #[serde(skip_serializing_if = "is_unchanged")]
    msg_version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoker_info: Option<Revoker<'m>>,
    group_info: GroupInfo<'m>,
}

/// The user who recalled a message.
#[derive(Debug, Serialize)]
pub(crate) struct Revoker<'m> {
    #[serde(rename = "Revoker_Account")]
    account: &'m str,
    #[serde(rename = "Reason")]
    reason: &'m str,
}

/// The group and the sender. Clients need all fields.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct GroupInfo<'m> {
    group_id: &'m str,
    group_name: &'m str,
    group_type: &'static str,
    #[serde(rename = "From_Account")]
    from: &'m str,
    #[serde(rename = "From_AccountNick")]
    nick: &'m str,
    #[serde(rename = "From_AccountHeadurl")]
    avatar: &'m str,
    #[serde(rename = "MsgFrom_AccountExtraInfo")]
    extra: Value,
}

impl<'m> ClientMessage<'m> {
    /// A message of a group; `admin` is shown as the sender of the app's own messages.
    pub(crate) fn of(message: &'m Message, group: &'m Group, face: &'m Face, admin: &'m str) -> Self {
        let kept = |label: &str| message.labels.get(label).map(String::as_str);
        let number = |label: &str| kept(label).and_then(|text| text.parse().ok());
        let is_kept = message.state == MessageState::Kept;
        let from = sender(message, admin);
        Self {
            from,
            to_group_id: group.id.as_str(),
            msg_seq: message.sequence,
            msg_random: number(label::RANDOM).unwrap_or_default(),
            msg_time_stamp: message.at.seconds(),
            msg_client_time: number(label::CLIENT_TIME).unwrap_or(message.at.seconds()),
            client_seq: number(label::CLIENT_SEQ).unwrap_or_default(),
            msg_priority: message::priority(kept(label::PRIORITY)),
            is_place_msg: place(&message.state),
            is_system_msg: 0,
            msg_body: if is_kept { message::elements(message) } else { json!([]) },
            cloud_custom_data: kept(label::CLOUD_DATA).filter(|_| is_kept).unwrap_or_default(),
            online_only_flag: u32::from(message.sequence == 0),
            tiny_id: UserId::new(from).map_or_else(|_| "0".to_owned(), |user| tiny_id::of(&user)),
            group_at_info: mentioned(message),
            need_read_receipt: u32::from(message.traits.receipts),
            support_message_extension: u32::from(message.traits.extensible),
            msg_version: message.traits.edits,
            revoker_info: revoker(message, admin),
            group_info: GroupInfo {
                group_id: group.id.as_str(),
                group_name: &group.profile.name,
                group_type: Kind::of(group).word(),
                from,
                nick: &face.nick,
                avatar: &face.avatar,
                extra: json!({ "NameCard": face.card }),
            },
        }
    }
}

/// Clients take no version for 0.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_unchanged(version: &u32) -> bool {
    *version == 0
}

/// The account shown as a message's sender.
pub(crate) fn sender<'m>(message: &'m Message, admin: &'m str) -> &'m str {
    match &message.sender {
        Sender::User(user) => user.as_str(),
        Sender::App => admin,
    }
}

/// `IsPlaceMsg`.
pub(crate) fn place(state: &MessageState) -> u32 {
    match state {
        MessageState::Kept => 0,
        MessageState::Deleted => 1,
        MessageState::Recalled { .. } => 2,
    }
}

/// The user who recalled a message, if it was recalled.
pub(crate) fn revoker<'m>(message: &'m Message, admin: &'m str) -> Option<Revoker<'m>> {
    match &message.state {
        MessageState::Recalled { by, reason, .. } => {
            Some(Revoker { account: by.as_ref().map_or(admin, UserId::as_str), reason })
        }
        MessageState::Kept | MessageState::Deleted => None,
    }
}

/// `GroupAtInfo`: as sent, or the closest equivalent of a message sent through another vendor.
fn mentioned(message: &Message) -> Value {
    if let Some(at) = message.labels.get(label::AT).and_then(|at| serde_json::from_str(at).ok()) {
        return at;
    }
    match &message.mention {
        None => json!([]),
        Some(Mention::All) => json!([{ "GroupAtAllFlag": 1 }]),
        Some(Mention::Users(users)) => {
            users.iter().map(|user| json!({ "GroupAtAllFlag": 0, "GroupAt_Account": user })).collect()
        }
    }
}
