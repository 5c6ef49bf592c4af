//! Accepted and refused connections, and how connections end.

use conclave::Config;
use conclave::config::Data;
use conclave_core::event::Actor;
use conclave_core::operation::{DeleteUser, OwnedGroups, UpdateUser};
use conclave_core::ports::GroupsExt as _;
use conclave_tests::client::Client;
use conclave_tests::vendor::Sections as _;
use conclave_tests::world::user;
use http::Method;
use serde_json::json;

use crate::stage::{LATEST, Stage};

#[tokio::test(flavor = "multi_thread")]
async fn a_token_has_to_be_good() {
    let stage = Stage::with(&[]).await;
    let good = stage.token("alice").await;
    let page = stage.page(None).await;
    assert_eq!(page.call("connect", json!(["wrong"])).await["code"], 31004);
    // the navigator is asked once per token, so a later change shows in the connection
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
    assert_eq!(page.call("connect", json!([token])).await["code"], 31020);
    assert_eq!(stage.page(None).await.call("connect", json!([token])).await["code"], 31020);
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
async fn refused_connections_get_the_reason() {
    let stage = Stage::with(&[]).await;
    let groups = &stage.served.running.groups["dev"];
    let app = Actor::app();
    for (name, code) in [("blocked", 31009), ("deleted", 31029)] {
        let token = stage.token(name).await;
        if name == "blocked" {
            groups.run(&app, UpdateUser { active: Some(false), ..UpdateUser::of(user(name)) }).await.unwrap();
        } else {
            groups.run(&app, DeleteUser { user: user(name), owned: OwnedGroups::Orphan }).await.unwrap();
        }
        assert_eq!(stage.page(None).await.call("connect", json!([token])).await["code"], code, "{name}");
    }
    // another app's, or forged
    let token = stage.token("alice").await;
    let page = stage.page_of("no such app").await;
    assert_eq!(page.call("connect", json!([token])).await["code"], 31004);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_lasts_as_long_as_it_may() {
    let stage = Stage::of(LATEST, &[], |config| settings(config).token_lifetime = 2).await;
    // the pages first: starting one may take as long as the token is valid
    let (page, other) = (stage.page(None).await, stage.page(None).await);
    let token = stage.token("alice").await;
    assert_eq!(page.call("connect", json!([token])).await["code"], 0);
    page.call("disconnect", json!([])).await;
    tokio::time::sleep(std::time::Duration::from_millis(2100)).await;
    assert_eq!(page.call("connect", json!([token])).await["code"], 31020);
    assert_eq!(other.call("connect", json!([token])).await["code"], 31020);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_login_replaces_the_oldest() {
    let mut stage = Stage::of(LATEST, &["alice", "bob"], |config| settings(config).web_logins = 2).await;
    stage.enter("alice.pad").await;
    assert!(stage.on("alice").take_all(|name| name == "DISCONNECT").is_empty());
    stage.enter("alice.tv").await;
    assert_eq!(stage.on("alice").event("DISCONNECT").await, 31010);
    // permanently: it does not reconnect by itself, and the others stay connected
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    for (user, status) in [("alice", 2), ("alice.pad", 0), ("alice.tv", 0), ("bob", 0)] {
        assert_eq!(stage.on(user).call("getConnectionStatus", json!([])).await, status, "{user}");
    }
    let info = json!({"groupId": "g1", "groupName": "First"});
    stage.does("alice.pad", "createGroup", json!([info]), &[("alice.pad", 1), ("alice.tv", 1)]).await;
    let connections = stage.served.running.presence["dev"].connections(&[user("alice")]).await;
    assert_eq!(connections[0].len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_of_a_moved_app_are_redirected() {
    let there = Stage::with(&["bob"]).await;
    there.token("alice").await;
    there.token("dave").await;
    let here = Stage::with(&["alice", "dave"]).await;
    // a gateway that redirects to the other
    let token = there.token("dave").await;
    here.on("dave").call("disconnect", json!([])).await;
    assert_eq!(here.on("dave").call("connect", json!([token])).await["code"], 0);
    here.on("dave").call("disconnect", json!([])).await;
    let address = format!("ws://{}/rong", there.served.running.addresses.shared);
    let elsewhere = |config: &mut Config| settings(config).moved_to = Some(address);
    let here = here.restarted(elsewhere).await;
    // clients that were connected ask the navigator again when the gateway stops, and are redirected
    let page = here.on("alice");
    page.event("SUSPEND").await;
    page.event("CONNECTED").await;
    let online =
        async |stage: &Stage| stage.served.running.presence["dev"].connections(&[user("alice")]).await[0].len();
    assert_eq!((online(&here).await, online(&there).await), (0, 1));
    // a client that connects to the known address is sent to the navigator again, and then has the new one
    let admin = here.served.running.addresses.admin.unwrap();
    assert_eq!(frames_out(admin).await, 0);
    assert_eq!(here.on("dave").call("connect", json!([token])).await["code"], 0);
    assert_eq!(frames_out(admin).await, 1);
    assert_eq!(there.served.running.presence["dev"].connections(&[user("dave")]).await[0].len(), 1);
    // a client that asks the navigator first gets the new address at once
    let token = there.token("carol").await;
    let carol = here.page(None).await;
    assert_eq!(carol.call("connect", json!([token])).await["code"], 0);
    assert_eq!(there.served.running.presence["dev"].connections(&[user("carol")]).await[0].len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_reconnect_after_a_restart() {
    for version in [LATEST, "5.36.7", "5.28.0"] {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let keep = |config: &mut Config| config.data = Data::Folder(data.clone());
        let mut stage = Stage::of(version, &["alice", "bob"], keep).await;
        let info = json!({"groupId": "g1", "groupName": "First"});
        stage.does("alice", "createGroup", json!([info, ["bob"]]), &[("alice", 2), ("bob", 1)]).await;
        let mut stage = stage.restarted(keep).await;
        for user in ["alice", "bob"] {
            // asked to use the navigator again, rather than disconnected
            assert_eq!(stage.on(user).event("SUSPEND").await, 31006, "{version}");
            stage.on(user).event("CONNECTED").await;
        }
        // both have received their state before more events
        for user in ["alice", "bob"] {
            stage.on(user).event("PULL_OFFLINE_MESSAGE_FINISHED").await;
        }
        let change = json!([{"groupId": "g1", "introduction": "back"}]);
        stage.does("alice", "updateGroupInfo", change, &[("alice", 1), ("bob", 1)]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_may_have_no_hosted_groups_or_keep_clients_from_them() {
    for (hosting, code) in [(false, 24369), (true, 25413)] {
        let mut stage = Stage::of(LATEST, &["alice"], |config| {
            let settings = settings(config);
            (settings.hosting, settings.client_groups) = (hosting, false);
        })
        .await;
        stage.refused("alice", "createGroup", json!([{"groupId": "g1", "groupName": "First"}]), code).await;
        stage.refused("alice", "getJoinedGroups", json!([["g1"]]), code).await;
    }
}

/// The number of frames that a gateway has sent to this vendor's clients.
async fn frames_out(admin: std::net::SocketAddr) -> u64 {
    let answer = Client::at(admin, "").send(Method::GET, "/metrics", &[], "").await;
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    let line = text.lines().find(|line| line.starts_with(r#"conclave_frames_total{vendor="rong",direction="out"}"#));
    line.and_then(|line| line.rsplit(' ').next()).and_then(|count| count.parse().ok()).expect("a count")
}

fn settings(config: &mut Config) -> &mut conclave_rong::Settings {
    &mut config.realms[0].rong().settings
}
