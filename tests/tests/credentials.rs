//! Credentials are valid only for the account they were issued for: no token is accepted as another's, survives its
//! account, or is compared by its spelling.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a broken expectation is a panic")]

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use conclave_core::memory::Memory;
use conclave_core::model::{Key, Millis, Row, Settings};
use conclave_core::operation::{DeleteUser, OwnedGroups, UpdateUser};
use conclave_rong::InvalidToken;
use conclave_tests::client::{Answer, Client};
use conclave_tests::house::credentials::{
    ADMIN, APP, APP_KEY, APP_SECRET, CLIENT_ID, CLIENT_SECRET, ORG, SDKAPPID, SECRET_KEY,
};
use conclave_tests::house::{agora, mounted, rong, tencent};
use conclave_tests::sign::{rong_signature, user_sig};
use conclave_tests::store_suite::puts;
use conclave_tests::world::{BEGINNING, World, user};
use http::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// A dynamic token as the customer's own server generates it.
fn dynamic_token(user: &str, time: &str, life: &str) -> String {
    dynamic_token_signed_for(&format!("{user}{time}{life}"), user, time, life)
}

/// A dynamic token that signs this text, whatever its fields say.
fn dynamic_token_signed_for(signed: &str, user: &str, time: &str, life: &str) -> String {
    let appkey = format!("{ORG}#{APP}");
    let signature = hex::encode(Sha256::digest(format!("{CLIENT_ID}{appkey}{signed}{CLIENT_SECRET}").as_bytes()));
    let json = json!({"signature": signature, "appkey": appkey, "userId": user, "curTime": time, "ttl": life});
    URL_SAFE.encode(format!("dt-{json}"))
}

/// The number of groups of the bearer of this Agora token: returned to that user only.
async fn joined(client: &Client, user: &str, token: &str) -> u16 {
    let bearer = format!("Bearer {token}");
    let path = format!("/{ORG}/{APP}/chatgroups/user/{user}/joined_count");
    client.send(Method::GET, &path, &[("authorization", &bearer)], "").await.status.as_u16()
}

async fn rong_call(client: &Client, path: &str, form: &str) -> Answer {
    rong_signed(client, path, form, ["1", "2", &rong_signature(APP_SECRET, "1", "2")]).await
}

/// A call with this nonce, timestamp and signature.
async fn rong_signed(client: &Client, path: &str, form: &str, proof: [&str; 3]) -> Answer {
    let [nonce, timestamp, signature] = proof;
    let headers = [("app-key", APP_KEY), ("nonce", nonce), ("timestamp", timestamp), ("signature", signature)];
    client.send(Method::POST, path, &headers, form.to_owned()).await
}

fn sig_of(world: &World, user: &str) -> String {
    user_sig(SDKAPPID, SECRET_KEY, user, world.groups.now().seconds(), 86_400)
}

async fn tencent_call(client: &Client, identifier: &str, sig: &str, command: &str, body: Value) -> u64 {
    let path =
        format!("/v4/{command}?sdkappid={SDKAPPID}&identifier={identifier}&usersig={sig}&random=1&contenttype=json");
    client.send(Method::POST, &path, &[], body.to_string()).await.json()["ErrorCode"].as_u64().unwrap()
}

fn agora_client(world: &World) -> Client {
    mounted(agora(world, conclave_agora::Settings::default()))
}

fn rong_client(world: &World) -> Client {
    mounted(rong(world, conclave_rong::Settings::default()))
}

fn tencent_client(world: &World) -> Client {
    mounted(tencent(world, conclave_tencent::Settings::default()))
}

/// A world that begins at this time.
fn world_at(moment: Millis) -> World {
    World::at(moment, Arc::new(Memory::new()), Settings::default())
}

/// Deletes an account and creates one with the same id.
async fn replace(world: &World, id: &str) {
    world.run(DeleteUser { user: user(id), owned: OwnedGroups::Disband }).await;
    world.users(&[id]).await;
}

