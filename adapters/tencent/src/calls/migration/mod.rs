//! Imports groups with their history. Nobody is notified of them. `import_group` is beside `create_group`.

pub(super) mod members;
pub(super) mod messages;
pub(super) mod unread;
