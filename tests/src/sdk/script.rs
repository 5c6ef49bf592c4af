//! A running script: one line of JSON for each report.
//!
//! A script reports `{"step": "…", "value": …}`, stops at `{"pause": "…"}` until it reads a line, and fails when an
//! assertion does.

use std::process::{Command as StdCommand, Stdio};
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// The longest time between two reports, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running script; killed on drop.
pub struct Script {
    process: Child,
    answers: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    errors: JoinHandle<String>,
    /// The reports, by the names of the steps.
    pub reports: Map<String, Value>,
}

impl Script {
    /// Starts it with these settings in its environment.
    pub fn start(command: StdCommand, settings: &[(String, String)]) -> Self {
        let mut command = Command::from(command);
        command.envs(settings.iter().map(|(key, value)| (key, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        let answers = process.stdin.take().expect("its input");
        let lines = BufReader::new(process.stdout.take().expect("its output")).lines();
        let mut stderr = process.stderr.take().expect("its errors");
        let errors = tokio::spawn(async move {
            let mut text = Vec::new();
            let _ = stderr.read_to_end(&mut text).await;
            String::from_utf8_lossy(&text).into_owned()
        });
        Self { process, answers, lines, errors, reports: Map::new() }
    }

    /// Reads reports until it pauses at this point.
    pub async fn until(&mut self, point: &str) {
        match self.listen().await {
            Some(reached) => assert_eq!(reached, point, "the script pauses elsewhere"),
            None => self.broken(&format!("it ended before {point}")).await,
        }
    }

    /// Resumes it after a pause.
    pub async fn go_on(&mut self) {
        self.go_on_with("").await;
    }

    /// The same, with a word for the script.
    pub async fn go_on_with(&mut self, word: &str) {
        self.answers.write_all(format!("{word}\n").as_bytes()).await.expect("the script listens");
    }

    /// Reads reports to its end, which must be a success.
    pub async fn finish(mut self) -> Map<String, Value> {
        if let Some(point) = self.listen().await {
            self.broken(&format!("it pauses at {point}, where nobody meets it")).await;
        }
        let status = timeout(PATIENCE, self.process.wait()).await.expect("it ends in time").expect("its end");
        if !status.success() {
            self.broken(&status.to_string()).await;
        }
        self.reports
    }

    /// The next pause, or the end.
    async fn listen(&mut self) -> Option<String> {
        loop {
            let Ok(line) = timeout(PATIENCE, self.lines.next_line()).await else {
                self.broken("it says nothing any more").await;
                return None;
            };
            let line = line.expect("text")?;
            // SDKs print lines of their own
            let Ok(Value::Object(mut report)) = serde_json::from_str(&line) else { continue };
            if let Some(Value::String(point)) = report.remove("pause") {
                return Some(point);
            }
            if let Some(Value::String(step)) = report.remove("step") {
                let before = self.reports.insert(step.clone(), report.remove("value").unwrap_or_default());
                assert!(before.is_none(), "two steps are called {step}");
            }
        }
    }

    /// Panics with everything known about a script that failed.
    async fn broken(&mut self, why: &str) {
        let _ = self.process.start_kill();
        let errors = timeout(Duration::from_secs(5), &mut self.errors).await;
        let errors = errors.ok().and_then(Result::ok).unwrap_or_default();
        let reports = serde_json::to_string_pretty(&self.reports).expect("json");
        panic!("the script broke: {why}\n{reports}\n{errors}");
    }
}
