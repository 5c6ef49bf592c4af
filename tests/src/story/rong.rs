//! Through RongCloud's server API (hosted groups).

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use http::Method;
use serde_json::{Value, json};

use super::{Refused, Role, Truth, VendorApi, Wanted};
use crate::client::Client;
use crate::sign::rong_signature;

/// Calls RongCloud's server API.
pub struct RongApi {
    client: Client,
    app_key: String,
    app_secret: String,
}

impl RongApi {
    /// Signs with this key and secret.
    pub fn new(client: Client, app_key: &str, app_secret: &str) -> Self {
        Self { client, app_key: app_key.to_owned(), app_secret: app_secret.to_owned() }
    }

    /// One call with form fields; a key may repeat.
    pub async fn call(&self, path: &str, fields: &[(&str, &str)]) -> Result<Value, Refused> {
        let encode =
            |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
        let body: Vec<String> =
            fields.iter().map(|(key, value)| format!("{}={}", encode(key), encode(value))).collect();
        let (nonce, timestamp) = ("14314", "1700000100000");
        let signature = rong_signature(&self.app_secret, nonce, timestamp);
        let headers = [
            ("app-key", self.app_key.as_str()),
            ("nonce", nonce),
            ("timestamp", timestamp),
            ("signature", signature.as_str()),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let answer = self.client.send(Method::POST, path, &headers, body.join("&")).await.json();
        if answer["code"] == 200 { Ok(answer) } else { Err(Refused(answer.to_string())) }
    }
}

impl RongApi {
    /// One call of a form, as `a=1&b=2`, whatever it answers.
    pub async fn answer(&self, path: &str, form: &str) -> Value {
        let fields: Vec<(&str, &str)> = form.split('&').filter_map(|pair| pair.split_once('=')).collect();
        match self.call(&format!("/{path}.json"), &fields).await {
            Ok(answer) => answer,
            Err(Refused(answer)) => serde_json::from_str(&answer).expect("an answer"),
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a text, not {value}")).to_owned()
}

#[async_trait]
impl VendorApi for RongApi {
    fn name(&self) -> &'static str {
        "rong"
    }

    async fn register(&self, users: &[&str]) -> Result<(), Refused> {
        for user in users {
            self.call("/user/getToken.json", &[("userId", user), ("name", user)]).await?;
        }
        Ok(())
    }

    async fn create(&self, wanted: &Wanted) -> Result<String, Refused> {
        // ids are always the caller's at this vendor; a scenario with a generated id gets one from here
        let id = wanted.id.clone().unwrap_or_else(|| format!("made-by-{}-{}", wanted.owner, wanted.members.len()));
        let profile = json!({"introduction": wanted.introduction}).to_string();
        let mut fields: Vec<(&str, &str)> =
            vec![("groupId", &id), ("name", &wanted.name), ("owner", &wanted.owner), ("groupProfile", &profile)];
        fields.extend(wanted.members.iter().map(|user| ("userIds", user.as_str())));
        self.call("/entrust/group/create.json", &fields).await?;
        Ok(id)
    }

    async fn rename(&self, group: &str, name: &str, introduction: &str) -> Result<(), Refused> {
        let profile = json!({"name": name, "introduction": introduction}).to_string();
        self.call("/entrust/group/profile/update.json", &[("groupId", group), ("groupProfile", &profile)]).await?;
        Ok(())
    }

    async fn add(&self, group: &str, users: &[&str]) -> Result<(), Refused> {
        self.call("/entrust/group/join.json", &[("groupId", group), ("userIds", &users.join(","))]).await?;
        Ok(())
    }

    async fn remove(&self, group: &str, users: &[&str]) -> Result<(), Refused> {
        self.call("/entrust/group/member/kick.json", &[("groupId", group), ("userIds", &users.join(","))]).await?;
        Ok(())
    }

    async fn promote(&self, group: &str, user: &str) -> Result<(), Refused> {
        self.call("/entrust/group/manager/add.json", &[("groupId", group), ("userIds", user)]).await?;
        Ok(())
    }

    async fn demote(&self, group: &str, user: &str) -> Result<(), Refused> {
        self.call("/entrust/group/manager/remove.json", &[("groupId", group), ("userIds", user)]).await?;
        Ok(())
    }

    async fn transfer(&self, group: &str, to: &str) -> Result<(), Refused> {
        self.call("/entrust/group/transfer/owner.json", &[("groupId", group), ("newOwner", to)]).await?;
        Ok(())
    }

    async fn disband(&self, group: &str) -> Result<(), Refused> {
        self.call("/entrust/group/dismiss.json", &[("groupId", group)]).await?;
        Ok(())
    }

    async fn truth(&self, group: &str) -> Option<Truth> {
        let answer = self.call("/entrust/group/profile/query.json", &[("groupIds", group)]).await.expect("profiles");
        let profile = answer["profiles"].as_array()?.first()?.clone();
        let inner: Value = serde_json::from_str(profile["groupProfile"].as_str()?).expect("json in a string");
        let mut members = BTreeMap::new();
        let mut token = String::new();
        loop {
            let fields = [("groupId", group), ("size", "2"), ("pageToken", token.as_str())];
            let page = self.call("/entrust/group/member/query.json", &fields).await.expect("members");
            for row in page["members"].as_array()? {
                let role = match row["role"].as_u64()? {
                    1 => Role::Member,
                    2 => Role::Admin,
                    3 => Role::Owner,
                    other => panic!("no such role: {other}"),
                };
                members.insert(text(&row["userId"]), role);
            }
            page["pageToken"].as_str().unwrap_or_default().clone_into(&mut token);
            if token.is_empty() {
                break;
            }
        }
        Some(Truth {
            name: text(&profile["groupName"]),
            introduction: inner["introduction"].as_str().unwrap_or_default().to_owned(),
            owner: profile["owner"].as_str().filter(|owner| !owner.is_empty()).map(ToOwned::to_owned),
            members,
            count: profile["memberCount"].as_u64()?,
        })
    }

    async fn joined(&self, user: &str) -> BTreeSet<String> {
        let answer = self.call("/user/group/query.json", &[("userId", user)]).await.expect("groups");
        answer["groups"].as_array().expect("rows").iter().map(|row| text(&row["id"])).collect()
    }

    async fn listed(&self, page: usize) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        let (size, mut token) = (page.to_string(), String::new());
        loop {
            let fields = [("size", size.as_str()), ("pageToken", token.as_str())];
            let answer = self.call("/entrust/group/query.json", &fields).await.expect("groups");
            all.extend(answer["groups"].as_array().expect("rows").iter().map(|row| text(&row["groupId"])));
            answer["pageToken"].as_str().unwrap_or_default().clone_into(&mut token);
            if token.is_empty() {
                return all;
            }
        }
    }
}
