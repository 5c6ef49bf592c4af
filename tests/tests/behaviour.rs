//! One behaviour: each scenario runs through each vendor's server API and through the core, on every store; after each
//! step all the others read the same state.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a broken expectation is a panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use conclave::store::Database;
use conclave_core::memory::Memory;
use conclave_core::model::Settings;
use conclave_core::ports::Store;
use conclave_tests::house::vendor_apis;
use conclave_tests::story::Role::{Admin, Member, Owner};
use conclave_tests::story::{Role, Truth, VendorApi, Wanted};
use conclave_tests::world::World;
use tempfile::TempDir;

/// All callers, with the acting one.
struct Stage {
    actor: Arc<dyn VendorApi>,
    all: Vec<Arc<dyn VendorApi>>,
}

impl Stage {
    /// All callers read the same state, and it is this one.
    async fn all_read(&self, group: &str, wanted: &Truth) {
        for vendor_api in &self.all {
            let found = vendor_api.truth(group).await;
            assert_eq!(found.as_ref(), Some(wanted), "{} after {} acted", vendor_api.name(), self.actor.name());
        }
        for user in wanted.members.keys() {
            for vendor_api in &self.all {
                let joined = vendor_api.joined(user).await;
                assert!(joined.contains(group), "{} lists the groups of {user}: {joined:?}", vendor_api.name());
            }
        }
    }

    /// No caller finds the group.
    async fn none_reads(&self, group: &str) {
        for vendor_api in &self.all {
            assert_eq!(vendor_api.truth(group).await, None, "{} after {} acted", vendor_api.name(), self.actor.name());
            assert!(!vendor_api.listed(50).await.contains(group), "{} still lists it", vendor_api.name());
        }
    }
}

