//! Mutes, allowlist and blocklist.

use conclave_core::model::{Circle, Policy, Until};
use conclave_core::operation::{Allow, Block, Cleanup, Disallow, Mute, MuteEverywhere, Unblock, Unmute, UpdateGroup};
use conclave_core::query::{AllMutedGroups, Allowlist, Blocklist, Mutes};

use crate::common::{add, group, text, users};
use crate::recorder::decisions;

fn mute(names: &[&str], until: Until) -> Mute {
    Mute { group: group("g"), users: users(names), until, members_only: true, spare_owner: true }
}

fn unmute(names: &[&str]) -> Unmute {
    Unmute { group: group("g"), users: users(names) }
}

#[test]
fn mutes() {
    decisions("mute", Policy::standard(), async |record| {
        let soon = |record: &crate::recorder::Recorder| Until::At(record.world.now().plus(1000));
        let _ = record.user("cy", "mutes eve", mute(&["eve"], Until::Forever)).await;
        let _ = record.user("ben", "mutes the owner", mute(&["ann"], Until::Forever)).await;
        let _ = record.user("ben", "mutes himself", mute(&["ben"], Until::Forever)).await;
        let past = Until::At(record.world.now());
        let _ = record.user("ben", "mutes until now", mute(&["eve"], past)).await;
        let until = soon(record);
        let _ = record.user("ben", "mutes eve twice, and a stranger", mute(&["eve", "eve", "dan"], until)).await;
        let _ = record.user("ben", "mutes a stranger", mute(&["dan"], until)).await;
        let _ = record.user("ben", "mutes eve for ever", mute(&["eve"], Until::Forever)).await;
        let _ = record.user("eve", "speaks", text("eve", "hello")).await;
        let outside = Mute { members_only: false, ..mute(&["dan"], until) };
        let _ = record.app("mutes a stranger beforehand", outside).await;
        let owner = Mute { spare_owner: false, ..mute(&["ann", "ben"], until) };
        let _ = record.app("mutes the owner and an admin", owner).await;
        let _ = record.user("ben", "unmutes eve and cy, who is not muted", unmute(&["eve", "cy", "eve"])).await;
        let _ = record.user("ben", "unmutes cy", unmute(&["cy"])).await;
        let _ = record.user("cy", "unmutes", unmute(&["ann"])).await;
        record.world.step(2000);
        let _ = record.app("unmutes after the mute has expired", unmute(&["ann"])).await;
        assert!(record.world.ask(Mutes::all(group("g"))).await.unwrap().entries.is_empty());
    });
}

#[test]
fn mutes_everywhere() {
    decisions("mute_everywhere", Policy::standard(), async |record| {
        let everywhere = |names: &[&str], until, most| MuteEverywhere { users: users(names), until, most };
        let _ = record.user("ann", "mutes everywhere", everywhere(&["cy"], Some(Until::Forever), None)).await;
        let now = Until::At(record.world.now());
        let _ = record.app("mutes until now", everywhere(&["cy"], Some(now), None)).await;
        let soon = Until::At(record.world.now().plus(1000));
        let _ = record.app("mutes cy and dan", everywhere(&["cy", "dan", "cy"], Some(soon), Some(2))).await;
        let _ = record.app("mutes one too many", everywhere(&["eve"], Some(soon), Some(2))).await;
        let _ = record.app("mutes cy for longer", everywhere(&["cy"], Some(Until::Forever), Some(2))).await;
        let _ = record.user("cy", "speaks", text("cy", "hello")).await;
        let _ = record.app("unmutes eve, who is not muted", everywhere(&["eve"], None, None)).await;
        let _ = record.app("unmutes dan and eve", everywhere(&["dan", "eve"], None, Some(0))).await;
        let _ = record.app("mutes dan again", everywhere(&["dan"], Some(soon), Some(2))).await;
        record.world.step(5000);
        let _ = record
            .app("mutes eve when dan's mute has expired", everywhere(&["eve"], Some(Until::Forever), Some(2)))
            .await;
    });
}

