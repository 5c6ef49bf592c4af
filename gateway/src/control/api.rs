//! Endpoints as data: what each takes and returns, for the router and for the `OpenAPI` document.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use conclave_kit::{BoxFuture, decode_segment};
use http::{Method, StatusCode};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Control;
use super::error::{Code, ControlError};
use super::words;

/// The type of almost all bodies.
pub(super) const JSON: &str = "application/json";
/// The type of exported data.
pub(super) const JSON_LINES: &str = "application/jsonl";

/// Most bytes of a body, unless the endpoint says otherwise.
pub(super) const BODY_BYTES: usize = 256 * 1024;

/// One endpoint.
pub(super) struct Endpoint {
    pub(super) method: Method,
    /// With parameters in braces.
    pub(super) path: &'static str,
    /// Its name in the document, and in the command line.
    pub(super) operation: &'static str,
    pub(super) summary: &'static str,
    /// The status of its answer.
    pub(super) status: StatusCode,
    /// What it takes.
    pub(super) takes: Content,
    /// What it returns.
    pub(super) returns: Content,
    /// Most bytes of its body.
    pub(super) body_bytes: usize,
    pub(super) run: Handler,
}

/// The body of a request or an answer.
pub(super) enum Content {
    /// None.
    Nothing,
    /// JSON of this schema.
    Json(fn(&mut SchemaGenerator) -> Schema),
    /// JSON Lines.
    Lines,
    /// JSON that may be left out.
    OptionalJson(fn(&mut SchemaGenerator) -> Schema),
}

type Handler = Arc<dyn Fn(Call) -> BoxFuture<'static, Result<Reply, ControlError>> + Send + Sync>;

/// The answer of an endpoint.
pub(super) struct Reply {
    pub(super) content_type: &'static str,
    pub(super) body: Bytes,
}

/// A call of an endpoint.
pub(super) struct Call {
    pub(super) control: Arc<Control>,
    parameters: BTreeMap<&'static str, String>,
    pub(super) body: Bytes,
}

/// The body of an endpoint that takes none.
pub(super) struct Nothing;

/// What an endpoint takes as its body.
pub(super) trait Input: Sized + Send + 'static {
    /// The schema of the body, for the `OpenAPI` document.
    fn content() -> Content;

    /// From the request.
    fn read(body: &Bytes) -> Result<Self, ControlError>;
}

impl Input for Nothing {
    fn content() -> Content {
        Content::Nothing
    }

    fn read(_: &Bytes) -> Result<Self, ControlError> {
        Ok(Self)
    }
}

/// A JSON body.
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned + JsonSchema + Send + 'static> Input for Json<T> {
    fn content() -> Content {
        Content::Json(SchemaGenerator::subschema_for::<T>)
    }

    fn read(body: &Bytes) -> Result<Self, ControlError> {
        parse(body).map(Self)
    }
}

/// A JSON body that may be left out.
pub(super) struct Optional<T>(pub(super) T);

impl<T: DeserializeOwned + JsonSchema + Default + Send + 'static> Input for Optional<T> {
    fn content() -> Content {
        Content::OptionalJson(SchemaGenerator::subschema_for::<T>)
    }

    fn read(body: &Bytes) -> Result<Self, ControlError> {
        if body.is_empty() { Ok(Self(T::default())) } else { parse(body).map(Self) }
    }
}

fn parse<T: DeserializeOwned>(body: &Bytes) -> Result<T, ControlError> {
    words::read(body).map_err(ControlError::bad)
}

/// A body of JSON Lines.
pub(super) struct Lines(pub(super) Bytes);

impl Input for Lines {
    fn content() -> Content {
        Content::Lines
    }

    fn read(body: &Bytes) -> Result<Self, ControlError> {
        Ok(Self(body.clone()))
    }
}

impl Output for Lines {
    fn content() -> Content {
        Content::Lines
    }

    fn write(self) -> Result<Reply, ControlError> {
        Ok(Reply { content_type: JSON_LINES, body: self.0 })
    }
}

/// What an endpoint returns.
pub(super) trait Output: Send + 'static {
    /// The schema of the body, for the `OpenAPI` document.
    fn content() -> Content;

    /// The response with this value in its body.
    fn write(self) -> Result<Reply, ControlError>;
}

impl<T: Serialize + JsonSchema + Send + 'static> Output for Json<T> {
    fn content() -> Content {
        Content::Json(SchemaGenerator::subschema_for::<T>)
    }

    fn write(self) -> Result<Reply, ControlError> {
        let body = serde_json::to_vec(&self.0).map_err(|error| {
            tracing::error!(%error, "an answer cannot be written");
            ControlError::new(Code::Internal, "the answer cannot be written")
        })?;
        Ok(Reply { content_type: JSON, body: body.into() })
    }
}