#[tokio::test]
async fn a_dynamic_token_is_read_in_one_way_only() {
    let world = World::new();
    world.users(&["user1", "user12", "user2"]).await;
    let client = agora_client(&world);
    let now = BEGINNING.seconds().to_string();
    for name in ["user1", "user12", "user2"] {
        assert_eq!(joined(&client, name, &dynamic_token(name, &now, "600")).await, 200, "{name}");
    }
    // user12's own token, read as user1's; and one that expires in some hundred years
    let signed = format!("user12{now}600");
    let forged = dynamic_token_signed_for(&signed, "user1", &format!("2{now}"), "600");
    assert_eq!(joined(&client, "user1", &forged).await, 401);
    for (time, life) in [(format!("{now}6"), "00"), (format!("{now}60"), "0"), (format!("{now}600"), "")] {
        let forged = dynamic_token_signed_for(&signed, "user12", &time, life);
        assert_eq!(joined(&client, "user12", &forged).await, 401, "{time} {life}");
    }
    // every other split of the text
    for end in 1..signed.len() {
        for middle in end..=signed.len() {
            let (name, time, life) = (&signed[..end], &signed[end..middle], &signed[middle..]);
            let honest = (name, time, life) == ("user12", &now, "600");
            let token = dynamic_token_signed_for(&signed, name, time, life);
            for victim in ["user1", "user12", "user2"] {
                let wanted = if honest && victim == "user12" { 200 } else { 401 };
                assert_eq!(joined(&client, victim, &token).await, wanted, "{victim} by {name} {time} {life}");
            }
        }
    }
    for (time, life) in
        [("1700009999", "600"), ("1700000100", "0600"), ("1700000100", "31536000"), ("+1700000100", "600")]
    {
        assert_eq!(joined(&client, "user1", &dynamic_token("user1", time, life)).await, 401, "{time} {life}");
    }
    // names that a customer's server takes for those of others: only ASCII letters are read without regard to case
    world.users(&["kim"]).await;
    assert_eq!(joined(&client, "kim", &dynamic_token("KIM", &now, "600")).await, 200);
    for name in ["kim ", " kim", "kim\n", "\u{212a}im", "\u{a0}kim"] {
        assert_eq!(joined(&client, "kim", &dynamic_token(name, &now, "600")).await, 401, "{name:?}");
    }
}

#[tokio::test]
async fn a_dynamic_token_that_could_be_anothers_is_refused() {
    // the first digits of this time repeat themselves
    let world = world_at(Millis(1_717_171_000_000));
    world.users(&["bob17"]).await;
    world.clock.step(720_000);
    let client = agora_client(&world);
    let token = dynamic_token("bob17", "1717171717", "86400");
    assert_eq!(joined(&client, "bob17", &token).await, 200, "nobody else could hold it");
    world.users(&["bob"]).await;
    assert_eq!(joined(&client, "bob17", &token).await, 200, "bob is younger than the token");

    let world = world_at(Millis(1_717_171_000_000));
    world.users(&["bob", "bob17"]).await;
    world.clock.step(720_000);
    let client = agora_client(&world);
    assert_eq!(joined(&client, "bob17", &token).await, 401);
    assert_eq!(joined(&client, "bob", &dynamic_token("bob", "1717171717", "1786400")).await, 401);
    // a second later there is only one reading
    assert_eq!(joined(&client, "bob17", &dynamic_token("bob17", "1717171700", "86400")).await, 200);
}

#[tokio::test]
async fn tokens_end_with_their_account_though_its_id_is_taken_again() {
    let world = World::new();
    let (agora, surface) = (agora_client(&world), rong(&world, conclave_rong::Settings::default()));
    let client = rong_client(&world);
    let get_token =
        || async { rong_call(&client, "/user/getToken.json", "userId=ann&name=Ann").await.json()["token"].clone() };
    let now = || world.groups.now().seconds().to_string();

    // the account is created by the call that issues the token
    let rong_token = get_token().await;
    let rong_token = rong_token.as_str().unwrap();
    let dynamic = dynamic_token("ann", &now(), "86400");
    assert_eq!(surface.verify(APP_KEY, rong_token).await.unwrap(), user("ann"));
    assert_eq!(joined(&agora, "ann", &dynamic).await, 200, "made in the second the account began in");

    world.clock.step(1000);
    replace(&world, "ann").await;
    assert_eq!(surface.verify(APP_KEY, rong_token).await, Err(InvalidToken::Expired));
    assert_eq!(joined(&agora, "ann", &dynamic).await, 401);
    // the new account's own token, issued in that very second
    let rong_token = get_token().await;
    assert_eq!(surface.verify(APP_KEY, rong_token.as_str().unwrap()).await.unwrap(), user("ann"));
    assert_eq!(joined(&agora, "ann", &dynamic_token("ann", &now(), "86400")).await, 200);

    // a time of issue in milliseconds is compared exactly
    world.clock.step(1);
    replace(&world, "ann").await;
    assert_eq!(surface.verify(APP_KEY, rong_token.as_str().unwrap()).await, Err(InvalidToken::Expired));
}

