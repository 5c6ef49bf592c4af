//! A backup on disk: a folder of its own.
//!
//! | name | content |
//! | --- | --- |
//! | `conclave-backup` | the manifest (JSON), written and synced last: a folder without it is not a complete backup |
//! | `rows` | all rows, as frames with checksums |
//! | `blobs/` | shared files' bytes, one file each |
//! | `blobs.list` | id, size and checksum of each shared file, in the order of the rows that refer to them |
//! | `webhooks/` | how far each webhook was delivered |

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::census::Census;
use super::frame::{self, Frame, Head, STREAM, Totals};
use super::manifest::{LAYOUT, Manifest, Sum, damaged};
use super::{BLOBS, BackupError, MANIFEST, WEBHOOKS};
use crate::blob::{is_id, sum_in, sync_folder};

/// The rows' file.
pub(crate) const ROWS: &str = "rows";
/// The list of shared files.
pub(crate) const BLOB_LIST: &str = "blobs.list";

/// A file that is written with its checksum.
struct Written {
    file: BufWriter<File>,
    path: PathBuf,
    sum: Sum,
}

impl Written {
    fn create(path: PathBuf) -> Result<Self, BackupError> {
        let file = File::create_new(&path).map_err(BackupError::io(&path))?;
        Ok(Self { file: BufWriter::new(file), path, sum: Sum::default() })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), BackupError> {
        self.sum.update(bytes);
        self.file.write_all(bytes).map_err(BackupError::io(&self.path))
    }

    /// Syncs the file to disk; returns the checksum.
    fn finish(mut self) -> Result<Sum, BackupError> {
        self.file.flush().and_then(|()| self.file.get_ref().sync_all()).map_err(BackupError::io(&self.path))?;
        Ok(self.sum)
    }
}

/// Writes a backup from the frames of a stream.
pub(crate) struct Writer {
    folder: PathBuf,
    head: Option<Head>,
    rows: Option<Written>,
    list: Option<Written>,
    blob: Option<Blob>,
    found: Totals,
    /// `None` where the rows have a format that this version cannot count.
    census: Option<Census>,
    sums: BTreeMap<String, String>,
    manifest: Option<Manifest>,
    /// Whether the backup is complete, so that it is kept.
    is_complete: bool,
}

/// A shared file that is being written.
struct Blob {
    id: String,
    size: u64,
    left: u64,
    /// `None` if it is already in the backup because another row refers to it.
    file: Option<Written>,
    sum: Sum,
}

impl Writer {
    /// Begins a backup in a new or empty folder.
    pub(crate) fn begin(folder: &Path) -> Result<Self, BackupError> {
        make_empty(folder, "a backup")?;
        // before everything else, as it distinguishes an incomplete backup from other folders
        let list = Some(Written::create(folder.join(BLOB_LIST))?);
        for below in [BLOBS, WEBHOOKS] {
            let below = folder.join(below);
            fs::create_dir(&below).map_err(BackupError::io(&below))?;
        }
        Ok(Self {
            folder: folder.to_owned(),
            head: None,
            rows: Some(Written::create(folder.join(ROWS))?),
            list,
            blob: None,
            found: Totals::default(),
            census: None,
            sums: BTreeMap::new(),
            manifest: None,
            is_complete: false,
        })
    }

    /// Writes the next frame.
    pub(crate) fn take(&mut self, frame: Frame) -> Result<(), BackupError> {
        if self.manifest.is_some() || (self.head.is_none() && !matches!(frame, Frame::Head(_) | Frame::Failed(_))) {
            return Err(out_of_order());
        }
        match frame {
            Frame::Head(head) => self.begin_with(head),
            Frame::Rows(content) => self.rows(content),
            Frame::Webhook(name, content) => self.webhook(&name, &content),
            Frame::Blob(id, size) => self.blob(id, size),
            Frame::Piece(bytes) => self.piece(&bytes),
            Frame::End(totals) => self.end(totals),
            Frame::Failed(why) => Err(BackupError::Refused(format!("the backup was not finished: {why}"))),
        }
    }

