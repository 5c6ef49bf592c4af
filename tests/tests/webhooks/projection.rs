//! Each adapter decides in one place what its vendor makes of every kind of event: `dialect/events`. A new kind does
//! not compile until each vendor has decided, as those matches name every kind.

use std::path::{Path, PathBuf};

/// All sources under a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The problem of a source, if any. The kinds of events are named in `dialect/events` only, and there without a
/// wildcard: no arm without a name, no `if let`, no `let ... else`, no `matches!`.
fn wrong(path: &str, source: &str) -> Option<String> {
    let code = || source.lines().map(str::trim).filter(|line| !line.starts_with("//"));
    if !code().any(|line| line.contains("Happening")) {
        return None;
    }
    if !path.contains("dialect/events") {
        return Some(format!("{path} looks at kinds of events: ask dialect/events"));
    }
    let is_loose = |line: &&str| {
        let named = line.contains("Happening::");
        line.starts_with("_ =>")
            || line.starts_with("_ if")
            || line.contains("| _ =>")
            || (named && (line.contains("if let") || line.contains("matches!") || line.contains("let Happening")))
            // a binding that matches anything
            || line.split_once(" =>").is_some_and(|(arm, _)| arm.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
    };
    code().find(is_loose).map(|line| format!("{path}: {line:?} stands for kinds of events that are not named"))
}

#[test]
fn every_kind_of_event_is_decided_by_name_in_one_place_of_each_adapter() {
    let adapters = Path::new(env!("CARGO_MANIFEST_DIR")).join("../adapters");
    for vendor in ["agora", "rong", "tencent"] {
        let folder = adapters.join(vendor).join("src");
        let mut decides = false;
        for path in sources(&folder) {
            let shown = path.strip_prefix(&folder).unwrap().to_string_lossy().into_owned();
            if shown.ends_with("tests.rs") {
                continue;
            }
            let source = std::fs::read_to_string(&path).unwrap();
            assert_eq!(wrong(&shown, &source), None, "in {vendor}");
            decides |= shown.starts_with("dialect/events") && source.contains("Happening::GroupCreated");
        }
        assert!(decides, "{vendor} decides nowhere");
    }
}

#[test]
fn arms_for_everything_else_are_found() {
    let events = "dialect/events.rs";
    let named = "match what {\n    Happening::Muted { .. } => 1,\n    Happening::Unmuted(_) => 2,\n}";
    assert_eq!(wrong(events, named), None);
    assert!(wrong("webhooks/after.rs", named).is_some());
    for loose in ["_ => 3,", "_ if late => 3,", "other => 3,", "| _ => 3,"] {
        assert!(
            wrong(events, &format!("match what {{\n    Happening::Muted {{ .. }} => 1,\n    {loose}\n}}")).is_some()
        );
    }
    for loose in ["if let Happening::Muted { .. } = what {", "matches!(what, Happening::Muted { .. })"] {
        assert!(wrong(events, loose).is_some(), "{loose}");
    }
}
