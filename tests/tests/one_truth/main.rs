//! No vendor's API shows a group in a state that another's contradicts. Each test is for one contradiction that existed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a broken expectation is a panic")]

mod clashes;
mod ids;
mod joining;
mod lists;
mod lives;
mod messages;
mod moment;
mod mutes;
mod room;

use conclave_tests::house::{Three, three};
use conclave_tests::story::{Refused, VendorApi as _};
use http::Method;
use serde_json::{Value, json};

/// The three server APIs, with a few users.
struct House(Three);

impl House {
    async fn new() -> Self {
        let house = three().await;
        house.tencent.register(&["ann", "ben", "cy", "dan"]).await.unwrap();
        Self(house)
    }

    /// Ann's group with ben and cy, made through RongCloud as one that it hosts.
    async fn hosted(id: &str, join: u8) -> Self {
        let house = Self::new().await;
        let form = format!("groupId={id}&name=n&owner=ann&userIds=ben,cy&permissions={{\"joinPerm\":{join}}}");
        house.rong("entrust/group/create", &form).await;
        house
    }

    /// The same, made through Agora.
    async fn of_agora(id: &str, public: bool) -> Self {
        let house = Self::new().await;
        let body = json!({"groupid": id, "groupname": "n", "public": public, "owner": "ann", "members": ["ben", "cy"]});
        house.agora(Method::POST, "/chatgroups", body).await;
        house
    }

    /// The same, made through Tencent.
    async fn of_tencent(id: &str, kind: &str) -> Self {
        let house = Self::new().await;
        let members = json!([{"Member_Account": "ben"}, {"Member_Account": "cy"}]);
        let live = kind == "AVChatRoom";
        let mut body = json!({"Type": kind, "Name": "n", "GroupId": id, "Owner_Account": "ann"});
        if !live {
            body["MemberList"] = members;
        }
        house.tencent("create_group", body).await;
        house
    }

    /// A call of Agora's API that must succeed.
    async fn agora(&self, method: Method, path: &str, body: Value) -> Value {
        let body = Some(body).filter(|body| !body.is_null());
        let answer = self.0.agora.call(method, path, body).await;
        answer.unwrap_or_else(|refused| panic!("{path}: {refused:?}"))["data"].clone()
    }

    async fn get(&self, path: &str) -> Value {
        self.agora(Method::GET, path, Value::Null).await
    }

    /// The status of a call of a user.
    async fn as_user(&self, user: &str, method: Method, path: &str, body: Value) -> String {
        let body = Some(body).filter(|body| !body.is_null());
        match self.0.agora.call_as(user, method, path, body).await {
            Ok(_) => "200".to_owned(),
            Err(Refused(why)) => why,
        }
    }

    /// Why a call of the app is refused.
    async fn refused(&self, method: Method, path: &str, body: Value) -> String {
        let body = Some(body).filter(|body| !body.is_null());
        match self.0.agora.call(method, path, body).await {
            Ok(answer) => panic!("{path}: {answer}"),
            Err(Refused(why)) => why,
        }
    }

    /// A command of Tencent's group service that must succeed.
    async fn tencent(&self, command: &str, body: Value) -> Value {
        let answer = self.0.tencent.answer(command, &body).await;
        assert_eq!(answer["ErrorCode"], 0, "{command} {body}: {answer}");
        answer
    }

    /// The code of a command of Tencent's group service.
    async fn code(&self, command: &str, body: Value) -> u64 {
        self.0.tencent.answer(command, &body).await["ErrorCode"].as_u64().unwrap()
    }

    async fn info(&self, id: &str) -> Value {
        self.tencent("get_group_info", json!({"GroupIdList": [id]})).await["GroupInfo"][0].clone()
    }

    /// Tencent's code for a message that a member sends.
    async fn speaks(&self, id: &str, user: &str) -> u64 {
        let random = self.0.world.log.last().await.unwrap();
        let said = json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": "hi"}}]);
        let body = json!({"GroupId": id, "Random": random, "From_Account": user, "MsgBody": said});
        self.code("send_group_msg", body).await
    }

    /// A call of RongCloud's API that must succeed.
    async fn rong(&self, path: &str, form: &str) -> Value {
        let answer = self.0.rong.answer(path, form).await;
        assert_eq!(answer["code"], 200, "{path} {form}: {answer}");
        answer
    }

    /// The code of a call of RongCloud's API.
    async fn rong_code(&self, path: &str, form: &str) -> u64 {
        self.0.rong.answer(path, form).await["code"].as_u64().unwrap()
    }
}
