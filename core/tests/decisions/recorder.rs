//! Writes down what operations do.

use std::collections::BTreeMap;
use std::fmt::{Debug, Write as _};

use conclave_core::event::{Actor, Audience, Event};
use conclave_core::invariants::everything;
use conclave_core::model::{Circle, Policy, Row, TopicId};
use conclave_core::ports::{GroupsExt as _, Log, Store, Typed};
use conclave_core::refusal::Refusal;

use crate::common::{World, block_on, by};

/// Performs operations in a world and records what each has done.
pub(crate) struct Recorder {
    pub(crate) world: World,
    transcript: String,
    rows: BTreeMap<Vec<u8>, Row>,
    last_event: u64,
}

/// Records a story in a realm with a group "g" of ann (owner), ben (admin, where the policy has any), cy and eve; dan and
/// fay are not members.
/// The transcript is compared with the snapshot of this name.
pub(crate) fn decisions(name: &str, policy: Policy, story: impl AsyncFnOnce(&mut Recorder)) {
    let promotes = policy.promote > Circle::Nobody;
    block_on(async {
        let world = World::peopled(&["ann", "ben", "cy", "dan", "eve", "fay"]).await;
        world.group("g", "ann", &["ben", "cy", "eve"], policy).await;
        if promotes {
            world.promote("ben").await;
        }
        let mut recorder = Recorder { world, transcript: String::new(), rows: BTreeMap::new(), last_event: 0 };
        recorder.look().await;
        story(&mut recorder).await;
        assert_eq!(recorder.world.broken().await, None);
        insta::with_settings!({ prepend_module_to_snapshot => false, snapshot_path => "snapshots", omit_expression => true }, {
            insta::assert_snapshot!(name, recorder.transcript);
        });
    });
}

impl Recorder {
    /// A user performs an operation.
    pub(crate) async fn user<O>(&mut self, name: &str, about: &str, operation: O) -> Result<O::Reply, Refusal>
    where
        O: Typed,
        O::Reply: Debug,
    {
        self.step(&format!("{name} {about}"), &by(name), operation).await
    }

    /// The app performs an operation.
    pub(crate) async fn app<O>(&mut self, about: &str, operation: O) -> Result<O::Reply, Refusal>
    where
        O: Typed,
        O::Reply: Debug,
    {
        self.step(&format!("the app {about}"), &Actor::app(), operation).await
    }

    /// Performs an operation and records it under this title.
    pub(crate) async fn step<O>(&mut self, title: &str, actor: &Actor, operation: O) -> Result<O::Reply, Refusal>
    where
        O: Typed,
        O::Reply: Debug,
    {
        let outcome = self.world.run(actor, operation).await;
        self.record(title, &outcome).await;
        outcome
    }

    async fn record<R: Debug>(&mut self, title: &str, outcome: &Result<R, Refusal>) {
        let _ = writeln!(self.transcript, "## {title}");
        match outcome {
            Ok(reply) => writeln!(self.transcript, "reply: {reply:?}"),
            Err(refusal) => writeln!(self.transcript, "refused: {refusal:?}"),
        }
        .unwrap();
        self.look().await;
        self.transcript.push('\n');
    }

    /// Records what has changed since the last look.
    async fn look(&mut self) {
        let rows = everything(&*self.world.store as &dyn Store).await.unwrap();
        let before = std::mem::replace(&mut self.rows, rows);
        if self.last_event > 0 {
            let lines = changes(&before, &self.rows);
            self.transcript.extend(lines.iter().flat_map(|line| [line.as_str(), "\n"]));
        }
        let recorded = self.last_event > 0;
        for event in Log::read(&*self.world.engine, self.last_event, 1000).await.unwrap() {
            if recorded {
                let _ = writeln!(self.transcript, "{}", line(&event));
            }
            self.last_event = event.sequence;
        }
    }
}

