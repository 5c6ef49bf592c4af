use std::sync::atomic::{AtomicU64, Ordering};

use conclave_core::event::{Audience, CallPart, Joining, Leaving};
use conclave_core::model::{Millis, Profile};
use conclave_kit::Platform;
use futures_util::FutureExt as _;

use super::*;

fn user(id: &str) -> UserId {
    UserId::new(id).unwrap()
}

fn group(id: &str) -> GroupId {
    GroupId::new(id).unwrap()
}

fn event(id: &str, users: &[&str], what: Happening) -> Event {
    let users = users.iter().map(|id| user(id)).collect();
    let audience = Audience { members_of: Some(group(id)), users, silent: false };
    Event {
        sequence: 1,
        part: CallPart::WHOLE,
        at: Millis(1),
        group: Some(group(id)),
        number: None,
        actor: Actor::System,
        audience,
        what,
    }
}

fn came(id: &str, who: &str) -> Event {
    event(id, &[], Happening::MembersJoined { users: vec![user(who)], how: Joining::Added, members: 1 })
}

fn went(id: &str, who: &str) -> Event {
    let reason = String::new();
    let (users, were) = (vec![user(who)], Vec::new());
    let what = Happening::MembersLeft { users, how: Leaving::Left, reason, members: 1, were };
    event(id, &[who], what)
}

fn group_event(id: &str) -> Event {
    event(id, &[], Happening::GroupActivated)
}

fn connection(id: &str, platform: Platform) -> Arc<Connection> {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let number = LAST.fetch_add(1, Ordering::Relaxed).to_string();
    let device = Device::new("v", &*number);
    let (user, vendor, since) = (user(id), "v", Millis(1));
    Arc::new(Connection { vendor, user, device, platform, id: number, address: None, since })
}

fn add(registry: &mut Registry, id: &str) -> (Arc<Connection>, bool) {
    let connection = connection(id, Platform::Web);
    let is_new = registry.add(&connection, &Arc::new(Mailbox::default()));
    (connection, is_new)
}

fn online(registry: &mut Registry, id: &str, groups: &[&str]) -> Arc<Connection> {
    let (connection, is_new) = add(registry, id);
    if is_new {
        registry.learn(&connection, groups.iter().map(|id| (group(id), MemberState::of(Role::Member))));
    }
    connection
}

/// How many sessions receive an event that is for its whole audience.
fn delivered(registry: &mut Registry, event: &Event) -> usize {
    registry.apply(event);
    registry.receivers(event, "v", &Recipients::audience(event)).len()
}

fn rule(scope: LoginScope, most: usize) -> [LoginRule; 1] {
    [LoginRule { scope, most, exceeding: Exceeding::ReplaceOldest }]
}

#[test]
fn changes_while_groups_are_read_apply_on_top_of_what_is_read() {
    let mut registry = Registry::default();
    let (a, is_new) = add(&mut registry, "a");
    assert!(is_new);
    assert_eq!(delivered(&mut registry, &came("new", "a")), 0);
    registry.apply(&event("stays", &[], Happening::AdminsAdded(vec![user("a")])));
    registry.apply(&event("unknown", &[], Happening::AdminsAdded(vec![user("a")])));
    assert_eq!(delivered(&mut registry, &went("old", "a")), 1, "the event names them");
    // read before any of it was committed
    let read = [("old", Role::Owner), ("stays", Role::Member)];
    registry.learn(&a, read.into_iter().map(|(id, role)| (group(id), MemberState::of(role))));
    assert_eq!(delivered(&mut registry, &group_event("new")), 1);
    assert_eq!(delivered(&mut registry, &group_event("stays")), 1);
    assert_eq!(delivered(&mut registry, &group_event("old")), 0);
    assert_eq!(registry.members(&group("stays")), [(user("a"), Role::Admin)]);
    assert_eq!(registry.members(&group("unknown")), []);
}

#[test]
fn what_was_read_for_a_connection_that_has_gone_counts_for_nobody() {
    let mut registry = Registry::default();
    let (gone, _) = add(&mut registry, "a");
    registry.remove(&gone);
    registry.apply(&went("left", "a"));
    let (here, is_new) = add(&mut registry, "a");
    assert!(is_new);
    // read before they left, with a late result
    registry.learn(&gone, [(group("left"), MemberState::of(Role::Member))].into_iter());
    assert_eq!(delivered(&mut registry, &group_event("left")), 0);
    registry.learn(&here, [(group("stays"), MemberState::of(Role::Member))].into_iter());
    assert_eq!(
        (delivered(&mut registry, &group_event("left")), delivered(&mut registry, &group_event("stays"))),
        (0, 1)
    );
}

