//! Groups and members as clients create, read and change them.

use conclave_tencent::Settings;
use serde_json::json;

use crate::{COMMUNITIES, Transcript, house};

#[tokio::test]
async fn a_group_is_made_read_and_listed_as_the_sdk_asks() {
    let settings = Settings { group_keys: vec!["k1".to_owned()], ..Settings::default() };
    let house = house(settings).await;
    let mut transcript = Transcript::of(&house);
    let made = transcript.call("alice", "create_group", json!({
        "Type": "Public", "Name": "club", "Owner_Account": "alice", "Introduction": "intro", "Notification": "note",
        "ApplyJoinOption": "NeedPermission", "MemberList": [{"Member_Account": "bob"}], "WebPushFlag": 1, "FaceUrl": "",
        "AppDefinedData": [{"Key": "k1", "Value": "v1"}],
    })).await;
    let id = made["GroupId"].as_str().unwrap().to_owned();
    let base = json!([
        "Type",
        "Name",
        "Introduction",
        "Notification",
        "FaceUrl",
        "Owner_Account",
        "CreateTime",
        "InfoSeq",
        "LastInfoTime",
        "LastMsgTime",
        "MemberNum",
        "MaxMemberNum",
        "ApplyJoinOption",
        "NextMsgSeq",
        "ShutUpAllMember",
        "InviteJoinOption",
    ]);
    let own = json!(["Role", "JoinTime", "MsgSeq", "MsgFlag", "NameCard"]);
    let profile = json!({"GroupIdList": [id], "ResponseFilter": {
        "GroupBaseInfoFilter": base, "AppDefinedDataFilter_Group": ["k1"], "MemberInfoFilter": own,
    }});
    transcript.call("bob", "get_group_self_member_info", profile.clone()).await;
    transcript.call("erin", "get_group_self_member_info", profile).await;
    let list = json!({
        "Member_Account": "bob", "Limit": 200, "Offset": 0, "SupportTopic": 0, "NeedAppDefineData": 1, "ResponseFilter": {
            "GroupBaseInfoFilter": base, "SelfInfoFilter": ["Role", "JoinTime", "MsgFlag", "MsgSeq"],
        },
    });
    transcript.call("bob", "get_joined_group_list", list.clone()).await;
    transcript.call("bob", &format!("{COMMUNITIES}.get_joined_group_list"), list.clone()).await;
    transcript.call("erin", "get_joined_group_list", list).await;
    let public =
        json!({"GroupBasePublicInfoFilter": ["Type", "Name", "Owner_Account", "MemberNum", "ApplyJoinOption"]});
    transcript
        .call("erin", "get_group_public_info", json!({"GroupIdList": [id, "nowhere"], "ResponseFilter": public}))
        .await;
    let private = house.made(json!({"Type": "Private", "Name": "friends"})).await;
    transcript.call("erin", "get_group_public_info", json!({"GroupIdList": [private], "ResponseFilter": public})).await;
    insta::assert_snapshot!("group-as-clients-see-it", transcript.lines);
}

#[tokio::test]
async fn a_user_makes_groups_for_themself_only() {
    let house = house(Settings::default()).await;
    let for_another = json!({"Type": "Public", "Name": "g", "Owner_Account": "bob"});
    assert_eq!(house.code("alice", "create_group", for_another).await, 10007);
    let own = json!({"Type": "Public", "Name": "g", "GroupId": "mine", "MaxMemberCount": 2});
    house.done("alice", "create_group", own.clone()).await;
    assert_eq!(house.code("alice", "create_group", own.clone()).await, 10025);
    assert_eq!(house.code("bob", "create_group", own).await, 10021);
    let members = json!([{"Member_Account": "bob"}, {"Member_Account": "carol"}, {"Member_Account": "alice"}]);
    let many = json!({"Type": "Public", "Name": "g", "MaxMemberCount": 2, "MemberList": members});
    assert_eq!(house.code("alice", "create_group", many).await, 10038);
    let of_bob = json!({"GroupIdList": ["mine"], "Member_Account": "bob"});
    assert_eq!(house.code("alice", "get_joined_group_list", of_bob).await, 10007, "another's groups");
}

