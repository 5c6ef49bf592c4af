//! Messages, read marks and conversations as clients send and read them.

use conclave_tencent::Settings;
use serde_json::{Value, json};

use crate::{GROUPS, Transcript, house};

fn text(said: &str) -> Value {
    json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": said}}])
}

fn send(from: &str, group: &str, random: u64, said: &str) -> Value {
    json!({
        "From_Account": from, "GroupId": group, "Random": random, "ClientSeq": random + 1, "MsgPriority": "Normal",
        "MsgBody": text(said), "CloudCustomData": "", "OnlineOnlyFlag": 0, "MsgClientTime": 1_700_000_099_u64,
        "GroupAtInfo": [{"GroupAtAllFlag": 0, "GroupAt_Account": "bob"}], "SendMsgControl": [], "NeedReadReceipt": 1,
        "SupportMessageExtension": 0, "IsRelayMsg": 0,
    })
}

#[tokio::test]
async fn a_message_is_sent_read_recalled_and_marked_as_read() {
    let house = house(Settings::default()).await;
    let id = house.made(json!({"Type": "Public", "Name": "g", "MemberList": [{"Member_Account": "bob"}]})).await;
    let mut transcript = Transcript::of(&house);
    transcript.call("alice", "send_group_msg", send("alice", &id, 1, "hello")).await;
    transcript.call("alice", "send_group_msg", send("alice", &id, 2, "oops")).await;
    transcript.call("bob", "send_group_msg", send("alice", &id, 3, "in another's name")).await;
    transcript.call("erin", "send_group_msg", send("erin", &id, 4, "from outside")).await;
    house.world.clock.step(1000);
    transcript.call("bob", "group_msg_recall", json!({"GroupId": id, "MsgSeqList": [{"MsgSeq": 2}]})).await;
    transcript
        .call("alice", "group_msg_recall", json!({"GroupId": id, "MsgSeqList": [{"MsgSeq": 2}], "TopicId": ""}))
        .await;
    let history = json!({"GroupId": id, "ReqMsgNumber": 15, "ReqMsgSeq": 2, "WithRecalledMsg": 1});
    transcript.call("bob", "group_msg_get", history.clone()).await;
    transcript.call("bob", "group_msg_get", json!({"GroupId": id, "ReqMsgNumber": 1, "ReqMsgSeq": 2})).await;
    transcript.call("bob", "group_msg_get", json!({"GroupId": id, "ReqMsgSeqList": [1, 9], "GetType": 3})).await;
    transcript.call("erin", "group_msg_get", history).await;
    let notify = json!({"NotifyReqList": [{"NotifyType": 1, "Limit": 20, "GroupId": id, "BeginTime": 1_700_000_100_500_u64, "EndTime": 1_700_000_109_000_u64}]});
    transcript.call("bob", "batch_get_group_notify", notify).await;
    transcript
        .call("bob", "recentcontact.page_get", json!({"From_Account": "bob", "TimeStamp": 0, "StartIndex": 0}))
        .await;
    transcript.call("bob", "msg_read_report", json!({"GroupId": id, "MsgReadedSeq": 1})).await;
    transcript.call("erin", "msg_read_report", json!({"GroupId": id, "MsgReadedSeq": 1})).await;
    let all = json!({"C2CReadAllMsg": 0, "GroupReadInfo": [{"GroupId": id, "MsgSeq": 2}, {"GroupId": "nowhere", "MsgSeq": 1}]});
    transcript.call("bob", "openim.read_all_unread_msg", all).await;
    let conversations = transcript.call("bob", "recentcontact.page_get", json!({})).await;
    assert_eq!(conversations["SessionItem"][0]["UnreadMsgCount"], 0);
    transcript.call("bob", "group_msg_receipt", json!({"GroupId": id, "MsgSeqList": [{"MsgSeq": 1}]})).await;
    transcript.call("alice", "get_group_msg_receipt", json!({"GroupId": id, "MsgSeqList": [{"MsgSeq": 1}]})).await;
    transcript
        .call(
            "alice",
            "profile.portrait_get_all",
            json!({"From_Account": "alice", "UserItem": [{"To_Account": "bob"}, {"To_Account": "ghost"}]}),
        )
        .await;
    insta::assert_snapshot!("messages", transcript.lines);
}

