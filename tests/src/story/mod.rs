//! Stories told once, in neutral words, by any of the ways into the same groups.

mod agora;
mod core;
mod rong;
mod tencent;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

pub use self::agora::AgoraTeller;
pub use self::core::CoreTeller;
pub use self::rong::RongTeller;
pub use self::tencent::TencentTeller;

/// What a group is to be like.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The id, if the teller is to choose it.
    pub id: Option<String>,
    /// Its name.
    pub name: String,
    /// Its introduction.
    pub introduction: String,
    /// Its owner.
    pub owner: String,
    /// The others.
    pub members: Vec<String>,
}

/// A member's role, as every vendor can say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Ordinary.
    Member,
    /// Helps.
    Admin,
    /// Owns.
    Owner,
}

/// What is true of a group, as far as every vendor can tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truth {
    /// Its name.
    pub name: String,
    /// Its introduction.
    pub introduction: String,
    /// Its owner.
    pub owner: Option<String>,
    /// Everybody in it.
    pub members: BTreeMap<String, Role>,
    /// How many there are, as told beside the list.
    pub count: u64,
}

/// It was refused, in the vendor's words.
#[derive(Debug, Clone)]
pub struct Refused(pub String);

/// One way into the groups: a vendor's server API, or the core itself.
#[async_trait]
pub trait Teller: Send + Sync {
    /// Which.
    fn name(&self) -> &'static str;
    /// Makes accounts.
    async fn register(&self, users: &[&str]) -> Result<(), Refused>;
    /// Makes a group and tells its id.
    async fn create(&self, wanted: &Wanted) -> Result<String, Refused>;
    /// Gives it another name and introduction.
    async fn rename(&self, group: &str, name: &str, introduction: &str) -> Result<(), Refused>;
    /// Adds users.
    async fn add(&self, group: &str, users: &[&str]) -> Result<(), Refused>;
    /// Removes members.
    async fn remove(&self, group: &str, users: &[&str]) -> Result<(), Refused>;
    /// Makes a member an admin.
    async fn promote(&self, group: &str, user: &str) -> Result<(), Refused>;
    /// Makes an admin a member.
    async fn demote(&self, group: &str, user: &str) -> Result<(), Refused>;
    /// Hands the group over.
    async fn transfer(&self, group: &str, to: &str) -> Result<(), Refused>;
    /// Ends the group.
    async fn disband(&self, group: &str) -> Result<(), Refused>;
    /// What is true of the group; `None` when there is no such group.
    async fn truth(&self, group: &str) -> Option<Truth>;
    /// The groups a user is in.
    async fn joined(&self, user: &str) -> BTreeSet<String>;
    /// All groups of the app, read page by page of this size.
    async fn listed(&self, page: usize) -> BTreeSet<String>;
}
