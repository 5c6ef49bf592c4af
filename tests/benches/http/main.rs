//! Conclave against a bare hyper server that returns a fixed body of the same size, in the same run, with the same
//! client. Prints ratios and writes them to `docs/bench/http.json`.
//!
//! `cargo bench -p conclave-tests --bench http` builds the release binary first. Absolute numbers depend on the
//! machine; the ratios are what to look at. Words after `--` choose cells, e.g. `-- memory agora Detail x32`: these
//! are printed and not kept. `CONCLAVE_BENCH_BINARY` names a binary to measure in place of the release one,
//! `CONCLAVE_BENCH_BASELINE` one of an earlier release to compare with, request by request, in turns.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a bench stops at the first surprise and prints what it measured"
)]

#[path = "../shared/floor.rs"]
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
/// The turns a cell is cut into, when two releases take turns.
const TURNS: u32 = 3;
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
        let baseline = Server::baseline(store).await;
        for vendor in Vendor::all() {
            let name = |work: Work, connections: usize| format!("{store} {} {work:?} x{connections}", vendor.name());
            if !Work::ALL.iter().any(|work| CONNECTIONS.iter().any(|count| is_wanted(&name(*work, *count)))) {
                continue;
            }
            let side = Side { world: vendor.prepare(&server).await, server: &server };
            let earlier = match &baseline {
                Some(server) => Some(Side { world: vendor.prepare(server).await, server }),
                None => None,
            };
            for work in Work::ALL {
                for connections in CONNECTIONS.into_iter().filter(|count| is_wanted(&name(work, *count))) {
                    let cell = cell(&floor, &side, earlier.as_ref(), work, connections).await;
                    println!("{store:8} {:8} {work:?} x{connections}: {}", vendor.name(), cell.line());
                    let mut kept = json!({
                        "store": store, "vendor": vendor.name(), "work": format!("{work:?}"), "kind": work.kind(),
                        "connections": connections,
                        "per_second": cell.now.per_second.round(), "floor_per_second": cell.floor.round(),
                        "ratio": rounded(cell.ratio()), "cpu_microseconds": rounded(cell.now.cpu_microseconds),
                        "answer_bytes": cell.size,
                    });
                    if let Some(earlier) = &cell.earlier {
                        kept["earlier_ratio"] = json!(rounded(earlier.per_second / cell.floor));
                        kept["earlier_cpu_microseconds"] = json!(rounded(earlier.cpu_microseconds));
                    }
                    cells.push(kept);
                }
            }
        }
        server.stop();
    }
    cells
}

async fn measure() -> Value {
    let cells = cells(&[]).await;
    let medians = medians(&cells, "ratio");
    println!("{medians:#}");
    json!({
        "what": "requests per second as a share of a bare hyper server's with an answer of the same size, same client, same run",
        "command": "cargo bench -p conclave-tests --bench http",
        "cells": cells,
        "medians": medians,
        "earlier_medians": medians_of_earlier(&cells),
        "start": start().await,
        "memory": memory().await,
        "big_group": big_group().await,
    })
}

/// One server, prepared for one vendor's requests.
struct Side<'a> {
    server: &'a Server,
    world: vendors::World,
}

/// What one server did in a cell.
struct Measured {
    per_second: f64,
    /// Processor time of the server for each request.
    cpu_microseconds: f64,
}

struct Cell {
    now: Measured,
    earlier: Option<Measured>,
    floor: f64,
    size: usize,
}

impl Cell {
    fn ratio(&self) -> f64 {
        self.now.per_second / self.floor
    }

    fn line(&self) -> String {
        let now = format!("{:.2} of the floor, {:.1} us of processor time", self.ratio(), self.now.cpu_microseconds);
        match &self.earlier {
            None => now,
            Some(earlier) => format!(
                "{now}; earlier {:.2}, {:.1} us: {:.2} times the cost",
                earlier.per_second / self.floor,
                earlier.cpu_microseconds,
                self.now.cpu_microseconds / earlier.cpu_microseconds
            ),
        }
    }
}

/// Baseline, both releases in turns, baseline again: drift of the machine affects all sides.
async fn cell(floor: &Server, now: &Side<'_>, earlier: Option<&Side<'_>>, work: Work, connections: usize) -> Cell {
    let probe = now.world.shot(work, usize::MAX, 0);
    let size = load::once(now.server.address, &probe).await.len();
    let same_size = |_: usize, _: u64| Shot { path: format!("/{size}"), ..probe.clone() };
    let before = per_second(floor.address, connections, CELL / 2, same_size).await;
    let mut turns = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        if let Some(earlier) = earlier {
            turns.0.push(turn(earlier, work, connections).await);
        }
        turns.1.push(turn(now, work, connections).await);
    }
    let after = per_second(floor.address, connections, CELL / 2, same_size).await;
    let earlier = earlier.map(|_| mean(&turns.0));
    Cell { now: mean(&turns.1), earlier, floor: f64::midpoint(before, after), size }
}

/// One of the turns of a cell.
async fn turn(side: &Side<'_>, work: Work, connections: usize) -> Measured {
    let shots = |worker: usize, turn: u64| side.world.shot(work, worker, turn);
    let before = side.server.cpu_seconds();
    let rate = load::run(side.server.address, connections, CELL / TURNS, shots).await;
    let cpu = side.server.cpu_seconds() - before;
    Measured { per_second: rate.per_second, cpu_microseconds: cpu * 1e6 / rate.requests }
}

fn mean(turns: &[Measured]) -> Measured {
    let mean = |value: fn(&Measured) -> f64| turns.iter().map(value).sum::<f64>() / turns.len() as f64;
    Measured { per_second: mean(|turn| turn.per_second), cpu_microseconds: mean(|turn| turn.cpu_microseconds) }
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// The median and the least of this value for each kind of work on each store at each number of connections.
fn medians(cells: &[Value], value: &str) -> Value {
    let mut groups: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for cell in cells {
        let (store, kind) = (cell["store"].as_str().unwrap(), cell["kind"].as_str().unwrap());
        let name = format!("{store} {kind} x{}", cell["connections"]);
        groups.entry(name).or_default().push(cell[value].as_f64().unwrap());
    }
    let medians = groups.into_iter().map(|(name, mut ratios)| {
        ratios.sort_by(f64::total_cmp);
        (name, json!({"median": ratios[ratios.len() / 2], "least": ratios[0]}))
    });
    Value::Object(medians.collect())
}

/// The same of the earlier release, and what a request costs now against it; nothing when none was compared with.
fn medians_of_earlier(cells: &[Value]) -> Value {
    if cells.iter().any(|cell| cell["earlier_ratio"].is_null()) {
        return Value::Null;
    }
    let with_cost: Vec<Value> = cells
        .iter()
        .map(|cell| {
            let mut cell = cell.clone();
            let (now, earlier) = (cell["cpu_microseconds"].as_f64(), cell["earlier_cpu_microseconds"].as_f64());
            cell["cost_against_earlier"] = json!(rounded(now.unwrap() / earlier.unwrap()));
            cell
        })
        .collect();
    let out = json!({
        "ratio": medians(cells, "earlier_ratio"),
        "cost_against_earlier": medians(&with_cost, "cost_against_earlier"),
    });
    println!("{out:#}");
    out
}

/// From spawning the process to its first response, median of nine.
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
