//! Conclave against a bare hyper server that answers a fixed body of the same size, in the same run, with the same
//! client. Prints ratios and keeps them in `docs/bench/http.json`.
//!
//! `cargo bench -p conclave-tests --bench http` builds the release binary first. Absolute numbers depend on the
//! machine; the ratios are what to look at. Words after `--` choose cells, e.g. `-- memory agora Detail x32`: these
//! are printed and not kept. `CONCLAVE_BENCH_BINARY` names a binary to measure in place of the release one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a bench stops at the first surprise and prints what it measured"
)]

mod floor;
#[allow(dead_code, reason = "each bench uses its part")]
#[path = "../shared/mod.rs"]
mod shared;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::shared::load::{self, Shot, per_second};
use crate::shared::process::{self, Server};
use crate::shared::vendors::{self, Vendor, Work};

/// How long each cell runs, after a warm-up of a quarter of it.
const CELL: Duration = Duration::from_millis(1200);
const CONNECTIONS: [usize; 3] = [1, 32, 128];

fn main() {
    if std::env::var_os("CONCLAVE_BENCH_FLOOR").is_some() {
        return floor::serve();
    }
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    process::build();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    if !wanted.is_empty() {
        runtime.block_on(cells(&wanted));
        return;
    }
    let results = runtime.block_on(measure());
    process::keep("http", &results);
    println!("kept in docs/bench/http.json");
}

/// Measures the cells whose name has all the wanted words.
async fn cells(wanted: &[String]) -> Vec<Value> {
    let is_wanted = |name: &str| wanted.iter().all(|word| name.split(' ').any(|part| part == word));
    let floor = Server::floor().await;
    let mut cells = Vec::new();
    for store in ["memory", "durable"] {
        let server = Server::conclave(store).await;
        for vendor in Vendor::all() {
            let name = |work: Work, connections: usize| format!("{store} {} {work:?} x{connections}", vendor.name());
            if !Work::ALL.iter().any(|work| CONNECTIONS.iter().any(|count| is_wanted(&name(*work, *count)))) {
                continue;
            }
            let world = vendor.prepare(&server).await;
            for work in Work::ALL {
                for connections in CONNECTIONS.into_iter().filter(|count| is_wanted(&name(work, *count))) {
                    let cell = cell(&floor, &server, &world, work, connections).await;
                    println!("{store:8} {:8} {work:?} x{connections}: {:.2} of the floor", vendor.name(), cell.ratio);
                    cells.push(json!({
                        "store": store, "vendor": vendor.name(), "work": format!("{work:?}"), "connections": connections,
                        "per_second": cell.conclave.round(), "floor_per_second": cell.floor.round(),
                        "ratio": (cell.ratio * 1000.0).round() / 1000.0, "answer_bytes": cell.size,
                    }));
                }
            }
        }
        server.stop();
    }
    cells
}

async fn measure() -> Value {
    let cells = cells(&[]).await;
    let summary = summary(&cells);
    println!("{summary:#}");
    json!({
        "what": "requests per second as a share of a bare hyper server's with an answer of the same size, same client, same run",
        "command": "cargo bench -p conclave-tests --bench http",
        "cells": cells,
        "medians": summary,
        "start": start().await,
        "memory": memory().await,
        "big_group": big_group().await,
    })
}

struct Cell {
    conclave: f64,
    floor: f64,
    ratio: f64,
    size: usize,
}

/// Floor, Conclave, floor again: the machine's own drift shows on both sides.
async fn cell(floor: &Server, server: &Server, world: &vendors::World, work: Work, connections: usize) -> Cell {
    let probe = world.shot(work, usize::MAX, 0);
    let size = load::once(server.address, &probe).await.len();
    let same_size = |_: usize, _: u64| Shot { path: format!("/{size}"), ..probe.clone() };
    let before = per_second(floor.address, connections, CELL / 2, same_size).await;
    let conclave = per_second(server.address, connections, CELL, |worker, turn| world.shot(work, worker, turn)).await;
    let after = per_second(floor.address, connections, CELL / 2, same_size).await;
    let floor = f64::midpoint(before, after);
    Cell { conclave, floor, ratio: conclave / floor, size }
}

/// The median ratio of each kind of work on each store at each number of connections.
fn summary(cells: &[Value]) -> Value {
    let mut groups: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for cell in cells {
        let kind = if matches!(cell["work"].as_str(), Some("Detail" | "Members")) { "read" } else { "write" };
        let name = format!("{} {kind} x{}", cell["store"].as_str().unwrap(), cell["connections"]);
        groups.entry(name).or_default().push(cell["ratio"].as_f64().unwrap());
    }
    let medians = groups.into_iter().map(|(name, mut ratios)| {
        ratios.sort_by(f64::total_cmp);
        (name, json!({"median": ratios[ratios.len() / 2], "least": ratios[0]}))
    });
    Value::Object(medians.collect())
}

/// From spawning the process to its first answer, median of nine.
async fn start() -> Value {
    let mut millis = BTreeMap::new();
    for store in ["memory", "durable"] {
        let mut taken = Vec::new();
        for _ in 0..9 {
            let begun = Instant::now();
            let server = Server::conclave(store).await;
            taken.push(begun.elapsed().as_secs_f64() * 1000.0);
            server.stop();
        }
        taken.sort_by(f64::total_cmp);
        println!("start {store}: {:.1} ms", taken[taken.len() / 2]);
        millis.insert(store, (taken[taken.len() / 2] * 10.0).round() / 10.0);
    }
    json!({"milliseconds_to_first_answer": millis})
}

/// Resident memory: idle, and after 10,000 groups of 100.
async fn memory() -> Value {
    let mut out = BTreeMap::new();
    for store in ["memory", "durable"] {
        let server = Server::conclave(store).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        let idle = server.resident_megabytes();
        vendors::ten_thousand_groups(&server).await;
        let full = server.resident_megabytes();
        println!("memory {store}: idle {idle:.1} MB, after 10,000 groups of 100 {full:.1} MB");
        out.insert(store, json!({"idle_mb": idle, "after_10000_groups_of_100_mb": full}));
        server.stop();
    }
    json!(out)
}

/// Adding and removing one member in a group of 10 and in one of 100,000.
async fn big_group() -> Value {
    let mut out = BTreeMap::new();
    for store in ["memory", "durable"] {
        let server = Server::conclave(store).await;
        let (small, big) = vendors::small_and_big(&server).await;
        let mut rounds = Vec::new();
        for _ in 0..5 {
            let fast = per_second(server.address, 1, CELL, |_, turn| small.add(turn)).await;
            let slow = per_second(server.address, 1, CELL, |_, turn| big.add(turn)).await;
            rounds.push(fast / slow);
        }
        rounds.sort_by(f64::total_cmp);
        println!("add a member, 100,000 against 10 ({store}): {:.2} times the cost", rounds[2]);
        out.insert(store, json!({"cost_of_100000_against_10": (rounds[2] * 100.0).round() / 100.0}));
        server.stop();
    }
    json!(out)
}
