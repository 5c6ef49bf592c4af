//! The body of a response: `ActionStatus`, `ErrorInfo` and `ErrorCode`, always all three, beside the command's own
//! fields.

use bytes::Bytes;
use conclave_kit::{EncodeError, append_json};
use serde::Serialize;

use super::{Call, RenderedFrom};
use crate::dialect::limits;
use crate::refusals::{Code, Failure};

/// Initial capacity of a response in bytes, enough for most.
const ROOM: usize = 1024;

/// The body of a response, as JSON: the same over every transport.
#[derive(Debug)]
pub(crate) struct ResponseBody(Bytes);

impl ResponseBody {
    /// A body that was rendered before from the same rows, or else one that is rendered now.
    pub(super) fn rendered(
        call: &Call<'_>,
        from: RenderedFrom,
        render: impl Fn(&RenderedFrom) -> Result<Self, Failure>,
    ) -> Result<Self, Failure> {
        call.app.rendered.render(from, |from| render(from).map(Self::into_bytes)).map(Self)
    }

    pub(crate) fn into_bytes(self) -> Bytes {
        self.0
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Envelope<'a, T> {
    action_status: &'static str,
    error_info: &'a str,
    error_code: u32,
    #[serde(flatten)]
    rest: Option<&'a T>,
}

/// Success without further fields.
pub(crate) fn done() -> Result<ResponseBody, Failure> {
    encode("", None::<&()>)
}

/// The same, with the `ErrorInfo` that some services return.
pub(crate) fn done_saying(word: &str) -> Result<ResponseBody, Failure> {
    encode(word, None::<&()>)
}

/// Success with these fields. A response of more than 1 MB is refused: the caller has to read in pages.
pub(crate) fn with<T: Serialize>(rest: &T) -> Result<ResponseBody, Failure> {
    with_word("", rest)
}

/// The same, where the service has its own `ErrorInfo`.
pub(crate) fn with_word<T: Serialize>(word: &str, rest: &T) -> Result<ResponseBody, Failure> {
    encode(word, Some(rest))
}

/// The body of a refusal.
pub(crate) fn refuse(failure: &Failure) -> ResponseBody {
    let code = failure.number();
    let (error_info, rest) = (&*failure.text, failure.fields.as_deref());
    let envelope = Envelope { action_status: "FAIL", error_info, error_code: code, rest };
    let fallback = || br#"{"ActionStatus":"FAIL","ErrorInfo":"","ErrorCode":10002}"#.to_vec();
    ResponseBody(serde_json::to_vec(&envelope).unwrap_or_else(|_| fallback()).into())
}

fn encode<T: Serialize>(word: &str, rest: Option<&T>) -> Result<ResponseBody, Failure> {
    let envelope = Envelope { action_status: "OK", error_info: word, error_code: 0, rest };
    let mut bytes = Vec::with_capacity(ROOM);
    match append_json(&mut bytes, &envelope, limits::ANSWER) {
        Ok(()) => Ok(ResponseBody(bytes.into())),
        Err(EncodeError::TooLarge) => Err(Code::AnswerTooLarge.into()),
        Err(EncodeError::Invalid(error)) => {
            tracing::error!(%error, "an answer cannot be written as json");
            Err(Code::Internal.into())
        }
    }
}
