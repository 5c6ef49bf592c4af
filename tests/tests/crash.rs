//! The process is killed while many clients write, repeatedly over the same data folder: all acknowledged changes are
//! present, and the data is consistent.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests")]

mod writers;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use conclave::store::Database;
use writers::{Acknowledged, Caller, Served, check};

const ROUNDS: usize = 15;
const WRITERS: usize = 16;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_being_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = Vec::new();
    let mut killed_while_writing = 0;
    for round in 0..ROUNDS {
        let served = Served::over(folder.path());
        let caller = Caller::to(served.address);
        caller.call("/entrust/group/create.json", format!("groupId=r{round}&name=r&owner=o{round}")).await.unwrap();
        let shared: Vec<Arc<Mutex<Acknowledged>>> = (0..WRITERS).map(|_| Arc::default()).collect();
        let write = |(writer, acknowledged): (usize, &Arc<Mutex<Acknowledged>>)| {
            caller.clone().write(round, writer, Arc::clone(acknowledged))
        };
        let writers: Vec<_> = shared.iter().enumerate().map(write).map(tokio::spawn).collect();
        tokio::time::sleep(Duration::from_millis(150 + 37 * round as u64)).await;
        served.kill();
        let before = acknowledged.len();
        for writer in writers {
            writer.await.unwrap();
        }
        acknowledged.extend(shared.iter().map(|acknowledged| acknowledged.lock().unwrap().clone()));
        killed_while_writing +=
            acknowledged.iter().skip(before).filter(|acknowledged| acknowledged.open.is_some()).count();
        let database = Database::open(folder.path()).unwrap();
        let store = database.realm("dev").unwrap();
        check(&*store, &acknowledged, &acknowledged).await;
    }
    let answers: usize = acknowledged.iter().map(|acknowledged| acknowledged.answers).sum();
    println!("{ROUNDS} rounds, {answers} answered requests, {killed_while_writing} cut off");
    assert!(answers > ROUNDS * WRITERS, "too little was written to prove anything: {answers}");
    assert!(killed_while_writing > ROUNDS, "the process was not killed while it was written to");
}
