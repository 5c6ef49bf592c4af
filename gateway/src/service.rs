//! The service manager: the sockets it passes, and notifications to it. Without one, this does nothing.

use std::net::TcpListener;
use std::time::Duration;

use crate::config::ConfigError;
use crate::serve::Running;

/// The listening sockets that the service manager has opened for this process (`LISTEN_FDS`).
///
/// Called before threads are started. The variables are removed, so that no child process uses the sockets.
pub(crate) fn listeners() -> Result<Vec<TcpListener>, ConfigError> {
    let mut passed = listenfd::ListenFd::from_env();
    let mut listeners = Vec::new();
    for at in 0..passed.len() {
        let unusable =
            |error| ConfigError(format!("socket {at} of the service manager cannot be listened on: {error}"));
        listeners.extend(passed.take_tcp_listener(at).map_err(unusable)?);
    }
    Ok(listeners)
}

/// Notifies that requests are answered, and keeps the watchdog satisfied as long as they can be.
pub(crate) fn ready(running: &Running) {
    let status = format!("listening on {}", running.addresses.shared);
    notify(&[sd_notify::NotifyState::Ready, sd_notify::NotifyState::Status(&status)]);
    if let Some(interval) = sd_notify::watchdog_enabled() {
        // twice as often as required; a blocked runtime sends nothing
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval((interval / 2).max(Duration::from_millis(1)));
            loop {
                ticks.tick().await;
                notify(&[sd_notify::NotifyState::Watchdog]);
            }
        });
    }
}

/// Notifies that the process is stopping.
pub(crate) fn stopping() {
    notify(&[sd_notify::NotifyState::Stopping, sd_notify::NotifyState::Status("finishing requests in flight")]);
}

fn notify(states: &[sd_notify::NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the service manager cannot be notified");
    }
}
