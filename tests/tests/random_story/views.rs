//! A group as each vendor's server API shows it, in a form that can be compared.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use conclave_tests::house::Three;
use http::Method;
use serde_json::{Value, json};

use crate::histories;
use crate::steps::LIVE;

/// A group as one vendor shows it; `None` where it has no such field. Ids are in lower case, as Agora shows them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Said {
    name: Option<String>,
    announcement: Option<String>,
    owner: Option<String>,
    admins: Option<Vec<String>>,
    /// In the order of joining.
    members: Option<Vec<String>>,
    /// In no order.
    people: Option<Vec<String>>,
    count: Option<u64>,
    /// Whether anybody may ask to join, and whether that needs approval.
    joining: Option<(bool, bool)>,
    muted_members: Option<Vec<String>>,
    muted: Option<Vec<(String, u64)>>,
    muted_people: Option<Vec<String>>,
    all_muted: Option<bool>,
    allowed: Option<Vec<String>>,
    blocked: Option<Vec<String>>,
    /// The texts of the messages that can be read, oldest first.
    messages: Option<Vec<String>>,
    /// Agora's messages in the clients' encoding, oldest first.
    encoded: Option<Vec<Vec<u8>>>,
    /// Beside the number of members.
    most: Option<u64>,
}

/// A group as all three show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    agora: Said,
    tencent: Said,
    rong: Said,
    kind: String,
    created: u64,
    info_number: u64,
    next_number: u64,
    legacy: bool,
    /// Members in their own spelling, with whether they are managers and until when they are muted.
    exact: BTreeMap<String, (bool, u64)>,
    allowed: BTreeSet<String>,
    all_muted: bool,
}

impl Group {
    /// Whether it has no roles.
    pub fn is_legacy(&self) -> bool {
        self.legacy
    }

    /// The number of its last message, or of the last event in its history.
    pub fn last_number(&self) -> u64 {
        self.next_number - 1
    }

    /// Whether Tencent's server API sends a message of any user, as in live rooms, to which it adds no members.
    pub fn accepts_messages_of_non_members(&self, user: &str) -> bool {
        self.kind == LIVE && !self.exact.contains_key(user)
    }

    /// Tencent's code that a message of a user should get, according to what was read.
    pub fn speaking(&self, user: &str, has_account: bool) -> u64 {
        match self.exact.get(user) {
            None if !has_account => 10019,
            None => 10007,
            Some((_, until)) if *until > 0 => 10017,
            Some((manages, _)) if self.all_muted && !manages && !self.allowed.contains(user) => 10017,
            Some(_) => 0,
        }
    }
}

/// All groups of a story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    pub groups: BTreeMap<String, Option<Group>>,
    accounts: BTreeSet<String>,
    wrong: Vec<String>,
}

impl Reading {
    /// Reads everything through all three.
    pub async fn of(house: &Three, groups: &[&str], users: &[&str]) -> Self {
        let mut reading = Self { groups: BTreeMap::new(), accounts: accounts(house, users).await, wrong: Vec::new() };
        for group in groups {
            let seen = read(house, group, &mut reading.wrong).await;
            reading.groups.insert((*group).to_owned(), seen);
        }
        for user in users {
            reading.compare_joined(house, user).await;
        }
        reading
    }

    /// A group, if it is there.
    pub fn group(&self, id: &str) -> Option<&Group> {
        self.groups.get(id).and_then(Option::as_ref)
    }

    /// Whether there is such an account.
    pub fn has_account(&self, user: &str) -> bool {
        self.accounts.contains(user)
    }

    /// Changes since an earlier reading that must not happen.
    pub fn contradicts_time(&self, before: &Self) -> Vec<String> {
        let mut wrong = Vec::new();
        for (id, now) in &self.groups {
            let (Some(now), Some(before)) = (now, before.group(id)) else { continue };
            if now.kind != before.kind {
                wrong.push(format!("{id} was {} and is {}", before.kind, now.kind));
            }
            if now.created != before.created {
                wrong.push(format!("{id} began at {} and now at {}", before.created, now.created));
            }
            if !(before.info_number..=before.info_number + 1).contains(&now.info_number) {
                wrong.push(format!("InfoSeq of {id} went from {} to {}", before.info_number, now.info_number));
            }
            if now.next_number < before.next_number {
                wrong.push(format!("NextMsgSeq of {id} went from {} to {}", before.next_number, now.next_number));
            }
        }
        wrong
    }

