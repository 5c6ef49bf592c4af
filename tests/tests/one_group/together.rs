//! Clients of all three SDKs work on the same groups at once, by a fixed seed, and the gateway is killed meanwhile.
//! Afterwards the three server APIs, the log, and what each client itself shows say the same.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use conclave::store::Database;
use conclave_core::event::Happening;
use conclave_core::model::Prefix;
use conclave_core::ports::Span;
use conclave_tests::sdk::page::Page;
use conclave_tests::story::{Role, Truth, VendorApi};
use conclave_tests::vendor::Vendor;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::MissedTickBehavior;

use crate::calls;
use crate::clients::Reached;
use crate::dice::Dice;
use crate::lists::{lists, speak_last, stored};
use crate::steps::{VENDORS, creator, member};

const SEED: u64 = 20_261_130;
/// In each, every client does one thing, all at once.
const ROUNDS: usize = 40;
/// The round in which the gateway is killed.
const KILLED: usize = 17;
/// How long a start, or agreement, may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
/// How far apart rounds begin. Tencent's SDK refuses its own reads of more than 8 profiles a second (code 2996), and drops
/// the group of a refused read from its list; it reads two or three for each round.
const PACE: Duration = Duration::from_millis(500);

/// The gateway, in a process of its own.
struct Gateway(Child);

impl Gateway {
    fn start(address: SocketAddr, folder: &Path) -> Self {
        let process = Command::new(env!("CARGO_BIN_EXE_conclave_under_test"))
            .args(["serve", "--admin", "off", "--listen", &address.to_string(), "--data"])
            .arg(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the gateway");
        let gateway = Self(process);
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(begun.elapsed() < PATIENCE, "the gateway does not start");
            std::thread::sleep(Duration::from_millis(5));
        }
        gateway
    }

    /// Kills it without a warning.
    fn kill(&mut self) {
        self.0.kill().expect("it runs");
        self.0.wait().expect("it has ended");
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// A front before the gateway, as a load balancer is: it keeps new connections waiting while the gateway starts.
async fn front(gateway: SocketAddr) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let begun = Instant::now();
                while begun.elapsed() < PATIENCE {
                    if let Ok(mut server) = tokio::net::TcpStream::connect(gateway).await {
                        // how a connection ends is for its two sides
                        let _ended = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                        return;
                    }
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            });
        }
    });
    address
}

/// What a client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    Join,
    Leave,
    Add,
    Remove,
    Mute,
    Unmute,
    Rename,
    Transfer,
    Say,
    Disband,
}

const DEEDS: [Deed; 14] = [
    Deed::Join,
    Deed::Join,
    Deed::Join,
    Deed::Leave,
    Deed::Add,
    Deed::Add,
    Deed::Remove,
    Deed::Mute,
    Deed::Unmute,
    Deed::Rename,
    Deed::Transfer,
    Deed::Say,
    Deed::Say,
    Deed::Say,
];

/// A user with a client.
pub(crate) struct Player {
    pub(crate) vendor: Vendor,
    pub(crate) user: &'static str,
    pub(crate) page: Arc<Page>,
}

