//! Joining, leaving, and deciding about applications and invitations.

use std::fmt::Write as _;

use conclave_tencent::Settings;
use serde_json::{Value, json};

use crate::{COMMUNITIES, GROUPS, Transcript, house};

#[tokio::test]
async fn joining_has_the_status_that_the_group_gives_it() {
    let house = house(Settings::default()).await;
    let mut transcript = Transcript::of(&house);
    for (kind, option) in [
        ("Public", Some("FreeAccess")),
        ("Public", Some("NeedPermission")),
        ("Public", Some("DisableApply")),
        ("Private", None),
        ("ChatRoom", None),
        ("AVChatRoom", None),
    ] {
        let id = house.made(json!({"Type": kind, "Name": "g", "ApplyJoinOption": option})).await;
        writeln!(transcript.lines, "-- {kind} {}", option.unwrap_or("as it is")).unwrap();
        let apply = json!({"GroupId": id, "ApplyMsg": "let me in", "WebPushFlag": 1, "HugeGroupHistoryMsgFlag": 1});
        transcript.call("bob", "apply_join_group", apply.clone()).await;
        transcript.call("bob", "apply_join_group", apply).await;
    }
    transcript.call("bob", "apply_join_group", json!({"GroupId": "nowhere"})).await;
    insta::assert_snapshot!("joining-statuses", transcript.lines);
}

#[tokio::test]
async fn an_application_is_listed_and_decided_once() {
    let house = house(Settings::default()).await;
    let id = house
        .made(json!({"Type": "Public", "Name": "club", "MemberList": [{"Member_Account": "bob", "Role": "Admin"}]}))
        .await;
    let mut transcript = Transcript::of(&house);
    transcript.call("carol", "apply_join_group", json!({"GroupId": id, "ApplyMsg": "let me in"})).await;
    transcript.call("carol", "get_pendency", json!({"StartTime": 0, "Limit": 20, "Handle_Account": "carol"})).await;
    let list =
        transcript.call("alice", "get_pendency", json!({"StartTime": 0, "Limit": 20, "Handle_Account": "alice"})).await;
    transcript.call("alice", &format!("{COMMUNITIES}.get_pendency"), json!({"StartTime": 0, "Limit": 20})).await;
    let entry = &list["PendencyList"][0];
    let decide = |word: &str| {
        json!({
            "GroupId": id, "Applicant_Account": entry["From_Account"], "HandleMsg": word, "ApprovalMsg": "welcome",
            "Authentication": entry["Authentication"], "MsgKey": entry["AddTime"],
        })
    };
    transcript.call("dave", "handle_apply_join_group", decide("Agree")).await;
    transcript.call("bob", "handle_apply_join_group", decide("Perhaps")).await;
    transcript.call("bob", "handle_apply_join_group", decide("Agree")).await;
    transcript.call("alice", "handle_apply_join_group", decide("Reject")).await;
    for who in ["alice", "bob"] {
        let list = transcript.call(who, "get_pendency", json!({"StartTime": 0, "Limit": 20})).await;
        assert_eq!(list["PendencyList"][0]["Handled"], if who == "bob" { 2 } else { 1 });
    }
    transcript.call("carol", "get_group_self_member_info", own(&id)).await;
    insta::assert_snapshot!("application", transcript.lines);
}

fn own(id: &str) -> Value {
    let filter = json!({"GroupBaseInfoFilter": ["Type", "Name"], "MemberInfoFilter": ["Role", "MsgFlag", "NameCard"]});
    json!({"GroupIdList": [id], "ResponseFilter": filter})
}

#[tokio::test]
async fn members_invitations_wait_for_the_managers_where_the_group_says_so() {
    let house = house(Settings::default()).await;
    let options = json!({
        "Type": "Public", "Name": "club", "InviteJoinOption": "NeedPermission", "MemberList": [{"Member_Account": "bob"}],
    });
    let id = house.made(options).await;
    let mut transcript = Transcript::of(&house);
    for invited in ["carol", "dave", "erin"] {
        let invite = json!({"GroupId": id, "MemberList": [{"Member_Account": invited}]});
        let answer = transcript.call("bob", "add_group_member", invite).await;
        assert_eq!(answer["MemberList"][0]["Result"], 3, "waits for approval");
        house.world.clock.step(1000);
    }
    let list = transcript.call("alice", "get_pendency", json!({"StartTime": 0, "Limit": 2})).await;
    let rest = json!({"StartTime": list["NextStartTime"], "Limit": 2});
    transcript.call("alice", "get_pendency", rest).await;
    // from the list: the command for invitations
    let of_list = |index: usize, word: &str| {
        let entry = &list["PendencyList"][index];
        json!({
            "GroupId": id, "Applicant_Account": entry["From_Account"], "Invited_Account": entry["To_Account"],
            "HandleMsg": word, "ApprovalMsg": "", "Authentication": entry["Authentication"],
        })
    };
    transcript.call("bob", "handle_invite_join_permission_group", of_list(0, "Agree")).await;
    transcript.call("alice", "handle_invite_join_permission_group", of_list(0, "Agree")).await;
    // from a notice: the command for applications, with the inviter as the applicant
    let entry = &list["PendencyList"][1];
    let of_notice = json!({
        "GroupId": id, "Applicant_Account": "bob", "HandleMsg": "Reject", "ApprovalMsg": "no",
        "Authentication": entry["Authentication"], "MsgKey": entry["AddTime"],
    });
    transcript.call("alice", "handle_apply_join_group", of_notice.clone()).await;
    transcript.call("alice", "handle_apply_join_group", of_notice).await;
    let roles = json!({"GroupId": id, "MemberInfoFilter": ["Role"]});
    transcript.call("alice", "get_group_member_info", roles).await;
    insta::assert_snapshot!("invitations-for-managers", transcript.lines);
}

