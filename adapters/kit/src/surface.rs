//! The interface between the gateway and an adapter.

use async_trait::async_trait;
use http::{Method, Response};

use crate::{AnyProtocol, Body};

/// A request as the gateway hands it to a surface.
#[derive(Debug)]
pub struct Exchange {
    /// Method, path below the surface's root, query and headers.
    pub parts: http::request::Parts,
    /// The body: whole, or in pieces where the surface asked for that.
    pub body: Body,
    /// The URL of the surface's root as the client sees it, without a trailing slash.
    pub base_url: String,
    /// Tells the log lines of this request apart.
    pub request_id: String,
}

/// Something that went wrong before or around a surface's own work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The body is larger than the limit.
    TooLarge,
    /// The body did not arrive in time, or the answer was not ready in time.
    TimedOut,
    /// Something broke; the log tells what.
    Broken,
    /// The process is at one of its limits; later may do.
    Busy,
}

/// A served operation, for listings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteInfo {
    /// The method.
    pub method: Method,
    /// The path below the surface's root.
    pub path: &'static str,
    /// The vendor's own name of the operation.
    pub operation: &'static str,
}

/// What a browser lets a page send to a vendor's surface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cors {
    /// The methods, separated by commas.
    pub methods: &'static str,
    /// The request headers, separated by commas.
    pub headers: &'static str,
}

/// A vendor's server API over HTTP.
#[async_trait]
pub trait Surface: Send + Sync {
    /// The vendor, as the first part of paths and in configuration.
    fn vendor(&self) -> &'static str;

    /// Everything that is served.
    fn routes(&self) -> Vec<RouteInfo>;

    /// The operation a request asks for, for logs and metrics; `None` when there is none.
    fn operation(&self, method: &Method, path: &str) -> Option<&'static str>;

    /// Whether the body of this request is wanted in pieces.
    fn streams(&self, method: &Method, path: &str) -> bool;

    /// Answers a request. Every refusal is the vendor's own.
    async fn serve(&self, exchange: Exchange) -> Response<Body>;

    /// The vendor's own answer to something that went wrong around the surface.
    fn fault(&self, fault: Fault) -> Response<Body>;

    /// What the vendor's clients send from a page.
    fn cors(&self) -> Cors {
        Cors { methods: "GET, POST, PUT, DELETE, OPTIONS", headers: "Authorization, Content-Type, X-Request-ID" }
    }

    /// The vendor's client protocol, where its clients connect here.
    fn client_protocol(&self) -> Option<&dyn AnyProtocol> {
        None
    }
}
