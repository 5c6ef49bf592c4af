//! The cost of connected clients: memory of idle ones, and an event delivered to many, against a bare WebSocket server
//! that sends a frame of the same size to as many, in the same run. Prints ratios and writes them to
//! `docs/bench/sessions.json`.
//!
//! `cargo bench -p conclave-tests --bench sessions` builds the release binary first. `CONCLAVE_BENCH_BASELINE` names a
//! binary of an earlier release to measure as well. With `-- msync` Agora's protocol is measured instead, into `msync.json`;
//! with `-- tencent` only Tencent's, which is printed and not kept.

#![allow(
    clippy::cast_precision_loss,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench stops at the first surprise and prints what it measured"
)]

mod audience;
mod floor;
mod msync;
#[allow(dead_code, reason = "each bench uses its part")]
#[path = "../shared/mod.rs"]
mod shared;
mod tencent;

use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Value, json};

use crate::audience::{Audience, Opening};
use crate::shared::process::{self, Server};
use crate::shared::vendors::{self, Clients};

/// Idle sessions.
const IDLE: usize = 5000;
/// Sessions that receive each event.
const HALL: usize = 1000;
/// Sessions that receive each event in a small and in a huge group.
const FEW: usize = 50;
/// Members of the huge group.
const HUGE: u64 = 100_000;
/// Events of each kind.
const ROUNDS: usize = 100;

fn main() {
    if std::env::var_os("CONCLAVE_BENCH_FLOOR").is_some() {
        return floor::serve();
    }
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    process::build();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    if std::env::args().any(|argument| argument == "msync") {
        let results = runtime.block_on(msync::measure());
        process::keep("msync", &results);
        println!("{results:#}\nkept in docs/bench/msync.json");
        return;
    }
    if std::env::args().any(|argument| argument == "tencent") {
        let results = runtime.block_on(tencent::measure());
        println!("{results:#}");
        return;
    }
    let results = runtime.block_on(async {
        json!({
            "what": "RongCloud sessions over WebSockets, in memory, against a bare broadcast of frames of the same size",
            "command": "cargo bench -p conclave-tests --bench sessions",
            "idle": idle(Server::conclave).await,
            "fan_out": fan_out(Server::conclave).await,
            "huge_group": huge_group(Server::conclave).await,
            "tencent": tencent::measure().await,
            "earlier": earlier().await,
        })
    });
    process::keep("sessions", &results);
    println!("{results:#}\nkept in docs/bench/sessions.json");
}

/// The same of an earlier release, when one is to be compared with.
async fn earlier() -> Value {
    if Server::baseline("memory").await.is_none() {
        return Value::Null;
    }
    let start = async |store: &str| Server::baseline(store).await.unwrap();
    json!({"idle": idle(start).await, "fan_out": fan_out(start).await, "huge_group": huge_group(start).await})
}

/// Resident memory of idle sessions.
async fn idle(start: impl AsyncFn(&str) -> Server) -> Value {
    let server = start("memory").await;
    let clients = Clients::new(&server).await;
    let paths = clients.paths(&server, "idle", IDLE).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = server.resident_megabytes();
    let audience = Audience::gather(server.address, &paths, &Opening::Greeted).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let after = server.resident_megabytes();
    drop(audience);
    let each = (after - before) * 1024.0 / IDLE as f64;
    json!({"sessions": IDLE, "kilobytes_a_session": rounded(each), "resident_mb": after})
}

/// The time until the last client has received an event, and a delivery's processor time at the server.
struct Delivery {
    milliseconds: f64,
    microseconds_of_cpu: f64,
}

impl Delivery {
    /// Medians over the rounds of what `say` sets off; each round reaches so many.
    async fn of(
        server: &Server,
        audience: &mut Audience,
        reached: usize,
        rounds: usize,
        mut say: impl AsyncFnMut(&mut Audience),
    ) -> Self {
        let mut taken = Vec::with_capacity(rounds);
        let mut expected = audience.frames();
        let cpu = server.cpu_seconds();
        for _ in 0..rounds {
            let begun = Instant::now();
            say(audience).await;
            expected += reached;
            audience.until(expected).await;
            taken.push(begun.elapsed().as_secs_f64() * 1000.0);
        }
        let cpu = server.cpu_seconds() - cpu;
        taken.sort_by(f64::total_cmp);
        Self { milliseconds: taken[rounds / 2], microseconds_of_cpu: cpu * 1e6 / (rounds * reached) as f64 }
    }
}

/// An event in a group whose members are all online, against a bare broadcast.
async fn fan_out(start: impl AsyncFn(&str) -> Server) -> Value {
    let server = start("memory").await;
    let clients = Clients::new(&server).await;
    let paths = clients.paths(&server, "hall", HALL).await;
    clients.group(&server, "hall", "hall", HALL).await;
    let mut audience = Audience::gather(server.address, &paths, &Opening::Greeted).await;
    // the sender's own session receives an echo
    let conclave =
        Delivery::of(&server, &mut audience, HALL, ROUNDS, async |_| clients.say(&server, "hall", "hall0").await).await;
    let frame = Bytes::from(vec![0; audience.frame_bytes()]);
    drop(audience);
    server.stop();
    against_floor(&conclave, frame).await
}

/// A delivery to so many, beside that of a bare broadcast of such frames.
async fn against_floor(conclave: &Delivery, frame: Bytes) -> Value {
    let server = Server::spawn_floor();
    let mut audience = Audience::gather(server.address, &vec!["/".to_owned(); HALL + 1], &Opening::Nothing).await;
    let floor =
        Delivery::of(&server, &mut audience, HALL, ROUNDS, async |audience| audience.say(frame.clone()).await).await;
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

/// An event in a group of 100,000 with few online, against one in a group of those few.
async fn huge_group(start: impl AsyncFn(&str) -> Server) -> Value {
    let server = start("memory").await;
    let clients = Clients::new(&server).await;
    let huge = vendors::community(&server, "huge", HUGE).await;
    clients.group(&server, "few", "m", FEW).await;
    let paths = clients.paths(&server, "m", FEW).await;
    let mut audience = Audience::gather(server.address, &paths, &Opening::Greeted).await;
    let mut ratios = Vec::new();
    for _ in 0..5 {
        let small =
            Delivery::of(&server, &mut audience, FEW, ROUNDS, async |_| clients.say(&server, "few", "m0").await).await;
        let large =
            Delivery::of(&server, &mut audience, FEW, ROUNDS, async |_| clients.say(&server, &huge, "m0").await).await;
        ratios.push(large.milliseconds / small.milliseconds);
    }
    ratios.sort_by(f64::total_cmp);
    json!({"members": HUGE, "online": FEW, "time_against_a_group_of_50": rounded(ratios[2])})
}

fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