impl Output for Nothing {
    fn content() -> Content {
        Content::Nothing
    }

    fn write(self) -> Result<Reply, ControlError> {
        Ok(Reply { content_type: JSON, body: Bytes::new() })
    }
}

impl Endpoint {
    /// An endpoint whose answer is 200, or 204 without a body.
    pub(super) fn new<I: Input, O: Output, F>(
        (method, path): (Method, &'static str),
        operation: &'static str,
        summary: &'static str,
        run: fn(Call, I) -> F,
    ) -> Self
    where
        F: Future<Output = Result<O, ControlError>> + Send + 'static,
    {
        let status = if matches!(O::content(), Content::Nothing) { StatusCode::NO_CONTENT } else { StatusCode::OK };
        let run: Handler = Arc::new(move |call| match I::read(&call.body) {
            Ok(input) => {
                let work = run(call, input);
                Box::pin(async move { work.await?.write() })
            }
            Err(error) => Box::pin(async move { Err(error) }),
        });
        let (takes, returns) = (I::content(), O::content());
        Self { method, path, operation, summary, status, takes, returns, body_bytes: BODY_BYTES, run }
    }

    /// With a body of so many bytes at most.
    pub(super) fn body_bytes(self, body_bytes: usize) -> Self {
        Self { body_bytes, ..self }
    }

    /// With another status.
    pub(super) fn status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }
}

impl Call {
    pub(super) fn new(
        control: Arc<Control>,
        endpoint: &Endpoint,
        parameters: BTreeMap<&'static str, String>,
        query: &str,
        body: Bytes,
    ) -> Result<Self, ControlError> {
        if matches!(endpoint.takes, Content::Nothing) && !body.is_empty() {
            return Err(ControlError::bad("this endpoint takes no body"));
        }
        if !query.is_empty() {
            return Err(ControlError::bad("this endpoint takes no query"));
        }
        Ok(Self { control, parameters, body })
    }

    /// A parameter of the path.
    pub(super) fn parameter(&self, name: &str) -> &str {
        self.parameters.get(name).map(String::as_str).unwrap_or_default()
    }
}

/// The endpoints by method and path.
pub(super) struct Table(Vec<Endpoint>);

/// The endpoint of a request.
pub(super) struct Found<'t> {
    pub(super) endpoint: &'t Endpoint,
    pub(super) parameters: BTreeMap<&'static str, String>,
}

impl Table {
    pub(super) fn new(endpoints: Vec<Endpoint>) -> Self {
        Self(endpoints)
    }

    /// Finds the endpoint of a request.
    pub(super) fn find(&self, method: &Method, path: &str) -> Result<Found<'_>, ControlError> {
        let here: Vec<Found<'_>> = self
            .0
            .iter()
            .filter_map(|endpoint| Some(Found { endpoint, parameters: matched(endpoint.path, path)? }))
            .collect();
        if here.is_empty() {
            let message = format!("there is no endpoint {path}; see {}", super::openapi::PATH);
            return Err(ControlError::new(Code::NoSuchEndpoint, message));
        }
        let allowed: Vec<&str> = here.iter().map(|found| found.endpoint.method.as_str()).collect();
        let allowed = allowed.join(", ");
        here.into_iter().find(|found| found.endpoint.method == *method).ok_or_else(|| {
            let message = format!("{path} has the methods {allowed}");
            ControlError { allowed: Some(allowed), ..ControlError::new(Code::MethodNotAllowed, message) }
        })
    }
}

/// The parameters of a path, if it matches the pattern.
fn matched(pattern: &'static str, path: &str) -> Option<BTreeMap<&'static str, String>> {
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    let mut parameters = BTreeMap::new();
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(parameters),
            (Some(wanted), Some(given)) => match name_of(wanted) {
                Some(name) => {
                    let value = decode_segment(given).filter(|value| !value.is_empty())?;
                    parameters.insert(name, value);
                }
                None if wanted == given => {}
                None => return None,
            },
            _ => return None,
        }
    }
}

/// The name of a parameter in a pattern.
pub(super) fn name_of(part: &'static str) -> Option<&'static str> {
    part.strip_prefix('{')?.strip_suffix('}')
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn paths_match_part_by_part() {
        let pattern = "/v1/realms/{realm}/reset";
        assert_eq!(matched(pattern, "/v1/realms/a%20b/reset").unwrap()["realm"], "a b");
        for other in ["/v1/realms/a", "/v1/realms/a/reset/", "/v1/realms//reset", "/v1/realms/a/b/reset", ""] {
            assert!(matched(pattern, other).is_none(), "{other}");
        }
    }
}
