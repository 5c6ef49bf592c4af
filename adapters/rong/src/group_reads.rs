//! The requests with which an app's server reads a group.

use bytes::Bytes;
use conclave_core::model::Millis;
use conclave_kit::GroupRead;
use http::Request;
use http::header::CONTENT_TYPE;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::auth::signature::sign;
use crate::realm::Credentials;

/// The profile and members of a hosted group, and the members as they are read of any group.
pub(crate) fn requests(credentials: &Credentials, group: &str, now: Millis) -> Vec<GroupRead> {
    let group = utf8_percent_encode(group, NON_ALPHANUMERIC);
    let timestamp = now.0.to_string();
    let read = |(path, body): (&'static str, String)| {
        // another one for each path, where replays are refused
        let nonce = format!("{}-{timestamp}", path.len());
        let request = Request::builder()
            .method("POST")
            .uri(path)
            .header("app-key", &credentials.app_key)
            .header("nonce", &nonce)
            .header("timestamp", &timestamp)
            .header("signature", sign(&credentials.app_secret, &nonce, &timestamp))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        request.body(Bytes::from(body)).ok().map(GroupRead)
    };
    let reads = [
        ("/entrust/group/profile/query.json", format!("groupIds={group}")),
        ("/entrust/group/member/query.json", format!("groupId={group}&size=100")),
        ("/group/user/query.json", format!("groupId={group}")),
    ];
    reads.into_iter().filter_map(read).collect()
}
