//! The interface between the gateway and an adapter.

use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use conclave_core::model::UserId;
use http::request::Parts;
use http::{Method, Response};

use crate::{AnyProtocol, Body};

/// A request as the gateway hands it to a surface.
#[derive(Debug)]
pub struct Exchange {
    /// Method, path below the surface's root, query and headers.
    pub parts: http::request::Parts,
    /// The body: complete, or a stream if the surface asked for that.
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
    /// The body broke off, or its framing is wrong.
    Malformed,
    /// The body did not arrive in time, or the answer was not ready in time.
    TimedOut,
    /// An internal error, which was logged.
    Broken,
    /// The process is at one of its limits; later may do.
    Busy,
}

/// Where a client is; the gateway puts it into the extensions of a request's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

/// The caller, as far as the head of a request identifies it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Admitted {
    /// The realm, when the request names one and its credentials are good.
    pub realm: Option<Arc<str>>,
    /// The calling user; `None` is the app's server, or an unknown caller.
    pub user: Option<UserId>,
    /// The operation accepts calls without credentials, or has them in the body: its body is limited to few bytes.
    pub open: bool,
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

    /// All routes.
    fn routes(&self) -> Vec<RouteInfo>;

    /// The operation of a request, for logs and metrics; `None` when it is unknown.
    fn operation(&self, method: &Method, path: &str) -> Option<&'static str>;

    /// Whether the body of this request is wanted in pieces.
    fn streams(&self, method: &Method, path: &str) -> bool;

    /// Checks who calls by the head of a request, before any of its body is read. A refusal is the vendor's own.
    ///
    /// What was found out may be left in the extensions of the head, so that [`serve`](Self::serve) need not find it out
    /// again; `serve` checks by itself when nothing is left there.
    ///
    /// # Errors
    /// The vendor's answer to a caller who may not call.
    async fn admit(&self, parts: &mut Parts) -> Result<Admitted, Response<Body>> {
        let _nothing = parts;
        Ok(Admitted::default())
    }

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
