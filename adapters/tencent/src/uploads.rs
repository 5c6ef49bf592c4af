//! Files of messages: where a client uploads one, and where it is downloaded. The vendor's storage service has addresses
//! that are signed; so have these. Anyone who has the address of a file may read it; the address of an upload is used once.

use std::io;

use conclave_core::event::Actor;
use conclave_core::model::{FileId, Millis, SharedFile, UserId};
use conclave_core::operation::AddAttachment;
use conclave_core::ports::GroupsExt as _;
use conclave_core::query::Attachment;
use conclave_core::refusal::Refusal;
use conclave_kit::{BlobError, Body, ByteStream, FoundRoute, Head, RouteInfo, Sealer, VendorCode, VendorError};
use http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use uuid::Uuid;

use crate::dialect::limits;
use crate::realm::App;

/// The folder of all files, below the surface's root.
const FOLDER: &str = "/files/";
/// Bytes of an app's id, of a file's id and of an expiry in a sealed address.
const APP: usize = 4;
const FILE: usize = 16;
const EXPIRY: usize = 8;

/// Makes the addresses of one app's files, and reads them.
pub(crate) struct Uploads {
    uploads: Sealer,
    files: Sealer,
}

/// The two addresses of a file that is to be uploaded, below the surface's root.
pub(crate) struct Addresses {
    pub(crate) upload: String,
    pub(crate) download: String,
}

/// Permission to upload one file.
struct Permission {
    file: Uuid,
    until: Millis,
    user: UserId,
}

impl Uploads {
    pub(crate) fn new(uploads: Sealer, files: Sealer) -> Self {
        Self { uploads, files }
    }

    /// The addresses of a new file, which this user may upload until some time.
    pub(crate) fn addresses(&self, sdkappid: u32, user: &UserId, name: &str, until: Millis) -> Addresses {
        let file = Uuid::new_v4();
        let app = sdkappid.to_be_bytes();
        let permission = [&app[..], file.as_bytes(), &until.0.to_be_bytes(), user.as_str().as_bytes()].concat();
        let name = safe(name);
        let address = |sealer: &Sealer, sealed: &[u8]| format!("{FOLDER}{}/{name}", tokened(sdkappid, sealer, sealed));
        Addresses {
            upload: address(&self.uploads, &permission),
            download: address(&self.files, &[&app[..], file.as_bytes()].concat()),
        }
    }

    fn permission(&self, token: &str) -> Option<Permission> {
        let bytes = self.uploads.open(token)?;
        let (_, rest) = bytes.split_at_checked(APP)?;
        let (file, rest) = rest.split_at_checked(FILE)?;
        let (until, user) = rest.split_at_checked(EXPIRY)?;
        Some(Permission {
            file: Uuid::from_slice(file).ok()?,
            until: Millis(u64::from_be_bytes(until.try_into().ok()?)),
            user: UserId::new(std::str::from_utf8(user).ok()?).ok()?,
        })
    }

    fn file(&self, token: &str) -> Option<Uuid> {
        Uuid::from_slice(self.files.open(token)?.get(APP..)?).ok()
    }
}

/// A sealed text after the id of the app whose key seals it.
fn tokened(sdkappid: u32, sealer: &Sealer, sealed: &[u8]) -> String {
    format!("{sdkappid}/{}", sealer.seal(sealed))
}

/// The letters of a file's name that are safe in a path and in a header.
fn safe(name: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    let name: String = name.chars().map(|letter| if plain(letter) { letter } else { '_' }).collect();
    // the end says what kind of file it is
    name[name.len().saturating_sub(limits::FILE_NAME_SHOWN)..].to_owned()
}

fn id_of(file: Uuid) -> Result<FileId, Refusal> {
    FileId::new(format!("tim-{}", file.simple())).map_err(Refusal::from)
}

/// The parts of a path below [`FOLDER`]: the app's id, the token, and the name, which says nothing.
fn parts(path: &str) -> Option<(u32, &str)> {
    let mut parts = path.strip_prefix(FOLDER)?.splitn(3, '/');
    let (app, token, _name) = (parts.next()?, parts.next()?, parts.next()?);
    Some((app.parse().ok()?, token))
}

