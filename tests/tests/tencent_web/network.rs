//! A page in a browser whose network is lost in the middle of calls, and comes back.

use std::net::SocketAddr;
use std::time::Duration;

use conclave::config::Tls;
use conclave_tests::sdk::page::Page;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::browser::{LATEST_ON_PAGE, browser};
use crate::stage::{LATEST, Stage};

/// The SDK takes a connection that has lasted for less than a second for one that failed, and does not connect again.
const LASTS: Duration = Duration::from_millis(1100);

/// The SDK's codes for the network: an error, a request without a response for 15 seconds, and no network.
const NETWORK: [i64; 3] = [2800, 2801, 2805];

/// A network between a page and the gateway. While it is lost its connections are closed, and new ones wait, as packets
/// that are sent again do.
struct Network {
    address: SocketAddr,
    is_up: watch::Sender<bool>,
}

impl Network {
    async fn to(gateway: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (is_up, watched) = watch::channel(true);
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let mut up = watched.clone();
                tokio::spawn(async move {
                    if up.wait_for(|is_up| *is_up).await.is_err() {
                        return;
                    }
                    let Ok(mut server) = TcpStream::connect(gateway).await else { return };
                    tokio::select! {
                        // how a connection ends is for its two sides
                        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
                        _ = up.wait_for(|is_up| !is_up) => {}
                    }
                });
            }
        });
        Self { address, is_up }
    }

    fn is(&self, up: bool) {
        self.is_up.send_replace(up);
    }
}

/// What a page received: the texts of messages, and the groups that it was added to.
fn received(page: &Page) -> (Vec<String>, Vec<String>) {
    let (mut texts, mut groups) = (Vec::new(), Vec::new());
    for (_, messages) in page.take_all(|event| event == "MESSAGE_RECEIVED") {
        for message in messages.as_array().unwrap() {
            let payload = &message["payload"];
            texts.extend(payload["text"].as_str().map(str::to_owned));
            if payload["operationType"] == 7 {
                groups.extend(payload["groupProfile"]["groupID"].as_str().map(str::to_owned));
            }
        }
    }
    (texts, groups)
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_and_notices_survive_a_lost_network() {
    let stage = Stage::by(LATEST, &["bob"], |config| config.tls = Tls::Development).await;
    let network = Network::to(stage.served.running.addresses.shared).await;
    let alice = browser(&stage, LATEST_ON_PAGE).await;
    let sdkappid: u64 = stage.setting("TENCENT_SDKAPPID").parse().unwrap();
    let proxy = format!("wss://localhost:{}/tencent", network.address.port());
    alice.call("create", json!([{"SDKAppID": sdkappid, "proxyServer": proxy}])).await;
    let login = json!([{"userID": "alice", "userSig": stage.signature("alice", 0)}]);
    assert_eq!(alice.call("login", login).await["code"], 0);
    alice.event("SDK_READY").await;
    let members = json!([{"userID": "alice"}]);
    stage.group("bob", json!({"name": "First", "type": "Public", "groupID": "g1", "memberList": members})).await;
    while !received(&alice).1.contains(&"g1".to_owned()) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    let vendor_api = stage.served.vendor_apis().await.tencent;
    let rounds = 3;
    let mut said = Vec::new();
    for round in 0..rounds {
        tokio::time::sleep(LASTS).await;
        let calls = (0..4).map(|number| {
            let text = format!("alice {round} {number}");
            let page = &alice;
            async move { (page.call("sendText", json!(["g1", text])).await, text) }
        });
        let meanwhile = async {
            // some of the calls are on their way
            tokio::time::sleep(Duration::from_millis(3)).await;
            network.is(false);
            let text = format!("bob {round}");
            stage.calls("bob", "sendText", json!(["g1", text])).await;
            let id = format!("new{round}");
            let body = json!({"Type": "Public", "Name": id, "GroupId": id, "Owner_Account": "bob",
                "MemberList": [{"Member_Account": "alice"}]});
            vendor_api.call("group_open_http_svc/create_group", &body).await.unwrap();
            tokio::time::sleep(Duration::from_millis(500)).await;
            network.is(true);
        };
        let (answers, ()) = tokio::join!(join_all(calls), meanwhile);
        for (answer, text) in answers {
            match answer["refused"]["code"].as_i64() {
                None => said.push(text),
                Some(code) => assert!(NETWORK.contains(&code), "{answer}"),
            }
        }
        // it has connected again by itself
        while alice.event("NET_STATE_CHANGE").await["state"] != "connected" {}
    }
    // each of alice's messages that was answered is there once, and none twice
    let mut arrived: Vec<String> = Vec::new();
    while !said.iter().all(|text| arrived.contains(text)) {
        let messages = stage.on("bob").event("MESSAGE_RECEIVED").await;
        let texts = messages.as_array().unwrap().iter();
        arrived.extend(texts.filter_map(|message| message["payload"]["text"].as_str().map(str::to_owned)));
    }
    let mut sorted = arrived.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!(sorted.len(), arrived.len(), "{arrived:?}");
    // and so is what happened meanwhile
    let (mut texts, mut groups): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    alice.call("sendText", json!(["g1", "the end"])).await;
    stage.calls("bob", "sendText", json!(["g1", "the end"])).await;
    while !texts.contains(&"the end".to_owned()) || groups.len() < rounds {
        let (more, added) = received(&alice);
        texts.extend(more);
        groups.extend(added);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    groups.extend(received(&alice).1);
    groups.sort();
    assert_eq!(groups, ["new0", "new1", "new2"], "each once");
    let history: Vec<Value> = alice.call("history", json!(["g1"])).await.as_array().unwrap().clone();
    for round in 0..rounds {
        let text = format!("bob {round}");
        let times = history.iter().filter(|message| message["payload"]["text"] == *text).count();
        assert_eq!(times, 1, "{text}: {history:#?}");
    }
    assert!(alice.take_all(|event| event == "UNHANDLED_REJECTION").is_empty());
}
