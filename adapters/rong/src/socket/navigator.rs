//! `POST /v2/navi.json`: tells a client, by its token, where to connect. Older clients request `GET /navi.js` and
//! expect the same wrapped in a call of a JavaScript function.

use conclave_kit::{Body, Head};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE,
    ALLOW, CONTENT_TYPE,
};
use http::{HeaderValue, Method, Response, StatusCode};
use serde::Serialize;

use crate::realm::web_address;
use crate::rest::form::Form;
use crate::surface::Rong;

/// The operation of those requests.
pub(crate) const OPERATION: &str = "navi";

/// Whether a request is for the navigator. It is not signed: it is authenticated by its token.
pub(crate) fn answers(method: &Method, path: &str) -> bool {
    match path {
        "/v2/navi.json" => [Method::POST, Method::OPTIONS].contains(method),
        "/navi.js" => *method == Method::GET,
        _ => false,
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Address<'a> {
    addr: &'a str,
    /// 5 is plain, 6 is over TLS.
    protocol: u8,
    weight: u32,
    race: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Found<'a> {
    code: u16,
    user_id: &'a str,
    server_addr: [Address<'a>; 1],
    server: &'a str,
    backup_server: &'a str,
    /// Without this the SDK itself refuses every group method.
    user_profile: u8,
    /// Version of read receipts: 0 those sent as messages, 4 those of single messages, which the SDKs call version 5.
    #[serde(rename = "grpRRVer")]
    receipts: u8,
    /// Logs are not uploaded.
    log_switch: u8,
    open_anti: u8,
}

#[derive(Serialize)]
struct Refused {
    code: u16,
}

/// Answers a request to the navigator.
pub(crate) fn answer(rong: &Rong, head: &Head, body: &[u8]) -> Response<Body> {
    if head.method == Method::OPTIONS {
        return preflight();
    }
    let base_url = &head.base_url();
    let (form, mut response);
    if head.method == Method::GET {
        form = Form::parse(head.query().unwrap_or_default().as_bytes());
        let (app_key, token) = (value(&form, "appId"), value(&form, "token"));
        let (_, answer) = locate(rong, app_key, token, base_url);
        response = script(value(&form, "callBack"), &answer);
    } else {
        form = Form::parse(body);
        let app_key = head.headers.get("rc-appkey").and_then(|key| key.to_str().ok()).unwrap_or_default();
        let (status, answer) = locate(rong, app_key, value(&form, "token"), base_url);
        response = respond(status, "application/json; charset=utf-8", answer);
    }
    form.unread().go_with(&mut response);
    response
}

/// The status and the JSON of the response.
fn locate(rong: &Rong, app_key: &str, token: &str, base_url: &str) -> (StatusCode, String) {
    // a token that was issued here gets the address, even if it is not valid any more: the SDK knows one error here,
    // and all of them at the connection
    let app = rong.app(app_key);
    let found = app.as_ref().and_then(|app| Some((app, app.tokens.whose(token)?)));
    let Some((app, user)) = found else {
        let status = StatusCode::UNAUTHORIZED;
        return (status, json(&Refused { code: status.as_u16() }));
    };
    let settings = &app.realm.settings;
    let elsewhere = settings.moved_to.as_deref().and_then(web_address);
    let (addr, secure) = elsewhere.unwrap_or_else(|| address(base_url));
    let found = Found {
        code: 200,
        user_id: user.as_str(),
        server_addr: [Address { addr, protocol: if secure { 6 } else { 5 }, weight: 100, race: false }],
        server: addr,
        backup_server: "",
        user_profile: u8::from(settings.hosting),
        receipts: if settings.message_receipts { 4 } else { 0 },
        log_switch: 0,
        open_anti: 0,
    };
    (StatusCode::OK, json(&found))
}

/// Host, port and path of the surface's root, and whether it uses TLS.
fn address(base_url: &str) -> (&str, bool) {
    match base_url.split_once("://") {
        Some((scheme, rest)) => (rest.trim_end_matches('/'), scheme.eq_ignore_ascii_case("https")),
        None => (base_url.trim_end_matches('/'), false),
    }
}

fn value<'f>(form: &'f Form, key: &str) -> &'f str {
    form.value(key).unwrap_or_default()
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn respond(status: StatusCode, kind: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

/// Browsers send a preflight: the request has headers of the vendor's own.
fn preflight() -> Response<Body> {
    let mut response = respond(StatusCode::NO_CONTENT, "text/plain", String::new());
    let headers = response.headers_mut();
    headers.remove(CONTENT_TYPE);
    headers.insert(ALLOW, HeaderValue::from_static("POST, OPTIONS"));
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
    let names = HeaderValue::from_static("RC-Appkey, RC-Negotiate, Content-Type");
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, names);
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    response
}

/// The response as a script that calls a function of the page. Errors are inside it: a script has no status.
fn script(function: &str, answer: &str) -> Response<Body> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_$.".contains(c);
    if function.is_empty() || function.len() > 64 || !function.chars().all(plain) {
        return respond(StatusCode::BAD_REQUEST, "text/plain", "callBack must name a function".to_owned());
    }
    respond(StatusCode::OK, "application/javascript; charset=utf-8", format!("{function}({answer})"))
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn the_address_is_the_root_without_its_scheme() {
        assert_eq!(address("http://127.0.0.1:8080/rong"), ("127.0.0.1:8080/rong", false));
        assert_eq!(address("https://chat.example.com/"), ("chat.example.com", true));
        assert_eq!(address("h:1"), ("h:1", false));
    }
}
