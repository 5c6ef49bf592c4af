//! A gateway with the control API, and realms that are created in it.

use std::time::Duration;

use bytes::Bytes;
use conclave::config::{Admin, Data};
use conclave::{Config, Gateway, Running};
use conclave_tests::client::{Answer, Client};
use conclave_tests::sign::{rong_signature, user_sig};
use futures_util::StreamExt as _;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// How long a test waits for something that is to happen.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A development gateway in memory with the control API, changed as a test wants.
pub async fn gateway(change: impl FnOnce(&mut Config)) -> Running {
    let mut config = Config::development().unwrap();
    config.control = Admin::At("127.0.0.1:0".parse().unwrap());
    change(&mut config);
    Gateway::start(config).await.unwrap()
}

/// The same over a folder.
pub async fn gateway_over(folder: &std::path::Path) -> Running {
    gateway(|config| config.data = Data::Folder(folder.to_owned())).await
}

/// A caller of the control API.
#[derive(Clone)]
pub struct Control(pub Client);

impl Control {
    pub fn of(running: &Running) -> Self {
        Self(Client::at(running.addresses.control.unwrap(), ""))
    }

    pub async fn send(&self, method: Method, path: &str, body: Value) -> Answer {
        let body = if body.is_null() { Bytes::new() } else { body.to_string().into() };
        self.0.send(method, path, &[], body).await
    }

    /// One call, which must succeed; without a body its answer is null.
    pub async fn call(&self, method: Method, path: &str, body: Value) -> Value {
        let answer = self.send(method, path, body).await;
        assert!(answer.status.is_success(), "{path}: {}", String::from_utf8_lossy(&answer.body));
        if answer.body.is_empty() { Value::Null } else { answer.json() }
    }

    pub async fn post(&self, path: &str, body: Value) -> Value {
        self.call(Method::POST, path, body).await
    }

    pub async fn get(&self, path: &str) -> Value {
        self.call(Method::GET, path, Value::Null).await
    }

    /// One call, which must be refused; the status, the code and the message.
    pub async fn refused(&self, method: Method, path: &str, body: Value) -> (StatusCode, String, String) {
        let answer = self.send(method, path, body).await;
        assert!(answer.status.is_client_error(), "{path}: {} {:?}", answer.status, answer.body);
        let error = answer.json()["error"].clone();
        (answer.status, error["code"].as_str().unwrap().to_owned(), error["message"].as_str().unwrap().to_owned())
    }

    /// A new realm.
    pub async fn realm(&self, body: Value) -> Realm {
        Realm::of(&self.post("/v1/realms", body).await)
    }
}

/// A realm, with its credentials at each vendor.
#[derive(Clone)]
pub struct Realm {
    pub name: String,
    settings: Value,
}

impl Realm {
    pub fn of(view: &Value) -> Self {
        Self { name: view["name"].as_str().unwrap().to_owned(), settings: view["settings"].clone() }
    }

    /// One of the settings that clients are configured with.
    pub fn setting(&self, key: &str) -> &str {
        self.settings[key].as_str().unwrap_or_else(|| panic!("{key} is not in {}", self.settings))
    }

    /// A path of the control API below this realm.
    pub fn path(&self, below: &str) -> String {
        format!("/v1/realms/{}{below}", self.name)
    }

    fn client(&self, key: &str) -> Client {
        let url = self.setting(key).strip_prefix("http://").unwrap();
        let (address, below) = url.split_once('/').unwrap();
        Client::at(address.parse().unwrap(), &format!("/{below}"))
    }

