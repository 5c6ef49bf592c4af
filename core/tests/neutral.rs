//! The core names no vendor.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};

const NAMES: [&str; 4] = ["agora", "easemob", "tencent", "rong"];
/// Names that are also parts of ordinary words, so only whole words count.
const WORDS: [&str; 1] = ["tim"];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// The vendor's name in a line, if there is one. "wrong" and "strong" are no vendor.
fn named(line: &str) -> Option<String> {
    let lower = line.to_lowercase().replace("wrong", "").replace("strong", "");
    let names = NAMES.iter().find(|name| lower.contains(**name)).map(|name| (*name).to_owned());
    names.or_else(|| {
        let mut words = lower.split(|c: char| !c.is_alphanumeric());
        words.find(|word| WORDS.contains(word)).map(ToOwned::to_owned)
    })
}

#[test]
fn no_vendor_is_named() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    assert!(files.len() > 30, "the sources were not found");
    let mut guilty = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for (at, line) in text.lines().enumerate() {
            if let Some(name) = named(line) {
                guilty.push(format!("{}:{}: {name}", file.display(), at + 1));
            }
        }
    }
    assert!(guilty.is_empty(), "the core names vendors:\n{}", guilty.join("\n"));
}

#[test]
fn names_are_recognised() {
    assert!(named("// as Agora does").is_some());
    assert!(named("TIM_GROUP").is_some());
    assert!(named("RongCloud").is_some());
    assert!(named("something wrong in time").is_none());
}
