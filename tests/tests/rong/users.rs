//! Accounts and tokens.

use conclave_rong::{InvalidToken, Settings};
use conclave_tests::house::credentials::APP_KEY;
use conclave_tests::house::rong;
use conclave_tests::world::BEGINNING;

use super::api::{Api, text};

#[tokio::test]
async fn a_token_says_who_connects() {
    let api = Api::new();
    let surface = rong(&api.world, Settings::default());
    let first = text(&api.ok("user/getToken", "userId=u1&name=One").await["token"]);
    api.world.clock.step(1);
    let second = text(&api.ok("user/getToken", "userId=u1&name=Two&portraitUri=http://a/b").await["token"]);
    assert_ne!(first, second);
    for token in [&first, &second] {
        assert!(token.len() <= 256 && token.ends_with('@'), "{token}");
        assert_eq!(surface.verify(APP_KEY, token).await.expect("a user").as_str(), "u1");
    }
    assert_eq!(surface.verify("another app", &first).await, Err(InvalidToken::Forged));
    assert_eq!(surface.verify(APP_KEY, &format!("A{first}")).await, Err(InvalidToken::Forged));

    // the newer token survives the older
    api.ok("user/token/expire", &format!("userId=u1&time={}", BEGINNING.0 + 1)).await;
    assert_eq!(surface.verify(APP_KEY, &first).await, Err(InvalidToken::Expired));
    assert_eq!(surface.verify(APP_KEY, &second).await.expect("a user").as_str(), "u1");

    // several at once, or none
    let third = text(&api.ok("user/getToken", "userId=u2&name=Three").await["token"]);
    api.world.clock.step(1);
    let both = format!("userId=u1&userId=u2&time={}", BEGINNING.0 + 2);
    api.refused("user/token/expire", &format!("{both}&userId=nobody"), 1002).await;
    assert_eq!(surface.verify(APP_KEY, &third).await.expect("a user").as_str(), "u2");
    api.ok("user/token/expire", &both).await;
    for token in [&second, &third] {
        assert_eq!(surface.verify(APP_KEY, token).await, Err(InvalidToken::Expired));
    }

    let info = api.ok("user/info", "userId=u1").await;
    assert_eq!(info["userName"], "Two");
    assert_eq!(info["userPortrait"], "http://a/b");
    assert_eq!(info["createTime"], "2023-11-15 06:15:00");
}

#[tokio::test]
async fn tokens_end_when_the_realm_says_so() {
    let api = Api::new();
    let token = text(&api.ok("user/getToken", "userId=u1&name=One").await["token"]);
    let surface = rong(&api.world, Settings { token_lifetime: 60, ..Settings::default() });
    assert!(surface.verify(APP_KEY, &token).await.is_ok());
    api.world.clock.step(60_000);
    assert_eq!(surface.verify(APP_KEY, &token).await, Err(InvalidToken::Expired));
}

#[tokio::test]
async fn what_is_not_given_stays() {
    let api = Api::new();
    api.ok("user/getToken", "userId=u1&name=One&portraitUri=p").await;
    api.ok("user/refresh", "userId=u1&name=Uno").await;
    let info = api.ok("user/info", "userId=u1").await;
    assert_eq!((&info["userName"], &info["userPortrait"]), (&"Uno".into(), &"p".into()));
    api.ok("user/refresh", "userId=u1&portraitUri=q").await;
    let info = api.ok("user/info", "userId=u1").await;
    assert_eq!((&info["userName"], &info["userPortrait"]), (&"Uno".into(), &"q".into()));
}

#[tokio::test]
async fn wrong_fields_are_refused() {
    let api = Api::new();
    let long = "u".repeat(65);
    for (path, form, code) in [
        ("user/getToken", "name=n".to_owned(), 1002),
        ("user/getToken", "userId=u1".to_owned(), 1002),
        ("user/getToken", "userId=u1&name=".to_owned(), 1002),
        ("user/getToken", format!("userId={long}&name=n"), 1005),
        ("user/getToken", format!("userId=u1&name={long}"), 1005),
        ("user/getToken", format!("userId=u1&name=n&portraitUri={}", "p".repeat(1025)), 1005),
        ("user/getToken", "userId=a b&name=n".to_owned(), 1002),
        ("user/getToken", "userId=a@b&name=n".to_owned(), 1002),
        ("user/refresh", "userId=nobody&name=n".to_owned(), 1002),
        ("user/info", "userId=nobody".to_owned(), 1002),
        ("user/token/expire", "userId=nobody&time=1".to_owned(), 1002),
        ("user/token/expire", "userId=nobody".to_owned(), 1002),
        ("user/token/expire", "userId=nobody&time=soon".to_owned(), 1002),
    ] {
        api.refused(path, &form, code).await;
    }
    api.ok("user/getToken", &format!("userId={}&name={}", "u".repeat(64), "字".repeat(64))).await;
    // accounts created elsewhere keep their spelling
    api.world.users(&["bob@example"]).await;
    api.ok("user/getToken", "userId=bob@example&name=Bob").await;
}
