//! Values that are measured when the metrics are requested: the process, the store, the log and the realms' events.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use conclave_core::ports::Log;
use parking_lot::Mutex;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use crate::logging;
use crate::store::Health;

/// How often the data folder is measured, which reads the metadata of all its files.
const SIZES: Duration = Duration::from_mins(1);
/// How long a realm's log is waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// The sources of the measured values.
#[derive(Default)]
pub(crate) struct Measured {
    store: OnceLock<Health>,
    logs: Mutex<BTreeMap<String, Weak<dyn Log>>>,
    last_events: Mutex<BTreeMap<String, u64>>,
    sizes: OnceLock<Arc<Sizes>>,
}

/// The data folder, in bytes.
#[derive(Debug, Default)]
struct Sizes {
    rows: AtomicU64,
    blobs: AtomicU64,
    free: AtomicU64,
}

impl Measured {
    /// Adds a store to the metrics.
    pub(crate) fn of_store(&self, health: Health) {
        // there is one per process
        let _first = self.store.set(health);
    }

    /// Reports the number of the last event in this realm's log. Holds no strong reference to the log: that would keep
    /// the data folder open.
    pub(crate) fn of_realm(&self, realm: &str, log: &Arc<dyn Log>) {
        self.logs.lock().insert(realm.to_owned(), Arc::downgrade(log));
    }

    /// Stops reporting a realm that was deleted.
    pub(crate) fn forget_realm(&self, realm: &str) {
        self.logs.lock().remove(realm);
        self.last_events.lock().remove(realm);
    }

    /// Reports the size of this data folder, as long as this value exists.
    pub(crate) fn of_folder(&self, folder: PathBuf) {
        let sizes = Arc::<Sizes>::default();
        let weak = Arc::downgrade(&sizes);
        if self.sizes.set(sizes).is_err() {
            return;
        }
        tokio::spawn(async move {
            while let Some(sizes) = weak.upgrade() {
                let folder = folder.clone();
                let measured = tokio::task::spawn_blocking(move || sizes.measure(&folder)).await;
                if let Err(error) = measured {
                    tracing::warn!(%error, "the size of the data folder cannot be computed for the metrics");
                }
                tokio::time::sleep(SIZES).await;
            }
        });
    }

    /// Reads the values that need async calls.
    pub(crate) async fn refresh(&self) {
        let logs = self.logs.lock().clone();
        let logs = logs.into_iter().filter_map(|(realm, log)| Some((realm, log.upgrade()?)));
        for (realm, log) in logs {
            if let Ok(Ok(last)) = tokio::time::timeout(PATIENCE, log.last()).await {
                self.last_events.lock().insert(realm, last);
            }
        }
    }
}

impl Sizes {
    fn measure(&self, folder: &Path) {
        self.rows.store(size_of(&folder.join("rows")), Ordering::Relaxed);
        self.blobs.store(size_of(&folder.join("blobs")), Ordering::Relaxed);
        #[cfg(unix)]
        if let Ok(found) = rustix::fs::statvfs(folder) {
            self.free.store(found.f_bavail.saturating_mul(found.f_frsize), Ordering::Relaxed);
        }
    }
}

/// The bytes of all files below a folder, which may change meanwhile.
fn size_of(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let of = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(found) if found.is_dir() => size_of(&entry.path()),
        Ok(found) => found.len(),
        Err(_) => 0,
    };
    entries.filter_map(Result::ok).map(of).sum()
}

impl fmt::Debug for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Measured").finish_non_exhaustive()
    }
}

fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: f64) -> fmt::Result {
    let gauge = ConstGauge::new(value);
    gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
}

fn counter(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: f64) -> fmt::Result {
    let counter = ConstCounter::new(value);
    counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)
}

/// A counter as a floating-point number; precise enough for dashboards.
#[allow(clippy::cast_precision_loss, reason = "beyond 2^53 nobody counts")]
fn float(number: u64) -> f64 {
    number as f64
}

