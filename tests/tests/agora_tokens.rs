//! Authentication at Agora's surface: each kind of token, and each way in which one is invalid.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a broken expectation is a panic")]

mod agora_support;

use agora_support::{OTHER_SECRET, Setting, access_token, app_token, call, client, realm, token, user_token};
use conclave_agora::{Agora, AgoraRealm, Settings};
use conclave_kit::SetupError;
use conclave_tests::client::{Answer, Client};
use conclave_tests::world::World;
use http::Method;
use serde_json::{Value, json};

const GROUP: &str = "/acme/demo/chatgroups/66016455491585";
const USER: &str = "/acme/demo/users/user1";

/// A world with the documented group, and its client.
async fn begin() -> (World, Client) {
    let world = World::new();
    Setting::documented().make(&world).await;
    let client = client(&world, Settings::default());
    (world, client)
}

async fn get(client: &Client, target: &str, token: &str) -> Answer {
    call(client, Method::GET, target, token, Value::Null).await
}

/// Status, error and description.
fn error_of(answer: &Answer) -> (u16, String, String) {
    let body = answer.json();
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    (answer.status.as_u16(), text("error"), text("error_description"))
}

fn error(status: u16, error: &str, description: &str) -> (u16, String, String) {
    (status, error.to_owned(), description.to_owned())
}

#[tokio::test]
async fn each_bad_token_has_its_own_answer() {
    let (world, client) = begin().await;
    let good = app_token(&client).await;
    let short = token(&client, "demo", "YXA6_CLIENT_SECRET_OF_THE_VENDOR", json!(1)).await;
    let foreign = token(&client, "other", OTHER_SECRET, json!(0)).await;
    let mut tampered = good.clone();
    tampered.replace_range(60..61, if &good[60..61] == "A" { "B" } else { "A" });
    world.clock.step(1000);

    let oauth = error(401, "unauthorized", "Unable to authenticate (OAuth)");
    let corrupt = error(401, "auth_bad_access_token", "Unable to authenticate due to corrupt access token");
    let expired = error(401, "unauthorized", "Unable to authenticate due to expired access token");
    let blank = error(401, "group_authorization", "token is blank!");
    for (target, token, wanted) in [
        (GROUP, "", &blank),
        (USER, "", &oauth),
        (GROUP, "garbage", &oauth),
        (USER, "garbage", &oauth),
        (GROUP, &tampered, &oauth),
        (USER, &tampered, &oauth),
        (GROUP, &short, &oauth),
        (USER, &short, &expired),
        (GROUP, &foreign, &corrupt),
        (USER, &foreign, &corrupt),
    ] {
        assert_eq!(error_of(&get(&client, target, token).await), *wanted, "{target} {token}");
    }
    assert_eq!(get(&client, GROUP, &good).await.status, 200);
    assert_eq!(get(&client, USER, &good).await.status, 200);
}

#[tokio::test]
async fn the_app_is_looked_for_before_the_token_and_the_token_before_the_request() {
    let (_, client) = begin().await;
    let unknown = get(&client, "/acme/nope/chatgroups/1", "garbage").await;
    assert_eq!(
        error_of(&unknown),
        error(
            404,
            "organization_application_not_found",
            "Could not find application for acme/nope from URI: acme/nope/chatgroups/1"
        )
    );
    let bad = client.send(Method::POST, "/acme/demo/chatgroups", &[("authorization", "Bearer garbage")], "{").await;
    assert_eq!(error_of(&bad), error(401, "unauthorized", "Unable to authenticate (OAuth)"));
}

#[tokio::test]
async fn a_users_token_ends_with_the_account_its_password_or_its_ban() {
    let (world, client) = begin().await;
    let app = app_token(&client).await;
    let own = "/acme/demo/users/user1/joined_chatgroups";
    let oauth = error(401, "unauthorized", "Unable to authenticate (OAuth)");

    let token = user_token(&client, "user1").await;
    assert_eq!(get(&client, own, &token).await.status, 200);

    world.clock.step(1000);
    let ban = call(&client, Method::POST, "/acme/demo/users/user1/deactivate", &app, Value::Null).await;
    assert_eq!(ban.json()["entities"][0]["activated"], false);
    assert_eq!(error_of(&get(&client, own, &token).await), oauth);
    let body = json!({"grant_type": "inherit", "username": "user1"});
    let refused = call(&client, Method::POST, "/acme/demo/token", &app, body).await;
    assert_eq!(error_of(&refused), error(400, "invalid_grant", "user not activated"));
    call(&client, Method::POST, "/acme/demo/users/user1/activate", &app, Value::Null).await;
    assert_eq!(get(&client, own, &token).await.status, 200);

    let change = json!({"newpassword": "new"});
    call(&client, Method::PUT, "/acme/demo/users/user1/password", &app, change).await;
    assert_eq!(error_of(&get(&client, own, &token).await), oauth);
    let login = json!({"grant_type": "password", "username": "USER1", "password": "new"});
    let login = call(&client, Method::POST, "/acme/demo/token", "", login).await.json();
    assert_eq!(login["user"]["username"], "user1");
    let token = login["access_token"].as_str().unwrap().to_owned();
    assert_eq!(get(&client, own, &token).await.status, 200);

    world.clock.step(1000);
    assert_eq!(call(&client, Method::DELETE, USER, &app, Value::Null).await.status, 200);
    assert_eq!(error_of(&get(&client, own, &token).await), oauth);
    // an account that is created again with the same name is another
    world.users(&["user1"]).await;
    assert_eq!(error_of(&get(&client, own, &token).await), oauth);
}

