//! The bytes of shared files: in files beside the database, or in memory.

mod files;
mod memory;

pub use files::Files;
pub(crate) use files::sync_folder;
pub use memory::InMemory;