/// How a client of this vendor does it.
fn call(vendor: Vendor, deed: Deed, group: &str, other: &str, text: &str) -> Option<(&'static str, Value)> {
    let conversation = json!({"conversationType": 3, "targetId": group});
    Some(match (vendor, deed) {
        (Vendor::Agora, Deed::Join) => ("joinGroup", json!([{"groupId": group, "message": ""}])),
        (Vendor::Agora, Deed::Leave) => ("leaveGroup", json!([{"groupId": group}])),
        (Vendor::Agora, Deed::Add) => ("inviteUsersToGroup", json!([{"groupId": group, "users": [other]}])),
        (Vendor::Agora, Deed::Remove) => ("removeGroupMember", json!([{"groupId": group, "username": other}])),
        (Vendor::Agora, Deed::Mute) => {
            ("muteGroupMember", json!([{"groupId": group, "username": other, "muteDuration": 3_600_000}]))
        }
        (Vendor::Agora, Deed::Unmute) => ("unmuteGroupMember", json!([{"groupId": group, "username": other}])),
        (Vendor::Agora, Deed::Rename) => ("modifyGroup", json!([{"groupId": group, "groupName": text}])),
        (Vendor::Agora, Deed::Transfer) => ("changeGroupOwner", json!([{"groupId": group, "newOwner": other}])),
        (Vendor::Agora, Deed::Say) => {
            ("say", json!([{"chatType": "groupChat", "type": "txt", "to": group, "msg": text}]))
        }
        (Vendor::Agora, Deed::Disband) => ("destroyGroup", json!([{"groupId": group}])),
        (Vendor::Tencent, Deed::Join) => ("joinGroup", json!([{"groupID": group}])),
        (Vendor::Tencent, Deed::Leave) => ("quitGroup", json!([group])),
        (Vendor::Tencent, Deed::Add) => ("addGroupMember", json!([{"groupID": group, "userIDList": [other]}])),
        (Vendor::Tencent, Deed::Remove) => ("deleteGroupMember", json!([{"groupID": group, "userIDList": [other]}])),
        (Vendor::Tencent, Deed::Mute) => {
            ("setGroupMemberMuteTime", json!([{"groupID": group, "userID": other, "muteTime": 3600}]))
        }
        (Vendor::Tencent, Deed::Unmute) => {
            ("setGroupMemberMuteTime", json!([{"groupID": group, "userID": other, "muteTime": 0}]))
        }
        (Vendor::Tencent, Deed::Rename) => ("updateGroupProfile", json!([{"groupID": group, "name": text}])),
        (Vendor::Tencent, Deed::Transfer) => ("changeGroupOwner", json!([{"groupID": group, "newOwnerID": other}])),
        (Vendor::Tencent, Deed::Say) => ("send", json!(["Text", group, {"text": text}])),
        (Vendor::Tencent, Deed::Disband) => ("dismissGroup", json!([group])),
        (Vendor::Rong, Deed::Join) => ("joinGroup", json!([group])),
        (Vendor::Rong, Deed::Leave) => ("quitGroup", json!([group])),
        (Vendor::Rong, Deed::Add) => ("inviteUsersToGroup", json!([group, [other]])),
        (Vendor::Rong, Deed::Remove) => ("kickGroupMembers", json!([group, [other]])),
        // the app's server does it
        (Vendor::Rong, Deed::Mute | Deed::Unmute) => return None,
        (Vendor::Rong, Deed::Rename) => ("updateGroupInfo", json!([{"groupId": group, "groupName": text}])),
        (Vendor::Rong, Deed::Transfer) => ("transferGroupOwner", json!([group, other])),
        (Vendor::Rong, Deed::Say) => ("sendMessage", json!([conversation, {"$text": {"content": text}}])),
        (Vendor::Rong, Deed::Disband) => ("dismissGroup", json!([group])),
    })
}

/// A round's work of one client.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    pub(crate) deed: Deed,
    pub(crate) group: String,
    pub(crate) other: &'static str,
    pub(crate) text: String,
}

