//! The same scenarios, in neutral terms, through any of the APIs of the same groups.

mod agora;
mod core;
mod rong;
mod tencent;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

pub use self::agora::AgoraApi;
pub use self::core::CoreApi;
pub use self::rong::RongApi;
pub use self::tencent::TencentApi;

/// A group to create.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The id, if the caller chooses it.
    pub id: Option<String>,
    /// Its name.
    pub name: String,
    /// Its introduction.
    pub introduction: String,
    /// Its owner.
    pub owner: String,
    /// The other members.
    pub members: Vec<String>,
}

/// A member's role, as far as all vendors have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Ordinary.
    Member,
    /// Helps.
    Admin,
    /// Owns.
    Owner,
}

/// The state of a group, as far as all vendors show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truth {
    /// Its name.
    pub name: String,
    /// Its introduction.
    pub introduction: String,
    /// Its owner.
    pub owner: Option<String>,
    /// All members.
    pub members: BTreeMap<String, Role>,
    /// The number of members, as returned beside the list.
    pub count: u64,
}

/// The vendor's text of a refusal.
#[derive(Debug, Clone)]
pub struct Refused(pub String);

/// One API of the groups: a vendor's server API, or the core itself.
#[async_trait]
pub trait VendorApi: Send + Sync {
    /// Its name.
    fn name(&self) -> &'static str;
    /// Creates accounts.
    async fn register(&self, users: &[&str]) -> Result<(), Refused>;
    /// Creates a group and returns its id.
    async fn create(&self, wanted: &Wanted) -> Result<String, Refused>;
    /// Changes its name and introduction.
    async fn rename(&self, group: &str, name: &str, introduction: &str) -> Result<(), Refused>;
    /// Adds users.
    async fn add(&self, group: &str, users: &[&str]) -> Result<(), Refused>;
    /// Removes members.
    async fn remove(&self, group: &str, users: &[&str]) -> Result<(), Refused>;
    /// Makes a member an admin.
    async fn promote(&self, group: &str, user: &str) -> Result<(), Refused>;
    /// Makes an admin a member.
    async fn demote(&self, group: &str, user: &str) -> Result<(), Refused>;
    /// Transfers the group.
    async fn transfer(&self, group: &str, to: &str) -> Result<(), Refused>;
    /// Deletes the group.
    async fn disband(&self, group: &str) -> Result<(), Refused>;
    /// The state of the group; `None` when there is no such group.
    async fn truth(&self, group: &str) -> Option<Truth>;
    /// The groups a user is in.
    async fn joined(&self, user: &str) -> BTreeSet<String>;
    /// All groups of the app, read page by page of this size.
    async fn listed(&self, page: usize) -> BTreeSet<String>;
}
