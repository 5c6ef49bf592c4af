//! Logs, on standard error.

mod lines;
mod queue;

use std::panic;
use std::sync::{Arc, OnceLock};

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::config::ConfigError;
use crate::config::file::Log;
use crate::traces::Exporter;

use self::lines::Lines;
pub(crate) use self::queue::Guard;
use self::queue::Queue;

/// The lines that wait to be written; set once logging has started.
static QUEUE: OnceLock<Arc<Queue>> = OnceLock::new();

/// The number of lines that were dropped because too many waited.
pub(crate) fn dropped() -> u64 {
    QUEUE.get().map_or(0, |queue| queue.dropped())
}

/// Whether the lines that are written here have the ids of requests and calls by themselves. In a program with logs of
/// its own, spans add them.
pub(crate) fn adds_ids() -> bool {
    QUEUE.get().is_some()
}

/// Starts logging, and traces if there is an exporter for them. A thread of its own writes the lines, so that requests do not wait for the terminal.
pub(crate) fn start(log: &Log, traces: Option<&Exporter>) -> Result<Guard, ConfigError> {
    let filter = EnvFilter::try_new(&log.filter).map_err(|error| {
        ConfigError(format!("log.filter is not one, e.g. info or warn,conclave::request=info: {error}"))
    })?;
    let queue = Arc::<Queue>::default();
    let failed = |error: &dyn std::fmt::Display| ConfigError(format!("logging cannot be started: {error}"));
    let guard = queue.write_to(std::io::stderr()).map_err(|error| failed(&error))?;
    let lines = Lines::new(log.format, Arc::clone(&queue));
    let registry = tracing_subscriber::registry();
    let started = match traces {
        None => registry.with(filter).with(lines).try_init(),
        // the filter is for lines only
        Some(traces) => registry.with(lines.with_filter(filter)).with(traces.layer()).try_init(),
    };
    started.map_err(|error| failed(&error))?;
    // started once per process
    let _first = QUEUE.set(queue);
    panic::set_hook(Box::new(|panicked| {
        let place = panicked.location().map(ToString::to_string);
        tracing::error!(place, "panicked: {}", panicked.payload_as_str().unwrap_or("no text"));
    }));
    Ok(guard)
}
