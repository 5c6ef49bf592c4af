//! Refusals, with their codes, and without an effect.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use conclave::blob::InMemory;
use conclave::realms::Stores;
use conclave_core::memory::Memory;
use conclave_core::model::{Key, Prefix, Row};
use conclave_core::ports::{Batch, CommitError, Span, Store, StoreError};
use conclave_kit::Blobs;
use serde_json::{Value, json};

use crate::stage::Stage;

/// A store that fails on request.
#[derive(Default)]
struct Fickle {
    rows: Memory,
    fails: AtomicBool,
}

impl Fickle {
    fn check(&self) -> Result<(), StoreError> {
        if self.fails.load(Ordering::SeqCst) { Err(StoreError("made to fail".to_owned())) } else { Ok(()) }
    }
}

#[async_trait]
impl Store for Fickle {
    async fn fetch(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        self.check()?;
        self.rows.fetch(keys).await
    }

    async fn scan(&self, span: &Span) -> Result<Vec<(Vec<u8>, Row)>, StoreError> {
        self.check()?;
        self.rows.scan(span).await
    }

    async fn count(&self, prefix: &Prefix) -> Result<usize, StoreError> {
        self.check()?;
        self.rows.count(prefix).await
    }

    async fn commit(&self, batch: Batch) -> Result<u64, CommitError> {
        self.check()?;
        self.rows.commit(batch).await
    }
}

/// One realm's rows.
struct One(Arc<Fickle>);

impl Stores for One {
    fn open(&self, _: &str) -> Result<Arc<dyn Store>, StoreError> {
        Ok(self.0.clone())
    }

