//! How many instructions a request takes: Conclave and a bare hyper server under valgrind's callgrind, one connection,
//! the same requests in every run. Counts hardly depend on the machine's load, so a regression is visible in one run.
//!
//! `cargo bench -p conclave-tests --bench instructions` compares with `docs/bench/instructions.json` and fails when a
//! cell needs more than 3 % above what is kept there; with `-- --keep` it keeps its counts instead. Other words choose
//! cells, e.g. `-- memory agora Detail warn`: those are compared and not kept. `CONCLAVE_BENCH_BINARY` names a binary to
//! measure in place of the release one, `CONCLAVE_BENCH_BASELINE` one of an earlier release to count beside it, and
//! `CONCLAVE_BENCH_PROFILES` a folder for each cell's profile, which `callgrind_annotate` reads.
//!
//! Needs valgrind.

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

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::shared::load::{self, Shot};
use crate::shared::process::{self, Release, Server};
use crate::shared::vendors::{Vendor, Work, World};

/// Requests of each kind before those that are counted, so that caches and buffers have their size.
const WARM_UP: u64 = 40;
/// Requests of each kind that are counted.
const COUNTED: u64 = 200;
/// A cell may need this much of what is kept.
const ALLOWED: f64 = 1.03;
/// The log filters: what requests are logged with by default, and none of them.
const LOGS: [&str; 2] = ["info", "warn"];
const STORES: [&str; 2] = ["memory", "durable"];

