//! The requests with which an app's server reads a group.

use bytes::Bytes;
use conclave_core::model::Millis;
use conclave_kit::GroupRead;
use http::Request;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::auth::user_sig;
use crate::realm::Credentials;

/// How long the signature of such a request is valid, in seconds.
const LIFETIME: u64 = 60;

/// Its profile, and its members. None where the realm has no admins.
pub(crate) fn requests(credentials: &Credentials, group: &str, now: Millis) -> Vec<GroupRead> {
    let Credentials { sdkappid, secret_key, admins } = credentials;
    let Some(admin) = admins.first() else { return Vec::new() };
    let signature = user_sig(*sdkappid, secret_key, admin, now.seconds(), LIFETIME);
    let admin = utf8_percent_encode(admin, NON_ALPHANUMERIC);
    let read = |command: &str, body: Value| {
        let query = format!("sdkappid={sdkappid}&identifier={admin}&usersig={signature}&random=1&contenttype=json");
        let request = Request::builder().method("POST").uri(format!("/v4/group_open_http_svc/{command}?{query}"));
        request.body(Bytes::from(body.to_string())).ok().map(GroupRead)
    };
    let info = read("get_group_info", json!({ "GroupIdList": [group] }));
    let members = read("get_group_member_info", json!({ "GroupId": group, "Limit": 100, "Offset": 0 }));
    info.into_iter().chain(members).collect()
}
