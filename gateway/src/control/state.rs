//! The data of realms: reset, and named snapshots.

use std::collections::BTreeMap;
use std::sync::Arc;

use conclave_core::model::GroupId;
use http::{Method, StatusCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::api::{Call, Endpoint, Json, Nothing, Optional};
use super::clock::rfc3339;
use super::error::{Code, ControlError};
use crate::realms::running::{Realm, Saved};

/// Most snapshots of one realm.
const SNAPSHOTS: usize = 100;
/// Most characters of a snapshot's name.
const NAME: usize = 64;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            (Method::POST, "/v1/reset"),
            "reset_all",
            "Delete all data of every realm that is in memory; the realms and their snapshots stay.",
            reset_all,
        ),
        Endpoint::new(
            (Method::POST, "/v1/realms/{realm}/reset"),
            "reset_realm",
            "Delete all data of a realm; the realm and its snapshots stay.",
            reset,
        ),
        Endpoint::new(
            (Method::POST, "/v1/realms/{realm}/groups/{group}/reset"),
            "reset_group",
            "Delete a group with everything in it, as if it had never existed; nobody is notified.",
            reset_group,
        ),
        Endpoint::new(
            (Method::GET, "/v1/realms/{realm}/snapshots"),
            "list_snapshots",
            "List the snapshots of a realm, by name.",
            list,
        ),
        Endpoint::new(
            (Method::POST, "/v1/realms/{realm}/snapshots/{snapshot}"),
            "take_snapshot",
            "Keep all data of a realm under a name.",
            take,
        )
        .status(StatusCode::CREATED),
        Endpoint::new(
            (Method::POST, "/v1/realms/{realm}/snapshots/{snapshot}/restore"),
            "restore_snapshot",
            "Replace all data of a realm by that of a snapshot, which stays.",
            restore,
        ),
        Endpoint::new(
            (Method::DELETE, "/v1/realms/{realm}/snapshots/{snapshot}"),
            "delete_snapshot",
            "Delete a snapshot.",
            delete,
        ),
    ]
}

/// The result of a reset.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Reset")]
struct ResetView {
    /// Sessions that were disconnected, so that their clients read everything again.
    disconnected: usize,
}

/// The result of a reset of all realms.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ResetAll")]
struct ResetAllView {
    /// The realms whose data was deleted, with the number of sessions that were disconnected.
    realms: BTreeMap<String, ResetView>,
    /// The realms on a durable store, whose data is unchanged.
    unchanged: Vec<String>,
}

/// A snapshot.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Snapshot")]
struct SnapshotView {
    name: String,
    /// When it was taken, by the realm's clock, in milliseconds since 1970.
    at_ms: u64,
    /// The same in RFC 3339.
    at: String,
    /// How many stored rows it has.
    rows: usize,
}

/// The snapshots of a realm.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Snapshots")]
struct SnapshotList {
    snapshots: Vec<SnapshotView>,
}

/// How a snapshot is taken.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TakeSnapshot {
    /// Replace a snapshot of this name, instead of refusing.
    #[serde(default)]
    replace: bool,
}

async fn reset_all(call: Call, _: Nothing) -> Result<Json<ResetAllView>, ControlError> {
    let (mut done, mut unchanged) = (BTreeMap::new(), Vec::new());
    for realm in call.control.realms.all() {
        let name = realm.name().to_owned();
        if realm.opened.in_memory.is_none() {
            unchanged.push(name);
            continue;
        }
        match call.control.realms.restore(&realm, &Saved::empty()).await {
            Ok(disconnected) => drop(done.insert(name, ResetView { disconnected })),
            // deleted meanwhile
            Err(crate::realms::running::RealmError::Unknown(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Json(ResetAllView { realms: done, unchanged }))
}

async fn reset(call: Call, _: Nothing) -> Result<Json<ResetView>, ControlError> {
    let realm = call.realm()?;
    let disconnected = call.control.realms.restore(&realm, &Saved::empty()).await?;
    Ok(Json(ResetView { disconnected }))
}

async fn reset_group(call: Call, _: Nothing) -> Result<Json<ResetView>, ControlError> {
    let realm = call.realm()?;
    let no_such_group =
        || ControlError::new(Code::NoSuchGroup, format!("there is no group {}", call.parameter("group")));
    let group = GroupId::new(call.parameter("group")).map_err(|_| no_such_group())?;
    let disconnected = call.control.realms.restore_with(&realm, |before| before.without_group(&group)).await?;
    let disconnected = disconnected.ok_or_else(no_such_group)?;
    Ok(Json(ResetView { disconnected }))
}

async fn list(call: Call, _: Nothing) -> Result<Json<SnapshotList>, ControlError> {
    let realm = call.realm()?;
    let saved = realm.saved.lock();
    Ok(Json(SnapshotList { snapshots: saved.iter().map(|(name, saved)| view(name, saved)).collect() }))
}

async fn take(call: Call, Optional(how): Optional<TakeSnapshot>) -> Result<Json<SnapshotView>, ControlError> {
    let (realm, name) = (call.realm()?, call.parameter("snapshot").to_owned());
    if name.len() > NAME || name.chars().any(char::is_control) {
        return Err(ControlError::bad(format!("a snapshot's name has at most {NAME} bytes and no control characters")));
    }
    let taken = Arc::new(realm.save()?);
    let mut saved = realm.saved.lock();
    if saved.contains_key(&name) {
        if !how.replace {
            let message = format!("there is a snapshot {name} already; send {{\"replace\": true}} to replace it");
            return Err(ControlError::new(Code::SnapshotExists, message));
        }
    } else if saved.len() >= SNAPSHOTS {
        let message = format!("the realm has {SNAPSHOTS} snapshots already; delete some");
        return Err(ControlError::new(Code::TooManySnapshots, message));
    }
    saved.insert(name.clone(), Arc::clone(&taken));
    Ok(Json(view(&name, &taken)))
}

async fn restore(call: Call, _: Nothing) -> Result<Json<ResetView>, ControlError> {
    let realm = call.realm()?;
    let saved = find(&realm, call.parameter("snapshot"))?;
    let disconnected = call.control.realms.restore(&realm, &saved).await?;
    Ok(Json(ResetView { disconnected }))
}

async fn delete(call: Call, _: Nothing) -> Result<Nothing, ControlError> {
    let realm = call.realm()?;
    find(&realm, call.parameter("snapshot"))?;
    realm.saved.lock().remove(call.parameter("snapshot"));
    Ok(Nothing)
}

fn find(realm: &Realm, name: &str) -> Result<Arc<Saved>, ControlError> {
    let found = realm.saved.lock().get(name).cloned();
    found.ok_or_else(|| ControlError::new(Code::NoSuchSnapshot, format!("there is no snapshot {name}")))
}

fn view(name: &str, saved: &Saved) -> SnapshotView {
    SnapshotView { name: name.to_owned(), at_ms: saved.at.0, at: rfc3339(saved.at), rows: saved.rows.len() }
}
