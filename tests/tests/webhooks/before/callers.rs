//! The app's server at Tencent, and users at Agora, who cause what the app is asked about.

use std::time::SystemTime;

use conclave::{Running, config};
use conclave_tencent::webhooks::WebhookSettings;
use conclave_tests::client::Client;
use conclave_tests::sign::user_sig;
use http::Method;
use serde_json::{Value, json};

use crate::app::Answer;

/// Sends callbacks and questions to this URL; questions only of these kinds.
pub(super) fn to(url: String, commands: &[&str]) -> WebhookSettings {
    WebhookSettings {
        url: Some(url),
        token: "xxxxyyyy".into(),
        commands: commands.iter().map(|&command| command.to_owned()).collect(),
        allow_private: true,
        backoff_ms: 20,
        ..WebhookSettings::default()
    }
}

/// A back end at Tencent.
pub(super) struct BackEnd {
    client: Client,
    login: String,
}

impl BackEnd {
    pub(super) fn of(running: &Running) -> Self {
        let realm: &config::RealmConfig = &running.config.realms[0];
        let credentials = &realm.section::<conclave_tencent::Tencent>().unwrap().credentials;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let (id, key) = (credentials.sdkappid, &credentials.secret_key);
        let sig = user_sig(id, key, "administrator", now - 60, 86_400);
        let login = format!("sdkappid={id}&identifier=administrator&usersig={sig}&random=1&contenttype=json");
        Self { client: Client::at(running.addresses.shared, "/tencent"), login }
    }

    pub(super) async fn call(&self, command: &str, body: Value) -> Value {
        let service = match command {
            "multiaccount_import" => "im_open_login_svc",
            "create_topic" => "million_group_open_http_svc",
            _ => "group_open_http_svc",
        };
        let target = format!("/v4/{service}/{command}?{}", self.login);
        self.client.send(Method::POST, &target, &[], body.to_string()).await.json()
    }

    pub(super) async fn accounts(&self, accounts: &[&str]) {
        let answer = self.call("multiaccount_import", json!({ "Accounts": accounts })).await;
        assert_eq!(answer["ErrorCode"], 0, "{answer}");
    }

    /// A public group of carol.
    pub(super) async fn create(&self, id: &str) -> Value {
        self.call("create_group", json!({"GroupId": id, "Name": "n", "Type": "Public", "Owner_Account": "carol"})).await
    }

    pub(super) async fn members(&self, id: &str) -> Vec<String> {
        let answer = self.call("get_group_member_info", json!({ "GroupId": id })).await;
        let members = answer["MemberList"].as_array().unwrap();
        members.iter().map(|member| member["Member_Account"].as_str().unwrap().to_owned()).collect()
    }

    pub(super) async fn say(&self, id: &str, random: u32, text: &str) -> Value {
        let body = json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": text}}]);
        self.call("send_group_msg", json!({"GroupId": id, "Random": random, "MsgBody": body})).await
    }

    pub(super) async fn history(&self, id: &str) -> Vec<Value> {
        let answer = self.call("group_msg_get_simple", json!({"GroupId": id, "ReqMsgNumber": 20})).await;
        let list = answer["RspMsgList"].as_array().unwrap();
        list.iter().map(|message| message["MsgBody"].clone()).collect()
    }
}

/// Users at Agora, with tokens of their own.
pub(super) struct Users {
    client: Client,
    pub(super) app: String,
}

impl Users {
    pub(super) async fn of(running: &Running) -> Self {
        let realm: &config::RealmConfig = &running.config.realms[0];
        let credentials = &realm.section::<conclave_agora::Agora>().unwrap().credentials;
        let prefix = format!("/agora/{}/{}", credentials.org, credentials.app);
        let client = Client::at(running.addresses.shared, &prefix);
        let mut users = Self { client, app: String::new() };
        let grant = json!({"grant_type": "client_credentials", "client_id": credentials.client_id,
            "client_secret": credentials.client_secret});
        users.app = text(&users.call(Method::POST, "/token", "", grant).await.1["access_token"]);
        users
    }

    pub(super) async fn call(&self, method: Method, path: &str, token: &str, body: Value) -> (u16, Value) {
        let bearer = format!("Bearer {token}");
        let headers = [("content-type", "application/json"), ("authorization", bearer.as_str())];
        let answer = self.client.send(method, path, &headers[..if token.is_empty() { 1 } else { 2 }], body.to_string());
        let answer = answer.await;
        (answer.status.as_u16(), answer.json())
    }

    /// A new user's token.
    pub(super) async fn token(&self, name: &str) -> String {
        let body = json!([{"username": name, "password": "secret"}]);
        assert_eq!(self.call(Method::POST, "/users", &self.app, body).await.0, 200);
        let grant = json!({"grant_type": "password", "username": name, "password": "secret"});
        text(&self.call(Method::POST, "/token", "", grant).await.1["access_token"])
    }

    pub(super) async fn apply(&self, group: &str, token: &str) -> (u16, Value) {
        let path = format!("/chatgroups/{group}/apply");
        self.call(Method::POST, &path, token, json!({"message": "let me in"})).await
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

pub(super) fn said(code: u32, info: &str) -> Answer {
    Answer::of(200).saying(json!({"ActionStatus": "OK", "ErrorInfo": info, "ErrorCode": code}).to_string())
}
