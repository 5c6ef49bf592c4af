//! `upChannelManager`: makes members managers, or ordinary members again.

use conclave_core::operation::{Demote, OnOutsider, Promote};

use crate::dialect::limits;
use crate::refusals::{Code, client};
use crate::socket::call::{Answer, Call, Denied, decode};
use crate::socket::wire::ModifyChannelsInput;

pub(crate) async fn update(call: &Call<'_>, body: &[u8]) -> Answer {
    let asked: ModifyChannelsInput = decode(body)?;
    let group = Call::group_id(asked.target_id.as_ref())?;
    if asked.users.len() > limits::MANAGERS {
        return Err(Code::TooMany.into());
    }
    let users = Call::user_ids(&asked.users, limits::MANAGERS)?;
    let refused = match asked.operate_type {
        Some(1) => {
            let most = Some(call.settings().managers);
            call.try_run(Promote { group, users, most, on_outsider: OnOutsider::Refuse }).await.err()
        }
        Some(2) => call.try_run(Demote { group, users, skip_others: false }).await.err(),
        _ => return Err(Code::BadParameter.into()),
    };
    match refused {
        None => Ok(Vec::new()),
        Some(refusal) => Err(Denied::status(client::managers(&refusal))),
    }
}