#[tokio::test]
async fn the_muted_do_not_speak_and_learn_why() {
    let house = house(Settings::default()).await;
    let id = house.made(json!({"Type": "Public", "Name": "g", "MemberList": [{"Member_Account": "bob"}]})).await;
    house
        .done("alice", "modify_group_member_info", json!({"GroupId": id, "Member_Account": "bob", "ShutUpTime": 60}))
        .await;
    assert_eq!(house.code("bob", "send_group_msg", send("bob", &id, 1, "hi")).await, 10017);
    house
        .done("alice", "modify_group_member_info", json!({"GroupId": id, "Member_Account": "bob", "ShutUpTime": 0}))
        .await;
    house.done("bob", "send_group_msg", send("bob", &id, 1, "hi")).await;
    house.done("alice", "modify_group_base_info", json!({"GroupId": id, "ShutUpAllMember": "On"})).await;
    assert_eq!(house.code("bob", "send_group_msg", send("bob", &id, 2, "hi")).await, 10017);
    house.done("alice", "send_group_msg", send("alice", &id, 3, "silence")).await;
}

#[tokio::test]
async fn live_rooms_keep_no_history_for_clients_either() {
    let house = house(Settings::default()).await;
    let id = house.made(json!({"Type": "AVChatRoom", "Name": "live"})).await;
    assert_eq!(house.code("bob", "send_group_msg", send("bob", &id, 1, "from outside")).await, 10007);
    house.done("bob", "apply_join_group", json!({"GroupId": id})).await;
    house.done("bob", "send_group_msg", send("bob", &id, 1, "hi")).await;
    assert_eq!(house.code("bob", "group_msg_get", json!({"GroupId": id, "ReqMsgNumber": 15})).await, 10044);
}

#[tokio::test]
async fn who_may_not_speak_takes_no_room_from_those_who_may() {
    let house = house(Settings { messages_per_second: 1, ..Settings::default() }).await;
    let id = house.made(json!({"Type": "Public", "Name": "g"})).await;
    for random in 1..4 {
        assert_eq!(house.code("erin", "send_group_msg", send("erin", &id, random, "x")).await, 10007);
    }
    house.done("alice", "send_group_msg", send("alice", &id, 1, "a")).await;
    assert_eq!(house.code("alice", "send_group_msg", send("alice", &id, 2, "b")).await, 10023);
    let unknown = house.call("alice", &format!("{GROUPS}.group_msg_get_simple"), &json!({})).await;
    assert_eq!(unknown["ErrorCode"], 60010, "the server API's history is the app's");
}

#[tokio::test]
async fn tips_stand_among_the_messages_with_numbers_of_their_own() {
    let house = house(Settings::default()).await;
    let id = house.made(json!({"Type": "Public", "Name": "g", "MemberList": [{"Member_Account": "bob"}]})).await;
    house.done("alice", "send_group_msg", send("alice", &id, 1, "hello")).await;
    let both = json!({"GroupId": id, "Name": "writers", "Notification": "welcome"});
    house.done("alice", "modify_group_base_info", both).await;
    let admin = json!({"GroupId": id, "Member_Account": "bob", "Role": "Admin"});
    house.done("alice", "modify_group_member_info", admin).await;
    let plain = json!({"GroupId": id, "Member_Account": "bob", "Role": "Member", "ShutUpTime": 60});
    house.done("alice", "modify_group_member_info", plain).await;
    house.done("alice", "modify_group_base_info", json!({"GroupId": id, "ShutUpAllMember": "On"})).await;
    let mut transcript = Transcript::of(&house);
    let conversations = transcript.call("bob", "recentcontact.page_get", json!({})).await;
    let own = &conversations["SessionItem"][0];
    assert_eq!((&own["GroupNextMsgSeq"], &own["UnreadMsgCount"]), (&json!(6), &json!(5)));
    assert_eq!(own["LastMsg"]["Event"], 4);
    let history = transcript.call("bob", "group_msg_get", json!({"GroupId": id, "ReqMsgNumber": 3})).await;
    assert_eq!((&history["IsFinished"], &history["NextReqMsgSeq"]), (&json!(1), &json!(2)));
    let rest = transcript.call("bob", "group_msg_get", json!({"GroupId": id, "ReqMsgNumber": 3, "ReqMsgSeq": 2})).await;
    assert_eq!(rest["IsFinished"], 2);
    let numbers = |page: &Value| -> Vec<u64> {
        page["RspMsgList"].as_array().unwrap().iter().map(|row| row["MsgSeq"].as_u64().unwrap()).collect()
    };
    assert_eq!([numbers(&history), numbers(&rest)].concat(), [5, 4, 3, 2, 1]);
    transcript.call("bob", "group_msg_get", json!({"GroupId": id, "ReqMsgSeqList": [2], "GetType": 3})).await;
    insta::assert_snapshot!("tips", transcript.lines);
}
