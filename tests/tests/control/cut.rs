//! Clients of the control API that disconnect before they are answered: a change happens as a whole, or not at all.

use std::net::SocketAddr;

use conclave_tests::client::Client;
use http::Method;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::app::App;
use crate::house::{Control, Realm, gateway};

/// Most times that a request is cut until one of them had been accepted before.
const ATTEMPTS: usize = 200;

/// Sends these bytes, and disconnects without reading.
async fn cut(at: SocketAddr, bytes: &[u8]) {
    let mut socket = TcpStream::connect(at).await.unwrap();
    socket.write_all(bytes).await.unwrap();
}

fn request(path: &str, length: usize, body: &[u8]) -> Vec<u8> {
    let head = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

async fn export(control: &Control, realm: &Realm) -> Vec<u8> {
    let answer = control.send(Method::GET, &realm.path("/export"), Value::Null).await;
    assert_eq!(answer.status, 200);
    answer.body.to_vec()
}

/// Waits for the change that is in progress, if any: they happen one after the other.
async fn settled(control: &Control, realm: &Realm) {
    let refused = control.refused(Method::POST, &realm.path("/groups/nobody-made-this/reset"), Value::Null).await;
    assert_eq!(refused.1, "no_such_group");
}

#[tokio::test]
async fn a_change_whose_client_disconnects_happens_as_a_whole() {
    let app = App::willing().await;
    let gateway = gateway(|_| {}).await;
    let control = Control::of(&gateway);
    let at = gateway.addresses.control.unwrap();
    let webhooks = json!({ "url": app.url("/hook"), "allow_private": true });
    let realm = control.realm(json!({ "sections": { "rong": { "webhooks": webhooks } } })).await;
    // at one moment, so that nothing but the changes makes a difference
    control.post(&realm.path("/clock/freeze"), Value::Null).await;
    let empty = export(&control, &realm).await;
    realm.create_group("g", "alice").await;
    control.post(&realm.path("/snapshots/full"), Value::Null).await;
    let full = export(&control, &realm).await;
    assert_ne!(empty, full);
    let mut notified = app.until(|requests| requests.len() == 1).await.len();

    let seed = request(&realm.path("/seed"), full.len(), &full);
    let restore = request(&realm.path("/snapshots/full/restore"), 0, b"");
    let reset = request(&realm.path("/reset"), 0, b"");
    for (what, bytes, after) in
        [("reset", &reset, &empty), ("seed", &seed, &full), ("reset", &reset, &empty), ("restore", &restore, &full)]
    {
        let before = export(&control, &realm).await;
        let mut attempts = 0;
        loop {
            attempts += 1;
            assert!(attempts <= ATTEMPTS, "{what}: no request was accepted before its client disconnected");
            cut(at, bytes).await;
            settled(&control, &realm).await;
            let now = export(&control, &realm).await;
            assert!(now == before || now == *after, "{what}: neither the old data nor the new");
            if now == *after {
                break;
            }
        }
        // a request before may still be in progress
        settled(&control, &realm).await;
    }

    // half a file changes nothing
    cut(at, &request(&realm.path("/seed"), full.len(), &full[..full.len() / 2])).await;
    settled(&control, &realm).await;
    assert_eq!(export(&control, &realm).await, full);

    // the realm is served, and its app's server is notified of what happens from now on
    for group in ["h", "i"] {
        realm.create_group(group, "alice").await;
        notified += 1;
        let requests = app.until(|requests| requests.len() >= notified).await;
        assert_eq!(requests.len(), notified, "one notification for each group");
        assert!(requests[notified - 1].body.to_string().contains(&format!("\"{group}\"")));
    }
    // a client that stays is answered
    let other = Control(Client::at(at, ""));
    assert_eq!(other.post(&realm.path("/reset"), Value::Null).await["disconnected"], 0);
    assert_eq!(export(&control, &realm).await, empty);
}
