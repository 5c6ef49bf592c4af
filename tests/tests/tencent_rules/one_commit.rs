//! All changes of one call are decided and committed together, and a refusal undoes all of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use conclave_core::event::Actor;
use conclave_core::model::Millis;
use conclave_core::operation::{Operation, Reply};
use conclave_core::ports::Groups;
use conclave_core::query::{Answer, Query};
use conclave_core::refusal::Refusal;
use conclave_tencent::{Settings, SignedIn, Tencent, TencentRealm};
use conclave_tests::house::credentials::{ADMIN, SDKAPPID};
use conclave_tests::house::mounted;
use conclave_tests::world::{World, user};
use serde_json::{Value, json};

use crate::tencent_support::{call, realm};

/// Counts the operations: each is one commit.
struct Counted {
    groups: Arc<dyn Groups>,
    performed: AtomicUsize,
}

#[async_trait]
impl Groups for Counted {
    async fn perform(&self, actor: &Actor, operation: Operation) -> Result<Reply, Refusal> {
        self.performed.fetch_add(1, Ordering::SeqCst);
        self.groups.perform(actor, operation).await
    }

    async fn read(&self, actor: &Actor, query: Query) -> Result<Answer, Refusal> {
        self.groups.read(actor, query).await
    }

    fn now(&self) -> Millis {
        self.groups.now()
    }
}

#[tokio::test]
async fn each_call_commits_once() {
    let world = World::new();
    world.users(&["alice", "bob", "carol", "dave"]).await;
    let counted = Arc::new(Counted { groups: world.groups.clone(), performed: AtomicUsize::new(0) });
    let realm = realm(&world, SDKAPPID, Settings::default());
    let client = mounted(Tencent::new(vec![TencentRealm { groups: counted.clone(), ..realm }]).unwrap());
    let member = |who: &str| json!({"Member_Account": who});
    for (command, body) in [
        (
            "group_open_http_svc/create_group",
            json!({
                "Type": "Public", "Name": "g", "GroupId": "g", "Owner_Account": "alice", "MemberList": [member(ADMIN), member("bob")],
            }),
        ),
        (
            "group_open_http_svc/import_group",
            json!({"Type": "Public", "Name": "g", "GroupId": "old", "Owner_Account": ADMIN}),
        ),
        (
            "group_open_http_svc/add_group_member",
            json!({"GroupId": "old", "MemberList": [member(ADMIN), member("carol")]}),
        ),
        (
            "group_open_http_svc/import_group_member",
            json!({"GroupId": "g", "MemberList": [
                {"Member_Account": "carol", "UnreadMsgNum": 3}, {"Member_Account": ADMIN},
            ]}),
        ),
        (
            "group_open_http_svc/modify_group_member_info",
            json!({
                "GroupId": "g", "Member_Account": "bob", "Role": "Admin", "NameCard": "Bob", "MsgFlag": "Discard", "MuteTime": 60,
            }),
        ),
        (
            "group_open_http_svc/forbid_send_msg",
            json!({"GroupId": "g", "Members_Account": ["bob", "carol"], "MuteTime": 60}),
        ),
        ("group_open_http_svc/create_group", json!({"Type": "AVChatRoom", "Name": "live", "GroupId": "live"})),
        (
            "group_open_avchatroom_http_svc/modify_admin",
            json!({
                "GroupId": "live", "CommandType": 1, "Admin_Account": [ADMIN, "bob"],
            }),
        ),
        ("im_open_login_svc/kick", json!({"UserID": "carol"})),
        (
            "im_open_login_svc/account_delete",
            json!({"DeleteItem": [{"UserID": "bob"}, {"UserID": "nobody"}, {"UserID": "dave"}]}),
        ),
    ] {
        let before = counted.performed.load(Ordering::SeqCst);
        let answer = call(&client, command, &body).await;
        assert_eq!(answer["ErrorCode"], 0, "{command}: {answer}");
        assert_eq!(counted.performed.load(Ordering::SeqCst) - before, 1, "{command}: {answer}");
    }
}

#[tokio::test]
async fn a_call_that_is_refused_in_part_changes_nothing() {
    let world = World::new();
    world.users(&["alice", "bob", "carol"]).await;
    let tencent = Tencent::new(vec![realm(&world, SDKAPPID, Settings::default())]).unwrap();
    let call = async |who: &str, command: &str, body: Value| -> Value {
        let caller =
            SignedIn { user: user(who), device: None, pushed_after: None, root_url: std::sync::Arc::default() };
        let command = format!("group_open_http_svc.{command}");
        let answer = tencent.answer_user(SDKAPPID, caller, &command, body.to_string().as_bytes()).await;
        serde_json::from_slice(&answer).unwrap()
    };
    let members = json!([{"Member_Account": "bob", "Role": "Admin"}, {"Member_Account": "carol"}]);
    call("alice", "create_group", json!({"Type": "Public", "Name": "g", "GroupId": "g", "MemberList": members})).await;
    let before = world.log.last().await.unwrap();
    // an admin changes cards and mutes, but adds no admins
    let all = json!({"GroupId": "g", "Member_Account": "carol", "NameCard": "c", "ShutUpTime": 60, "Role": "Admin"});
    assert_eq!(call("bob", "modify_group_member_info", all.clone()).await["ErrorCode"], 10007);
    assert_eq!(world.log.last().await.unwrap(), before);
    assert_eq!(call("alice", "modify_group_member_info", all).await["ErrorCode"], 0);
    let read = json!({"GroupId": "g", "Member_List_Account": ["carol"], "MemberInfoFilter": ["Role", "NameCard", "ShutUpUntil"]});
    let carol = &call("bob", "get_specified_group_member_info", read).await["MemberList"][0];
    assert_eq!((&carol["Role"], &carol["NameCard"]), (&json!("Admin"), &json!("c")));
    assert_ne!(carol["ShutUpUntil"], 0);
}
