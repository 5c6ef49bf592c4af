//! The commands over HTTP: routes and responses. The status is always 200.

use conclave_kit::{Body, Route, VendorCode, VendorError};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Response};

use crate::calls::envelope::{self, ResponseBody};
use crate::calls::{COMMANDS, Callers, Command};
use crate::refusals::Failure;

/// The routes of all commands that apps' servers may call. Old clients read with GET, with a body or without, so every
/// command accepts both methods.
pub(crate) fn routes() -> Vec<Route<&'static Command>> {
    let of_app = || COMMANDS.iter().filter(|command| command.callers != Callers::Users);
    let route = |method: Method, command: &'static Command| Route {
        method,
        path: command.path,
        operation: command.name,
        streams: false,
        handler: command,
    };
    [Method::POST, Method::GET]
        .into_iter()
        .flat_map(|method| of_app().map(move |command| route(method.clone(), command)))
        .collect()
}

/// A refusal as a response.
pub(crate) fn refuse(failure: &Failure) -> Response<Body> {
    let mut response = respond(envelope::refuse(failure));
    VendorError { code: VendorCode::Number(failure.number()), class: failure.code.class() }.go_with(&mut response);
    response
}

/// An envelope as a response.
pub(crate) fn respond(answer: ResponseBody) -> Response<Body> {
    let mut response = Response::new(Body::Whole(answer.into_bytes()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
