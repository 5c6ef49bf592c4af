//! CORS: vendors' clients send headers that need a browser's preflight.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderValue, ORIGIN, VARY,
};
use http::{Method, Response, StatusCode};

/// How long a browser may cache the permission, in seconds: the longest that any browser does.
const MAX_AGE: HeaderValue = HeaderValue::from_static("86400");

/// What a vendor's client may send from a page.
#[derive(Debug)]
pub(crate) struct Cors {
    methods: HeaderValue,
    headers: HeaderValue,
}

impl From<conclave_kit::Cors> for Cors {
    fn from(cors: conclave_kit::Cors) -> Self {
        Self { methods: HeaderValue::from_static(cors.methods), headers: HeaderValue::from_static(cors.headers) }
    }
}

impl Cors {
    /// The response to a preflight; it has no credentials, so none are checked.
    pub(crate) fn preflight<B: Default>(&self) -> Response<B> {
        let mut answer = Response::new(B::default());
        *answer.status_mut() = StatusCode::NO_CONTENT;
        let headers = answer.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, self.methods.clone());
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, self.headers.clone());
        headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        answer
    }
}

/// Whether a request is a browser's preflight rather than an operation of a client.
pub(crate) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::OPTIONS && headers.contains_key(ORIGIN) && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// Lets the calling page read the response, unless the surface has set who may.
pub(crate) fn allow(headers: &mut HeaderMap, page: HeaderValue) {
    if page != "*" {
        headers.append(VARY, HeaderValue::from_static("Origin"));
    }
    headers.entry(ACCESS_CONTROL_ALLOW_ORIGIN).or_insert(page);
}
