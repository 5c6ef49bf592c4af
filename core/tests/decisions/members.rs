//! Joining, leaving and roles.

use std::collections::BTreeMap;

use conclave_core::event::Actor;
use conclave_core::model::{Circle, Millis, Policy, Role, Until};
use conclave_core::operation::{
    AddMembers, Appoint, Block, Cleanup, Demote, Dismiss, Leave, MarkMembers, NewMember, OnBlocked, OnFull, OnMember,
    OnOutsider, OnUnknown, Promote, Quiet, RemoveMembers, Transfer,
};

use crate::common::{add, group, user, users};
use crate::recorder::decisions;

fn remove(names: &[&str]) -> RemoveMembers {
    RemoveMembers {
        group: group("g"),
        users: users(names),
        reason: "spam".to_owned(),
        cleanup: Cleanup::default(),
        quiet: Quiet::Nobody,
        on_outsider: OnOutsider::Refuse,
        skip_owner: false,
    }
}

fn leave(names: &[&str]) -> Leave {
    Leave {
        group: group("g"),
        users: users(names),
        cleanup: Cleanup::default(),
        on_outsider: OnOutsider::Refuse,
        keep_owner: false,
    }
}

fn promote(names: &[&str]) -> Promote {
    Promote { group: group("g"), users: users(names), most: None, on_outsider: OnOutsider::Refuse }
}

fn demote(names: &[&str]) -> Demote {
    Demote { group: group("g"), users: users(names), skip_others: false }
}

fn block(names: &[&str]) -> Block {
    Block {
        group: group("g"),
        users: users(names),
        until: Until::Forever,
        reason: String::new(),
        members_only: false,
        cleanup: Cleanup::default(),
    }
}

#[test]
fn add_members() {
    decisions("add_members", Policy::standard(), async |record| {
        let _ = record.app("adds dan twice and cy", add(&["dan", "dan", "cy"])).await;
        let _ = record.app("removes dan", remove(&["dan"])).await;
        let _ = record.user("cy", "may not invite", add(&["dan"])).await;
        let _ = record.user("fay", "is a stranger", add(&["dan"])).await;
        let _ = record.user("ben", "adds dan", add(&["dan"])).await;
        let _ = record.app("removes dan again", remove(&["dan"])).await;
        let _ = record.app("adds an unknown user", add(&["nobody", "dan"])).await;
        let skip = AddMembers { on_unknown: OnUnknown::Skip, ..add(&["nobody", "dan"]) };
        let _ = record.app("leaves an unknown user out", skip).await;
        let _ = record.app("registers gus", AddMembers { on_unknown: OnUnknown::Register, ..add(&["gus"]) }).await;
        let _ = record.app("refuses members", AddMembers { on_member: OnMember::Refuse, ..add(&["fay", "cy"]) }).await;
        let all = |names: &[&str]| AddMembers { on_member: OnMember::RefuseIfAll, ..add(names) };
        let _ = record.app("adds members only", all(&["cy", "ben"])).await;
        let _ = record.app("adds one more and a member", all(&["cy", "fay"])).await;
        let _ = record.app("blocks fay", block(&["fay"])).await;
        let _ = record.app("adds the blocked", add(&["fay"])).await;
        let skip = AddMembers { on_blocked: OnBlocked::Skip, ..add(&["fay"]) };
        let _ = record.app("leaves the blocked out", skip).await;
        let _ = record.app("adds to no group", AddMembers { group: group("x"), ..add(&["dan"]) }).await;
        let actor = Actor::App { for_user: Some(user("ann")) };
        let _ = record.step("the app for ann adds nobody", &actor, add(&[])).await;
    });
}

