//! The format of responses.

use std::time::Instant;

use bytes::Bytes;
use conclave_core::model::Millis;
use conclave_kit::{Body, ByteStream, EncodeError, ErrorClass, VendorCode, VendorError, append_json};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Method, Response, StatusCode};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::Serialize;

use super::call::Call;
use super::rendered::RenderedFrom;
use crate::refusals::{self, Failure};

/// Initial capacity of a response in bytes, enough for most.
const ROOM: usize = 1024;

/// Most bytes of a response that is not a file. Our choice: the vendor's pages are smaller.
const ANSWER_BYTES: usize = 8 * 1024 * 1024;

/// A JSON object under construction.
pub(crate) struct Object {
    out: Vec<u8>,
}

impl Default for Object {
    fn default() -> Self {
        Self { out: Vec::with_capacity(ROOM) }
    }
}

impl Object {
    /// Adds a member.
    pub(crate) fn member(&mut self, name: &str, value: &(impl Serialize + ?Sized)) -> &mut Self {
        self.name(name);
        append(&mut self.out, value);
        self
    }

    /// Adds a member that is already JSON.
    fn raw(&mut self, name: &str, json: &[u8]) -> &mut Self {
        self.name(name);
        self.out.extend_from_slice(json);
        self
    }

    fn name(&mut self, name: &str) {
        self.out.push(if self.out.is_empty() { b'{' } else { b',' });
        append(&mut self.out, name);
        self.out.push(b':');
    }

    /// The finished object.
    pub(crate) fn done(mut self) -> Vec<u8> {
        if self.out.is_empty() {
            self.out.push(b'{');
        }
        self.out.push(b'}');
        self.out
    }
}

/// Writes a value as JSON. Our own wire types can always be encoded; what is longer than a response may be is `null`,
/// and such a response is refused.
fn append(out: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    if let Err(error) = append_json(out, value, ANSWER_BYTES) {
        tracing::error!("a value cannot be encoded as json and is replaced by null: {error}");
        out.extend_from_slice(b"null");
    }
}

/// A value as JSON for [`Reply::rendered_data`].
pub(super) fn encoded(value: &(impl Serialize + ?Sized)) -> Result<Bytes, EncodeError> {
    let mut out = Vec::with_capacity(ROOM);
    append_json(&mut out, value, ANSWER_BYTES)?;
    Ok(out.into())
}

/// The family of a response, which decides its envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    /// `entities` is empty unless it is the result; no `path`.
    Group,
    /// With `path`.
    User,
    /// With the `path` of attachments.
    Attachment,
    /// The envelope of the message service: with this `path`, and without `entities`.
    Message(&'static str),
    /// Without `entities`.
    History,
    /// Only the action, the operation's own members, and the time.
    Short,
    /// Only the operation's own members, and the time.
    Timed,
    /// Only the operation's own members.
    Bare,
}

/// The result of an operation, before the envelope.
pub(crate) struct Reply {
    family: Family,
    action: Option<&'static str>,
    entities: Option<Vec<u8>>,
    data: Option<Vec<u8>>,
    members: Vec<(&'static str, Vec<u8>)>,
    /// Bytes of JSON in this reply, of which a response has [`ANSWER_BYTES`] at most.
    length: usize,
    /// Whether something was longer than that, and is not in this reply.
    too_large: bool,
    /// The `uri`, where it is not the requested URL.
    uri: Option<String>,
    /// Bytes instead of JSON, with their number where it is known.
    content: Option<(Option<u64>, ByteStream)>,
    /// Nothing but the address to go to.
    redirect: Option<HeaderValue>,
}

impl Reply {
    fn new(family: Family) -> Self {
        Self {
            family,
            action: None,
            entities: None,
            data: None,
            members: Vec::new(),
            length: 0,
            too_large: false,
            uri: None,
            content: None,
            redirect: None,
        }
    }

    /// A file's bytes, without any envelope.
    pub(crate) fn content(size: u64, bytes: ByteStream) -> Self {
        Self { content: Some((Some(size), bytes)), ..Self::new(Family::Bare) }
    }

    /// The bytes of a file that is written while it is sent.
    pub(crate) fn growing(bytes: ByteStream) -> Self {
        Self { content: Some((None, bytes)), ..Self::new(Family::Bare) }
    }

