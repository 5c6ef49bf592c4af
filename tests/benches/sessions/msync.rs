//! The same of Agora's client protocol, and what signing in costs a user of many groups.

use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Delivery, HALL, IDLE, rounded};
use crate::audience::{Audience, Opening};
use crate::shared::process::Server;
use crate::shared::vendors::{AgoraClients, Clients};

/// Events that are sent: clients that acknowledge nothing are pushed 32 items of a queue.
const ROUNDS: usize = 30;
/// Groups of a user, few and many.
const GROUPS: [usize; 2] = [10, 3000];
/// Sessions at once while the devices are stored.
const FEW: usize = 20;
/// Sign-ins of each kind.
const SIGN_INS: usize = 20;

/// Everything.
pub async fn measure() -> Value {
    json!({
        "what": "Agora Chat sessions (MSYNC) over WebSockets, in memory, against a bare broadcast of frames of the same size",
        "command": "cargo bench -p conclave-tests --bench sessions -- msync",
        "idle": idle().await,
        "fan_out": fan_out().await,
        "joined_groups": joined_groups().await,
    })
}

/// Connects these users.
async fn gather(server: &Server, clients: &AgoraClients, prefix: &str, count: usize) -> Audience {
    let frames = clients.frames(server, prefix, count).await;
    Audience::gather(server.address, &vec![clients.path(); count], &Opening::Says(frames)).await
}

/// Resident memory of idle sessions.
async fn idle() -> Value {
    let server = Server::conclave("memory").await;
    let clients = AgoraClients::new(&server).await;
    let frames = clients.frames(&server, "idle", IDLE).await;
    // a user's device is stored at its first sign-in, and is no part of a session
    for few in frames.chunks(FEW) {
        let opening = Opening::Says(few.to_vec());
        drop(Audience::gather(server.address, &vec![clients.path(); few.len()], &opening).await);
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let before = server.resident_megabytes();
    let audience = Audience::gather(server.address, &vec![clients.path(); IDLE], &Opening::Says(frames)).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let after = server.resident_megabytes();
    drop(audience);
    let each = (after - before) * 1024.0 / IDLE as f64;
    json!({"sessions": IDLE, "kilobytes_a_session": rounded(each), "resident_mb": after})
}

/// A message in a group whose members are all online, against a bare broadcast.
async fn fan_out() -> Value {
    let server = Server::conclave("memory").await;
    let (clients, senders) = (AgoraClients::new(&server).await, Clients::new(&server).await);
    senders.group(&server, "hall", "hall", HALL).await;
    let mut audience = gather(&server, &clients, "hall", HALL).await;
    let send = async |_: &mut Audience| senders.say(&server, "hall", "hall0").await;
    let conclave = Delivery::of(&server, &mut audience, HALL, ROUNDS, send).await;
    let frame = Bytes::from(vec![0; audience.frame_bytes()]);
    drop(audience);
    server.stop();

    let server = Server::spawn_floor();
    let mut audience = Audience::gather(server.address, &vec!["/".to_owned(); HALL + 1], &Opening::Nothing).await;
    let send = async |audience: &mut Audience| audience.say(frame.clone()).await;
    let floor = Delivery::of(&server, &mut audience, HALL, ROUNDS, send).await;
    json!({
        "sessions": HALL, "frame_bytes": frame.len(),
        "milliseconds_to_the_last": rounded(conclave.milliseconds),
        "floor_milliseconds_to_the_last": rounded(floor.milliseconds),
        "cpu_microseconds_a_delivery": rounded(conclave.microseconds_of_cpu),
        "floor_cpu_microseconds_a_delivery": rounded(floor.microseconds_of_cpu),
        "time_against_floor": rounded(conclave.milliseconds / floor.milliseconds),
        "cost_against_floor": rounded(conclave.microseconds_of_cpu / floor.microseconds_of_cpu),
    })
}

/// The time and the bytes of signing in, for users of few and of many groups. Something is unread in each group, which is the
/// worst there is: nothing is acknowledged.
async fn joined_groups() -> Value {
    let server = Server::conclave("memory").await;
    let (clients, makers) = (AgoraClients::new(&server).await, Clients::new(&server).await);
    let mut measured = Vec::new();
    for count in GROUPS {
        let user = format!("user-of-{count}-");
        for index in 0..count {
            makers.group(&server, &format!("{user}group{index}"), &user, 1).await;
        }
        let frames = clients.frames(&server, &user, 1).await;
        let (mut taken, mut bytes) = (Vec::with_capacity(SIGN_INS), 0);
        // the first one also makes the device
        for _ in 0..=SIGN_INS {
            let begun = Instant::now();
            let audience = Audience::gather(server.address, &[clients.path()], &Opening::Says(frames.clone())).await;
            taken.push(begun.elapsed().as_secs_f64() * 1000.0);
            bytes = audience.opening_bytes();
        }
        let first = taken.remove(0);
        taken.sort_by(f64::total_cmp);
        measured.push((count, first, taken[SIGN_INS / 2], bytes));
    }
    let rows = measured.iter().map(|(groups, first, again, bytes)| {
        json!({"groups": groups, "milliseconds_first": rounded(*first), "milliseconds": rounded(*again), "bytes": bytes})
    });
    json!({"sign_in": rows.collect::<Vec<_>>(), "time_against_10": rounded(measured[1].2 / measured[0].2)})
}
