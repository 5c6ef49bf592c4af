//! Ids that all vendors can name.

use serde_json::json;

use super::House;

/// Other vendors write lists with commas and drop blanks around ids, so an id with either would be taken for other ids.
#[tokio::test]
async fn ids_that_lists_cannot_name_are_refused() {
    let house = House::new().await;
    for id in ["a,b", " a", "a ", ","] {
        let group = json!({"Type": "Public", "Name": "n", "GroupId": id, "Owner_Account": "ann"});
        for command in ["create_group", "import_group"] {
            assert_eq!(house.code(command, group.clone()).await, 10004, "{command} {id:?}");
        }
        let account = house.0.tencent.call("im_open_login_svc/account_import", &json!({"UserID": id})).await;
        assert!(account.is_err(), "{id:?}");
        let several = json!({"AccountList": [{"UserID": id}, {"UserID": "fay"}]});
        let several = house.0.tencent.call("im_open_login_svc/multiaccount_import", &several).await.unwrap();
        assert_eq!(several["FailAccounts"], json!([id]));
    }
    // a blank within an id is a part of it
    house
        .tencent("create_group", json!({"Type": "Public", "Name": "n", "GroupId": "a b", "Owner_Account": "ann"}))
        .await;
}
