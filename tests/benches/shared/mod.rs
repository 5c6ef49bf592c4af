//! Shared by the benches: a counting client, servers in processes of their own, and the requests.

pub mod load;
pub mod process;
pub mod vendors;