#[test]
fn each_session_receives_once_and_not_after_it_has_gone() {
    let mut registry = Registry::default();
    let first = online(&mut registry, "a", &["g"]);
    let second = online(&mut registry, "a", &[]);
    let _b = online(&mut registry, "b", &["g"]);
    let named = event("g", &["a", "a", "c"], Happening::GroupActivated);
    assert_eq!(delivered(&mut registry, &named), 3);
    assert_eq!(registry.remove(&first), Some(1));
    assert_eq!(delivered(&mut registry, &group_event("g")), 2);
    assert_eq!(registry.remove(&second), Some(0));
    assert_eq!(registry.remove(&second), None);
    assert_eq!(delivered(&mut registry, &group_event("g")), 1);
    let silent = Event { audience: Audience { silent: true, ..group_event("g").audience }, ..group_event("g") };
    assert!(registry.apply(&silent).is_empty());
    assert_eq!(registry.apply(&group_event("g")), ["v"]);
    assert!(registry.apply(&group_event("h")).is_empty());
}

#[test]
fn nothing_is_kept_of_those_who_have_gone() {
    let mut registry = Registry::default();
    let a = online(&mut registry, "a", &["g", "h"]);
    registry.apply(&went("h", "a"));
    registry.apply(&came("i", "a"));
    registry.remove(&a);
    assert!(registry.users.is_empty() && registry.groups.is_empty() && registry.vendors.is_empty());
}

#[test]
fn recipients_are_resolved_by_role_name_and_device() {
    let mut registry = Registry::default();
    let owner = online(&mut registry, "owner", &[]);
    let admin = online(&mut registry, "admin", &[]);
    let member = online(&mut registry, "member", &[]);
    let _stranger = online(&mut registry, "stranger", &[]);
    let members = vec![user("admin"), user("member")];
    let created = Happening::GroupCreated { profile: Profile::default(), owner: Some(user("owner")), members };
    registry.apply(&event("g", &[], created));
    registry.apply(&event("g", &[], Happening::AdminsAdded(vec![user("admin")])));
    let by_admin = Actor::User { user: user("admin"), device: Some(admin.device.to_string()) };
    let event = Event { actor: by_admin, ..event("g", &["stranger"], Happening::GroupActivated) };
    let count = |registry: &Registry, to: &Recipients| registry.receivers(&event, "v", to).len();
    assert_eq!(count(&registry, &Recipients::audience(&event)), 4);
    assert_eq!(count(&registry, &Recipients::members()), 3);
    assert_eq!(count(&registry, &Recipients::members().without([user("owner")])), 2);
    assert_eq!(count(&registry, &Recipients::managers()), 2);
    assert_eq!(count(&registry, &Recipients::managers().without_acting_device()), 1);
    assert_eq!(count(&registry, &Recipients::users([user("member"), user("stranger"), user("nobody")])), 2);
    assert_eq!(registry.receivers(&event, "other", &Recipients::members()).len(), 0);
    let own = registry.receivers(&event, "v", &Recipients::managers());
    assert_eq!(own.iter().filter(|receiver| receiver.is_own).count(), 1);
    // users outside the audience do not receive it, whatever a vendor says
    let narrow = Audience { members_of: None, users: vec![user("member")], silent: false };
    let narrow = Event { audience: narrow, ..event.clone() };
    assert_eq!(registry.receivers(&narrow, "v", &Recipients::managers()).len(), 0);
    assert_eq!(registry.receivers(&narrow, "v", &Recipients::users([user("owner"), user("member")])).len(), 1);
    // roles are updated by events
    let handed =
        Happening::OwnerChanged { from: Some(user("owner")), to: Some(user("member")), left: false, was: None };
    registry.apply(&super::tests::event("g", &[], handed));
    registry.apply(&super::tests::event("g", &[], Happening::AdminsRemoved(vec![user("admin")])));
    let managers = registry.receivers(&event, "v", &Recipients::managers());
    assert_eq!(managers.len(), 1);
    drop((owner, member));
}

