//! Folders of earlier formats.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use conclave::store::Database;
use flate2::read::GzDecoder;

use crate::folder::{REFUSED, backup, done, files, refused, restore, verify};

/// Unpacks a data folder of an earlier release, from `fixtures/data`.
fn of_format(name: &str, to: &Path) {
    fn unpack(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
            let (path, name) = (entry.path(), entry.file_name().into_string().unwrap());
            if path.is_dir() {
                unpack(&path, &to.join(name));
            } else if let Some(name) = name.strip_suffix(".gz") {
                let mut bytes = Vec::new();
                GzDecoder::new(fs::File::open(&path).unwrap()).read_to_end(&mut bytes).unwrap();
                fs::write(to.join(name), bytes).unwrap();
            }
        }
    }
    unpack(&conclave_tests::fixture::root().join("data").join(name), to);
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_of_earlier_formats_are_backed_up_as_they_are_or_refused_with_what_to_do() {
    let root = tempfile::tempdir().unwrap();
    // the first format has no rounds by which it could be checked
    let first = root.path().join("first");
    of_format("format-1", &first);
    let before = files(&first);
    let mut commands = [backup(&first, &root.path().join("backup-1")), verify(&first)];
    for command in &mut commands {
        let refusal = refused(command, REFUSED);
        assert!(refusal.contains("first format") && refusal.contains("to upgrade it"), "{refusal}");
    }
    assert_eq!(files(&first), before, "nothing in it is changed");
    assert!(!root.path().join("backup-1").exists());
    // later ones are backed up in their own format; the restored folder is upgraded when it is opened
    let second = root.path().join("second");
    of_format("format-2", &second);
    let before = files(&second);
    let (to, restored) = (root.path().join("backup-2"), root.path().join("restored"));
    done(&mut verify(&second));
    done(&mut backup(&second, &to));
    done(&mut verify(&to));
    assert_eq!(files(&second), before, "nothing in it is changed");
    done(&mut restore(&to, &restored));
    assert_eq!(fs::read_to_string(restored.join("conclave-format")).unwrap().trim(), "2");
    drop(Database::open(&restored).unwrap());
    assert_ne!(fs::read_to_string(restored.join("conclave-format")).unwrap().trim(), "2");
    done(&mut verify(&restored));
}
