//! Upload of a large attachment in parts, as the web SDKs do it above 7.5 MB: begin, upload each part, complete or abort.
//! Paths, parameters and the fields of the responses are those of the SDKs (`agora-chat` 1.4.0).

use std::collections::BTreeMap;

use conclave_core::operation::AddAttachment;
use conclave_kit::{BlobError, ByteStream, Fault, Stored};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;
use uuid::Uuid;

use super::attachments;
use super::call::Call;
use super::envelope::Reply;
use super::files;
use super::form::skip;
use crate::dialect::limits;
use crate::refusals::{self, Failure};
use crate::uploads::NotAdded;

/// The parts of the form that carries a part of the file.
const FILE: &str = "part_file";
const NUMBER: &str = "part_number";
/// Longest part number, in digits.
const DIGITS: usize = 8;

/// `POST /sdk/chatfiles/part-upload`: begins. The SDKs upload in one piece where this is refused.
#[allow(clippy::unused_async, reason = "routes are asynchronous")]
pub(crate) async fn begin(call: &Call<'_>) -> Result<Reply, Failure> {
    let (uploads, now) = (&call.app.uploads, call.app.now());
    files::forget_all(call, uploads.expired(now)).await;
    let Some(id) = uploads.begin(call.caller(), now) else { return Err(refusals::fault(Fault::Busy)) };
    let most = call.app.settings.file_bytes;
    Ok(Reply::attachments(&[
        json!({"uuid": id, "file_upper_limit": most, "part_lower_limit": limits::ATTACHMENT_PART_BYTES}),
    ]))
}

/// `PUT /sdk/chatfiles/part-upload/{upload}`: one part, a form with its bytes and its number, from 1.
pub(crate) async fn part(call: &Call<'_>) -> Result<Reply, Failure> {
    let (upload, owner) = (upload(call)?, call.caller());
    if !call.app.uploads.has(upload, owner) {
        return Err(unknown(call));
    }
    let (number, stored) = receive(call).await?;
    let most = call.app.settings.file_bytes;
    let added = call.app.uploads.add(upload, owner, (number, stored.clone()), most, call.app.now());
    match added {
        Ok(replaced) => {
            files::forget_all(call, replaced).await;
            Ok(Reply::attachments(&[json!({"uuid": upload, "part_number": number})]))
        }
        Err(why) => {
            files::forget_all(call, [stored]).await;
            Err(match why {
                NotAdded::Unknown => unknown(call),
                NotAdded::TooLarge => refusals::fault(Fault::TooLarge),
            })
        }
    }
}

/// `POST /sdk/chatfiles/part-upload/{upload}`: the file is complete. The response is that of an upload in one piece.
pub(crate) async fn complete(call: &Call<'_>) -> Result<Reply, Failure> {
    let taken = call.app.uploads.take(upload(call)?, call.caller());
    let parts = taken.ok_or_else(|| unknown(call))?;
    let kept = keep(call, &parts).await;
    files::forget_all(call, parts.into_values()).await;
    kept
}

/// `DELETE /sdk/chatfiles/part-upload/{upload}`: the upload is abandoned.
pub(crate) async fn abort(call: &Call<'_>) -> Result<Reply, Failure> {
    let upload = upload(call)?;
    let parts = call.app.uploads.take(upload, call.caller()).ok_or_else(|| unknown(call))?;
    files::forget_all(call, parts.into_values()).await;
    Ok(Reply::attachments(&[json!({"uuid": upload})]))
}

/// The upload in the path.
fn upload(call: &Call<'_>) -> Result<Uuid, Failure> {
    Uuid::try_parse(call.param("upload")).map_err(|_| unknown(call))
}

fn unknown(call: &Call<'_>) -> Failure {
    refusals::attachment_unknown(call.param("upload"))
}

