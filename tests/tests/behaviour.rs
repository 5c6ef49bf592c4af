//! One behaviour: each scenario runs through each vendor's server API and through the core, on every store; after each
//! step all the others read the same state.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a broken expectation is a panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use conclave::store::Database;
use conclave_core::memory::Memory;
use conclave_core::model::Settings;
use conclave_core::ports::Store;
use conclave_tests::house::tellers;
use conclave_tests::story::Role::{Admin, Member, Owner};
use conclave_tests::story::{Role, Teller, Truth, Wanted};
use conclave_tests::world::World;
use tempfile::TempDir;

/// All callers, with the acting one.
struct Stage {
    actor: Arc<dyn Teller>,
    all: Vec<Arc<dyn Teller>>,
}

impl Stage {
    /// All callers read the same state, and it is this one.
    async fn all_read(&self, group: &str, wanted: &Truth) {
        for teller in &self.all {
            let found = teller.truth(group).await;
            assert_eq!(found.as_ref(), Some(wanted), "{} after {} acted", teller.name(), self.actor.name());
        }
        for user in wanted.members.keys() {
            for teller in &self.all {
                let joined = teller.joined(user).await;
                assert!(joined.contains(group), "{} lists the groups of {user}: {joined:?}", teller.name());
            }
        }
    }

    /// No caller finds the group.
    async fn none_reads(&self, group: &str) {
        for teller in &self.all {
            assert_eq!(teller.truth(group).await, None, "{} after {} acted", teller.name(), self.actor.name());
            assert!(!teller.listed(50).await.contains(group), "{} still lists it", teller.name());
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
async fn tell<F, S>(story: F)
where
    F: Fn(Stage) -> S,
    S: Future<Output = ()>,
{
    for index in 0..4 {
        for (store, rows, _folder) in stores() {
            let world = World::with(rows, Settings::default());
            let all = tellers(&world).await;
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
    tell(|stage| async move {
        let group = stage.actor.create(&wanted(None)).await.unwrap();
        stage.all_read(&group, &truth(&[("alice", Owner), ("bob", Member), ("carol", Member)])).await;
        for teller in &stage.all {
            assert_eq!(teller.listed(1).await, BTreeSet::from([group.clone()]), "{}", teller.name());
        }
    })
    .await;
}

#[tokio::test]
async fn an_id_chosen_by_the_caller_is_kept_and_taken_once() {
    tell(|stage| async move {
        let group = stage.actor.create(&wanted(Some("bookclub1"))).await.unwrap();
        assert_eq!(group, "bookclub1");
        for teller in &stage.all {
            teller.create(&wanted(Some("bookclub1"))).await.expect_err(teller.name());
        }
        stage.all_read(&group, &truth(&[("alice", Owner), ("bob", Member), ("carol", Member)])).await;
    })
    .await;
}

#[tokio::test]
async fn members_come_and_go() {
    tell(|stage| async move {
        let group = stage.actor.create(&wanted(None)).await.unwrap();
        stage.actor.add(&group, &["dave", "erin"]).await.unwrap();
        let five = truth(&[("alice", Owner), ("bob", Member), ("carol", Member), ("dave", Member), ("erin", Member)]);
        stage.all_read(&group, &five).await;
        stage.actor.remove(&group, &["bob", "dave"]).await.unwrap();
        stage.all_read(&group, &truth(&[("alice", Owner), ("carol", Member), ("erin", Member)])).await;
        for teller in &stage.all {
            assert!(teller.joined("bob").await.is_empty(), "{}", teller.name());
        }
    })
    .await;
}

#[tokio::test]
async fn the_profile_is_one() {
    tell(|stage| async move {
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
    tell(|stage| async move {
        let group = stage.actor.create(&wanted(None)).await.unwrap();
        stage.actor.promote(&group, "bob").await.unwrap();
        stage.all_read(&group, &truth(&[("alice", Owner), ("bob", Admin), ("carol", Member)])).await;
        stage.actor.demote(&group, "bob").await.unwrap();
        stage.all_read(&group, &truth(&[("alice", Owner), ("bob", Member), ("carol", Member)])).await;
    })
    .await;
}

#[tokio::test]
async fn ownership_is_handed_over_once() {
    tell(|stage| async move {
        let group = stage.actor.create(&wanted(None)).await.unwrap();
        stage.actor.promote(&group, "bob").await.unwrap();
        stage.actor.transfer(&group, "bob").await.unwrap();
        let after = truth(&[("alice", Member), ("bob", Owner), ("carol", Member)]);
        stage.all_read(&group, &after).await;
        for teller in &stage.all {
            teller.transfer(&group, "dave").await.expect_err("a stranger cannot own a group");
        }
        stage.all_read(&group, &after).await;
    })
    .await;
}

#[tokio::test]
async fn the_owner_cannot_be_removed() {
    tell(|stage| async move {
        let group = stage.actor.create(&wanted(None)).await.unwrap();
        for teller in &stage.all {
            teller.remove(&group, &["alice"]).await.expect_err(teller.name());
        }
        stage.all_read(&group, &truth(&[("alice", Owner), ("bob", Member), ("carol", Member)])).await;
    })
    .await;
}

#[tokio::test]
async fn a_group_that_ended_is_gone_for_all() {
    tell(|stage| async move {
        let group = stage.actor.create(&wanted(None)).await.unwrap();
        stage.actor.disband(&group).await.unwrap();
        stage.none_reads(&group).await;
        for teller in &stage.all {
            teller.add(&group, &["dave"]).await.expect_err(teller.name());
            teller.rename(&group, "again", "").await.expect_err(teller.name());
            assert!(teller.joined("alice").await.is_empty(), "{}", teller.name());
        }
    })
    .await;
}

#[tokio::test]
async fn many_groups_are_listed_page_by_page() {
    tell(|stage| async move {
        let mut made = BTreeSet::new();
        for index in 0..7 {
            let id = format!("group{index}");
            made.insert(stage.actor.create(&wanted(Some(&id))).await.unwrap());
        }
        for teller in &stage.all {
            for page in [1, 3, 7, 50] {
                assert_eq!(teller.listed(page).await, made, "{} by pages of {page}", teller.name());
            }
            assert_eq!(teller.joined("carol").await, made, "{}", teller.name());
        }
    })
    .await;
}
