//! The interface between the gateway and an adapter.

use std::any::Any;
use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use conclave_core::model::UserId;
use http::header::HOST;
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, Method, Response, Uri, Version};

use crate::{AnyProtocol, Body};

/// A request as the gateway hands it to a surface.
#[derive(Debug)]
pub struct Exchange {
    /// Method, path, query and headers.
    pub head: Head,
    /// The body: complete, or a stream if the surface asked for that.
    pub body: Body,
}

/// The head of a request.
#[derive(Debug)]
pub struct Head {
    /// The method.
    pub method: Method,
    /// The URI as the client sent it; [`path`](Self::path) is its path below the surface's root.
    pub uri: Uri,
    /// The version of HTTP.
    pub version: Version,
    /// The headers.
    pub headers: HeaderMap,
    /// The client's address, if known.
    pub address: Option<IpAddr>,
    /// The length of the path to the surface's root.
    root: usize,
    base: BaseUrl,
    route: Option<FoundRoute>,
    /// What the surface found out when it admitted the caller.
    admitted: Option<Box<dyn Any + Send + Sync>>,
}

/// The URL of a surface's root as clients see it.
#[derive(Debug, Clone)]
pub enum BaseUrl {
    /// Always this, without a trailing slash.
    Fixed(Arc<str>),
    /// As the client requested it.
    Requested {
        /// `http` or `https`.
        scheme: &'static str,
        /// Host and port, for clients that send none.
        address: Arc<str>,
    },
}

impl BaseUrl {
    /// The URL for a request whose surface's root is so many bytes into the path, without a trailing slash.
    pub fn of(&self, uri: &Uri, headers: &HeaderMap, root: usize) -> String {
        let (scheme, address) = match self {
            Self::Fixed(url) => return url.to_string(),
            Self::Requested { scheme, address } => (scheme, address),
        };
        let named = uri.authority().map(Authority::as_str);
        let named = named.or_else(|| headers.get(HOST)?.to_str().ok());
        let host = named.filter(|host| !host.is_empty()).unwrap_or(address);
        let prefix = uri.path().get(..root).unwrap_or_default();
        [scheme, "://", host, prefix].concat()
    }
}

impl Head {
    /// A request for a surface at the root.
    pub fn new(parts: Parts, base: BaseUrl) -> Self {
        Self::below(0, parts, base)
    }

    /// A request for a surface whose root is so many bytes into the path.
    pub fn below(root: usize, parts: Parts, base: BaseUrl) -> Self {
        let Parts { method, uri, version, headers, .. } = parts;
        Self { method, uri, version, headers, address: None, root, base, route: None, admitted: None }
    }

    /// The path below the surface's root.
    pub fn path(&self) -> &str {
        let rest = self.uri.path().get(self.root..).unwrap_or_default();
        if rest.is_empty() { "/" } else { rest }
    }

    /// The query, if any.
    pub fn query(&self) -> Option<&str> {
        self.uri.query()
    }

    /// The URL of the surface's root as the client sees it, without a trailing slash.
    pub fn base_url(&self) -> String {
        self.base.of(&self.uri, &self.headers, self.root)
    }

    /// The route of the request, if the surface has found one.
    pub fn route(&self) -> Option<FoundRoute> {
        self.route
    }

    /// Keeps the route that the surface has found for this request.
    pub fn set_route(&mut self, route: Option<FoundRoute>) {
        self.route = route;
    }

    /// Keeps what the surface found out when it admitted the caller.
    pub fn set_admitted(&mut self, found: impl Any + Send + Sync) {
        self.admitted = Some(Box::new(found));
    }

    /// Takes what the surface found out when it admitted the caller, if it was this.
    pub fn take_admitted<T: Any>(&mut self) -> Option<T> {
        self.admitted.take()?.downcast().ok().map(|found| *found)
    }
}

/// The route of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoundRoute {
    /// The vendor's own name of the operation.
    pub operation: &'static str,
    /// Whether the body is wanted in pieces.
    pub streams: bool,
    /// The number by which the surface's table finds it again; `None` for a route outside of the table.
    pub number: Option<usize>,
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
    /// One of the vendor's own errors, by its position in [`Surface::errors`]. Not a failure: a test asks for it.
    Error(usize),
}

/// One of a vendor's errors, for listings and for tests that ask for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorInfo {
    /// The vendor's number or name of it.
    pub code: String,
    /// The HTTP status it is answered with; `None` for an error that only the client protocol has.
    pub status: Option<u16>,
    /// The usual text.
    pub text: &'static str,
}

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

    /// The route of a request below the surface's root; `None` when its operation is unknown.
    fn route(&self, method: &Method, path: &str) -> Option<FoundRoute>;

    /// Checks who calls by the head of a request, before any of its body is read. A refusal is the vendor's own.
    ///
    /// The result may be kept in the head ([`Head::set_admitted`]) for [`serve`](Self::serve), which checks by itself
    /// when nothing is kept there.
    ///
    /// # Errors
    /// The vendor's response to a caller who may not call.
    async fn admit(&self, head: &mut Head) -> Result<Admitted, Response<Body>> {
        let _unread = head;
        Ok(Admitted::default())
    }

    /// Answers a request. Every refusal is the vendor's own.
    async fn serve(&self, exchange: Exchange) -> Response<Body>;

    /// The vendor's own answer to something that went wrong around the surface.
    fn fault(&self, fault: Fault) -> Response<Body>;

    /// The vendor's own errors, each code once. [`Fault::Error`] names one by its position.
    fn errors(&self) -> Vec<ErrorInfo> {
        Vec::new()
    }

    /// What the vendor's clients send from a page.
    fn cors(&self) -> Cors {
        Cors { methods: "GET, POST, PUT, DELETE, OPTIONS", headers: "Authorization, Content-Type, X-Request-ID" }
    }

    /// The vendor's client protocol, where its clients connect here.
    fn client_protocol(&self) -> Option<&dyn AnyProtocol> {
        None
    }
}
