//! Files shared with a group: upload, list, download, delete. Bytes are streamed.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;

use conclave_core::event::Actor;
use conclave_core::model::{FileId, GroupId, Millis, SharedFile};
use conclave_core::operation::{AddFile, FileShared, RemoveFile};
use conclave_core::ports::{GroupsExt as _, Typed};
use conclave_core::query::{File, Files};
use conclave_core::refusal::Refusal;
use conclave_kit::{BlobError, ByteStream, Stored, same};
use futures_util::TryStreamExt;
use http::header::{CONTENT_TYPE, HeaderMap};
use multer::Field;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::call::Call;
use super::envelope::Reply;
use super::form::{Form, skip};
use crate::dialect::ids::{APP_ADMIN, file_id, file_uuid, shown};
use crate::dialect::limits;
use crate::refusals::{self, Failure};

/// The part of a form that is the file.
pub(super) const PART: &str = "file";
/// Requests a secret that gives access to the file. The web SDKs always send it.
pub(super) const RESTRICT: &str = "restrict-access";
/// The header with the secret of a restricted file.
pub(super) use crate::dialect::media::SECRET;

/// `POST /chatgroups/{id}/share_files`: a form with a part `file`.
pub(crate) async fn upload(call: &Call<'_>) -> Result<Reply, Failure> {
    let group = call.group()?;
    // members who may not upload are refused before all the bytes have arrived
    call.ask(Files { group: group.clone(), after: None, skip: 0, limit: 0, newest_first: true }).await?;
    let sent = receive(call).await?;
    let adding = AddFile {
        group: group.clone(),
        id: None,
        name: sent.name,
        media_type: sent.media_type,
        size: sent.stored.size,
        expires: expiry(call),
        secret: sent.secret,
        blob: sent.stored.id.clone(),
        most: Some(call.app.settings.files),
    };
    let file = keep(call, sent.form, &sent.stored, adding).await?;
    Ok(Reply::data(&Uploaded::of(call, &group, &file)))
}

/// A file whose bytes are stored, and which is not kept yet.
pub(super) struct Received {
    pub(super) name: String,
    pub(super) media_type: String,
    pub(super) stored: Stored,
    /// Grants access to the file without a token. Present if the uploader asked for one.
    pub(super) secret: Option<String>,
    pub(super) form: Form,
}

/// Reads the part `file` of a form and stores its bytes.
pub(super) async fn receive(call: &Call<'_>) -> Result<Received, Failure> {
    let mut form = form(call)?;
    let Some(part) = file_part(&mut form).await? else { return Err(refusals::no_file_given()) };
    let name = part.file_name().unwrap_or(PART).to_owned();
    if name.chars().count() > limits::FILE_NAME {
        return Err(refusals::file_name_too_long());
    }
    // the media type is only returned again as it was sent, so an invalid one is dropped
    let media_type = part.content_type().map(ToString::to_string).filter(|kind| kind.len() <= limits::MEDIA_TYPE_BYTES);
    let media_type = media_type.unwrap_or_default();
    let stored = store(call, part).await?;
    let secret = is_restricted(call.headers).then(|| Uuid::new_v4().simple().to_string());
    Ok(Received { name, media_type, stored, secret, form })
}

/// Keeps a file whose bytes are stored, and reads the rest of its form; deletes the bytes when it is refused.
pub(super) async fn keep(
    call: &Call<'_>,
    form: Form,
    stored: &Stored,
    adding: impl Typed<Reply = FileShared>,
) -> Result<SharedFile, Failure> {
    let kept = keep_stored(call, stored, adding).await?;
    form.finish().await;
    Ok(kept)
}

/// Keeps a file whose bytes are stored; deletes the bytes when it is refused.
pub(super) async fn keep_stored(
    call: &Call<'_>,
    stored: &Stored,
    adding: impl Typed<Reply = FileShared>,
) -> Result<SharedFile, Failure> {
    match call.run(adding).await {
        Ok(shared) => Ok(shared.0),
        Err(failure) => {
            forget_all(call, [stored.clone()]).await;
            Err(failure)
        }
    }
}

