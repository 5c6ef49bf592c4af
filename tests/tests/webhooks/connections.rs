//! Users coming online and going offline, over real connections.

use conclave_tests::vendor::Sections as _;
use std::time::Duration;

use bytes::Bytes;
use conclave::Running;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::app::{Answer, App, Received};
use crate::house::{BackEnd, RONG, gateway, metric, to_rong};

pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Connects a client; it is accepted when this returns.
pub async fn come(gateway: &Running, user: &str) -> Socket {
    let token = BackEnd::of(gateway).call("/user/getToken.json", &format!("userId={user}&name=N")).await;
    let token = token["token"].as_str().unwrap();
    let query = format!("appId={}&token={token}&apiVer=browser%7CChrome%7C1&protocolVer=3", RONG.0);
    let url = format!("ws://{}/rong/websocket?{query}", gateway.addresses.shared);
    let mut socket = connect_async(url).await.unwrap().0;
    match timeout(Duration::from_secs(10), socket.next()).await.unwrap() {
        Some(Ok(Message::Binary(frame))) => assert_eq!(frame[..3], [0x20, 0, 0]),
        other => panic!("not let in: {other:?}"),
    }
    socket
}

/// User, status and kind of each element, in the order of the notifications.
fn statuses(requests: &[Received]) -> Vec<(String, String, String)> {
    let elements = requests
        .iter()
        .filter(|request| request.status == 200)
        .flat_map(|request| request.body.as_array().unwrap().clone());
    let text = |element: &Value, key: &str| element[key].as_str().unwrap().to_owned();
    elements.map(|element| (text(&element, "userid"), text(&element, "status"), text(&element, "os"))).collect()
}

fn of(rows: &[(&str, &str)]) -> Vec<(String, String, String)> {
    rows.iter().map(|(user, status)| ((*user).to_owned(), (*status).to_owned(), "Websocket".to_owned())).collect()
}

async fn requests(app: &App, rows: &[(&str, &str)]) -> Vec<Received> {
    let count = rows.len();
    let requests = app.until(move |requests| statuses(requests).len() >= count).await;
    assert_eq!(statuses(&requests), of(rows));
    requests
}

#[tokio::test]
async fn connection_events_are_sent_in_order() {
    // refused at first: later events wait
    let app = App::answering(|_, before| Answer::of(if before == 0 { 503 } else { 200 })).await;
    let gateway = gateway(|config| {
        config.realms[0].rong().webhooks = to_rong(app.url("/groups"));
        config.realms[0].rong().webhooks.url = None;
        config.realms[0].rong().webhooks.online_url = Some(app.url("/online"));
    })
    .await;
    let alice = come(&gateway, "alice").await;
    requests(&app, &[("alice", "0")]).await;
    let mut bob = come(&gateway, "bob").await;
    requests(&app, &[("alice", "0"), ("bob", "0")]).await;
    // one signs out, the other's connection breaks
    bob.send(Message::Binary(Bytes::from_static(&[0xe0, 0, 4]))).await.unwrap();
    requests(&app, &[("alice", "0"), ("bob", "0"), ("bob", "2")]).await;
    drop(alice);
    let so_far = [("alice", "0"), ("bob", "0"), ("bob", "2"), ("alice", "1")];
    let all = requests(&app, &so_far).await;
    let first = &all[0].body[0];
    let address: std::net::SocketAddr = first["clientIp"].as_str().unwrap().parse().unwrap();
    assert!(address.ip().is_loopback() && first["time"].is_u64());
    // the same connection under the same id
    assert_eq!(first["sessionId"], all.last().unwrap().body[0]["sessionId"]);
    let labels = "rong\",destination=\"online";
    assert!(metric(&gateway, "conclave_webhooks_retried_total", labels).await >= 1.0);

    // users who are still connected when the process stops are reported offline
    let _carol = come(&gateway, "carol").await;
    gateway.shutdown().await;
    requests(&app, &[&so_far[..], &[("carol", "0"), ("carol", "1")]].concat()).await;
}