/// Does it, and returns whether it was accepted. Refusals are part of it.
pub(crate) async fn work(reached: &Reached, player: &Player, work: &Work) -> bool {
    if let Some((method, args)) = call(player.vendor, work.deed, &work.group, work.other, &work.text) {
        return match player.page.try_call(method, &args).await {
            Ok(answer) => calls::refusal(player.vendor, &answer).is_none(),
            // its SDK throws where it changes a group that it does not know as its user's
            Err(thrown) if player.vendor == Vendor::Tencent && thrown.contains("TypeError") => false,
            Err(thrown) => panic!("{} {method} {args}: {thrown}", player.user),
        };
    }
    let fields = [("groupId", work.group.as_str()), ("userId", work.other), ("minute", "60")];
    let (path, fields) = match work.deed {
        Deed::Mute => ("/group/user/gag/add.json", &fields[..]),
        _ => ("/group/user/gag/rollback.json", &fields[..2]),
    };
    reached.vendor_apis.rong.call(path, fields).await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_of_all_vendors_work_on_the_same_groups_and_agree_afterwards() {
    let folder = tempfile::tempdir().expect("a folder");
    let address = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address");
    let mut gateway = Gateway::start(address, folder.path());
    let reached = Reached::at(front(address).await).await;
    let users: Vec<&'static str> = VENDORS.iter().flat_map(|vendor| [creator(*vendor), member(*vendor)]).collect();
    reached.vendor_apis.rong.register(&users).await.expect("accounts");
    let mut players = Vec::new();
    for vendor in VENDORS {
        for user in [creator(vendor), member(vendor)] {
            players.push(Player { vendor, user, page: Arc::new(reached.client(vendor, user).await) });
        }
    }
    let groups = create(&players, &users).await;
    let mut dice = Dice::of(SEED);
    let mut said: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut pace = tokio::time::interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for round in 0..ROUNDS {
        pace.tick().await;
        let plan: Vec<Work> = players
            .iter()
            .map(|player| {
                let text = format!("{} in {round}", player.user);
                // the last group ends at some time
                let ends = round > ROUNDS / 2 && dice.below(12) == 0;
                let (deed, group) =
                    if ends { (Deed::Disband, 2) } else { (dice.one_of(&DEEDS), dice.one_of(&[0, 1, 2])) };
                Work { deed, group: groups[group].clone(), other: dice.one_of(&users), text }
            })
            .collect();
        if round == KILLED {
            for player in &players {
                player.page.take_all(|_| true);
            }
            let running = players.iter().zip(&plan).filter_map(|(player, work)| {
                let (method, args) = call(player.vendor, work.deed, &work.group, work.other, &work.text)?;
                let page = Arc::clone(&player.page);
                // what becomes of it is not known: it may be answered, refused, or never
                Some(tokio::spawn(async move { page.try_call(method, &args).await }))
            });
            let running: Vec<_> = running.collect();
            tokio::time::sleep(Duration::from_millis(20)).await;
            gateway.kill();
            gateway = Gateway::start(address, folder.path());
            join_all(players.iter().map(reconnected)).await;
            running.iter().for_each(tokio::task::JoinHandle::abort);
            continue;
        }
        let accepted = join_all(players.iter().zip(&plan).map(|(player, todo)| work(&reached, player, todo))).await;
        for (work, accepted) in plan.into_iter().zip(accepted) {
            if accepted && work.deed == Deed::Say {
                said.entry(work.group).or_default().push(work.text);
            }
        }
    }

    let truths = truths(&reached, &groups).await;
    assert!(truths.values().any(Option::is_some), "all groups have ended");
    for player in &players {
        agrees(player, &truths).await;
    }
    let last = speak_last(&reached, &players, &truths).await;
    for player in &players {
        lists(player, &truths, &last).await;
        player.page.take_all(|_| true);
    }
    gateway.kill();
    gateway = Gateway::start(address, folder.path());
    join_all(players.iter().map(reconnected)).await;
    for player in &players {
        agrees(player, &truths).await;
        lists(player, &truths, &last).await;
    }
    for (group, texts) in &said {
        if truths[group].is_some() {
            let stored = stored(&reached, group).await;
            for text in texts {
                let times = stored.iter().filter(|other| *other == text).count();
                assert_eq!(times, 1, "{text:?} of {group} is stored {times} times: {stored:?}");
            }
        }
    }
    gateway.kill();
    assert_eq!(from_log(folder.path(), &groups).await, truths, "the log, and the server APIs");
}

/// A group by each vendor's first client, with everybody in it, which anybody may join.
async fn create(players: &[Player], users: &[&'static str]) -> Vec<String> {
    let mut groups = Vec::new();
    for player in players.iter().step_by(2) {
        let others: Vec<&str> = users.iter().copied().filter(|user| *user != player.user).collect();
        let id = format!("by-{}", player.vendor);
        let (method, args) = match player.vendor {
            Vendor::Agora => {
                let data = json!({"groupname": "First", "desc": "", "members": others, "public": true, "approval": false,
                    "allowinvites": true, "inviteNeedConfirm": false, "maxusers": 100});
                ("createGroup", json!([{ "data": data }]))
            }
            Vendor::Tencent => {
                let members: Vec<Value> = others.iter().map(|user| json!({ "userID": user })).collect();
                let options = json!({"name": "First", "type": "Public", "groupID": id, "joinOption": "FreeAccess",
                    "inviteOption": "FreeAccess", "memberList": members});
                ("createGroup", json!([options]))
            }
            Vendor::Rong => {
                let info = json!({"groupId": id, "groupName": "First", "joinPermission": 1, "invitePermission": 2});
                ("createGroup", json!([info, others]))
            }
        };
        let answer = player.page.call(method, args).await;
        assert_eq!(calls::refusal(player.vendor, &answer), None, "{answer}");
        groups.push(answer["data"]["groupid"].as_str().map_or(id, str::to_owned));
    }
    groups
}

/// Waits until a client has found the gateway again.
async fn reconnected(player: &Player) {
    let is_connected = |name: &str, data: &Value| match player.vendor {
        Vendor::Agora => name == "onConnected",
        Vendor::Tencent => name == "NET_STATE_CHANGE" && data["state"] == "connected",
        Vendor::Rong => name == "CONNECTED",
    };
    let begun = Instant::now();
    let mut seen: Vec<(String, Value)> = Vec::new();
    while !seen.iter().any(|(name, data)| is_connected(name, data)) {
        assert!(begun.elapsed() < PATIENCE, "{} does not connect again: {seen:?}", player.user);
        tokio::time::sleep(Duration::from_millis(20)).await;
        seen.extend(player.page.take_all(|_| true));
    }
}

/// What all three server APIs read of each group, which has to be the same.
async fn truths(reached: &Reached, groups: &[String]) -> BTreeMap<String, Option<Truth>> {
    let apis = &reached.vendor_apis;
    let mut truths = BTreeMap::new();
    for group in groups {
        let agora = apis.agora.truth(group).await;
        assert_eq!(agora, apis.tencent.truth(group).await, "{group}: Agora's API and Tencent's");
        assert_eq!(agora, apis.rong.truth(group).await, "{group}: Agora's API and RongCloud's");
        truths.insert(group.clone(), agora);
    }
    truths
}

/// Waits until a client itself shows the groups of its user as they are.
async fn agrees(player: &Player, truths: &BTreeMap<String, Option<Truth>>) {
    let wanted: BTreeMap<&str, Shown> = truths
        .iter()
        .filter_map(|(id, truth)| Some((id.as_str(), truth.as_ref()?)))
        .filter(|(_, truth)| truth.members.contains_key(player.user))
        .map(|(id, truth)| (id, (truth.name.clone(), truth.owner.clone(), truth.members.keys().cloned().collect())))
        .collect();
    let begun = Instant::now();
    loop {
        let shown = shown(player).await;
        if shown.iter().map(|(id, group)| (id.as_str(), group)).eq(wanted.iter().map(|(id, group)| (*id, group))) {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{} shows {shown:#?}, not {wanted:#?}", player.user);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Name, owner, and members.
type Shown = (String, Option<String>, BTreeSet<String>);

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The groups of a client's user as the client returns them.
async fn shown(player: &Player) -> BTreeMap<String, Shown> {
    let page = &player.page;
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut groups = BTreeMap::new();
    match player.vendor {
        Vendor::Agora => {
            let joined = page.call("getJoinedGroups", json!([{"pageNum": 0, "pageSize": 20}])).await;
            for group in list(&joined["data"]).iter().chain(&list(&joined["entities"])) {
                let id = text(if group["groupid"].is_null() { &group["groupId"] } else { &group["groupid"] });
                let info = page.call("getGroupInfo", json!([{ "groupId": id }])).await["data"][0].clone();
                let affiliations = list(&info["affiliations"]);
                let members = affiliations.iter().filter_map(|one| one["owner"].as_str().or(one["member"].as_str()));
                let members = members.map(str::to_owned).collect();
                let owner = Some(text(&info["owner"])).filter(|owner| !owner.is_empty());
                groups.insert(id, (text(&info["name"]), owner, members));
            }
        }
        Vendor::Tencent => {
            let joined = page.call("getGroupList", json!([])).await;
            for group in list(&joined["data"]["groupList"]) {
                let id = text(&group["groupID"]);
                let members =
                    page.call("getGroupMemberList", json!([{"groupID": id, "count": 100, "offset": 0}])).await;
                let members = list(&members["data"]["memberList"]);
                let owner = Some(text(&group["ownerID"])).filter(|owner| !owner.is_empty());
                groups.insert(
                    id,
                    (text(&group["name"]), owner, members.iter().map(|one| text(&one["userID"])).collect()),
                );
            }
            // each has a conversation; the SDK keeps those of groups that were left
            let conversations = list(&page.call("conversations", json!([])).await);
            let is_of = |id: &str| conversations.iter().any(|one| one["conversationID"] == format!("GROUP{id}"));
            groups.retain(|id, _| is_of(id));
        }
        Vendor::Rong => {
            let joined = page.call("getJoinedGroupsByRole", json!([{"count": 100}, 0])).await;
            for group in list(&joined["data"]["data"]) {
                let id = text(&group["groupId"]);
                let members = page.call("getGroupMembersByRole", json!([id, 0, {"count": 100}])).await;
                let members = list(&members["data"]["data"]);
                let owner = Some(text(&group["ownerId"])).filter(|owner| !owner.is_empty());
                let members = members.iter().map(|one| text(&one["userId"])).collect();
                groups.insert(id, (text(&group["groupName"]), owner, members));
            }
        }
    }
    groups
}

/// The groups as the events of the log make them.
async fn from_log(folder: &Path, groups: &[String]) -> BTreeMap<String, Option<Truth>> {
    let database = Database::open(folder).expect("the data");
    let store = database.realm("dev").expect("the realm");
    let mut truths: BTreeMap<String, Option<Truth>> = groups.iter().map(|group| (group.clone(), None)).collect();
    for (_, row) in store.scan(&Span::all(Prefix::events())).await.expect("the log") {
        let Some(event) = row.event() else { continue };
        let Some(group) = event.group.as_ref().and_then(|group| truths.get_mut(group.as_str())) else { continue };
        match (&event.what, group.as_mut()) {
            (Happening::GroupCreated { profile, owner, .. }, _) => {
                *group = Some(Truth {
                    name: profile.name.clone(),
                    introduction: profile.introduction.clone(),
                    owner: owner.as_ref().map(ToString::to_string),
                    members: owner.iter().map(|owner| (owner.to_string(), Role::Owner)).collect(),
                    count: 1,
                });
                if let (Some(group), Happening::GroupCreated { members, .. }) = (group, &event.what) {
                    group.members.extend(members.iter().map(|user| (user.to_string(), Role::Member)));
                    settle(group);
                }
            }
            (Happening::GroupDisbanded { .. }, _) => *group = None,
            (Happening::MembersJoined { users, .. }, Some(group)) => {
                for user in users {
                    group.members.entry(user.to_string()).or_insert(Role::Member);
                }
                settle(group);
            }
            (Happening::MembersLeft { users, .. }, Some(group)) => {
                for user in users {
                    group.members.remove(user.as_str());
                }
                settle(group);
            }
            (Happening::OwnerChanged { from, to, .. }, Some(group)) => {
                if let Some(old) = from.as_ref().and_then(|from| group.members.get_mut(from.as_str())) {
                    *old = Role::Member;
                }
                group.owner = to.as_ref().map(ToString::to_string);
                settle(group);
            }
            (Happening::ProfileChanged(change), Some(group)) => {
                group.name = change.name.clone().unwrap_or_else(|| group.name.clone());
            }
            _ => {}
        }
    }
    truths
}

/// The owner's role, and the number of members.
fn settle(group: &mut Truth) {
    if let Some(owner) = group.owner.as_ref().and_then(|owner| group.members.get_mut(owner)) {
        *owner = Role::Owner;
    }
    group.count = group.members.len() as u64;
}
