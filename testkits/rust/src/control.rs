//! Requests to the control API and to the vendors' APIs: one connection for each.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::net::TcpStream;

/// Why something failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The gateway does not start.
    #[error("the gateway does not start: {0}")]
    Start(String),
    /// The control API refused a request, which changed nothing.
    #[error("{message} ({code}, {request})")]
    Refused {
        /// Stable: programs may compare it.
        code: String,
        /// For people.
        message: String,
        /// The HTTP status.
        status: u16,
        /// The method and path.
        request: String,
    },
    /// Nothing answers, or not as expected.
    #[error("{url} does not answer: {why}")]
    Unreachable {
        /// What was requested.
        url: String,
        /// Why.
        why: String,
    },
    /// The realm has no app at the vendor, or its credentials are not public.
    #[error("realm {realm} has no credentials at {vendor}")]
    NoCredentials {
        /// The realm.
        realm: String,
        /// The vendor.
        vendor: &'static str,
    },
}

impl Error {
    /// The code of a refusal.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } => Some(code),
            _ => None,
        }
    }
}

/// A client of the control API.
#[derive(Debug, Clone)]
pub(crate) struct Control {
    pub(crate) url: Arc<str>,
    token: Option<Arc<str>>,
}

/// A request without a body.
pub(crate) const NOTHING: Option<&()> = None;

impl Control {
    pub(crate) fn new(url: &str, token: Option<&str>) -> Self {
        let url = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        Self { url: url.into(), token: token.map(Into::into) }
    }

    /// Sends a request with a JSON body, and returns the answer.
    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> crate::Result<T> {
        let body = body.map(|body| serde_json::to_vec(body).map_err(|error| self.unreachable(path, &error)));
        let answer = self.send(method, path, body.transpose()?.map(|body| ("application/json", body.into()))).await?;
        // an answer without a body is null
        let answer = if answer.is_empty() { b"null" } else { &answer[..] };
        serde_json::from_slice(answer).map_err(|error| self.unreachable(path, &error))
    }

    /// Sends a request, and returns the body of the answer.
    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<(&str, Bytes)>) -> crate::Result<Bytes> {
        let url = format!("{}{path}", self.url);
        let mut headers = Vec::new();
        let bearer = self.token.as_ref().map(|token| format!("Bearer {token}"));
        headers.extend(bearer.as_deref().map(|bearer| (AUTHORIZATION.as_str(), bearer)));
        let (content_type, body) = body.unzip();
        headers.extend(content_type.map(|content_type| (CONTENT_TYPE.as_str(), content_type)));
        let (status, body) = request(&method, &url, &headers, body.unwrap_or_default()).await?;
        if status.is_success() {
            return Ok(body);
        }
        let error: Value = serde_json::from_slice(&body).unwrap_or_default();
        let text = |key: &str| error["error"][key].as_str().map(str::to_owned);
        let (Some(code), Some(message)) = (text("code"), text("message")) else {
            return Err(Error::Unreachable { url, why: format!("{status} is not from a control API") });
        };
        Err(Error::Refused { code, message, status: status.as_u16(), request: format!("{method} {path}") })
    }

    fn unreachable(&self, path: &str, why: &dyn std::fmt::Display) -> Error {
        Error::Unreachable { url: format!("{}{path}", self.url), why: why.to_string() }
    }
}

/// Sends a request to an HTTP URL.
pub(crate) async fn request(
    method: &Method,
    url: &str,
    headers: &[(&str, &str)],
    body: Bytes,
) -> crate::Result<(StatusCode, Bytes)> {
    let failed = |why: &dyn std::fmt::Display| Error::Unreachable { url: url.to_owned(), why: why.to_string() };
    let (address, path) = url
        .strip_prefix("http://")
        .map(|rest| rest.split_at(rest.find('/').unwrap_or(rest.len())))
        .ok_or_else(|| failed(&"it is no http URL"))?;
    let stream = TcpStream::connect(address).await.map_err(|error| failed(&error))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| failed(&error))?;
    let connection = tokio::spawn(connection);
    let mut request =
        Request::builder().method(method).uri(if path.is_empty() { "/" } else { path }).header(HOST, address);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(body)).map_err(|error| failed(&error))?;
    let answer = sender.send_request(request).await.map_err(|error| failed(&error))?;
    let status = answer.status();
    let body = answer.into_body().collect().await.map_err(|error| failed(&error))?.to_bytes();
    connection.abort();
    Ok((status, body))
}

/// A path of the control API with its parts encoded.
pub(crate) fn path(parts: &[&str]) -> String {
    parts.iter().fold("/v1".to_owned(), |path, part| format!("{path}/{}", utf8_percent_encode(part, NON_ALPHANUMERIC)))
}