#[tokio::test]
async fn the_invited_user_answers_where_another_vendor_has_them_asked() {
    use conclave_core::event::Actor;
    use conclave_core::model::Policy;
    use conclave_core::operation::{AddMembers, CreateGroup, NewMember, OnBlocked, OnFull, OnMember, OnUnknown, Quiet};
    use conclave_core::ports::GroupsExt;
    use conclave_tests::world::{group, user};

    let house = house(Settings::default()).await;
    let create = CreateGroup {
        id: Some(group("elsewhere")),
        ..CreateGroup::new(Some(user("alice")), Policy { invitee_consent: true, ..Policy::standard() })
    };
    house.world.groups.run(&Actor::app(), create).await.unwrap();
    for invited in ["carol", "dave"] {
        let invite = AddMembers {
            group: group("elsewhere"),
            members: vec![NewMember::now(user(invited))],
            ask: true,
            message: "come in".to_owned(),
            quiet: Quiet::Nobody,
            on_unknown: OnUnknown::Refuse,
            on_member: OnMember::Refuse,
            on_blocked: OnBlocked::Refuse,
            on_full: OnFull::Refuse,
            most: None,
        };
        house.world.groups.run(&Actor::user(user("alice")), invite).await.unwrap();
    }
    let mut transcript = Transcript::of(&house);
    let list = transcript.call("carol", "get_pendency", json!({"StartTime": 0, "Limit": 20})).await;
    assert_eq!(list["PendencyList"][0]["PendencyType"], 1);
    let answer =
        |word: &str| json!({"GroupId": "elsewhere", "Inviter_Account": "alice", "HandleMsg": word, "ApprovalMsg": ""});
    transcript.call("carol", "handle_invite_join_group", answer("Agree")).await;
    transcript.call("carol", "handle_invite_join_group", answer("Agree")).await;
    transcript.call("dave", "handle_invite_join_group", answer("Reject")).await;
    transcript.call("erin", "handle_invite_join_group", answer("Agree")).await;
    transcript.call("dave", "get_pendency", json!({"StartTime": 0, "Limit": 20})).await;
    insta::assert_snapshot!("invitation-of-oneself", transcript.lines);
}

#[tokio::test]
async fn leaving_is_for_members_and_not_for_most_owners() {
    let house = house(Settings::default()).await;
    for (kind, owner) in [("Private", 0), ("Public", 10009), ("ChatRoom", 10009), ("AVChatRoom", 10009)] {
        let id = house.made(json!({"Type": kind, "Name": "g"})).await;
        assert_eq!(house.code("erin", "quit_group", json!({"GroupId": id})).await, 10007, "{kind}: not in it");
        assert_eq!(house.code("alice", "quit_group", json!({"GroupId": id})).await, owner, "{kind}: the owner");
    }
    assert_eq!(house.code("erin", "quit_group", json!({"GroupId": "nowhere"})).await, 10015);
    assert_eq!(house.code("erin", "quit_group", json!({})).await, 10004);
}

#[tokio::test]
async fn what_is_the_apps_alone_and_what_is_unknown_is_said_as_such() {
    let house = house(Settings::default()).await;
    let import = house.call("alice", &format!("{GROUPS}.import_group"), &json!({"Type": "Public", "Name": "g"})).await;
    assert_eq!(import["ErrorCode"], 60010);
    let unknown = house.call("alice", &format!("{GROUPS}.no_such_command"), &json!({})).await;
    assert_eq!(unknown["ErrorCode"], 10003);
    let broken = house.tencent.answer_user(
        conclave_tests::house::credentials::SDKAPPID,
        conclave_tencent::SignedIn {
            user: conclave_tests::world::user("alice"),
            device: None,
            pushed_after: None,
            root_url: std::sync::Arc::default(),
        },
        "group_open_http_svc.create_group",
        b"[]",
    );
    let broken: Value = serde_json::from_slice(&broken.await).unwrap();
    assert_eq!(broken["ErrorCode"], 60003);
}
