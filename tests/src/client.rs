//! Sends requests to a surface, in the same process or over a socket, and returns the responses.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use conclave_kit::{BaseUrl, Body, Exchange, Head, Surface};
use futures_util::TryStreamExt as _;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// A response.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("not json ({error}): {}", String::from_utf8_lossy(&self.body)))
    }
}

/// The target of requests.
#[derive(Clone)]
pub enum Client {
    /// A surface in this process, mounted at this URL.
    Surface(Arc<dyn Surface>, String),
    /// A socket, below this path.
    Socket(SocketAddr, String, Box<HttpClient<HttpConnector, Full<Bytes>>>),
}

impl Client {
    /// For a surface in this process.
    pub fn of(surface: impl Surface + 'static, base_url: &str) -> Self {
        Self::Surface(Arc::new(surface), base_url.to_owned())
    }

    /// For a socket, below a path such as `/agora` ("" for the root).
    pub fn at(address: SocketAddr, below: &str) -> Self {
        let client = HttpClient::builder(TokioExecutor::new()).build_http();
        Self::Socket(address, below.to_owned(), Box::new(client))
    }

    /// Sends one request; `target` is path and query below the surface's root.
    pub async fn send(&self, method: Method, target: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
        let body = body.into();
        match self {
            Self::Surface(surface, base_url) => {
                let mut request = Request::builder().method(method).uri(target);
                for (name, value) in headers {
                    request = request.header(*name, *value);
                }
                let (parts, ()) = request.body(()).expect("a request").into_parts();
                let head = Head::new(parts, BaseUrl::Fixed(base_url.as_str().into()));
                let exchange = Exchange { head, body: Body::Whole(body) };
                let (parts, body) = surface.serve(exchange).await.into_parts();
                let body = match body {
                    Body::Whole(bytes) => bytes,
                    Body::Stream(pieces) => {
                        let pieces: Vec<Bytes> = pieces.try_collect().await.expect("all of the body");
                        pieces.concat().into()
                    }
                };
                Answer { status: parts.status, headers: parts.headers, body }
            }
            Self::Socket(address, below, client) => {
                let mut request = Request::builder().method(method).uri(format!("http://{address}{below}{target}"));
                for (name, value) in headers {
                    request = request.header(*name, *value);
                }
                let response =
                    client.request(request.body(Full::new(body)).expect("a request")).await.expect("an answer");
                let (parts, body) = response.into_parts();
                let body = body.collect().await.expect("a body").to_bytes();
                Answer { status: parts.status, headers: parts.headers, body }
            }
        }
    }
}
