//! Calls of the vendors' server APIs, as data.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use conclave::Running;
use conclave_tests::client::Client;
use conclave_tests::fixture::root;
use conclave_tests::sign::user_sig;
use conclave_tests::story::{AgoraApi, Refused, RongApi, TencentApi};
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::WRITTEN;

/// `fixtures/data/calls.json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calls {
    #[allow(dead_code, reason = "for readers of the file")]
    about: String,
    /// The calls that write a folder.
    pub write: Vec<Call>,
    /// The calls that read it.
    pub read: Vec<Call>,
    /// The calls that finish what was begun in it.
    pub after: Vec<Call>,
}

/// One call of one vendor's server API.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    by: String,
    #[serde(rename = "call")]
    what: String,
    /// The user whose client calls, at Agora; the app's server when missing.
    #[serde(rename = "as")]
    user: Option<String>,
    #[serde(default)]
    send: Value,
    /// The values of the response that later calls use: names, and their paths.
    #[serde(default)]
    keep: BTreeMap<String, String>,
}

/// Values of responses that later calls use, by `$name`.
pub type Kept = BTreeMap<String, String>;

impl Calls {
    pub fn load() -> Self {
        let text = std::fs::read(root().join("data/calls.json")).unwrap();
        serde_json::from_slice(&text).unwrap()
    }
}

/// The development realm's servers at the three vendors.
pub struct Apps {
    agora: AgoraApi,
    files: Client,
    tencent: TencentApi,
    rong: RongApi,
}

const ORG: &str = "conclave";
const APP: &str = "dev";
const CLIENT_ID: &str = "YXA6Y29uY2xhdmUtZGV2";
const CLIENT_SECRET: &str = "YXA6Y29uY2xhdmUtZGV2LWtub3duLXRvLWFsbA";
const SDKAPPID: u32 = 1_400_000_000;
const SECRET_KEY: &str = "636f6e636c6176652d6465762d6b65792d6b6e6f776e2d746f2d616c6c2d3332";

impl Apps {
    pub async fn of(running: &Running) -> Self {
        let at = |path| Client::at(running.addresses.shared, path);
        let sig = user_sig(SDKAPPID, SECRET_KEY, "administrator", WRITTEN.seconds(), 86_400);
        Self {
            agora: AgoraApi::new(at("/agora"), ORG, APP, CLIENT_ID, CLIENT_SECRET).await,
            files: at("/agora"),
            tencent: TencentApi::new(at("/tencent"), SDKAPPID, "administrator", &sig),
            rong: RongApi::new(at("/rong"), "conclavedev00", "conclavedevs0"),
        }
    }

    /// Each call must succeed.
    pub async fn write(&self, calls: &[Call], kept: &mut Kept) {
        for call in calls {
            let answer = self.make(call, kept).await;
            let answer = answer.unwrap_or_else(|Refused(why)| panic!("{}: {why}", call.what));
            for (name, pointer) in &call.keep {
                let found = answer.pointer(pointer).unwrap_or_else(|| panic!("{pointer} is not in {answer:#}"));
                kept.insert(format!("${name}"), found.as_str().unwrap().to_owned());
            }
        }
    }

    /// The response to each call, as text; ids that differ between folders are replaced by their names.
    pub async fn read(&self, calls: &[Call], kept: &mut Kept) -> String {
        let mut text = String::new();
        for call in calls {
            let mut answer = self.make(call, kept).await.unwrap_or_else(|Refused(why)| panic!("{}: {why}", call.what));
            redact(&mut answer);
            let mut answer = format!("{answer:#}");
            for (name, value) in &*kept {
                answer = answer.replace(value, name);
            }
            writeln!(text, "# {} {} {}\n{answer}\n", call.by, call.what, call.send).unwrap();
        }
        text
    }

    async fn make(&self, call: &Call, kept: &Kept) -> Result<Value, Refused> {
        let fill = |text: &str| kept.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value));
        let send: Value = serde_json::from_str(&fill(&call.send.to_string())).unwrap();
        match call.by.as_str() {
            "agora" if call.what == "upload" => Ok(self.upload(&send).await),
            "agora" => {
                let path = fill(&call.what);
                let (method, path) = path.split_once(' ').unwrap();
                if path.contains("/share_files/") || path.ends_with("/file") {
                    return Ok(self.download(path).await);
                }
                let (method, body) = (method.parse().unwrap(), (!send.is_null()).then_some(send));
                match &call.user {
                    Some(user) => self.agora.call_as(user, method, path, body).await,
                    None => self.agora.call(method, path, body).await,
                }
            }
            "tencent" => self.tencent.call(&call.what, &send).await,
            "rong" => {
                let fields = fields(&send);
                let fields: Vec<_> = fields.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
                self.rong.call(&call.what, &fields).await
            }
            other => panic!("no vendor is called {other}"),
        }
    }

    async fn token(&self) -> String {
        let body = json!({"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET});
        let headers = [("content-type", "application/json")];
        let answer = self.files.send(Method::POST, &format!("/{ORG}/{APP}/token"), &headers, body.to_string()).await;
        format!("Bearer {}", answer.json()["access_token"].as_str().unwrap())
    }

    async fn upload(&self, send: &Value) -> Value {
        let text = |name: &str| send[name].as_str().unwrap();
        let body = format!(
            "--part\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{}\"\r\ncontent-type: text/plain\r\n\r\n{}\r\n--part--\r\n",
            text("name"),
            text("text"),
        );
        let token = self.token().await;
        let headers = [("authorization", token.as_str()), ("content-type", "multipart/form-data; boundary=part")];
        let target = format!("/{ORG}/{APP}/chatgroups/{}/share_files", text("group"));
        let answer = self.files.send(Method::POST, &target, &headers, body).await;
        assert_eq!(answer.status, 200, "{}", answer.json());
        answer.json()
    }

    async fn download(&self, path: &str) -> Value {
        let token = self.token().await;
        let target = format!("/{ORG}/{APP}{path}");
        let answer = self.files.send(Method::GET, &target, &[("authorization", &token)], "").await;
        json!({"status": answer.status.as_u16(), "body": String::from_utf8_lossy(&answer.body)})
    }
}

/// The fields of a form; a list repeats its key.
fn fields(send: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let Value::Object(members) = send else { return Vec::new() };
    let pairs = |(key, value): (&String, &Value)| match value {
        Value::Array(items) => items.iter().map(|item| (key.clone(), text(item))).collect(),
        value => vec![(key.clone(), text(value))],
    };
    members.iter().flat_map(pairs).collect()
}

/// Replaces volatile values.
fn redact(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(redact),
        Value::Object(members) => {
            for (name, member) in members {
                match name.as_str() {
                    "duration" | "uri" | "RequestId" => *member = json!(format!("[{name}]")),
                    _ => redact(member),
                }
            }
        }
        _ => {}
    }
}
