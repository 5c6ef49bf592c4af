//! Damage in every file of a backup and of a data folder.

use std::fs;

use crate::folder::{DAMAGED, REFUSED, copy, done, files, has_everything, refused, restore, taken, verify};

#[tokio::test(flavor = "multi_thread")]
async fn damage_anywhere_in_a_backup_is_found() {
    let (folder, _, target) = taken(60).await;
    let all = files(&target);
    assert_eq!(all.len(), 6, "{:?}", all.keys());
    for (path, bytes) in &all {
        let mut damages: Vec<Option<Vec<u8>>> = vec![None];
        damages.extend([0, 1, bytes.len() / 2, bytes.len() - 1].map(|length| Some(bytes[..length].to_vec())));
        for at in [0, 1, bytes.len() / 3, bytes.len() / 2, bytes.len() - 2, bytes.len() - 1] {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << (at % 8);
            damages.push(Some(damaged));
        }
        for damaged in damages {
            // white space behind the manifest says nothing
            let says_nothing = damaged.as_ref().is_some_and(|damaged| {
                let is_same = |text: &[u8]| text.trim_ascii() == bytes.trim_ascii();
                path.ends_with("conclave-backup") && is_same(damaged)
            });
            if says_nothing {
                continue;
            }
            let copied = folder.path().join("copy");
            let _former = fs::remove_dir_all(&copied);
            copy(&all, &copied);
            match &damaged {
                Some(damaged) => fs::write(copied.join(path), damaged).unwrap(),
                None => fs::remove_file(copied.join(path)).unwrap(),
            }
            refused(&mut verify(&copied), DAMAGED);
            // and nothing is made of it
            let restored = folder.path().join("restored");
            refused(&mut restore(&copied, &restored), DAMAGED);
            assert!(!restored.exists(), "{} {damaged:?}", path.display());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_in_a_data_folder_is_found_and_nothing_is_touched() {
    let (_folder, data, _) = taken(60).await;
    let printed = done(&mut verify(&data));
    assert!(printed.contains("events    60\n") && printed.contains("files     1\n"), "{printed}");
    let all = files(&data);
    let mut found = 0;
    for (path, bytes) in all.iter().filter(|(_, bytes)| !bytes.is_empty()) {
        let used = bytes.iter().rposition(|byte| *byte != 0).unwrap_or_default();
        for at in [used / 3, used] {
            let mut damaged = bytes.clone();
            damaged[at] ^= 4;
            fs::write(data.join(path), &damaged).unwrap();
            let before = files(&data);
            let status = verify(&data).output().unwrap().status;
            // one of a manifest's two slots may be damaged; an unknown format is refused as such
            if path.ends_with("conclave-manifest") {
                assert!([Some(0), Some(DAMAGED)].contains(&status.code()), "{status:?}");
            } else if path.ends_with("conclave-format") {
                assert_eq!(status.code(), Some(REFUSED));
            } else if !path.ends_with("lock") {
                let is_torn_tail = path.extension().is_some_and(|extension| extension == "jnl");
                assert!(status.code() == Some(DAMAGED) || (is_torn_tail && at == used), "{} {at}", path.display());
                found += 1;
            }
            assert!(files(&data) == before, "{}: something was changed", path.display());
            fs::write(data.join(path), bytes).unwrap();
        }
    }
    assert!(found > 8, "{found}");
    done(&mut verify(&data));
    has_everything(&data, 60).await;
}