#[tokio::test]
async fn a_signature_ends_with_its_account_but_an_admin_needs_none() {
    let world = World::new();
    let client = tencent_client(&world);
    let list = "group_open_http_svc/get_appid_group_list";
    let admins = sig_of(&world, ADMIN);
    assert_eq!(tencent_call(&client, ADMIN, &admins, list, json!({})).await, 0, "without an account");
    world.users(&["ann"]).await;
    let anns = sig_of(&world, "ann");
    assert_eq!(tencent_call(&client, "ann", &anns, list, json!({})).await, 60_010, "a user, not an admin");
    world.clock.step(5000);
    replace(&world, "ann").await;
    assert_eq!(tencent_call(&client, "ann", &anns, list, json!({})).await, 60_010, "a former user, not an admin");
    assert_eq!(tencent_call(&client, "ann", &sig_of(&world, "ann"), list, json!({})).await, 60_010);
    // the app's own calls still work when an account with the admin's id is created
    world.users(&[ADMIN]).await;
    assert_eq!(tencent_call(&client, ADMIN, &admins, list, json!({})).await, 0);
}

#[tokio::test]
async fn nobody_is_locked_out_by_a_moment_in_the_future() {
    let world = World::new();
    world.users(&["ann", ADMIN]).await;
    let (agora, surface) = (agora_client(&world), rong(&world, conclave_rong::Settings::default()));
    let (client, tencent) = (rong_client(&world), tencent_client(&world));
    let get_token = || async {
        let answer = rong_call(&client, "/user/getToken.json", "userId=ann&name=Ann").await;
        answer.json()["token"].as_str().unwrap().to_owned()
    };
    let list = "group_open_http_svc/get_appid_group_list";
    let (old, admins) = (get_token().await, sig_of(&world, ADMIN));
    world.clock.step(1000);
    for time in ["9999999999999", "18446744073709551615"] {
        let form = format!("userId=ann&userId={ADMIN}&time={time}");
        assert_eq!(rong_call(&client, "/user/token/expire.json", &form).await.json()["code"], 200);
    }
    assert_eq!(surface.verify(APP_KEY, &old).await, Err(InvalidToken::Expired), "all tokens until now are revoked");
    let new = get_token().await;
    assert_eq!(surface.verify(APP_KEY, &new).await.unwrap(), user("ann"));
    world.clock.step(1000);
    let now = world.groups.now().seconds().to_string();
    assert_eq!(joined(&agora, "ann", &dynamic_token("ann", &now, "600")).await, 200);

    // another vendor's app revokes and blocks accounts, but not the admins of the app here
    assert_eq!(tencent_call(&tencent, ADMIN, &admins, list, json!({})).await, 0);
    world.run(UpdateUser { active: Some(false), ..UpdateUser::of(user(ADMIN)) }).await;
    assert_eq!(tencent_call(&tencent, ADMIN, &admins, list, json!({})).await, 0);
    // this vendor's own command revokes them
    let kick = json!({"UserID": ADMIN});
    assert_eq!(tencent_call(&tencent, ADMIN, &admins, "im_open_login_svc/kick", kick).await, 0);
    assert_eq!(tencent_call(&tencent, ADMIN, &admins, list, json!({})).await, 70_001);
    world.clock.step(1000);
    assert_eq!(tencent_call(&tencent, ADMIN, &sig_of(&world, ADMIN), list, json!({})).await, 0);
}

