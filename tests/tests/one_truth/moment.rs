//! What a vendor's API puts together from several reads is of one moment, also when the group changes in between.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use conclave_core::event::Actor;
use conclave_core::model::Millis;
use conclave_core::operation::Reply;
use conclave_core::operation::{
    AddMembers, Disband, NewMember, OnBlocked, OnFull, OnMember, OnUnknown, Operation, Quiet,
};
use conclave_core::ports::Groups;
use conclave_core::query::{Answer, Query};
use conclave_core::refusal::Refusal;
use conclave_tests::house::credentials::{ADMIN, APP, CLIENT_ID, CLIENT_SECRET, ORG, SDKAPPID, SECRET_KEY};
use conclave_tests::house::{agora, mounted, tencent};
use conclave_tests::sign::user_sig;
use conclave_tests::story::{AgoraApi, TencentApi};
use conclave_tests::world::{BEGINNING, group, user};
use http::Method;
use serde_json::{Value, json};

use super::House;

/// Groups in which something happens just before their members are listed.
struct Between {
    groups: Arc<dyn Groups>,
    what: Mutex<Option<Operation>>,
}

#[async_trait]
impl Groups for Between {
    async fn perform(&self, actor: &Actor, operation: Operation) -> Result<Reply, Refusal> {
        self.groups.perform(actor, operation).await
    }

    async fn read(&self, actor: &Actor, query: Query) -> Result<Answer, Refusal> {
        let what = matches!(query, Query::ListMembers(_)).then(|| self.what.lock().unwrap().take()).flatten();
        if let Some(what) = what {
            self.groups.perform(&Actor::app(), what).await?;
        }
        self.groups.read(actor, query).await
    }

    fn now(&self) -> Millis {
        self.groups.now()
    }
}

/// Two groups, g and h, and what happens meanwhile.
async fn house(what: Operation) -> House {
    let mut house = House::of_agora("g", true).await;
    let body = json!({"groupid": "h", "groupname": "n", "public": true, "owner": "ann", "members": ["ben"]});
    house.agora(Method::POST, "/chatgroups", body).await;
    let world = &mut house.0.world;
    world.groups = Arc::new(Between { groups: world.groups.clone(), what: Mutex::new(Some(what)) });
    let sig = user_sig(SDKAPPID, SECRET_KEY, ADMIN, BEGINNING.seconds(), 86_400);
    let through = mounted(tencent(&house.0.world, conclave_tencent::Settings::default()));
    house.0.tencent = TencentApi::new(through, SDKAPPID, ADMIN, &sig);
    let through = mounted(agora(&house.0.world, conclave_agora::Settings::default()));
    house.0.agora = AgoraApi::new(through, ORG, APP, CLIENT_ID, CLIENT_SECRET).await;
    house
}

fn added() -> Operation {
    AddMembers {
        group: group("g"),
        members: vec![NewMember::now(user("dan"))],
        ask: false,
        message: String::new(),
        quiet: Quiet::Nobody,
        on_unknown: OnUnknown::Refuse,
        on_member: OnMember::Refuse,
        on_blocked: OnBlocked::Refuse,
        on_full: OnFull::Refuse,
        most: None,
    }
    .into()
}

/// A group that is dissolved meanwhile is one entry's error, not that of the whole answer.
#[tokio::test]
async fn a_group_that_ends_meanwhile_is_an_error_of_its_own() {
    let house = house(Disband { group: group("g") }.into()).await;
    let answer = house.tencent("get_group_info", json!({"GroupIdList": ["g", "h"]})).await;
    let rows = answer["GroupInfo"].as_array().unwrap();
    assert_eq!((&rows[0]["ErrorCode"], &rows[1]["ErrorCode"]), (&json!(10010), &json!(0)), "{answer}");
    assert_eq!(rows[1]["MemberList"].as_array().unwrap().len(), 2);
}

/// The number of members is that of the list beside it.
#[tokio::test]
async fn a_list_has_as_many_members_as_the_detail_counts() {
    let rows = |list: &Value| list.as_array().unwrap().len() as u64;
    let agora = house(added()).await;
    let detail = agora.get("/chatgroups/g").await[0].clone();
    assert_eq!(detail["affiliations_count"], rows(&detail["affiliations"]), "{detail}");
    let tencent = house(added()).await;
    let info = tencent.info("g").await;
    assert_eq!(info["MemberNum"], rows(&info["MemberList"]), "{info}");
    let list = house(added()).await.tencent("get_group_member_info", json!({"GroupId": "g", "Limit": 10})).await;
    assert_eq!(list["MemberNum"], rows(&list["MemberList"]), "{list}");
}