    async fn compare_joined(&mut self, house: &Three, user: &str) {
        let wanted: BTreeSet<String> = self
            .groups
            .iter()
            .filter(|(_, group)| group.as_ref().is_some_and(|group| group.exact.contains_key(user)))
            .map(|(id, _)| id.clone())
            .collect();
        let rong = house.rong.answer("user/group/query", &format!("userId={user}")).await;
        let mut found = vec![("RongCloud", ids(&rong["groups"], "id"))];
        if self.has_account(user) {
            let body = json!({"Member_Account": user, "WithHugeGroups": 1, "WithNoActiveGroups": 1});
            let tencent = house.tencent.answer("get_joined_group_list", &body).await;
            found.push(("Tencent", ids(&tencent["GroupIdList"], "GroupId")));
            // of two accounts that differ in case Agora shows one
            if !user.eq_ignore_ascii_case("eve") {
                let agora = house.agora.call(Method::GET, &format!("/users/{user}/joined_chatgroups"), None).await;
                let agora = agora.map_or(Value::Null, |answer| answer["data"].clone());
                found.push(("Agora", ids(&agora, "groupid")));
            }
        }
        for (vendor, groups) in found {
            let groups: BTreeSet<String> = groups.into_iter().collect();
            if groups != wanted {
                self.wrong.push(format!("{vendor} lists {groups:?} as the groups of {user}, who is in {wanted:?}"));
            }
        }
    }
}

/// The differences between the three.
pub fn differences(reading: &Reading) -> Vec<String> {
    let mut wrong = reading.wrong.clone();
    for (id, group) in &reading.groups {
        if let Some(group) = group {
            compare(id, group, &mut wrong);
        }
    }
    wrong
}

fn compare(id: &str, group: &Group, wrong: &mut Vec<String>) {
    let (a, t, r) = (&group.agora, &group.tencent, &group.rong);
    let mut same = |what: &str, said: [Option<String>; 3]| {
        let some: BTreeSet<&String> = said.iter().flatten().collect();
        if some.len() > 1 {
            let [agora, tencent, rong] = &said;
            wrong.push(format!("{what} of {id}: Agora {agora:?}, Tencent {tencent:?}, RongCloud {rong:?}"));
        }
    };
    same("name", [text_of(a.name.as_ref()), text_of(t.name.as_ref()), text_of(r.name.as_ref())]);
    same(
        "announcement",
        [text_of(a.announcement.as_ref()), text_of(t.announcement.as_ref()), text_of(r.announcement.as_ref())],
    );
    same("owner", [text_of(a.owner.as_ref()), text_of(t.owner.as_ref()), text_of(r.owner.as_ref())]);
    same("admins", [text_of(a.admins.as_ref()), text_of(t.admins.as_ref()), text_of(r.admins.as_ref())]);
    same("members", [text_of(a.members.as_ref()), text_of(t.members.as_ref()), text_of(r.members.as_ref())]);
    same("people", [text_of(a.people.as_ref()), text_of(t.people.as_ref()), text_of(r.people.as_ref())]);
    same("count", [text_of(a.count.as_ref()), text_of(t.count.as_ref()), text_of(r.count.as_ref())]);
    same("joining", [text_of(a.joining.as_ref()), text_of(t.joining.as_ref()), text_of(r.joining.as_ref())]);
    same(
        "muted members",
        [text_of(a.muted_members.as_ref()), text_of(t.muted_members.as_ref()), text_of(r.muted_members.as_ref())],
    );
    same("ends of mutes", [text_of(a.muted.as_ref()), text_of(t.muted.as_ref()), None]);
    same(
        "muted",
        [text_of(a.muted_people.as_ref()), text_of(t.muted_people.as_ref()), text_of(r.muted_people.as_ref())],
    );
    same("mute of all", [text_of(a.all_muted.as_ref()), text_of(t.all_muted.as_ref()), text_of(r.all_muted.as_ref())]);
    same("allowlist", [text_of(a.allowed.as_ref()), None, text_of(r.allowed.as_ref())]);
    same("blocklist", [text_of(a.blocked.as_ref()), text_of(t.blocked.as_ref()), None]);
    same("messages", [None, text_of(t.messages.as_ref()), text_of(r.messages.as_ref())]);
    if let (Some(encoded), Some(texts)) = (&a.encoded, &t.messages) {
        wrong.extend(histories::difference(id, encoded, texts));
    }
    for (vendor, said) in [("Agora", a), ("Tencent", t), ("RongCloud", r)] {
        if said.most.is_some_and(|most| said.count.is_some_and(|count| count > most)) {
            wrong.push(format!("{vendor} counts more members of {id} than may be in it: {said:?}"));
        }
        let listed = said.people.as_ref().map(|people| people.len() as u64);
        if said.count.is_some() && listed.is_some() && said.count != listed {
            wrong.push(format!("{vendor} counts {:?} members of {id} and lists {listed:?}", said.count));
        }
    }
}

