//! Where shared files' bytes are kept, as adapters see it.

use async_trait::async_trait;

use crate::ByteStream;

/// Bytes under ids of the store's choosing; never whole in memory on their way to and from a disk.
///
/// What a file is called, whose it is and when it ends is the core's business: add the file there once its bytes
/// are kept, and delete the bytes when it is not taken there. When the core says that a file is gone, whoever asked
/// for that and through whichever surface, the gateway lets its bytes go. What a crash leaves between the two is swept
/// away at the next start.
#[async_trait]
pub trait Blobs: Send + Sync {
    /// Keeps bytes, durably where this store makes anything durable; leaves nothing when it fails or is given up.
    async fn put(&self, content: ByteStream, most: u64) -> Result<Stored, BlobError>;

    /// Reads bytes, with their length; `None` when there are none under this id, whatever its form.
    async fn get(&self, id: &str) -> Result<Option<(u64, ByteStream)>, BlobError>;

    /// Forgets bytes, if there are any under this id.
    async fn delete(&self, id: &str) -> Result<(), BlobError>;
}

/// Bytes that are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Their id: letters and digits, not to be guessed.
    pub id: String,
    /// How many there are.
    pub size: u64,
}

/// Why bytes were not kept or not found.
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