#[tokio::test]
async fn a_users_token_is_not_the_apps() {
    let (_, client) = begin().await;
    let token = user_token(&client, "user2").await;
    let corrupt = error(401, "auth_bad_access_token", "Unable to authenticate due to corrupt access token");
    for (method, target) in [
        (Method::GET, "/acme/demo/users"),
        (Method::DELETE, "/acme/demo/users/user1"),
        (Method::POST, "/acme/demo/users"),
        (Method::GET, "/acme/demo/chatgroups"),
        (Method::POST, "/acme/demo/chatgroups/66016455491585/disable"),
        (Method::POST, "/acme/demo/chatgroups/66016455491585/users"),
    ] {
        assert_eq!(error_of(&call(&client, method, target, &token, Value::Null).await), corrupt, "{target}");
    }
    let inherit = json!({"grant_type": "inherit", "username": "user1"});
    assert_eq!(error_of(&call(&client, Method::POST, "/acme/demo/token", &token, inherit).await), corrupt);
    let others = get(&client, "/acme/demo/users/user1/joined_chatgroups", &token).await;
    assert_eq!(error_of(&others).1, "group_authorization");
}

#[tokio::test]
async fn grants_are_refused_in_the_vendors_words() {
    let (_, client) = begin().await;
    let app = app_token(&client).await;
    for (token, body, wanted) in [
        ("", json!({}), error(400, "illegal_argument", "grant_type must be provided.")),
        (
            "",
            json!({"grant_type": "client_credentials", "client_id": "YXA6_CLIENT_ID"}),
            error(400, "illegal_argument", "client_secret must be provided"),
        ),
        (
            "",
            json!({"grant_type": "client_credentials", "client_id": "x", "client_secret": "YXA6_CLIENT_SECRET_OF_THE_VENDOR"}),
            error(400, "invalid_grant", "client_id does not match"),
        ),
        (
            "",
            json!({"grant_type": "password", "username": "ghost", "password": "x"}),
            error(404, "invalid_grant", "user not found"),
        ),
        // no password was ever set
        (
            "",
            json!({"grant_type": "password", "username": "user1", "password": ""}),
            error(400, "invalid_grant", "Invalid username or password."),
        ),
        (
            "",
            json!({"grant_type": "inherit", "username": "user1"}),
            error(401, "unauthorized", "Unable to authenticate (OAuth)"),
        ),
        (
            &app,
            json!({"grant_type": "inherit", "username": "bad name", "autoCreateUser": true}),
            error(400, "illegal_argument", "username [bad name] is not legal"),
        ),
        (
            &app,
            json!({"grant_type": "inherit", "username": "a".repeat(65), "autoCreateUser": true}),
            error(400, "illegal_argument", "USERNAME_TOO_LONG"),
        ),
    ] {
        let answer = call(&client, Method::POST, "/acme/demo/token", token, body.clone()).await;
        assert_eq!(error_of(&answer), wanted, "{body}");
    }
}

#[tokio::test]
async fn guesses_are_limited_and_forgotten() {
    let (world, client) = begin().await;
    let app = app_token(&client).await;
    let body = json!({"username": "guessed", "password": "right"});
    assert_eq!(call(&client, Method::POST, "/acme/demo/users", &app, body).await.status, 200);
    let sign_in = async |password: &str| {
        let body = json!({"grant_type": "password", "username": "guessed", "password": password});
        error_of(&call(&client, Method::POST, "/acme/demo/token", "", body).await)
    };
    let wrong = error(400, "invalid_grant", "Invalid username or password.");
    assert_eq!(sign_in(&"x".repeat(1 << 20)).await, wrong);
    for _ in 0..9 {
        assert_eq!(sign_in("wrong").await, wrong);
    }
    let busy = error(429, "reach_limit", "This request has reached api limit");
    assert_eq!(sign_in("wrong").await, busy);
    assert_eq!(sign_in("right").await, busy);
    world.clock.step(10_001);
    assert_eq!(sign_in("right").await.0, 200);
}

#[tokio::test]
async fn notification_settings_of_a_user_have_an_end() {
    let (_world, client) = begin().await;
    let app = app_token(&client).await;
    let put = async |range: std::ops::Range<usize>| {
        let body: Value =
            range.map(|n| (format!("notification_ignore_{n}"), json!(true))).collect::<serde_json::Map<_, _>>().into();
        call(&client, Method::PUT, USER, &app, body).await.status
    };
    assert_eq!(put(0..500).await, 200);
    assert_eq!(put(0..500).await, 200);
    assert_eq!(put(500..501).await, 400);
    assert_eq!(put(0..20_000).await, 400);
}

