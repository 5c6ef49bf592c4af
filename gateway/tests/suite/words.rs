//! Documents, help texts, comments and identifiers keep to the field's words.
//!
//! Text literals are checked too where they are ours alone: in the core, the kit and the gateway. Those of adapters and
//! tests contain the vendors' own texts, which stay as the vendors write them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::process::{run, text};

/// Words that say too little or nothing to a reader who is new here, and what to write instead.
const BANNED: &[(&str, &str)] = &[
    ("told", "sent, delivered, notified, returned, reported"),
    ("telling", "sending, notifying, reporting"),
    ("retold", "repeated"),
    ("whoever", "anyone who, the caller, the user who"),
    ("whomever", "anyone whom"),
    ("whosoever", "anyone who"),
    ("whatsoever", "any"),
    ("anew", "again, from the start"),
    ("truly", "valid, genuine, or nothing"),
    ("hitherto", "until now"),
    ("whence", "from where"),
    ("lest", "so that ... not"),
    ("amid", "during, between"),
    ("worded", "encoded, formatted, or the text itself"),
    ("outstayed", "expired, revoked"),
    ("outstays", "is valid for longer than"),
    ("doorman", "authenticator, notifier"),
    ("newcomer", "new member, new login"),
    ("newcomers", "new members, new logins"),
    ("seating", "membership, adding members"),
    ("passage", "connection event, section"),
    ("passages", "connection events, sections"),
    ("lodger", "session, member"),
    ("teller", "client, writer"),
    ("tellers", "clients, writers"),
    ("stands", "is, holds, is stored"),
    ("hear", "receive"),
    ("hears", "receives"),
    ("heard", "received"),
    ("unheard", "not received"),
    ("standing", "role, state, progress"),
    ("spoken", "sent, messages"),
    ("handed over", "written, sent, passed, transferred"),
    ("is asked for", "is requested"),
    ("came in", "joined"),
    ("went out", "left"),
    ("came into being", "was created"),
    ("goes and comes", "connects and disconnects"),
    ("comes and goes", "connects and disconnects"),
    ("nobody knows", "it is not known"),
    ("no matter", "regardless of, it does not matter"),
];

/// Uses that stay: part of a file's path, the word, and why.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("gateway/tests/suite/words.rs", "", "the list itself"),
    ("core/src/model/group.rs", "spoken", "the name of the field in stored rows"),
];

/// Folders of the repository that are built or fetched, not written.
const NOT_WRITTEN: [&str; 5] = ["target", "node_modules", ".git", ".venv", "conclave-data"];

/// Crates whose text literals are all ours.
const LITERALS_ARE_OURS: [&str; 3] = ["core/src", "adapters/kit/src", "gateway/src"];

#[test]
fn documents_and_sources_use_the_fields_words() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    collect(root, &mut files);
    assert!(files.len() > 500, "{} files", files.len());
    let mut found = String::new();
    for file in files {
        let name = file.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
        let source = std::fs::read_to_string(&file).unwrap();
        let ours = LITERALS_ARE_OURS.iter().any(|folder| name.starts_with(folder));
        let is_rust = Path::new(&name).extension().is_some_and(|extension| extension == "rs");
        let checked = if is_rust && !ours { without_literals(&source) } else { source };
        report(&name, &checked, &mut found);
    }
    assert!(found.is_empty(), "plainer words exist:\n{found}");
}

#[test]
fn help_texts_use_the_fields_words() {
    let help = |command: &[&str]| text(&run(&[command, &["--help"]].concat()).stdout);
    let top = help(&[]);
    let commands: Vec<&str> = top
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| line.starts_with("  "))
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|command| *command != "help")
        .collect();
    assert!(commands.contains(&"serve"), "{top}");
    let mut found = String::new();
    report("conclave --help", &top, &mut found);
    for command in commands {
        let page = help(&[command]);
        assert!(page.contains("Usage:"), "{command}: {page}");
        report(&format!("conclave {command} --help"), &page, &mut found);
    }
    assert!(found.is_empty(), "plainer words exist:\n{found}");
}