#[test]
fn members_who_discard_messages_are_known() {
    let mut registry = Registry::default();
    let (a, _) = add(&mut registry, "a");
    let receives = |receive| event("g", &["a"], Happening::ReceiveChanged { user: user("a"), receive, before: None });
    // while the groups are being read, and after
    registry.apply(&receives(Receive::Discard));
    registry.learn(&a, [(group("g"), MemberState::of(Role::Member))].into_iter());
    let _b = online(&mut registry, "b", &["g"]);
    let to_all = group_event("g");
    let to_a =
        Event { audience: Audience { members_of: None, ..receives(Receive::Notify).audience }, ..group_event("g") };
    let count = |registry: &Registry, event: &Event| {
        registry.receivers(event, "v", &Recipients::audience(event).without_discarding()).len()
    };
    assert_eq!((count(&registry, &to_all), count(&registry, &to_a)), (1, 0));
    assert_eq!(registry.receivers(&to_all, "v", &Recipients::members()).len(), 2, "tips are for all");
    registry.apply(&event("g", &[], Happening::AdminsAdded(vec![user("a")])));
    assert_eq!(count(&registry, &to_all), 1, "a role changes nothing of it");
    registry.apply(&receives(Receive::Silent));
    assert_eq!((count(&registry, &to_all), count(&registry, &to_a)), (2, 1));
    registry.apply(&receives(Receive::Discard));
    registry.apply(&went("g", "a"));
    registry.apply(&came("g", "a"));
    assert_eq!(count(&registry, &to_all), 2, "a user who joins again starts over");
}

#[test]
fn the_oldest_that_exceed_a_rule_are_replaced() {
    let mut registry = Registry::default();
    let phone = connection("a", Platform::Ios);
    registry.add(&phone, &Arc::new(Mailbox::default()));
    let old = online(&mut registry, "a", &["g"]);
    let middle = online(&mut registry, "a", &[]);
    let other = online(&mut registry, "b", &["g"]);
    let newest = online(&mut registry, "a", &[]);
    let gone = registry.replace(&newest, &rule(LoginScope::Platform, 2));
    assert_eq!(gone.len(), 1);
    assert!(Arc::ptr_eq(&gone[0].connection, &old) && gone[0].others == 3);
    assert_eq!(gone[0].reason, DisconnectReason::Replaced);
    assert_eq!(registry.connections(&user("a")), [phone.clone(), middle, newest.clone()]);
    assert_eq!(registry.replace(&newest, &rule(LoginScope::Platform, 1)).len(), 1);
    assert_eq!(registry.connections(&user("a")), [phone, newest.clone()]);
    assert_eq!(registry.connections(&user("b")), [other]);
    assert_eq!(registry.replace(&newest, &rule(LoginScope::Platform, 1)).len(), 0);
    assert_eq!(registry.replace(&newest, &rule(LoginScope::User, 1)).len(), 1);
    assert_eq!(registry.connections(&user("a")), [newest]);
}

#[test]
fn a_device_that_connects_again_replaces_itself_and_one_too_many_may_be_refused() {
    let mut registry = Registry::default();
    let (first, _) = add(&mut registry, "a");
    let again = Arc::new(Connection { id: "again".to_owned(), ..Connection::clone(&first) });
    registry.add(&again, &Arc::new(Mailbox::default()));
    let gone = registry.replace(&again, &rule(LoginScope::Device, 1));
    assert_eq!((gone.len(), gone[0].reason), (1, DisconnectReason::Reconnected));
    let refusing = LoginRule { scope: LoginScope::User, most: 2, exceeding: Exceeding::RefuseNewest };
    let newest = connection("a", Platform::Web);
    assert!(!registry.refuses(&newest, &[refusing]));
    add(&mut registry, "a");
    assert!(registry.refuses(&newest, &[refusing]));
    assert!(registry.replace(&newest, &[refusing]).is_empty());
}

#[test]
fn disconnected_users_get_the_reason_and_are_offline() {
    let mut registry = Registry::default();
    let (first, mailbox) = (connection("a", Platform::Web), Arc::new(Mailbox::default()));
    registry.add(&first, &mailbox);
    registry.learn(&first, [(group("g"), MemberState::of(Role::Member))].into_iter());
    let second = online(&mut registry, "a", &[]);
    assert_eq!(registry.members(&group("g")), [(user("a"), Role::Member)]);
    let one = ConnectionFilter::with_id(&first.id);
    assert_eq!(registry.end(&user("a"), &one, DisconnectReason::ByApp).len(), 1);
    assert!(registry.end(&user("a"), &one, DisconnectReason::Replaced).is_empty());
    let mail = mailbox.take(1, |_, _, _| true).now_or_never().unwrap();
    assert_eq!(mail.ended, Some(DisconnectReason::ByApp));
    assert_eq!(registry.connections(&user("a")), [second]);
    assert_eq!(registry.end(&user("a"), &ConnectionFilter::all(), DisconnectReason::ByApp).len(), 1);
    assert!(registry.members(&group("g")).is_empty() && registry.users.is_empty());
}