#[test]
fn add_members_to_a_group_that_is_almost_full() {
    decisions("add_members_full", Policy { capacity: Some(5), ..Policy::standard() }, async |record| {
        let _ = record.app("adds two, one fits", add(&["dan", "fay"])).await;
        let most = |most| AddMembers { most: Some(most), ..add(&["dan"]) };
        let _ = record.app("adds one beyond its own limit", most(4)).await;
        let partial = AddMembers { on_full: OnFull::Partial, ..add(&["dan", "fay"]) };
        let _ = record.app("adds as many as fit", partial).await;
        let _ = record.user("ben", "adds to the full group", add(&["fay"])).await;
    });
}

#[test]
fn add_members_with_a_past() {
    decisions("add_members_import", Policy::standard(), async |record| {
        record.world.step(10_000);
        let past = |millis, unread| NewMember {
            role: Role::Admin,
            joined: Some(Millis(record.world.now().0 - millis)),
            fields: BTreeMap::from([("level".to_owned(), "3".to_owned())]),
            unread,
            ..NewMember::now(user("dan"))
        };
        let (recent, old) = (past(2, Some(1)), past(100_000, None));
        let import = |member, quiet| AddMembers { members: vec![member], quiet, ..add(&[]) };
        let _ = record.user("ann", "imports", import(recent.clone(), Quiet::Nobody)).await;
        let _ = record.app("imports before the group", import(old, Quiet::Nobody)).await;
        let _ = record.app("imports", import(recent.clone(), Quiet::Clients)).await;
        let _ = record.app("removes dan", remove(&["dan"])).await;
        let _ = record.app("imports silently", import(recent, Quiet::Everybody)).await;
    });
}

#[test]
fn invitations() {
    let careful = Policy {
        invite: Circle::Members,
        invite_approval: Some(Circle::Managers),
        invitee_consent: true,
        ..Policy::standard()
    };
    decisions("invitations", careful, async |record| {
        let _ = record.user("cy", "invites dan", add(&["dan"])).await;
        let _ = record.user("ben", "invites fay", add(&["fay"])).await;
        let _ = record.user("ben", "invites dan as well", add(&["dan"])).await;
        let _ = record.app("invites dan", AddMembers { ask: true, ..add(&["dan"]) }).await;
        let _ = record.app("adds dan at once", add(&["dan"])).await;
    });
}

#[test]
fn remove_members() {
    decisions("remove_members", Policy::standard(), async |record| {
        let _ = record.user("cy", "removes eve", remove(&["eve"])).await;
        let _ = record.user("ben", "removes the owner", remove(&["ann"])).await;
        let _ = record.user("ben", "removes himself, an admin", remove(&["ben"])).await;
        let _ = record.user("ben", "removes a stranger", remove(&["dan"])).await;
        let _ = record.user("dan", "removes cy, a stranger", remove(&["cy"])).await;
        let if_all = |names: &[&str]| RemoveMembers { on_outsider: OnOutsider::RefuseIfAll, ..remove(names) };
        let _ = record.app("removes strangers only", if_all(&["dan", "fay"])).await;
        let _ = record.app("removes a stranger and eve twice", if_all(&["dan", "eve", "eve"])).await;
        let skip = RemoveMembers { on_outsider: OnOutsider::Skip, ..remove(&["dan"]) };
        let _ = record.app("skips a stranger", skip).await;
        let owner = RemoveMembers { skip_owner: true, ..remove(&["ann", "cy"]) };
        let _ = record.app("skips the owner", owner).await;
        let _ = record.user("ann", "removes an admin", remove(&["ben"])).await;
        let _ = record.app("adds cy and eve again", add(&["cy", "eve"])).await;
        let _ = record.app("removes quietly", RemoveMembers { quiet: Quiet::Clients, ..remove(&["cy"]) }).await;
        let _ = record.app("removes silently", RemoveMembers { quiet: Quiet::Everybody, ..remove(&["eve"]) }).await;
    });
}

#[test]
fn ordinary_members_remove_each_other() {
    decisions("remove_members_peers", Policy { remove: Circle::Members, ..Policy::standard() }, async |record| {
        let _ = record.user("cy", "removes an admin", remove(&["ben"])).await;
        let _ = record.user("cy", "removes eve", remove(&["eve"])).await;
        let _ = record.user("ben", "removes cy", remove(&["cy"])).await;
    });
}

