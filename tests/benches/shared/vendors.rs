//! The requests to each vendor's server API.

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use conclave_tests::sign::{rong_signature, user_sig};
use http::Method;
use serde_json::{Value, json};

use super::load::{self, Shot};
use super::process::Server;

/// A kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Read one group of ten with its members.
    Detail,
    /// Read a page of ten members.
    Members,
    /// Create a group.
    Create,
    /// Add one member.
    Add,
    /// Send a text message to a group, as its owner.
    Send,
}

impl Work {
    pub const ALL: [Self; 5] = [Self::Detail, Self::Members, Self::Create, Self::Add, Self::Send];

    /// What kind of work it is, for medians.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Detail | Self::Members => "read",
            Self::Create | Self::Add => "write",
            Self::Send => "message",
        }
    }
}

/// A vendor's server API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vendor {
    Agora,
    Tencent,
    Rong,
}

const USERS: u64 = 1000;
const GROUPS: u64 = 300;

/// A prepared realm: credentials, users, and groups to work on.
pub struct World {
    vendor: Vendor,
    caller: Caller,
    /// A group of ten.
    ten: String,
    /// Groups to add to.
    roomy: Vec<String>,
    counter: Cell<u64>,
}

/// Has addresses and credentials, and builds requests.
#[derive(Clone)]
struct Caller {
    headers: Rc<Vec<(String, String)>>,
    root: String,
    query: String,
}

fn now_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn path_of(url: &str) -> String {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    after_scheme.find('/').map_or_else(String::new, |slash| after_scheme[slash..].trim_end_matches('/').to_owned())
}

impl Caller {
    async fn new(vendor: Vendor, server: &Server) -> Self {
        let env = server.env();
        match vendor {
            Vendor::Agora => Self::agora(server, &env).await,
            Vendor::Tencent => Self::tencent(&env),
            Vendor::Rong => Self::rong(&env),
        }
    }

    async fn agora(server: &Server, env: &HashMap<String, String>) -> Self {
        let root = format!("{}/{}", path_of(&env["AGORA_API_URL"]), env["AGORA_APPKEY"].replace('#', "/"));
        let json_headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        let body = json!({
            "grant_type": "client_credentials", "client_id": env["AGORA_CLIENT_ID"],
            "client_secret": env["AGORA_CLIENT_SECRET"],
        });
        let shot = Shot {
            method: Method::POST,
            path: format!("{root}/token"),
            headers: Rc::new(json_headers.clone()),
            body: Bytes::from(body.to_string()),
        };
        let answer: Value = serde_json::from_slice(&load::once(server.address, &shot).await).unwrap();
        let bearer = format!("Bearer {}", answer["access_token"].as_str().unwrap());
        let mut headers = json_headers;
        headers.push(("authorization".to_owned(), bearer));
        Self { headers: Rc::new(headers), root, query: String::new() }
    }

    fn tencent(env: &HashMap<String, String>) -> Self {
        let sdkappid: u32 = env["TENCENT_SDKAPPID"].parse().unwrap();
        let admin = &env["TENCENT_ADMIN"];
        let sig = user_sig(sdkappid, &env["TENCENT_SECRET_KEY"], admin, now_seconds(), 86_400);
        let query = format!("?sdkappid={sdkappid}&identifier={admin}&usersig={sig}&random=99999999&contenttype=json");
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Self { headers: Rc::new(headers), root: format!("{}/v4", path_of(&env["TENCENT_API_URL"])), query }
    }

    fn rong(env: &HashMap<String, String>) -> Self {
        let (nonce, timestamp) = ("14314", (now_seconds() * 1000).to_string());
        let headers = [
            ("app-key", env["RONG_APPKEY"].clone()),
            ("nonce", nonce.to_owned()),
            ("timestamp", timestamp.clone()),
            ("signature", rong_signature(&env["RONG_APPSECRET"], nonce, &timestamp)),
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
        ];
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { headers: Rc::new(headers), root: path_of(&env["RONG_API"]), query: String::new() }
    }

    fn shot(&self, method: Method, path: &str, body: impl Into<Bytes>) -> Shot {
        let path = format!("{}{path}{}", self.root, self.query);
        Shot { method, path, headers: self.headers.clone(), body: body.into() }
    }

    fn group_command(&self, command: &str, body: &Value) -> Shot {
        self.shot(Method::POST, &format!("/group_open_http_svc/{command}"), body.to_string())
    }
}

fn names(range: std::ops::Range<u64>) -> Vec<String> {
    range.map(|index| format!("u{index}")).collect()
}

