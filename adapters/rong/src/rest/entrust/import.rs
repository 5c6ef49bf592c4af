//! `/entrust/group/import.json`: turns a legacy group into a hosted one. Members stay, and are not notified.

use conclave_core::operation::{Govern, OnUnknown};
use conclave_core::query::GroupById;

use super::{group_name, texts};
use crate::refusals::Failure;
use crate::rest::{Call, envelope};

pub(crate) async fn import(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let id = call.group_id()?;
    let name = group_name(call)?;
    let owner = call.user_id("owner")?;
    let texts = texts(call)?;
    call.check_new_members("owner", std::slice::from_ref(&owner)).await?;

    // keeps the profile fields of other surfaces
    let mut profile = call.ask(GroupById { group: id.clone() }).await?.group.profile.clone();
    name.clone_into(&mut profile.name);
    let announcement = texts.profile.over(&mut profile);
    profile.fields.extend(texts.fields);
    profile.fields.retain(|_, value| !value.is_empty());
    let policy = texts.permissions.policy(call.settings().group_capacity);
    let govern = Govern { group: id, owner, profile, announcement, policy, on_unknown: OnUnknown::Register };
    call.run(govern).await?;
    envelope::done()
}