#[test]
fn leaving() {
    decisions("leave", Policy::standard(), async |record| {
        let _ = record.user("cy", "lets eve leave", leave(&["eve"])).await;
        let _ = record.user("ann", "leaves, the owner", leave(&["ann"])).await;
        let _ = record.user("dan", "leaves, a stranger", leave(&["dan"])).await;
        let _ = record.user("cy", "leaves", leave(&["cy"])).await;
        let if_all = Leave { on_outsider: OnOutsider::RefuseIfAll, ..leave(&["dan", "eve", "eve"]) };
        let _ = record.app("lets eve and a stranger leave", if_all.clone()).await;
        let _ = record.app("lets strangers leave", if_all).await;
        let skip = Leave { on_outsider: OnOutsider::Skip, ..leave(&["dan"]) };
        let _ = record.app("skips a stranger", skip).await;
        let _ = record.user("ben", "leaves, an admin", leave(&["ben"])).await;
    });
}

#[test]
fn the_owner_leaves() {
    decisions("leave_owner", Policy { owner_may_leave: true, ..Policy::standard() }, async |record| {
        let _ = record.app("keeps the owner", Leave { keep_owner: true, ..leave(&["ann"]) }).await;
        let _ = record.user("ann", "leaves", leave(&["ann"])).await;
    });
}

#[test]
fn what_ends_with_a_membership() {
    decisions("cleanup", Policy::standard(), async |record| {
        use conclave_core::operation::{Allow, Follow, Mute};
        let mute = Mute {
            group: group("g"),
            users: users(&["cy", "eve"]),
            until: Until::Forever,
            members_only: true,
            spare_owner: true,
        };
        let _ = record.app("mutes cy and eve", mute).await;
        let allow = Allow { group: group("g"), users: users(&["cy", "eve"]), members_only: true };
        let _ = record.app("allows cy and eve", allow).await;
        for name in ["cy", "eve"] {
            let follow = Follow { group: group("g"), user: user(name), users: users(&["ann"]), most: None };
            let _ = record.user(name, "follows ann", follow).await;
        }
        let everything = Cleanup { mute: true, allowance: true, follows: true };
        let _ = record.user("cy", "leaves with everything", Leave { cleanup: everything, ..leave(&["cy"]) }).await;
        let _ = record.user("eve", "leaves", leave(&["eve"])).await;
    });
}

#[test]
fn admins() {
    decisions("promote_and_demote", Policy::standard(), async |record| {
        let _ = record.user("ben", "promotes cy", promote(&["cy"])).await;
        let _ = record.user("ann", "promotes herself", promote(&["ann"])).await;
        let _ = record.user("ann", "promotes a stranger", promote(&["dan", "cy"])).await;
        let most = |most| Promote { most: Some(most), ..promote(&["cy", "eve"]) };
        let _ = record.user("ann", "promotes beyond the limit", most(2)).await;
        let _ = record.user("ann", "promotes an admin again", Promote { most: Some(1), ..promote(&["ben"]) }).await;
        let _ = record.user("ann", "promotes up to the limit", most(3)).await;
        let if_all = |names: &[&str]| Promote { on_outsider: OnOutsider::RefuseIfAll, ..promote(names) };
        let _ = record.app("promotes strangers only", if_all(&["dan", "fay"])).await;
        let _ = record.user("ben", "demotes cy", demote(&["cy"])).await;
        let _ = record.user("ann", "demotes cy twice", demote(&["cy", "cy"])).await;
        let _ = record.user("ann", "demotes a member", demote(&["cy"])).await;
        let _ = record.app("promotes a stranger and cy", if_all(&["dan", "cy"])).await;
        let _ = record.app("skips strangers", Promote { on_outsider: OnOutsider::Skip, ..promote(&["dan"]) }).await;
        let skip = Demote { skip_others: true, ..demote(&["cy", "dan", "ann"]) };
        let _ = record.app("demotes whom it can", skip).await;
    });
}

