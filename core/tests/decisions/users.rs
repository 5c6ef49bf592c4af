//! Accounts, and what is a user's own.

use std::collections::BTreeMap;

use conclave_core::model::{Labels, Policy};
use conclave_core::operation::{
    CreateGroup, DeleteUser, Follow, NewUser, OnExisting, OnUnknown, OwnedGroups, RegisterUsers, SetPushName,
    SetRemark, SyncGroups, Unfollow, UpdateUser,
};

use crate::common::{group, user, users};
use crate::recorder::decisions;

#[test]
fn register_users() {
    decisions("register_users", Policy::standard(), async |record| {
        let register = |names: &[&str], on_existing, folded| RegisterUsers {
            users: names
                .iter()
                .map(|name| NewUser {
                    nick: "Nick".to_owned(),
                    avatar: "https://a".to_owned(),
                    secret: Some("hash".to_owned()),
                    labels: Labels::from([("x:level".to_owned(), "1".to_owned())]),
                    ..NewUser::of(user(name))
                })
                .collect(),
            on_existing,
            folded,
        };
        let _ = record.user("ann", "registers", register(&["gus"], OnExisting::Refuse, false)).await;
        let _ = record.app("registers two, one twice", register(&["gus", "hal", "gus"], OnExisting::Skip, false)).await;
        let _ = record.app("registers an id in use", register(&["ida", "gus"], OnExisting::Refuse, false)).await;
        let _ = record.app("skips an id in use", register(&["ida", "ann"], OnExisting::Skip, false)).await;
        let _ = record.app("updates", register(&["ann"], OnExisting::Update, false)).await;
        let _ = record.app("updates to the same", register(&["ann"], OnExisting::Update, false)).await;
        let _ = record.app("registers ANN", register(&["ANN"], OnExisting::Skip, true)).await;
        let _ = record.app("registers ANN as another", register(&["ANN"], OnExisting::Skip, false)).await;
    });
}

#[test]
fn update_user() {
    decisions("update_user", Policy::standard(), async |record| {
        let of = |name: &str| UpdateUser::of(user(name));
        let nick = |name: &str| UpdateUser { nick: Some("Nick".to_owned()), ..of(name) };
        let _ = record.user("ann", "renames ben", nick("ben")).await;
        let _ = record.user("ann", "renames herself", nick("ann")).await;
        let _ = record.user("ann", "renames herself to the same", nick("ann")).await;
        let _ = record.user("ann", "deactivates herself", UpdateUser { active: Some(false), ..of("ann") }).await;
        let now = record.world.now();
        let _ = record.user("ann", "revokes tokens", UpdateUser { tokens_from: Some(now), ..of("ann") }).await;
        let _ = record.app("renames nobody", nick("nobody")).await;
        let all = UpdateUser {
            avatar: Some("https://a".to_owned()),
            secret: Some(Some("hash".to_owned())),
            active: Some(false),
            tokens_from: Some(now),
            labels: BTreeMap::from([("x:level".to_owned(), Some("2".to_owned()))]),
            ..of("ben")
        };
        let _ = record.app("changes the rest", all).await;
        let _ = record.app("removes the secret", UpdateUser { secret: Some(None), ..of("ben") }).await;
    });
}

#[test]
fn delete_user() {
    decisions("delete_user", Policy::standard(), async |record| {
        let delete = |name: &str, owned| DeleteUser { user: user(name), owned };
        let _ = record.user("cy", "deletes herself", delete("cy", OwnedGroups::Disband)).await;
        let _ = record.app("deletes nobody", delete("nobody", OwnedGroups::Disband)).await;
        let _ = record.app("deletes cy", delete("cy", OwnedGroups::Disband)).await;
        let _ = record.app("deletes an admin", delete("ben", OwnedGroups::Orphan)).await;
        for (id, needs_owner) in [("h", true), ("i", false)] {
            let policy = Policy { needs_owner, ..Policy::standard() };
            let create = CreateGroup { id: Some(group(id)), ..CreateGroup::new(Some(user("eve")), policy) };
            record.world.app(create).await.unwrap();
        }
        let _ = record.app("deletes eve, the owner of two", delete("eve", OwnedGroups::Orphan)).await;
        let _ = record.app("deletes ann, the owner", delete("ann", OwnedGroups::Disband)).await;
    });
}

#[test]
fn sync_groups() {
    decisions("sync_groups", Policy::standard(), async |record| {
        let sync = |name: &str, groups: &[(&str, &str)]| SyncGroups {
            user: user(name),
            groups: groups.iter().map(|(id, name)| (group(id), (*name).to_owned())).collect(),
            policy: Policy::standard(),
            on_unknown: OnUnknown::Refuse,
        };
        let _ = record.user("cy", "syncs", sync("cy", &[])).await;
        let _ = record.app("syncs nobody", sync("nobody", &[])).await;
        let _ = record.app("syncs dan into two groups", sync("dan", &[("g", ""), ("h", "Home"), ("h", "Again")])).await;
        let _ = record.app("renames for dan, and takes h away", sync("dan", &[("g", "Renamed")])).await;
        let _ = record.app("syncs the owner out", sync("ann", &[])).await;
        let _ = record.app("syncs cy out", sync("cy", &[("h", "")])).await;
    });
}

#[test]
fn personal() {
    decisions("personal", Policy::standard(), async |record| {
        let remark = |name: &str, text: &str| SetRemark { group: group("g"), user: user(name), text: text.to_owned() };
        let _ = record.user("cy", "writes eve's remark", remark("eve", "R")).await;
        let _ = record.user("cy", "writes a remark", remark("cy", "R")).await;
        let _ = record.user("cy", "writes it again", remark("cy", "R")).await;
        let _ = record.user("cy", "removes the remark", remark("cy", "")).await;
        let _ = record.user("dan", "writes a remark, a stranger", remark("dan", "R")).await;
        let push = |name: &str, text: &str| SetPushName { group: group("g"), user: user(name), name: text.to_owned() };
        let _ = record.user("cy", "sets her push name", push("cy", "P")).await;
        let _ = record.user("cy", "removes her push name", push("cy", "")).await;
        let _ = record.user("dan", "sets a push name, a stranger", push("dan", "P")).await;
        let follow = |names: &[&str], most| Follow { group: group("g"), user: user("cy"), users: users(names), most };
        let _ = record.user("eve", "follows for cy", follow(&["ann"], None)).await;
        let _ = record.user("cy", "follows too many", follow(&["ann", "ben"], Some(1))).await;
        let _ = record.user("cy", "follows ann twice, and a stranger", follow(&["ann", "ann", "dan"], Some(2))).await;
        let _ = record.user("cy", "follows ann and ben", follow(&["ann", "ben"], Some(2))).await;
        let _ = record.user("cy", "follows ann again", follow(&["ann"], Some(2))).await;
        let unfollow = |names: &[&str]| Unfollow { group: group("g"), user: user("cy"), users: users(names) };
        let _ = record.user("cy", "unfollows ann and eve", unfollow(&["ann", "eve"])).await;
        let _ = record.user("cy", "unfollows the last", unfollow(&["ben"])).await;
    });
}