impl Collector for Measured {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let out = &mut encoder;
        counter(
            out,
            "log_lines_dropped",
            "Log lines dropped as too many waited to be written",
            float(logging::dropped()),
        )?;
        if let Some(store) = self.store.get() {
            counter(out, "store_syncs", "Rounds of commits written and synced", float(store.rounds()))?;
            counter(out, "store_sync_seconds", "Time all syncs took", store.synced_for().as_secs_f64())?;
            let (times, about) = (store.sync_times(), "Time of each sync");
            let descriptor =
                out.encode_descriptor("store_sync_duration", about, Some(&Unit::Seconds), times.metric_type())?;
            times.encode(descriptor)?;
            let current = store.syncing_for().unwrap_or_default().as_secs_f64();
            gauge(out, "store_sync_current_seconds", "Duration of the current sync so far", current)?;
            gauge(out, "store_queue", "Commits that wait for the next sync", float(store.queued()))?;
            counter(out, "store_sync_failures", "Rounds that could not be synced", float(store.failures()))?;
            counter(out, "store_recoveries", "How often the store went on after a failure", float(store.recoveries()))?;
        }
        if let Some(sizes) = self.sizes.get() {
            let of = |value: &AtomicU64| float(value.load(Ordering::Relaxed));
            gauge(out, "store_rows_bytes", "Size of the database", of(&sizes.rows))?;
            gauge(out, "store_blobs_bytes", "Size of all shared files", of(&sizes.blobs))?;
            gauge(out, "store_free_bytes", "Free space where the data folder is", of(&sizes.free))?;
        }
        let last_events = self.last_events.lock();
        if !last_events.is_empty() {
            let help = "Number of the last event of a realm";
            let mut family = out.encode_descriptor("last_event", help, None, MetricType::Gauge)?;
            for (realm, last) in &*last_events {
                let labels = [("realm", realm.as_str())];
                ConstGauge::new(float(*last)).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}

/// The process as the system reports it, under the metric names that dashboards expect.
#[derive(Debug)]
pub(crate) struct Process {
    started: f64,
}

impl Process {
    /// For a process that has just started.
    pub(crate) fn new() -> Self {
        Self { started: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64() }
    }
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let out = &mut encoder;
        gauge(out, "process_start_time_seconds", "When the process was started, in seconds since 1970", self.started)?;
        #[cfg(target_os = "linux")]
        if let Some(found) = linux::usage() {
            counter(out, "process_cpu_seconds", "Processor time used", found.cpu_seconds)?;
            gauge(out, "process_resident_memory_bytes", "Memory in use", found.resident_bytes)?;
            gauge(out, "process_virtual_memory_bytes", "Address space in use", found.virtual_bytes)?;
            gauge(out, "process_threads", "Threads", found.threads)?;
            gauge(out, "process_open_fds", "Files and connections open", found.open_files)?;
        }
        if let Some(limit) = crate::descriptors::limit() {
            gauge(out, "process_max_fds", "Most files and connections that may be open", float(limit))?;
        }
        Ok(())
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use super::float;

    pub(super) struct Usage {
        pub(super) cpu_seconds: f64,
        pub(super) resident_bytes: f64,
        pub(super) virtual_bytes: f64,
        pub(super) threads: f64,
        pub(super) open_files: f64,
    }

    /// From `/proc/self`, see proc(5); `None` where it is not mounted.
    pub(super) fn usage() -> Option<Usage> {
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        // the name before it may contain spaces
        let (_, rest) = stat.rsplit_once(')')?;
        let fields: Vec<u64> = rest.split_whitespace().skip(1).map(|field| field.parse().unwrap_or(0)).collect();
        // the first field here is number four of the documentation
        let field = |number: usize| fields.get(number - 4).copied().map(float);
        let open_files = std::fs::read_dir("/proc/self/fd").ok()?.count();
        Some(Usage {
            cpu_seconds: (field(14)? + field(15)?) / float(rustix::param::clock_ticks_per_second()),
            threads: field(20)?,
            virtual_bytes: field(23)?,
            resident_bytes: field(24)? * float(rustix::param::page_size() as u64),
            open_files: float(open_files as u64),
        })
    }
}