#[tokio::test]
async fn communities_are_reached_through_their_service() {
    let house = house(Settings::default()).await;
    let mut transcript = Transcript::of(&house);
    let create =
        json!({"Type": "Community", "Name": "c", "GroupId": "@TGS#_c", "Owner_Account": "alice", "SupportTopic": 1});
    transcript.call("alice", &format!("{COMMUNITIES}.create_group"), create).await;
    transcript.call("bob", &format!("{COMMUNITIES}.apply_join_group"), json!({"GroupId": "@TGS#_c"})).await;
    let list = json!({"Member_Account": "bob", "Limit": 200, "Offset": 0, "ResponseFilter": {
        "GroupBaseInfoFilter": ["Type", "Name"], "SelfInfoFilter": ["Role"],
    }});
    transcript.call("bob", &format!("{COMMUNITIES}.get_joined_group_list"), list.clone()).await;
    let others = transcript.call("bob", "get_joined_group_list", list).await;
    assert_eq!(others["TotalCount"], 0, "communities are listed by their service only");
    let members = json!({"GroupId": "@TGS#_c", "Limit": 1, "Next": "", "MemberInfoFilter": ["Role"]});
    let page = transcript.call("bob", &format!("{COMMUNITIES}.get_group_member_info"), members).await;
    let rest = json!({"GroupId": "@TGS#_c", "Limit": 1, "Next": page["Next"], "MemberInfoFilter": ["Role"]});
    transcript.call("bob", &format!("{COMMUNITIES}.get_group_member_info"), rest).await;
    let topic = json!({"GroupId": "@TGS#_c", "TopicName": "news", "TopicId": "@TGS#_c@TOPIC#_news"});
    assert_eq!(transcript.call("bob", &format!("{COMMUNITIES}.create_topic"), topic.clone()).await["ErrorCode"], 10007);
    transcript.call("alice", &format!("{COMMUNITIES}.create_topic"), topic).await;
    transcript.call("bob", &format!("{COMMUNITIES}.get_topic"), json!({"GroupId": "@TGS#_c"})).await;
    insta::assert_snapshot!("community", transcript.lines);

    let off = crate::house(Settings { communities: false, ..Settings::default() }).await;
    let answer =
        off.call("bob", &format!("{COMMUNITIES}.get_joined_group_list"), &json!({"Member_Account": "bob"})).await;
    assert_eq!(answer["ErrorCode"], 11000);
}

#[tokio::test]
async fn writers_of_attributes_hold_the_newest_version() {
    let house = house(Settings::default()).await;
    let id = house.made(json!({"Type": "Public", "Name": "g", "MemberList": [{"Member_Account": "bob"}]})).await;
    let mut transcript = Transcript::of(&house);
    let write = |seq: u64, key: &str| {
        json!({
            "GroupId": id, "GroupAttr": [{"key": key, "value": "v", "seq": 0}], "AttrMainSeq": seq, "AttrControl": ["RaceConflict"],
        })
    };
    transcript.call("alice", "set_group_attr", write(0, "k1")).await;
    assert_eq!(transcript.call("bob", "modify_group_attr", write(0, "k2")).await["ErrorCode"], 10056);
    transcript.call("bob", "modify_group_attr", write(1, "k2")).await;
    transcript.call("erin", "group_open_attr_http_svc.get_group_attr", json!({"GroupId": id, "GroupType": 0})).await;
    transcript.call("bob", "group_open_attr_http_svc.get_group_attr", json!({"GroupId": id, "GroupType": 0})).await;
    let delete = json!({"GroupId": id, "GroupAttr": [{"key": "k1", "seq": 1}], "AttrMainSeq": 2, "AttrControl": ["RaceConflict"]});
    transcript.call("bob", "delete_group_attr", delete).await;
    transcript
        .call("bob", "clear_group_attr", json!({"GroupId": id, "AttrMainSeq": 3, "AttrControl": ["RaceConflict"]}))
        .await;
    let counter = json!({"GroupId": id, "GroupCounter": [{"Key": "likes", "Value": 5}], "Mode": "Set"});
    transcript.call("bob", "update_group_counter", counter).await;
    transcript.call("alice", "get_group_counter", json!({"GroupId": id, "GroupCounterKeys": []})).await;
    insta::assert_snapshot!("attributes-and-counters", transcript.lines);
}

#[tokio::test]
async fn members_of_live_rooms_are_listed_and_marked_as_clients_ask() {
    let house = house(Settings::default()).await;
    let id = house.made(json!({"Type": "AVChatRoom", "Name": "live"})).await;
    house.done("bob", "apply_join_group", json!({"GroupId": id})).await;
    house.world.attendance.comes("bob", conclave_kit::Platform::Web);
    let mut transcript = Transcript::of(&house);
    let marks = json!({"GroupId": id, "CommandType": 1, "MemberList": [
        {"Member_Account": "bob", "Marks": [1000]}, {"Member_Account": "erin", "Marks": [1000]},
    ]});
    transcript.call("bob", "group_open_avchatroom_http_svc.modify_user_info", marks.clone()).await;
    transcript.call("alice", "group_open_avchatroom_http_svc.modify_user_info", marks).await;
    transcript
        .call("alice", "group_open_avchatroom_http_svc.get_members", json!({"GroupId": id, "Timestamp": 0}))
        .await;
    let ban = json!({"GroupId": id, "Members_Account": ["bob"], "Duration": 60, "Description": "enough"});
    transcript.call("bob", "ban_group_member", ban.clone()).await;
    transcript.call("alice", "ban_group_member", ban).await;
    transcript.call("bob", "apply_join_group", json!({"GroupId": id})).await;
    insta::assert_snapshot!("live-room", transcript.lines);
}
