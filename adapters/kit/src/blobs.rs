//! The bytes of shared files.

use async_trait::async_trait;

use crate::ByteStream;

/// Bytes under ids of the store's choosing; never whole in memory on their way to and from a disk.
///
/// A file's name, owner and expiry are stored in the core: add the file there once its bytes are stored, and delete the
/// bytes if the core refuses it. When the core deletes a file, through whichever surface, the gateway deletes its
/// bytes. Bytes that a crash leaves between the two are removed at the next start.
#[async_trait]
pub trait Blobs: Send + Sync {
    /// Stores bytes, durably if the store is durable; leaves nothing when it fails or is cancelled.
    async fn put(&self, content: ByteStream, most: u64) -> Result<Stored, BlobError>;

    /// Reads bytes, with their length; `None` when there are none under this id, whatever its form.
    async fn get(&self, id: &str) -> Result<Option<(u64, ByteStream)>, BlobError>;

    /// Deletes the bytes with this id, if there are any.
    async fn delete(&self, id: &str) -> Result<(), BlobError>;
}

/// Stored bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Their id: letters and digits, not to be guessed.
    pub id: String,
    /// How many there are.
    pub size: u64,
}

/// Why bytes were not stored or not found.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// There are more than permitted.
    #[error("the file is larger than {most} bytes")]
    TooLarge {
        /// The limit.
        most: u64,
    },
    /// They stopped coming.
    #[error("the file did not arrive whole: {0}")]
    Broken(std::io::Error),
    /// The store could not do its work.
    #[error("the file store failed: {0}")]
    Failed(#[from] std::io::Error),
}