impl Vendor {
    pub fn all() -> [Self; 3] {
        [Self::Agora, Self::Tencent, Self::Rong]
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Agora => "agora",
            Self::Tencent => "tencent",
            Self::Rong => "rong",
        }
    }

    /// Accounts, a group of ten, and groups to add to.
    pub async fn prepare(self, server: &Server) -> World {
        register(server).await;
        let caller = Caller::new(self, server).await;
        let mut made = Vec::new();
        for index in 0..=GROUPS {
            let members = if index == 0 { 1..10 } else { 0..0 };
            let id = format!("{}{index}x{}", self.name(), now_seconds());
            let shot = create(self, &caller, &id, names(members));
            let answer: Value = serde_json::from_slice(&load::once(server.address, &shot).await).unwrap();
            made.push(match self {
                Self::Agora => answer["data"]["groupid"].as_str().unwrap().to_owned(),
                Self::Tencent => answer["GroupId"].as_str().unwrap().to_owned(),
                Self::Rong => id,
            });
        }
        let ten = made.remove(0);
        World { vendor: self, caller, ten, roomy: made, counter: Cell::new(0) }
    }
}

/// Accounts are the same for all vendors; one of them imports them a hundred at a time.
async fn register(server: &Server) {
    let caller = Caller::new(Vendor::Tencent, server).await;
    let mut shots = Vec::new();
    for start in (0..USERS).step_by(100) {
        let body = json!({"Accounts": names(start..start + 100)});
        shots.push(caller.shot(Method::POST, "/im_open_login_svc/multiaccount_import", body.to_string()));
    }
    load::all(server.address, shots).await;
}

fn create(vendor: Vendor, caller: &Caller, id: &str, members: Vec<String>) -> Shot {
    match vendor {
        Vendor::Agora => {
            let body = json!({
                "groupname": "bench", "description": "a group", "public": true, "maxusers": 2000, "owner": "u0",
                "members": members,
            });
            caller.shot(Method::POST, "/chatgroups", body.to_string())
        }
        Vendor::Tencent => {
            let members: Vec<Value> = members.iter().map(|user| json!({"Member_Account": user})).collect();
            let body = json!({"Type": "Public", "Name": "bench", "Owner_Account": "u0", "MemberList": members});
            caller.group_command("create_group", &body)
        }
        Vendor::Rong => {
            let members: String = members.iter().map(|user| format!("&userIds={user}")).collect();
            let body = format!("groupId={id}&name=bench&owner=u0{members}");
            caller.shot(Method::POST, "/entrust/group/create.json", body)
        }
    }
}

impl World {
    /// The next request of this kind. A write never repeats an earlier one.
    pub fn shot(&self, work: Work, _worker: usize, _turn: u64) -> Shot {
        let turn = match work {
            Work::Create | Work::Add | Work::Send => self.counter.replace(self.counter.get() + 1),
            Work::Detail | Work::Members => 0,
        };
        match work {
            Work::Create => {
                let id = format!("{}c{turn}x{}", self.vendor.name(), self.ten);
                create(self.vendor, &self.caller, &id, Vec::new())
            }
            Work::Add => {
                // each to another group: this measures adding, not contention in one group
                let group = usize::try_from(turn % GROUPS).unwrap();
                let user = format!("u{}", 1 + turn / GROUPS % (USERS - 1));
                add(self.vendor, &self.caller, &self.roomy[group], &user)
            }
            Work::Send => self.send(turn),
            Work::Detail => self.detail(),
            Work::Members => self.members(),
        }
    }

    fn send(&self, turn: u64) -> Shot {
        let group = &self.roomy[usize::try_from(turn % GROUPS).unwrap()];
        match self.vendor {
            Vendor::Agora => {
                let body = json!({"from": "u0", "to": [group], "type": "txt", "body": {"msg": "hello"}});
                self.caller.shot(Method::POST, "/messages/chatgroups", body.to_string())
            }
            Vendor::Tencent => {
                let content = json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": "hello"}}]);
                let body = json!({"GroupId": group, "From_Account": "u0", "Random": turn, "MsgBody": content});
                self.caller.group_command("send_group_msg", &body)
            }
            Vendor::Rong => {
                let content = "%7B%22content%22%3A%22hello%22%7D";
                let body = format!("fromUserId=u0&toGroupId={group}&objectName=RC%3ATxtMsg&content={content}");
                self.caller.shot(Method::POST, "/message/group/publish.json", body)
            }
        }
    }

    fn detail(&self) -> Shot {
        let group = &self.ten;
        match self.vendor {
            Vendor::Agora => self.caller.shot(Method::GET, &format!("/chatgroups/{group}"), ""),
            Vendor::Tencent => self.caller.group_command("get_group_info", &json!({"GroupIdList": [group]})),
            Vendor::Rong => {
                self.caller.shot(Method::POST, "/entrust/group/profile/query.json", format!("groupIds={group}"))
            }
        }
    }

