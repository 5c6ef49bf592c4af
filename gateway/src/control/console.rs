//! The console: one page for people, over the same endpoints. It is part of the binary and loads nothing else.

use bytes::Bytes;
use conclave_kit::Body;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, Response};

use crate::payload::Payload;

/// Scripts and styles of the listener itself, requests to it, and nothing else; no page may frame it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// The files of the page: path, type, content. Served without the control token, which the page asks for.
const FILES: [(&str, &str, &str); 3] = [
    ("/", "text/html; charset=utf-8", include_str!("console/index.html")),
    ("/console.css", "text/css; charset=utf-8", include_str!("console/console.css")),
    ("/console.js", "text/javascript; charset=utf-8", include_str!("console/console.js")),
];

/// The file at a path, if it is one of the page's.
pub(super) fn file(path: &str) -> Option<Response<Payload>> {
    let (_, content_type, content) = FILES.into_iter().find(|(name, ..)| *name == path)?;
    let mut answer = Response::new(Payload::new(Body::Whole(Bytes::from_static(content.as_bytes())), None));
    let headers: [(HeaderName, &'static str); 5] = [
        (CONTENT_TYPE, content_type),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-cache"),
    ];
    for (name, value) in headers {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    Some(answer)
}
