//! What client SDKs and the kits built on them ask for beside groups when they start: they are told that there is nothing,
//! in the shape in which they read it, so that they go on.

use serde_json::json;

use super::call::Call;
use super::envelope::Reply;
use crate::refusals::Failure;

/// A list in `data`, and in `entities`, where some of the calls read it.
#[allow(clippy::unused_async, reason = "routes are asynchronous")]
pub(crate) async fn list(_: &Call<'_>) -> Result<Reply, Failure> {
    Ok(Reply::data(&json!([])).count(0))
}

/// `GET /users/{user}/contacts`.
#[allow(clippy::unused_async, reason = "routes are asynchronous")]
pub(crate) async fn contacts(_: &Call<'_>) -> Result<Reply, Failure> {
    Ok(Reply::data(&json!({"contacts": [], "cursor": ""})))
}

/// `GET /sdk/user/{user}/user_channel/pin`.
#[allow(clippy::unused_async, reason = "routes are asynchronous")]
pub(crate) async fn pinned_messages(_: &Call<'_>) -> Result<Reply, Failure> {
    Ok(Reply::data(&json!({"msg_infos": [], "cursor": ""})))
}

/// `GET /sdk/user/{user}/user_channels/mark/search`.
#[allow(clippy::unused_async, reason = "routes are asynchronous")]
pub(crate) async fn conversations(_: &Call<'_>) -> Result<Reply, Failure> {
    Ok(Reply::data(&json!({"channel_infos": [], "cursor": ""})))
}

/// `GET /users/{user}/presence/sublist`.
#[allow(clippy::unused_async, reason = "routes are asynchronous")]
pub(crate) async fn presence(_: &Call<'_>) -> Result<Reply, Failure> {
    Ok(Reply::bare().with("result", &json!({"totalnum": 0, "sublist": []})))
}

/// `GET /users/{user}/notification`, of conversations or of all.
#[allow(clippy::unused_async, reason = "routes are asynchronous")]
pub(crate) async fn notification(_: &Call<'_>) -> Result<Reply, Failure> {
    Ok(Reply::data(&json!({"user": {}, "group": {}})))
}
