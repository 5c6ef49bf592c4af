//! A gateway with webhooks, and a back end that causes events.

use std::net::SocketAddr;
use std::path::Path;

use conclave::config::{Admin, Data};
use conclave::{Config, Gateway, Running};
use conclave_tests::client::Client;
use conclave_tests::sign::rong_signature;
use http::Method;
use serde_json::Value;

/// A development gateway in memory, changed as a test wants.
pub async fn gateway(change: impl FnOnce(&mut Config)) -> Running {
    let mut config = Config::development().unwrap();
    config.admin = Admin::At("127.0.0.1:0".parse().unwrap());
    change(&mut config);
    Gateway::start(config).await.unwrap()
}

/// The same over a folder.
pub async fn gateway_over(folder: &Path, change: impl FnOnce(&mut Config)) -> Running {
    gateway(|config| {
        config.data = Data::Folder(folder.to_owned());
        change(config);
    })
    .await
}

/// Sends `RongCloud`'s group operations to this URL, and retries quickly.
pub fn to_rong(url: String) -> conclave_rong::webhooks::WebhookSettings {
    conclave_rong::webhooks::WebhookSettings {
        url: Some(url),
        allow_private: true,
        backoff_ms: 20,
        longest_backoff_ms: 200,
        ..conclave_rong::webhooks::WebhookSettings::default()
    }
}

/// The secret of the rule that [`to_agora`] makes.
pub const SECRET: &str = "rule-secret";

/// Sends Agora's events to this URL, and retries quickly.
pub fn to_agora(url: String) -> conclave_agora::webhooks::WebhookSettings {
    conclave_agora::webhooks::WebhookSettings {
        url: Some(url),
        secret: SECRET.into(),
        allow_private: true,
        backoff_ms: 20,
        longest_backoff_ms: 200,
        ..conclave_agora::webhooks::WebhookSettings::default()
    }
}

/// The app key and secret of the development realm.
pub const RONG: (&str, &str) = ("conclavedev00", "conclavedevs0");

/// A back end at `RongCloud`.
#[derive(Clone)]
pub struct BackEnd(Client);

impl BackEnd {
    pub fn of(running: &Running) -> Self {
        Self::at(running.addresses.shared)
    }

    pub fn at(address: SocketAddr) -> Self {
        Self(Client::at(address, "/rong"))
    }

    /// One call, which must succeed.
    pub async fn call(&self, path: &str, form: &str) -> Value {
        let (nonce, timestamp) = ("14314", "1700000100000");
        let signature = rong_signature(RONG.1, nonce, timestamp);
        let headers = [
            ("app-key", RONG.0),
            ("nonce", nonce),
            ("timestamp", timestamp),
            ("signature", &signature),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let answer = self.0.send(Method::POST, path, &headers, form.to_owned()).await;
        assert_eq!(answer.json()["code"], 200, "{path}: {}", answer.json());
        answer.json()
    }

    pub async fn create(&self, group: &str) {
        self.call("/entrust/group/create.json", &format!("groupId={group}&name={group}&owner=owner")).await;
    }

    pub async fn join(&self, group: &str, user: &str) {
        self.call("/entrust/group/join.json", &format!("groupId={group}&userIds={user}")).await;
    }
}

/// One number of the metrics: the sum over a counter's or gauge's labels that contain this text.
pub async fn metric(running: &Running, name: &str, labels: &str) -> f64 {
    let admin = Client::at(running.addresses.admin.unwrap(), "");
    let text = admin.send(Method::GET, "/metrics", &[], "").await.body;
    let text = String::from_utf8(text.to_vec()).unwrap();
    let lines = text.lines().filter(|line| line.starts_with(&format!("{name}{{")) && line.contains(labels));
    lines.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
}
