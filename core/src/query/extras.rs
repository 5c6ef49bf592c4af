//! Questions about a group's attributes, counters and files.

use std::sync::Arc;

use crate::event::Actor;
use crate::model::{Attributes, Circle, Counters, FileId, GroupId, Key, Prefix, Row, SharedFile};
use crate::ports::Span;
use crate::refusal::Refusal;

use super::{Cursor, Reader};

/// A group's attributes. Members only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupAttributes {
    /// The group whose attributes are read.
    pub group: GroupId,
}

/// The attributes; of version 0 when none were ever written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AttributesFound(pub Arc<Attributes>);

impl GroupAttributes {
    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<AttributesFound, Refusal> {
        reader.group_seen_by(&self.group, Circle::Members).await?;
        let row = reader.row(Key::Attributes(self.group)).await?;
        Ok(AttributesFound(row.as_ref().and_then(Row::attributes).cloned().unwrap_or_default()))
    }
}

/// A group's counters. Members only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupCounters {
    /// The group whose counters are read.
    pub group: GroupId,
}

/// All counters of the group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CountersFound(pub Arc<Counters>);

impl GroupCounters {
    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<CountersFound, Refusal> {
        reader.group_seen_by(&self.group, Circle::Members).await?;
        let row = reader.row(Key::Counters(self.group)).await?;
        Ok(CountersFound(row.as_ref().and_then(Row::counters).cloned().unwrap_or_default()))
    }
}

/// A page of the files shared with a group, in the order of their ids; minted ids grow with time. Members only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The group that the files were shared with.
    pub group: GroupId,
    /// Cursor of the page before; `None` for the first page.
    pub after: Option<Cursor>,
    /// How many to leave out first.
    pub skip: usize,
    /// Most files in the page.
    pub limit: usize,
    /// Largest id first.
    pub newest_first: bool,
}

/// A page of files. Expired ones are left out, so a page may have fewer than requested.
#[derive(Debug, Clone, PartialEq)]
pub struct FilePage {
    /// The files.
    pub files: Vec<Arc<SharedFile>>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
}

impl Files {
    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<FilePage, Refusal> {
        reader.group_seen_by(&self.group, Circle::Members).await?;
        let span = Span {
            prefix: Prefix::files(&self.group),
            after: self.after.map(|cursor| cursor.0),
            descending: self.newest_first,
            skip: self.skip,
            limit: self.limit,
        };
        let (rows, next) = reader.page(&span).await?;
        let files = rows.iter().filter_map(Row::file).filter(|file| is_kept(file, reader)).cloned().collect();
        Ok(FilePage { files, next })
    }
}

/// One shared file. Members only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// The group that the file was shared with.
    pub group: GroupId,
    /// The id of the file.
    pub file: FileId,
}

/// The file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFound(pub Arc<SharedFile>);

impl File {
    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<FileFound, Refusal> {
        reader.group_seen_by(&self.group, Circle::Members).await?;
        let row = reader.row(Key::File(self.group.clone(), self.file.clone())).await?;
        match row.as_ref().and_then(Row::file).filter(|file| is_kept(file, reader)) {
            Some(file) => Ok(FileFound(file.clone())),
            None => Err(Refusal::FileNotFound { group: self.group, file: self.file }),
        }
    }
}

/// A file that messages refer to. The surface decides who may read it, so users cannot ask for it themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// The id of the file.
    pub file: FileId,
}

/// The file; `None` when there is none of this id, or it has expired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachmentFound(pub Option<Arc<SharedFile>>);

impl Attachment {
    pub(super) async fn answer(self, reader: &Reader<'_>) -> Result<AttachmentFound, Refusal> {
        if matches!(reader.actor, Actor::User { .. }) {
            return Err(Refusal::AppOnly);
        }
        let row = reader.row(Key::Attachment(self.file)).await?;
        Ok(AttachmentFound(row.as_ref().and_then(Row::file).filter(|file| is_kept(file, reader)).cloned()))
    }
}

fn is_kept(file: &SharedFile, reader: &Reader<'_>) -> bool {
    file.expires.is_none_or(|end| end > reader.now)
}