    /// A value as JSON; nothing more is encoded once a response would be too large.
    fn json(&mut self, value: &(impl Serialize + ?Sized)) -> Vec<u8> {
        let mut out = Vec::with_capacity(ROOM);
        match append_json(&mut out, value, ANSWER_BYTES.saturating_sub(self.length)) {
            Ok(()) => self.length += out.len(),
            Err(EncodeError::TooLarge) => self.too_large = true,
            Err(EncodeError::Invalid(error)) => {
                tracing::error!("a value cannot be encoded as json and is replaced by null: {error}");
                out.extend_from_slice(b"null");
            }
        }
        out
    }

    fn with_data(mut self, data: &(impl Serialize + ?Sized)) -> Self {
        self.data = Some(self.json(data));
        self
    }

    /// Sends the caller to another URL.
    pub(crate) fn redirect(url: &str) -> Self {
        const ENCODED: &AsciiSet = &CONTROLS.add(b' ');
        let url = utf8_percent_encode(url, ENCODED).to_string();
        // nothing that a header may not hold is left in it
        Self { redirect: HeaderValue::try_from(url).ok(), ..Self::new(Family::Bare) }
    }

    /// A group response with this in `data`.
    pub(crate) fn data(data: &(impl Serialize + ?Sized)) -> Self {
        Self::new(Family::Group).with_data(data)
    }

    /// A group response with `data` that was rendered before from the same rows, or else is rendered now.
    pub(crate) fn rendered_data(
        call: &Call<'_>,
        from: RenderedFrom,
        render: impl Fn(&RenderedFrom) -> Result<Bytes, EncodeError>,
    ) -> Self {
        let mut reply = Self::new(Family::Group);
        match call.app.rendered.render(from, render) {
            Ok(data) => {
                reply.length += data.len();
                reply.data = Some(data.to_vec());
            }
            Err(EncodeError::TooLarge) => reply.too_large = true,
            Err(EncodeError::Invalid(error)) => {
                tracing::error!("a value cannot be encoded as json and is replaced by null: {error}");
                reply.data = Some(b"null".to_vec());
            }
        }
        reply
    }

    /// A group response with these rows in `entities`.
    pub(crate) fn entities(entities: &(impl Serialize + ?Sized)) -> Self {
        Self::new(Family::Group).holding(entities)
    }

    /// A response of the user family with these accounts.
    pub(crate) fn users(entities: &(impl Serialize + ?Sized)) -> Self {
        Self::new(Family::User).holding(entities)
    }

    /// An answer of the attachment service with these files.
    pub(crate) fn attachments(entities: &(impl Serialize + ?Sized)) -> Self {
        Self::new(Family::Attachment).holding(entities)
    }

    /// A response of the message service: the outcome for each target.
    pub(crate) fn of_messages(path: &'static str, data: &(impl Serialize + ?Sized)) -> Self {
        Self::new(Family::Message(path)).with_data(data)
    }

    /// The response with the location of a history file.
    pub(crate) fn of_history(data: &(impl Serialize + ?Sized)) -> Self {
        Self::new(Family::History).with_data(data)
    }

    /// The response with the readers of a message.
    pub(crate) fn of_receipts(data: &(impl Serialize + ?Sized)) -> Self {
        Self::done("group_read_ack").with_data(data)
    }

    /// A response that only reports success.
    pub(crate) fn done(action: &'static str) -> Self {
        Self { action: Some(action), ..Self::new(Family::Short) }
    }

    /// A response without an envelope.
    pub(crate) fn bare() -> Self {
        Self::new(Family::Bare)
    }

    /// Sets the `entities` of the response.
    pub(crate) fn holding(mut self, entities: &(impl Serialize + ?Sized)) -> Self {
        self.entities = Some(self.json(entities));
        self
    }

    /// Sets an action other than the one given by the method.
    pub(crate) fn action(mut self, action: &'static str) -> Self {
        self.action = Some(action);
        self
    }

    /// Sets a `uri` other than the requested URL.
    pub(crate) fn at(mut self, uri: String) -> Self {
        self.uri = Some(uri);
        self
    }