#[tokio::test]
async fn a_future_revocation_from_old_data_locks_nobody_out_for_ever() {
    let world = World::new();
    world.users(&["ann", ADMIN]).await;
    let (client, surface) = (rong_client(&world), rong(&world, conclave_rong::Settings::default()));
    let (agora, tencent) = (agora_client(&world), tencent_client(&world));
    // earlier versions stored whatever time they were given
    world.clock.step(1000);
    for id in ["ann", ADMIN] {
        let key = Key::User(user(id));
        let row = world.store.fetch(std::slice::from_ref(&key)).await.unwrap().remove(0).unwrap();
        let mut account = (**row.user().unwrap()).clone();
        account.changed = world.groups.now();
        account.tokens_from = Millis(u64::MAX);
        world.store.commit(puts([(key, Row::from(account))])).await.unwrap();
    }
    let now = || world.groups.now().seconds().to_string();
    let old = dynamic_token("ann", &(world.groups.now().seconds() - 1).to_string(), "600");
    assert_eq!(joined(&agora, "ann", &old).await, 401, "it was revoked");
    world.clock.step(1000);
    let answer = rong_call(&client, "/user/getToken.json", "userId=ann&name=Ann").await;
    let token = answer.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(surface.verify(APP_KEY, &token).await.unwrap(), user("ann"));
    assert_eq!(joined(&agora, "ann", &dynamic_token("ann", &now(), "600")).await, 200);
    let list = "group_open_http_svc/get_appid_group_list";
    assert_eq!(tencent_call(&tencent, ADMIN, &sig_of(&world, ADMIN), list, json!({})).await, 0);
}

#[tokio::test]
async fn proofs_are_compared_by_value_not_by_spelling() {
    let world = World::new();
    world.users(&["ann"]).await;
    let client = rong_client(&world);
    let lower = rong_signature(APP_SECRET, "1", "2");
    let mixed: String =
        lower.chars().enumerate().map(|(at, c)| if at % 2 == 0 { c.to_ascii_uppercase() } else { c }).collect();
    for spelling in [lower.to_uppercase(), mixed, lower.clone()] {
        let answer = rong_signed(&client, "/group/user/query.json", "groupId=g", ["1", "2", &spelling]).await;
        assert_eq!(answer.json()["code"], 200, "{spelling}");
    }
    for other in [lower[1..].to_owned(), format!("{lower}00"), format!("0x{lower}"), lower.replace('0', "o")] {
        if other != lower {
            let answer = rong_signed(&client, "/group/user/query.json", "groupId=g", ["1", "2", &other]).await;
            assert_eq!(answer.json()["code"], 1004, "{other}");
        }
    }
    let now = BEGINNING.seconds().to_string();
    let token = String::from_utf8(URL_SAFE.decode(dynamic_token("ann", &now, "600")).unwrap()).unwrap();
    let signature = hex::encode(Sha256::digest(format!("{CLIENT_ID}{ORG}#{APP}ann{now}600{CLIENT_SECRET}").as_bytes()));
    assert!(token.contains(&signature));
    let upper = URL_SAFE.encode(token.replace(&signature, &signature.to_uppercase()));
    assert_eq!(joined(&agora_client(&world), "ann", &upper).await, 200);
}