#[test]
fn all_are_muted() {
    decisions("mute_all", Policy::standard(), async |record| {
        let all = |on| UpdateGroup { all_muted: Some(on), ..UpdateGroup::of(group("g")) };
        let _ = record.user("cy", "mutes all", all(true)).await;
        let _ = record.user("ben", "mutes all", all(true)).await;
        let _ = record.user("ben", "mutes all again", all(true)).await;
        assert_eq!(record.world.ask(AllMutedGroups { after: None, limit: 10 }).await.unwrap().groups, [group("g")]);
        for name in ["ann", "ben", "cy", "dan"] {
            let _ = record.user(name, "speaks", text(name, "hello")).await;
        }
        let allow = Allow { group: group("g"), users: users(&["cy", "dan"]), members_only: true };
        let _ = record.user("eve", "allows", allow.clone()).await;
        let _ = record.user("ben", "allows cy, and a stranger", allow.clone()).await;
        let _ = record.user("ben", "allows cy again", allow).await;
        let stranger = Allow { group: group("g"), users: users(&["dan"]), members_only: false };
        let _ = record.app("allows a stranger", stranger).await;
        let _ = record.user("cy", "speaks, allowed", text("cy", "hello")).await;
        assert_eq!(record.world.ask(Allowlist::all(group("g"))).await.unwrap().entries.len(), 2);
        let disallow = |names: &[&str]| Disallow { group: group("g"), users: users(names) };
        let _ = record.user("eve", "disallows cy", disallow(&["cy"])).await;
        let _ = record.user("ben", "disallows cy and eve", disallow(&["cy", "eve"])).await;
        let _ = record.user("ben", "disallows eve", disallow(&["eve"])).await;
        let _ = record.user("ben", "unmutes all", all(false)).await;
    });
    decisions("mute_all_owner_only", Policy { exempt: Circle::Nobody, ..Policy::standard() }, async |record| {
        let all = UpdateGroup { all_muted: Some(true), ..UpdateGroup::of(group("g")) };
        let _ = record.app("mutes all", all).await;
        let _ = record.user("ann", "speaks", text("ann", "hello")).await;
    });
}

#[test]
fn blocks() {
    decisions("block", Policy::standard(), async |record| {
        let block = |names: &[&str], members_only, until| Block {
            group: group("g"),
            users: users(names),
            until,
            reason: "rude".to_owned(),
            members_only,
            cleanup: Cleanup { mute: true, allowance: true, follows: true },
        };
        let unblock = |names: &[&str]| Unblock { group: group("g"), users: users(names) };
        let _ = record.user("cy", "blocks eve", block(&["eve"], true, Until::Forever)).await;
        let _ = record.user("ben", "blocks the owner", block(&["ann"], true, Until::Forever)).await;
        let _ = record.user("ben", "blocks himself", block(&["ben"], true, Until::Forever)).await;
        let _ = record.user("ben", "blocks a stranger among members", block(&["dan"], true, Until::Forever)).await;
        let past = Until::At(record.world.now());
        let _ = record.user("ben", "blocks until now", block(&["eve"], true, past)).await;
        let _ = record.user("ben", "blocks eve and a stranger", block(&["eve", "dan"], false, Until::Forever)).await;
        let soon = Until::At(record.world.now().plus(1000));
        let _ = record.user("ben", "blocks eve again", block(&["eve"], false, soon)).await;
        assert_eq!(record.world.ask(Blocklist::all(group("g"))).await.unwrap().entries.len(), 2);
        let _ = record.user("cy", "unblocks", unblock(&["eve"])).await;
        let _ = record.user("ben", "unblocks dan and cy", unblock(&["dan", "cy"])).await;
        let _ = record.user("ben", "unblocks cy", unblock(&["cy"])).await;
        record.world.step(2000);
        let _ = record.app("adds eve when the block has expired", add(&["eve"])).await;
        let _ = record.app("unblocks eve afterwards", unblock(&["eve"])).await;
    });
}
