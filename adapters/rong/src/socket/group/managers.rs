//! `upChannelManager`: adds or removes managers.

use crate::calls::{NotDone, managers};
use crate::dialect::limits;
use crate::refusals::{Code, client};
use crate::socket::call::{Call, Denied, QueryReply, decode};
use crate::socket::wire::ModifyChannelsInput;

pub(crate) async fn update(call: &Call<'_>, body: &[u8]) -> QueryReply {
    let asked: ModifyChannelsInput = decode(body)?;
    let group = Call::group_id(asked.target_id.as_ref())?;
    if asked.users.len() > limits::MANAGERS {
        return Err(Code::TooMany.into());
    }
    let users = Call::user_ids(&asked.users, limits::MANAGERS)?;
    let done = match asked.operate_type {
        Some(1) => managers::add(&call.caller(), group, users).await.map(drop),
        Some(2) => managers::remove(&call.caller(), group, users).await,
        _ => return Err(Code::BadParameter.into()),
    };
    match done {
        Ok(()) => Ok(Vec::new()),
        Err(NotDone::Refused(refusal)) => Err(Denied::status(client::managers(&refusal))),
        Err(NotDone::Failed(failure)) => Err(failure.into()),
    }
}