fn text_of<T: Debug>(said: Option<&T>) -> Option<String> {
    said.map(|said| format!("{said:?}"))
}

fn ids(rows: &Value, key: &str) -> Vec<String> {
    rows.as_array().into_iter().flatten().map(|row| text(&row[key])).collect()
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn folded(texts: impl IntoIterator<Item = String>) -> Vec<String> {
    texts.into_iter().map(|text| text.to_lowercase()).collect()
}

fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts
}

async fn accounts(house: &Three, users: &[&str]) -> BTreeSet<String> {
    let items: Vec<Value> = users.iter().map(|user| json!({"UserID": user})).collect();
    let body = json!({"CheckItem": items});
    let answer = house.tencent.call("im_open_login_svc/account_check", &body).await.expect("accounts");
    let rows = answer["ResultItem"].as_array().expect("rows").iter();
    rows.filter(|row| row["AccountStatus"] == "Imported").map(|row| text(&row["UserID"])).collect()
}

/// A group through all three; whether it is there must be the same for all.
async fn read(house: &Three, id: &str, wrong: &mut Vec<String>) -> Option<Group> {
    let body = json!({"GroupIdList": [id]});
    let info = house.tencent.answer("get_group_info", &body).await["GroupInfo"][0].clone();
    let detail = house.agora.call(Method::GET, &format!("/chatgroups/{}", in_path(id)), None).await;
    let mute = house.rong.answer("group/user/gag/list", &format!("groupId={id}")).await;
    let there = [detail.is_ok(), info["ErrorCode"] == 0, mute["code"] == 200];
    if there != [there[0]; 3] {
        wrong.push(format!("whether {id} is there: Agora {}, Tencent {}, RongCloud {}", there[0], there[1], there[2]));
    }
    let detail = detail.ok()?["data"][0].clone();
    if there != [true; 3] {
        return None;
    }
    let is_live = info["Type"] == LIVE;
    let rows: Vec<Value> = if is_live {
        live_members(house, id, &info).await
    } else {
        info["MemberList"].as_array().cloned().unwrap_or_default()
    };
    let exact: BTreeMap<String, (bool, u64)> = rows
        .iter()
        .map(|row| {
            let manages = row["Role"] == "Owner" || row["Role"] == "Admin";
            (text(&row["Member_Account"]), (manages, row["MuteUntil"].as_u64().unwrap_or_default()))
        })
        .collect();
    let white = house.rong.answer("group/user/ban/whitelist/query", &format!("groupId={id}")).await;
    let white: BTreeSet<String> = white["userIds"].as_array().into_iter().flatten().map(text).collect();
    let allowed: BTreeSet<String> =
        white.into_iter().filter(|user| exact.get(user).is_some_and(|(manages, _)| !manages)).collect();
    let (mut rong, legacy) = rong(house, id, &mute, &exact, &allowed).await;
    rong.messages = Some(histories::rong(house, id).await);
    Some(Group {
        agora: of_kind(is_live, agora(house, id, &detail, &exact).await),
        tencent: of_kind(is_live, tencent(house, id, &info, &rows).await),
        rong: of_kind(is_live, rong),
        kind: text(&info["Type"]),
        created: info["CreateTime"].as_u64().unwrap_or_default(),
        info_number: info["InfoSeq"].as_u64().unwrap_or_default(),
        next_number: info["NextMsgSeq"].as_u64().unwrap_or_default(),
        legacy,
        exact,
        allowed,
        all_muted: info["MuteAllMember"] == "On",
    })
}

/// Live rooms have no history and no maximum of members, for which Tencent returns 0.
fn of_kind(is_live: bool, said: Said) -> Said {
    if is_live { Said { messages: None, encoded: None, most: None, ..said } } else { said }
}

/// The members of a live room, put together from what RongCloud lists, and what Agora and Tencent say of them.
async fn live_members(house: &Three, id: &str, info: &Value) -> Vec<Value> {
    let listed = house.rong.answer("group/user/query", &format!("groupId={id}")).await;
    let admins = house.agora.call(Method::GET, &format!("/chatgroups/{}/admin", in_path(id)), None).await;
    let admins: Vec<String> = admins.map_or(Vec::new(), |answer| ids_of(&answer["data"]));
    let muted = house.tencent.answer("get_group_muted_account", &json!({"GroupId": id})).await;
    let of = |user: &String| {
        let end =
            muted["MutedAccountList"].as_array().into_iter().flatten().find(|row| row["Member_Account"] == **user);
        let role = match () {
            () if info["Owner_Account"] == **user => "Owner",
            () if admins.contains(&user.to_lowercase()) => "Admin",
            () => "Member",
        };
        json!({"Member_Account": user, "Role": role, "MuteUntil": end.map_or(json!(0), |row| row["MutedUntil"].clone())})
    };
    ids(&listed["users"], "id").iter().map(of).collect()
}

