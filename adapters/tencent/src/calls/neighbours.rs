//! What clients ask besides groups when they sign in: friends, switches of the console, keys for media. None of it exists
//! here, and they are told so in the way that lets them get ready. Source: the clients' protocol.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Call, envelope};
use crate::refusals::Failure;

/// Nothing of these requests counts.
#[derive(Deserialize)]
struct Request {}

fn read(call: &Call<'_>) -> Result<(), Failure> {
    let Request {} = call.read()?;
    Ok(())
}

/// How long clients keep switches and features before they ask again, in seconds.
const KEPT: u32 = 3600;

/// `black_list_get`: whom the user has blocked in one-to-one chat. Clients ask on until `StartIndex` is 0.
pub(crate) async fn blocked(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
    read(call)?;
    envelope::with(&json!({ "BlackListItem": [], "StartIndex": 0, "CurruentSequence": 0 }))
}

/// `friend_get`, and `friend_get_all` of older clients.
pub(crate) async fn friends(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
    read(call)?;
    envelope::with(&json!({ "UserDataItem": [], "FriendNum": 0, "CompleteFlag": 1, "NextStartIndex": 0 }))
}

/// `group_get`: groups that the user sorts friends into.
pub(crate) async fn friend_groups(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
    read(call)?;
    envelope::with(&json!({ "ResultItem": [] }))
}

/// `pendency_get`: who asks to be a friend.
pub(crate) async fn friend_requests(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
    read(call)?;
    envelope::with(&json!({ "PendencyItem": [], "StartTime": 0 }))
}

/// `get_contact_group`: groups that the user sorts conversations into. Clients ask on until `CompleteFlag` is 1.
pub(crate) async fn conversation_groups(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
    read(call)?;
    envelope::with(&json!({ "GroupItem": [], "ContactItem": [], "CompleteFlag": 1 }))
}

/// `deletemsg`: clients take a notice off the list that is kept for the user. None is kept.
pub(crate) async fn done(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
    read(call)?;
    envelope::done()
}

/// `authkey`: a key for media, of which there are none.
pub(crate) async fn media_key(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
    read(call)?;
    envelope::with(&json!({ "AuthKey": "", "ExpireTime": KEPT }))
}

#[derive(Serialize)]
struct Configuration {
    int32_error_code: u32,
    str_error_message: &'static str,
    /// A JSON object as text, with switches as texts; without any, clients take their own defaults.
    str_json_config: &'static str,
    uint32_expired_time: u32,
    uint32_sdkappid: u32,
    uint64_version: u64,
}

/// `fetch_config`: switches of the vendor's cloud.
pub(crate) async fn configuration(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
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

/// Every feature of every edition: 64 bits, the first feature is the last character. What is not served is refused where
/// it is asked for.
pub(crate) const FEATURES: &str = "1111111111111111111111111111111111111111111111111111111111111111";

/// `fetch_imsdk_purchase_bitsv2`: the features that the app has bought.
pub(crate) async fn features(call: &Call<'_>) -> Result<envelope::Answer, Failure> {
    read(call)?;
    envelope::with(&json!({
        "int32_error_code": 0, "str_error_message": "",
        "str_purchase_bits": FEATURES, "uint32_expired_time": KEPT,
    }))
}
