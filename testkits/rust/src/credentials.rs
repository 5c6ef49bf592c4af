//! What each vendor's clients and servers are configured with, and what an app's server signs and calls.

use std::time::{Duration, UNIX_EPOCH};

use http::Method;
use http::header::CONTENT_TYPE;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use sha1::{Digest as _, Sha1};

use crate::Realm;
use crate::control::{Error, request};

/// Agora Chat and Easemob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agora {
    /// `org#app`.
    pub app_key: String,
    /// The id of the app's server.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// The REST API.
    pub api_url: String,
    /// The address of web SDKs.
    pub ws_url: String,
}

/// Tencent Chat.
#[derive(Debug, Clone)]
pub struct Tencent<'r> {
    realm: &'r Realm,
    /// The id of the app.
    pub sdk_app_id: u32,
    /// The key with which the app's server signs.
    pub secret_key: String,
    /// The account that calls the server API.
    pub admin: String,
    /// The server API.
    pub api_url: String,
    /// The address of web SDKs: their `proxyServer`.
    pub ws_url: String,
}

/// `RongCloud`.
#[derive(Debug, Clone)]
pub struct Rong<'r> {
    realm: &'r Realm,
    /// The key of the app.
    pub app_key: String,
    /// Its secret.
    pub app_secret: String,
    /// The server API.
    pub api_url: String,
    /// The navigator of web SDKs.
    pub navigator: String,
}

impl Agora {
    pub(crate) fn of(realm: &Realm) -> crate::Result<Self> {
        let setting = |key| realm.setting("agora", key);
        Ok(Self {
            app_key: setting("AGORA_APPKEY")?,
            client_id: setting("AGORA_CLIENT_ID")?,
            client_secret: setting("AGORA_CLIENT_SECRET")?,
            api_url: setting("AGORA_API_URL")?,
            ws_url: setting("AGORA_WS_URL")?,
        })
    }

    /// The base of the REST API of this app.
    pub fn rest_url(&self) -> String {
        format!("{}/{}", self.api_url, self.app_key.replace('#', "/"))
    }
}

impl<'r> Tencent<'r> {
    pub(crate) fn of(realm: &'r Realm) -> crate::Result<Self> {
        let setting = |key| realm.setting("tencent", key);
        let missing = |_| Error::NoCredentials { realm: realm.name().to_owned(), vendor: "tencent" };
        Ok(Self {
            realm,
            sdk_app_id: setting("TENCENT_SDKAPPID")?.parse().map_err(missing)?,
            secret_key: setting("TENCENT_SECRET_KEY")?,
            admin: setting("TENCENT_ADMIN")?,
            api_url: setting("TENCENT_API_URL")?,
            ws_url: setting("TENCENT_WS_URL")?,
        })
    }

    /// A `UserSig` for a user, valid from the time of the realm's clock.
    ///
    /// # Errors
    /// The gateway does not answer.
    pub async fn user_sig(&self, user: &str, lifetime: Duration) -> crate::Result<String> {
        let now = self.realm.clock().get().await?.now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        Ok(conclave_tencent::user_sig(self.sdk_app_id, &self.secret_key, user, now, lifetime.as_secs()))
    }

    /// Calls a command of the server API as the app's admin, such as `v4/group_open_http_svc/create_group`.
    ///
    /// # Errors
    /// The gateway does not answer. What the vendor refuses is an answer, with its `ErrorCode`.
    pub async fn call(&self, command: &str, body: &Value) -> crate::Result<Value> {
        let sig = self.user_sig(&self.admin, Duration::from_hours(1)).await?;
        let admin = utf8_percent_encode(&self.admin, NON_ALPHANUMERIC);
        let id = self.sdk_app_id;
        let url = format!(
            "{}/{command}?sdkappid={id}&identifier={admin}&usersig={sig}&random=1&contenttype=json",
            self.api_url
        );
        let (_, answer) = request(&Method::POST, &url, &[], body.to_string().into()).await?;
        parse(&url, &answer)
    }
}

impl<'r> Rong<'r> {
    pub(crate) fn of(realm: &'r Realm) -> crate::Result<Self> {
        let setting = |key| realm.setting("rong", key);
        Ok(Self {
            realm,
            app_key: setting("RONG_APPKEY")?,
            app_secret: setting("RONG_APPSECRET")?,
            api_url: setting("RONG_API")?,
            navigator: setting("RONG_NAVI")?,
        })
    }

    /// Calls the server API, such as `/group/create.json`.
    ///
    /// # Errors
    /// The gateway does not answer. What the vendor refuses is an answer, with its `code`.
    pub async fn call(&self, path: &str, form: &[(&str, &str)]) -> crate::Result<Value> {
        let now = self.realm.clock().get().await?.now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let timestamp = now.as_millis().to_string();
        // nonces only have to differ from each other
        let nonce = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos().to_string();
        let signature = hex::encode(Sha1::digest(format!("{}{nonce}{timestamp}", self.app_secret)));
        let headers = [
            ("app-key", self.app_key.as_str()),
            ("nonce", &nonce),
            ("timestamp", &timestamp),
            ("signature", &signature),
            (CONTENT_TYPE.as_str(), "application/x-www-form-urlencoded"),
        ];
        let encoded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        let form: Vec<String> =
            form.iter().map(|(key, value)| format!("{}={}", encoded(key), encoded(value))).collect();
        let url = format!("{}{path}", self.api_url);
        let (_, answer) = request(&Method::POST, &url, &headers, form.join("&").into()).await?;
        parse(&url, &answer)
    }

    /// A token of a user, who is registered if necessary.
    ///
    /// # Errors
    /// It is refused.
    pub async fn user_token(&self, user: &str) -> crate::Result<String> {
        let answer = self.call("/user/getToken.json", &[("userId", user), ("name", user)]).await?;
        let refused = || Error::Unreachable { url: self.api_url.clone(), why: answer.to_string() };
        answer["token"].as_str().map(str::to_owned).ok_or_else(refused)
    }
}

fn parse(url: &str, answer: &[u8]) -> crate::Result<Value> {
    serde_json::from_slice(answer).map_err(|error| Error::Unreachable { url: url.to_owned(), why: error.to_string() })
}
