//! What the benches share: a client that counts, servers as processes of their own, and what is asked of them.

pub mod load;
pub mod process;
pub mod vendors;