#[test]
fn the_check_sees_comments_and_identifiers_and_no_literals() {
    let source = "// Whoever calls\nfn was_told(heardAt: &'a str) { say(\"told\", r#\"to \"hear\"\"#, 'h', b\"anew\"); } /* anew */";
    let mut found = String::new();
    report("f", &without_literals(source), &mut found);
    let words: Vec<&str> = found.lines().map(|line| line.split('"').nth(1).unwrap()).collect();
    assert_eq!(words, ["whoever", "told", "anew", "heard"], "{found}");
    found.clear();
    report("f", "the toldest; nobody ever knows", &mut found);
    assert_eq!(found, "");
    report("f", "| Nobody  knows | `retold` |", &mut found);
    assert_eq!(found.lines().count(), 2, "{found}");
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            if !NOT_WRITTEN.contains(&name) {
                collect(&path, files);
            }
        } else if path.extension().is_some_and(|kind| ["rs", "md", "py", "cjs"].iter().any(|checked| kind == *checked))
        {
            files.push(path);
        }
    }
}

/// Adds a line for every banned word in a text.
fn report(name: &str, checked: &str, found: &mut String) {
    for (number, line) in checked.lines().enumerate() {
        let words = words(line);
        for (banned, better) in BANNED.iter().filter(|(banned, _)| contains(&words, banned)) {
            let stays =
                |(path, word, _): &(&str, &str, &str)| name.contains(path) && (word.is_empty() || word == banned);
            if !EXCEPTIONS.iter().any(stays) {
                writeln!(found, "{name}:{}: \"{banned}\": rather {better}", number + 1).unwrap();
            }
        }
    }
}

/// Whether a line's words contain these in a row.
fn contains(words: &str, banned: &str) -> bool {
    words.match_indices(banned).any(|(at, _)| {
        let rest = &words[at + banned.len()..];
        (at == 0 || words[..at].ends_with(' ')) && (rest.is_empty() || rest.starts_with(' '))
    })
}

/// The words of a line in lower case, single spaces between them: identifiers are split at their joints.
fn words(line: &str) -> String {
    let mut words = String::new();
    let mut before = ' ';
    for letter in line.chars() {
        if letter.is_uppercase() && before.is_lowercase() {
            words.push(' ');
        }
        let kept = if letter.is_alphanumeric() { letter } else { ' ' };
        words.extend(kept.to_lowercase());
        before = letter;
    }
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A Rust source with the contents of its literals blanked. Comments, identifiers and the numbers of lines stay.
fn without_literals(source: &str) -> String {
    let mut kept = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(next) = rest.chars().next() {
        let before = kept.chars().next_back();
        let length = literal(rest, before);
        if length > 0 {
            let (literal, after) = rest.split_at(length);
            kept.extend(literal.chars().map(|letter| if letter == '\n' { '\n' } else { ' ' }));
            rest = after;
            continue;
        }
        let comment = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else {
            next.len_utf8()
        };
        let (taken, after) = rest.split_at(comment);
        kept.push_str(taken);
        rest = after;
    }
    kept
}

/// The bytes of the literal that a source begins with; 0 if it begins with none.
fn literal(source: &str, before: Option<char>) -> usize {
    let bytes = source.as_bytes();
    let in_name = before.is_some_and(|before| before.is_alphanumeric() || before == '_');
    if !in_name && let Some(raw) = source.strip_prefix("br").or_else(|| source.strip_prefix('r')) {
        let hashes = raw.bytes().take_while(|byte| *byte == b'#').count();
        if raw[hashes..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let opening = source.len() - raw.len() + hashes + 1;
            return source[opening..].find(&end).map_or(source.len(), |at| opening + at + end.len());
        }
    }
    match bytes[0] {
        b'"' => closing(bytes, b'"'),
        // a lifetime has no closing quote after one character
        b'\'' if bytes.get(1) == Some(&b'\\') => closing(bytes, b'\''),
        b'\'' => {
            let Some(letter) = source[1..].chars().next() else { return 0 };
            let end = 1 + letter.len_utf8();
            if bytes.get(end) == Some(&b'\'') { end + 1 } else { 0 }
        }
        _ => 0,
    }
}

/// The bytes up to a closing quote that is not escaped, with it.
fn closing(bytes: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < bytes.len() && bytes[at] != quote {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}
