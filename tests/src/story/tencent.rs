//! Through Tencent Chat's server API.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use http::Method;
use serde_json::{Value, json};

use super::{Refused, Role, Truth, VendorApi, Wanted};
use crate::client::Client;

/// Calls TIM's server API.
pub struct TencentApi {
    client: Client,
    query: String,
}

impl TencentApi {
    /// Calls as this admin with this signature.
    pub fn new(client: Client, sdkappid: u32, admin: &str, user_sig: &str) -> Self {
        let query =
            format!("sdkappid={sdkappid}&identifier={admin}&usersig={user_sig}&random=99999999&contenttype=json");
        Self { client, query }
    }

    /// One command, e.g. `group_open_http_svc/create_group`.
    pub async fn call(&self, command: &str, body: &Value) -> Result<Value, Refused> {
        let target = format!("/v4/{command}?{}", self.query);
        let headers = [("content-type", "application/json")];
        let answer = self.client.send(Method::POST, &target, &headers, body.to_string()).await;
        assert_eq!(answer.status, 200, "every answer of this vendor is http 200");
        let answer = answer.json();
        if answer["ErrorCode"] == 0 { Ok(answer) } else { Err(Refused(answer.to_string())) }
    }

    /// One command of the group service, whatever it answers.
    pub async fn answer(&self, command: &str, body: &Value) -> Value {
        match self.group(command, body).await {
            Ok(answer) => answer,
            Err(Refused(answer)) => serde_json::from_str(&answer).expect("an answer"),
        }
    }

    /// One command of the group service.
    pub async fn group(&self, command: &str, body: &Value) -> Result<Value, Refused> {
        self.call(&format!("group_open_http_svc/{command}"), body).await
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a text, not {value}")).to_owned()
}

#[async_trait]
impl VendorApi for TencentApi {
    fn name(&self) -> &'static str {
        "tencent"
    }

    async fn register(&self, users: &[&str]) -> Result<(), Refused> {
        let list: Vec<Value> = users.iter().map(|id| json!({"UserID": id})).collect();
        self.call("im_open_login_svc/multiaccount_import", &json!({"AccountList": list})).await?;
        Ok(())
    }

    async fn create(&self, wanted: &Wanted) -> Result<String, Refused> {
        let members: Vec<Value> = wanted.members.iter().map(|id| json!({"Member_Account": id})).collect();
        let mut body = json!({
            "Type": "Public", "Name": wanted.name, "Introduction": wanted.introduction, "Owner_Account": wanted.owner,
            "MemberList": members,
        });
        if let Some(id) = &wanted.id {
            body["GroupId"] = json!(id);
        }
        Ok(text(&self.group("create_group", &body).await?["GroupId"]))
    }

    async fn rename(&self, group: &str, name: &str, introduction: &str) -> Result<(), Refused> {
        let body = json!({"GroupId": group, "Name": name, "Introduction": introduction});
        self.group("modify_group_base_info", &body).await?;
        Ok(())
    }

    async fn add(&self, group: &str, users: &[&str]) -> Result<(), Refused> {
        let list: Vec<Value> = users.iter().map(|id| json!({"Member_Account": id})).collect();
        let answer = self.group("add_group_member", &json!({"GroupId": group, "MemberList": list})).await?;
        let failed = answer["MemberList"].as_array().is_some_and(|rows| rows.iter().any(|row| row["Result"] == 0));
        if failed { Err(Refused(answer.to_string())) } else { Ok(()) }
    }

    async fn remove(&self, group: &str, users: &[&str]) -> Result<(), Refused> {
        self.group("delete_group_member", &json!({"GroupId": group, "MemberToDel_Account": users})).await?;
        Ok(())
    }

    async fn promote(&self, group: &str, user: &str) -> Result<(), Refused> {
        let body = json!({"GroupId": group, "Member_Account": user, "Role": "Admin"});
        self.group("modify_group_member_info", &body).await?;
        Ok(())
    }

    async fn demote(&self, group: &str, user: &str) -> Result<(), Refused> {
        let body = json!({"GroupId": group, "Member_Account": user, "Role": "Member"});
        self.group("modify_group_member_info", &body).await?;
        Ok(())
    }

    async fn transfer(&self, group: &str, to: &str) -> Result<(), Refused> {
        self.group("change_group_owner", &json!({"GroupId": group, "NewOwner_Account": to})).await?;
        Ok(())
    }

    async fn disband(&self, group: &str) -> Result<(), Refused> {
        self.group("destroy_group", &json!({"GroupId": group})).await?;
        Ok(())
    }

    async fn truth(&self, group: &str) -> Option<Truth> {
        let answer = self.group("get_group_info", &json!({"GroupIdList": [group]})).await.expect("an envelope");
        let info = &answer["GroupInfo"][0];
        if info["ErrorCode"] != 0 {
            return None;
        }
        let mut members = BTreeMap::new();
        for row in info["MemberList"].as_array()? {
            let role = match row["Role"].as_str()? {
                "Owner" => Role::Owner,
                "Admin" => Role::Admin,
                "Member" => Role::Member,
                other => panic!("no such role: {other}"),
            };
            members.insert(text(&row["Member_Account"]), role);
        }
        Some(Truth {
            name: text(&info["Name"]),
            introduction: text(&info["Introduction"]),
            owner: Some(text(&info["Owner_Account"])).filter(|owner| !owner.is_empty()),
            members,
            count: info["MemberNum"].as_u64()?,
        })
    }

    async fn joined(&self, user: &str) -> BTreeSet<String> {
        let body = json!({"Member_Account": user, "WithHugeGroups": 1, "WithNoActiveGroups": 1});
        let answer = self.group("get_joined_group_list", &body).await.expect("groups");
        let rows = answer["GroupIdList"].as_array().expect("rows");
        assert_eq!(answer["TotalCount"], rows.len(), "the total counts what is listed");
        rows.iter().map(|row| text(&row["GroupId"])).collect()
    }

    async fn listed(&self, page: usize) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        let mut next = json!(0);
        loop {
            let body = json!({"Limit": page, "Next": next});
            let answer = self.group("get_appid_group_list", &body).await.expect("groups");
            let rows = answer["GroupIdList"].as_array().expect("rows");
            all.extend(rows.iter().map(|row| text(&row["GroupId"])));
            next = answer["Next"].clone();
            if next == 0 {
                return all;
            }
        }
    }
}