    fn begin_with(&mut self, head: Head) -> Result<(), BackupError> {
        if self.head.is_some() {
            return Err(out_of_order());
        }
        if head.stream != STREAM {
            return Err(BackupError::Refused(format!(
                "the gateway is conclave {}, whose backups this version does not read; use that version",
                head.written_by
            )));
        }
        self.census = (head.data_format == crate::store::FORMAT).then(Census::default);
        self.head = Some(head);
        Ok(())
    }

    fn rows(&mut self, content: Bytes) -> Result<(), BackupError> {
        let Some(file) = &mut self.rows else { return Err(out_of_order()) };
        for row in frame::rows(&content) {
            let (key, value) = row.map_err(|error| BackupError::Damaged(error.to_string()))?;
            self.found.rows += 1;
            if let Some(census) = &mut self.census {
                census.add(key, value).map_err(wrong_rows)?;
            }
        }
        file.write(&Frame::Rows(content).encode())
    }

    fn webhook(&mut self, name: &str, content: &[u8]) -> Result<(), BackupError> {
        if !is_plain(name) {
            return Err(BackupError::Damaged(format!("{name:?} is no name of a webhook's file")));
        }
        let mut file = Written::create(self.folder.join(WEBHOOKS).join(name))?;
        file.write(content)?;
        self.sums.insert(format!("{WEBHOOKS}/{name}"), file.finish()?.hex());
        self.found.webhooks += 1;
        Ok(())
    }

    fn blob(&mut self, id: String, size: u64) -> Result<(), BackupError> {
        if self.blob.is_some() || !is_id(&id) {
            return Err(out_of_order());
        }
        let path = self.folder.join(BLOBS).join(&id);
        let file = if path.exists() { None } else { Some(Written::create(path)?) };
        self.found.blobs += 1;
        self.found.blob_bytes += size;
        self.blob = Some(Blob { id, size, left: size, file, sum: Sum::default() });
        if size == 0 { self.end_blob() } else { Ok(()) }
    }

    fn piece(&mut self, bytes: &[u8]) -> Result<(), BackupError> {
        let Some(blob) = &mut self.blob else { return Err(out_of_order()) };
        blob.left = blob.left.checked_sub(bytes.len() as u64).ok_or_else(out_of_order)?;
        blob.sum.update(bytes);
        if let Some(file) = &mut blob.file {
            file.write(bytes)?;
        }
        if blob.left == 0 { self.end_blob() } else { Ok(()) }
    }

    fn end_blob(&mut self) -> Result<(), BackupError> {
        let (Some(Blob { id, size, file, sum, .. }), Some(list)) = (self.blob.take(), &mut self.list) else {
            return Err(out_of_order());
        };
        if sum_in(&id).is_some_and(|expected| expected != sum.short()) {
            return Err(BackupError::Damaged(format!(
                "the shared file {id} in the data folder is damaged; put it back from an earlier backup, or delete it through its vendor's API"
            )));
        }
        if let Some(file) = file {
            file.finish()?;
        }
        list.write(format!("{id} {size} {}\n", sum.hex()).as_bytes())
    }