    /// A signed request to `RongCloud`'s API.
    pub async fn rong(&self, path: &str, form: &str) -> Answer {
        let (nonce, timestamp) = ("14314", "1700000100000");
        let signature = rong_signature(self.setting("RONG_APPSECRET"), nonce, timestamp);
        let headers = [
            ("app-key", self.setting("RONG_APPKEY")),
            ("nonce", nonce),
            ("timestamp", timestamp),
            ("signature", &signature),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        self.client("RONG_API").send(Method::POST, path, &headers, form.to_owned()).await
    }

    /// The same, which must succeed.
    pub async fn rong_call(&self, path: &str, form: &str) -> Value {
        let answer = self.rong(path, form).await.json();
        assert_eq!(answer["code"], 200, "{path}: {answer}");
        answer
    }

    /// Makes a hosted group of `RongCloud`.
    pub async fn create_group(&self, id: &str, owner: &str) {
        self.rong_call("/entrust/group/create.json", &format!("groupId={id}&name=name+of+{id}&owner={owner}")).await;
    }

    fn agora_path(&self, below: &str) -> String {
        let (org, app) = self.setting("AGORA_APPKEY").split_once('#').unwrap();
        format!("/{org}/{app}{below}")
    }

    /// An app token of Agora.
    pub async fn agora_token(&self) -> String {
        let body = json!({
            "grant_type": "client_credentials",
            "client_id": self.setting("AGORA_CLIENT_ID"),
            "client_secret": self.setting("AGORA_CLIENT_SECRET"),
        });
        let headers = [("content-type", "application/json")];
        let path = self.agora_path("/token");
        let answer = self.client("AGORA_API_URL").send(Method::POST, &path, &headers, body.to_string()).await;
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// A request to Agora's API with this token.
    pub async fn agora(&self, method: Method, below: &str, token: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        self.client("AGORA_API_URL").send(method, &self.agora_path(below), &headers, body.to_owned()).await
    }

    /// A request of Tencent's server API, with a signature that is valid from `time` for an hour.
    pub async fn tencent_at(&self, command: &str, body: &Value, time: u64) -> Value {
        let (id, admin) = (self.setting("TENCENT_SDKAPPID"), self.setting("TENCENT_ADMIN"));
        let signature = user_sig(id.parse().unwrap(), self.setting("TENCENT_SECRET_KEY"), admin, time, 3600);
        let path =
            format!("/v4/{command}?sdkappid={id}&identifier={admin}&usersig={signature}&random=1&contenttype=json");
        self.client("TENCENT_API_URL").send(Method::POST, &path, &[], body.to_string()).await.json()
    }

    /// The same, signed now.
    pub async fn tencent(&self, command: &str, body: &Value) -> Value {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        self.tencent_at(command, body, now).await
    }

    /// A client of `RongCloud`, accepted when this returns.
    pub async fn connect(&self, user: &str) -> Socket {
        let mut socket = self.connect_raw(user).await;
        match timeout(PATIENCE, socket.next()).await.unwrap() {
            Some(Ok(Message::Binary(frame))) => assert_eq!(frame[..3], [0x20, 0, 0]),
            other => panic!("not accepted: {other:?}"),
        }
        socket
    }

    /// The same before it is accepted or refused.
    pub async fn connect_raw(&self, user: &str) -> Socket {
        let token = self.rong_call("/user/getToken.json", &format!("userId={user}&name=N")).await;
        let token = token["token"].as_str().unwrap();
        let query =
            format!("appId={}&token={token}&apiVer=browser%7CChrome%7C1&protocolVer=3", self.setting("RONG_APPKEY"));
        let url = self.setting("RONG_API").replacen("http", "ws", 1);
        connect_async(format!("{url}/websocket?{query}")).await.unwrap().0
    }
}

pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The last frame that a client gets before its connection is closed.
pub async fn farewell(mut socket: Socket) -> Vec<u8> {
    let mut last = Vec::new();
    loop {
        match timeout(PATIENCE, socket.next()).await.expect("the connection stays open") {
            Some(Ok(Message::Binary(frame))) => last = frame.to_vec(),
            Some(Ok(Message::Close(_)) | Err(_)) | None => return last,
            Some(Ok(_)) => {}
        }
    }
}

/// What `RongCloud`'s clients get when they are to connect again.
pub const REDIRECT: [u8; 3] = [0xe0, 0, 6];

/// The present time in milliseconds since 1970.
pub fn wall() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    u64::try_from(now.as_millis()).unwrap()
}
