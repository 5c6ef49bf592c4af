#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use conclave_core::model::{Key, Row};
use conclave_core::ports::{Batch, Change};
use fjall::Readable as _;

use super::super::Database;
use super::super::engine::MARK_KEY;
use super::super::faults::Faults;
use super::super::rows::{RealmPrefix, decode};
use super::*;

/// The table of notes.
const NOTES: u8 = 32;

/// Doubles every note's text, and adds a second note for each.
const TWICE: Step = Step {
    about: "notes are longer",
    realm: |rows| {
        for row in rows.rows_below(&[NOTES]) {
            let (key, row) = row?;
            let Some(text) = row.read::<String>("Text")? else { continue };
            rows.put_at(&key, &Row::from(text.repeat(2)))?;
            rows.put(&Key::Note(format!("second {text}")), &Row::Mark)?;
        }
        Ok(())
    },
};

/// Moves every note to another key.
const MOVED: Step = Step {
    about: "notes are elsewhere",
    realm: |rows| {
        for row in rows.rows_below(&[NOTES]) {
            let (key, row) = row?;
            rows.delete_at(&key)?;
            rows.put_old(&[&[200], key.as_slice()].concat(), row)?;
        }
        Ok(())
    },
};

/// More than fit into one round of changes.
const MANY: usize = 250;

/// A folder of the format before the steps, with notes in two realms.
async fn written(folder: &Path) {
    let database = Database::open(folder).unwrap();
    for realm in ["a", "b"] {
        let put = |at: usize| Change::Put(Key::Note(at.to_string()), Row::from(format!("{realm}{at}")));
        let changes = (0..MANY).map(put).collect();
        database.realm(realm).unwrap().commit(Batch { changes, ..Batch::default() }).await.unwrap();
    }
    drop(database);
    // as if the steps below were the first ones
    folder::write_format(folder, steps::BASE).unwrap();
    let mut manifest = folder::manifest(folder).unwrap().unwrap();
    manifest.reformat(steps::BASE).unwrap();
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (path, copy) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_folder(&path, &copy);
        } else {
            fs::copy(&path, &copy).unwrap();
        }
    }
}

/// All rows of the database, and the number of its last round.
fn read(rows: &Path) -> (BTreeMap<Vec<u8>, Row>, u64) {
    let engine = Engine::open(rows, &Options::default()).unwrap();
    let mut found = BTreeMap::new();
    for row in engine.database.snapshot().iter(&engine.table) {
        let (key, row) = row.into_inner().unwrap();
        if key.as_ref() != MARK_KEY {
            found.insert(key.to_vec(), decode(&row).unwrap());
        }
    }
    (found, engine.mark().unwrap().unwrap().round)
}

#[tokio::test]
async fn an_interrupted_upgrade_is_finished_by_the_next_start() {
    let original = tempfile::tempdir().unwrap();
    written(original.path()).await;
    let (before, _) = read(&original.path().join("rows"));
    let newest = steps::BASE + 2;
    let run =
        |folder: &Path, options: &Options| Upgrade { folder, from: steps::BASE, options, steps: &[TWICE, MOVED] }.run();
    let mut ended = 0;
    for end in 1.. {
        let copy = tempfile::tempdir().unwrap();
        copy_folder(original.path(), copy.path());
        let faults = Arc::new(Faults::default());
        faults.end.store(end, Ordering::SeqCst);
        let stopped = run(copy.path(), &Options { faults: Some(faults), ..Options::default() }).is_err();
        if stopped {
            ended += 1;
            // the format is written last: until then the next start continues the upgrade
            if fs::read_to_string(copy.path().join("conclave-format")).unwrap().trim() != newest.to_string() {
                run(copy.path(), &Options::default()).unwrap();
            }
            tidy(copy.path()).unwrap();
        }
        let manifest = folder::manifest(copy.path()).unwrap().unwrap().contents();
        let (after, round) = read(&copy.path().join("rows"));
        assert_eq!((manifest.format, manifest.acknowledged), (newest, round), "ended at {end}");
        assert_eq!(after.len(), 4 * MANY, "ended at {end}");
        for realm in ["a", "b"] {
            let prefix = RealmPrefix::new(realm);
            let moved = |note: &str| prefix.join(&[&[200], Key::Note(note.to_owned()).encode().as_slice()].concat());
            for at in [0, 1, MANY / 2, MANY - 1] {
                let text = format!("{realm}{at}");
                assert_eq!(after[&moved(&at.to_string())], Row::from(text.repeat(2)), "ended at {end}");
                assert_eq!(after[&moved(&format!("second {text}"))], Row::Mark, "ended at {end}");
            }
        }
        // the replaced database is kept
        let backup = copy.path().join(format!("backup-format-{}", steps::BASE));
        assert!(read(&backup.join("rows")).0 == before, "ended at {end}");
        assert!(!copy.path().join("upgrade").exists());
        if !stopped {
            break;
        }
    }
    assert!(ended > 10, "only {ended} points");
}

#[tokio::test]
async fn a_step_that_fails_changes_nothing() {
    const BROKEN: Step = Step { about: "does not work", realm: |_| Err(StoreError("no".to_owned())) };
    let folder = tempfile::tempdir().unwrap();
    written(folder.path()).await;
    let options = Options::default();
    let (path, from) = (folder.path(), steps::BASE);
    let refused = Upgrade { folder: path, from, options: &options, steps: &[TWICE, BROKEN] }.run();
    assert!(refused.unwrap_err().to_string().contains("cannot be upgraded: no"));
    assert_eq!(read(&path.join("rows")).0.len(), 2 * MANY);
    Upgrade { folder: path, from, options: &options, steps: &[TWICE, MOVED] }.run().unwrap();
    assert_eq!(read(&path.join("rows")).0.len(), 4 * MANY);
}
