//! Data folders written by earlier releases: each opens with this one, and everything in it is read through the
//! vendors' surfaces.
//!
//! - [`calls`]: the calls that write and read, from `fixtures/data/calls.json`.
//! - [`folder`]: the folders under `fixtures/data`, packed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod calls;
mod folder;

use conclave_tests::vendor::Sections as _;
use std::path::Path;
use std::sync::Arc;

use conclave::config::Data;
use conclave::store::{Database, Options};
use conclave::{Config, Gateway, Running};
use conclave_core::model::Millis;
use conclave_tests::world::{BEGINNING, CountingMint, SteppedClock};

use calls::{Apps, Calls, Kept};

/// When the folders were written.
const WRITTEN: Millis = BEGINNING;

/// A gateway over this folder, at the time at which the folders were written.
///
/// One webhook's receiver accepts everything, the other's does not exist.
async fn gateway(folder: &Path, options: Options) -> Running {
    let mut config = Config::development().unwrap();
    config.data = Data::Folder(folder.to_owned());
    config.realms[0].rong().webhooks = conclave_rong::webhooks::WebhookSettings {
        url: Some("http://127.0.0.1:9/".to_owned()),
        allow_private: true,
        retries: -1,
        backoff_ms: 3_600_000,
        longest_backoff_ms: 3_600_000,
        ..conclave_rong::webhooks::WebhookSettings::default()
    };
    config.realms[0].agora().webhooks = conclave_agora::webhooks::WebhookSettings {
        url: Some("http://127.0.0.1:9/".to_owned()),
        secret: "rule-secret".into(),
        allow_private: true,
        retries: 0,
        ..conclave_agora::webhooks::WebhookSettings::default()
    };
    let database = Database::open_with(folder, options).unwrap();
    let gateway = Gateway::builder(config).stores(Arc::new(database));
    let gateway = gateway.clock(Arc::new(SteppedClock::at(WRITTEN))).mint(Arc::new(CountingMint::default()));
    gateway.start().await.unwrap()
}

/// Writes a folder under `fixtures/data`, with the release it is built from. Run it with `CONCLAVE_WRITE_FOLDER=<name>
/// cargo test -p conclave-tests --test upgrade -- --ignored write_a_folder` before the format changes, and never again
/// for that format. `CONCLAVE_FROM_FOLDER` names an earlier folder, which is upgraded instead of writing all of it again:
/// then the rows are those that the releases between have found, too.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "writes a fixture"]
async fn write_a_folder() {
    let name = std::env::var("CONCLAVE_WRITE_FOLDER").expect("the folder's name");
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    // so small that some rows are in tables, and some in the log only
    let options = Options { write_buffer: 48 << 10, ..Options::default() };
    let earlier = std::env::var("CONCLAVE_FROM_FOLDER").ok();
    let mut kept = earlier.as_ref().map_or_else(Kept::new, |name| folder::unpack(name, &data));
    let running = gateway(&data, options).await;
    if earlier.is_none() {
        let apps = Apps::of(&running).await;
        apps.write(&Calls::load().write, &mut kept).await;
    }
    assert!(running.shutdown().await);
    folder::pack(&data, &kept, &name);
}

/// Everything in each folder is read through the vendors' surfaces, started operations are finished, and the folder
/// opens again with the additions.
#[tokio::test(flavor = "multi_thread")]
async fn folders_of_earlier_releases_open() {
    let names = folder::names();
    assert!(!names.is_empty());
    for name in names {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let mut kept = folder::unpack(&name, &data);
        let calls = Calls::load();

        let running = gateway(&data, Options::default()).await;
        let apps = Apps::of(&running).await;
        insta::assert_snapshot!(name.clone(), apps.read(&calls.read, &mut kept).await);
        apps.write(&calls.after, &mut kept).await;
        let after = apps.read(&calls.read, &mut kept).await;
        drop(apps);
        assert!(running.shutdown().await);

        let running = gateway(&data, Options::default()).await;
        let apps = Apps::of(&running).await;
        assert!(apps.read(&calls.read, &mut kept).await == after, "{name}: opened again it reads otherwise");
        drop(apps);
        assert!(running.shutdown().await);
    }
}