/// The form in a body.
pub(super) fn form(call: &Call<'_>) -> Result<Form, Failure> {
    let kind = call.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    // a body that is not a form has no file in it
    let boundary = multer::parse_boundary(kind).map_err(|_| refusals::no_file_given())?;
    Ok(Form::new(call.upload(), boundary))
}

async fn file_part(form: &mut Form) -> Result<Option<Field<'static>>, Failure> {
    while let Some(part) = form.next().await.map_err(|error| broken(&as_io(error)))? {
        if part.name() == Some(PART) {
            return Ok(Some(part));
        }
        skip(part).await.map_err(|error| broken(&as_io(error)))?;
    }
    Ok(None)
}

/// Stores the bytes of a part of a form.
pub(super) async fn store(call: &Call<'_>, part: Field<'static>) -> Result<Stored, Failure> {
    let content: ByteStream = Box::pin(part.map_err(as_io));
    let stored = call.app.blobs.put(content, call.app.settings.file_bytes).await;
    stored.map_err(|error| not_stored(call, error))
}

/// The vendor's error for bytes that were not stored.
pub(super) fn not_stored(call: &Call<'_>, error: BlobError) -> Failure {
    match error {
        BlobError::TooLarge { .. } => refusals::fault(conclave_kit::Fault::TooLarge),
        BlobError::Broken(error) => broken(&error),
        BlobError::Failed(error) => call.word(&Refusal::Unavailable(format!("the file store failed: {error}"))),
    }
}

/// Deletes bytes that belong to no file.
pub(super) async fn forget_all(call: &Call<'_>, unused: impl IntoIterator<Item = Stored>) {
    for stored in unused {
        if let Err(error) = call.app.blobs.delete(&stored.id).await {
            tracing::warn!(%error, blob = stored.id, "the bytes of a refused file stay until the next start");
        }
    }
}

/// Why a form ended early.
pub(super) fn as_io(error: multer::Error) -> io::Error {
    match error {
        multer::Error::StreamReadFailed(inner) => match inner.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(other) => io::Error::other(other),
        },
        other => io::Error::new(io::ErrorKind::InvalidData, other),
    }
}

/// The vendor's error for a form that ended early.
pub(super) fn broken(error: &io::Error) -> Failure {
    use conclave_kit::Fault;
    match error.kind() {
        io::ErrorKind::FileTooLarge => refusals::fault(Fault::TooLarge),
        io::ErrorKind::TimedOut => refusals::fault(Fault::TimedOut),
        _ => refusals::no_file_given(),
    }
}

pub(super) fn expiry(call: &Call<'_>) -> Option<Millis> {
    let days = u64::from(call.app.settings.file_days);
    (days > 0).then(|| call.app.now().plus(days * 24 * 3600 * 1000))
}

pub(crate) fn is_restricted(headers: &HeaderMap) -> bool {
    headers.get(RESTRICT).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"))
}

/// A file that was just uploaded.
#[derive(Serialize)]
struct Uploaded<'f> {
    file_url: String,
    group_id: &'f GroupId,
    file_name: String,
    created: Millis,
    file_id: String,
    file_size: u64,
    /// Returned once, to the uploader. Our choice, as the vendor does with the attachments of messages.
    #[serde(rename = "share-secret", skip_serializing_if = "Option::is_none")]
    share_secret: Option<&'f str>,
}

impl<'f> Uploaded<'f> {
    fn of(call: &Call<'_>, group: &'f GroupId, file: &'f SharedFile) -> Self {
        let id = file_uuid(&file.id);
        Self {
            file_url: format!("{}/{id}", call.url.trim_end_matches('/')),
            group_id: group,
            file_name: name(file),
            created: file.at,
            file_id: id,
            file_size: file.size,
            share_secret: file.secret.as_deref(),
        }
    }
}