#[tokio::test]
async fn tokens_made_with_the_certificate_are_good_as_they_are_and_for_exchange() {
    let (world, client) = begin().await;
    let now = world.groups.now();
    let app = access_token("", now, 600);
    let user = access_token("User1", now, 600);
    assert_eq!(get(&client, USER, &app).await.status, 200);
    assert_eq!(get(&client, "/acme/demo/chatgroups/user/user1/joined_count", &user).await.json()["data"], 1);
    assert_eq!(error_of(&get(&client, USER, &user).await).1, "auth_bad_access_token");
    assert_eq!(error_of(&get(&client, USER, &access_token("", now, 0)).await).0, 401);
    assert_eq!(error_of(&get(&client, GROUP, &access_token("ghost", now, 600)).await).0, 401);

    let exchanged = call(&client, Method::POST, "/acme/demo/token", &user, json!({"grant_type": "agora"})).await.json();
    assert_eq!(exchanged["expire_timestamp"], now.seconds() * 1000 + 600_000);
    let token = exchanged["access_token"].as_str().unwrap().to_owned();
    let expires = get(&client, "/acme/demo/sdk/users/user1/token/expires", &token).await.json();
    assert_eq!(expires["expire_timestamp"], exchanged["expire_timestamp"]);
    world.clock.step(600_000);
    assert_eq!(get(&client, GROUP, &token).await.status, 401);
}

/// What was verified before is not verified again, but everything that ends a token ends it at once.
#[tokio::test]
async fn a_token_that_was_used_before_ends_like_any_other() {
    let (world, client) = begin().await;
    let app = app_token(&client).await;
    let own = "/acme/demo/chatgroups/user/user1/joined_count";
    for round in 0..2 {
        let issued = world.groups.now();
        let sealed = token(&client, "demo", "YXA6_CLIENT_SECRET_OF_THE_VENDOR", json!(600)).await;
        let (signed, of_user) = (access_token("", issued, 600), access_token("user1", issued, 600));
        for _ in 0..3 {
            assert_eq!(get(&client, GROUP, &sealed).await.status, 200);
            assert_eq!(get(&client, GROUP, &signed).await.status, 200);
            assert_eq!(get(&client, own, &of_user).await.status, 200);
        }
        // a longer or shorter one is another token
        for other in [format!("{sealed}A"), sealed[..sealed.len() - 1].to_owned(), signed[..40].to_owned()] {
            assert_eq!(get(&client, GROUP, &other).await.status, 401, "{other}");
        }
        world.clock.step(599_999);
        assert_eq!(get(&client, GROUP, &sealed).await.status, 200);
        world.clock.step(1000);
        for (target, token) in [(GROUP, &sealed), (GROUP, &signed), (own, &of_user)] {
            assert_eq!(get(&client, target, token).await.status, 401, "round {round}: {target}");
        }
    }
    let of_user = access_token("user1", world.groups.now(), 600);
    assert_eq!(get(&client, own, &of_user).await.status, 200);
    world.clock.step(1000);
    call(&client, Method::POST, "/acme/demo/users/user1/deactivate", &app, Value::Null).await;
    assert_eq!(get(&client, own, &of_user).await.status, 401, "banned");
    call(&client, Method::POST, "/acme/demo/users/user1/activate", &app, Value::Null).await;
    assert_eq!(get(&client, own, &of_user).await.status, 200);
    call(&client, Method::DELETE, USER, &app, Value::Null).await;
    assert_eq!(get(&client, own, &of_user).await.status, 401, "deleted");
}

#[tokio::test]
async fn registration_is_open_only_where_it_is_set_so() {
    let world = World::new();
    let body = json!({"username": "Ann", "password": "123", "nickname": ""});
    let closed = client(&world, Settings::default());
    let refused = call(&closed, Method::POST, "/acme/demo/users", "", body.clone()).await;
    assert_eq!(
        error_of(&refused),
        error(401, "unauthorized", "Open registration doesn't allow, so register user need token,")
    );
    let open = client(&world, Settings::for_development());
    let made = call(&open, Method::POST, "/acme/demo/users", "", body.clone()).await;
    assert_eq!(made.json()["entities"][0]["username"], "ann");
    let again = call(&open, Method::POST, "/acme/demo/users", "", body).await;
    assert_eq!(error_of(&again).1, "duplicate_unique_property_exists");
}

#[tokio::test]
async fn two_realms_cannot_be_one_app() {
    let world = World::new();
    let of = |name: &str| AgoraRealm { name: name.to_owned(), ..realm(&world, Settings::default()) };
    let twice = vec![of("a"), of("b")];
    assert!(matches!(Agora::new(twice), Err(SetupError::SameApp { .. })));
}
