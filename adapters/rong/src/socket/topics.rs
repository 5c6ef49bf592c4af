//! Which topic is handled where. Every topic is answered: a client waits half a minute for a missing reply, and delays
//! its other requests.

use super::call::{Call, Denied, QueryReply};
use super::{group, message, sync};
use crate::refusals::client;

/// Longest body of a query; only messages are longer.
const LONGEST_QUESTION: usize = 64 * 1024;

/// The name of connecting in metrics.
pub(super) const CONNECT: &str = "connect";
/// The topics of all queries.
pub(super) const QUESTIONS: &[&str] = &[
    "pullMsg",
    "pullEventChange",
    "channelCreate",
    "upChannelInfo",
    "qChannelInfo",
    "channelMemKick",
    "channelMemQuit",
    "channelDismiss",
    "channelTransfer",
    "upChannelManager",
    "upChannelRemark",
    "upChannelFollow",
    "qChannelFollow",
    "upChannelMem",
    "qChannelSpeMem",
    "qChannelMem",
    "channelMemJoin",
    "channelMemInvite",
    "channelApplyResp",
    "qChannelApplyList",
    "qChannelMemSpeJoin",
    "qChannelMemJoin",
    "qryGMsg",
    "qryMsg",
    "qryRelationR",
    "qryRLBatch",
    "qAppBot",
    "pullUS",
    "pullSeAtts",
    "pullModifyMsg",
    "modifyMsg",
    "readReceipt",
    "qryReceipt",
    "qryReceiptBatch",
    "pullUserSub",
    "pullSubData",
    "pullOwnProfile",
    "pullUserProfile",
    "reportsdk",
];
/// Every topic of messages.
pub(super) const MESSAGES: &[&str] = &["pgMsgP", "pgMsgS", "recallMsg"];

/// The same topic, if it is one of these.
pub(super) fn known(topics: &'static [&'static str], topic: &str) -> Option<&'static str> {
    topics.iter().copied().find(|known| *known == topic)
}

/// The topics of group methods.
const GROUP_TOPICS: &[&str] = &["channel", "upChannel", "qChannel"];

/// Whether a topic is a group method.
pub(crate) fn is_of_groups(topic: &str) -> bool {
    GROUP_TOPICS.iter().any(|prefix| topic.starts_with(prefix))
}

/// Answers a query that needs nothing but the core.
pub(crate) async fn answer(call: &Call<'_>, topic: &str, body: &[u8]) -> QueryReply {
    if body.len() > LONGEST_QUESTION {
        return Err(Denied::status(client::BAD_PARAMETER));
    }
    if is_of_groups(topic) {
        if !call.settings().hosting {
            return Err(Denied::status(client::NO_HOSTING));
        }
        if !call.settings().client_groups {
            return Err(Denied::status(client::NO_CLIENTS));
        }
    }
    match topic {
        "channelCreate" => group::create::create(call, body).await,
        "upChannelInfo" => group::profile::update(call, body).await,
        "qChannelInfo" => group::profile::query(call, body).await,
        "channelMemKick" => group::leaving::kick(call, body).await,
        "channelMemQuit" => group::leaving::quit(call, body).await,
        "channelDismiss" => group::leaving::dismiss(call, body).await,
        "channelTransfer" => group::leaving::transfer(call, body).await,
        "upChannelManager" => group::managers::update(call, body).await,
        "upChannelRemark" => group::personal::remark(call, body).await,
        "upChannelFollow" => group::personal::follow(call, body).await,
        "qChannelFollow" => group::personal::follows(call, body).await,
        "upChannelMem" => group::members::update(call, body).await,
        "qChannelSpeMem" => group::members::named(call, body).await,
        "qChannelMem" => group::members::by_role(call, body).await,
        "channelMemJoin" => group::joining::join(call, body).await,
        "channelMemInvite" => group::joining::invite(call, body).await,
        "channelApplyResp" => group::joining::respond(call, body).await,
        "qChannelApplyList" => group::applications::list(call, body).await,
        "qChannelMemSpeJoin" => group::joined::named(call, body).await,
        "qChannelMemJoin" => group::joined::by_role(call, body).await,
        "qryGMsg" => message::history::query(call, body).await,
        "qryMsg" => message::history::named(call, body).await,
        "qryRelationR" => message::conversations::list(call, body).await,
        "qryRLBatch" => message::conversations::named(call, body).await,
        "qAppBot" => Ok(sync::robots()),
        "pullUS" => sync::user_settings(body),
        "pullSeAtts" => sync::conversation_states(body),
        "modifyMsg" => message::modify::modify(call, body).await,
        "readReceipt" => message::receipts::read(call, body).await,
        "qryReceipt" => message::receipts::readers(call, body).await,
        "qryReceiptBatch" => message::receipts::counts(call, body).await,
        "pullUserSub" => sync::subscriptions(body),
        "pullSubData" => sync::subscribed(body),
        "pullOwnProfile" => sync::own_profile(call).await,
        "pullUserProfile" => sync::profiles(call, body).await,
        // the SDK's own reports are ignored
        "reportsdk" => Ok(Vec::new()),
        _ => {
            tracing::debug!(topic, "a client's query is not supported");
            Err(Denied::status(client::UNSUPPORTED))
        }
    }
}
