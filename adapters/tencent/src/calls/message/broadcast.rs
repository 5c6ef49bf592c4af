//! `send_broadcast_msg`: sends the same message to every live room of the app, for the members who are online.

use conclave_core::model::{Labels, Sender, UserId};
use conclave_core::operation::Broadcast;
use conclave_core::query::ListGroups;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{body, check_beside, send};
use crate::calls::wire::Account;
use crate::calls::{Call, envelope};
use crate::dialect::kind::Kind;
use crate::dialect::message::label;
use crate::refusals::Failure;

/// Groups that are read, and sent the message, at a time.
const PAGE: usize = 256;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    #[serde(rename = "From_Account")]
    from: Option<Account>,
    random: Option<u64>,
    msg_body: Option<Vec<Value>>,
    cloud_custom_data: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct BroadcastResponse {
    msg_seq: u64,
}

pub(crate) async fn broadcast(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let from = call.acting_user("From_Account", request.from)?;
    let random = call.required("Random", request.random)?;
    let content = Value::from(request.msg_body.clone().unwrap_or_default()).to_string();
    check_beside(request.cloud_custom_data.as_deref())?;
    let (body, mut labels) = body(request.msg_body)?;
    labels.extend(labels_of(random, request.cloud_custom_data));
    if let Some(from) = &from {
        call.check_account(from).await?;
    }
    let sender = from.or_else(|| UserId::new(call.account()).ok()).map_or(Sender::App, Sender::User);
    let token = send::token(random, content.as_bytes());
    let mut said = Broadcast { groups: Vec::new(), sender, body, token, labels, part: None, next: None };
    let (mut number, mut after) = (None, None);
    loop {
        let list = ListGroups { discoverable: false, after, skip: 0, limit: PAGE, newest_first: false };
        let page = call.ask(list).await?;
        let live = page.groups.iter().filter(|group| Kind::of(group) == Kind::AvChatRoom);
        said.groups = live.map(|group| group.id.clone()).collect();
        said.next = page.next;
        // the first page assigns the number and the last one ends the broadcast, even if there is no room in them
        if let (Some(_), true, Some(next)) = (number, said.groups.is_empty(), &said.next) {
            after = Some(next.clone());
            continue;
        }
        // an interrupted call continues where it stopped, even beside another one with the same token
        let aired = call.run(said.clone()).await?;
        number = Some(aired.number);
        if aired.next.is_none() {
            break;
        }
        said.part.clone_from(&aired.next);
        after = aired.next;
    }
    envelope::with(&BroadcastResponse { msg_seq: number.unwrap_or_default() })
}

fn labels_of(random: u64, cloud_data: Option<String>) -> Labels {
    let more = [
        (label::RANDOM, Some(random.to_string())),
        (label::CLOUD_DATA, cloud_data),
        // the vendor sends no callbacks for the rooms
        (label::FORBIDDEN, Some(crate::webhooks::after::NO_CALLBACK.to_owned())),
    ];
    more.into_iter().filter_map(|(label, value)| Some((label.to_owned(), value?))).collect()
}
