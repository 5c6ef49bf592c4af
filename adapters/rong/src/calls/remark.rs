//! A user's own name for a hosted group.

use conclave_core::model::{GroupId, UserId};
use conclave_core::operation::SetRemark;
use conclave_core::query::Remark;

use super::{Caller, NotDone};
use crate::dialect::limits;
use crate::refusals::Code;

/// Sets the name.
pub(crate) async fn set(caller: &Caller<'_>, group: GroupId, user: UserId, text: String) -> Result<(), NotDone> {
    if limits::is_longer(&text, limits::REMARK) {
        return Err(Code::FieldTooLong.into());
    }
    if text.trim().is_empty() {
        return Err(Code::BadFormat.saying("remarkName must not be blank").into());
    }
    caller.own_group(&group).await?;
    caller.run(SetRemark { group, user, text }).await
}

/// Removes the name.
pub(crate) async fn delete(caller: &Caller<'_>, group: GroupId, user: UserId) -> Result<(), NotDone> {
    caller.own_group(&group).await?;
    caller.run(SetRemark { group, user, text: String::new() }).await
}

/// The name; "" when there is none.
pub(crate) async fn get(caller: &Caller<'_>, group: GroupId, user: UserId) -> Result<String, NotDone> {
    caller.own_group(&group).await?;
    Ok(caller.ask(Remark { group, user }).await?.0)
}