    fn members(&self) -> Shot {
        let group = &self.ten;
        match self.vendor {
            Vendor::Agora => {
                let path = format!("/chatgroups/{group}/users?pagenum=1&pagesize=10");
                self.caller.shot(Method::GET, &path, "")
            }
            Vendor::Tencent => {
                let body = json!({"GroupId": group, "Limit": 10, "Offset": 0});
                self.caller.group_command("get_group_member_info", &body)
            }
            Vendor::Rong => {
                let body = format!("groupId={group}&size=10");
                self.caller.shot(Method::POST, "/entrust/group/member/query.json", body)
            }
        }
    }
}

fn add(vendor: Vendor, caller: &Caller, group: &str, user: &str) -> Shot {
    match vendor {
        Vendor::Agora => caller.shot(Method::POST, &format!("/chatgroups/{group}/users/{user}"), ""),
        Vendor::Tencent => {
            let body = json!({"GroupId": group, "MemberList": [{"Member_Account": user}], "Silence": 1});
            caller.group_command("add_group_member", &body)
        }
        Vendor::Rong => {
            caller.shot(Method::POST, "/entrust/group/join.json", format!("groupId={group}&userIds={user}"))
        }
    }
}

/// 10,000 groups of 100 members out of 1,000 users.
pub async fn ten_thousand_groups(server: &Server) {
    register(server).await;
    let caller = Caller::new(Vendor::Rong, server).await;
    let shots = (0..10_000_u64)
        .map(|index| {
            let members: String = (0..100).map(|seat| format!("&userId=u{}", (index * 7 + seat * 3) % USERS)).collect();
            let body = format!("groupId=many{index}&groupName=group {index}{members}");
            caller.shot(Method::POST, "/group/create.json", body)
        })
        .collect();
    load::all(server.address, shots).await;
}

/// RongCloud's clients, and the server API calls they need.
pub struct Clients {
    caller: Caller,
    app_key: String,
}

impl Clients {
    /// Reads the server's credentials.
    pub async fn new(server: &Server) -> Self {
        let app_key = server.env()["RONG_APPKEY"].clone();
        Self { caller: Caller::new(Vendor::Rong, server).await, app_key }
    }

    /// The connection paths of so many users, each with a token of their own.
    pub async fn paths(&self, server: &Server, prefix: &str, count: usize) -> Vec<String> {
        let shots = (0..count).map(|index| {
            self.caller.shot(Method::POST, "/user/getToken.json", format!("userId={prefix}{index}&name={prefix}"))
        });
        let path = |(index, answer): (usize, Bytes)| {
            let answer: Value = serde_json::from_slice(&answer).unwrap();
            let token = percent_encoding::utf8_percent_encode(
                answer["token"].as_str().unwrap(),
                percent_encoding::NON_ALPHANUMERIC,
            );
            let (root, app) = (&self.caller.root, &self.app_key);
            format!("{root}/websocket?appId={app}&token={token}&protocolVer=3&deviceId={prefix}{index}")
        };
        load::each(server.address, shots).await.into_iter().enumerate().map(path).collect()
    }

    /// A group of so many of these users.
    pub async fn group(&self, server: &Server, group: &str, prefix: &str, size: usize) {
        let members = |range: std::ops::Range<usize>| -> String {
            range.map(|index| format!("&userId={prefix}{index}")).collect()
        };
        let mut shots = Vec::new();
        for start in (0..size).step_by(100) {
            let call = if start == 0 { "create" } else { "join" };
            let body = format!("groupId={group}&groupName={group}{}", members(start..size.min(start + 100)));
            shots.push(self.caller.shot(Method::POST, &format!("/group/{call}.json"), body));
        }
        load::each(server.address, shots).await;
    }

    /// A user sends a message to a group.
    pub async fn say(&self, server: &Server, group: &str, user: &str) {
        self.say_words(server, group, user, "hello").await;
    }

    /// The same with this text, of letters.
    pub async fn say_words(&self, server: &Server, group: &str, user: &str, words: &str) {
        let group = percent_encoding::utf8_percent_encode(group, percent_encoding::NON_ALPHANUMERIC);
        let content = format!("%7B%22content%22%3A%22{words}%22%7D");
        let body =
            format!("fromUserId={user}&toGroupId={group}&objectName=RC%3ATxtMsg&content={content}&isIncludeSender=1");
        load::once(server.address, &self.caller.shot(Method::POST, "/message/group/publish.json", body)).await;
    }
}

