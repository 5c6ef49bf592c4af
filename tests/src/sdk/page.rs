//! A user's page with a client SDK on it: takes calls, returns results and events.
//!
//! A driver reads `{"id": 1, "call": "…", "args": […]}` and writes `{"id": 1, "result": …}` or `{"id": 1, "thrown":
//! "…"}`, and `{"event": "…", "data": …}` for each event. A driver of
//! several clients reads and writes the `client` as well.

use std::collections::HashMap;
use std::process::{Command as StdCommand, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;

/// How long a result or an event is waited for, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(40);

/// A client on a page that is open; the page is closed when the last client of its process is dropped.
pub struct Page {
    process: Arc<Process>,
    client: Option<String>,
    received: Arc<Received>,
}

/// A driver and what it tells.
struct Process {
    _child: Child,
    calls: tokio::sync::Mutex<ChildStdin>,
    numbers: AtomicU64,
    output: Arc<Output>,
}

/// Who waits for what a driver tells.
#[derive(Default)]
struct Output {
    answers: Mutex<HashMap<u64, oneshot::Sender<Result<Value, String>>>>,
    clients: Mutex<HashMap<Option<String>, Arc<Received>>>,
}

/// The events of one client.
#[derive(Default)]
struct Received {
    /// Received events that no test has taken yet.
    events: Mutex<Vec<(String, Value)>>,
    news: Notify,
}

impl Page {
    /// Opens one with this driver.
    pub fn open(driver: StdCommand) -> Self {
        let mut command = Command::from(driver);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut process = command.spawn().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        let calls = tokio::sync::Mutex::new(process.stdin.take().expect("its input"));
        let mut lines = BufReader::new(process.stdout.take().expect("its output")).lines();
        let output = Arc::new(Output::default());
        let received = output.client(None);
        let recent_output = Arc::clone(&output);
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let line = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
                recent_output.take(line);
            }
        });
        let process = Process { _child: process, calls, numbers: AtomicU64::new(1), output };
        Self { process: Arc::new(process), client: None, received }
    }

    /// Another client in the same process, where its driver has several.
    #[must_use]
    pub fn client(&self, name: &str) -> Self {
        let client = Some(name.to_owned());
        let received = self.process.output.client(client.clone());
        Self { process: Arc::clone(&self.process), client, received }
    }

    /// Calls a method and waits for its result; panics if it throws.
    pub async fn call(&self, name: &str, args: Value) -> Value {
        let thrown = |error| panic!("{name} {args} threw {error}");
        self.try_call(name, &args).await.unwrap_or_else(thrown)
    }

    /// Calls a method and waits for its result, or for what it throws.
    pub async fn try_call(&self, name: &str, args: &Value) -> Result<Value, String> {
        let id = self.process.numbers.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = oneshot::channel();
        self.process.output.answers.lock().expect("no panic before").insert(id, sender);
        let mut line = json!({"id": id, "call": name, "args": args});
        if let Some(client) = &self.client {
            line["client"] = client.as_str().into();
        }
        let line = line.to_string() + "\n";
        self.process.calls.lock().await.write_all(line.as_bytes()).await.expect("the page is open");
        let answer = timeout(PATIENCE, answer).await.unwrap_or_else(|_| panic!("{name} {args} is not answered"));
        answer.expect("the page is open")
    }

    /// Takes the first matching events, in order, as soon as there are so many.
    pub async fn take(&self, count: usize, pass: impl Fn(&str) -> bool) -> Vec<(String, Value)> {
        let wait = async {
            loop {
                let news = self.received.news.notified();
                if let Some(taken) = self.received.take(count, &pass) {
                    return taken;
                }
                news.await;
            }
        };
        timeout(PATIENCE, wait).await.unwrap_or_else(|_| {
            let events = self.received.events.lock().expect("no panic before");
            panic!("there are no {count} events among {events:#?}")
        })
    }

    /// Takes all matching events that have been received.
    pub fn take_all(&self, pass: impl Fn(&str) -> bool) -> Vec<(String, Value)> {
        let count = self.received.events.lock().expect("no panic before").iter().filter(|(name, _)| pass(name)).count();
        self.received.take(count, pass).unwrap_or_default()
    }

    /// The next event with this name.
    pub async fn event(&self, name: &str) -> Value {
        self.take(1, |other| other == name).await.remove(0).1
    }
}

impl Output {
    /// Where the events of a client go.
    fn client(&self, name: Option<String>) -> Arc<Received> {
        Arc::clone(self.clients.lock().expect("no panic before").entry(name).or_default())
    }

    fn take(&self, mut line: Value) {
        if let Some(id) = line["id"].as_u64() {
            let answer = match line["thrown"].take() {
                Value::Null => Ok(line["result"].take()),
                thrown => Err(thrown.to_string()),
            };
            if let Some(waiting) = self.answers.lock().expect("no panic before").remove(&id) {
                // the caller may have given up
                let _ = waiting.send(answer);
            }
            return;
        }
        let name = line["event"].as_str().expect("an answer or an event").to_owned();
        let received = self.client(line["client"].as_str().map(str::to_owned));
        received.events.lock().expect("no panic before").push((name, line["data"].take()));
        received.news.notify_one();
    }
}

impl Received {
    fn take(&self, count: usize, pass: impl Fn(&str) -> bool) -> Option<Vec<(String, Value)>> {
        let mut events = self.events.lock().expect("no panic before");
        if events.iter().filter(|(name, _)| pass(name)).count() < count {
            return None;
        }
        let mut left = count;
        let mut passes = |name: &str| {
            let taken = left > 0 && pass(name);
            left -= usize::from(taken);
            taken
        };
        let (taken, kept) = events.drain(..).partition(|(name, _)| passes(name));
        *events = kept;
        Some(taken)
    }
}
