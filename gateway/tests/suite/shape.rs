//! The shape of the source tree: files stay short, and all adapters have the same modules.

use std::path::{Path, PathBuf};

/// Most lines of a source file.
const LINES: usize = 500;

/// Longer files, and why.
const LONGER: &[(&str, &str)] = &[("tests/src/given.rs", "every step that a fixture may contain, in one match")];

/// What every adapter has, as a file or as a folder.
const MODULES: [&str; 12] = [
    "lib",
    "auth",
    "calls",
    "dialect",
    "group_reads",
    "realm",
    "refusals",
    "rest",
    "settings",
    "socket",
    "surface",
    "vendor",
];

/// What every adapter's `dialect` has.
const DIALECT: [&str; 5] = ["events", "limits", "message", "mod", "time"];

#[test]
fn source_files_stay_short() {
    let root = root();
    let mut files = Vec::new();
    for folder in ["core", "adapters", "gateway", "testkits", "tests"] {
        collect(&root.join(folder), &mut files);
    }
    assert!(files.len() > 500, "{} files", files.len());
    let mut longer: Vec<String> = Vec::new();
    for file in files {
        let name = file.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        let lines = std::fs::read_to_string(&file).unwrap().lines().count();
        if lines > LINES && !LONGER.iter().any(|(known, _)| *known == name) {
            longer.push(format!("{name} has {lines} lines: split it, or say here why it is longer than {LINES}"));
        }
    }
    assert!(longer.is_empty(), "{}", longer.join("\n"));
}

#[test]
fn adapters_have_the_same_modules() {
    for vendor in ["agora", "tencent", "rong"] {
        let source = root().join("adapters").join(vendor).join("src");
        let has = |folder: &Path, module: &str| {
            folder.join(module).join("mod.rs").is_file() || folder.join(format!("{module}.rs")).is_file()
        };
        for module in MODULES.into_iter().chain(["webhooks"]) {
            assert!(has(&source, module), "adapters/{vendor} has no {module}");
        }
        for module in DIALECT {
            assert!(has(&source.join("dialect"), module), "adapters/{vendor} has no dialect/{module}");
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            if !["target", "node_modules"].contains(&name) {
                collect(&path, files);
            }
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            files.push(path);
        }
    }
}
