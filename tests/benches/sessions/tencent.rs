//! Sessions of Tencent's Web SDK: frames of JSON, as they are and compressed.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use conclave_tests::sign::user_sig;
use serde_json::{Value, json};

use crate::audience::{Audience, Opening};
use crate::shared::process::Server;
use crate::shared::vendors::Clients;
use crate::{Delivery, HALL, IDLE, ROUNDS, against_floor, rounded};

pub async fn measure() -> Value {
    json!({
        "idle": idle().await,
        "fan_out": fan_out("", "hello").await,
        // frames of less than a kilobyte are not compressed
        "fan_out_long": fan_out("", &words(LONG)).await,
        "fan_out_compressed": fan_out("&compress=gzip", &words(LONG)).await,
    })
}

async fn gather(server: &Server, prefix: &str, count: usize, more: &str) -> Audience {
    let env = server.env();
    let (sdkappid, key) = (env["TENCENT_SDKAPPID"].as_str(), env["TENCENT_SECRET_KEY"].as_str());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let path = |index: usize| {
        let query = format!("sdkappid={sdkappid}&platform=7&instanceid={prefix}{index}{more}");
        format!("/tencent/binfo?{query}")
    };
    let paths: Vec<String> = (0..count).map(path).collect();
    let sign_in = |index: usize| {
        let user = format!("{prefix}{index}");
        let signature = user_sig(sdkappid.parse().unwrap(), key, &user, now, 86_400);
        let head = json!({
            "servcmd": "im_open_status.wslogin", "seq": 1, "identifier": user, "usersig": signature,
        });
        vec![Bytes::from(json!({"head": head, "body": {"State": "Online"}}).to_string())]
    };
    Audience::gather(server.address, &paths, &Opening::Says((0..count).map(sign_in).collect())).await
}

/// Letters of a long message.
const LONG: usize = 3000;

/// A text of so many letters, of different words.
fn words(letters: usize) -> String {
    let mut words = String::with_capacity(letters + 16);
    let mut number = 1_u64;
    while words.len() < letters {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        words.push_str(["some", "words", "of", "a", "message", "to", "many", "members"][(number >> 61) as usize]);
    }
    words
}

/// Resident memory of idle sessions.
async fn idle() -> Value {
    let server = Server::conclave("memory").await;
    // accounts are created at the first sign-in, and are no part of a session: here by another vendor's tokens
    Clients::new(&server).await.paths(&server, "idle", IDLE).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let before = server.resident_megabytes();
    let audience = gather(&server, "idle", IDLE, "").await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let after = server.resident_megabytes();
    drop(audience);
    let each = (after - before) * 1024.0 / IDLE as f64;
    json!({"sessions": IDLE, "kilobytes_a_session": rounded(each), "resident_mb": after})
}

/// A message in a group whose members are all online, against a bare broadcast.
async fn fan_out(more: &str, words: &str) -> Value {
    let server = Server::conclave("memory").await;
    let mut audience = gather(&server, "hall", HALL, more).await;
    let clients = Clients::new(&server).await;
    clients.group(&server, "hall", "hall", HALL).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let say = async |_: &mut Audience| clients.say_words(&server, "hall", "hall0", words).await;
    let conclave = Delivery::of(&server, &mut audience, HALL, ROUNDS, say).await;
    let frame = Bytes::from(vec![0; audience.frame_bytes()]);
    drop(audience);
    server.stop();
    against_floor(&conclave, frame).await
}