    /// Writes the manifest, when everything else is written.
    fn end(&mut self, totals: Totals) -> Result<(), BackupError> {
        let (Some(rows), Some(list), None, Some(head)) =
            (self.rows.take(), self.list.take(), &self.blob, self.head.take())
        else {
            return Err(out_of_order());
        };
        if totals != self.found {
            return Err(BackupError::Damaged("the backup's data is not complete; take it again".to_owned()));
        }
        self.sums.insert(ROWS.to_owned(), rows.finish()?.hex());
        self.sums.insert(BLOB_LIST.to_owned(), list.finish()?.hex());
        let counts = self.census.take().map(Census::end).transpose().map_err(wrong_rows)?;
        let taken_at = i64::try_from(head.taken_at_ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
        let mut manifest = Manifest {
            conclave_backup: LAYOUT,
            taken_at: taken_at.map(|at| at.to_string()).unwrap_or_default(),
            head,
            totals,
            counts,
            sums: std::mem::take(&mut self.sums),
            sum: String::new(),
        };
        manifest.sum = manifest.checksum()?;
        for below in [BLOBS, WEBHOOKS] {
            let below = self.folder.join(below);
            sync_folder(&below).map_err(BackupError::io(&below))?;
        }
        sync_folder(&self.folder).map_err(BackupError::io(&self.folder))?;
        self.write_manifest(&manifest)?;
        self.manifest = Some(manifest);
        Ok(())
    }

    fn write_manifest(&self, manifest: &Manifest) -> Result<(), BackupError> {
        let text = serde_json::to_string_pretty(manifest);
        let text = text.map_err(|error| BackupError::Refused(format!("the manifest cannot be written: {error}")))?;
        let path = self.folder.join(MANIFEST);
        let draft = path.with_extension("new");
        let mut file = Written::create(draft.clone())?;
        file.write(text.as_bytes())?;
        file.write(b"\n")?;
        file.finish()?;
        fs::rename(&draft, &path).map_err(BackupError::io(&path))?;
        sync_folder(&self.folder).map_err(BackupError::io(&self.folder))?;
        // the folder's own entries are synced too
        let parent = self.folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        sync_folder(parent).map_err(BackupError::io(parent))
    }

    /// The counts; an error if the stream ended early.
    pub(crate) fn finish(mut self) -> Result<Manifest, BackupError> {
        self.is_complete = self.manifest.is_some();
        self.manifest.take().ok_or_else(|| {
            BackupError::Refused(
                "the gateway ended, or the connection to it, before the backup was complete".to_owned(),
            )
        })
    }
}

/// Removes what a failed backup has written, so that the same folder can be used again. What a killed process leaves has
/// no manifest.
impl Drop for Writer {
    fn drop(&mut self) {
        if self.is_complete {
            return;
        }
        let folder = &self.folder;
        let draft = PathBuf::from(MANIFEST).with_extension("new");
        let files = [Path::new(MANIFEST), &draft, Path::new(ROWS), Path::new(BLOB_LIST)];
        let removed = files.into_iter().map(|name| fs::remove_file(folder.join(name)));
        let folders = [BLOBS, WEBHOOKS].into_iter().map(|name| fs::remove_dir_all(folder.join(name)));
        for error in removed.chain(folders).filter_map(Result::err) {
            if error.kind() != io::ErrorKind::NotFound {
                tracing::warn!(%error, folder = %folder.display(), "what was backed up so far cannot be removed");
            }
        }
    }
}

fn out_of_order() -> BackupError {
    BackupError::Damaged("the parts of the backup's data are not in order".to_owned())
}

/// An error about rows.
#[allow(clippy::needless_pass_by_value, reason = "errors are mapped by it")]
pub(crate) fn wrong_rows(why: String) -> BackupError {
    BackupError::Damaged(format!("the rows are damaged: {why}"))
}

/// Whether a name stays in its folder.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0'])
}

/// Creates a folder for its owner only, or uses an existing empty one.
pub(crate) fn make_empty(folder: &Path, what: &str) -> Result<(), BackupError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(BackupError::io(folder))?;
    let entries = fs::read_dir(folder).map_err(BackupError::io(folder))?;
    for entry in entries {
        // created by file systems in every new volume
        if entry.map_err(BackupError::io(folder))?.file_name() != "lost+found" {
            return Err(BackupError::Refused(format!(
                "{} is not empty: {what} needs a new or an empty folder; give another one, or empty it",
                folder.display()
            )));
        }
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(BackupError::io(folder))?;
    }
    Ok(())
}

