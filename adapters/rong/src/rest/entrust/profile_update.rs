//! `/entrust/group/profile/update.json`: changes the given fields and keeps the others.

use super::{check_name, texts};
use crate::calls::profile;
use crate::refusals::Failure;
use crate::rest::{Call, envelope};

pub(crate) async fn update(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let group = call.group_id()?;
    let mut texts = texts(call)?;
    // documented inside groupProfile, sent beside it by the Java and PHP SDKs; the documented one is preferred
    let name = texts.profile.name.as_deref().or_else(|| call.form.given("name"));
    let name = name.map(|name| check_name(call, name).map(str::to_owned)).transpose()?;
    texts.profile.name = name;
    profile::update(&call.caller(), group, texts).await.map_err(|why| call.not_done(why))?;
    envelope::done()
}
