//! Data folders as fixtures: every file of `fixtures/data/<name>` is one of the folder's, packed with gzip, and
//! `kept.json` has the kept values of the responses when it was written.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use conclave_tests::fixture::root;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use crate::calls::Kept;

/// The names of the folders.
pub fn names() -> Vec<String> {
    let entries = fs::read_dir(root().join("data")).unwrap().map(Result::unwrap);
    let folders = entries.filter(|entry| entry.file_type().unwrap().is_dir());
    let mut names: Vec<_> = folders.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Packs a data folder as a fixture.
pub fn pack(data: &Path, kept: &Kept, name: &str) {
    let to = root().join("data").join(name);
    assert!(!to.exists(), "{} is there already", to.display());
    for file in files(data) {
        let mut packed = to.join(file.strip_prefix(data).unwrap()).into_os_string();
        packed.push(".gz");
        fs::create_dir_all(Path::new(&packed).parent().unwrap()).unwrap();
        let mut packer = GzEncoder::new(Vec::new(), Compression::best());
        packer.write_all(&fs::read(&file).unwrap()).unwrap();
        fs::write(&packed, packer.finish().unwrap()).unwrap();
    }
    fs::write(to.join("kept.json"), serde_json::to_string_pretty(kept).unwrap() + "\n").unwrap();
}

/// Unpacks the data folder of a fixture; returns the kept values.
pub fn unpack(name: &str, data: &Path) -> Kept {
    let from = root().join("data").join(name);
    for file in files(&from) {
        let Some(path) = file.to_str().unwrap().strip_suffix(".gz") else { continue };
        let path = data.join(Path::new(path).strip_prefix(&from).unwrap());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut bytes = Vec::new();
        GzDecoder::new(fs::File::open(&file).unwrap()).read_to_end(&mut bytes).unwrap();
        fs::write(path, bytes).unwrap();
    }
    // folders that were empty
    for empty in ["rows/keyspaces/0/tables", "rows/keyspaces/1/tables", "blobs"] {
        fs::create_dir_all(data.join(empty)).unwrap();
    }
    serde_json::from_slice(&fs::read(from.join("kept.json")).unwrap()).unwrap()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}