/// Reads the rows of a backup, checked against the manifest at the end.
pub(crate) fn each_row(
    folder: &Path,
    manifest: &Manifest,
    mut take: impl FnMut(&[u8], &[u8]) -> Result<(), BackupError>,
) -> Result<(), BackupError> {
    let path = folder.join(ROWS);
    let file = File::open(&path).map_err(BackupError::reading(&path))?;
    let mut sum = Sum::default();
    let mut frames = frame::Frames::new(Summed { file, sum: &mut sum });
    let mut rows = 0;
    loop {
        let content = match frames.next().map_err(BackupError::io(&path))? {
            Ok(Some(Frame::Rows(content))) => content,
            Ok(None) => break,
            Ok(Some(_)) | Err(_) => return Err(damaged(&path)),
        };
        for row in frame::rows(&content) {
            let (key, value) = row.map_err(|_| damaged(&path))?;
            rows += 1;
            take(key, value)?;
        }
    }
    if rows != manifest.totals.rows {
        return Err(damaged(&path));
    }
    manifest.expect_sum(folder, ROWS, &sum)
}

struct Summed<'s> {
    file: File,
    sum: &'s mut Sum,
}

impl io::Read for Summed<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(into)?;
        self.sum.update(into.get(..read).unwrap_or_default());
        Ok(read)
    }
}

/// A line of the list of shared files.
pub(crate) struct Listed {
    pub(crate) id: String,
    pub(crate) size: u64,
    pub(crate) sum: String,
}

/// Reads the list of shared files, checked against the manifest at the end.
pub(crate) struct BlobList<'m> {
    file: io::BufReader<File>,
    sum: Sum,
    folder: &'m Path,
    manifest: &'m Manifest,
    found: u64,
}

impl<'m> BlobList<'m> {
    pub(crate) fn open(folder: &'m Path, manifest: &'m Manifest) -> Result<Self, BackupError> {
        let path = folder.join(BLOB_LIST);
        let file = File::open(&path).map_err(BackupError::reading(&path))?;
        Ok(Self { file: io::BufReader::new(file), sum: Sum::default(), folder, manifest, found: 0 })
    }

    /// The next shared file; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Listed>, BackupError> {
        let path = self.folder.join(BLOB_LIST);
        let mut line = Vec::new();
        // lines are short; a longer one is invalid
        let mut limited = io::Read::take(&mut self.file, 1024);
        io::BufRead::read_until(&mut limited, b'\n', &mut line).map_err(BackupError::io(&path))?;
        if line.is_empty() {
            return if self.found == self.manifest.totals.blobs {
                self.manifest.expect_sum(self.folder, BLOB_LIST, &self.sum).map(|()| None)
            } else {
                Err(damaged(&path))
            };
        }
        self.sum.update(&line);
        let line = line.strip_suffix(b"\n").and_then(|line| str::from_utf8(line).ok()).ok_or_else(|| damaged(&path))?;
        self.found += 1;
        let parts: Vec<&str> = line.split(' ').collect();
        match parts[..] {
            [id, size, sum] if is_id(id) => {
                let size = size.parse().map_err(|_| damaged(&path))?;
                Ok(Some(Listed { id: id.to_owned(), size, sum: sum.to_owned() }))
            }
            _ => Err(damaged(&path)),
        }
    }
}

/// The delivery positions of webhooks in a backup: names and contents, each checked.
pub(crate) fn webhooks(folder: &Path, manifest: &Manifest) -> Result<Vec<(String, Vec<u8>)>, BackupError> {
    let names = manifest.sums.keys().filter_map(|path| path.strip_prefix(WEBHOOKS)?.strip_prefix('/'));
    let names = names.filter(|name| is_plain(name));
    let read = |name: &str| {
        let path = folder.join(WEBHOOKS).join(name);
        let bytes = fs::read(&path).map_err(BackupError::reading(&path))?;
        manifest.expect_sum(folder, &format!("{WEBHOOKS}/{name}"), &Sum::of(&bytes))?;
        Ok((name.to_owned(), bytes))
    };
    names.map(read).collect()
}
