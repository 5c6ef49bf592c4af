//! Groups that come from elsewhere, with their past. Nobody is told of them. `import_group` is beside `create_group`.

pub(super) mod members;
pub(super) mod messages;
pub(super) mod unread;
