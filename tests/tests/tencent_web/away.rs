//! What happens while a client is not there, and what it is given when it is again.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::stage::{Stage, is_message};

/// The SDK takes a connection that has lasted for less than a second for one that failed, and does not connect again.
const LASTS: Duration = Duration::from_millis(1100);
/// How long the SDK may take to add a group to its list.
const PATIENCE: Duration = Duration::from_secs(30);

/// The kinds of notices that a page has fetched.
async fn fetched(stage: &Stage, user: &str) -> Vec<u64> {
    let answer = stage.on(user).event("FETCHED").await;
    assert_eq!(answer["SyncFlag"], 2, "{answer}");
    let entries = answer["EventArray"].as_array().unwrap().iter();
    entries.map(|entry| entry["GroupTips"][0]["MsgBody"]["ReportType"].as_u64().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn notices_from_before_the_first_sign_in_are_in_the_list() {
    let mut stage = Stage::with(&["alice"]).await;
    let vendor_api = stage.served.vendor_apis().await.tencent;
    assert!(vendor_api.call("im_open_login_svc/account_import", &json!({"UserID": "bob"})).await.is_ok());
    let members = json!([{"userID": "bob"}]);
    stage.group("alice", json!({"name": "First", "type": "Public", "groupID": "g1", "memberList": members})).await;
    stage.group("alice", json!({"name": "Gone", "type": "Public", "groupID": "g2", "memberList": members})).await;
    stage.calls("alice", "dismissGroup", json!(["g2"])).await;
    stage.enter("bob").await;
    assert_eq!(fetched(&stage, "bob").await, [7, 7, 5]);
    assert!(stage.on("bob").take_all(is_message).is_empty(), "they are old");
    // what a client does not confirm is given to the next one as well
    stage.close("bob");
    stage.calls("alice", "setGroupMemberRole", json!([{"groupID": "g1", "userID": "bob", "role": "Admin"}])).await;
    stage.enter("bob").await;
    assert_eq!(fetched(&stage, "bob").await, [7, 7, 5, 9]);
    // with what is pushed, all before it is confirmed
    stage.calls("alice", "setGroupMemberRole", json!([{"groupID": "g1", "userID": "bob", "role": "Member"}])).await;
    stage.messages("bob", 2).await;
    stage.close("bob");
    stage.enter("bob").await;
    assert_eq!(fetched(&stage, "bob").await, Vec::<u64>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_comes_once_however_often_the_client_connects_again() {
    let mut stage = Stage::with(&["bob"]).await;
    let vendor_api = stage.served.vendor_apis().await.tencent;
    assert!(vendor_api.call("im_open_login_svc/account_import", &json!({"UserID": "alice"})).await.is_ok());
    // groups are created all the time while the client loses its connection again and again
    let (rounds, each) = (4, 8);
    for round in 0..rounds {
        tokio::time::sleep(LASTS).await;
        let create = async {
            for number in 0..each {
                let id = format!("g{}", round * each + number);
                let body = json!({"Type": "Public", "Name": id, "GroupId": id, "Owner_Account": "alice", "MemberList": [{"Member_Account": "bob"}]});
                assert!(vendor_api.call("group_open_http_svc/create_group", &body).await.is_ok());
            }
        };
        let cut = stage.on("bob").call("cut", json!([]));
        tokio::join!(create, cut);
    }
    let mut found: Vec<usize> = Vec::new();
    while found.len() < rounds * each {
        let (event, data) = stage.on("bob").take(1, is_message).await.remove(0);
        assert_eq!(event, "MESSAGE_RECEIVED", "{data}");
        let added = data.as_array().unwrap().iter().filter(|message| message["payload"]["operationType"] == 7);
        let id = |message: &Value| {
            message["payload"]["groupProfile"]["groupID"].as_str().unwrap()[1..].parse::<usize>().unwrap()
        };
        found.extend(added.map(id));
    }
    // what is pushed while the client fetches is there before what it fetches
    found.sort_unstable();
    assert_eq!(found, (0..rounds * each).collect::<Vec<_>>(), "each once");
    // the SDK adds a group to its list some time after it has shown the notice
    let begun = Instant::now();
    loop {
        let list = stage.calls("bob", "getGroupList", json!([])).await;
        let listed = list["data"]["groupList"].as_array().unwrap().len();
        if listed == rounds * each {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{listed} groups are listed");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // what the gateway gave was given once as well: the SDK had nothing to pass over
    let given = stage.on("bob").take_all(|event| event == "FETCHED");
    assert!(given.len() > rounds, "{given:#?}");
    // with what is pushed, all before it is confirmed
    let body =
        json!({"Type": "Public", "Name": "Last", "Owner_Account": "alice", "MemberList": [{"Member_Account": "bob"}]});
    assert!(vendor_api.call("group_open_http_svc/create_group", &body).await.is_ok());
    stage.messages("bob", 1).await;
    stage.calls("bob", "getGroupMemberList", json!([{"groupID": "g0"}])).await;
    stage.close("bob");
    stage.enter("bob").await;
    assert_eq!(fetched(&stage, "bob").await, Vec::<u64>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_cut_off_is_done_once_and_answered() {
    let mut stage = Stage::with(&["alice", "bob"]).await;
    let members = json!([{"userID": "bob"}]);
    stage.group("alice", json!({"name": "First", "type": "Public", "groupID": "g1", "inviteOption": "FreeAccess", "memberList": members})).await;
    for (command, method, args, pushed) in [
        ("modify_group_base_info", "updateGroupProfile", json!([{"groupID": "g1", "name": "Second"}]), 1),
        (
            "modify_group_member_info",
            "setGroupMemberMuteTime",
            json!([{"groupID": "g1", "userID": "bob", "muteTime": 60}]),
            2,
        ),
        ("delete_group_member", "deleteGroupMember", json!([{"groupID": "g1", "userIDList": ["bob"]}]), 1),
        ("add_group_member", "addGroupMember", json!([{"groupID": "g1", "userIDList": ["bob"]}]), 2),
        (
            "create_group",
            "createGroup",
            json!([{"name": "Third", "type": "Public", "groupID": "g3", "memberList": members}]),
            2,
        ),
    ] {
        tokio::time::sleep(LASTS).await;
        stage.calls("alice", "cutAt", json!([command])).await;
        let answer = stage.on("alice").call(method, args.clone()).await;
        assert!(answer["refused"].is_null(), "{method}: {answer}");
        stage.on("bob").take(pushed, is_message).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let more = stage.on("bob").take_all(is_message);
    assert!(more.is_empty(), "{more:#?}");
    let profile = stage.calls("alice", "getGroupProfile", json!([{"groupID": "g1"}])).await;
    assert_eq!(profile["data"]["group"]["name"], "Second");
    stage.enter("alice.pad").await;
    let list = stage.calls("alice.pad", "getGroupList", json!([])).await;
    let mut ids: Vec<&str> =
        list["data"]["groupList"].as_array().unwrap().iter().filter_map(|group| group["groupID"].as_str()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["g1", "g3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn conversations_begin_with_the_first_message_or_tip() {
    let mut stage = Stage::with(&["alice"]).await;
    let vendor_api = stage.served.vendor_apis().await.tencent;
    assert!(vendor_api.call("im_open_login_svc/account_import", &json!({"UserID": "bob"})).await.is_ok());
    // the app's server creates groups, and so no SDK says anything in them
    for group in ["silent", "tipped", "spoken"] {
        let body =
            json!({"Type": "Public", "Name": group, "GroupId": group, "MemberList": [{"Member_Account": "bob"}]});
        assert!(vendor_api.call("group_open_http_svc/create_group", &body).await.is_ok());
    }
    let change = json!({"GroupId": "tipped", "Name": "Tipped"});
    assert!(vendor_api.call("group_open_http_svc/modify_group_base_info", &change).await.is_ok());
    let text = json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": "hello"}}]);
    let message = json!({"GroupId": "spoken", "Random": 1, "MsgBody": text});
    assert!(vendor_api.call("group_open_http_svc/send_group_msg", &message).await.is_ok());
    stage.enter("bob").await;
    let list = stage.calls("bob", "conversations", json!([])).await;
    let mut found: Vec<Value> =
        list.as_array().unwrap().iter().filter(|one| one["conversationID"] != "@TIM#SYSTEM").cloned().collect();
    found.sort_by_key(|one| one["conversationID"].to_string());
    insta::assert_json_snapshot!(found, @r#"
    [
      {
        "conversationID": "GROUPspoken",
        "groupAtInfoList": [],
        "isRevoked": false,
        "last": {
          "text": "hello"
        },
        "lastSequence": 1,
        "messageRemindType": "AcceptAndNotify",
        "subType": "Public",
        "unreadCount": 1
      },
      {
        "conversationID": "GROUPtipped",
        "groupAtInfoList": [],
        "isRevoked": false,
        "last": {
          "groupProfile": {
            "from": "@TIM#SYSTEM",
            "groupName": "Tipped"
          },
          "memberCount": 1,
          "memberNum": 1,
          "newGroupProfile": {
            "groupName": "Tipped"
          },
          "operationType": 6,
          "operatorID": "administrator",
          "operatorInfo": {
            "avatar": "",
            "nameCard": "",
            "nick": "",
            "role": 0,
            "userID": "administrator"
          },
          "userIDList": [
            "administrator"
          ]
        },
        "lastSequence": 1,
        "messageRemindType": "AcceptAndNotify",
        "subType": "Public",
        "unreadCount": 1
      }
    ]
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn mentions_from_while_a_client_was_away_are_at_their_conversations() {
    let mut stage = Stage::with(&["alice", "bob"]).await;
    let members = json!([{"userID": "bob"}]);
    stage.group("alice", json!({"name": "First", "type": "Public", "groupID": "g1", "memberList": members})).await;
    stage.group("alice", json!({"name": "Second", "type": "Public", "groupID": "g2", "memberList": members})).await;
    let mentions = async |stage: &Stage, group: &str| {
        let list = stage.calls("bob", "conversations", json!([])).await;
        let id = format!("GROUP{group}");
        let found = list.as_array().unwrap().iter().find(|one| one["conversationID"] == id).cloned();
        let at = found.map_or_else(Vec::new, |found| found["groupAtInfoList"].as_array().unwrap().clone());
        at.iter().map(|at| json!([at["from"], at["atTypeArray"], at["messageSequence"]])).collect::<Vec<Value>>()
    };
    let say = async |stage: &Stage, group: &str, to: &str| {
        let payload = json!({"text": format!("@{to}"), "atUserList": [to]});
        stage.calls("alice", "send", json!(["TextAt", group, payload])).await["sequence"].clone()
    };
    // before it goes away, and read
    say(&stage, "g2", "bob").await;
    stage.messages("bob", 1).await;
    stage.calls("bob", "setMessageRead", json!([{"conversationID": "GROUPg2"}])).await;
    stage.close("bob");
    let first = say(&stage, "g1", "bob").await;
    let all = say(&stage, "g1", "__kImSDK_MesssageAtALL__").await;
    stage.calls("alice", "sendText", json!(["g1", "to nobody"])).await;
    stage.calls("alice", "sendText", json!(["g2", "to nobody"])).await;
    stage.enter("bob").await;
    let mut found = mentions(&stage, "g1").await;
    while found.len() < 2 {
        stage.on("bob").event("CONVERSATION_LIST_UPDATED").await;
        found = mentions(&stage, "g1").await;
    }
    assert_eq!(found, [json!(["alice", [1], first]), json!(["alice", [2], all])]);
    assert!(mentions(&stage, "g2").await.is_empty(), "it was read");
    // over a lost connection: those from meanwhile, once
    tokio::time::sleep(LASTS).await;
    let cut = stage.on("bob").call("cut", json!([]));
    let (again, _) = tokio::join!(say(&stage, "g2", "bob"), cut);
    let mut found = mentions(&stage, "g2").await;
    while found.is_empty() {
        stage.on("bob").event("CONVERSATION_LIST_UPDATED").await;
        found = mentions(&stage, "g2").await;
    }
    assert_eq!(found, [json!(["alice", [1], again])]);
    // the one in g2 may be pushed before the client has read what it missed
    let mut found = mentions(&stage, "g1").await;
    while found.len() < 2 {
        stage.on("bob").event("CONVERSATION_LIST_UPDATED").await;
        found = mentions(&stage, "g1").await;
    }
    assert_eq!(found, [json!(["alice", [1], first]), json!(["alice", [2], all])]);
}
