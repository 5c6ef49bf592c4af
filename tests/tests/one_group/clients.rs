//! The clients of the three vendors, each in a process of its own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use conclave::clients;
use conclave::config::RealmConfig;
use conclave::{Addresses, Config};
use conclave_tests::sdk::gateway::{Served, VendorApis};
use conclave_tests::sdk::node;
use conclave_tests::sdk::page::Page;
use conclave_tests::sign::user_sig;
use conclave_tests::vendor::Vendor;
use http::Method;
use serde_json::{Value, json};

use crate::steps::VENDORS;

/// A gateway, as clients and apps' servers reach it.
pub(crate) struct Reached {
    /// The settings of each vendor's clients, by the vendor's name.
    settings: BTreeMap<&'static str, BTreeMap<String, String>>,
    pub(crate) vendor_apis: VendorApis,
}

impl Reached {
    /// One in this process.
    pub(crate) async fn within(served: &Served) -> Self {
        let settings = VENDORS.map(|vendor| (vendor.name(), served.settings(vendor).into_iter().collect()));
        Self { settings: settings.into(), vendor_apis: served.vendor_apis().await }
    }

    /// One at this address, with the development configuration.
    pub(crate) async fn at(address: SocketAddr) -> Self {
        let config = Config::development().expect("the development configuration");
        let realm: &RealmConfig = &config.realms[0];
        let addresses = Addresses { shared: address, vendors: BTreeMap::new(), admin: None, control: None };
        let settings = VENDORS.map(|vendor| {
            let text = clients::settings(&config, Some(&addresses), realm, vendor.name()).expect("the vendor is there");
            let pairs = text.lines().filter_map(|line| line.split_once('='));
            (vendor.name(), pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect())
        });
        Self { settings: settings.into(), vendor_apis: VendorApis::at(address, realm).await }
    }

    fn setting(&self, vendor: Vendor, key: &str) -> String {
        self.settings[vendor.name()].get(key).unwrap_or_else(|| panic!("no {key}")).clone()
    }

    /// A client of this vendor for a user, signed in.
    pub(crate) async fn client(&self, vendor: Vendor, user: &str) -> Page {
        match vendor {
            Vendor::Agora => self.agora(user).await,
            Vendor::Tencent => self.tencent(user).await,
            Vendor::Rong => self.rong(user).await,
        }
    }

    /// Signs a user in on a page of the browser.
    pub(crate) async fn sign_in(&self, vendor: Vendor, page: &Page, user: &str) {
        let setting = |key| self.setting(vendor, key);
        match vendor {
            Vendor::Agora => {
                let options = json!({"appKey": setting("AGORA_APPKEY"), "apiUrl": setting("AGORA_API_URL"),
                    "url": setting("AGORA_WS_URL")});
                page.call("start", json!([options])).await;
                page.call("open", json!([{"user": user, "accessToken": self.agora_token(user).await}])).await;
            }
            Vendor::Tencent => {
                let sdkappid = self.sdkappid();
                let proxy = setting("TENCENT_WS_URL");
                page.call("create", json!([{"SDKAppID": sdkappid, "proxyServer": proxy}])).await;
                page.call("login", json!([{"userID": user, "userSig": self.signature(user)}])).await;
            }
            Vendor::Rong => {
                let options = json!({"appkey": setting("RONG_APPKEY"), "navigators": [setting("RONG_NAVI")]});
                page.call("init", json!([options])).await;
                page.call("connect", json!([self.rong_token(user).await])).await;
            }
        }
    }

    async fn agora_token(&self, user: &str) -> Value {
        let inherited = json!({"grant_type": "inherit", "username": user});
        let token = self.vendor_apis.agora.call(Method::POST, "/token", Some(inherited)).await.expect("a token");
        token["access_token"].clone()
    }

    async fn rong_token(&self, user: &str) -> Value {
        let form = [("userId", user), ("name", user)];
        let token = self.vendor_apis.rong.call("/user/getToken.json", &form).await.expect("a token");
        token["token"].clone()
    }

    fn sdkappid(&self) -> u32 {
        self.setting(Vendor::Tencent, "TENCENT_SDKAPPID").parse().expect("a number")
    }

    fn signature(&self, user: &str) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
        user_sig(self.sdkappid(), &self.setting(Vendor::Tencent, "TENCENT_SECRET_KEY"), user, now, 86_400)
    }

    async fn agora(&self, user: &str) -> Page {
        let driver = tokio::task::spawn_blocking(|| node::command("agora/websdk/driver.cjs")).await;
        let mut driver = driver.expect("packages");
        driver.arg("agora-chat");
        let page = Page::open(driver);
        let setting = |key| self.setting(Vendor::Agora, key);
        let options = json!({
            "appKey": setting("AGORA_APPKEY"), "apiUrl": setting("AGORA_API_URL"), "url": setting("AGORA_WS_URL"),
            "deviceId": user, "isFixedDeviceId": false,
        });
        page.call("start", json!([options, false])).await;
        let token = self.agora_token(user).await;
        let opened = page.call("open", json!([{"user": user, "accessToken": token}])).await;
        assert!(opened["refused"].is_null(), "{user}: {opened}");
        page.event("onConnected").await;
        page
    }

    async fn tencent(&self, user: &str) -> Page {
        let modules = tokio::task::spawn_blocking(|| node::packages("tencent/chat/3.6.6")).await.expect("packages");
        let mut driver = Command::new("node");
        driver.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/sdk/tencent/chat/driver.cjs")).arg(modules);
        let page = Page::open(driver);
        let proxy = self.setting(Vendor::Tencent, "TENCENT_WS_URL");
        page.call("create", json!([{"SDKAppID": self.sdkappid(), "proxyServer": proxy}])).await;
        let answer = page.call("login", json!([{"userID": user, "userSig": self.signature(user)}])).await;
        assert_eq!(answer["code"], 0, "{user}: {answer}");
        page.event("SDK_READY").await;
        page.event("GROUP_LIST_UPDATED").await;
        page
    }

    async fn rong(&self, user: &str) -> Page {
        let modules = tokio::task::spawn_blocking(|| node::packages("rong/imlib-next/5.38.0")).await.expect("packages");
        let mut driver = Command::new("node");
        driver.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/sdk/rong/imlib-next/driver.cjs")).arg(modules);
        let page = Page::open(driver);
        let setting = |key| self.setting(Vendor::Rong, key);
        page.call("init", json!([{"appkey": setting("RONG_APPKEY"), "navigators": [setting("RONG_NAVI")]}])).await;
        let connected = page.call("connect", json!([self.rong_token(user).await])).await;
        assert_eq!(connected["code"], 0, "{user}: {connected}");
        page.event("PULL_OFFLINE_MESSAGE_FINISHED").await;
        page
    }
}
