//! Logs, on standard error.

use std::panic;
use std::sync::OnceLock;

use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

use crate::config::ConfigError;
use crate::config::file::{Log, LogFormat};

/// Flushes waiting lines on drop.
pub(crate) struct Guard(#[allow(dead_code, reason = "it works by being dropped")] WorkerGuard);

/// Most lines that wait to be written; further ones are dropped, so that a blocked terminal does not block the process.
const WAITING: usize = 16_384;

/// Counts dropped lines; set once logging has started.
static DROPPED: OnceLock<ErrorCounter> = OnceLock::new();

/// The number of lines that were dropped because too many waited.
pub(crate) fn dropped() -> u64 {
    DROPPED.get().map_or(0, |counter| counter.dropped_lines() as u64)
}

/// Starts logging. A thread of its own writes the lines, so that requests do not wait for the terminal.
pub(crate) fn start(log: &Log) -> Result<Guard, ConfigError> {
    let filter = EnvFilter::try_new(&log.filter).map_err(|error| {
        ConfigError(format!("log.filter is not one, e.g. info or warn,conclave::request=info: {error}"))
    })?;
    let (writer, guard) = NonBlockingBuilder::default().buffered_lines_limit(WAITING).finish(std::io::stderr());
    // started once per process
    let _first = DROPPED.set(writer.error_counter());
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    let started = match log.format {
        LogFormat::Text => lines.with_ansi(false).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).try_init(),
    };
    started.map_err(|error| ConfigError(format!("logging cannot be started: {error}")))?;
    panic::set_hook(Box::new(|panicked| {
        let place = panicked.location().map(ToString::to_string);
        tracing::error!(place, "panicked: {}", panicked.payload_as_str().unwrap_or("no text"));
    }));
    Ok(Guard(guard))
}
