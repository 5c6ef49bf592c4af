//! Files shared with a group; their bytes are stored elsewhere.

use crate::decision::Draft;
use crate::event::{Actor, Happening};
use crate::facts::Stop;
use crate::model::{Circle, FileId, GroupId, Key, Millis, Prefix, Row, SharedFile};
use crate::refusal::{Limit, Needs, Refusal};

use super::Rule;

/// Shares a file whose bytes are stored already. Members and the app may do this.
#[derive(Debug, Clone, PartialEq)]
pub struct AddFile {
    /// The group to share it with.
    pub group: GroupId,
    /// Its id; without, one is minted.
    pub id: Option<FileId>,
    /// Its name as the uploader gave it.
    pub name: String,
    /// Its media type, as the uploader gave it.
    pub media_type: String,
    /// Its size in bytes.
    pub size: u64,
    /// When the file is deleted; `None` is never.
    pub expires: Option<Millis>,
    /// The secret that opens a restricted file.
    pub secret: Option<String>,
    /// Where its bytes are in the blob store.
    pub blob: String,
    /// Most files the group may have.
    pub most: Option<u32>,
}

/// The stored file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileShared(pub SharedFile);

impl Rule for AddFile {
    type Output = FileShared;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<FileShared, Stop> {
        let group = draft.live_group(&self.group)?;
        draft.permitted(&group, Circle::Members)?;
        if let Some(most) = self.most {
            let now = draft.count(Prefix::files(&self.group))? as u64;
            if now >= u64::from(most) {
                return Err(Refusal::LimitReached { limit: Limit::Files, most: most.into(), now }.into());
            }
        }
        let id = match &self.id {
            Some(id) => id.clone(),
            None => draft.mint_file()?,
        };
        let key = Key::File(self.group.clone(), id.clone());
        if draft.row(&key)?.is_some() {
            return Err(Refusal::InvalidValue("this file id is in use").into());
        }
        let file = SharedFile {
            id: id.clone(),
            name: self.name.clone(),
            media_type: self.media_type.clone(),
            size: self.size,
            owner: draft.context.actor.behind().cloned(),
            at: draft.now(),
            expires: self.expires,
            secret: self.secret.clone(),
            blob: self.blob.clone(),
        };
        draft.put(key, file.clone());
        draft.put_group(group);
        draft.emit_to_members(&self.group, Happening::FileAdded { file: id, name: self.name.clone(), size: self.size });
        Ok(FileShared(file))
    }
}

/// Keeps a file that messages refer to; its bytes are stored already. It belongs to no group: any user and the app may
/// add one, and who may read it is the surface's to decide.
#[derive(Debug, Clone, PartialEq)]
pub struct AddAttachment {
    /// Its id; without, one is minted.
    pub id: Option<FileId>,
    /// Its name as the uploader gave it.
    pub name: String,
    /// Its media type, as the uploader gave it.
    pub media_type: String,
    /// Its size in bytes.
    pub size: u64,
    /// Until when it is kept.
    pub expires: Option<Millis>,
    /// The secret that opens a restricted file.
    pub secret: Option<String>,
    /// Where its bytes are in the blob store.
    pub blob: String,
}

impl Rule for AddAttachment {
    type Output = FileShared;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<FileShared, Stop> {
        let id = match &self.id {
            Some(id) => id.clone(),
            None => draft.mint_file()?,
        };
        let key = Key::Attachment(id.clone());
        if draft.row(&key)?.is_some() {
            return Err(Refusal::InvalidValue("this file id is in use").into());
        }
        let file = SharedFile {
            id,
            name: self.name.clone(),
            media_type: self.media_type.clone(),
            size: self.size,
            owner: draft.context.actor.behind().cloned(),
            at: draft.now(),
            expires: self.expires,
            secret: self.secret.clone(),
            blob: self.blob.clone(),
        };
        draft.put(key, file.clone());
        Ok(FileShared(file))
    }
}

/// Takes a shared file away: managers any, members their own.
#[derive(Debug, Clone, PartialEq)]
pub struct RemoveFile {
    /// The group that the file was shared with.
    pub group: GroupId,
    /// The id of the file to delete.
    pub file: FileId,
}

/// The deleted file; its bytes can be deleted now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileGone(pub SharedFile);

impl Rule for RemoveFile {
    type Output = FileGone;

    fn decide(&self, draft: &mut Draft<'_>) -> Result<FileGone, Stop> {
        let group = draft.live_group(&self.group)?;
        let actor_role = draft.permitted(&group, Circle::Members)?;
        let key = Key::File(self.group.clone(), self.file.clone());
        let Some(file) = draft.row(&key)?.as_ref().and_then(Row::file).cloned() else {
            return Err(Refusal::FileNotFound { group: group.id, file: self.file.clone() }.into());
        };
        let own = matches!(draft.context.actor, Actor::User { user, .. } if file.owner.as_ref() == Some(user));
        if !own && !actor_role.is_in(Circle::Managers) {
            return Err(Refusal::NotPermitted { group: group.id, needs: Needs::Management }.into());
        }
        draft.delete(key);
        draft.put_group(group);
        let what = Happening::FileRemoved { file: self.file.clone(), name: file.name.clone() };
        draft.emit_to_members(&self.group, what);
        Ok(FileGone(SharedFile::clone(&file)))
    }
}
