//! Groups themselves: creation, profile, policy, end.

use std::collections::BTreeMap;

use conclave_core::event::ProfileChange;
use conclave_core::model::{Circle, Join, Labels, Millis, Policy, Profile, Role, Settings};
use conclave_core::operation::{
    CreateGroup, Disband, Govern, NewMember, OnFull, OnUnknown, PolicyChange, Quiet, SetDisabled, UpdateGroup,
};

use crate::common::{World, add, block_on, by, group, text, user};
use crate::recorder::decisions;

fn create(id: &str, owner: Option<&str>, members: &[&str]) -> CreateGroup {
    CreateGroup {
        id: Some(group(id)),
        members: members.iter().map(|name| NewMember::now(user(name))).collect(),
        ..CreateGroup::new(owner.map(user), Policy::standard())
    }
}

fn profile(name: &str) -> Profile {
    Profile { name: name.to_owned(), introduction: "intro".to_owned(), ..Profile::default() }
}

#[test]
fn create_group() {
    decisions("create_group", Policy::standard(), async |record| {
        let _ = record.app("uses an id again", create("g", Some("ann"), &[])).await;
        let full = CreateGroup {
            profile: profile("Team"),
            announcement: "welcome".to_owned(),
            labels: Labels::from([("x:kind".to_owned(), "team".to_owned())]),
            all_muted: true,
            ..create("h", Some("ann"), &["ben", "ann", "ben"])
        };
        let _ = record.user("ann", "creates h", full).await;
        let _ = record.user("ben", "creates for ann", create("i", Some("ann"), &[])).await;
        let _ = record.user("ben", "creates without an owner", create("i", None, &[])).await;
        let _ = record.app("creates with an unknown owner", create("i", Some("nobody"), &[])).await;
        let _ = record.app("creates with an unknown member", create("i", Some("ann"), &["nobody"])).await;
        let register = CreateGroup {
            on_unknown_owner: OnUnknown::Register,
            on_unknown_member: OnUnknown::Skip,
            ..create("i", Some("gus"), &["nobody", "cy"])
        };
        let _ = record.app("registers the owner", register).await;
        let quiet = CreateGroup { quiet: Quiet::Clients, ..create("j", Some("ann"), &["cy"]) };
        let _ = record.app("creates quietly", quiet).await;
        let silent = CreateGroup { quiet: Quiet::Everybody, ..create("k", Some("ann"), &["cy"]) };
        let _ = record.app("creates silently", silent).await;
        let roleless = CreateGroup { governed: false, ..create("l", None, &["cy"]) };
        let _ = record.app("creates a group without roles", roleless).await;
        let inactive = CreateGroup { active: false, ..create("m", Some("ann"), &["cy"]) };
        let _ = record.user("ann", "creates a group that begins with its first message", inactive).await;
        let admin = NewMember { role: Role::Admin, ..NewMember::now(user("cy")) };
        let with_admin = CreateGroup { members: vec![admin], ..create("n", Some("ann"), &[]) };
        let _ = record.app("creates with an admin", with_admin).await;
    });
}

#[test]
fn create_a_group_with_limits() {
    let small = Policy { capacity: Some(2), invitee_consent: true, ..Policy::standard() };
    decisions("create_group_limits", Policy::standard(), async |record| {
        let small =
            |id: &str, members: &[&str]| CreateGroup { policy: small.clone(), ..create(id, Some("ann"), members) };
        let _ = record.app("creates with too many", small("h", &["ben", "cy"])).await;
        let partial = CreateGroup { on_full: OnFull::Partial, ..small("h", &["ben", "cy"]) };
        let _ = record.app("creates with as many as fit", partial).await;
        let ask = CreateGroup { ask_members: true, ..small("i", &["ben"]) };
        let _ = record.user("ann", "invites to her new group", ask).await;
        let future = CreateGroup { created: Some(record.world.now().plus(60_000)), ..create("j", Some("ann"), &[]) };
        let _ = record.app("imports from the future", future).await;
        let past = Some(Millis(record.world.now().0 - 5000));
        let _ = record.app("imports", CreateGroup { created: past, ..create("j", Some("ann"), &["cy"]) }).await;
        let _ = record.user("ann", "imports", CreateGroup { created: past, ..create("k", Some("ann"), &[]) }).await;
    });
}

