//! The requests with which an app's server reads a group.

use bytes::Bytes;
use conclave_core::model::Millis;
use conclave_kit::GroupRead;
use http::Request;
use http::header::AUTHORIZATION;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::auth::{Claims, Subject};
use crate::realm::{Credentials, tokens};

/// How long the token of such a request is valid, in milliseconds.
const LIFETIME: u64 = 60_000;

/// Its details, and its admins.
pub(crate) fn requests(credentials: &Credentials, group: &str, now: Millis) -> Vec<GroupRead> {
    let claims = Claims { subject: Subject::App, issued: now, expires: Some(now.plus(LIFETIME)), precise: true };
    let bearer = format!("Bearer {}", tokens(credentials).seal(&claims));
    let group = utf8_percent_encode(group, NON_ALPHANUMERIC);
    let path = format!("/{}/{}/chatgroups/{group}", credentials.org, credentials.app);
    let read = |path: String| {
        let request = Request::builder().uri(path).header(AUTHORIZATION, bearer.as_str()).body(Bytes::new());
        // an org or app that is no part of a path is refused in the configuration
        request.ok().map(GroupRead)
    };
    [path.clone(), format!("{path}/admin")].into_iter().filter_map(read).collect()
}