fn main() -> ExitCode {
    if std::env::var_os("CONCLAVE_BENCH_FLOOR").is_some() {
        floor::serve();
        return ExitCode::SUCCESS;
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--test") {
        return ExitCode::SUCCESS;
    }
    let wanted = Wanted(arguments.iter().filter(|argument| !argument.starts_with('-')).cloned().collect());
    let keep = arguments.iter().any(|argument| argument == "--keep");
    process::build();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let cells = runtime.block_on(measure(&wanted));
    for cell in &cells {
        println!("{}", cell.line());
    }
    if keep && wanted.0.is_empty() {
        process::keep("instructions", &results(&cells));
        println!("kept in docs/bench/instructions.json");
        return ExitCode::SUCCESS;
    }
    let worse = worse_than_kept(&cells, &process::kept("instructions"));
    for line in &worse {
        println!("WORSE: {line}");
    }
    if worse.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The words that choose cells.
struct Wanted(Vec<String>);

impl Wanted {
    fn has(&self, store: &str, log: &str, vendor: Vendor, work: Work) -> bool {
        let work = format!("{work:?}");
        self.0.iter().all(|word| [store, log, vendor.name(), work.as_str()].contains(&word.as_str()))
    }
}

/// What one kind of request takes, in instructions.
struct Measured {
    store: &'static str,
    log: &'static str,
    vendor: Vendor,
    work: Work,
    now: f64,
    earlier: Option<f64>,
    floor: f64,
}

impl Measured {
    fn name(&self) -> String {
        format!("{} {} {} {:?}", self.store, self.log, self.vendor.name(), self.work)
    }

    fn line(&self) -> String {
        let thousands = |count: f64| format!("{:6.1} k", count / 1000.0);
        let line = format!("{:30} floor {}, now {}", self.name(), thousands(self.floor), thousands(self.now));
        match self.earlier {
            None => line,
            Some(earlier) => format!("{line}, earlier {}: {:.2} times", thousands(earlier), self.now / earlier),
        }
    }

    fn json(&self) -> Value {
        let thousands = |count: f64| (count / 100.0).round() / 10.0;
        let mut out = json!({
            "store": self.store, "log": self.log, "vendor": self.vendor.name(), "work": format!("{:?}", self.work),
            "thousands": thousands(self.now), "floor_thousands": thousands(self.floor),
        });
        if let Some(earlier) = self.earlier {
            out["earlier_thousands"] = json!(thousands(earlier));
        }
        out
    }
}

/// Where a count is in the table: the indexes of its store, log filter, vendor and request.
type Place = (usize, usize, usize, usize);

/// Counts every wanted cell of every release, and then the baseline with responses of the same sizes.
async fn measure(wanted: &Wanted) -> Vec<Measured> {
    let mut counts: BTreeMap<Place, Measured> = BTreeMap::new();
    let mut probes: Vec<(Shot, usize, Place)> = Vec::new();
    for (store_index, store) in STORES.into_iter().enumerate() {
        for (log_index, log) in LOGS.into_iter().enumerate() {
            for release in Server::releases() {
                let mut server: Option<Counted> = None;
                for (vendor_index, vendor) in Vendor::all().into_iter().enumerate() {
                    let works: Vec<_> = Work::ALL.into_iter().enumerate().collect();
                    let works: Vec<_> =
                        works.into_iter().filter(|(_, work)| wanted.has(store, log, vendor, *work)).collect();
                    if works.is_empty() {
                        continue;
                    }
                    if server.is_none() {
                        server = Some(Counted::conclave(store, log, release).await);
                    }
                    let server = server.as_ref().unwrap();
                    let world = vendor.prepare(&server.server).await;
                    for (work_index, work) in works {
                        let key = (store_index, log_index, vendor_index, work_index);
                        let name = format!("{store}-{log}-{}-{work:?}-{release:?}", vendor.name());
                        let (count, probe, size) = server.count_work(&name, &world, work).await;
                        let cell = counts.entry(key).or_insert(Measured {
                            store,
                            log,
                            vendor,
                            work,
                            now: 0.0,
                            earlier: None,
                            floor: 0.0,
                        });
                        match release {
                            Release::Earlier => cell.earlier = Some(count),
                            Release::Current => {
                                cell.now = count;
                                probes.push((probe, size, key));
                            }
                        }
                    }
                }
            }
        }
    }
    let floor = Counted::floor().await;
    for (probe, size, key) in probes {
        let shot = Shot { path: format!("/{size}"), ..probe };
        counts.get_mut(&key).unwrap().floor = floor.count("floor", &|| shot.clone()).await.0;
    }
    counts.into_values().collect()
}

/// A server whose instructions are counted.
struct Counted {
    server: Server,
    folder: TempDir,
    /// How many counts were written.
    written: Cell<u32>,
}

impl Counted {
    async fn conclave(store: &str, log: &str, release: Release) -> Self {
        let folder = TempDir::new().unwrap();
        let server = Server::counted(store, log, release, &folder.path().join("counts")).await;
        Self { server, folder, written: Cell::new(0) }
    }

    async fn floor() -> Self {
        let folder = TempDir::new().unwrap();
        let server = Server::counted_floor(&folder.path().join("counts")).await;
        Self { server, folder, written: Cell::new(0) }
    }

    /// Also returns one of the requests, and the size of its response.
    async fn count_work(&self, name: &str, world: &World, work: Work) -> (f64, Shot, usize) {
        let (count, size) = self.count(name, &|| world.shot(work, 0, 0)).await;
        (count, world.shot(work, 0, 0), size)
    }

    /// Instructions of each request, and the size of a response.
    async fn count(&self, name: &str, shot: &dyn Fn() -> Shot) -> (f64, usize) {
        let mut client = load::Client::new(self.server.address).await;
        let mut size = 0;
        for _ in 0..WARM_UP {
            size = client.fire(shot()).await.len();
        }
        self.dump();
        for _ in 0..COUNTED {
            client.fire(shot()).await;
        }
        let (total, profile) = self.dump();
        if let Some(folder) = std::env::var_os(process::PROFILES) {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::copy(profile, PathBuf::from(folder).join(format!("{name}.profile"))).unwrap();
        }
        (total / COUNTED as f64, size)
    }

    /// Instructions since the last call, and the file with their profile.
    fn dump(&self) -> (f64, PathBuf) {
        let process = self.server.process_id().to_string();
        let done = Command::new("callgrind_control")
            .args(["-d", &process])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(done.success(), "callgrind_control failed; valgrind has to be installed");
        self.written.set(self.written.get() + 1);
        let file = self.folder.path().join(format!("counts.{}", self.written.get()));
        let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
        let total = text.lines().find_map(|line| line.strip_prefix("totals: ")).unwrap();
        (total.trim().parse().unwrap(), file)
    }
}

fn results(cells: &[Measured]) -> Value {
    json!({
        "what": "thousands of instructions in user mode for each request, all threads, one connection, under callgrind",
        "command": "cargo bench -p conclave-tests --bench instructions -- --keep",
        "cells": cells.iter().map(Measured::json).collect::<Vec<_>>(),
    })
}

/// The cells that need more than is allowed.
fn worse_than_kept(cells: &[Measured], kept: &Value) -> Vec<String> {
    let kept = kept["cells"].as_array().cloned().unwrap_or_default();
    let same = |cell: &Value, measured: &Value| {
        ["store", "log", "vendor", "work"].iter().all(|field| cell[field] == measured[field])
    };
    let mut worse = Vec::new();
    for cell in cells {
        let measured = cell.json();
        let Some(before) = kept.iter().find(|kept| same(kept, &measured)) else {
            worse.push(format!("{}: nothing is kept to compare with", cell.name()));
            continue;
        };
        let (before, now) = (before["thousands"].as_f64().unwrap(), cell.now / 1000.0);
        if now > before * ALLOWED {
            worse.push(format!("{}: {now:.1} k, {before:.1} k are kept", cell.name()));
        }
    }
    worse
}
