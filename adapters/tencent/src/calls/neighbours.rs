//! What clients request besides groups when they sign in: friends, feature switches, keys for media. None of it is
//! supported; the responses let clients become ready. Source: the clients' protocol.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Call, envelope};
use crate::refusals::Failure;

/// No parameter of these requests has an effect.
#[derive(Deserialize)]
struct Request {}

fn read(call: &Call<'_>) -> Result<(), Failure> {
    let Request {} = call.read()?;
    Ok(())
}

/// How long clients cache switches and features, in seconds.
const KEPT: u32 = 3600;

/// `black_list_get`: the users blocked in one-to-one chat. Clients repeat the request until `StartIndex` is 0.
pub(crate) async fn blocked(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    read(call)?;
    envelope::with(&json!({ "BlackListItem": [], "StartIndex": 0, "CurruentSequence": 0 }))
}

/// `friend_get`, and `friend_get_all` of older clients.
pub(crate) async fn friends(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    read(call)?;
    envelope::with(&json!({ "UserDataItem": [], "FriendNum": 0, "CompleteFlag": 1, "NextStartIndex": 0 }))
}

/// `group_get`: the user's folders of friends.
pub(crate) async fn friend_groups(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    read(call)?;
    envelope::with(&json!({ "ResultItem": [] }))
}

/// `pendency_get`: friend requests.
pub(crate) async fn friend_requests(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    read(call)?;
    envelope::with(&json!({ "PendencyItem": [], "StartTime": 0 }))
}

/// `get_contact_group`: the user's folders of conversations. Clients repeat the request until `CompleteFlag` is 1.
pub(crate) async fn conversation_groups(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    read(call)?;
    envelope::with(&json!({ "GroupItem": [], "ContactItem": [], "CompleteFlag": 1 }))
}

/// `deletemsg`: deletes a notice from the list stored for the user. None is stored.
pub(crate) async fn done(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    read(call)?;
    envelope::done()
}

/// `authkey`: a key for downloads, which need none here.
pub(crate) async fn media_key(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    read(call)?;
    envelope::with(&json!({ "AuthKey": "", "ExpireTime": KEPT }))
}

#[derive(Serialize)]
struct Configuration {
    int32_error_code: u32,
    str_error_message: &'static str,
    /// A JSON object as text, with switches as texts; clients use their own defaults for missing ones.
    str_json_config: &'static str,
    uint32_expired_time: u32,
    uint32_sdkappid: u32,
    uint64_version: u64,
}

/// `fetch_config`: feature switches of the vendor's cloud.
pub(crate) async fn configuration(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    read(call)?;
    envelope::with(&Configuration {
        int32_error_code: 0,
        str_error_message: "",
        str_json_config: "{}",
        uint32_expired_time: KEPT,
        uint32_sdkappid: call.app.realm.credentials.sdkappid,
        uint64_version: 1,
    })
}

/// Every feature of every edition: 64 bits, the first feature is the last character. Unsupported ones are refused when
/// they are used.
pub(crate) const FEATURES: &str = "1111111111111111111111111111111111111111111111111111111111111111";

/// `fetch_imsdk_purchase_bitsv2`: the features of the app's plan.
pub(crate) async fn features(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    read(call)?;
    envelope::with(&json!({
        "int32_error_code": 0, "str_error_message": "",
        "str_purchase_bits": FEATURES, "uint32_expired_time": KEPT,
    }))
}