    /// Adds a member to those of the envelope.
    pub(crate) fn with(mut self, name: &'static str, value: &(impl Serialize + ?Sized)) -> Self {
        let value = self.json(value);
        self.members.push((name, value));
        self
    }

    /// Adds the number of rows.
    pub(crate) fn count(self, count: usize) -> Self {
        self.with("count", &count)
    }

    /// Adds the cursor of the next page; the last page has no such member.
    pub(crate) fn cursor(self, cursor: Option<&conclave_core::query::Cursor>) -> Self {
        match cursor {
            Some(cursor) => self.with("cursor", &conclave_kit::encode_cursor(cursor)),
            None => self,
        }
    }

    /// Omits the envelope except for the time: the responses of the attribute service.
    pub(crate) fn short(self) -> Self {
        Self { family: Family::Timed, ..self }
    }

    /// The complete response; an accepted call has status 200, unless it is redirected.
    pub(crate) fn respond(mut self, call: &Call<'_>, method: &Method, began: Instant) -> Response<Body> {
        if let Some((size, bytes)) = self.content.take() {
            return raw(size, bytes);
        }
        if let Some(location) = self.redirect.take() {
            let mut response = response(StatusCode::FOUND, Vec::new());
            response.headers_mut().insert(LOCATION, location);
            return response;
        }
        if self.too_large {
            return error(&refusals::answer_too_large(), call.app.now(), began);
        }
        let body = self.write(call, method, began);
        response(StatusCode::OK, body)
    }

    fn write(self, call: &Call<'_>, method: &Method, began: Instant) -> Vec<u8> {
        let mut object = Object::default();
        if !matches!(self.family, Family::Bare | Family::Timed) {
            match self.action {
                Some(action) => object.member("action", action),
                None => object.member("action", &method.as_str().to_lowercase()),
            };
        }
        if !matches!(self.family, Family::Short | Family::Timed | Family::Bare) {
            object.member("application", &call.app.uuid);
            object.member("applicationName", &call.app.name);
            object.member("organization", &call.app.org);
            match self.family {
                Family::User => _ = object.member("path", "/users"),
                Family::Attachment => _ = object.member("path", "/chatfiles"),
                Family::Message(path) => _ = object.member("path", path),
                _ => {}
            }
            if !call.query.is_empty() {
                object.member("params", &call.query);
            }
            object.member("uri", self.uri.as_ref().unwrap_or(&call.url));
            if matches!(self.family, Family::Group | Family::User | Family::Attachment) {
                object.raw("entities", self.entities.as_deref().unwrap_or(b"[]"));
            }
        } else if let Some(entities) = &self.entities {
            object.raw("entities", entities);
        }
        if let Some(data) = &self.data {
            object.raw("data", data);
        }
        for (name, value) in &self.members {
            object.raw(name, value);
        }
        if self.family == Family::Group {
            object.raw("properties", b"{}");
        }
        if self.family != Family::Bare {
            object.member("timestamp", &call.app.now());
            object.member("duration", &duration(began));
        }
        object.done()
    }
}

/// Milliseconds since the request arrived.
fn duration(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Bytes as they are. Their media type is not sent: a browser must not execute uploaded content.
fn raw(size: Option<u64>, bytes: ByteStream) -> Response<Body> {
    let mut response = Response::new(Body::Stream(bytes));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Some(size) = size {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(size));
    }
    response
}

/// An error in the vendor's format.
pub(crate) fn error(failure: &Failure, now: Millis, began: Instant) -> Response<Body> {
    let mut object = Object::default();
    object.member("error", failure.error);
    object.member("exception", failure.exception);
    object.member("timestamp", &now);
    object.member("duration", &duration(began));
    if let Some(code) = failure.code {
        object.member("error_code", &code);
    }
    object.member("error_description", shortened(&failure.description));
    object.raw("properties", b"{}");
    let mut answer = response(failure.status, object.done());
    if let Some(class) = ErrorClass::of_status(failure.status) {
        VendorError { code: VendorCode::Name(failure.error), class }.go_with(&mut answer);
    }
    answer
}

/// A description, shortened: it may contain text of the client, of any length.
fn shortened(description: &str) -> &str {
    const BYTES: usize = 4096;
    &description[..description.floor_char_boundary(BYTES)]
}

fn response(status: StatusCode, body: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json;charset=UTF-8"));
    response
}