#[tokio::test]
async fn calls_are_not_repeated_where_the_settings_say_so() {
    let world = World::new();
    let with = |signature_window_ms, remembered_signatures| {
        let settings = conclave_rong::Settings { signature_window_ms, remembered_signatures, ..Default::default() };
        mounted(rong(&world, settings))
    };
    let code = async |client: &Client, nonce: &str, timestamp: &str| {
        let signature = rong_signature(APP_SECRET, nonce, timestamp);
        let answer = rong_signed(client, "/group/user/query.json", "groupId=g", [nonce, timestamp, &signature]).await;
        answer.json()["code"].as_u64().unwrap()
    };
    let now = BEGINNING.0.to_string();
    let by_default = with(0, 0);
    for _ in 0..2 {
        assert_eq!(code(&by_default, "1", &now).await, 200);
        assert_eq!(code(&by_default, "1", "1").await, 200);
    }
    let windowed = with(60_000, 0);
    for (timestamp, wanted) in
        [("1700000100", 200), ("1700000159000", 200), ("1700000161", 1004), ("1", 1004), ("now", 1004)]
    {
        assert_eq!(code(&windowed, "1", timestamp).await, wanted, "{timestamp}");
    }
    assert_eq!(code(&windowed, "1", &now).await, 200, "the same again");
    let remembering = with(60_000, 2);
    assert_eq!(code(&remembering, "14314", &now).await, 200);
    assert_eq!(code(&remembering, "14314", &now).await, 1004);
    // the same signature, with a moved boundary
    let (first, rest) = now.split_at(3);
    assert_eq!(code(&remembering, &format!("14314{first}"), rest).await, 1004);
    assert_eq!(code(&remembering, "2", &now).await, 200);
    // one with an invalid signature is not stored
    for nonce in ["3", "4", "5"] {
        let answer =
            rong_signed(&remembering, "/group/user/query.json", "groupId=g", [nonce, &now, &"0".repeat(40)]).await;
        assert_eq!(answer.json()["code"], 1004);
    }
    assert_eq!(code(&remembering, "14314", &now).await, 1004);
    assert_eq!(code(&remembering, "6", &now).await, 200);
    assert_eq!(code(&remembering, "14314", &now).await, 200, "the oldest is forgotten");
}

#[test]
fn no_surface_is_built_over_a_secret_that_protects_nothing() {
    let world = World::new();
    let agora = |secret: &str, certificate: Option<&str>| conclave_agora::AgoraRealm {
        name: "test".to_owned(),
        credentials: conclave_agora::Credentials {
            org: ORG.to_owned(),
            app: APP.to_owned(),
            client_id: CLIENT_ID.to_owned(),
            client_secret: secret.to_owned(),
            app_id: certificate.map(|_| "970CA35de60c44645bbae8a215061b33".to_owned()),
            app_certificate: certificate.map(str::to_owned),
        },
        settings: conclave_agora::Settings::default(),
        groups: world.groups.clone(),
        log: world.log.clone(),
        blobs: world.blobs.clone(),
        presence: Arc::new(conclave_kit::Nobody),
    };
    let rong = |secret: &str| conclave_rong::RongRealm {
        name: "test".to_owned(),
        credentials: conclave_rong::Credentials { app_key: APP_KEY.to_owned(), app_secret: secret.to_owned() },
        settings: conclave_rong::Settings::default(),
        groups: world.groups.clone(),
        log: world.log.clone(),
        presence: Arc::new(conclave_kit::Nobody),
    };
    let tencent = |key: &str| conclave_tencent::TencentRealm {
        name: "test".to_owned(),
        credentials: conclave_tencent::Credentials {
            sdkappid: SDKAPPID,
            secret_key: key.to_owned(),
            admins: vec![ADMIN.to_owned()],
        },
        settings: conclave_tencent::Settings::default(),
        groups: world.groups.clone(),
        log: world.log.clone(),
        blobs: world.blobs.clone(),
        presence: Arc::new(conclave_kit::Nobody),
    };
    for bad in ["", " ", "…", "...", "<secret>", "changeme", "short", &"x".repeat(64)] {
        let refusals = [
            conclave_agora::Agora::new(vec![agora(bad, None)]).err().map(|error| error.to_string()),
            conclave_agora::Agora::new(vec![agora(CLIENT_SECRET, Some(bad))]).err().map(|error| error.to_string()),
            conclave_rong::Rong::new(vec![rong(bad)]).err().map(|error| error.to_string()),
            conclave_tencent::Tencent::new(vec![tencent(bad)]).err().map(|error| error.to_string()),
        ];
        for refusal in refusals {
            let refusal = refusal.unwrap_or_else(|| panic!("{bad:?} is taken"));
            assert!(refusal.contains("realm test"), "{refusal}");
        }
    }
    assert!(conclave_agora::Agora::new(vec![agora(CLIENT_SECRET, Some("5CFd2fd1755d40ecb72977518be15d3b"))]).is_ok());
    assert!(conclave_rong::Rong::new(vec![rong(APP_SECRET)]).is_ok());
    assert!(conclave_tencent::Tencent::new(vec![tencent(SECRET_KEY)]).is_ok());
}