#[test]
fn realms_limit_groups_and_users_their_number() {
    block_on(async {
        let world = World::with(Settings { groups: Some(2), groups_per_user: Some(1), ..Settings::default() });
        world.register(&["ann", "ben", "cy"]).await;
        world.app(create("g", Some("ann"), &["cy"])).await.unwrap();
        let quota = |refusal| format!("{refusal:?}");
        insta::assert_snapshot!(quota(world.app(create("h", Some("ann"), &[])).await.unwrap_err()), @r#"TooManyGroupsOfUser("ann")"#);
        insta::assert_snapshot!(quota(world.app(create("h", Some("ben"), &["cy"])).await.unwrap_err()), @r#"TooManyGroupsOfUser("cy")"#);
        world.app(create("h", Some("ben"), &[])).await.unwrap();
        insta::assert_snapshot!(quota(world.app(create("i", None, &[])).await.unwrap_err()), @"LimitReached { limit: Groups, most: 2, now: 2 }");
        insta::assert_snapshot!(quota(world.app(add(&["ben"])).await.unwrap_err()), @r#"TooManyGroupsOfUser("ben")"#);
        assert_eq!(world.broken().await, None);
    });
}

#[test]
fn update_group() {
    decisions("update_group", Policy::standard(), async |record| {
        let update = |profile| UpdateGroup { profile, ..UpdateGroup::of(group("g")) };
        let name = |name: &str| ProfileChange { name: Some(name.to_owned()), ..ProfileChange::default() };
        let _ = record.user("cy", "renames", update(name("Team"))).await;
        let _ = record.user("dan", "renames, a stranger", update(name("Team"))).await;
        let _ = record.user("ben", "renames", update(name("Team"))).await;
        let _ = record.user("ben", "renames to the same", update(name("Team"))).await;
        let fields = |pairs: &[(&str, &str)]| ProfileChange {
            fields: pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            ..ProfileChange::default()
        };
        let limited = |pairs: &[(&str, &str)], most| UpdateGroup { most_fields: Some(most), ..update(fields(pairs)) };
        let _ = record.app("writes too many fields", limited(&[("a", "1"), ("b", "2")], 1)).await;
        let _ = record.app("writes fields", limited(&[("a", "1"), ("b", "2")], 2)).await;
        let _ = record.app("removes one field", limited(&[("a", ""), ("b", "2")], 0)).await;
        let all = ProfileChange {
            introduction: Some("about".to_owned()),
            avatar: Some("https://a/b.png".to_owned()),
            custom: Some("{}".to_owned()),
            labels: BTreeMap::from([("x:kind".to_owned(), Some("team".to_owned()))]),
            ..ProfileChange::default()
        };
        let _ = record.app("changes everything else", update(all)).await;
        let announce = |text: &str| UpdateGroup { announcement: Some(text.to_owned()), ..UpdateGroup::of(group("g")) };
        let _ = record.user("cy", "announces", announce("hello")).await;
        let _ = record.user("ben", "announces", announce("hello")).await;
        let _ = record.user("ben", "announces the same", announce("hello")).await;
        let _ = record.user("ben", "removes the announcement", announce("")).await;
        let _ = record.app("changes no group", UpdateGroup::of(group("x"))).await;
    });
}

#[test]
fn update_policy() {
    let rights = Policy { edit_join: Some(Circle::Owner), edit_capacity: Some(Circle::Nobody), ..Policy::standard() };
    decisions("update_policy", rights, async |record| {
        let update = |policy| UpdateGroup { policy, ..UpdateGroup::of(group("g")) };
        let open = PolicyChange { join: Some(Join::Open), ..PolicyChange::default() };
        let _ = record.user("ben", "opens the group", update(open.clone())).await;
        let _ = record.user("ann", "opens the group", update(open)).await;
        let capacity = |most| update(PolicyChange { capacity: Some(most), ..PolicyChange::default() });
        let _ = record.user("ann", "changes the capacity", capacity(Some(10))).await;
        let _ = record.app("lowers the capacity below the members", capacity(Some(3))).await;
        let _ = record.app("lowers the capacity to the members", capacity(Some(4))).await;
        let _ = record.app("removes the capacity", capacity(None)).await;
        let rest = PolicyChange {
            invite: Some(Circle::Members),
            invitee_consent: Some(true),
            invite_approval: Some(Some(Circle::Owner)),
            remove: Some(Circle::Owner),
            edit_profile: Some(Circle::Members),
            edit_policy: Some(Circle::Owner),
            edit_member: Some(Circle::Owner),
            found_while_closed: Some(false),
            history_before_join: Some(true),
            ..PolicyChange::default()
        };
        let _ = record.user("cy", "changes the rest", update(rest.clone())).await;
        let _ = record.user("ben", "changes the rest", update(rest.clone())).await;
        let _ = record.user("ben", "changes it again", update(rest.clone())).await;
        let _ = record.user("ann", "changes it to the same", update(rest)).await;
    });
}

#[test]
fn disabling() {
    decisions("set_disabled", Policy::standard(), async |record| {
        let disable = |disabled| SetDisabled { group: group("g"), disabled };
        let _ = record.user("ann", "disables", disable(true)).await;
        let _ = record.app("enables an enabled group", disable(false)).await;
        let _ = record.app("disables", disable(true)).await;
        let _ = record.app("disables again", disable(true)).await;
        let _ = record.user("ann", "speaks", text("ann", "hello")).await;
        let _ = record.user("ben", "adds dan", add(&["dan"])).await;
        let _ = record.app("adds dan", add(&["dan"])).await;
        let _ = record.user("ann", "disbands", Disband { group: group("g") }).await;
        let _ = record.app("enables", disable(false)).await;
    });
}

#[test]
fn disbanding() {
    decisions("disband", Policy::standard(), async |record| {
        let _ = record.user("ann", "speaks", text("ann", "hello")).await;
        let disband = || Disband { group: group("g") };
        let _ = record.user("ben", "disbands", disband()).await;
        let _ = record.user("dan", "disbands, a stranger", disband()).await;
        let _ = record.user("ann", "disbands", disband()).await;
        let _ = record.app("disbands again", disband()).await;
        let _ = record.user("ben", "creates with the same id", create("g", Some("ben"), &["cy"])).await;
    });
    decisions("disband_app_only", Policy { owner_may_disband: false, ..Policy::standard() }, async |record| {
        let _ = record.user("ann", "disbands", Disband { group: group("g") }).await;
        let _ = record.app("disbands", Disband { group: group("g") }).await;
    });
}

#[test]
fn governing() {
    decisions("govern", Policy::standard(), async |record| {
        let govern = |id: &str, owner: &str, capacity| Govern {
            group: group(id),
            owner: user(owner),
            profile: profile("Room"),
            announcement: "rules".to_owned(),
            policy: Policy { capacity, ..Policy::standard() },
            on_unknown: OnUnknown::Refuse,
        };
        let _ = record.app("governs a governed group", govern("g", "ann", None)).await;
        for id in ["h", "i", "j"] {
            let roleless = CreateGroup { governed: false, ..create(id, None, &["cy", "eve"]) };
            record.world.run(&conclave_core::event::Actor::app(), roleless).await.unwrap();
        }
        let _ = record.user("cy", "governs", govern("h", "cy", None)).await;
        let _ = record.app("governs with an unknown owner", govern("h", "nobody", None)).await;
        let _ = record.app("governs with too small a capacity", govern("h", "cy", Some(1))).await;
        let _ = record.app("governs without room for the owner", govern("h", "dan", Some(2))).await;
        let _ = record.app("governs, owner a member", govern("h", "cy", Some(2))).await;
        let _ = record.app("governs, owner a stranger", govern("i", "dan", Some(3))).await;
        let register = Govern { on_unknown: OnUnknown::Register, ..govern("j", "gus", None) };
        let _ = record.app("governs, owner registered", register).await;
        let _ = record
            .step(
                "dan adds fay",
                &by("dan"),
                conclave_core::operation::AddMembers { group: group("i"), ..add(&["fay"]) },
            )
            .await;
    });
}
