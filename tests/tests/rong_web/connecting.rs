//! Who is let in, who is not, and how connections end.

use conclave_core::event::Actor;
use conclave_core::operation::UpdateUser;
use conclave_core::ports::GroupsExt as _;
use conclave_tests::world::user;
use serde_json::json;

use crate::stage::{LATEST, Stage};

#[tokio::test(flavor = "multi_thread")]
async fn a_token_has_to_be_good() {
    let stage = Stage::with(&[]).await;
    let good = stage.token("alice").await;
    let page = stage.page(None).await;
    assert_eq!(page.call("connect", json!(["wrong"])).await["code"], 31004);
    // the navigator is asked once a token, so what comes after it shows in the connection
    let connected = page.call("connect", json!([good])).await;
    assert_eq!((&connected["code"], &connected["data"]["userId"]), (&json!(0), &json!("alice")));
    assert_eq!(page.call("getConnectionStatus", json!([])).await, 0);
    let second = stage.page(None).await;
    assert_eq!(second.call("connect", json!([good])).await["code"], 0, "one may come from two devices");
    second.call("disconnect", json!([])).await;
    assert_eq!(second.call("connect", json!([good])).await["code"], 0, "and again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_counts_no_longer_ends_the_connection() {
    let stage = Stage::with(&["alice", "bob"]).await;
    let token = stage.token("alice").await;
    let page = stage.page(None).await;
    assert_eq!(page.call("connect", json!([token])).await["code"], 0);
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    let now = stage.served.running.groups["dev"].now();
    stage.api("user/token/expire", &format!("userId=alice&time={}", now.0)).await;
    assert_eq!(page.event("DISCONNECT").await, 31020);
    assert_eq!(stage.on("alice").event("DISCONNECT").await, 31020);
    // the page knows the way by heart, and is turned away at the door
    let again = page.call("connect", json!([token])).await;
    assert!([31004, 31020].map(|code| json!(code)).contains(&again["code"]), "{again}");
    assert_eq!(stage.on("bob").call("getConnectionStatus", json!([])).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_switched_off_is_sent_away() {
    let stage = Stage::with(&["alice"]).await;
    let groups = &stage.served.running.groups["dev"];
    groups.run(&Actor::app(), UpdateUser { active: Some(false), ..UpdateUser::of(user("alice")) }).await.unwrap();
    assert_eq!(stage.on("alice").event("DISCONNECT").await, 31011);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_hosting_clients_manage_no_groups() {
    let mut stage = Stage::of(LATEST, &["alice"], |config| {
        if let Some((_, settings)) = &mut config.realms[0].rong {
            settings.hosting = false;
        }
    })
    .await;
    stage.refused("alice", "createGroup", json!([{"groupId": "g1", "groupName": "First"}]), 25413).await;
    stage.refused("alice", "getJoinedGroups", json!([["g1"]]), 25413).await;
}
