//! The rows of Agora.

use conclave_agora::Settings;
use conclave_tests::client::{Answer, Client};
use conclave_tests::refused::{Refused, happenings};
use conclave_tests::world::World;
use http::Method;
use serde_json::{Value, json};

use super::agora_support::{app_token, call, client, user_token};

/// Volatile members.
const VOLATILE: [&str; 2] = ["timestamp", "duration"];

/// ann owns all groups. In 1, public and with approval, ben is an admin, cy and col are members, and bad is blocked;
/// asks is an applicant, new an invited user, and eve is in none. 2 is full; 3 is banned; 4 is private. ghost has no
/// account, off is deactivated.
async fn presupposed(client: &Client, app: &str) {
    let does = async |method: Method, target: &str, body: Value| {
        let answer = call(client, method, &format!("/acme/demo{target}"), app, body).await;
        assert_eq!(answer.status, 200, "{target}: {:?}", answer.body);
    };
    let (post, create) = (Method::POST, "/chatgroups");
    let members = ["ben", "cy", "col", "bad"];
    let one = json!({"groupid": "1", "public": true, "membersonly": true, "owner": "ann", "members": members});
    does(post.clone(), create, one).await;
    for (id, public, maxusers) in [("2", true, 2), ("3", true, 9), ("4", false, 9)] {
        let body = json!({"groupid": id, "public": public, "owner": "ann", "members": ["cy"], "maxusers": maxusers});
        does(post.clone(), create, body).await;
    }
    does(post.clone(), "/chatgroups/1/admin", json!({"newadmin": "ben"})).await;
    does(post.clone(), "/chatgroups/1/blocks/users/bad", Value::Null).await;
    does(post.clone(), "/chatgroups/3/disable", Value::Null).await;
    does(post, "/users/off/deactivate", Value::Null).await;
    for (user, target, body) in [
        ("asks", "/chatgroups/1/apply", json!({"message": "hi"})),
        ("ann", "/chatgroups/1/invite", json!({"usernames": ["new"]})),
    ] {
        let token = user_token(client, user).await;
        let answer = call(client, Method::POST, &format!("/acme/demo{target}"), &token, body).await;
        assert_eq!(answer.status, 200, "{target}: {:?}", answer.body);
    }
}

async fn send(client: &Client, app: &str, refused: &Refused) -> Answer {
    let token = match refused.by.as_str() {
        "" => app.to_owned(),
        "nobody" => String::new(),
        user => user_token(client, user).await,
    };
    let bearer = format!("Bearer {token}");
    let form = refused.body.starts_with("--b");
    let mut headers = vec![("content-type", if form { "multipart/form-data; boundary=b" } else { "application/json" })];
    if !token.is_empty() {
        headers.push(("authorization", bearer.as_str()));
    }
    let method: Method = refused.method().parse().expect("a method");
    let target = format!("/acme/demo{}", super::repeated(refused.target()));
    client.send(method, &target, &headers, super::repeated(&refused.body)).await
}

#[tokio::test]
async fn documented_errors_are_returned() {
    let world = World::new();
    world.users(&["ann", "ben", "cy", "col", "bad", "eve", "asks", "new", "off"]).await;
    let client = client(&world, Settings::default());
    let app = app_token(&client).await;
    presupposed(&client, &app).await;
    let (mut pinned, mut failed) = (Vec::new(), Vec::new());
    for refused in Refused::all("agora") {
        let before = happenings(&world).await;
        let answer = send(&client, &app, &refused).await;
        match refused.check(&answer, &VOLATILE) {
            Ok(row) => pinned.push(row),
            Err(failure) => failed.push(failure),
        }
        if happenings(&world).await != before {
            failed.push(format!("{} {} left something behind", refused.call, refused.body));
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
    insta::assert_snapshot!("agora", pinned.join("\n"));
}
