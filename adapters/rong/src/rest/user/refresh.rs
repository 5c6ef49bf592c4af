//! `/user/refresh.json`: changes the name and the portrait that push notifications show; missing ones stay as they are.

use conclave_core::operation::UpdateUser;

use super::Shown;
use crate::refusals::Failure;
use crate::rest::{Call, envelope};

pub(crate) async fn refresh(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let user = call.user_id("userId")?;
    let shown = Shown::of(call)?;
    let update = UpdateUser {
        nick: shown.name.filter(|name| !name.is_empty()).map(str::to_owned),
        avatar: shown.portrait.map(str::to_owned),
        ..UpdateUser::of(user)
    };
    call.run(update).await?;
    envelope::done()
}
