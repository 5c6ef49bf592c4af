//! Upload and download of files that messages refer to. The files belong to no group: a secret in the message grants
//! access to them, as the vendor does it.

use std::sync::Arc;

use conclave_core::event::Actor;
use conclave_core::model::SharedFile;
use conclave_core::operation::AddAttachment;
use conclave_core::query::Attachment;
use conclave_kit::same;
use serde_json::{Value, json};

use super::call::Call;
use super::envelope::Reply;
use super::files::{self, SECRET};
use crate::auth::{self, Subject};
use crate::dialect::ids::{file_id, file_uuid};
use crate::refusals::{self, Failure};

/// `POST /chatfiles`: a multipart form with a part `file`. Clients build the file's URL from the response's `uri` and the
/// entity's `uuid`, and send it in a message together with the `share-secret`.
pub(crate) async fn upload(call: &Call<'_>) -> Result<Reply, Failure> {
    let sent = files::receive(call).await?;
    let adding = AddAttachment {
        id: None,
        name: sent.name,
        media_type: sent.media_type,
        size: sent.stored.size,
        expires: files::expiry(call),
        secret: sent.secret,
        blob: sent.stored.id.clone(),
    };
    let file = files::keep(call, sent.form, &sent.stored, adding).await?;
    Ok(Reply::attachments(&[entity(&file)]))
}

/// An attachment as its uploader gets it.
pub(super) fn entity(file: &SharedFile) -> Value {
    let mut entity = json!({"uuid": file_uuid(&file.id), "type": "chatfile"});
    if let Some(secret) = &file.secret {
        entity["share-secret"] = secret.as_str().into();
    }
    entity
}

/// `GET /chatfiles/{file}`: the bytes. A restricted file needs its secret, as a header or in the query (a page
/// shows pictures by their URL alone), or a token of its uploader or of the app; any other file needs a token of the app.
/// The address of a file that was sent through another vendor is redirected to the file's own.
pub(crate) async fn download(call: &Call<'_>) -> Result<Reply, Failure> {
    let name = call.param("file");
    if let Some(url) = call.app.links.open(name) {
        return Ok(Reply::redirect(&url));
    }
    let Some(id) = file_id(name) else { return Err(refusals::attachment_unknown(name)) };
    let found = call.ask_as_app(Attachment { file: id }).await?.0;
    let given = call.headers.get(SECRET).map(http::HeaderValue::as_bytes);
    let given = given.or_else(|| call.query.get(SECRET).map(str::as_bytes));
    let secret = found.as_ref().and_then(|file| file.secret.as_deref());
    let opens = secret.zip(given).is_some_and(|(secret, given)| same(secret.as_bytes(), given));
    if !opens {
        let reader = reader(call).await?;
        if found.as_ref().is_some_and(|file| !may_read(file, &reader)) {
            return Err(refusals::attachment_forbidden());
        }
    }
    let Some(file) = found else { return Err(refusals::attachment_unknown(name)) };
    files::content(call, &file).await
}

/// The caller who gave no secret, by their token.
async fn reader(call: &Call<'_>) -> Result<Actor, Failure> {
    let Some(token) = auth::bearer(call.headers) else { return Err(refusals::no_token(call.place)) };
    match auth::check(call.app, token).await {
        Ok(claims) => Ok(match claims.subject {
            Subject::App => Actor::app(),
            Subject::User(user) => Actor::User { user, device: None },
        }),
        Err(unauthenticated) => Err(crate::surface::unauthenticated(call.app, call.place, unauthenticated)),
    }
}

fn may_read(file: &Arc<SharedFile>, reader: &Actor) -> bool {
    match reader {
        Actor::User { user, .. } => file.secret.is_none() || file.owner.as_ref() == Some(user),
        _ => true,
    }
}