#[test]
fn a_group_whose_admins_nobody_makes() {
    decisions("promote_nobody", Policy { promote: Circle::Nobody, ..Policy::standard() }, async |record| {
        let _ = record.user("ann", "promotes cy", promote(&["cy"])).await;
        let _ = record.app("promotes cy", promote(&["cy"])).await;
        let _ = record.app("demotes ben", demote(&["ben"])).await;
    });
}

#[test]
fn appointments() {
    decisions("appoint_and_dismiss", Policy::standard(), async |record| {
        let appoint = |names: &[&str], most| Appoint {
            group: group("g"),
            users: users(names),
            on_unknown: OnUnknown::Refuse,
            most,
        };
        let dismiss = |names: &[&str]| Dismiss { group: group("g"), users: users(names) };
        let _ = record.user("ann", "appoints dan", appoint(&["dan"], None)).await;
        let _ = record.app("appoints the owner", appoint(&["ann"], None)).await;
        let _ = record.app("appoints beyond the limit", appoint(&["dan", "cy"], Some(1))).await;
        let _ = record.app("appoints dan and cy", appoint(&["dan", "cy"], Some(2))).await;
        let _ = record.app("appoints them again", appoint(&["dan", "cy"], Some(1))).await;
        let _ = record.app("adds dan", add(&["dan"])).await;
        let _ = record.app("dismisses dan, ben and eve", dismiss(&["dan", "ben", "eve"])).await;
        let _ = record.app("dismisses eve", dismiss(&["eve"])).await;
        let _ = record.user("ann", "demotes cy", demote(&["cy"])).await;
    });
}

#[test]
fn handing_over() {
    decisions("transfer", Policy::standard(), async |record| {
        let transfer = |to: &str, leave| Transfer { group: group("g"), to: user(to), leave };
        let _ = record.user("ben", "takes the group", transfer("ben", None)).await;
        let _ = record.user("ann", "hands over to a stranger", transfer("dan", None)).await;
        let _ = record.user("ann", "hands over to herself", transfer("ann", None)).await;
        let _ = record.user("ann", "hands over to ben", transfer("ben", None)).await;
        let _ = record.user("ben", "hands over to cy and leaves", transfer("cy", Some(Cleanup::default()))).await;
        let _ = record.app("hands over to eve", transfer("eve", None)).await;
    });
    decisions("transfer_fixed", Policy { transferable: false, ..Policy::standard() }, async |record| {
        let transfer = Transfer { group: group("g"), to: user("ben"), leave: None };
        let _ = record.user("ann", "hands over", transfer.clone()).await;
        let _ = record.app("hands over", transfer).await;
    });
}

#[test]
fn marks() {
    decisions("mark_members", Policy::standard(), async |record| {
        let mark = |members: &[(&str, &[u32])], on, most_kinds| MarkMembers {
            group: group("g"),
            members: members.iter().map(|(name, marks)| (user(name), marks.to_vec())).collect(),
            on,
            most_kinds,
        };
        let _ = record.user("ben", "marks cy", mark(&[("cy", &[7])], true, None)).await;
        let _ = record
            .user(
                "ann",
                "marks two and a stranger",
                mark(&[("cy", &[7, 8, 7]), ("eve", &[7]), ("dan", &[9])], true, Some(2)),
            )
            .await;
        let _ = record.user("ann", "marks beyond the limit", mark(&[("cy", &[9])], true, Some(2))).await;
        let _ = record.user("ann", "marks again", mark(&[("cy", &[7])], true, Some(1))).await;
        let _ = record.user("ann", "unmarks", mark(&[("cy", &[7, 9]), ("eve", &[8])], false, Some(1))).await;
        let _ = record.user("eve", "leaves with the last mark 7", leave(&["eve"])).await;
    });
}