/// A community of users `m0`, `m1` and so on.
pub async fn community(server: &Server, prefix: &'static str, size: u64) -> String {
    Growing::make(server, prefix, 1, size).await.groups.remove(0)
}

/// Communities that members are added to one by one, in turn.
pub struct Growing {
    caller: Caller,
    groups: Vec<String>,
    prefix: &'static str,
    counter: Cell<usize>,
}

impl Growing {
    /// So many communities of this size.
    async fn make(server: &Server, prefix: &'static str, count: usize, size: u64) -> Self {
        let caller = Caller::new(Vendor::Tencent, server).await;
        let groups: Vec<String> = (0..count).map(|index| format!("@TGS#_{prefix}{index}")).collect();
        for group in &groups {
            let body = json!({"Type": "Community", "Name": prefix, "GroupId": group});
            load::once(server.address, &caller.group_command("create_group", &body)).await;
            let mut shots = Vec::new();
            for start in (0..size).step_by(100) {
                let list: Vec<Value> = (start..size.min(start + 100))
                    .map(|index| json!({"Member_Account": format!("m{index}")}))
                    .collect();
                let body = json!({"GroupId": group, "MemberList": list, "Silence": 1});
                shots.push(caller.group_command("add_group_member", &body));
            }
            load::all(server.address, shots).await;
        }
        Self { caller, groups, prefix, counter: Cell::new(0) }
    }

    /// Adds a new user.
    pub fn add(&self, _turn: u64) -> Shot {
        let turn = self.counter.replace(self.counter.get() + 1);
        let group = &self.groups[turn % self.groups.len()];
        add(Vendor::Tencent, &self.caller, group, &format!("{}{turn}", self.prefix))
    }
}

/// Communities of ten, and one of 100,000. New members get their accounts when they are added.
pub async fn small_and_big(server: &Server) -> (Growing, Growing) {
    (Growing::make(server, "small", 500, 10).await, Growing::make(server, "large", 1, 100_000).await)
}

/// Users who sign in with Agora's client protocol.
pub struct AgoraClients {
    caller: Caller,
    app_key: String,
    socket: String,
}

impl AgoraClients {
    /// Reads the server's credentials.
    pub async fn new(server: &Server) -> Self {
        let env = server.env();
        let (app_key, socket) = (env["AGORA_APPKEY"].clone(), path_of(&env["AGORA_WS_URL"]));
        Self { caller: Caller::new(Vendor::Agora, server).await, app_key, socket }
    }

    /// Where they connect.
    pub fn path(&self) -> String {
        self.socket.clone()
    }

    /// The frames by which each of so many users signs in and asks what is unread.
    pub async fn frames(&self, server: &Server, prefix: &str, count: usize) -> Vec<Vec<Bytes>> {
        let shots = (0..count).map(|index| {
            let body = json!({"grant_type": "inherit", "username": format!("{prefix}{index}"), "autoCreateUser": true});
            self.caller.shot(Method::POST, "/token", body.to_string())
        });
        let frames = |(index, answer): (usize, Bytes)| {
            let answer: Value = serde_json::from_slice(&answer).unwrap();
            let token = answer["access_token"].as_str().unwrap();
            vec![provision(&self.app_key, &format!("{prefix}{index}"), token), Bytes::from_static(UNREAD)]
        };
        load::each(server.address, shots).await.into_iter().enumerate().map(frames).collect()
    }
}

/// The frame UNREAD: version 0, command 1, encryption 0.
const UNREAD: &[u8] = &[0x08, 0, 0x40, 1, 0x58, 0];

/// The frame PROVISION of a user on a device of the same name.
fn provision(app_key: &str, user: &str, token: &str) -> Bytes {
    let guid = [text(1, app_key), text(2, user), text(3, "easemob.com"), text(4, user)].concat();
    let payload = [vec![0x08, 16], text(13, user), text(17, "v5.1")].concat();
    let auth = text(3, &format!("$t${token}"));
    [vec![0x08, 0], field(2, &guid), auth, vec![0x40, 3], field(9, &payload), vec![0x58, 0]].concat().into()
}

/// A field of bytes in a protobuf message.
fn field(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() + 4);
    for mut number in [u64::from(tag) << 3 | 2, content.len() as u64] {
        while number > 0x7f {
            out.push(u8::try_from(number & 0x7f).unwrap() | 0x80);
            number >>= 7;
        }
        out.push(u8::try_from(number).unwrap());
    }
    out.extend_from_slice(content);
    out
}

fn text(tag: u8, content: &str) -> Vec<u8> {
    field(tag, content.as_bytes())
}
