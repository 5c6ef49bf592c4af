//! What servers send to clients by themselves, as the vendors' client SDKs know it, and the evidence for each.

use std::fmt::Write as _;
use std::path::Path;

use serde::Deserialize;

use super::catalogue::Catalogue;

/// Events of one kind.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// Its subject.
    pub name: String,
    /// The source.
    pub source: String,
    /// The file in which the frames are pinned, from the root of the project.
    pub evidence: String,
    /// What every pinned frame of this kind has before its number, if each has one.
    pub pattern: Option<String>,
    /// The events.
    pub list: Vec<Event>,
}

/// An event.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Its name.
    pub name: String,
    /// Its frame, as it is pinned.
    pub frame: String,
    /// Why it is not sent.
    pub declined: Option<String>,
}

impl Section {
    /// The file with the evidence.
    fn pinned(&self) -> String {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(&self.evidence);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// What is wrong with it: an event that is sent and not pinned, or pinned and not sent.
    pub fn problems(&self) -> Vec<String> {
        let pinned = self.pinned();
        let frames: Option<Vec<String>> = self.pattern.as_deref().map(|pattern| numbered(&pinned, pattern));
        let is_pinned = |frame: &String| match &frames {
            Some(frames) => frames.contains(frame),
            None => pinned.contains(frame),
        };
        let mut problems = Vec::new();
        for event in &self.list {
            match &event.declined {
                None if !is_pinned(&event.frame) => problems.push(format!("{} is pinned nowhere", event.name)),
                Some(_) if is_pinned(&event.frame) => problems.push(format!("{} is sent now", event.name)),
                Some(reason) if reason.len() <= 10 => problems.push(format!("{} has no reason", event.name)),
                _ => {}
            }
        }
        let known = |frame: &&String| self.list.iter().any(|event| event.frame == **frame);
        let unknown = frames.iter().flatten().filter(|frame| !known(frame));
        problems.extend(unknown.map(|frame| format!("{frame} is pinned, but not in the catalogue")));
        problems
    }
}

/// Each `pattern` with the number behind it, once.
fn numbered(text: &str, pattern: &str) -> Vec<String> {
    let words = text
        .split_whitespace()
        .filter(|word| word.strip_prefix(pattern).is_some_and(|number| number.parse::<u32>().is_ok()));
    let mut found: Vec<String> = words.map(str::to_owned).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// A vendor's events for readers: the verdict on each.
pub fn verdicts(page: &mut String, catalogue: &Catalogue) {
    for section in &catalogue.events {
        let _ = write!(
            page,
            "\n### Events: {}\n\n{}\n\n| event | verdict |\n| --- | --- |\n",
            section.name, section.source
        );
        for event in &section.list {
            let verdict = event.declined.as_ref().map_or("sent".to_owned(), |reason| format!("declined: {reason}"));
            let _ = writeln!(page, "| `{}` | {verdict} |", event.name);
        }
    }
}