fn ids_of(rows: &Value) -> Vec<String> {
    rows.as_array().into_iter().flatten().map(text).collect()
}

/// Tencent's and Agora's numbers for "without end".
const FOREVER: (u64, u64) = (4_294_967_295, 4_638_873_600_000);

async fn agora(house: &Three, id: &str, detail: &Value, exact: &BTreeMap<String, (bool, u64)>) -> Said {
    let get = async |path: &str| -> Value {
        let answer = house.agora.call(Method::GET, &format!("/chatgroups/{}{path}", in_path(id)), None).await;
        answer.unwrap_or_else(|refused| panic!("{path}: {refused:?}"))["data"].clone()
    };
    let rows = detail["affiliations"].as_array().cloned().unwrap_or_default();
    let mut members: Vec<String> = rows.iter().map(|row| text(row.get("owner").unwrap_or(&row["member"]))).collect();
    members.reverse();
    let admins = sorted(get("/admin").await.as_array().into_iter().flatten().map(text).collect());
    let owner = text(&detail["owner"]);
    let mutes = get("/mute").await;
    let muted: Vec<(String, u64)> = mutes
        .as_array()
        .into_iter()
        .flatten()
        .map(|row| {
            let end = row["expire"].as_u64().unwrap_or_default();
            (text(&row["user"]), if end == FOREVER.1 { FOREVER.0 } else { end / 1000 })
        })
        .collect();
    let muted_people = sorted(muted.iter().map(|(user, _)| user.clone()).collect());
    let is_member = |user: &String| members.contains(user);
    let white = get("/white/users").await;
    let is_manager = |user: &String| *user == owner || admins.contains(user);
    let allowed = white.as_array().into_iter().flatten().map(text).filter(|user| !is_manager(user)).collect();
    let queue = json!({"queue": format!("{id}@conference.easemob.com"), "start": "-1", "pull_number": 50});
    let roaming = house.agora.call(Method::POST, "/users/ann/messageroaming", Some(queue)).await;
    let roaming = roaming.unwrap_or_else(|refused| panic!("roaming: {refused:?}"))["data"]["msgs"].clone();
    let public = detail["public"] == true;
    // two members that are shown by the same id cannot be distinguished here
    let twice = exact.keys().map(|user| user.to_lowercase()).collect::<BTreeSet<_>>().len() < exact.len();
    let muted_members = sorted(muted_people.iter().filter(|user| is_member(user)).cloned().collect());
    // nor whether it is the member who is muted, or another user who is shown by the same id
    let unclear = twice || muted_people.iter().any(|user| user == "eve");
    Said {
        name: Some(text(&detail["name"])),
        announcement: Some(text(&get("/announcement").await["announcement"])),
        admins: Some(admins.clone()),
        count: detail["affiliations_count"].as_u64(),
        joining: Some((public, public && detail["membersonly"] == true)),
        muted_members: Some(muted_members).filter(|_| !unclear),
        muted: Some({
            let mut muted = muted;
            muted.sort();
            muted
        }),
        muted_people: Some(muted_people),
        all_muted: detail["mute"].as_bool(),
        allowed: Some(sorted(allowed)).filter(|_| !twice),
        blocked: Some(sorted(get("/blocks/users").await.as_array().into_iter().flatten().map(text).collect())),
        messages: None,
        encoded: roaming.as_array().map(|rows| histories::agora(rows)),
        most: detail["maxusers"].as_u64(),
        people: Some(sorted(members.clone())),
        members: Some(members.clone()),
        owner: Some(owner.clone()),
    }
}

