//! `/entrust/group/profile/update.json`: changes what is given and leaves the rest.

use conclave_core::event::ProfileChange;
use conclave_core::operation::UpdateGroup;

use super::{Texts, check_name};
use crate::refusals::Failure;
use crate::rest::{Call, envelope};

pub(crate) async fn update(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
    let group = call.hosted_group().await?;
    let texts = Texts::of(call)?;
    // documented inside groupProfile, sent beside it by the Java and PHP SDKs; the documented place wins
    let name = texts.profile.name.as_deref().or_else(|| call.form.given("name"));
    let name = name.map(|name| check_name(call, name)).transpose()?;
    let update = UpdateGroup {
        profile: ProfileChange {
            name: name.map(str::to_owned),
            introduction: texts.profile.introduction,
            avatar: texts.profile.portrait,
            fields: texts.fields,
            ..ProfileChange::default()
        },
        announcement: texts.profile.announcement,
        policy: texts.permissions.change(),
        ..UpdateGroup::of(group.id.clone())
    };
    call.run(update).await?;
    envelope::done()
}