/// Reads the form, and stores the bytes in it.
async fn receive(call: &Call<'_>) -> Result<(u32, Stored), Failure> {
    let mut form = files::form(call)?;
    let (mut number, mut stored) = (None, None);
    let read = async {
        while let Some(part) = form.next().await.map_err(|error| files::broken(&files::as_io(error)))? {
            match part.name() {
                Some(FILE) if stored.is_none() => stored = Some(files::store(call, part).await?),
                Some(NUMBER) if number.is_none() => number = Some(read_number(call, part).await?),
                _ => skip(part).await.map_err(|error| files::broken(&files::as_io(error)))?,
            }
        }
        Ok(())
    };
    let read = read.await;
    match (read, number, stored) {
        (Ok(()), Some(number), Some(stored)) => Ok((number, stored)),
        (read, _, stored) => {
            files::forget_all(call, stored).await;
            Err(read.err().unwrap_or_else(refusals::no_file_given))
        }
    }
}

/// A part's number: a file has only so many, as all but the last one have a fixed size.
async fn read_number(call: &Call<'_>, mut part: multer::Field<'static>) -> Result<u32, Failure> {
    let wrong = || refusals::invalid("part_number is illegal");
    let mut text = Vec::new();
    while let Some(bytes) = part.chunk().await.map_err(|error| files::broken(&files::as_io(error)))? {
        if text.len() + bytes.len() > DIGITS {
            return Err(wrong());
        }
        text.extend_from_slice(&bytes);
    }
    let number = str::from_utf8(&text).ok().and_then(|text| text.parse::<u32>().ok());
    let most = call.app.settings.file_bytes.div_ceil(limits::ATTACHMENT_PART_BYTES).max(1);
    number.filter(|number| *number > 0 && u64::from(*number) <= most).ok_or_else(wrong)
}

/// Makes one attachment of the parts.
async fn keep(call: &Call<'_>, parts: &BTreeMap<u32, Stored>) -> Result<Reply, Failure> {
    // parts are numbered from 1 without gaps
    if parts.is_empty() || !parts.keys().copied().eq((1..).take(parts.len())) {
        return Err(refusals::invalid("some parts of the file are missing"));
    }
    let stored = call.app.blobs.put(joined(call, parts), call.app.settings.file_bytes).await;
    let stored = stored.map_err(|error| files::not_stored(call, error))?;
    let adding = AddAttachment {
        id: None,
        // the SDKs do not send a name
        name: files::PART.to_owned(),
        media_type: String::new(),
        size: stored.size,
        expires: files::expiry(call),
        secret: call.query.is_true(files::RESTRICT).then(|| Uuid::new_v4().simple().to_string()),
        blob: stored.id.clone(),
    };
    let file = files::keep_stored(call, &stored, adding).await?;
    Ok(Reply::attachments(&[attachments::entity(&file)]).at(uri(call)))
}

/// The address below which the finished file is, as an upload in one piece returns it.
fn uri(call: &Call<'_>) -> String {
    let parts = format!("/sdk/chatfiles/part-upload/{}", call.param("upload"));
    format!("{}/chatfiles", call.url.strip_suffix(&parts).unwrap_or(&call.url))
}

/// The bytes of the parts, one after another.
fn joined(call: &Call<'_>, parts: &BTreeMap<u32, Stored>) -> ByteStream {
    let blobs = std::sync::Arc::clone(&call.app.blobs);
    let ids: Vec<String> = parts.values().map(|part| part.id.clone()).collect();
    let content = stream::iter(ids).then(move |id| {
        let blobs = std::sync::Arc::clone(&blobs);
        async move {
            match blobs.get(&id).await {
                Ok(Some((_, content))) => Ok(content),
                Ok(None) => Err(std::io::Error::other("a part has lost its bytes")),
                Err(BlobError::Failed(error) | BlobError::Broken(error)) => Err(error),
                Err(error) => Err(std::io::Error::other(error)),
            }
        }
    });
    Box::pin(content.try_flatten())
}