async fn tencent(house: &Three, id: &str, info: &Value, rows: &[Value]) -> Said {
    let of_role = |role: &str| -> Vec<String> {
        let rows = rows.iter().filter(|row| row["Role"] == role);
        sorted(folded(rows.map(|row| text(&row["Member_Account"]))))
    };
    let members = folded(rows.iter().map(|row| text(&row["Member_Account"])));
    let muted_rows = rows.iter().filter(|row| row["MuteUntil"].as_u64() > Some(0));
    let muted_members = sorted(folded(muted_rows.map(|row| text(&row["Member_Account"]))));
    let answer = house.tencent.answer("get_group_muted_account", &json!({"GroupId": id})).await;
    let muted = (answer["ErrorCode"] == 0).then(|| {
        let rows = answer["MutedAccountList"].as_array().into_iter().flatten();
        let mut muted: Vec<(String, u64)> = rows
            .map(|row| (text(&row["Member_Account"]).to_lowercase(), row["MutedUntil"].as_u64().unwrap_or_default()))
            .collect();
        muted.sort();
        muted
    });
    let bans = house.tencent.answer("get_group_ban_member", &json!({"GroupId": id, "Limit": 100})).await;
    let blocked = (bans["ErrorCode"] == 0).then(|| sorted(folded(ids(&bans["BannedAccountList"], "Member_Account"))));
    let option = text(&info["ApplyJoinOption"]);
    Said {
        name: Some(text(&info["Name"])),
        announcement: Some(text(&info["Notification"])),
        owner: Some(text(&info["Owner_Account"]).to_lowercase()),
        admins: Some(of_role("Admin")),
        people: Some(sorted(members.clone())),
        members: Some(members),
        count: info["MemberNum"].as_u64(),
        joining: Some((option != "DisableApply", option == "NeedPermission")),
        muted_members: Some(muted_members),
        muted_people: muted.as_ref().map(|muted| muted.iter().map(|(user, _)| user.clone()).collect()),
        muted,
        all_muted: Some(info["MuteAllMember"] == "On"),
        allowed: None,
        blocked,
        messages: if info["Type"] == LIVE { None } else { Some(histories::tencent(house, id).await) },
        encoded: None,
        most: info["MaxMemberNum"].as_u64(),
    }
}

/// The group as RongCloud shows it, and whether RongCloud does not host it.
async fn rong(
    house: &Three,
    id: &str,
    mutes: &Value,
    exact: &BTreeMap<String, (bool, u64)>,
    allowed: &BTreeSet<String>,
) -> (Said, bool) {
    let everywhere = house.rong.answer("group/user/gag/list", "").await;
    let everywhere = ids(&everywhere["users"], "userId").into_iter().filter(|user| exact.contains_key(user));
    let muted: BTreeSet<String> = ids(&mutes["users"], "userId").into_iter().chain(everywhere).collect();
    let muted_members = muted.iter().filter(|user| exact.contains_key(*user)).cloned();
    let ban = house.rong.answer("group/ban/query", &format!("groupId={id}")).await;
    let listed = house.rong.answer("group/user/query", &format!("groupId={id}")).await;
    let twice = exact.keys().map(|user| user.to_lowercase()).collect::<BTreeSet<_>>().len() < exact.len();
    let mut said = Said {
        people: Some(sorted(folded(ids(&listed["users"], "id")))),
        muted_members: Some(sorted(folded(muted_members))).filter(|_| !twice),
        muted_people: Some(sorted(folded(muted))),
        all_muted: Some(ban["groupinfo"][0]["stat"] == 1),
        allowed: Some(sorted(folded(allowed.iter().cloned()))).filter(|_| !twice),
        ..Said::default()
    };
    let profiles = house.rong.answer("entrust/group/profile/query", &format!("groupIds={id}")).await;
    let Some(profile) = profiles["profiles"].as_array().and_then(|profiles| profiles.first()) else {
        return (said, true);
    };
    let inner =
        |key: &str| -> Value { serde_json::from_str(profile[key].as_str().unwrap_or("{}")).expect("json in a string") };
    said.name = Some(text(&profile["groupName"]));
    said.announcement = Some(text(&inner("groupProfile")["announcement"]));
    said.owner = Some(text(&profile["owner"]).to_lowercase());
    said.count = profile["memberCount"].as_u64();
    let join = inner("permissions")["joinPerm"].as_u64();
    said.joining = join.map(|join| (join != 3, join == 0 || join == 2));
    let page = house.rong.answer("entrust/group/member/query", &format!("groupId={id}&size=100")).await;
    let rows = page["members"].as_array().cloned().unwrap_or_default();
    let mut members = folded(rows.iter().map(|row| text(&row["userId"])));
    members.reverse();
    said.members = Some(members);
    let managers = rows.iter().filter(|row| row["role"] == 2);
    said.admins = Some(sorted(folded(managers.map(|row| text(&row["userId"])))));
    (said, false)
}

/// A group's id as part of a path.
pub fn in_path(id: &str) -> String {
    id.replace('#', "%23")
}
