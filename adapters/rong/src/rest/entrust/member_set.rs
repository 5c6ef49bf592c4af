//! `/entrust/group/member/set.json`: a member's nickname and `extra` in the group. The Go SDK omits an empty nickname,
//! so missing fields stay as they are.

use crate::calls::members;
use crate::dialect::limits;
use crate::refusals::Failure;
use crate::rest::call::missing;
use crate::rest::{Call, envelope};

pub(crate) async fn set(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let user = call.user_id("userId")?;
    let (nickname, extra) = (call.form.value("nickname"), call.form.value("extra"));
    if nickname.is_none() && extra.is_none() {
        return Err(missing("nickname"));
    }
    call.check_length("nickname", nickname.unwrap_or_default(), limits::NICKNAME)?;
    call.check_length("extra", extra.unwrap_or_default(), limits::EXTRA)?;
    let group = call.group_id()?;
    let texts = (nickname.map(str::to_owned), extra.map(str::to_owned));
    members::set(&call.caller(), group, user, texts).await.map_err(|why| call.not_done(why))?;
    envelope::done()
}