/// The app that a path names, if it is one of a file.
pub(crate) fn app_of(path: &str) -> Option<u32> {
    parts(path).map(|(app, _)| app)
}

const UPLOAD: &str = "upload_file";
const DOWNLOAD: &str = "download_file";

/// The routes of files.
pub(crate) fn routes() -> [RouteInfo; 2] {
    let path = "/files/{app}/{token}/{name}";
    let route = |method, operation| RouteInfo { method, path, operation };
    [route(Method::PUT, UPLOAD), route(Method::GET, DOWNLOAD)]
}

/// The route of a request about a file.
pub(crate) fn route(method: &Method, path: &str) -> Option<FoundRoute> {
    parts(path)?;
    match *method {
        Method::PUT => Some(FoundRoute { operation: UPLOAD, streams: true, number: None }),
        Method::GET => Some(FoundRoute { operation: DOWNLOAD, streams: false, number: None }),
        _ => None,
    }
}

/// What the caller of a file's address may do with it.
pub(crate) enum Task {
    Upload(Upload),
    Download(FileId),
}

impl Task {
    /// The user who calls, if they are known.
    pub(crate) fn user(&self) -> Option<UserId> {
        match self {
            Self::Upload(upload) => Some(upload.user.clone()),
            Self::Download(_) => None,
        }
    }
}

/// A permitted upload.
pub(crate) struct Upload {
    file: FileId,
    name: String,
    user: UserId,
}

/// What the address of a request permits.
pub(crate) fn task(app: &App, head: &Head) -> Result<Task, Failure> {
    let path = head.path();
    let (_, token) = parts(path).ok_or(Failure::NoSuchFile)?;
    if head.method != Method::PUT {
        let file = app.uploads.file(token).ok_or(Failure::NoSuchFile)?;
        return Ok(Task::Download(id_of(file)?));
    }
    let Permission { file, until, user } = app.uploads.permission(token).ok_or(Failure::Denied)?;
    if app.realm.groups.now() >= until {
        return Err(Failure::Expired);
    }
    let name = path.rsplit('/').next().unwrap_or_default().to_owned();
    Ok(Task::Upload(Upload { file: id_of(file)?, name, user }))
}

/// Does it.
pub(crate) async fn serve(app: &App, task: Task, head: &Head, body: Body) -> Response<Body> {
    let done = match task {
        Task::Upload(upload) => store(app, upload, &head.headers, body).await,
        Task::Download(file) => content(app, file).await,
    };
    done.unwrap_or_else(|failure| refuse(&failure))
}

async fn store(app: &App, upload: Upload, headers: &HeaderMap, body: Body) -> Result<Response<Body>, Failure> {
    let content: ByteStream = match body {
        Body::Stream(pieces) => pieces,
        Body::Whole(bytes) => Box::pin(futures_util::stream::iter([Ok(bytes)])),
    };
    // the bytes of a second upload are not read
    let used = Attachment { file: upload.file.clone() };
    if app.realm.groups.ask(&Actor::app(), used).await?.0.is_some() {
        return Err(Failure::Taken);
    }
    let settings = &app.realm.settings;
    let stored = app.realm.blobs.put(content, settings.file_bytes).await?;
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let days = u64::from(settings.file_days);
    let adding = AddAttachment {
        id: Some(upload.file),
        name: upload.name,
        media_type: kind.filter(|kind| kind.len() <= limits::MEDIA_TYPE_BYTES).unwrap_or_default().to_owned(),
        size: stored.size,
        expires: (days > 0).then(|| app.realm.groups.now().plus(days * 24 * 3600 * 1000)),
        secret: None,
        blob: stored.id.clone(),
    };
    let actor = Actor::User { user: upload.user, device: None };
    if let Err(refusal) = app.realm.groups.run(&actor, adding).await {
        if let Err(error) = app.realm.blobs.delete(&stored.id).await {
            tracing::warn!(%error, blob = stored.id, "the bytes of a refused file stay until the next start");
        }
        return Err(refusal.into());
    }
    Ok(Response::new(Body::empty()))
}

