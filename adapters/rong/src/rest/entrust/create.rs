//! `/entrust/group/create.json`: creates a hosted group.

use super::{group_name, texts};
use crate::calls::create::{self, Create};
use crate::dialect::limits;
use crate::refusals::Failure;
use crate::rest::{Call, envelope};

pub(crate) async fn create(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let create = Create {
        id: call.new_group_id()?,
        name: group_name(call)?.to_owned(),
        owner: call.user_id("owner")?,
        members: call.optional_user_ids("userIds", limits::CREATE_USERS)?,
        texts: texts(call)?,
    };
    create::create(&call.caller(), create).await.map_err(|why| call.not_done(why))?;
    envelope::done()
}
