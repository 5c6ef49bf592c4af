//! Ids that all vendors can name.

use conclave_tests::story::VendorApi as _;
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

/// Today's documentation names an app by its id alone.
#[tokio::test]
async fn every_route_of_agora_answers_under_the_apps_id() {
    use conclave_agora::{Agora, AgoraRealm, Credentials, Settings};
    use conclave_tests::house::credentials::{APP, CLIENT_ID, CLIENT_SECRET, ORG};

    let world = conclave_tests::world::World::new();
    let id = "970ca35de60c44645bbae8a215061b33";
    let realm = AgoraRealm {
        name: "test".to_owned(),
        credentials: Credentials {
            org: ORG.to_owned(),
            app: APP.to_owned(),
            client_id: CLIENT_ID.to_owned(),
            client_secret: CLIENT_SECRET.to_owned(),
            app_id: Some(id.to_owned()),
            app_certificate: Some("5cfd2fd1755d40ecb72977518be15d3b".to_owned()),
        },
        settings: Settings::default(),
        groups: world.groups.clone(),
        log: world.log.clone(),
        blobs: world.blobs.clone(),
        presence: world.attendance.clone(),
    };
    let client = conclave_tests::house::mounted(Agora::new(vec![realm]).unwrap());
    let by_id = conclave_tests::story::AgoraApi::new(client.clone(), "app-id", id, CLIENT_ID, CLIENT_SECRET).await;
    by_id.register(&["ann"]).await.unwrap();
    let body = json!({"groupname": "n", "public": true, "owner": "ann"});
    let made = by_id.call(http::Method::POST, "/chatgroups", Some(body)).await.unwrap();
    let path = format!("/chatgroups/{}", made["data"]["groupid"].as_str().unwrap());
    let by_key = conclave_tests::story::AgoraApi::new(client.clone(), ORG, APP, CLIENT_ID, CLIENT_SECRET).await;
    for vendor_api in [&by_id, &by_key] {
        let detail = vendor_api.call(http::Method::GET, &path, None).await.unwrap();
        assert_eq!((&detail["data"][0]["owner"], &detail["organization"]), (&json!("ann"), &json!(ORG)));
    }
    let headers = [("authorization", "Bearer x")];
    let unknown = client.send(http::Method::GET, "/app-id/ffff/chatgroups", &headers, "").await;
    assert_eq!(unknown.status, 404, "{}", unknown.json());
}