/// A store's name, an empty store of that kind, and the folder it is in.
type Made = (&'static str, Arc<dyn Store>, Option<TempDir>);

/// An empty store of each kind.
fn stores() -> Vec<Made> {
    let folder = TempDir::new().unwrap();
    let database = Database::open(&folder.path().join("data")).unwrap();
    vec![
        ("memory", Arc::new(Memory::new()) as Arc<dyn Store>, None),
        ("durable", database.realm("test").unwrap(), Some(folder)),
    ]
}

/// Runs a scenario through all callers, on every store.
async fn run<F, S>(story: F)
where
    F: Fn(Stage) -> S,
    S: Future<Output = ()>,
{
    for index in 0..4 {
        for (store, rows, _folder) in stores() {
            let world = World::with(rows, Settings::default());
            let all = vendor_apis(&world).await;
            let actor = all[index].clone();
            println!("run by {} on {store}", actor.name());
            actor.register(&["alice", "bob", "carol", "dave", "erin"]).await.unwrap();
            story(Stage { actor, all }).await;
        }
    }
}

fn wanted(id: Option<&str>) -> Wanted {
    Wanted {
        id: id.map(ToOwned::to_owned),
        name: "Readers".to_owned(),
        introduction: "on books".to_owned(),
        owner: "alice".to_owned(),
        members: vec!["bob".to_owned(), "carol".to_owned()],
    }
}

fn truth(members: &[(&str, Role)]) -> Truth {
    let members: BTreeMap<String, Role> = members.iter().map(|(user, role)| ((*user).to_owned(), *role)).collect();
    Truth {
        name: "Readers".to_owned(),
        introduction: "on books".to_owned(),
        owner: members.iter().find(|(_, role)| **role == Role::Owner).map(|(user, _)| user.clone()),
        count: members.len() as u64,
        members,
    }
}

#[tokio::test]
async fn a_group_made_by_one_is_the_same_group_for_all() {
    run(|stage| async move {
        let group = stage.actor.create(&wanted(None)).await.unwrap();
        stage.all_read(&group, &truth(&[("alice", Owner), ("bob", Member), ("carol", Member)])).await;
        for vendor_api in &stage.all {
            assert_eq!(vendor_api.listed(1).await, BTreeSet::from([group.clone()]), "{}", vendor_api.name());
        }
    })
    .await;
}

#[tokio::test]
async fn an_id_chosen_by_the_caller_is_kept_and_taken_once() {
    run(|stage| async move {
        let group = stage.actor.create(&wanted(Some("bookclub1"))).await.unwrap();
        assert_eq!(group, "bookclub1");
        for vendor_api in &stage.all {
            vendor_api.create(&wanted(Some("bookclub1"))).await.expect_err(vendor_api.name());
        }
        stage.all_read(&group, &truth(&[("alice", Owner), ("bob", Member), ("carol", Member)])).await;
    })
    .await;
}

#[tokio::test]
async fn members_come_and_go() {
    run(|stage| async move {
        let group = stage.actor.create(&wanted(None)).await.unwrap();
        stage.actor.add(&group, &["dave", "erin"]).await.unwrap();
        let five = truth(&[("alice", Owner), ("bob", Member), ("carol", Member), ("dave", Member), ("erin", Member)]);
        stage.all_read(&group, &five).await;
        stage.actor.remove(&group, &["bob", "dave"]).await.unwrap();
        stage.all_read(&group, &truth(&[("alice", Owner), ("carol", Member), ("erin", Member)])).await;
        for vendor_api in &stage.all {
            assert!(vendor_api.joined("bob").await.is_empty(), "{}", vendor_api.name());
        }
    })
    .await;
}

#[tokio::test]
async fn the_profile_is_one() {
    run(|stage| async move {
        let group = stage.actor.create(&wanted(None)).await.unwrap();
        stage.actor.rename(&group, "Lecteurs été", "livres").await.unwrap();
        let members = truth(&[("alice", Owner), ("bob", Member), ("carol", Member)]);
        let renamed = Truth { name: "Lecteurs été".to_owned(), introduction: "livres".to_owned(), ..members };
        stage.all_read(&group, &renamed).await;
    })
    .await;
}

#[tokio::test]
async fn admins_are_made_and_unmade() {
    run(|stage| async move {
        let group = stage.actor.create(&wanted(None)).await.unwrap();
        stage.actor.promote(&group, "bob").await.unwrap();
        stage.all_read(&group, &truth(&[("alice", Owner), ("bob", Admin), ("carol", Member)])).await;
        stage.actor.demote(&group, "bob").await.unwrap();
        stage.all_read(&group, &truth(&[("alice", Owner), ("bob", Member), ("carol", Member)])).await;
    })
    .await;
}

#[tokio::test]
async fn ownership_is_transferred_once() {
    run(|stage| async move {
        let group = stage.actor.create(&wanted(None)).await.unwrap();
        stage.actor.promote(&group, "bob").await.unwrap();
        stage.actor.transfer(&group, "bob").await.unwrap();
        let after = truth(&[("alice", Member), ("bob", Owner), ("carol", Member)]);
        stage.all_read(&group, &after).await;
        for vendor_api in &stage.all {
            vendor_api.transfer(&group, "dave").await.expect_err("a stranger cannot own a group");
        }
        stage.all_read(&group, &after).await;
    })
    .await;
}

#[tokio::test]
async fn the_owner_cannot_be_removed() {
    run(|stage| async move {
        let group = stage.actor.create(&wanted(None)).await.unwrap();
        for vendor_api in &stage.all {
            vendor_api.remove(&group, &["alice"]).await.expect_err(vendor_api.name());
        }
        stage.all_read(&group, &truth(&[("alice", Owner), ("bob", Member), ("carol", Member)])).await;
    })
    .await;
}

#[tokio::test]
async fn a_group_that_ended_is_gone_for_all() {
    run(|stage| async move {
        let group = stage.actor.create(&wanted(None)).await.unwrap();
        stage.actor.disband(&group).await.unwrap();
        stage.none_reads(&group).await;
        for vendor_api in &stage.all {
            vendor_api.add(&group, &["dave"]).await.expect_err(vendor_api.name());
            vendor_api.rename(&group, "again", "").await.expect_err(vendor_api.name());
            assert!(vendor_api.joined("alice").await.is_empty(), "{}", vendor_api.name());
        }
    })
    .await;
}

#[tokio::test]
async fn many_groups_are_listed_page_by_page() {
    run(|stage| async move {
        let mut made = BTreeSet::new();
        for index in 0..7 {
            let id = format!("group{index}");
            made.insert(stage.actor.create(&wanted(Some(&id))).await.unwrap());
        }
        for vendor_api in &stage.all {
            for page in [1, 3, 7, 50] {
                assert_eq!(vendor_api.listed(page).await, made, "{} by pages of {page}", vendor_api.name());
            }
            assert_eq!(vendor_api.joined("carol").await, made, "{}", vendor_api.name());
        }
    })
    .await;
}
