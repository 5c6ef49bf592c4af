//! A gateway: in this process, or one that runs already.

use std::sync::OnceLock;
use std::sync::mpsc;
use std::thread::JoinHandle;

use conclave::Config;
use conclave::config::{Admin, Data};
use http::Method;
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::control::{Control, Error, NOTHING, path};
use crate::realm::{Realm, RealmOptions, View};

/// A gateway with a control API. One that was started here runs on threads of its own, whatever runtime a test uses,
/// and ends when this is dropped.
#[derive(Debug)]
pub struct Gateway {
    control: Control,
    own: Option<Own>,
}

/// What runs a gateway in this process.
#[derive(Debug)]
struct Own {
    runtime: Handle,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// The gateway of this process, started when it is first used: for tests that share one, each in a realm of its own.
///
/// # Errors
/// It does not start.
pub async fn shared() -> crate::Result<&'static Gateway> {
    static SHARED: OnceLock<Gateway> = OnceLock::new();
    if let Some(gateway) = SHARED.get() {
        return Ok(gateway);
    }
    // another test may start one meanwhile: then this one ends
    let gateway = Gateway::start().await?;
    Ok(SHARED.get_or_init(|| gateway))
}

impl Gateway {
    /// Starts one on random ports, with its data in memory.
    ///
    /// # Errors
    /// It does not start.
    pub async fn start() -> crate::Result<Self> {
        Self::start_with(|_| {}).await
    }

    /// The same with a changed configuration.
    ///
    /// # Errors
    /// It does not start, or has no control API.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> crate::Result<Self> {
        let failed = |why: &dyn std::fmt::Display| Error::Start(why.to_string());
        let mut config = Config::development().map_err(|error| failed(&error))?;
        config.data = Data::Memory;
        config.listen = ([127, 0, 0, 1], 0).into();
        config.admin = Admin::Off;
        config.control = Admin::At(([127, 0, 0, 1], 0).into());
        change(&mut config);
        let token = config.control_token.as_ref().map(|token| token.0.clone());
        let (report, started) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        let thread =
            std::thread::Builder::new().name("conclave".to_owned()).spawn(move || serve(config, report, ended));
        let thread = thread.map_err(|error| failed(&error))?;
        let (runtime, address) = started.await.map_err(|_| failed(&"its thread has ended"))??;
        let control = Control::new(&address, token.as_deref());
        Ok(Self { control, own: Some(Own { runtime, end: Some(end), thread: Some(thread) }) })
    }

    /// Joins one that runs already: `control` is the address of its control API, such as `127.0.0.1:9091`.
    ///
    /// # Errors
    /// No control API answers there, or not with this token.
    pub async fn join(control: &str, token: Option<&str>) -> crate::Result<Self> {
        let control = Control::new(control, token);
        control.call::<Value>(Method::GET, &path(&["realms"]), NOTHING).await?;
        Ok(Self { control, own: None })
    }

    /// The URL of its control API.
    pub fn url(&self) -> &str {
        &self.control.url
    }

    /// Creates a realm with accounts, groups and credentials of its own, and keeps its journal. It is deleted when it is dropped.
    ///
    /// # Errors
    /// It is refused.
    pub async fn realm(&self) -> crate::Result<Realm> {
        self.realm_with(&RealmOptions::default()).await
    }

    /// The same with options.
    ///
    /// # Errors
    /// It is refused.
    pub async fn realm_with(&self, options: &RealmOptions) -> crate::Result<Realm> {
        let view: View = self.control.call(Method::POST, &path(&["realms"]), Some(options)).await?;
        // deleted by the runtime that this gateway has, which outlives that of a test
        let runtime = self.own.as_ref().map_or_else(Handle::current, |own| own.runtime.clone());
        let realm = Realm::new(self.control.clone(), view, runtime);
        realm.journal().begin().await?;
        Ok(realm)
    }

    /// The names of all realms.
    ///
    /// # Errors
    /// The gateway does not answer.
    pub async fn realm_names(&self) -> crate::Result<Vec<String>> {
        let answer: Value = self.control.call(Method::GET, &path(&["realms"]), NOTHING).await?;
        let realms = answer["realms"].as_array().cloned().unwrap_or_default();
        Ok(realms.iter().filter_map(|realm| realm["name"].as_str().map(str::to_owned)).collect())
    }
}

/// Runs a gateway until it is to end.
fn serve(config: Config, report: oneshot::Sender<crate::Result<(Handle, String)>>, ended: oneshot::Receiver<()>) {
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return drop(report.send(Err(Error::Start(error.to_string())))),
    };
    let handle = runtime.handle().clone();
    runtime.block_on(async {
        let started = conclave::Gateway::start(config).await.map_err(|error| Error::Start(error.to_string()));
        let running = match started {
            Ok(running) => running,
            Err(error) => return drop(report.send(Err(error))),
        };
        let address = running.addresses.control.map(|address| address.to_string());
        let address = address.ok_or_else(|| Error::Start("it has no control API".to_owned()));
        if report.send(address.map(|address| (handle, address))).is_ok() {
            // also when the gateway is dropped without a word
            let _ = ended.await;
        }
        running.shutdown().await;
    });
    runtime.shutdown_background();
}

impl Drop for Own {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            // a thread that has panicked has reported it
            let (done, is_done) = mpsc::channel();
            std::thread::spawn(move || {
                let _ = thread.join();
                let _ = done.send(());
            });
            let _ = is_done.recv_timeout(std::time::Duration::from_secs(10));
        }
    }
}
