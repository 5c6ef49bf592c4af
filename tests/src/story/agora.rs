//! Through Agora Chat's server API.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use http::Method;
use serde_json::{Value, json};

use super::{Refused, Role, Truth, VendorApi, Wanted};
use crate::client::Client;

/// Calls Agora's server API.
pub struct AgoraApi {
    client: Client,
    root: String,
    token: String,
}

impl AgoraApi {
    /// Gets an app token first.
    pub async fn new(client: Client, org: &str, app: &str, client_id: &str, client_secret: &str) -> Self {
        let root = format!("/{org}/{app}");
        let body = json!({
            "grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret,
        });
        let headers = [("content-type", "application/json")];
        let answer = client.send(Method::POST, &format!("{root}/token"), &headers, body.to_string()).await.json();
        let token = answer["access_token"].as_str().unwrap_or_else(|| panic!("no token: {answer}")).to_owned();
        Self { client, root, token }
    }

    /// One call with the app's token.
    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, Refused> {
        self.call_with(&self.token, method, path, body).await
    }

    /// One call with a token of this user, as their client makes it.
    pub async fn call_as(&self, user: &str, method: Method, path: &str, body: Option<Value>) -> Result<Value, Refused> {
        let wanted = json!({"grant_type": "inherit", "username": user});
        let answer = self.call(Method::POST, "/token", Some(wanted)).await?;
        let token = answer["access_token"].as_str().unwrap_or_else(|| panic!("no token: {answer}"));
        self.call_with(token, method, path, body).await
    }

    async fn call_with(&self, token: &str, method: Method, path: &str, body: Option<Value>) -> Result<Value, Refused> {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let body = body.map_or_else(String::new, |body| body.to_string());
        let answer = self.client.send(method, &format!("{}{path}", self.root), &headers, body).await;
        if answer.status == 200 {
            Ok(answer.json())
        } else {
            Err(Refused(format!("{}: {}", answer.status, answer.json())))
        }
    }
}

/// A group id as a part of a path.
fn part(id: &str) -> String {
    percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC).to_string()
}

#[async_trait]
impl VendorApi for AgoraApi {
    fn name(&self) -> &'static str {
        "agora"
    }

    async fn register(&self, users: &[&str]) -> Result<(), Refused> {
        let body: Vec<Value> = users.iter().map(|id| json!({"username": id, "password": "1"})).collect();
        self.call(Method::POST, "/users", Some(body.into())).await?;
        Ok(())
    }

    async fn create(&self, wanted: &Wanted) -> Result<String, Refused> {
        let mut body = json!({
            "groupname": wanted.name, "description": wanted.introduction, "public": true, "owner": wanted.owner,
            "members": wanted.members,
        });
        if let Some(id) = &wanted.id {
            body["groupid"] = json!(id);
        }
        let answer = self.call(Method::POST, "/chatgroups", Some(body)).await?;
        Ok(answer["data"]["groupid"].as_str().expect("a group id").to_owned())
    }

    async fn rename(&self, group: &str, name: &str, introduction: &str) -> Result<(), Refused> {
        let body = json!({"groupname": name, "description": introduction});
        self.call(Method::PUT, &format!("/chatgroups/{}", part(group)), Some(body)).await?;
        Ok(())
    }

    async fn add(&self, group: &str, users: &[&str]) -> Result<(), Refused> {
        let body = json!({"usernames": users});
        self.call(Method::POST, &format!("/chatgroups/{}/users", part(group)), Some(body)).await?;
        Ok(())
    }

    async fn remove(&self, group: &str, users: &[&str]) -> Result<(), Refused> {
        let path = format!("/chatgroups/{}/users/{}", part(group), users.join(","));
        self.call(Method::DELETE, &path, None).await?;
        Ok(())
    }

    async fn promote(&self, group: &str, user: &str) -> Result<(), Refused> {
        let path = format!("/chatgroups/{}/admin", part(group));
        self.call(Method::POST, &path, Some(json!({"newadmin": user}))).await?;
        Ok(())
    }

    async fn demote(&self, group: &str, user: &str) -> Result<(), Refused> {
        self.call(Method::DELETE, &format!("/chatgroups/{}/admin/{user}", part(group)), None).await?;
        Ok(())
    }

    async fn transfer(&self, group: &str, to: &str) -> Result<(), Refused> {
        self.call(Method::PUT, &format!("/chatgroups/{}", part(group)), Some(json!({"newowner": to}))).await?;
        Ok(())
    }

    async fn disband(&self, group: &str) -> Result<(), Refused> {
        self.call(Method::DELETE, &format!("/chatgroups/{}", part(group)), None).await?;
        Ok(())
    }

    async fn truth(&self, group: &str) -> Option<Truth> {
        let path = format!("/chatgroups/{}", part(group));
        let answer = self.call(Method::GET, &path, None).await.ok()?;
        let row = &answer["data"][0];
        let admins = self.call(Method::GET, &format!("{path}/admin"), None).await.expect("admins");
        let admins: BTreeSet<&str> = admins["data"].as_array()?.iter().filter_map(Value::as_str).collect();
        let mut members = BTreeMap::new();
        for entry in row["affiliations"].as_array()? {
            let (user, role) = match (entry["owner"].as_str(), entry["member"].as_str()) {
                (Some(owner), _) => (owner, Role::Owner),
                (None, Some(member)) if admins.contains(member) => (member, Role::Admin),
                (None, member) => (member?, Role::Member),
            };
            members.insert(user.to_owned(), role);
        }
        Some(Truth {
            name: row["name"].as_str()?.to_owned(),
            introduction: row["description"].as_str()?.to_owned(),
            owner: row["owner"].as_str().filter(|owner| !owner.is_empty()).map(ToOwned::to_owned),
            members,
            count: row["affiliations_count"].as_u64()?,
        })
    }

    async fn joined(&self, user: &str) -> BTreeSet<String> {
        let answer = self.call(Method::GET, &format!("/users/{user}/joined_chatgroups"), None).await.expect("groups");
        answer["data"]
            .as_array()
            .expect("rows")
            .iter()
            .map(|row| row["groupid"].as_str().expect("an id").to_owned())
            .collect()
    }

    async fn listed(&self, page: usize) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        let mut cursor = String::new();
        loop {
            let answer =
                self.call(Method::GET, &format!("/chatgroups?limit={page}{cursor}"), None).await.expect("groups");
            let rows = answer["data"].as_array().expect("rows");
            all.extend(rows.iter().map(|row| row["groupid"].as_str().expect("an id").to_owned()));
            match answer["cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return all,
            }
        }
    }
}
