//! Changes through other vendors are received here, and changes here are seen through them.

use conclave_tests::story::{VendorApi, Wanted};
use serde_json::json;

use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn groups_of_the_other_vendors_are_groups_like_any_other() {
    let mut stage = Stage::with(&["alice", "bob"]).await;
    let vendor_apis = stage.served.vendor_apis().await;
    for (vendor_api, id) in
        [(&vendor_apis.agora as &dyn VendorApi, None), (&vendor_apis.tencent as &dyn VendorApi, Some("theirs"))]
    {
        let wanted = Wanted {
            id: id.map(str::to_owned),
            name: "Theirs".to_owned(),
            introduction: "of another".to_owned(),
            owner: "alice".to_owned(),
            members: vec!["bob".to_owned()],
        };
        let group = vendor_api.create(&wanted).await.expect("a group");
        let mut created = stage.on("alice").take(2, |name| name == "GROUP_OPERATION").await;
        let joined = stage.on("bob").event("GROUP_OPERATION").await;
        assert_eq!((created[0].1["operation"].clone(), joined["operation"].clone()), (json!(0), json!(1)), "{group}");
        assert_eq!(created.remove(0).1["groupInfo"]["groupName"], "Theirs");
        assert_eq!(joined["memberInfos"][0]["userId"], "bob");

        vendor_api.rename(&group, "Renamed", "still").await.expect("a new name");
        for user in ["alice", "bob"] {
            let change = stage.on(user).event("GROUP_INFO_CHANGED").await;
            let changed = json!({"groupId": group, "groupName": "Renamed", "introduction": "still"});
            assert_eq!(change["changedGroupInfo"], changed);
        }
        let found = stage.does("bob", "getJoinedGroups", json!([[group]]), &[]).await;
        assert_eq!((&found[0]["groupName"], &found[0]["ownerId"]), (&json!("Renamed"), &json!("alice")));

        let change = json!({"groupId": group, "groupName": "Ours now"});
        stage.does("alice", "updateGroupInfo", json!([change]), &[("alice", 1), ("bob", 1)]).await;
        for vendor_api in stage.served.vendor_apis().await.all() {
            assert_eq!(vendor_api.truth(&group).await.expect("a group").name, "Ours now");
        }
        let text = json!({"$text": {"content": "hi"}});
        let to_group = json!({"conversationType": 3, "targetId": group});
        stage.does("bob", "sendMessage", json!([to_group, text]), &[("alice", 1)]).await;
        vendor_api.disband(&group).await.expect("an end");
        for user in ["alice", "bob"] {
            assert_eq!(stage.on(user).event("GROUP_OPERATION").await["operation"], 4);
        }
    }
}
