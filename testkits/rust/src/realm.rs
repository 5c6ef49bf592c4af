//! A realm: its data, and what there is to it.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Method;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::runtime::Handle;

use crate::control::{Control, Error, NOTHING, path};
use crate::credentials::{Agora, Rong, Tencent};
use crate::{Clock, Faults, Journal};

/// What a realm is created with. Everything is optional.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RealmOptions {
    /// Its name; random when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The vendors at which it has an app; all when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendors: Option<Vec<String>>,
    /// Keys of `[realm.<name>.<vendor>]` in the configuration, by vendor.
    pub sections: BTreeMap<String, Map<String, Value>>,
    /// Keys of `[realm.<name>.limits]` in the configuration.
    pub limits: Map<String, Value>,
}

/// A realm as the control API returns it.
#[derive(Debug, Deserialize)]
pub(crate) struct View {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) settings: BTreeMap<String, String>,
}

/// A realm. It is deleted when this is dropped, unless [`Realm::delete`] did so before.
#[derive(Debug)]
pub struct Realm {
    pub(crate) control: Control,
    name: String,
    settings: BTreeMap<String, String>,
    /// Deletes it; `None` once that is done.
    runtime: Option<Handle>,
}

impl Realm {
    pub(crate) fn new(control: Control, view: View, runtime: Handle) -> Self {
        Self { control, name: view.name, settings: view.settings, runtime: Some(runtime) }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Everything that clients are configured with, under the names that `conclave env` prints.
    pub fn settings(&self) -> &BTreeMap<String, String> {
        &self.settings
    }

    /// Settings and credentials at Agora Chat and Easemob.
    ///
    /// # Errors
    /// The realm has no app there.
    pub fn agora(&self) -> crate::Result<Agora> {
        Agora::of(self)
    }

    /// Settings and credentials at Tencent Chat.
    ///
    /// # Errors
    /// The realm has no app there.
    pub fn tencent(&self) -> crate::Result<Tencent<'_>> {
        Tencent::of(self)
    }

    /// Settings and credentials at `RongCloud`.
    ///
    /// # Errors
    /// The realm has no app there.
    pub fn rong(&self) -> crate::Result<Rong<'_>> {
        Rong::of(self)
    }

    /// Its clock.
    pub fn clock(&self) -> Clock<'_> {
        Clock(self)
    }

    /// Its fault rules.
    pub fn faults(&self) -> Faults<'_> {
        Faults(self)
    }

    /// What it was asked, and what it sent.
    pub fn journal(&self) -> Journal<'_> {
        Journal(self)
    }

    /// Its named snapshots.
    pub fn snapshots(&self) -> Snapshots<'_> {
        Snapshots(self)
    }

    /// Its connected users.
    pub fn sessions(&self) -> Sessions<'_> {
        Sessions(self)
    }

    /// Deletes all data; credentials stay.
    ///
    /// # Errors
    /// It is refused.
    pub async fn reset(&self) -> crate::Result<()> {
        self.call::<Value>(Method::POST, &["reset"], NOTHING).await.map(drop)
    }

    /// Deletes a group as if it had never existed.
    ///
    /// # Errors
    /// There is no such group.
    pub async fn reset_group(&self, group: &str) -> crate::Result<()> {
        self.call::<Value>(Method::POST, &["groups", group, "reset"], NOTHING).await.map(drop)
    }

    /// All data, as JSON Lines.
    ///
    /// # Errors
    /// It is refused.
    pub async fn export(&self) -> crate::Result<Bytes> {
        self.control.send(Method::GET, &self.path(&["export"]), None).await
    }

    /// Replaces all data by exported ones, also by those of another realm.
    ///
    /// # Errors
    /// The file is refused, and nothing has changed.
    pub async fn seed(&self, lines: impl Into<Bytes>) -> crate::Result<()> {
        let body = ("application/jsonl", lines.into());
        self.control.send(Method::POST, &self.path(&["seed"]), Some(body)).await.map(drop)
    }

    /// Deletes it, and disconnects its clients.
    ///
    /// # Errors
    /// It is refused.
    pub async fn delete(mut self) -> crate::Result<()> {
        self.runtime = None;
        self.call::<()>(Method::DELETE, &[], NOTHING).await
    }

    /// Calls the control API below this realm.
    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        parts: &[&str],
        body: Option<&impl Serialize>,
    ) -> crate::Result<T> {
        self.control.call(method, &self.path(parts), body).await
    }

    fn path(&self, parts: &[&str]) -> String {
        path(&[&["realms", &self.name], parts].concat())
    }

    /// A setting that the vendor's clients need.
    pub(crate) fn setting(&self, vendor: &'static str, key: &str) -> crate::Result<String> {
        let missing = || Error::NoCredentials { realm: self.name.clone(), vendor };
        self.settings.get(key).cloned().ok_or_else(missing)
    }
}

impl Drop for Realm {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            let (control, path) = (self.control.clone(), self.path(&[]));
            // a gateway that has ended has no realms
            runtime.spawn(async move { control.send(Method::DELETE, &path, None).await.map(drop) });
        }
    }
}

/// The named snapshots of a realm's data.
#[derive(Debug, Clone, Copy)]
pub struct Snapshots<'r>(&'r Realm);

impl Snapshots<'_> {
    /// Keeps all data under a name, which no other snapshot has.
    ///
    /// # Errors
    /// It is refused.
    pub async fn take(&self, name: &str) -> crate::Result<()> {
        self.0.call::<Value>(Method::POST, &["snapshots", name], NOTHING).await.map(drop)
    }

    /// The same, and replaces a snapshot of that name.
    ///
    /// # Errors
    /// It is refused.
    pub async fn replace(&self, name: &str) -> crate::Result<()> {
        let replace = json!({ "replace": true });
        self.0.call::<Value>(Method::POST, &["snapshots", name], Some(&replace)).await.map(drop)
    }

    /// Makes the data what they were.
    ///
    /// # Errors
    /// There is no such snapshot.
    pub async fn restore(&self, name: &str) -> crate::Result<()> {
        self.0.call::<Value>(Method::POST, &["snapshots", name, "restore"], NOTHING).await.map(drop)
    }

    /// Deletes one.
    ///
    /// # Errors
    /// There is no such snapshot.
    pub async fn delete(&self, name: &str) -> crate::Result<()> {
        self.0.call(Method::DELETE, &["snapshots", name], NOTHING).await
    }
}

/// A connected user.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Session {
    /// Its id.
    pub id: String,
    /// The vendor through which the user is connected.
    pub vendor: String,
    /// The user.
    pub user: String,
    /// The user's device.
    pub device: String,
}

/// The connected users of a realm.
#[derive(Debug, Clone, Copy)]
pub struct Sessions<'r>(&'r Realm);

impl Sessions<'_> {
    /// All sessions.
    ///
    /// # Errors
    /// The gateway does not answer.
    pub async fn list(&self) -> crate::Result<Vec<Session>> {
        #[derive(Deserialize)]
        struct List {
            sessions: Vec<Session>,
        }
        self.0.call::<List>(Method::GET, &["sessions"], NOTHING).await.map(|list| list.sessions)
    }

    /// Ends all sessions of a user, whose clients reconnect by themselves; returns how many.
    ///
    /// # Errors
    /// It is refused.
    pub async fn disconnect(&self, user: &str) -> crate::Result<u64> {
        let which = json!({ "user": user });
        let answer: Value = self.0.call(Method::POST, &["sessions", "disconnect"], Some(&which)).await?;
        Ok(answer["disconnected"].as_u64().unwrap_or_default())
    }
}