/// Names are returned in lower case.
fn name(file: &SharedFile) -> String {
    file.name.to_lowercase()
}

/// A file in a list.
#[derive(Serialize)]
struct Listed<'f> {
    file_id: String,
    file_name: String,
    file_owner: Cow<'f, str>,
    file_size: u64,
    created: Millis,
}

impl<'f> Listed<'f> {
    fn of(file: &'f Arc<SharedFile>) -> Self {
        Self {
            file_id: file_uuid(&file.id),
            file_name: name(file),
            file_owner: file.owner.as_ref().map_or(Cow::Borrowed(APP_ADMIN), shown),
            file_size: file.size,
            created: file.at,
        }
    }
}

/// `GET /chatgroups/{id}/share_files`: newest first, pages from 1.
pub(crate) async fn list(call: &Call<'_>) -> Result<Reply, Failure> {
    let most = call.app.settings.files_page;
    let limit = call.page("pagesize", most, most);
    let number = call.query.number("pagenum").unwrap_or(1).max(1) - 1;
    let skip = number.saturating_mul(limit);
    let page = call.ask(Files { group: call.group()?, after: None, skip, limit, newest_first: true }).await?;
    let rows: Vec<Listed<'_>> = page.files.iter().map(Listed::of).collect();
    Ok(Reply::data(&rows).count(rows.len()))
}

/// `GET /chatgroups/{id}/share_files/{file}`: the bytes. Members and the app read every file; other users of the app
/// need the file's secret.
pub(crate) async fn download(call: &Call<'_>) -> Result<Reply, Failure> {
    let (group, file) = (call.group()?, file(call)?);
    let asked = File { group, file };
    let found = match call.ask(asked.clone()).await {
        Ok(found) => found.0,
        Err(failure) => with_secret(call, asked).await?.ok_or(failure)?,
    };
    content(call, &found).await
}

/// The bytes of a file.
pub(super) async fn content(call: &Call<'_>, file: &SharedFile) -> Result<Reply, Failure> {
    let stored = call.app.blobs.get(&file.blob).await;
    match stored.map_err(|error| call.word(&Refusal::Unavailable(error.to_string())))? {
        Some((size, content)) => Ok(Reply::content(size, content)),
        None => Err(gone(call, &file_uuid(&file.id))),
    }
}

/// The file, if the caller has its secret.
async fn with_secret(call: &Call<'_>, asked: File) -> Result<Option<Arc<SharedFile>>, Failure> {
    let Some(given) = call.headers.get(SECRET) else { return Ok(None) };
    let found = match call.app.groups.ask(&Actor::app(), asked).await {
        Ok(found) => found.0,
        Err(refusal @ Refusal::Unavailable(_)) => return Err(call.word(&refusal)),
        // the caller gets the refusal that they would get without a secret
        Err(_) => return Ok(None),
    };
    let opens = found.secret.as_ref().is_some_and(|secret| same(secret.as_bytes(), given.as_bytes()));
    Ok(opens.then_some(found))
}

fn gone(call: &Call<'_>, id: &str) -> Failure {
    tracing::error!(app = %call.app.key(), file = id, "a shared file has lost its bytes; restore the blobs folder");
    refusals::file_unknown(id)
}

/// `DELETE /chatgroups/{id}/share_files/{file}`: managers delete any file, members their own.
pub(crate) async fn delete(call: &Call<'_>) -> Result<Reply, Failure> {
    let (group, file) = (call.group()?, file(call)?);
    call.run(RemoveFile { group: group.clone(), file: file.clone() }).await?;
    Ok(Reply::data(&json!({"group_id": group, "file_id": file_uuid(&file), "result": true})))
}

/// The file in the path.
fn file(call: &Call<'_>) -> Result<FileId, Failure> {
    let text = call.param("file");
    file_id(text).ok_or_else(|| refusals::file_unknown(text))
}
