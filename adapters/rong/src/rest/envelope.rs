//! Responses: `{"code":200, …}` as JSON, with the code an integer.

use bytes::Bytes;
use conclave_kit::{Body, EncodeError, append_json};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use serde::Serialize;

use super::{Call, RenderedFrom};
use crate::dialect::limits;
use crate::refusals::{Code, Failure};

/// Initial capacity of a response in bytes, enough for most.
const ROOM: usize = 128;

/// The body of a success.
#[derive(Debug)]
pub(crate) struct ResponseBody(Bytes);

impl ResponseBody {
    /// A body that was rendered before from the same rows, or else one that is rendered now.
    pub(crate) fn rendered(
        call: &Call<'_>,
        from: RenderedFrom,
        render: impl Fn(&RenderedFrom) -> Result<Self, Failure>,
    ) -> Result<Self, Failure> {
        call.app.rendered.render(from, |from| render(from).map(|body| body.0)).map(Self)
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        respond(StatusCode::OK, Body::Whole(self.0))
    }
}

#[derive(Serialize)]
struct Success<'a, T> {
    code: u32,
    #[serde(flatten)]
    rest: Option<&'a T>,
}

/// Success without further fields.
pub(crate) fn done() -> Result<ResponseBody, Failure> {
    encode(None::<&()>)
}

/// Success with these fields.
pub(crate) fn with<T: Serialize>(rest: &T) -> Result<ResponseBody, Failure> {
    encode(Some(rest))
}

fn encode<T: Serialize>(rest: Option<&T>) -> Result<ResponseBody, Failure> {
    let mut bytes = Vec::with_capacity(ROOM);
    match append_json(&mut bytes, &Success { code: 200, rest }, limits::ANSWER_BYTES) {
        Ok(()) => Ok(ResponseBody(bytes.into())),
        // our choice: the vendor's own groups are too small to reach it
        Err(EncodeError::TooLarge) => Err(Code::Refused.saying("the answer is too large")),
        Err(EncodeError::Invalid(error)) => {
            tracing::error!(%error, "an answer cannot be written as json");
            Err(Code::Internal.into())
        }
    }
}

/// Any value as a JSON response.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Response<Body> {
    let bytes = serde_json::to_vec(value).unwrap_or_else(|_| br#"{"code":1000}"#.to_vec());
    respond(status, bytes.into())
}

fn respond(status: StatusCode, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    response
}