fn line(event: &Event) -> String {
    let Audience { members_of, users, silent } = &event.audience;
    let members = members_of.as_ref().map_or_else(String::new, |group| format!(" members of {group}"));
    let users: Vec<String> = users.iter().map(|user| format!(" {user}")).collect();
    let users = users.concat();
    let silent = if *silent { " (silent)" } else { "" };
    let number = event.number.map_or_else(String::new, |number| format!(" number {number}"));
    format!("event{number} to{members}{users}{silent}: {:?}", event.what)
}

/// The rows that differ. Pointers from one row to another are left out: the invariants check them.
fn changes(before: &BTreeMap<Vec<u8>, Row>, after: &BTreeMap<Vec<u8>, Row>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut add = |change: Vec<String>| {
        // a membership is stored twice
        if change.iter().any(|line| !lines.contains(line)) {
            lines.extend(change);
        }
    };
    for (key, old) in before.iter().filter(|(_, row)| is_shown(row)) {
        match after.get(key) {
            None => add(vec![format!("- {old:?}")]),
            Some(new) if new != old => add(difference(old, new)),
            Some(_) => {}
        }
    }
    for (_, new) in after.iter().filter(|(key, row)| is_shown(row) && !before.contains_key(*key)) {
        add(vec![format!("+ {new:?}")]);
    }
    lines
}

fn is_shown(row: &Row) -> bool {
    !matches!(row, Row::Event(_) | Row::Mark | Row::ToGroup(_) | Row::ToUser(_))
}

/// The fields of a row that differ.
fn difference(old: &Row, new: &Row) -> Vec<String> {
    let (old_text, new_text) = (fields(old), fields(new));
    let kind = old_text.lines().next().unwrap_or_default().trim_end_matches('(').to_owned();
    let missing = |line: &&str, other: &str| !other.lines().any(|candidate| candidate == *line);
    let gone = old_text.lines().filter(|line| missing(line, &new_text)).map(|line| format!("  - {}", line.trim()));
    let added = new_text.lines().filter(|line| missing(line, &old_text)).map(|line| format!("  + {}", line.trim()));
    std::iter::once(format!("~ {kind} {}", identity(new)).trim_end().to_owned()).chain(gone).chain(added).collect()
}

/// A row with one field per line.
fn fields(row: &Row) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in format!("{row:#?}").lines() {
        // a value in brackets, such as a time, stays beside the name of its field
        let is_end = matches!(line.trim(), ")" | "),");
        match lines.len().checked_sub(2).map(|at| lines[at].ends_with('(')) {
            Some(true) if is_end => {
                let value = lines.pop().unwrap_or_default();
                let value = value.trim().trim_end_matches(',');
                if let Some(last) = lines.last_mut() {
                    *last = format!("{last}{value}{}", line.trim());
                }
            }
            _ => lines.push(line.to_owned()),
        }
    }
    lines.join("\n")
}

/// Which row it is, among those of its kind.
fn identity(row: &Row) -> String {
    match row {
        Row::Group(group) => group.id.to_string(),
        Row::Member(member) => member.user.to_string(),
        Row::Mute(mute) => mute.user.to_string(),
        Row::User(user) => user.id.to_string(),
        Row::Message(message) => message.sequence.to_string(),
        Row::Request(request) => request.user.to_string(),
        Row::Topic(topic) => topic.id.to_string(),
        Row::Block(block) => block.user.to_string(),
        _ => String::new(),
    }
}

impl Recorder {
    /// A user performs an operation in a topic of "g".
    pub(crate) async fn in_topic<O>(&mut self, name: &str, about: &str, topic: &str, operation: O)
    where
        O: Typed,
        O::Reply: Debug,
    {
        let topic = TopicId::new(topic).unwrap();
        self.world.step(1);
        let outcome = self.world.engine.run_in(&by(name), &topic, operation).await;
        self.record(&format!("{name} {about} in {topic}"), &outcome).await;
    }
}
