#![allow(clippy::unwrap_used, reason = "tests")]

use conclave_core::event::{Happening, Joining};
use conclave_core::model::UserId;
use conclave_kit::Webhooks as _;

use super::*;

#[test]
fn callbacks_are_signed_like_the_documented_one() {
    let credentials = Credentials { app_key: "uwd1c0sxdlx2".to_owned(), app_secret: "Y1W2MeFwwwRxa0".to_owned() };
    let hooks = Webhooks { credentials, events: Vec::new(), callback: Callback::Operation };
    let notice = Notice { name: "group operation", query: Vec::new(), body: Bytes::new() };
    let query = hooks.envelope(&notice, Millis(1_408_710_653_000), 14_314).query;
    let documented = [
        ("appKey", "uwd1c0sxdlx2"),
        ("timestamp", "1408710653000"),
        ("nonce", "14314"),
        ("signature", "30be0bbca9c9b2e27578701e9fda2358a814c88f"),
    ];
    assert_eq!(query, documented.map(|(name, value)| (name, value.to_owned())));
}

#[test]
fn nothing_is_told_of_an_import() {
    let owner = UserId::new("u1").unwrap();
    let joined = |how| Happening::MembersJoined { users: vec![owner.clone()], how, members: 1 };
    assert!(!operation::is_told(&Happening::GroupGoverned { owner: owner.clone() }));
    assert!(!operation::is_told(&joined(Joining::Imported)));
    assert!(operation::is_told(&joined(Joining::Added)));
}
