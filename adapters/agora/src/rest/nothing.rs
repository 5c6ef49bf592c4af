//! Empty responses to the other requests that client SDKs and UI kits make when they start (contacts, presence, ...), in
//! the shape they expect, so that they continue.

use serde_json::json;

use super::call::Call;
use super::envelope::Reply;
use crate::refusals::Failure;

/// An empty list in `data`, and in `entities`, where some of the calls read it.
#[allow(clippy::unused_async, reason = "routes are asynchronous")]
pub(crate) async fn list(_: &Call<'_>) -> Result<Reply, Failure> {
    Ok(Reply::data(&json!([])).count(0))
}

/// `GET /users/{user}/contacts`.
#[allow(clippy::unused_async, reason = "routes are asynchronous")]
pub(crate) async fn contacts(_: &Call<'_>) -> Result<Reply, Failure> {
    Ok(Reply::data(&json!({"contacts": [], "cursor": ""})))
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

/// `GET /users/{user}/notification`, of some conversations or of all.
#[allow(clippy::unused_async, reason = "routes are asynchronous")]
pub(crate) async fn notification(_: &Call<'_>) -> Result<Reply, Failure> {
    Ok(Reply::data(&json!({"user": {}, "group": {}})))
}
