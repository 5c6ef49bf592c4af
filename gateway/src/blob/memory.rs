//! Blobs in memory, for gateways that keep no data.

use std::collections::HashMap;

use async_trait::async_trait;
use bytes::Bytes;
use conclave_kit::{BlobError, Blobs, ByteStream, Stored};
use futures_util::{StreamExt, stream};
use parking_lot::RwLock;
use uuid::Uuid;

/// Blobs in memory, lost when the process ends.
#[derive(Default)]
pub struct InMemory {
    blobs: RwLock<HashMap<String, (u64, Vec<Bytes>)>>,
}

impl InMemory {
    /// The same blobs once more; their bytes are shared.
    pub(crate) fn copy(&self) -> Self {
        Self { blobs: RwLock::new(self.blobs.read().clone()) }
    }

    /// All blobs in the order of their ids, with their bytes.
    pub(crate) fn all(&self) -> Vec<(String, Vec<u8>)> {
        let blobs = self.blobs.read();
        let mut all: Vec<_> = blobs.iter().map(|(id, (_, pieces))| (id.clone(), pieces.concat())).collect();
        all.sort_unstable();
        all
    }

    /// These blobs.
    pub(crate) fn of(blobs: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        let blob = |(id, bytes): (String, Vec<u8>)| (id, (bytes.len() as u64, vec![Bytes::from(bytes)]));
        Self { blobs: RwLock::new(blobs.into_iter().map(blob).collect()) }
    }

    /// Replaces all blobs by those of a copy.
    pub(crate) fn restore(&self, copy: &Self) {
        let blobs = copy.blobs.read().clone();
        *self.blobs.write() = blobs;
    }
}

#[async_trait]
impl Blobs for InMemory {
    async fn put(&self, mut content: ByteStream, most: u64) -> Result<Stored, BlobError> {
        let (mut size, mut pieces) = (0_u64, Vec::new());
        while let Some(piece) = content.next().await {
            let piece = piece.map_err(BlobError::Broken)?;
            size = size.saturating_add(piece.len() as u64);
            if size > most {
                return Err(BlobError::TooLarge { most });
            }
            pieces.push(piece);
        }
        let id = Uuid::new_v4().simple().to_string();
        self.blobs.write().insert(id.clone(), (size, pieces));
        Ok(Stored { id, size })
    }

    async fn get(&self, id: &str) -> Result<Option<(u64, ByteStream)>, BlobError> {
        let found = self.blobs.read().get(id).cloned();
        Ok(found.map(|(size, pieces)| (size, Box::pin(stream::iter(pieces).map(Ok)) as ByteStream)))
    }

    async fn delete(&self, id: &str) -> Result<(), BlobError> {
        self.blobs.write().remove(id);
        Ok(())
    }
}