async fn content(app: &App, file: FileId) -> Result<Response<Body>, Failure> {
    let found = app.realm.groups.ask(&Actor::app(), Attachment { file }).await?.0.ok_or(Failure::NoSuchFile)?;
    let Some((size, bytes)) = app.realm.blobs.get(&found.blob).await? else {
        tracing::error!(realm = app.realm.name, file = %found.id, "a file has lost its bytes; restore the blobs folder");
        return Err(Failure::NoSuchFile);
    };
    let mut response = Response::new(Body::Stream(bytes));
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, HeaderValue::from(size));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type(&found)));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let disposition = if is_shown(&found) { "inline" } else { "attachment" };
    headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static(disposition));
    Ok(response)
}

/// The media types that a page may show from here: those that run no scripts.
const SHOWN: [&str; 14] = [
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "image/bmp",
    "audio/mpeg",
    "audio/mp4",
    "audio/aac",
    "audio/ogg",
    "audio/wav",
    "audio/webm",
    "video/mp4",
    "video/webm",
    "video/quicktime",
];

fn is_shown(file: &SharedFile) -> bool {
    SHOWN.contains(&file.media_type.as_str())
}

fn media_type(file: &SharedFile) -> &'static str {
    SHOWN.into_iter().find(|shown| *shown == file.media_type).unwrap_or("application/octet-stream")
}

/// Why a file is not stored or not found; the codes are the storage service's.
#[derive(Debug)]
pub(crate) enum Failure {
    Denied,
    Expired,
    NoSuchFile,
    TooLarge,
    Broken,
    /// The address was used before.
    Taken,
    Unavailable(String),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::InvalidValue(_) | Refusal::InvalidId(_) => Self::Taken,
            refusal => Self::Unavailable(refusal.to_string()),
        }
    }
}

impl From<BlobError> for Failure {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::TooLarge { .. } => Self::TooLarge,
            BlobError::Broken(error) if error.kind() == io::ErrorKind::FileTooLarge => Self::TooLarge,
            BlobError::Broken(_) => Self::Broken,
            BlobError::Failed(error) => Self::Unavailable(format!("the file store failed: {error}")),
        }
    }
}

/// The response to a refused request: XML, as from the storage service.
pub(crate) fn refuse(failure: &Failure) -> Response<Body> {
    use conclave_kit::ErrorClass;
    let refused = ErrorClass::Refused;
    let (status, code, text, class) = match failure {
        Failure::Denied => (StatusCode::FORBIDDEN, "AccessDenied", "Access Denied.", ErrorClass::Unauthenticated),
        Failure::Expired => (StatusCode::FORBIDDEN, "AccessDenied", "Request has expired", ErrorClass::Unauthenticated),
        Failure::NoSuchFile => (StatusCode::NOT_FOUND, "NoSuchKey", "The specified key does not exist.", refused),
        Failure::TooLarge => (
            StatusCode::PAYLOAD_TOO_LARGE,
            "EntityTooLarge",
            "Your proposed upload exceeds the maximum allowed object size.",
            refused,
        ),
        Failure::Broken => (
            StatusCode::BAD_REQUEST,
            "IncompleteBody",
            "You did not provide the number of bytes specified by the Content-Length HTTP header.",
            refused,
        ),
        Failure::Taken => (StatusCode::CONFLICT, "PathConflict", "The object exists already.", refused),
        Failure::Unavailable(why) => {
            tracing::error!("a file was not served: {why}");
            let text = "We encountered an internal error. Please try again.";
            (StatusCode::INTERNAL_SERVER_ERROR, "InternalError", text, ErrorClass::Failed)
        }
    };
    let xml = format!(
        "<?xml version='1.0' encoding='utf-8' ?>\n<Error>\n\t<Code>{code}</Code>\n\t<Message>{text}</Message>\n</Error>\n"
    );
    let mut response = Response::new(Body::from(xml));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    VendorError { code: VendorCode::Number(status.as_u16().into()), class }.go_with(&mut response);
    response
}
