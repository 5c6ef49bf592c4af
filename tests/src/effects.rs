//! Effects of one vendor's calls that are read through the others, as data: `fixtures/effects/<name>.json`. They use the
//! server APIs; at Agora also a user's client, and at `RongCloud` a page with its Web SDK.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use crate::fixture::{Unlike, covers, root};
use crate::sdk::gateway::{Served, VendorApis};
use crate::sdk::online::online;
use crate::sdk::page::Page;
use crate::story::Refused;

/// A scenario on one gateway.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Story {
    /// The file's name.
    #[serde(skip)]
    pub name: String,
    /// Its subject.
    pub about: String,
    /// The acts, in order.
    pub acts: Vec<Act>,
}

/// A call, and how its effect is read.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Act {
    /// The call.
    #[serde(rename = "do")]
    pub done: Step,
    /// The reads.
    #[serde(default)]
    pub then: Vec<Step>,
}

/// One call.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The vendor whose API is called.
    pub by: String,
    /// Method and path below the app, with kept values of earlier steps; this vendor's name of the command; a method of
    /// the Web SDK, or `receives` and an event.
    pub call: String,
    /// The user whose client calls; the app's server when missing. Not at Tencent.
    #[serde(rename = "as")]
    pub user: Option<String>,
    /// The body: JSON, the fields of a form, or the arguments of the Web SDK's method. `"$name"` is a value kept by an
    /// earlier step.
    #[serde(default)]
    pub send: Value,
    /// The values of the response that later steps use: names, and their paths.
    #[serde(default)]
    pub keep: BTreeMap<String, String>,
    /// The members that the response has at least; may contain kept values, too.
    #[serde(default)]
    pub has: Value,
}

impl Story {
    /// All scenarios.
    pub fn all() -> Vec<Self> {
        let mut stories = BTreeMap::new();
        for entry in std::fs::read_dir(root().join("effects")).expect("stories") {
            let path = entry.expect("a file").path();
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            let text = std::fs::read(&path).expect("a file");
            let story: Self = serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            stories.insert(name.clone(), Self { name, ..story });
        }
        stories.into_values().collect()
    }

    /// Each step, with the other vendors through which its effect is read, or whose effect it reads.
    pub fn effects(&self) -> Vec<(&Step, BTreeSet<String>)> {
        let mut effects = Vec::new();
        for Act { done, then } in &self.acts {
            let others: BTreeSet<String> =
                then.iter().map(|step| step.by.clone()).filter(|by| *by != done.by).collect();
            effects.push((done, others));
            effects.extend(then.iter().filter(|step| step.by != done.by).map(|step| (step, [done.by.clone()].into())));
        }
        effects.retain(|(_, others)| !others.is_empty());
        effects
    }

    /// A step that asserts nothing shows nothing.
    pub fn check(&self) {
        for step in self.acts.iter().flat_map(|act| &act.then) {
            assert!(!step.has.is_null(), "{}: {} asserts nothing", self.name, step.call);
        }
    }

    /// Runs it.
    pub async fn run(&self, served: &Served) {
        let vendor_apis = served.vendor_apis().await;
        let (mut kept, mut pages) = (BTreeMap::new(), BTreeMap::new());
        for Act { done, then } in &self.acts {
            for step in std::iter::once(done).chain(then) {
                let (mut send, mut has) = (step.send.clone(), step.has.clone());
                fill(&mut send, &kept);
                fill(&mut has, &kept);
                let answer = match step.on_page() {
                    Some(user) => {
                        if !pages.contains_key(user) {
                            pages.insert(user.to_owned(), online(served, &vendor_apis, user).await);
                        }
                        step.take_on(&pages[user], send).await
                    }
                    None => step.take(&vendor_apis, send, &kept).await,
                };
                let answer = answer.unwrap_or_else(|Refused(why)| panic!("{}: {}: {why}", self.name, step.call));
                let outcome = if has.is_null() { Ok(()) } else { covers(&has, &answer, "answer") };
                if let Err(Unlike(difference)) = outcome {
                    panic!("{}: after {}, {}: {difference}\n{answer:#}", self.name, done.call, step.call);
                }
                for (name, pointer) in &step.keep {
                    let found = answer.pointer(pointer).unwrap_or_else(|| panic!("{pointer} is not in {answer:#}"));
                    kept.insert(format!("${name}"), found.clone());
                }
            }
        }
    }
}

impl Step {
    /// The method.
    pub fn method(&self) -> &str {
        if self.by == "agora" { self.call.split(' ').next().unwrap_or_default() } else { "POST" }
    }

    /// The path below the vendor's root.
    pub fn path(&self) -> String {
        match self.by.as_str() {
            "agora" => format!("/org/app{}", self.call.split(' ').nth(1).unwrap_or_default()),
            "tencent" => format!("/v4/{}", self.call),
            _ => self.call.clone(),
        }
    }

    /// The user on whose page it runs, if it runs on one.
    pub fn on_page(&self) -> Option<&str> {
        self.user.as_deref().filter(|_| self.by == "rong")
    }

    async fn take_on(&self, page: &Page, send: Value) -> Result<Value, Refused> {
        match self.call.strip_prefix("receives ") {
            Some(event) => Ok(page.event(event).await),
            None => page.try_call(&self.call, &send).await.map_err(Refused),
        }
    }

    async fn take(
        &self,
        vendor_apis: &VendorApis,
        send: Value,
        kept: &BTreeMap<String, Value>,
    ) -> Result<Value, Refused> {
        match self.by.as_str() {
            "agora" => {
                let mut call = self.call.clone();
                for (name, value) in kept {
                    call = call.replace(name, value.as_str().unwrap_or_default());
                }
                let (method, path) = call.split_once(' ').expect("method and path");
                let method = method.parse().expect("a method");
                let body = (!send.is_null()).then_some(send);
                match &self.user {
                    Some(user) => vendor_apis.agora.call_as(user, method, path, body).await,
                    None => vendor_apis.agora.call(method, path, body).await,
                }
            }
            "tencent" => vendor_apis.tencent.call(&self.call, &send).await,
            "rong" => {
                let fields = fields(&send);
                let fields: Vec<(&str, &str)> =
                    fields.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
                vendor_apis.rong.call(&self.call, &fields).await
            }
            other => panic!("no vendor is called {other}"),
        }
    }
}

/// The fields of a form; a list repeats its key.
fn fields(send: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let Value::Object(members) = send else { return Vec::new() };
    let pairs = |(key, value): (&String, &Value)| match value {
        Value::Array(items) => items.iter().map(|item| (key.clone(), text(item))).collect(),
        value => vec![(key.clone(), text(value))],
    };
    members.iter().flat_map(pairs).collect()
}

/// Inserts the kept values.
fn fill(value: &mut Value, kept: &BTreeMap<String, Value>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| fill(item, kept)),
        Value::Object(members) => members.values_mut().for_each(|member| fill(member, kept)),
        Value::String(text) => {
            if let Some(found) = kept.get(text) {
                *value = found.clone();
            }
        }
        _ => {}
    }
}
