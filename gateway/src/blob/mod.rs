//! The bytes of shared files: in files beside the database, or in memory.

mod files;
mod holds;
mod memory;

pub use files::Files;
pub(crate) use files::{is_id, sum_in, sync_folder};
pub(crate) use holds::held_path;
pub use holds::{Hold, Holds};
pub use memory::InMemory;