    fn blobs(&self) -> Result<Arc<dyn Blobs>, StoreError> {
        Ok(Arc::new(InMemory::default()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_service_reports_it_and_recovers() {
    let fickle = Arc::new(Fickle::default());
    let mut stage = Stage::over(Arc::new(One(fickle.clone())), &["alice", "bob"]).await;
    let info = json!({"groupId": "g1", "groupName": "First"});
    stage.does("alice", "createGroup", json!([info, ["bob"]]), &[("alice", 2), ("bob", 1)]).await;
    let before = stage.happenings().await;
    let to_group = json!({"conversationType": 3, "targetId": "g1"});
    fickle.fails.store(true, Ordering::SeqCst);
    for (method, args) in [
        ("updateGroupInfo", json!([{"groupId": "g1", "introduction": "x"}])),
        ("getGroupsInfo", json!([["g1"]])),
        ("getGroupMembersByRole", json!(["g1", 0, {"count": 10}])),
        ("sendMessage", json!([to_group, {"$text": {"content": "hi"}}])),
    ] {
        assert_eq!(stage.on("alice").call(method, args).await["code"], 25402, "{method}");
    }
    // a client that connects now gets the error that the service is not available, not that its token is invalid
    let page = stage.page(None).await;
    fickle.fails.store(false, Ordering::SeqCst);
    let token = stage.token("carol").await;
    fickle.fails.store(true, Ordering::SeqCst);
    assert_eq!(page.call("connect", json!([token])).await["code"], 31003);
    fickle.fails.store(false, Ordering::SeqCst);
    assert_eq!(stage.happenings().await, before + 1, "an account was made, and nothing else");
    let change = json!([{"groupId": "g1", "introduction": "back"}]);
    stage.does("alice", "updateGroupInfo", change, &[("alice", 1), ("bob", 1)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_have_the_vendors_codes_and_leave_no_trace() {
    let mut stage = Stage::with(&["alice", "bob", "carol"]).await;
    let info = json!({"groupId": "g1", "groupName": "First"});
    stage.does("alice", "createGroup", json!([info, ["bob"]]), &[("alice", 2), ("bob", 1)]).await;
    let closed = json!({"groupId": "g2", "groupName": "Closed", "joinPermission": 3});
    stage.does("alice", "createGroup", json!([closed]), &[("alice", 1)]).await;
    let open = json!({"groupId": "g3", "groupName": "Open", "groupInfoEditPermission": 2});
    stage.does("alice", "createGroup", json!([open, ["bob"]]), &[("alice", 2), ("bob", 1)]).await;
    stage.api("group/create", "userId=alice&groupId=plain&groupName=Plain").await;

    let long = |length| "x".repeat(length);
    let change = |field: &str, value: Value| json!([{"groupId": "g1", field: value}]);
    let rows: Vec<(&str, &str, Value, i64)> = vec![
        // 25404: a setting that only the owner changes
        ("bob", "updateGroupInfo", json!([{"groupId": "g3", "groupInfoEditPermission": 0}]), 25404),
        // 25405: not permitted
        ("bob", "updateGroupInfo", change("introduction", json!("mine")), 25405),
        ("bob", "kickGroupMembers", json!(["g1", ["alice"]]), 25405),
        ("bob", "dismissGroup", json!(["g1"]), 25405),
        ("bob", "transferGroupOwner", json!(["g1", "alice"]), 25405),
        ("bob", "addGroupManagers", json!(["g1", ["bob"]]), 25405),
        ("bob", "setGroupMemberInfo", json!(["g1", "alice", "Al", ""]), 25405),
        // 25406: too long
        ("alice", "updateGroupInfo", change("introduction", json!(long(513))), 25406),
        ("alice", "updateGroupInfo", change("notice", json!(long(1025))), 25406),
        // 25403, 25407: to oneself; unknown ids that the vendor would not permit
        ("alice", "transferGroupOwner", json!(["g1", "alice"]), 25403),
        ("alice", "inviteUsersToGroup", json!(["g1", ["bad id!"]]), 25407),
        // 25409, 25410: exists, does not exist
        ("carol", "createGroup", json!([{"groupId": "g1", "groupName": "Mine"}]), 25409),
        ("carol", "getGroupsInfo", json!([["g9"]]), 25410),
        ("carol", "joinGroup", json!(["g9"]), 25410),
        ("alice", "dismissGroup", json!(["g9"]), 25410),
        // 25412: already a member
        ("bob", "joinGroup", json!(["g1"]), 25412),
        // 25414: joining is closed
        ("carol", "joinGroup", json!(["g2"]), 25414),
        // 25415: a key that is not configured
        ("alice", "updateGroupInfo", json!([{"groupId": "g1", "extProfile": {"unknown": "x"}}]), 25415),
        // 25417, 25425: not possible for an owner
        ("alice", "quitGroup", json!(["g1"]), 25417),
        ("alice", "kickGroupMembers", json!(["g1", ["alice"]]), 25417),
        ("alice", "addGroupManagers", json!(["g1", ["alice"]]), 25425),
        // 25418: not a member
        ("carol", "quitGroup", json!(["g1"]), 25418),
        ("carol", "getGroupMembers", json!(["g1", ["alice"]]), 25418),
        ("carol", "getGroupMembersByRole", json!(["g1", 0, {"count": 10}]), 25418),
        ("carol", "setGroupRemark", json!(["g1", "mine"]), 25418),
        ("carol", "addGroupFollows", json!(["g1", ["alice"]]), 25418),
        ("carol", "getGroupFollows", json!(["g1"]), 25418),
        ("alice", "transferGroupOwner", json!(["g1", "carol"]), 25418),
        ("alice", "addGroupManagers", json!(["g1", ["carol"]]), 25418),
        ("alice", "kickGroupMembers", json!(["g1", ["carol"]]), 25418),
        // 25420: not a manager
        ("alice", "removeGroupManagers", json!(["g1", ["bob"]]), 25420),
        // 25421: no such request
        ("alice", "acceptGroupApplication", json!(["g1", "carol"]), 25421),
        ("carol", "acceptGroupInvite", json!(["g1", "alice"]), 25421),
        // 25423: blank
        ("carol", "createGroup", json!([{"groupId": "g4", "groupName": "  "}]), 25423),
        // 25426: may not invite
        ("bob", "inviteUsersToGroup", json!(["g1", ["carol"]]), 25426),
        // 25429: without hosting
        ("alice", "updateGroupInfo", json!([{"groupId": "plain", "groupName": "Hosted?"}]), 25429),
        ("alice", "dismissGroup", json!(["plain"]), 25429),
        // 25432: an invalid page token
        ("alice", "getGroupMembersByRole", json!(["g1", 0, {"count": 10, "pageToken": "nonsense"}]), 25432),
        ("alice", "getJoinedGroupsByRole", json!([{"count": 10, "pageToken": "nonsense"}, 0]), 25432),
    ];
    let mut wrong = Vec::new();
    for (user, method, args, code) in rows {
        let before = stage.happenings().await;
        let answer = stage.on(user).call(method, args.clone()).await;
        if answer["code"] != code || stage.happenings().await != before {
            wrong.push(format!("{user} {method} {args}: {code} expected, {answer}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    stage.records().await;
}
