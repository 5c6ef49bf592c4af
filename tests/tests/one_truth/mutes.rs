//! Mutes, the mute of all, and who is exempt from it.

use http::Method;
use serde_json::{Value, json};

use super::House;

/// Managers of a group that RongCloud hosts moderate it through the others, and send messages while all members are muted.
#[tokio::test]
async fn managers_of_hosted_groups_moderate_and_are_never_muted() {
    let house = House::hosted("g", 1).await;
    house.rong("entrust/group/manager/add", "groupId=g&userIds=ben").await;
    for user in ["ann", "ben"] {
        let mute = json!({"usernames": ["cy"], "mute_duration": 1000});
        assert_eq!(house.as_user(user, Method::POST, "/chatgroups/g/mute", mute).await, "200", "{user} mutes");
        assert_eq!(house.as_user(user, Method::GET, "/chatgroups/g/mute", Value::Null).await, "200");
        assert_eq!(house.as_user(user, Method::DELETE, "/chatgroups/g/mute/cy", Value::Null).await, "200");
        assert_eq!(house.as_user(user, Method::POST, "/chatgroups/g/ban", Value::Null).await, "200");
        assert_eq!(house.as_user(user, Method::GET, "/chatgroups/g/white/users", Value::Null).await, "200");
        assert_eq!(house.as_user(user, Method::POST, "/chatgroups/g/white/users/cy", Value::Null).await, "200");
        assert_eq!(house.as_user(user, Method::GET, "/chatgroups/g/blocks/users", Value::Null).await, "200");
    }
    assert_eq!(house.get("/chatgroups/g/white/users").await, json!(["ann", "ben", "cy"]));
    for (user, code) in [("ann", 0), ("ben", 0), ("cy", 0)] {
        assert_eq!(house.speaks("g", user).await, code, "{user} while everybody is muted");
    }
    house.rong("group/user/ban/whitelist/rollback", "groupId=g&userId=cy").await;
    assert_eq!(house.speaks("g", "cy").await, 10017);
}

/// Tencent's admins mute in groups that were made elsewhere, hosted or not, and read who is muted.
#[tokio::test]
async fn tencent_mutes_in_groups_made_elsewhere() {
    let house = House::hosted("g", 3).await;
    house.rong("group/create", "groupId=u&groupName=n&userId=ann,ben").await;
    house
        .agora(
            Method::POST,
            "/chatgroups",
            json!({"groupid": "p", "groupname": "n", "public": false, "owner": "ann", "members": ["ben"]}),
        )
        .await;
    for id in ["g", "u", "p"] {
        house.tencent("forbid_send_msg", json!({"GroupId": id, "Members_Account": ["ben"], "MuteTime": 60})).await;
        let muted = house.tencent("get_group_muted_account", json!({"GroupId": id})).await;
        assert_eq!(muted["MutedAccountList"][0]["Member_Account"], "ben", "{id}");
        house.tencent("modify_group_base_info", json!({"GroupId": id, "MuteAllMember": "On"})).await;
        assert_eq!(house.get(&format!("/chatgroups/{id}")).await[0]["mute"], true);
        assert_eq!(house.rong("group/ban/query", &format!("groupId={id}")).await["groupinfo"][0]["stat"], 1);
    }
}

/// A mute in all groups is shown in each group that it applies to, and only RongCloud ends it.
#[tokio::test]
async fn a_mute_in_all_groups_is_seen_in_each() {
    let house = House::of_agora("g", true).await;
    house.rong("group/user/gag/add", "userId=ben&minute=10").await;
    assert_eq!(house.speaks("g", "ben").await, 10017);
    let rows = house.get("/chatgroups/g/mute").await;
    assert_eq!((rows[0]["user"].clone(), rows.as_array().unwrap().len()), (json!("ben"), 1));
    let own = house.0.agora.call_as("ben", Method::GET, "/sdk/chatgroups/g/mute/ben", None).await.unwrap();
    assert_eq!(own["data"], true);
    let ends = house.0.world.groups.now().seconds() + 600;
    let muted = house.tencent("get_group_muted_account", json!({"GroupId": "g"})).await;
    assert_eq!(muted["MutedAccountList"], json!([{"Member_Account": "ben", "MutedUntil": ends}]));
    let info = house.info("g").await;
    let row = info["MemberList"].as_array().unwrap().iter().find(|row| row["Member_Account"] == "ben").unwrap();
    assert_eq!((&row["MuteUntil"], &row["ShutUpUntil"]), (&json!(ends), &json!(ends)));

    // the response to ending the group's own mute says that there is another
    let reason = "user: ben is muted in all groups";
    let ended = house.agora(Method::DELETE, "/chatgroups/g/mute/ben", Value::Null).await;
    assert_eq!(ended, json!([{"result": false, "user": "ben", "reason": reason}]));
    let ended =
        house.agora(Method::POST, "/chatgroups/g/mute", json!({"usernames": ["ben"], "mute_duration": 0})).await;
    assert_eq!(ended, json!([{"result": false, "user": "ben", "reason": reason}]));

    // of two mutes the longer one counts
    house.tencent("forbid_send_msg", json!({"GroupId": "g", "Members_Account": ["ben"], "MuteTime": 6000})).await;
    let muted = house.tencent("get_group_muted_account", json!({"GroupId": "g"})).await;
    assert_eq!(muted["MutedAccountList"][0]["MutedUntil"], ends - 600 + 6000);
    house.rong("group/user/gag/rollback", "userId=ben").await;
    house.agora(Method::DELETE, "/chatgroups/g/mute/ben", Value::Null).await;
    assert_eq!(house.speaks("g", "ben").await, 0);
    assert_eq!(house.get("/chatgroups/g/mute").await, json!([]));
}

/// Tencent's clients keep the end of a mute in 32 bits.
#[tokio::test]
async fn a_mute_longer_than_tencents_for_ever_is_for_ever_there() {
    let house = House::of_agora("g", true).await;
    for millis in [8_000_000_000_000_u64, u64::from(u32::MAX) * 1000, 9_007_199_254_740_991] {
        house.agora(Method::POST, "/chatgroups/g/mute", json!({"usernames": ["ben"], "mute_duration": millis})).await;
        let muted = house.tencent("get_group_muted_account", json!({"GroupId": "g"})).await;
        assert_eq!(muted["MutedAccountList"][0]["MutedUntil"], 4_294_967_295_u64, "{millis}");
        let times = house.rong("group/user/gag/list", "groupId=g").await;
        assert_eq!(times["users"][0]["time"].as_str().unwrap().len(), "9999-12-31 23:59:59".len(), "{times}");
    }
}
