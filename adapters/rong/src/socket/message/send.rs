//! `pgMsgP` and `pgMsgS`: a message to a group; the second kind is not stored.

use conclave_core::model::{GroupId, Labels, Millis, Sender, Traits, UserId};
use conclave_core::operation::SendMessage;

use super::{TOKEN, expansion, flag, label, option, push_label, quote_label};
use crate::dialect::{limits, message};
use crate::refusals::client;
use crate::socket::call::{Call, decode};
use crate::socket::frame::Request;
use crate::socket::wire::UpStreamMessage;

/// Sends it: returns its time and its id, or the status of the refusal.
pub(crate) async fn send(call: &Call<'_>, request: &Request, stored: bool) -> Result<(Millis, String), u16> {
    let up: UpStreamMessage = decode(&request.body).map_err(|denied| denied.status)?;
    if up.content.len() > limits::CONTENT_BYTES {
        return Err(client::CONTENT_TOO_LONG);
    }
    if up.classname.is_empty() || limits::is_longer(&up.classname, limits::OBJECT_NAME) {
        return Err(client::BAD_PARAMETER);
    }
    if up.to_user_ids.len() > limits::LEGACY_USERS {
        return Err(client::BAD_PARAMETER);
    }
    let mut beside = Labels::new();
    keep(&mut beside, &up);
    // extensions have limits of their own
    beside.remove(&label("extraContent"));
    if beside.values().any(|text| text.len() > limits::BESIDE_BYTES) {
        return Err(client::BAD_PARAMETER);
    }
    let group = GroupId::new(&request.target).map_err(|_| client::NOT_IN_GROUP)?;
    if up.classname == message::EXPANSION {
        return expansion::extend(call, &up.content, &request.target).await;
    }
    let send = draft(call, group, &up, stored);
    // ids that nobody can have: without recipients the message would be for all members
    if send.targets.is_empty() && !up.to_user_ids.is_empty() {
        return Err(client::NOT_IN_GROUP);
    }
    if !limits::are_expansions(&send.extensions, limits::EXPANSIONS) {
        return Err(client::BAD_EXPANSION);
    }
    let posted = call.try_run(send).await.map_err(|refusal| client::speech(&refusal))?;
    Ok((posted.message.at, message::uid(&posted.message.id)))
}

fn draft(call: &Call<'_>, group: GroupId, up: &UpStreamMessage, stored: bool) -> SendMessage {
    let (body, mut labels) = message::body(&up.classname, &up.content);
    keep(&mut labels, up);
    SendMessage {
        targets: up.to_user_ids.iter().filter_map(|id| UserId::new(id).ok()).collect(),
        mention: (up.session_id & flag::MENTIONS != 0).then(|| message::mention(&up.content)).flatten(),
        counted: up.session_id & flag::COUNTED != 0,
        stored,
        shown_last: up.option_bits.unwrap_or(0) & option::NOT_LAST == 0,
        token: up.client_unique_id.filter(|id| *id != 0).map(|id| format!("{TOKEN}{id}")),
        traits: Traits {
            receipts: up.option_bits.unwrap_or(0) & option::RECEIPTS != 0,
            extensible: up.session_id & flag::EXPANDABLE != 0,
            ..Traits::default()
        },
        extensions: up.extra_content.as_deref().map(message::expansion).unwrap_or_default(),
        labels,
        ..SendMessage::new(group, Sender::User(call.user.clone()), body)
    }
}

/// Stores the fields that the core does not have.
fn keep(labels: &mut Labels, up: &UpStreamMessage) {
    let mut put = |field: &str, value: Option<String>| {
        labels.extend(value.filter(|value| !value.is_empty()).map(|value| (label(field), value)));
    };
    put("session", Some(up.session_id.to_string()));
    put("pushContent", up.push_text.clone());
    put("pushData", up.app_data.clone());
    put("configFlag", up.config_flag.map(|flags| flags.to_string()));
    put("optionBits", up.option_bits.map(|bits| bits.to_string()));
    put("extraContent", up.extra_content.clone());
    put("busChannel", up.bus_channel.clone());
    put("pushExt", up.push_ext.as_ref().map(push_label));
    put("quoted", up.ref_data.as_ref().map(quote_label));
}
