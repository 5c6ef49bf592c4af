//! Changes a hosted group's profile and permissions.

use conclave_core::event::ProfileChange;
use conclave_core::model::GroupId;
use conclave_core::operation::UpdateGroup;

use super::{Caller, NotDone, Texts};

/// Changes the given fields and keeps the others.
pub(crate) async fn update(caller: &Caller<'_>, group: GroupId, texts: Texts) -> Result<(), NotDone> {
    caller.hosted_group(&group).await?;
    let Texts { profile, permissions, fields } = texts;
    let update = UpdateGroup {
        profile: ProfileChange {
            name: profile.name,
            introduction: profile.introduction,
            avatar: profile.portrait,
            fields,
            ..ProfileChange::default()
        },
        announcement: profile.announcement,
        policy: permissions.change(),
        ..UpdateGroup::of(group)
    };
    caller.run(update).await
}
